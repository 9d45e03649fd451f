/*
 * together.c: lists of everybody, by this process and workers.
 *
 * The histories lie on shared piles, the model in shared memory.  Each member takes a pile at a time
 * and makes the lists of its users.  This process puts its own out at once; a worker's go to a pile of
 * lists, from which this process puts them out between two piles of its own, so that no more than a few
 * wait.  Where they do not fit into memory they wait on tape until all are made.
 *
 * What a history does not fill is no matter for workers, nor for parallel mode, as the catalogue or a
 * category may have to be asked for: those histories wait on piles of their own, and this process makes
 * the whole list once the workers are gone.
 */
#include "api/together.h"

#include <math.h>

#include "api/rerank.h"
#include "base/team.h"
#include "math/eventlog.h"
#include "storage/condition_variable.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

/* What members share beside the job: the pieces of the model come first. */
enum
{
	PIECE_PILES = HELD_PIECES,
	PIECE_MAP_START,
	PIECE_MAP,
	PIECE_SIGNALS,
	PIECE_STATE,
	PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* Longer lists are put out row by row, and so by one process: here all of a list is held. */
#define K_MOST 10000

typedef struct TogetherJob
{
	Model model; /* its pointers are NULL */
	HistoriesForm histories;
	HeldForm held;
	uint32 k;
	double least_match;
	bool seen;
	bool filled; /* lists that are not full are filled otherwise */
	Size memory; /* that a member takes */
} TogetherJob;

/* What became of a pile. */
typedef enum PileState
{
	PILE_OPEN,
	PILE_MADE, /* its lists wait */
	PILE_OUT,  /* they are put out */
} PileState;

typedef struct State
{
	ConditionVariable made; /* another pile is */
	pg_atomic_uint64 lists;
	pg_atomic_uint64 shortened;                   /* of them, by way of a short list */
	pg_atomic_uint32 pile[FLEXIBLE_ARRAY_MEMBER]; /* PileState */
} State;

/* One row of a list, as it waits on a pile. */
typedef struct MadeRow
{
	double score;
	double match;   /* NaN for none */
	uint32 number;  /* in the ids of the model that is held, like the next */
	uint32 because; /* ID_NONE for none */
	bool content;   /* attributes speak for it */
} MadeRow;

/* A list ends with that, and so does a history; both are read from their end. */
typedef struct MadeEnd
{
	int64 user;
	uint32 count; /* of rows, or of items */
	uint32 worn;
} MadeEnd;

/* A member at work. */
typedef struct Maker
{
	const TogetherJob *job;
	State *state;
	RecommendAsk ask; /* for what histories lead to */
	Histories *histories;
	Piles *piles;
	uint32 pile;
	MadeRow *row; /* [k], or as many as were needed so far */
	uint32 room;
	RecommendAsk *out; /* the question itself, where lists can be put out; NULL in workers */
	MemoryContext context;
	Datum personal; /* what rows are said to come from */
	Datum content;
} Maker;

bool
TogetherCan(const RecommendAsk *ask)
{
	return ask->k <= K_MOST && ask->arrangement == NULL && ask->lifts.count == 0 &&
		   ask->model->algorithm == MODEL_NEIGHBORS && !RerankWanted(ask->model);
}

/* The number of a pile in the set of lists, or in that of histories. */
static uint32
pile_of(const Maker *maker, EventLogSet set, uint32 pile)
{
	return EventLogPile(maker->job->histories.pile_bits, set, pile);
}

/* Puts one list out. */
static void
put_out(Maker *maker, int64 user, const MadeRow *rows, uint32 count)
{
	RecommendAsk *ask = maker->out;
	MemoryContext caller = MemoryContextSwitchTo(maker->context);
	Datum values[LIST_COLUMNS] = {0};
	bool nulls[LIST_COLUMNS] = {0};

	values[LIST_USER] =
		DoorUserOut(&ask->rows, HistoriesUser(maker->histories, Int64GetDatum(user)));
	for (uint32 r = 0; r < count; r++)
	{
		const MadeRow *row = &rows[r];

		values[LIST_ITEM] = DoorItemOut(&ask->rows, IdSetDatum(ask->held->ids, row->number));
		values[LIST_SCORE] = Float8GetDatum(row->score);
		values[LIST_MATCH] = Float8GetDatum(row->match);
		nulls[LIST_MATCH] = isnan(row->match);
		nulls[LIST_BECAUSE] = row->because == ID_NONE;
		if (row->because != ID_NONE)
			values[LIST_BECAUSE] =
				DoorItemOut(&ask->rows, IdSetDatum(ask->held->ids, row->because));
		values[LIST_SOURCE] = row->content ? maker->content : maker->personal;
		values[LIST_RANK] = Int32GetDatum((int32) r + 1);
		DoorPut(&ask->rows, values, nulls);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(maker->context);
}

/* True for what a row is said to come from where attributes speak for it. */
static bool
is_content(Datum source)
{
	const text *said = (const text *) DatumGetPointer(source);

	return VARSIZE_ANY_EXHDR(said) == strlen(PROFILE_CONTENT) &&
		   memcmp(VARDATA_ANY(said), PROFILE_CONTENT, strlen(PROFILE_CONTENT)) == 0;
}

/* The rows that were gathered, as they wait on a pile. */
static void
settle_rows(Maker *maker, const Profile *profile)
{
	const RecommendAsk *ask = &maker->ask;

	if (ask->listed > maker->room)
	{
		maker->room = ask->room;
		maker->row = BudgetResize(ask->budget, maker->row, maker->room, sizeof(MadeRow));
	}
	for (uint32 r = 0; r < ask->listed; r++)
	{
		const RecommendRow *from = &ask->row[r];
		MadeRow *row = &maker->row[r];

		memset(row, 0, sizeof(MadeRow));
		row->score = from->score;
		row->match = from->matched ? from->match : NAN;
		row->number = from->number;
		row->because =
			from->because < 0 ? ID_NONE : profile->history->item[profile->place[from->because]].id;
		row->content = is_content(from->source);
	}
}

/* Makes the list of one user, or leaves the history to who can. */
static void
make_list(Datum user, History *history, void *with)
{
	Maker *maker = with;
	RecommendAsk *ask = &maker->ask;
	const TogetherJob *job = maker->job;
	Profile *profile = ProfileHeld(ask->model, ask->held, history);
	MadeEnd end = {.user = DatumGetInt64(user)};

	CHECK_FOR_INTERRUPTS();
	RecommendGather(ask, profile, job->k, job->k);
	if (job->filled && ask->listed < job->k)
	{
		uint32 pile = pile_of(maker, EVENTLOG_CHOSEN, maker->pile);

		end.count = history->count;
		end.worn = history->worn;
		PilesWrite(maker->piles, pile, history->item, sizeof(HistoryItem) * (Size) history->count);
		PilesWrite(maker->piles, pile, &end, sizeof(end));
		return;
	}
	settle_rows(maker, profile);
	if (maker->out)
	{
		put_out(maker, end.user, maker->row, ask->listed);
		return;
	}
	end.count = ask->listed;
	PilesWrite(maker->piles, pile_of(maker, EVENTLOG_CELLS, maker->pile), maker->row,
			   sizeof(MadeRow) * (Size) end.count);
	PilesWrite(maker->piles, pile_of(maker, EVENTLOG_CELLS, maker->pile), &end, sizeof(end));
}

/* Makes the lists of the users of a pile, so that others may take them. */
static void
make_pile(Maker *maker, uint32 pile)
{
	maker->pile = pile;
	HistoriesEach(maker->histories, pile, make_list, maker);
	PilesHandOver(maker->piles, pile_of(maker, EVENTLOG_CELLS, pile));
	PilesClose(maker->piles, pile_of(maker, EVENTLOG_CHOSEN, pile));
	/* An exchange is a barrier, too: whoever sees it sees the pile. */
	pg_atomic_exchange_u32(&maker->state->pile[pile], maker->out ? PILE_OUT : PILE_MADE);
	ConditionVariableBroadcast(&maker->state->made);
}

/* Puts out the lists that wait on a pile. */
static void
put_out_pile(Maker *maker, uint32 pile)
{
	uint32 from = pile_of(maker, EVENTLOG_CELLS, pile);
	uint64 bytes = PilesBytes(maker->piles, from);
	PilesBack *back;

	pg_atomic_write_u32(&maker->state->pile[pile], PILE_OUT);
	if (bytes == 0)
		return;
	back = PilesBackOpen(maker->piles, from, maker->out->budget);
	while (bytes > 0)
	{
		MadeEnd end;

		CHECK_FOR_INTERRUPTS();
		PilesBackRead(back, &end, sizeof(end));
		if (end.count > maker->room)
		{
			maker->room = end.count;
			maker->row = BudgetResize(maker->out->budget, maker->row, maker->room, sizeof(MadeRow));
		}
		PilesBackRead(back, maker->row, sizeof(MadeRow) * (Size) end.count);
		put_out(maker, end.user, maker->row, end.count);
		bytes -= sizeof(end) + sizeof(MadeRow) * (uint64) end.count;
	}
	PilesBackClose(back, maker->out->budget);
}

/* Puts out what workers have made, but for what is on tape; true once all piles are made. */
static bool
put_out_made(Maker *maker)
{
	uint32 piles = UINT32_C(1) << maker->job->histories.pile_bits;
	bool all = true;

	for (uint32 pile = 0; pile < piles; pile++)
	{
		uint32 state = pg_atomic_read_u32(&maker->state->pile[pile]);

		all = all && state != PILE_OPEN;
		pg_read_barrier();
		if (state == PILE_MADE &&
			!PilesIsOnTape(maker->piles, pile_of(maker, EVENTLOG_CELLS, pile)))
			put_out_pile(maker, pile);
	}
	return all;
}

/* The question as a member asks it. */
static void
open_question(Maker *maker, const Model *model, Held *held, Budget *budget)
{
	const TogetherJob *job = maker->job;

	maker->ask = (RecommendAsk){.model = (Model *) model,
								.budget = budget,
								.held = held,
								.k = job->k,
								.least_match = job->least_match,
								.seen = job->seen,
								.source = "personal",
								.explained = true};
	maker->personal = CStringGetTextDatum(maker->ask.source);
	maker->content = CStringGetTextDatum(PROFILE_CONTENT);
	maker->context =
		AllocSetContextCreate(BudgetContext(budget), "reco list", ALLOCSET_SMALL_SIZES);
}

/* Makes the lists of piles until none is left; who leads puts out what others have made meanwhile. */
static void
make_piles(const TeamMember *member, Maker *maker)
{
	uint32 piles = UINT32_C(1) << maker->job->histories.pile_bits;
	uint32 pile;

	while ((pile = TeamNext(member)) < piles)
	{
		make_pile(maker, pile);
		if (maker->out)
			put_out_made(maker);
	}
	if (maker->out && member->barrier)
	{
		ConditionVariablePrepareToSleep(&maker->state->made);
		while (!put_out_made(maker))
			ConditionVariableSleep(&maker->state->made, PG_WAIT_EXTENSION);
		ConditionVariableCancelSleep();
	}
	PilesEnd(maker->piles);
	pg_atomic_fetch_add_u64(&maker->state->lists, maker->ask.list);
	pg_atomic_fetch_add_u64(&maker->state->shortened, (int64) maker->ask.held->shortlist.made);
}

/* This process, while it leads a team: its work is given no more than the member. */
static Maker *leader = NULL;

/* A worker's part, and that of who leads. */
static void
work(const TeamMember *member)
{
	const TogetherJob *job = member->job;
	void **piece = member->piece;
	const HistoriesPieces pieces = {.piles = piece[PIECE_PILES],
									.map_start = piece[PIECE_MAP_START],
									.map = piece[PIECE_MAP],
									.signals = piece[PIECE_SIGNALS]};
	Maker maker = {.job = job, .state = piece[PIECE_STATE]};
	Budget *budget;

	if (member->number == 0)
	{
		make_piles(member, leader);
		return;
	}
	budget = BudgetCreate(CurrentMemoryContext, "reco_top_n_all", 2 * job->memory);
	maker.histories = HistoriesJoin(&job->histories, &pieces, member->number, budget);
	maker.piles = HistoriesAll(maker.histories);
	open_question(&maker, &job->model, HeldJoin(&job->held, piece, budget), budget);
	make_piles(member, &maker);
	PilesLeave(maker.piles);
	BudgetDestroy(budget);
}

/* Where a worker starts. */
extern PGDLLEXPORT void TogetherWorker(dsm_segment *segment, shm_toc *toc);

void
TogetherWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, work, sizeof(TogetherJob), PIECES);
}

/* A model as workers see it: without what is elsewhere in this process's memory. */
static Model
bare_model(const Model *model)
{
	Model bare = *model;

	bare.name = NULL;
	bare.quoted = NULL;
	bare.reranked_of = NULL;
	bare.signals = NULL;
	memset(&bare.told, 0, sizeof(bare.told));
	bare.settings.target_signal = NULL;
	bare.settings.exclude_seen = NULL;
	bare.settings.category = NULL;
	bare.settings.contexts = NIL;
	bare.settings.time_zone = NULL;
	bare.settings.unfinished = NULL;
	return bare;
}

static State *
create_state(const Histories *histories, Budget *budget)
{
	uint32 piles = HistoriesPiles(histories);
	State *state =
		BudgetAllocShared(budget, 1, offsetof(State, pile) + sizeof(pg_atomic_uint32) * piles);

	ConditionVariableInit(&state->made);
	pg_atomic_init_u64(&state->lists, 0);
	pg_atomic_init_u64(&state->shortened, 0);
	for (uint32 pile = 0; pile < piles; pile++)
		pg_atomic_init_u32(&state->pile[pile], PILE_OPEN);
	return state;
}

/* Makes the lists whose histories wait on a pile, with what fills them. */
static void
fill_pile(Maker *maker, uint32 pile)
{
	RecommendAsk *ask = maker->out;
	uint32 from = pile_of(maker, EVENTLOG_CHOSEN, pile);
	uint64 bytes = PilesBytes(maker->piles, from);
	PilesBack *back;

	if (bytes == 0)
		return;
	back = PilesBackOpen(maker->piles, from, ask->budget);
	while (bytes > 0)
	{
		MemoryContext caller = MemoryContextSwitchTo(maker->context);
		History history = {.ids = ask->held->ids};
		MadeEnd end;

		CHECK_FOR_INTERRUPTS();
		PilesBackRead(back, &end, sizeof(end));
		history.count = end.count;
		history.worn = end.worn != 0;
		history.item = palloc_extended(sizeof(HistoryItem) * Max(end.count, 1), MCXT_ALLOC_HUGE);
		PilesBackRead(back, history.item, sizeof(HistoryItem) * (Size) end.count);
		ask->has_asker = true;
		ask->asker = HistoriesUser(maker->histories, Int64GetDatum(end.user));
		ask->user = DoorUserOut(&ask->rows, ask->asker);
		RecommendList(ask, ProfileHeld(ask->model, ask->held, &history));
		bytes -= sizeof(end) + sizeof(HistoryItem) * (uint64) end.count;
		MemoryContextSwitchTo(caller);
		MemoryContextReset(maker->context);
	}
	PilesBackClose(back, ask->budget);
}

bool
TogetherList(RecommendAsk *ask, Histories *histories)
{
	Budget *budget = ask->budget;
	void *piece[PIECES] = {0};
	HistoriesPieces pieces;
	TogetherJob job = {.model = bare_model(ask->model),
					   .k = ask->k,
					   .least_match = ask->least_match,
					   .seen = ask->seen,
					   .filled = ask->fallback && ask->least_match < 0};
	Maker maker = {.job = &job, .out = ask, .histories = histories};
	Maker *outer = leader;
	TeamTask task = {.entry = "TogetherWorker",
					 .work = work,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = PIECES};

	if (!PilesAreShared(HistoriesAll(histories)) || !HeldShare(ask->held, piece, &job.held, budget))
		return false;
	/* Twice what rows and marks take, which grow by doubling. */
	job.memory = HistoriesBytes(histories) + HeldBytes(&job.held) +
				 2 * (ask->k * (sizeof(RecommendRow) + sizeof(MadeRow)) +
					  (Size) job.held.slots * sizeof(uint32));
	task.members = Min(TeamMembers(budget, job.memory), PilesWriters(HistoriesAll(histories)));
	job.histories = HistoriesShare(histories, &pieces);
	piece[PIECE_PILES] = pieces.piles;
	piece[PIECE_MAP_START] = pieces.map_start;
	piece[PIECE_MAP] = pieces.map;
	piece[PIECE_SIGNALS] = pieces.signals;
	piece[PIECE_STATE] = maker.state = create_state(histories, budget);
	maker.piles = HistoriesAll(histories);
	open_question(&maker, ask->model, ask->held, budget);

	BudgetHold(budget, 0, job.memory * (task.members - 1));
	leader = &maker;
	PG_TRY();
	{
		TeamRun(&task, budget);
	}
	PG_FINALLY();
	{
		leader = outer;
	}
	PG_END_TRY();
	BudgetHold(budget, job.memory * (task.members - 1), 0);

	for (uint32 pile = 0; pile < HistoriesPiles(histories); pile++)
		if (pg_atomic_read_u32(&maker.state->pile[pile]) == PILE_MADE)
			put_out_pile(&maker, pile);
	for (uint32 pile = 0; pile < HistoriesPiles(histories); pile++)
		fill_pile(&maker, pile);
	ereport(DEBUG1, (errmsg_internal(UINT64_FORMAT " of " UINT64_FORMAT
												   " lists by way of a short list, made together",
									 pg_atomic_read_u64(&maker.state->shortened),
									 pg_atomic_read_u64(&maker.state->lists))));
	return true;
}
