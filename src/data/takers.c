#include "data/takers.h"

#include "data/plan.h"
#include "data/sources.h"
#include "executor/spi.h"

/* A history by the index takes a few times as long as one that comes by while all are read. */
#define USERS_PART 8

/* Where the items may have more than such a part of the events, no index is asked for these. */
#define EVENTS_PART 4

/* Users while they are read. */
typedef struct Reader
{
	Takers *takers;
	const LearnedAll *learned;
	const double *strength;
	const double *squared; /* of integer ids from the first on, or NULL where they lie too far apart */
	int64 first;
	uint64 span;
	Budget *budget;
	uint64 room; /* of takers->squares */
	uint64 most;
	Size left;   /* memory there must be: doubled, sets take up to three times what they did */
	bool enough; /* there are more users than that, or than fit */
} Reader;

/* So often, by users, the memory is looked at. */
#define USERS_LOOK 256

/* Integer ids are looked up in a table that has up to so many times as many places. */
#define SPAN_MOST 64

/* Makes that table, where they are integers that are near enough. */
static void
know_squares(Reader *reader, const uint32 *place, uint32 count)
{
	const IdSet *ids = reader->learned->ids;
	int64 first = PG_INT64_MAX;
	int64 last = PG_INT64_MIN;
	double *squared;

	if (IdSetKind(ids) != ID_INTEGER)
		return;
	for (uint32 n = 0; n < count; n++)
	{
		int64 id = DatumGetInt64(IdSetDatum(ids, place[n]));

		first = Min(first, id);
		last = Max(last, id);
	}
	if (first > last || (uint64) last - (uint64) first >= (uint64) SPAN_MOST * count)
		return;
	reader->first = first;
	reader->span = (uint64) last - (uint64) first + 1;
	squared = BudgetZeroed(reader->budget, reader->span, sizeof(double));
	for (uint32 n = 0; n < count; n++)
		squared[(uint64) DatumGetInt64(IdSetDatum(ids, place[n])) - (uint64) first] =
			reader->strength[place[n]] * reader->strength[place[n]];
	reader->squared = squared;
}

/* What an event with an item adds; 0 for nothing. */
static inline double
square_of(const Reader *reader, Datum item)
{
	uint32 place;

	if (reader->squared)
	{
		uint64 at = (uint64) DatumGetInt64(item) - (uint64) reader->first;

		return at < reader->span ? reader->squared[at] : 0;
	}
	place = IdSetFind(reader->learned->ids, item);
	return place < reader->learned->count ? reader->strength[place] * reader->strength[place] : 0;
}

/* Takes one event: user and item. */
static void
take(TupleTableSlot *row, void *with)
{
	Reader *reader = with;
	Takers *takers = reader->takers;
	uint32 known = IdSetCount(takers->users);
	double square;
	uint32 user;

	if (row->tts_isnull[0] || row->tts_isnull[1])
		return;
	square = square_of(reader, row->tts_values[1]);
	if (square == 0)
		return;
	user = IdSetAdd(takers->users, row->tts_values[0]);
	if (user == known)
	{
		takers->squares = BudgetGrow(reader->budget, takers->squares, (uint64) user + 1,
									 &reader->room, sizeof(double));
		takers->squares[user] = 0;
		reader->enough = user >= reader->most ||
						 (user % USERS_LOOK == 0 && BudgetLeft(reader->budget) < reader->left);
	}
	takers->squares[user] += square;
}

/* What the last refresh counted: a column of the model's row. */
static uint64
count_of(const Model *model, const char *column)
{
	bool isnull;
	Datum count;

	if (PlanRun(psprintf("SELECT %s::pg_catalog.int8 FROM ONLY %s.model", column, model->quoted), 0,
				NULL, NULL, NULL) != 1)
		LearnedRefuse(model);
	count = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	SPI_freetuptable(SPI_tuptable);
	return isnull ? 0 : (uint64) Max(DatumGetInt64(count), 0);
}

uint64
TakersFew(const Model *model)
{
	return count_of(model, "users") / USERS_PART;
}

/* The items of any strength, by place; *users is how many users have each, in all. */
static uint32 *
items_of(const LearnedAll *learned, const double *strength, Budget *budget, uint32 *count,
		 uint64 *users)
{
	uint32 *place = BudgetAlloc(budget, learned->count, sizeof(uint32));

	*count = 0;
	*users = 0;
	for (uint32 n = 0; n < learned->count; n++)
		if (strength[n] != 0)
		{
			place[(*count)++] = n;
			*users += (uint64) Max(learned->users[n], 0);
		}
	return place;
}

/* Reads the users of some items. */
static void
read_users(const Model *model, const LearnedAll *learned, const uint32 *place, uint32 count,
		   bool by_item, Reader *reader)
{
	const char *select =
		psprintf("SELECT user_id::%s, item_id::%s FROM %s.events", IdTypeName(model->user_kind),
				 IdTypeName(model->item_kind), model->quoted);
	Oid type = IdArrayType(model->item_kind);
	Datum ids = by_item ? IdSetArrayOf(learned->ids, place, count) : (Datum) 0;

	PlanStreamSome(
		by_item ? psprintf("%s WHERE item_id OPERATOR(pg_catalog.=) ANY ($1)", select) : select,
		by_item ? 1 : 0, &type, &ids, take, reader, &reader->enough);
}

Takers *
TakersRead(const Model *model, const LearnedAll *learned, const double *strength, bool few,
		   Budget *budget)
{
	Reader reader = {
		.learned = learned, .strength = strength, .budget = budget, .most = UINT64_MAX};
	uint32 count;
	uint64 of_items;
	uint32 *place = items_of(learned, strength, budget, &count, &of_items);

	/* Many items have users in common: as many times more may be looked through as are wanted. */
	if ((few && of_items > count_of(model, "users")) || SourcesReadInFull(model) != NIL ||
		SourcesReadForItem(model) != NIL)
		return NULL;
	if (few)
		reader.most = TakersFew(model);
	reader.left = BudgetLeft(budget) / 4 * 3;
	reader.takers = BudgetZeroed(budget, 1, sizeof(Takers));
	reader.takers->users = IdSetCreate(model->user_kind, budget);
	know_squares(&reader, place, count);
	if (count > 0)
		read_users(model, learned, place, count,
				   of_items <= count_of(model, "events") / EVENTS_PART, &reader);
	BudgetFree(budget, place);
	if (!reader.enough)
		return reader.takers;
	IdSetFree(reader.takers->users);
	BudgetFree(budget, reader.takers->squares);
	return NULL;
}

/* A user by the most that can come of it. */
typedef struct Ordered
{
	double squares;
	uint32 user;
} Ordered;

#define ST_SORT         sort_users
#define ST_ELEMENT_TYPE Ordered
#define ST_COMPARE(a, b)                                                                           \
	((a)->squares != (b)->squares ? ((a)->squares > (b)->squares ? -1 : 1)                         \
	 : (a)->user < (b)->user      ? -1                                                             \
								  : (a)->user > (b)->user)
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

uint32 *
TakersOrder(const Takers *takers, Budget *budget)
{
	uint32 count = IdSetCount(takers->users);
	Ordered *ordered = BudgetAlloc(budget, count, sizeof(Ordered));
	uint32 *order = BudgetAlloc(budget, count, sizeof(uint32));

	for (uint32 n = 0; n < count; n++)
		ordered[n] = (Ordered){takers->squares[n], n};
	sort_users(ordered, count);
	for (uint32 n = 0; n < count; n++)
		order[n] = ordered[n].user;
	BudgetFree(budget, ordered);
	return order;
}
