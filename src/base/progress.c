/*
 * progress.c: the progress of a refresh in the backend's status entry.
 *
 * PostgreSQL clears the entry when a transaction or a subtransaction is aborted (AbortTransaction
 * and AbortSubTransaction call pgstat_progress_end_command).  The refresh itself may go on after
 * the latter: the events query may call a function that catches an error, or a command with a
 * progress of its own.  What is told is therefore always told whole, and the entry taken again
 * where it was lost.
 */
#include "base/progress.h"

#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

/*
 * A kind of command that PostgreSQL does not have, so that none of its pg_stat_progress_ views
 * takes it for one of its own: "reco" in ASCII.
 */
#define COMMAND_RECO ((ProgressCommandType) 0x7265636f)

/*
 * Told are steps 1, 2, 3 and so on, then every 64th part of what is done: a slow query is seen to
 * move, and 20 million rows are told of about a thousand times.
 */
#define TELL_SHARE 64
#define TELL_MOST  65536

/* Places in the entry, from the end: commands of PostgreSQL within the query begin at the front. */
enum
{
	SLOT_STARTED = PGSTAT_NUM_PROGRESS_PARAM - 8,
	SLOT_ENTERED,
	SLOT_PHASE,
	SLOT_DONE,
	SLOT_TOTAL,
	SLOT_WORKERS,
	SLOT_EXPECTED, /* microseconds of this phase, below 0 where that is not known, like the next */
	SLOT_LATER,    /* of all phases after it */
	SLOT_END
};

StaticAssertDecl(SLOT_END == PGSTAT_NUM_PROGRESS_PARAM, "the places must end where the entry does");

uint64 ProgressNext = PG_UINT64_MAX;

static Progress *current = NULL;

/* Seconds as they are told. */
static int64
microseconds(double seconds)
{
	return seconds < 0 ? -1 : (int64) Min(seconds * USECS_PER_SEC, 1e17);
}

/* The expected seconds of the phases after this one, below 0 where one of them is not known. */
static double
later_seconds(const Progress *progress)
{
	double seconds = 0;

	for (int p = 0; p < PROGRESS_PHASES; p++)
	{
		if (p == (int) progress->phase)
			continue;
		if (progress->expected[p] < 0)
			return -1;
		seconds += progress->expected[p];
	}
	return seconds;
}

/* Tells others everything there is to tell. */
static void
tell(const Progress *progress)
{
	static const int slots[] = {SLOT_STARTED, SLOT_ENTERED, SLOT_PHASE,    SLOT_DONE,
								SLOT_TOTAL,   SLOT_WORKERS, SLOT_EXPECTED, SLOT_LATER};
	const int64 values[] = {
		progress->started,
		progress->entered,
		progress->phase,
		(int64) progress->done,
		(int64) progress->total,
		progress->workers,
		microseconds(progress->expected[progress->phase]),
		microseconds(later_seconds(progress)),
	};

	StaticAssertStmt(lengthof(slots) == lengthof(values), "every place has a value");
	if (MyBEEntry == NULL)
		return;
	if (MyBEEntry->st_progress_command != COMMAND_RECO ||
		MyBEEntry->st_progress_command_target != progress->table)
		pgstat_progress_start_command(COMMAND_RECO, progress->table);
	pgstat_progress_update_multi_param(lengthof(slots), slots, values);
}

/* From which number of steps on it is worth telling again. */
static uint64
next_after(uint64 done)
{
	return done + Min(1 + done / TELL_SHARE, TELL_MOST);
}

void
ProgressStart(Progress *progress, Oid table)
{
	TimestampTz now = GetCurrentTimestamp();

	*progress = (Progress){
		.outer = current,
		.table = table,
		.phase = PROGRESS_WAIT,
		.started = now,
		.entered = now,
	};
	for (int p = PROGRESS_WAIT + 1; p < PROGRESS_PHASES; p++)
		progress->expected[p] = -1;
	current = progress;
	ProgressNext = next_after(0);
	tell(progress);
}

void
ProgressEnd(Progress *progress)
{
	current = progress->outer;
	if (current)
	{
		ProgressNext = next_after(current->done);
		tell(current);
		return;
	}
	ProgressNext = PG_UINT64_MAX;
	if (MyBEEntry && MyBEEntry->st_progress_command == COMMAND_RECO)
		pgstat_progress_end_command();
}

void
ProgressEnter(ProgressPhase phase, uint64 total)
{
	if (current == NULL)
		return;
	/* What was left has passed, and may come again only where somebody says so. */
	current->expected[current->phase] = 0;
	current->phase = phase;
	current->done = 0;
	current->total = total;
	current->entered = GetCurrentTimestamp();
	ProgressNext = next_after(0);
	tell(current);
}

void
ProgressExpect(ProgressPhase phase, double seconds)
{
	if (current == NULL)
		return;
	current->expected[phase] = seconds;
	tell(current);
}

void
ProgressWorkers(int workers)
{
	if (current == NULL)
		return;
	current->workers = workers;
	tell(current);
}

void
ProgressTell(uint64 done)
{
	if (current == NULL)
		return;
	current->done = done;
	ProgressNext = next_after(done);
	tell(current);
}

/*
 * The microseconds a phase will still take, below 0 where that is not known.  At first what was
 * expected counts, later the pace: items come most popular first, so that the pace of the first
 * few says too little of the others.
 */
static double
left_of_phase(const ProgressReport *report, double spent, int64 expected)
{
	double share;
	double by_pace;

	if (report->done == 0 || report->total < report->done)
		return expected < 0 ? -1 : Max(expected - spent, 0);
	share = (double) report->done / report->total;
	by_pace = spent * (1 - share) / share;
	if (expected < 0)
		return by_pace;
	return share * by_pace + (1 - share) * Max(expected - spent, 0);
}

bool
ProgressFind(int *place, TimestampTz now, ProgressReport *report)
{
	int backends = pgstat_fetch_stat_numbackends();

	while (++*place <= backends)
	{
		const PgBackendStatus *entry = &pgstat_get_local_beentry_by_index(*place)->backendStatus;
		const int64 *slot = entry->st_progress_param;
		double left;

		/* Between taking the entry and telling there is a moment without a time. */
		if (entry->st_progress_command != COMMAND_RECO || slot[SLOT_STARTED] == 0 ||
			slot[SLOT_PHASE] < 0 || slot[SLOT_PHASE] >= PROGRESS_PHASES)
			continue;
		*report = (ProgressReport){
			.pid = entry->st_procpid,
			.database = entry->st_databaseid,
			.role = entry->st_userid,
			.table = entry->st_progress_command_target,
			.phase = (ProgressPhase) slot[SLOT_PHASE],
			.done = (uint64) Max(slot[SLOT_DONE], 0),
			.total = (uint64) Max(slot[SLOT_TOTAL], 0),
			.workers = (int) slot[SLOT_WORKERS],
			.started = slot[SLOT_STARTED],
		};
		left =
			left_of_phase(report, (double) Max(now - slot[SLOT_ENTERED], 0), slot[SLOT_EXPECTED]);
		report->end_known = left >= 0 && slot[SLOT_LATER] >= 0;
		if (report->end_known)
			report->expected_end = now + (int64) Min(left, 1e17) + slot[SLOT_LATER];
		return true;
	}
	return false;
}
