#include "api/holdout.h"

#include "api/arguments.h"
#include "data/events.h"
#include "data/histories.h"
#include "executor/spi.h"
#include "learn/mixing.h"
#include "utils/timestamp.h"

/* The share of the events that a split in time keeps back. */
#define SHARE 0.2

/* What splits are called in SQL, in the order of InteractionSplit. */
static const char *const splits[SPLITS] = {
	[SPLIT_USERS] = "users",
	[SPLIT_TIME] = "time",
	[SPLIT_LAST] = "leave_last_out",
};

/* The length of lists; unlike that of an answer it has to be said. */
static uint32
k_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument) || PG_GETARG_INT32(argument) < 1 ||
		PG_GETARG_INT32(argument) > DOOR_K_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be from 1 to %d", DOOR_K_MAX),
						errhint("It is the length of the lists to measure.")));
	return (uint32) PG_GETARG_INT32(argument);
}

/* The split of an argument; by default in time, where events have times. */
static InteractionSplit
split_argument(FunctionCallInfo fcinfo, int argument, const Model *model)
{
	const char *word = DoorText(fcinfo, argument);
	bool timed = OidIsValid(model->time_type);
	InteractionSplit split = timed ? SPLIT_TIME : SPLIT_USERS;

	if (word == NULL)
		return split;
	for (split = 0; split < SPLITS && strcmp(word, splits[split]) != 0;)
		split++;
	if (split == SPLITS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"split\": \"%s\"", word),
						errhint("Available values: time, leave_last_out, users.")));
	if (split != SPLIT_USERS && !timed)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the events of model \"%s\" have no times to split by", model->name),
						errhint("Add a column occurred_at to the view %s.events, or use split => "
								"'users'.",
								model->quoted)));
	return split;
}

/* The share of the events that a split in time keeps back; no other split takes one. */
static double
share_argument(FunctionCallInfo fcinfo, int argument, InteractionSplit split)
{
	double share = SHARE;

	if (PG_ARGISNULL(argument))
		return share;
	share = PG_GETARG_FLOAT8(argument);
	if (!(share > 0 && share < 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("holdout must be more than 0 and less than 1, not %g", share),
						errhint("It is the share of the events, the newest, to measure on.")));
	if (split != SPLIT_TIME)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("holdout does not go with split \"%s\"", splits[split]),
						errhint("It is the share of the events, the newest, that a split in time "
								"measures on.")));
	return share;
}

Holdout
HoldoutArguments(FunctionCallInfo fcinfo, int first, const Model *model)
{
	Holdout holdout = {
		.k = k_argument(fcinfo, first),
		.split = split_argument(fcinfo, first + 1, model),
		.repeats = !PG_ARGISNULL(first + 3) && !PG_GETARG_BOOL(first + 3),
	};

	holdout.share = share_argument(fcinfo, first + 2, holdout.split);
	if (holdout.split == SPLIT_USERS && holdout.repeats)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("repeats can only be measured with a split in time"),
						errhint("Use split => 'time' or 'leave_last_out'.")));
	return holdout;
}

/* The cells of a matrix that kept its users, while they are flagged. */
typedef struct Flagging
{
	const Model *model;
	const Interactions *matrix;
	uint32 *place; /* of each item of the log, in matrix order */
	unsigned char *flag;
} Flagging;

/* Flags the cell of a row and an item, if there is one. */
static void
flag_cell(Flagging *flagging, uint32 row, uint32 item)
{
	const Sparse *by_user = &flagging->matrix->by_user;
	uint64 low = by_user->start[row];
	uint64 high = by_user->start[row + 1];

	while (low < high)
	{
		uint64 middle = low + (high - low) / 2;

		if (by_user->column[middle] < item)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < by_user->start[row + 1] && by_user->column[low] == item)
		flagging->flag[low] = 1;
}

/* Flags what a user's history keeps out. */
static void
flag_user(Datum user, History *history, void *with)
{
	Flagging *flagging = with;
	const Interactions *matrix = flagging->matrix;
	uint32 row = InteractionsUser(matrix, IdHash(flagging->model->user_kind, user));

	for (uint32 n = 0; row < matrix->by_user.rows && n < history->count; n++)
		if (history->item[n].seen && history->item[n].id < matrix->by_user.columns)
			flag_cell(flagging, row, flagging->place[history->item[n].id]);
}

/*
 * What the policy keeps out of each list, from the histories themselves: as they were when what is
 * kept back of the matrix begins.  All users of a split in time are in one order, by rising hash.
 */
static const unsigned char *
flag_kept_out(const Holdout *holdout, const Model *model, const Events *events,
			  Interactions *matrix, Budget *budget)
{
	const Sparse *by_user = &matrix->by_user;
	HistoriesWanted wanted = {.as_of = holdout->now, .parts = 1};
	Flagging flagging = {
		.model = model,
		.matrix = matrix,
		.place = BudgetAlloc(budget, by_user->columns, sizeof(uint32)),
		.flag = BudgetZeroed(budget, by_user->start[by_user->rows], sizeof(unsigned char))};

	if (holdout->split == SPLIT_TIME)
		wanted.as_of = holdout->until;
	else
		wanted.before_last = true;
	for (uint32 i = 0; i < by_user->columns; i++)
		flagging.place[matrix->item[i]] = i;
	HistoriesRead(model, &wanted, events->items, budget, flag_user, &flagging);
	BudgetFree(budget, flagging.place);
	return flagging.flag;
}

/*
 * The last moment before a line in time; beyond it is at least the newest second of all, whatever share it
 * has.
 */
static TimestampTz
until_line(const Holdout *holdout, const EventLog *log)
{
	int64 line = Max(holdout->line, (int64) log->newest_age + 1);

	return (EventsSeconds(holdout->now) - line + 1) * USECS_PER_SEC - 1;
}

/* Reads what else of the events the lists are made by, as of when what is kept back begins. */
static void
read_besides(Holdout *holdout, const Model *model, const Events *events, Interactions *matrix,
			 bool policy, Budget *budget)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (holdout->split == SPLIT_TIME)
		holdout->until = until_line(holdout, &events->log);
	if (holdout->serving)
		holdout->served = ServingRead(&(ServingOf){.model = model,
												   .events = events,
												   .matrix = matrix,
												   .until = holdout->until,
												   .now = holdout->now},
									  budget);
	if (policy)
		holdout->kept_out = flag_kept_out(holdout, model, events, matrix, budget);
	DoorLeave(model);
	if (holdout->ranking)
		return;
	BudgetFree(budget, matrix->user);
	matrix->user = NULL;
}

Interactions *
HoldoutRead(Holdout *holdout, const Model *model, const Settings *settings, Budget *budget)
{
	bool policy = holdout->repeats && settings->exclude_seen;
	InteractionOptions options = {
		.weighting = settings->weighting,
		.half_life = settings->half_life,
		.popular_half_life = settings->popular_half_life,
		.trend_half_life = settings->trend_half_life,
		.max_history = settings->max_history,
		.split = holdout->split,
		.repeats = holdout->repeats,
		.keep_users = holdout->ranking || holdout->serving || policy,
		.ordered = holdout->ordered || SimilarityNeedsOrder(&settings->similarity),
	};
	Events *events;
	Interactions *matrix;

	ModelNeedsTimes(model);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (holdout->now == 0)
	{
		holdout->now = GetCurrentTimestamp();
		if (holdout->split == SPLIT_TIME)
			holdout->line = EventsLine(model, holdout->now, holdout->share);
	}
	events = EventsRead(model, holdout->now, EventsExpected(model), budget);
	holdout->resemblance = (Resemblance){0};
	if (settings->algorithm == MODEL_NEIGHBORS)
		holdout->resemblance = ResembleRead(model, events->items, budget);
	DoorLeave(model);

	options.line = holdout->line;
	holdout->items = events->items;
	matrix = InteractionsBuild(&events->log, &options, budget);
	holdout->timed = events->log.timed && holdout->split == SPLIT_TIME;
	if (holdout->ranking)
		holdout->popularity =
			PopularityLearn(matrix, &events->log, &options, budget);
	holdout->kept_out = NULL;
	holdout->served = NULL;
	if ((policy || holdout->serving) && matrix->by_user.rows > 0)
		read_besides(holdout, model, events, matrix, policy, budget);
	if (matrix->signals > 0)
	{
		SignalsTakeWeights(&events->told, &model->told);
		matrix = MixingApply(matrix, events->told.weight, settings->weighting, budget);
	}
	return matrix;
}

void
HoldoutLists(const Holdout *holdout, const Model *model, const Interactions *matrix,
			 EvaluationInput *lists, Budget *budget)
{
	const SimilarityOptions *similarity = &model->picked;
	Rows learners = InteractionsRows(matrix, matrix->learners);
	Resemblance resemblance = holdout->resemblance;
	Neighbors *neighbors;

	if (model->settings.algorithm == MODEL_FACTORS)
	{
		lists->factors =
			FactorsLearn(&matrix->by_user, matrix->learners, &model->settings.fold, NULL, budget);
		lists->recency = 1;
		return;
	}
	neighbors = NeighborsLearn(&learners, similarity, budget);
	lists->neighbors = ResembleMixKnown(&resemblance, matrix, similarity->k, neighbors);
	lists->recency = SimilarityRecency(similarity);
}

void
HoldoutNothing(const Holdout *holdout, const Model *model)
{
	ereport(NOTICE, (errmsg("nothing in the events of model \"%s\" could be held out", model->name),
					 holdout->split == SPLIT_USERS
						 ? errhint("It takes users with two items or more.")
						 : errhint("It takes users who chose something new at a later time; "
								   "new_only => false counts what they chose again, too.")));
}
