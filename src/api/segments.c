/*
 * segments.c: reco_segments, reco_segment_members, reco_segment_of: a few groups of users, each with a taste.
 *
 * Groups are learned by learn/clusters from the shares of one attribute's values in what each user
 * chose, or from users' factors (api/crowd).  Nothing is stored: what tells a group is its centre, a
 * column of the answer, to be kept with the rest of it; given back as `keep` the next time, groups
 * that are still there have the numbers they had, and given to reco_segment_members it says who
 * belongs to which (api/centres).
 */
#include "api/centres.h"
#include "api/door.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

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

/* Adds what one user has to what the group has, and all: each item counts 1 in equal parts. */
static void
add_tastes(const Crowd *crowd, uint32 user, uint32 group, uint32 all, Tastes *tastes)
{
	const Traits *traits = crowd->traits;
	uint32 told = 0; /* items of which anything is said */

	for (uint64 n = crowd->first[user]; n < crowd->first[user + 1]; n++)
		told += traits->start[crowd->item[n] + 1] > traits->start[crowd->item[n]];
	for (uint64 n = crowd->first[user]; n < crowd->first[user + 1]; n++)
	{
		uint32 item = crowd->item[n];
		double values = (double) (traits->start[item + 1] - traits->start[item]);

		tastes->item[(uint64) group * traits->items + item]++;
		tastes->item[(uint64) all * traits->items + item]++;
		for (uint64 c = traits->start[item]; c < traits->start[item + 1]; c++)
		{
			double share = 1 / (values * told);

			tastes->value[(uint64) group * traits->traits + traits->trait[c]] += share;
			tastes->value[(uint64) all * traits->traits + traits->trait[c]] += share;
		}
	}
}

static Tastes
sum_tastes(const Crowd *crowd, const Clusters *clusters, Budget *budget)
{
	const Traits *traits = crowd->traits;
	uint32 all = clusters->count;
	Tastes tastes = {
		BudgetZeroed(budget, (uint64) (all + 1) * (traits->traits + 1), sizeof(double)),
		BudgetZeroed(budget, (uint64) (all + 1) * (traits->items + 1), sizeof(double))};

	for (uint32 u = 0; u < crowd->input.users; u++)
	{
		CHECK_FOR_INTERRUPTS();
		add_tastes(crowd, u, clusters->of[u], all, &tastes);
	}
	return tastes;
}

static Datum
texts(Datum *text, uint32 count)
{
	return PointerGetDatum(construct_array(text, (int) count, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
item_text(const Traits *traits, uint32 item)
{
	return IdAsType(IdSetDatum(traits->ids, traits->at[item]), IdSetKind(traits->ids), TEXTOID);
}

/* Puts out one group. */
static void
put_segment(DoorRows *rows, const Crowd *crowd, const Clusters *clusters, const Tastes *tastes,
			uint32 group, int32 number, Datum centre)
{
	const Traits *traits = crowd->traits;
	uint32 users = crowd->input.users;
	uint32 all = clusters->count;
	uint32 most = Max(traits->traits, traits->items);
	Told *told = palloc(sizeof(Told) * ((Size) most + 1));
	Datum text[TOLD];
	Datum values[lengthof(segment_types)];
	bool nulls[lengthof(segment_types)] = {0};
	uint32 count;

	values[0] = Int32GetDatum(number);
	values[1] = Int32GetDatum((int32) clusters->users[group]);
	values[2] = Float8GetDatum((double) clusters->users[group] / users);
	values[3] = Float8GetDatum(clusters->silhouette);
	values[4] = centre;
	count = rank_told(tastes->value + (uint64) group * traits->traits,
					  tastes->value + (uint64) all * traits->traits, traits->traits,
					  clusters->users[group], users, 0, told);
	for (uint32 n = 0; n < count; n++)
		text[n] = TraitText(traits, told[n].what);
	values[5] = texts(text, count);
	count = rank_told(tastes->item + (uint64) group * traits->items,
					  tastes->item + (uint64) all * traits->items, traits->items,
					  clusters->users[group], users, CLUSTERS_USERS / 4, told);
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
	Centres kept = {0};
	Crowd *crowd;
	Clusters *clusters;
	Tastes tastes;
	int32 *number;
	Datum *centre;

	if (!PG_ARGISNULL(1) && (k < 1 || k > CLUSTERS_MOST))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be from 1 to %d, not %d", CLUSTERS_MOST, k),
						errhint("NULL finds out how many there are.")));
	DoorEnter(model);
	crowd =
		CrowdRead(model, CrowdBy(model, DoorText(fcinfo, 2)), SHARES_LEARNED, (Datum) 0, budget);
	if (!PG_ARGISNULL(3))
		kept = CentresRead(crowd, PG_GETARG_DATUM(3), "keep", budget);
	clusters = ClustersLearn(&crowd->input, (uint32) k, budget);
	tastes = sum_tastes(crowd, clusters, budget);
	number = CentresNumber(crowd, clusters, &kept);
	centre = CentresWrite(crowd, clusters, budget);
	for (uint32 c = 0; c < clusters->count; c++)
		put_segment(&rows, crowd, clusters, &tastes, c, number[c], centre[c]);
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}

/* Puts out how much one user belongs to each group, and whose it is where the rows say so. */
static void
put_member(DoorRows *rows, const Crowd *crowd, uint32 user, const Centres *kept, double *apart,
		   double *membership, bool named)
{
	const ClustersInput *input = &crowd->input;
	uint64 begin = input->start[user];
	uint32 best = 0;

	ClustersDistances(kept->centre, kept->square, kept->count, input->values, input->value + begin,
					  input->root + begin, (uint32) (input->start[user + 1] - begin), apart);
	ClustersMembership(apart, kept->count, membership);
	for (uint32 c = 1; c < kept->count; c++)
		if (apart[c] < apart[best])
			best = c;
	for (uint32 c = 0; c < kept->count; c++)
	{
		bool nulls[lengthof(member_types)] = {0};
		Datum values[] = {named ? DoorUserOut(rows, IdSetDatum(crowd->ids, user)) : (Datum) 0,
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
	Crowd *crowd;
	Centres kept;
	double *apart;
	double *membership;

	if (PG_ARGISNULL(first))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("centres must not be NULL"),
				 errhint("They are what reco_segments says; of no segment '{}'.")));
	if (one && PG_ARGISNULL(0))
		return (Datum) 0;
	DoorEnter(model);
	crowd = CrowdRead(model, CrowdBy(model, DoorText(fcinfo, first + 2)),
					  one ? SHARES_ONE : SHARES_ALL, user, budget);
	kept = CentresRead(crowd, PG_GETARG_DATUM(first), "centres", budget);
	apart = BudgetAlloc(budget, (uint64) kept.count + 1, sizeof(double));
	membership = BudgetAlloc(budget, (uint64) kept.count + 1, sizeof(double));
	for (uint32 u = 0; u < crowd->input.users && kept.count > 0; u++)
	{
		CHECK_FOR_INTERRUPTS();
		put_member(&rows, crowd, u, &kept, apart, membership, !one);
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
