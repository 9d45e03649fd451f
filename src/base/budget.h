/*
 * budget.h: memory of one job, charged against one limit.
 *
 * Everything a refresh allocates in proportion to its data goes through a Budget.  An
 * allocation that would pass the limit raises ERRCODE_OUT_OF_MEMORY with the figures and what
 * to set, and nothing is half done.  The memory lives in contexts of the budget's own, so deleting
 * these (or an error) gives everything back.
 *
 * What the result itself needs is counted but not limited: a setting for work memory should not
 * decide how large a catalogue may be.  A result has a row an item.  So to it belong
 *
 *   the id of every item, and a fixed number of figures of it: some 400 bytes, and the id's own
 *   the best of every item, 12 bytes a pair and place, and the same put in order
 *   the histories of those held out, 4,000 people at most, which the match curve is learned from
 *
 * and what a step works on at the least, where the limit is too low even for that: the row of one
 * item, the cells of one user, the system of one target.
 *
 * What grows with events, users, or pairs that are not kept belongs to the limit, and where it does
 * not fit, goes to temporary files.
 */
#ifndef RECO_BUDGET_H
#define RECO_BUDGET_H

#include "base/compat.h"
#include "storage/dsm.h"

typedef struct Budget Budget;

/* A budget of limit bytes for a job named in messages; SIZE_MAX is no limit. */
extern Budget *BudgetCreate(MemoryContext parent, const char *job, Size limit);

/* Where its memory lies, for what PostgreSQL allocates on the job's behalf. */
extern MemoryContext BudgetContext(const Budget *budget);

/* The job as messages name it, and the limit. */
extern const char *BudgetJob(const Budget *budget);
extern Size BudgetLimit(const Budget *budget);

/* maintenance_work_mem in bytes. */
extern Size BudgetMaintenance(void);

/* count * size bytes, zeroed or as they come; the product is checked for overflow. */
extern void *BudgetAlloc(Budget *budget, uint64 count, Size size);
extern void *BudgetZeroed(Budget *budget, uint64 count, Size size);

/* The same memory, grown or shrunk to count * size bytes. */
extern void *BudgetResize(Budget *budget, void *memory, uint64 count, Size size);

/* The same with room for as many as are wanted, where there is less: twice what there was, or more. */
extern void *BudgetGrow(Budget *budget, void *memory, uint64 wanted, uint64 *room, Size size);

/* Gives memory back; NULL is nothing. */
extern void BudgetFree(Budget *budget, void *memory);

/* The same for a piece of the result, beyond the limit; it is resized and freed like any other. */
extern void *BudgetAllocResult(Budget *budget, uint64 count, Size size);
extern void *BudgetZeroedResult(Budget *budget, uint64 count, Size size);

/* Counts bytes that PostgreSQL allocates on the job's behalf, beyond the limit, until they go. */
extern void BudgetCharge(Budget *budget, Size bytes);
extern void BudgetDischarge(Budget *budget, Size bytes);

/* Charges what is held elsewhere on the job's behalf, in place of what was charged for it before. */
extern void BudgetHold(Budget *budget, Size before, Size now);

/*
 * Memory that other processes may attach to, where the budget is shared.  Otherwise, and where
 * the system has no such memory left, memory like any other.  Its size is settled (no
 * BudgetResize), and it comes as it is.  In parallel mode nothing more is shared.
 */
extern void *BudgetAllocShared(Budget *budget, uint64 count, Size size);
extern void *BudgetAllocSharedResult(Budget *budget, uint64 count, Size size);

/* The same, zeroed: by whoever comes to a page first, where the system gives memory like that. */
extern void *BudgetZeroedShared(Budget *budget, uint64 count, Size size);

/*
 * The least that a step works on, one row, one user, one system: within the limit where there is room,
 * else beyond it.
 */
extern void *BudgetAllocLeast(Budget *budget, uint64 count, Size size);
extern void *BudgetAllocSharedLeast(Budget *budget, uint64 count, Size size);

/*
 * The same for what a job can do without: NULL, and the workers stay, where there are none, the limit
 * does not allow it, or the system has not so much and some bytes besides.
 */
extern void *BudgetTryShared(Budget *budget, uint64 count, Size size, Size besides);

/* How others attach to it; false where it is not shared. */
extern bool BudgetHandle(const Budget *budget, const void *memory, dsm_handle *handle);

/* How many bytes were asked for, of what is shared or could be. */
extern Size BudgetSharedBytes(const Budget *budget, const void *memory);

/*
 * True where the system has so much shared memory besides, which is not kept.  Otherwise the
 * job goes on without workers.
 */
extern bool BudgetCanShare(Budget *budget, Size bytes);

/*
 * Lets workers share the job's memory from now on, as many as max_parallel_maintenance_workers,
 * max_parallel_workers and max_worker_processes allow, or none.
 */
extern void BudgetShare(Budget *budget, bool share);
extern uint32 BudgetWorkers(const Budget *budget);

extern Size BudgetLeft(const Budget *budget);
extern Size BudgetPeak(const Budget *budget);

/* Gives everything back at once. */
extern void BudgetDestroy(Budget *budget);

#endif
