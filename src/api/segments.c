/*
 * segments.c: reco_segments, reco_segment_members, reco_segment_of: a few groups of users, each with a taste.
 *
 * Groups are learned by learn/clusters from the shares of one attribute's values in what each user
 * chose.  Nothing is stored: what tells a group is its centre, a column of the answer, to be kept
 * with the rest of it; given back as `keep` the next time, groups that are still there have the
 * numbers they had, and given to reco_segment_members it says who belongs to which.
 */
#include "api/door.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/shares.h"
#include "executor/spi.h"
#include "learn/clusters.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(reco_segments);
PG_FUNCTION_INFO_V1(reco_segment_members);
PG_FUNCTION_INFO_V1(reco_segment_of);

static const Oid segment_types[] = {INT4OID,  INT4OID,      FLOAT8OID,   FLOAT8OID,
									JSONBOID, TEXTARRAYOID, TEXTARRAYOID};
static const Oid member_types[] = {DOOR_USER, INT4OID, FLOAT8OID, BOOLOID};

/* So many values and items tell what a group goes for. */
#define TOLD 5

/* Users who are like everybody that a group is thought to have besides. */
#define PRIOR 10

/* A group is the one it was where its centre has moved by no more than this, of sqrt(2) at most. */
#define SAME 0.5

/* Centres as somebody kept them, over the values there are now. */
typedef struct Kept
{
	uint32 count;
	int32 *number;
	double *centre; /* [count][values] */
	double *square; /* [count], of the length of each */
} Kept;

static void
refuse_centres(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s must be an object of segments and their centres", what),
					errhint("Such as SELECT jsonb_object_agg(segment, centre) FROM my_segments.")));
}

/* The attribute that groups are told by: an argument, or the setting category. */
static List *
attribute_argument(FunctionCallInfo fcinfo, int argument, const Model *model)
{
	char *name = DoorText(fcinfo, argument);

	if (name == NULL)
		name = model->settings.category;
	if (name == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("nobody said by which attribute segments are to be told"),
						errhint("Name a column of the items query as \"by\", or in the setting "
								"\"category\".")));
	ValuesCheck(model, name, "by");
	return list_make1(name);
}

/* The number that a key of an object names a group by, from 1 on. */
static int32
number_of(const JsonbValue *key, const char *what)
{
	char *text = pnstrdup(key->val.string.val, key->val.string.len);
	char *end;
	long number = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || number < 1 || number > PG_INT32_MAX)
		refuse_centres(what);
	return (int32) number;
}

/* Reads one centre, an object of values and numbers. */
static void
read_centre(JsonbIterator **walk, const Traits *traits, double *centre, const char *what)
{
	JsonbIteratorToken token;
	JsonbValue part;

	if (JsonbIteratorNext(walk, &part, false) != WJB_BEGIN_OBJECT)
		refuse_centres(what);
	while ((token = JsonbIteratorNext(walk, &part, false)) == WJB_KEY)
	{
		uint32 trait = TraitFind(
			traits, 0,
			PointerGetDatum(cstring_to_text_with_len(part.val.string.val, part.val.string.len)));
		double number;

		if (JsonbIteratorNext(walk, &part, false) != WJB_VALUE || part.type != jbvNumeric)
			refuse_centres(what);
		number = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(part.val.numeric)));
		if (!(number >= 0 && number <= 1))
			refuse_centres(what);
		if (trait != ID_NONE)
			centre[trait] = number;
	}
}

/* Centres of an argument that is not NULL. */
static Kept
kept_argument(FunctionCallInfo fcinfo, int argument, const Traits *traits, const char *what,
			  Budget *budget)
{
	Jsonb *object = PG_GETARG_JSONB_P(argument);
	Kept kept = {0};
	JsonbIterator *walk;
	JsonbValue part;

	if (!JB_ROOT_IS_OBJECT(object) || JB_ROOT_COUNT(object) > 1000)
		refuse_centres(what);
	kept.number = BudgetAlloc(budget, JB_ROOT_COUNT(object) + 1, sizeof(int32));
	kept.centre = BudgetZeroed(budget, (uint64) (JB_ROOT_COUNT(object) + 1) * (traits->traits + 1),
							   sizeof(double));
	walk = JsonbIteratorInit(&object->root);
	JsonbIteratorNext(&walk, &part, false);
	while (JsonbIteratorNext(&walk, &part, false) == WJB_KEY)
	{
		kept.number[kept.count] = number_of(&part, what);
		read_centre(&walk, traits, kept.centre + (uint64) kept.count * traits->traits, what);
		kept.count++;
	}
	kept.square = BudgetAlloc(budget, (uint64) kept.count + 1, sizeof(double));
	ClustersSquares(kept.centre, kept.count, traits->traits, kept.square);
	return kept;
}

static double
distance(const double *a, const double *b, uint32 values)
{
	double sum = 0;

	for (uint32 v = 0; v < values; v++)
		sum += (a[v] - b[v]) * (a[v] - b[v]);
	return sqrt(sum);
}

/* The place of the group that has most users and no number yet. */
static uint32
largest(const Clusters *clusters, const int32 *number)
{
	uint32 best = clusters->count;

	for (uint32 c = 0; c < clusters->count; c++)
		if (number[c] == 0 &&
			(best == clusters->count || clusters->users[c] > clusters->users[best]))
			best = c;
	return best;
}

/*
 * The number of each group: of two centres, one now and one kept, that are nearest to each other the
 * one has the other's, and so on; what is new is numbered on from the greatest there ever was, the
 * largest first.
 */
static int32 *
number_groups(const Clusters *clusters, const Kept *kept, uint32 values)
{
	int32 *number = palloc0(sizeof(int32) * (clusters->count + 1));
	bool *taken = palloc0(sizeof(bool) * (kept->count + 1));
	int32 next = 0;

	for (uint32 k = 0; k < kept->count; k++)
		next = Max(next, kept->number[k]);
	for (;;)
	{
		double least = SAME;
		uint32 group = 0;
		uint32 old = kept->count;

		for (uint32 c = 0; c < clusters->count; c++)
			for (uint32 k = 0; k < kept->count; k++)
			{
				double apart;

				if (number[c] != 0 || taken[k])
					continue;
				apart = distance(clusters->centre + (uint64) c * values,
								 kept->centre + (uint64) k * values, values);
				if (apart > least)
					continue;
				least = apart;
				group = c;
				old = k;
			}
		if (old == kept->count)
			break;
		number[group] = kept->number[old];
		taken[old] = true;
	}
	for (uint32 c = largest(clusters, number); c < clusters->count; c = largest(clusters, number))
		number[c] = ++next;
	return number;
}

/* Something that a group may go for. */
typedef struct Told
{
	uint32 what;
	double worth;
} Told;

static int
best_first(const void *a, const void *b)
{
	const Told *x = a;
	const Told *y = b;

	if (x->worth != y->worth)
		return x->worth > y->worth ? -1 : 1;
	return x->what < y->what ? -1 : x->what > y->what;
}

/*
 * Orders what is counted by share * ln(lift) in a group: what many of it have, and more than others.
 * Returns how many are worth being told, TOLD at most.
 */
static uint32
rank_told(const double *in_group, const double *in_all, uint32 count, double group, double all,
		  double least, Told *told)
{
	uint32 found = 0;

	for (uint32 n = 0; n < count; n++)
	{
		double usual = in_all[n] / all;
		double lift = (in_group[n] + PRIOR * usual) / (group + PRIOR) / usual;

		if (in_group[n] >= least && in_group[n] > 0 && lift > 1)
			told[found++] = (Told){n, in_group[n] / group * log(lift)};
	}
	qsort(told, found, sizeof(Told), best_first);
	return Min(found, TOLD);
}

/* What users of each group have, and all: of values the sum of shares, of items the users. */
typedef struct Tastes
{
	double *value; /* [count + 1][traits], all in the last */
	double *item;  /* [count + 1][items] */
} Tastes;

static Tastes
sum_tastes(const Shares *shares, const Traits *traits, const Clusters *clusters, Budget *budget)
{
	uint32 all = clusters->count;
	Tastes tastes = {
		BudgetZeroed(budget, (uint64) (all + 1) * (traits->traits + 1), sizeof(double)),
		BudgetZeroed(budget, (uint64) (all + 1) * (traits->items + 1), sizeof(double))};

	for (uint32 u = 0; u < shares->users; u++)
	{
		uint32 group = clusters->of[u];

		CHECK_FOR_INTERRUPTS();
		for (uint64 n = shares->start[u]; n < shares->start[u + 1]; n++)
		{
			double share = (double) shares->root[n] * shares->root[n];

			tastes.value[(uint64) group * traits->traits + shares->trait[n]] += share;
			tastes.value[(uint64) all * traits->traits + shares->trait[n]] += share;
		}
		for (uint64 n = shares->first[u]; n < shares->first[u + 1]; n++)
		{
			tastes.item[(uint64) group * traits->items + shares->item[n]]++;
			tastes.item[(uint64) all * traits->items + shares->item[n]]++;
		}
	}
	return tastes;
}

static Datum
texts(Datum *text, uint32 count)
{
	return PointerGetDatum(construct_array(text, (int) count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* The id of an item as text. */
static Datum
item_text(const Traits *traits, uint32 item)
{
	Datum id = IdSetDatum(traits->ids, traits->at[item]);

	switch (IdSetKind(traits->ids))
	{
		case ID_INTEGER:
			return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(int8out, id)));
		case ID_UUID:
			return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(uuid_out, id)));
		default:
			return id;
	}
}

/* A centre as an object of values and numbers. */
static Datum
centre_json(const Traits *traits, const double *centre)
{
	StringInfoData json;
	bool first = true;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (uint32 t = 0; t < traits->traits; t++)
	{
		if (!(centre[t] >= 1e-6))
			continue;
		appendStringInfoString(&json, first ? "" : ", ");
		escape_json(&json, TextDatumGetCString(TraitText(traits, t)));
		appendStringInfo(&json, ": %.6f", centre[t]);
		first = false;
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* Puts out one group. */
static void
put_segment(DoorRows *rows, const Traits *traits, const Shares *shares, const Clusters *clusters,
			const Tastes *tastes, uint32 group, int32 number)
{
	uint32 all = clusters->count;
	uint32 most = Max(traits->traits, traits->items);
	Told *told = palloc(sizeof(Told) * ((Size) most + 1));
	Datum text[TOLD];
	Datum values[lengthof(segment_types)];
	bool nulls[lengthof(segment_types)] = {0};
	uint32 count;

	values[0] = Int32GetDatum(number);
	values[1] = Int32GetDatum((int32) clusters->users[group]);
	values[2] = Float8GetDatum((double) clusters->users[group] / shares->users);
	values[3] = Float8GetDatum(clusters->silhouette);
	values[4] = centre_json(traits, clusters->centre + (uint64) group * traits->traits);
	count = rank_told(tastes->value + (uint64) group * traits->traits,
					  tastes->value + (uint64) all * traits->traits, traits->traits,
					  clusters->users[group], shares->users, 0, told);
	for (uint32 n = 0; n < count; n++)
		text[n] = TraitText(traits, told[n].what);
	values[5] = texts(text, count);
	count = rank_told(tastes->item + (uint64) group * traits->items,
					  tastes->item + (uint64) all * traits->items, traits->items,
					  clusters->users[group], shares->users, CLUSTERS_USERS / 4, told);
	for (uint32 n = 0; n < count; n++)
		text[n] = item_text(traits, told[n].what);
	values[6] = texts(text, count);
	DoorPut(rows, values, nulls);
	pfree(told);
}

/* reco_segments(model, k, by, keep) */
Datum
reco_segments(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 0);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "segments", BudgetMaintenance());
	DoorRows rows = DoorOpen(fcinfo, model, segment_types, lengthof(segment_types), true);
	int32 k = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);
	Kept kept = {0};
	Traits *traits;
	Shares *shares;
	ClustersInput input;
	Clusters *clusters;
	Tastes tastes;
	int32 *number;

	if (!PG_ARGISNULL(1) && (k < 1 || k > CLUSTERS_MOST))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be from 1 to %d, not %d", CLUSTERS_MOST, k),
						errhint("NULL finds out how many there are.")));
	DoorEnter(model);
	traits = TraitsRead(model, attribute_argument(fcinfo, 2, model), budget);
	if (!PG_ARGISNULL(3))
		kept = kept_argument(fcinfo, 3, traits, "keep", budget);
	shares = SharesRead(model, traits, SHARES_LEARNED, (Datum) 0, budget);
	input =
		(ClustersInput){shares->users, traits->traits, shares->start, shares->trait, shares->root};
	clusters = ClustersLearn(&input, (uint32) k, budget);
	tastes = sum_tastes(shares, traits, clusters, budget);
	number = number_groups(clusters, &kept, traits->traits);
	for (uint32 c = 0; c < clusters->count; c++)
		put_segment(&rows, traits, shares, clusters, &tastes, c, number[c]);
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}

/* Puts out how much one user belongs to each group, and whose it is where the rows say so. */
static void
put_member(DoorRows *rows, const Traits *traits, const Shares *shares, uint32 user,
		   const Kept *kept, double *apart, double *membership, bool named)
{
	uint32 best = 0;

	ClustersDistances(kept->centre, kept->square, kept->count, traits->traits,
					  shares->trait + shares->start[user], shares->root + shares->start[user],
					  (uint32) (shares->start[user + 1] - shares->start[user]), apart);
	ClustersMembership(apart, kept->count, membership);
	for (uint32 c = 1; c < kept->count; c++)
		if (apart[c] < apart[best])
			best = c;
	for (uint32 c = 0; c < kept->count; c++)
	{
		bool nulls[lengthof(member_types)] = {0};
		Datum values[] = {named ? DoorUserOut(rows, IdSetDatum(shares->ids, user)) : (Datum) 0,
						  Int32GetDatum(kept->number[c]), Float8GetDatum(membership[c]),
						  BoolGetDatum(c == best)};

		DoorPut(rows, values + !named, nulls);
	}
}

/* Answers (centres, model, by), which begin at an argument, for one user or for all. */
static Datum
belong(FunctionCallInfo fcinfo, int first, bool one)
{
	Model *model = DoorModel(fcinfo, first + 1);
	Datum user = one ? DoorUser(fcinfo, 0, model) : (Datum) 0;
	Budget *budget = BudgetCreate(CurrentMemoryContext, "segments", BudgetMaintenance());
	DoorRows rows = DoorOpen(fcinfo, model, member_types + one, lengthof(member_types) - one, !one);
	Traits *traits;
	Shares *shares;
	Kept kept;
	double *apart;
	double *membership;

	if (PG_ARGISNULL(first))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("centres must not be NULL")));
	if (one && PG_ARGISNULL(0))
		return (Datum) 0;
	DoorEnter(model);
	traits = TraitsRead(model, attribute_argument(fcinfo, first + 2, model), budget);
	kept = kept_argument(fcinfo, first, traits, "centres", budget);
	shares = SharesRead(model, traits, one ? SHARES_ONE : SHARES_ALL, user, budget);
	apart = BudgetAlloc(budget, (uint64) kept.count + 1, sizeof(double));
	membership = BudgetAlloc(budget, (uint64) kept.count + 1, sizeof(double));
	for (uint32 u = 0; u < shares->users && kept.count > 0; u++)
	{
		CHECK_FOR_INTERRUPTS();
		put_member(&rows, traits, shares, u, &kept, apart, membership, !one);
	}
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}

/* reco_segment_members(centres, model, by) */
Datum
reco_segment_members(PG_FUNCTION_ARGS)
{
	return belong(fcinfo, 0, false);
}

/* reco_segment_of(user_id, centres, model, by) */
Datum
reco_segment_of(PG_FUNCTION_ARGS)
{
	return belong(fcinfo, 1, true);
}
