#include "base/tape.h"

#include "commands/tablespace.h"
#include "storage/buffile.h"
#include "storage/sharedfileset.h"

struct Tape
{
	Budget *budget; /* NULL in a process that joined */
	BufFile *file;
	SharedFileSet *files; /* what it is in, in shared memory; NULL where it is this process's own */
	bool written;         /* others may read it */
};

/* Its name among those files. */
#define NAME "tape"

/* About what PostgreSQL holds for an open file. */
#define FILE_BYTES (BLCKSZ + 512)

Tape *
TapeCreate(Budget *budget)
{
	Tape *tape = BudgetZeroed(budget, 1, sizeof(Tape));
	MemoryContext caller = MemoryContextSwitchTo(BudgetContext(budget));
	dsm_handle handle;

	PrepareTempTablespaces();
	tape->budget = budget;
	tape->files = BudgetTryShared(budget, 1, sizeof(SharedFileSet), 0);
	if (tape->files && BudgetHandle(budget, tape->files, &handle))
	{
		SharedFileSetInit(tape->files, dsm_find_mapping(handle));
		tape->file = BufFileCreateFileSet(&tape->files->fs, NAME);
	}
	else
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
	BudgetFree(tape->budget, tape->files);
	BudgetDischarge(tape->budget, FILE_BYTES);
	BudgetFree(tape->budget, tape);
}

void *
TapePiece(Tape *tape)
{
	if (tape->files && !tape->written)
		BufFileExportFileSet(tape->file);
	tape->written = true;
	return tape->files;
}

Tape *
TapeJoin(void *piece)
{
	SharedFileSet *files = piece;
	Tape *tape = palloc0(sizeof(Tape));

	tape->file = BufFileOpenFileSet(&files->fs, NAME, O_RDONLY, false);
	return tape;
}

void
TapeLeave(Tape *tape)
{
	BufFileClose(tape->file);
	pfree(tape);
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

	Assert(!tape->written);
	BufFileWrite(tape->file, unconstify(void *, bytes), size);
	MemoryContextSwitchTo(caller);
}

void
TapeRead(Tape *tape, void *bytes, Size size)
{
	BufFileReadExact(tape->file, bytes, size);
}
