#include "base/tape.h"

#include "commands/tablespace.h"
#include "storage/buffile.h"

struct Tape
{
	Budget *budget;
	BufFile *file;
};

/* About what PostgreSQL holds for an open file. */
#define FILE_BYTES (BLCKSZ + 512)

Tape *
TapeCreate(Budget *budget)
{
	Tape *tape = BudgetAlloc(budget, 1, sizeof(Tape));
	MemoryContext caller = MemoryContextSwitchTo(BudgetContext(budget));

	PrepareTempTablespaces();
	tape->budget = budget;
	tape->file = BufFileCreateTemp(false);
	BudgetCharge(budget, FILE_BYTES);
	MemoryContextSwitchTo(caller);
	return tape;
}

void
TapeFree(Tape *tape)
{
	if (tape == NULL)
		return;
	BufFileClose(tape->file);
	BudgetDischarge(tape->budget, FILE_BYTES);
	BudgetFree(tape->budget, tape);
}

void
TapeSeek(Tape *tape, uint64 place)
{
	if (BufFileSeek(tape->file, 0, (off_t) place, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not go to byte " UINT64_FORMAT " of a temporary file", place)));
}

void
TapeWrite(Tape *tape, const void *bytes, Size size)
{
	MemoryContext caller = MemoryContextSwitchTo(BudgetContext(tape->budget));

	BufFileWrite(tape->file, unconstify(void *, bytes), size);
	MemoryContextSwitchTo(caller);
}

void
TapeRead(Tape *tape, void *bytes, Size size)
{
	BufFileReadExact(tape->file, bytes, size);
}
