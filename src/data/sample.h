/*
 * sample.h: the figures of a model's events, from one look at them that learns nothing.
 */
#ifndef RECO_SAMPLE_H
#define RECO_SAMPLE_H

#include "base/budget.h"
#include "data/model.h"
#include "math/sketch.h"

typedef struct EventsSample
{
	SketchFigures figures; /* of all events */
	double share;          /* of the rows that were read; 1 for all */
	double row_seconds;    /* of the events query, for one event */
	double id_bytes;       /* of one item's id */
} EventsSample;

/* Says, by the figures so far, how many seconds reading may take in all. */
typedef double (*SampleLimit)(const EventsSample *so_far, void *with);

/*
 * Streams the view "events" as a refresh does, SPI is connected, for as long as limit() says.  What
 * was not read by then is taken to go on as it went before.  O(rows), memory of a fixed size.
 */
extern EventsSample SampleEvents(const Model *model, TimestampTz now, SampleLimit limit, void *with,
								 Budget *budget);

#endif
