/*
 * forecast.h: what a refresh of a model will cost, told to those who ask before and to those who
 * watch.
 */
#ifndef RECO_FORECAST_H
#define RECO_FORECAST_H

#include "data/model.h"
#include "learn/interactions.h"
#include "math/cost.h"

/* How many processes would read its events; SPI is connected. */
extern double ForecastReaders(const Model *model);

/* What is known of how the events are read: how long one takes one process, and an item's id. */
typedef struct ForecastReading
{
	double readers;
	double row_seconds;
	double id_bytes;
} ForecastReading;

/* The cost of a refresh with the settings the model has, by figures of its events. */
extern RefreshCost ForecastCost(const Model *model, const SketchFigures *figures,
								const ForecastReading *reading);

/*
 * Tell watchers how long the phases still to come will take: by so many events, and what else the
 * last refresh found, if there was one, SPI is connected; and once they are encoded, which took so
 * many seconds.
 */
extern void ForecastAsLast(const Model *model, uint64 events);
extern RefreshCost ForecastEncoded(const Model *model, const Interactions *matrix, uint64 events,
								   double seconds);

/* The same once neighbours were learned the first time, and the match curve comes. */
extern void ForecastCurve(const RefreshCost *cost);

#endif
