/*
 * wrapping.c: events read once, put on piles by user, and told user by user.
 *
 * A story is told beside everybody: how many events each user has, and how many users an item, must
 * be known before the first.  So the piles are gone through twice: the first time events are
 * counted, and put on other piles by the place of their user in the order of ids; the second time
 * stories are told in that order.  Piles that outgrow their memory go to tape.
 */
#include "data/wrapping.h"

#include <math.h>

#include "base/piles.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "data/columns.h"
#include "data/plan.h"
#include "data/template.h"
#include "data/unfinished.h"
#include "math/sparse.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* 2^so many piles; fewer where the memory would not do for the buffers of as many tapes. */
#define PILE_BITS_MOST  9
#define PILE_BITS_LEAST 3
#define PILE_MEMORY     (3 * BLCKSZ)

/* The stories while they are read, counted and told. */
typedef struct Wrapping
{
	const Model *model;
	const WrappingAsk *ask;
	Budget *budget;
	IdSet *users;
	IdSet *items;
	uint32 last_user;
	uint32 piles;
	Piles *by_hash;
	Piles *by_rank;
	uint32 *user_rank;
	uint32 *n;      /* events of each user in the stretch */
	uint32 *sorted; /* of those who have some, rising */
	StoryAbout about;
	Size memory; /* for each of the piles */
} Wrapping;

static const char *const reading =
	"SELECT e.user_id::{user}, e.item_id::{item}, {at}, {number} "
	"FROM {model}.events e WHERE {counts} AND {weight} > 0 AND {at} < $1";

/* The categories of items, each once. */
static const char *const labels =
	"SELECT d.item_id, d.category FROM (SELECT DISTINCT i.item_id::{item} AS item_id, {values} AS category"
	" FROM {model}.items i) d WHERE d.item_id IS NOT NULL AND d.category IS NOT NULL";

static const char *const titles =
	"SELECT i.item_id::{item}, min({title}) FROM {model}.items i WHERE i.item_id IS NOT NULL"
	" GROUP BY 1";

/* An attribute of the items as text: one a row where it is an array of values. */
static const char *
text_of(const Model *model, const char *name)
{
	const char *column = psprintf("i.%s", quote_identifier(name));
	Oid type = ColumnNeeded(model, "items", name);

	return OidIsValid(get_base_element_type(type))
			   ? psprintf("unnest(%s)", ColumnTexts(column, type))
			   : ColumnText(column, type);
}

/* The same of what an item is called, arrays as they are written. */
static const char *
title_of(const Model *model, const char *name)
{
	return ColumnText(psprintf("i.%s", quote_identifier(name)), ColumnNeeded(model, "items", name));
}

/* When the stretch before begins: as long before as this one lasts, or as there are times. */
static TimestampTz
begin_before(const WrappingAsk *ask)
{
	TimestampTz length;
	TimestampTz begin;

	if (pg_sub_s64_overflow(ask->until, ask->since, &length) ||
		pg_sub_s64_overflow(ask->since, length, &begin) || !IS_VALID_TIMESTAMP(begin))
		return MIN_TIMESTAMP;
	return begin;
}

/* A statement, with what models and questions put into it. */
static char *
statement(const Wrapping *wrapping, const char *template)
{
	enum
	{
		OWN_WORDS = 4
	};
	const Model *model = wrapping->model;
	const WrappingAsk *ask = wrapping->ask;
	TemplateWord words[UNFINISHED_WORDS + OWN_WORDS + 1] = {{NULL, NULL}};
	TemplateWord *own = words + UNFINISHED_WORDS;
	const char *number = "1::float8";

	/* A real has six digits, and what it has more as a double nobody wrote. */
	if (OidIsValid(model->weight_type))
		number = getBaseType(model->weight_type) == FLOAT4OID ? "e.weight::numeric::float8"
															  : "e.weight::float8";

	UnfinishedWords(model, UnfinishedNothing(), words);
	own[0] = (TemplateWord){"{user}", IdTypeName(model->user_kind)};
	own[1] = (TemplateWord){"{number}", number};
	own[2] = (TemplateWord){"{values}", ask->category ? text_of(model, ask->category) : ""};
	own[3] = (TemplateWord){"{title}", ask->title ? title_of(model, ask->title) : ""};
	return TemplateFill(template, words);
}

/* True where weights are whole numbers, of which sums have no more digits than there are. */
static bool
are_whole(const Model *model)
{
	Oid type = OidIsValid(model->weight_type) ? getBaseType(model->weight_type) : INT4OID;

	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* The number of the user of a row, who is mostly that of the row before. */
static uint32
user_of_row(Wrapping *wrapping, Datum user)
{
	if (wrapping->model->user_kind != ID_INTEGER || wrapping->last_user == ID_NONE ||
		IdSetDatum(wrapping->users, wrapping->last_user) != user)
		wrapping->last_user = IdSetAdd(wrapping->users, user);
	return wrapping->last_user;
}

static void
take_event(TupleTableSlot *row, void *with)
{
	Wrapping *wrapping = with;
	StoryEvent event = {.at = DatumGetTimestampTz(row->tts_values[2]),
						.weight = DatumGetFloat8(row->tts_values[3])};

	CHECK_FOR_INTERRUPTS();
	event.user = user_of_row(wrapping, row->tts_values[0]);
	event.item = IdSetAdd(wrapping->items, row->tts_values[1]);
	memcpy(PilesPlace(wrapping->by_hash, event.user % wrapping->piles, sizeof(event)), &event,
		   sizeof(event));
}

/* Reads all events before the end of the stretch. */
static void
read_events(Wrapping *wrapping)
{
	static const Oid type = TIMESTAMPTZOID;
	Datum until = TimestampTzGetDatum(wrapping->ask->until);

	wrapping->by_hash = PilesCreate(wrapping->piles, 1, wrapping->memory, wrapping->budget);
	PlanStream(statement(wrapping, reading), 1, &type, &until, take_event, wrapping);
	ModelNeedsName(wrapping->model);
	PilesEnd(wrapping->by_hash);
}

/* The events of a pile. */
static StoryEvent *
take_pile(const Wrapping *wrapping, Piles *piles, uint32 pile, uint64 *count)
{
	StoryEvent *events;

	*count = PilesBytes(piles, pile) / sizeof(StoryEvent);
	events = BudgetAlloc(wrapping->budget, *count, sizeof(StoryEvent));
	PilesTake(piles, pile, events);
	return events;
}

static int
by_user_and_item(const void *a, const void *b, void *unused)
{
	const StoryEvent *x = a;
	const StoryEvent *y = b;

	if (x->user != y->user)
		return x->user < y->user ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* Counts the events of one user, which are in order of item, and those who have an item. */
static void
count_user(Wrapping *wrapping, const StoryEvent *events, uint64 count)
{
	uint32 now = 0;

	for (uint64 e = 0; e < count;)
	{
		uint32 item = events[e].item;
		uint32 of_item = 0;

		for (; e < count && events[e].item == item; e++)
			of_item += StoryIsNow(&wrapping->about, &events[e]);
		wrapping->about.items.users[item] += of_item > 0;
		now += of_item;
	}
	wrapping->n[events->user] = now;
	if (now > 0)
		wrapping->sorted[wrapping->about.users++] = now;
}

/* Puts the events of a user whose story is wanted on the pile of their place. */
static void
pass_on(Wrapping *wrapping, uint32 asked, const StoryEvent *events, uint64 count)
{
	uint32 user = events->user;
	uint64 pile =
		(uint64) wrapping->user_rank[user] * wrapping->piles / IdSetCount(wrapping->users);

	if (wrapping->n[user] > 0 && (wrapping->ask->everybody || user == asked))
		PilesWrite(wrapping->by_rank, (uint32) pile, events, sizeof(StoryEvent) * count);
}

static int
rising(const void *a, const void *b, void *unused)
{
	uint32 x = *(const uint32 *) a;
	uint32 y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

/* Goes through the events for the first time. */
static void
count_events(Wrapping *wrapping)
{
	uint32 asked =
		wrapping->ask->everybody ? ID_NONE : IdSetFind(wrapping->users, wrapping->ask->user);
	uint64 users = IdSetCount(wrapping->users);

	wrapping->user_rank = IdSetRanks(wrapping->users);
	wrapping->n = BudgetZeroed(wrapping->budget, users + 1, sizeof(uint32));
	wrapping->sorted = BudgetZeroed(wrapping->budget, users + 1, sizeof(uint32));
	wrapping->about.items.users =
		BudgetZeroed(wrapping->budget, (uint64) IdSetCount(wrapping->items) + 1, sizeof(uint32));
	wrapping->by_rank = PilesCreate(wrapping->piles, 1, wrapping->memory, wrapping->budget);
	for (uint32 pile = 0; pile < wrapping->piles; pile++)
	{
		uint64 count;
		StoryEvent *events = take_pile(wrapping, wrapping->by_hash, pile, &count);

		qsort_interruptible(events, count, sizeof(StoryEvent), by_user_and_item, NULL);
		for (uint64 begin = 0, end; begin < count; begin = end)
		{
			CHECK_FOR_INTERRUPTS();
			for (end = begin; end < count && events[end].user == events[begin].user; end++)
				;
			count_user(wrapping, events + begin, end - begin);
			pass_on(wrapping, asked, events + begin, end - begin);
		}
		BudgetFree(wrapping->budget, events);
	}
	PilesEnd(wrapping->by_rank);
	PilesFree(wrapping->by_hash);
	qsort_interruptible(wrapping->sorted, wrapping->about.users, sizeof(uint32), rising, NULL);
}

/* A category of an item, as they come. */
typedef struct Label
{
	uint32 item;
	uint32 category;
} Label;

typedef struct Labels
{
	const Wrapping *wrapping;
	IdSet *categories;
	Label *label;
	uint64 count;
	uint64 room;
} Labels;

static void
take_label(TupleTableSlot *row, void *with)
{
	Labels *all = with;
	uint32 item = IdSetFind(all->wrapping->items, row->tts_values[0]);

	CHECK_FOR_INTERRUPTS();
	if (item == ID_NONE)
		return;
	if (all->count == all->room)
	{
		all->room = Max(1024, 2 * all->room);
		all->label = BudgetResize(all->wrapping->budget, all->label, all->room, sizeof(Label));
	}
	all->label[all->count++] = (Label){item, IdSetAdd(all->categories, row->tts_values[1])};
}

/* Reads the categories of the items there are. */
static void
read_categories(Wrapping *wrapping)
{
	StoryItems *items = &wrapping->about.items;
	uint32 count = IdSetCount(wrapping->items);
	Labels all = {.wrapping = wrapping, .categories = IdSetCreate(ID_TEXT, wrapping->budget)};
	uint64 *next;

	PlanStream(statement(wrapping, labels), 0, NULL, NULL, take_label, &all);
	items->categories = all.categories;
	items->category_rank = IdSetRanks(all.categories);
	items->start = BudgetZeroed(wrapping->budget, (uint64) count + 2, sizeof(uint64));
	items->category = BudgetAlloc(wrapping->budget, all.count + 1, sizeof(uint32));
	/* Where the next of each goes, and in the end where they end. */
	next = items->start + 1;
	for (uint64 l = 0; l < all.count; l++)
		next[all.label[l].item]++;
	SparseOffsets(next, count);
	for (uint64 l = 0; l < all.count; l++)
		items->category[next[all.label[l].item]++] = all.label[l].category;
	BudgetFree(wrapping->budget, all.label);
}

static void
take_title(TupleTableSlot *row, void *with)
{
	Wrapping *wrapping = with;
	uint32 item = IdSetFind(wrapping->items, row->tts_values[0]);
	const text *title;
	Size length;
	char *copy;

	if (item == ID_NONE || row->tts_isnull[1])
		return;
	title = DatumGetTextPP(row->tts_values[1]);
	length = VARSIZE_ANY_EXHDR(title);
	copy = BudgetAlloc(wrapping->budget, length + 1, 1);
	memcpy(copy, VARDATA_ANY(title), length);
	copy[length] = '\0';
	wrapping->about.items.title[item] = copy;
}

/* Reads what the catalogue says of the items there are. */
static void
read_items(Wrapping *wrapping)
{
	StoryItems *items = &wrapping->about.items;

	items->ids = wrapping->items;
	items->rank = IdSetRanks(wrapping->items);
	if (wrapping->ask->category)
		read_categories(wrapping);
	if (wrapping->ask->title == NULL)
		return;
	items->title =
		BudgetZeroed(wrapping->budget, (uint64) IdSetCount(wrapping->items) + 1, sizeof(char *));
	PlanStream(statement(wrapping, titles), 0, NULL, NULL, take_title, wrapping);
}

/* The share of the others who have fewer events, NaN where there are none. */
static double
percentile(const Wrapping *wrapping, uint32 n)
{
	uint32 least = 0;
	uint32 most = wrapping->about.users;

	while (least < most)
	{
		uint32 middle = least + (most - least) / 2;

		if (wrapping->sorted[middle] < n)
			least = middle + 1;
		else
			most = middle;
	}
	return wrapping->about.users > 1 ? least / (wrapping->about.users - 1.0) : NAN;
}

static int
by_rank(const void *a, const void *b, void *ranks)
{
	const uint32 *rank = ranks;
	uint32 x = rank[((const StoryEvent *) a)->user];
	uint32 y = rank[((const StoryEvent *) b)->user];

	return x < y ? -1 : x > y;
}

/* Goes through the events for the second time. */
static void
tell(const Wrapping *wrapping, WrappingTake take, void *with)
{
	MemoryContext story =
		AllocSetContextCreate(CurrentMemoryContext, "reco story", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(story);

	for (uint32 pile = 0; pile < wrapping->piles; pile++)
	{
		uint64 count;
		StoryEvent *events = take_pile(wrapping, wrapping->by_rank, pile, &count);

		qsort_interruptible(events, count, sizeof(StoryEvent), by_rank, wrapping->user_rank);
		for (uint64 begin = 0, end; begin < count; begin = end)
		{
			uint32 user = events[begin].user;
			StoryFact *fact;
			uint32 facts;

			CHECK_FOR_INTERRUPTS();
			for (end = begin; end < count && events[end].user == user; end++)
				;
			if (end - begin > UINT32_MAX / 2)
				ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
								errmsg("a history has too many events")));
			fact = StoryTell(&wrapping->about, events + begin, (uint32) (end - begin),
							 percentile(wrapping, wrapping->n[user]), &facts);
			take(IdSetDatum(wrapping->users, user), wrapping->items, fact, facts, with);
			MemoryContextReset(story);
		}
		BudgetFree(wrapping->budget, events);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(story);
}

void
WrappingRun(const Model *model, const WrappingAsk *ask, WrappingTake take, void *with)
{
	Wrapping wrapping = {.model = model, .ask = ask, .last_user = ID_NONE};
	uint32 bits = PILE_BITS_MOST;
	Size left;

	wrapping.budget =
		BudgetCreate(CurrentMemoryContext, psprintf("stories of model \"%s\"", model->name),
					 BudgetMaintenance());
	left = BudgetLeft(wrapping.budget);
	while (bits > PILE_BITS_LEAST && (Size) PILE_MEMORY << bits > left / 4)
		bits--;
	wrapping.piles = 1 << bits;
	wrapping.memory = left / 8 * 3;
	wrapping.users = IdSetCreate(model->user_kind, wrapping.budget);
	wrapping.items = IdSetCreate(model->item_kind, wrapping.budget);
	wrapping.about = (StoryAbout){.before = begin_before(ask),
								  .since = ask->since,
								  .zone = ClockZone(ask->zone),
								  .k = (uint32) ask->k,
								  .whole = are_whole(model)};
	read_events(&wrapping);
	count_events(&wrapping);
	if (wrapping.about.users > 0)
	{
		read_items(&wrapping);
		tell(&wrapping, take, with);
	}
	PilesFree(wrapping.by_rank);
	BudgetDestroy(wrapping.budget);
}
