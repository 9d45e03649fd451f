/*
 * modelrow.h: the one row of a model's table "model", by names of columns.
 *
 * Every question reads it, and the executor takes longer to get ready for some fifty columns than
 * most questions take to score a user.  So it is read straight from the table, in the active
 * snapshot, where nothing could make a difference between that and SQL (rights that are not to the
 * whole table, row-level security, somebody's hook on rights, a table that is no heap or not as reco
 * made it); and by SQL otherwise.
 */
#ifndef RECO_MODELROW_H
#define RECO_MODELROW_H

#include "data/model.h"

/* Columns that may be asked for at most. */
#define MODEL_ROW_COLUMNS 100

/*
 * Reads the columns of the row, each by its name.  Raises an error where the table does not hold
 * just one.  What was read lasts as long as the current context and what SPI, which is connected, has.
 */
extern void ModelRowRead(const Model *model, const char *const *names, int columns, Datum *value,
						 bool *isnull);

#endif
