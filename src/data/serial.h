/*
 * serial.h: the catalogue as series of parts, held in memory.
 */
#ifndef RECO_SERIAL_H
#define RECO_SERIAL_H

#include "data/ids.h"
#include "data/model.h"
#include "data/unfinished.h"

/* A part of a series. */
typedef struct SerialPart
{
	uint32 item; /* a number in the ids */
	uint32 series;
	int64 place; /* from 1, the same for parts that have the same; 0 for none */
	uint32 next; /* of the same item, or ID_NONE */
} SerialPart;

typedef struct SerialSeries
{
	const char *name;
	uint32 end; /* of its parts */
} SerialSeries;

typedef struct Serial
{
	bool *in_catalogue; /* by number of the item */
	uint32 *first;      /* part that an item is, or ID_NONE */
	uint32 catalogued;  /* of both; what has a higher number is not in the catalogue */
	SerialPart *part;   /* in the order of series, place and item; without a place last in each */
	uint32 parts;
	SerialSeries *series;
	uint32 count;
} Serial;

/*
 * Reads the catalogue, none where the model has none, and adds it to a set of ids; NULL where it takes
 * more than maintenance_work_mem.  SPI is connected, with the search path of maintenance.
 */
extern Serial *SerialRead(const Model *model, const Unfinished *unfinished, IdSet *ids,
						  Budget *budget);

/* The first part that an item is, or ID_NONE. */
static inline uint32
SerialFirst(const Serial *serial, uint32 item)
{
	return item < serial->catalogued ? serial->first[item] : ID_NONE;
}

/* The name of the series of a part. */
static inline const char *
SerialName(const Serial *serial, uint32 part)
{
	return serial->series[serial->part[part].series].name;
}

#endif
