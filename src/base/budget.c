#include "base/budget.h"

#include "utils/memutils.h"

struct Budget
{
	MemoryContext context; /* holds this struct and every piece */
	const char *job;       /* "refresh of model \"shop\"", for messages */
	Size limit;
	Size used;   /* by GetMemoryChunkSpace, so with the allocator's own overhead */
	Size result; /* of used, what the result takes, which the limit does not count */
	Size peak;
};

Budget *
BudgetCreate(MemoryContext parent, const char *job, Size limit)
{
	MemoryContext context = AllocSetContextCreate(parent, "reco budget", ALLOCSET_DEFAULT_SIZES);
	Budget *budget = MemoryContextAllocZero(context, sizeof(Budget));

	budget->context = context;
	budget->job = MemoryContextStrdup(context, job);
	budget->limit = limit;
	return budget;
}

MemoryContext
BudgetContext(const Budget *budget)
{
	return budget->context;
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

static void
charge(Budget *budget, void *memory)
{
	budget->used += GetMemoryChunkSpace(memory);
	budget->peak = Max(budget->peak, budget->used);
}

void *
BudgetAlloc(Budget *budget, uint64 count, Size size)
{
	void *memory = MemoryContextAllocHuge(budget->context, checked_size(budget, count, size, 0));

	charge(budget, memory);
	return memory;
}

void *
BudgetZeroed(Budget *budget, uint64 count, Size size)
{
	void *memory = BudgetAlloc(budget, count, size);

	memset(memory, 0, count * size);
	return memory;
}

void *
BudgetResize(Budget *budget, void *memory, uint64 count, Size size)
{
	Size held;
	Size bytes;

	if (memory == NULL)
		return BudgetAlloc(budget, count, size);

	held = GetMemoryChunkSpace(memory);
	bytes = checked_size(budget, count, size, held);
	memory = repalloc_huge(memory, bytes);
	budget->used -= held;
	charge(budget, memory);
	return memory;
}

void
BudgetFree(Budget *budget, void *memory)
{
	if (memory == NULL)
		return;
	budget->used -= GetMemoryChunkSpace(memory);
	pfree(memory);
}

void *
BudgetAllocResult(Budget *budget, uint64 count, Size size)
{
	void *memory = MemoryContextAllocHuge(budget->context, size_of(budget, count, size));

	charge(budget, memory);
	budget->result += GetMemoryChunkSpace(memory);
	return memory;
}

void
BudgetFreeResult(Budget *budget, void *memory)
{
	if (memory)
		budget->result -= GetMemoryChunkSpace(memory);
	BudgetFree(budget, memory);
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
