#include "base/budget.h"

#include "access/xact.h"
#include "storage/dsm_impl.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/*
 * A piece that other processes may attach to, or might have.  It is charged by what was asked
 * for, so that what is left, and what is decided by that, is the same with workers and without.
 */
typedef struct SharedPiece
{
	dsm_segment *segment; /* NULL where the memory is like any other */
	void *memory;
	Size size;
	bool result;
} SharedPiece;

#define SHARED_MOST 96

/* Room that grows is for so many at the least. */
#define ROOM_FIRST 1024

struct Budget
{
	MemoryContext context; /* holds this struct and every piece */
	MemoryContext results; /* those of the result; within context */
	const char *job;       /* "refresh of model \"shop\"", for messages */
	Size limit;
	Size used;   /* by GetMemoryChunkSpace, so with the allocator's own overhead */
	Size result; /* of used, what the result takes, which the limit does not count */
	Size peak;
	uint32 workers;
	uint32 shared;
	SharedPiece piece[SHARED_MOST];
	MemoryContextCallback at_end;
};

/* Lets go of what is shared when the budget's memory goes, by whatever way. */
static void
detach_all(void *arg)
{
	Budget *budget = arg;

	while (budget->shared > 0)
	{
		dsm_segment *segment = budget->piece[--budget->shared].segment;

		if (segment)
			dsm_detach(segment);
	}
}

Budget *
BudgetCreate(MemoryContext parent, const char *job, Size limit)
{
	MemoryContext context = AllocSetContextCreate(parent, "reco budget", ALLOCSET_DEFAULT_SIZES);
	Budget *budget = MemoryContextAllocZero(context, sizeof(Budget));

	budget->context = context;
	budget->results = AllocSetContextCreate(context, "reco result", ALLOCSET_DEFAULT_SIZES);
	budget->job = MemoryContextStrdup(context, job);
	budget->limit = limit;
	budget->at_end = (MemoryContextCallback){.func = detach_all, .arg = budget};
	MemoryContextRegisterResetCallback(context, &budget->at_end);
	return budget;
}

MemoryContext
BudgetContext(const Budget *budget)
{
	return budget->context;
}

const char *
BudgetJob(const Budget *budget)
{
	return budget->job;
}

Size
BudgetLimit(const Budget *budget)
{
	return budget->limit;
}

Size
BudgetMaintenance(void)
{
	return (Size) maintenance_work_mem * 1024;
}

/* Raises the error a user can act on, with the memory needed rounded up to whole megabytes. */
static void
refuse(const Budget *budget, Size wanted)
{
	Size megabyte = 1024 * 1024;

	ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
					errmsg("%s needs more memory than maintenance_work_mem allows", budget->job),
					errdetail("It holds %zu MB, asked for %zu MB more, and may use %zu MB.",
							  (budget->used - budget->result) / megabyte, wanted / megabyte + 1,
							  budget->limit / megabyte),
					errhint("Raise maintenance_work_mem for this session, for example to %zu MB.",
							2 * ((budget->used - budget->result + wanted) / megabyte + 1))));
}

/* The overflow-checked size of count pieces. */
static Size
size_of(const Budget *budget, uint64 count, Size size)
{
	if (count > (MaxAllocHugeSize - sizeof(uint64)) / size)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s is too large", budget->job)));
	return Max(count * size, 1);
}

/* The same, within the limit; held is what will be given back for it. */
static Size
checked_size(const Budget *budget, uint64 count, Size size, Size held)
{
	Size bytes = size_of(budget, count, size);
	Size used = budget->used - budget->result - held;

	if (bytes > budget->limit || used > budget->limit - bytes)
		refuse(budget, bytes > held ? bytes - held : 0);
	return bytes;
}

/* Counts bytes; those of the result are counted as such, too. */
static void
charge(Budget *budget, Size bytes, bool result)
{
	budget->used += bytes;
	budget->result += result ? bytes : 0;
	budget->peak = Max(budget->peak, budget->used);
}

static void
discharge(Budget *budget, Size bytes, bool result)
{
	budget->used -= bytes;
	budget->result -= result ? bytes : 0;
}

void
BudgetCharge(Budget *budget, Size bytes)
{
	charge(budget, bytes, true);
}

void
BudgetDischarge(Budget *budget, Size bytes)
{
	discharge(budget, bytes, true);
}

void *
BudgetAlloc(Budget *budget, uint64 count, Size size)
{
	void *memory = MemoryContextAllocHuge(budget->context, checked_size(budget, count, size, 0));

	charge(budget, GetMemoryChunkSpace(memory), false);
	return memory;
}

void *
BudgetAllocResult(Budget *budget, uint64 count, Size size)
{
	void *memory = MemoryContextAllocHuge(budget->results, size_of(budget, count, size));

	charge(budget, GetMemoryChunkSpace(memory), true);
	return memory;
}

void *
BudgetZeroedResult(Budget *budget, uint64 count, Size size)
{
	void *memory = BudgetAllocResult(budget, count, size);

	memset(memory, 0, count * size);
	return memory;
}

void *
BudgetZeroed(Budget *budget, uint64 count, Size size)
{
	void *memory = BudgetAlloc(budget, count, size);

	memset(memory, 0, count * size);
	return memory;
}

/* The place of a shared piece, or -1. */
static int
shared_place(const Budget *budget, const void *memory)
{
	for (uint32 p = 0; p < budget->shared; p++)
		if (budget->piece[p].memory == memory)
			return (int) p;
	return -1;
}

void *
BudgetResize(Budget *budget, void *memory, uint64 count, Size size)
{
	bool result;
	Size held;
	Size bytes;

	if (memory == NULL)
		return BudgetAlloc(budget, count, size);

	Assert(shared_place(budget, memory) < 0);
	result = GetMemoryChunkContext(memory) == budget->results;
	held = GetMemoryChunkSpace(memory);
	bytes = result ? size_of(budget, count, size) : checked_size(budget, count, size, held);
	memory = repalloc_huge(memory, bytes);
	discharge(budget, held, result);
	charge(budget, GetMemoryChunkSpace(memory), result);
	return memory;
}

void *
BudgetGrow(Budget *budget, void *memory, uint64 wanted, uint64 *room, Size size)
{
	if (wanted <= *room)
		return memory;
	*room = Max(Max(wanted, ROOM_FIRST), 2 * *room);
	return BudgetResize(budget, memory, *room, size);
}

void
BudgetFree(Budget *budget, void *memory)
{
	int place;

	if (memory == NULL)
		return;
	place = shared_place(budget, memory);
	if (place < 0)
	{
		discharge(budget, GetMemoryChunkSpace(memory),
				  GetMemoryChunkContext(memory) == budget->results);
		pfree(memory);
	}
	else
	{
		SharedPiece piece = budget->piece[place];

		budget->piece[place] = budget->piece[--budget->shared];
		discharge(budget, piece.size, piece.result);
		if (piece.segment)
			dsm_detach(piece.segment);
		else
			pfree(memory);
	}
}

void
BudgetHold(Budget *budget, Size before, Size now)
{
	budget->used = budget->used - before + now;
	budget->peak = Max(budget->peak, budget->used);
}

/*
 * A segment of dynamic shared memory that lives as long as the budget, or NULL where the system
 * has none left: often /dev/shm is small, and then one process does the job alone.
 */
static dsm_segment *
create_segment(Size bytes)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	dsm_segment *volatile segment = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		segment = dsm_create(bytes, DSM_CREATE_NULL_IF_MAXSEGMENTS);
		if (segment)
			dsm_pin_mapping(segment);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (segment) /* pinned, so that nobody else lets go of it */
			dsm_detach(segment);
		/* Not every shortage is called one: a file half written has any error. */
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TO_CATEGORY(ERRCODE_QUERY_CANCELED))
			ReThrowError(error);
		ereport(DEBUG1, (errmsg_internal("no shared memory for workers: %s", error->message)));
		FreeErrorData(error);
		return NULL;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return segment;
}

/*
 * A segment for the budget's workers; NULL, and no more workers, where there is none.  In parallel mode,
 * which allows no subtransaction, there is none either, but that passes.
 */
static dsm_segment *
new_segment(Budget *budget, Size bytes)
{
	dsm_segment *segment;

	if (IsInParallelMode())
		return NULL;
	segment = budget->workers > 0 ? create_segment(bytes) : NULL;
	if (segment == NULL)
		budget->workers = 0;
	return segment;
}

/* A piece of bytes that is shared where it can be; NULL where there are too many. */
static void *
alloc_piece(Budget *budget, Size bytes, bool result)
{
	SharedPiece piece = {.size = bytes, .result = result};

	if (budget->shared == SHARED_MOST)
		return NULL;
	piece.segment = new_segment(budget, bytes);
	piece.memory = piece.segment ? dsm_segment_address(piece.segment)
								 : MemoryContextAllocHuge(budget->context, bytes);
	budget->piece[budget->shared++] = piece;
	charge(budget, bytes, result);
	return piece.memory;
}

void *
BudgetAllocShared(Budget *budget, uint64 count, Size size)
{
	void *memory = alloc_piece(budget, checked_size(budget, count, size, 0), false);

	return memory ? memory : BudgetAlloc(budget, count, size);
}

void *
BudgetZeroedShared(Budget *budget, uint64 count, Size size)
{
	void *memory = BudgetAllocShared(budget, count, size);
	int place = shared_place(budget, memory);

	/*
	 * A segment of its own comes from the system zeroed, page by page as these are used: to write on them all
	 * here would only have one process do what several can.  What was set aside when the server started
	 * may have been another's before.
	 */
	if (place < 0 || budget->piece[place].segment == NULL || min_dynamic_shared_memory > 0)
		memset(memory, 0, count * size);
	return memory;
}

void *
BudgetAllocSharedResult(Budget *budget, uint64 count, Size size)
{
	void *memory = alloc_piece(budget, size_of(budget, count, size), true);

	return memory ? memory : BudgetAllocResult(budget, count, size);
}

/* True where there is room for so much, with what the allocator takes for it. */
static bool
fits(const Budget *budget, uint64 count, Size size)
{
	return size_of(budget, count, size) <= BudgetLeft(budget) - Min(BudgetLeft(budget), 64);
}

void *
BudgetTryShared(Budget *budget, uint64 count, Size size, Size besides)
{
	Size bytes = size_of(budget, count, size);
	SharedPiece piece = {.size = bytes};

	if (budget->workers == 0 || IsInParallelMode() || budget->shared == SHARED_MOST ||
		!fits(budget, count, size))
		return NULL;
	piece.segment = create_segment(bytes + besides);
	if (piece.segment && besides > 0)
	{
		dsm_detach(piece.segment);
		piece.segment = create_segment(bytes);
	}
	if (piece.segment == NULL)
		return NULL;
	piece.memory = dsm_segment_address(piece.segment);
	budget->piece[budget->shared++] = piece;
	charge(budget, bytes, false);
	return piece.memory;
}

bool
BudgetCanShare(Budget *budget, Size bytes)
{
	dsm_segment *segment = new_segment(budget, bytes);

	if (segment)
		dsm_detach(segment);
	return segment != NULL;
}

void *
BudgetAllocLeast(Budget *budget, uint64 count, Size size)
{
	return fits(budget, count, size) ? BudgetAlloc(budget, count, size)
									 : BudgetAllocResult(budget, count, size);
}

void *
BudgetAllocSharedLeast(Budget *budget, uint64 count, Size size)
{
	return fits(budget, count, size) ? BudgetAllocShared(budget, count, size)
									 : BudgetAllocSharedResult(budget, count, size);
}

bool
BudgetHandle(const Budget *budget, const void *memory, dsm_handle *handle)
{
	int place = shared_place(budget, memory);

	if (place < 0 || budget->piece[place].segment == NULL)
		return false;
	*handle = dsm_segment_handle(budget->piece[place].segment);
	return true;
}

Size
BudgetSharedBytes(const Budget *budget, const void *memory)
{
	int place = shared_place(budget, memory);

	return place < 0 ? 0 : budget->piece[place].size;
}

void
BudgetShare(Budget *budget, bool share)
{
	int workers = Min(max_parallel_maintenance_workers, max_parallel_workers);

	budget->workers =
		share && !IsInParallelMode() ? (uint32) Min(workers, max_worker_processes) : 0;
}

uint32
BudgetWorkers(const Budget *budget)
{
	return budget->workers;
}

Size
BudgetLeft(const Budget *budget)
{
	Size used = budget->used - budget->result;

	return budget->limit > used ? budget->limit - used : 0;
}

Size
BudgetPeak(const Budget *budget)
{
	return budget->peak;
}

void
BudgetDestroy(Budget *budget)
{
	MemoryContextDelete(budget->context);
}
