#include "data/takers.h"

#include "data/plan.h"
#include "data/sources.h"
#include "executor/spi.h"

/* A history by the index takes a few times as long as one that comes by while all are read. */
#define USERS_PART 8

/* Ids while they are read. */
typedef struct Reader
{
	IdSet *users;
	uint64 most;
	bool enough; /* there are more than that */
} Reader;

static void
take(TupleTableSlot *row, void *with)
{
	Reader *reader = with;

	if (row->tts_isnull[0])
		return;
	IdSetAdd(reader->users, row->tts_values[0]);
	reader->enough = IdSetCount(reader->users) > reader->most;
}

/* Users there were at the last refresh, and how many of them have each of the items, in all. */
static void
count_users(const Model *model, const LearnedAll *learned, const uint32 *place, uint32 count,
			uint64 *all, uint64 *of_items)
{
	bool isnull;
	Datum users;

	if (PlanRun(psprintf("SELECT users::pg_catalog.int8 FROM ONLY %s.model", model->quoted), 0,
				NULL, NULL, NULL) != 1)
		LearnedRefuse(model);
	users = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	*all = isnull ? 0 : (uint64) Max(DatumGetInt64(users), 0);
	SPI_freetuptable(SPI_tuptable);
	*of_items = 0;
	for (uint32 n = 0; n < count; n++)
		*of_items += (uint64) Max(learned->users[place[n]], 0);
}

IdSet *
TakersRead(const Model *model, const LearnedAll *learned, const uint32 *place, uint32 count,
		   Budget *budget)
{
	Oid type = IdArrayType(model->item_kind);
	Reader reader = {0};
	uint64 all;
	uint64 of_items;
	Datum ids;

	count_users(model, learned, place, count, &all, &of_items);
	/* Many items have users in common: as many times more may be looked through as are wanted. */
	reader.most = all / USERS_PART;
	if (of_items > all || SourcesReadInFull(model) != NIL || SourcesReadForItem(model) != NIL)
		return NULL;
	reader.users = IdSetCreate(model->user_kind, budget);
	if (count == 0)
		return reader.users;
	ids = IdSetArrayOf(learned->ids, place, count);
	PlanStreamSome(psprintf("SELECT user_id::%s FROM %s.events "
							"WHERE item_id OPERATOR(pg_catalog.=) ANY ($1)",
							IdTypeName(model->user_kind), model->quoted),
				   1, &type, &ids, take, &reader, &reader.enough);
	if (!reader.enough)
		return reader.users;
	IdSetFree(reader.users);
	return NULL;
}
