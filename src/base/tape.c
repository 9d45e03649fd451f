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

/*
 * A BufFile is cut into files of 1 GB, and only the next one can be begun: so a tape is stretched by
 * steps that end where those do.
 */
#define STRETCH (UINT64CONST(256) * 1024 * 1024)

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
	tape->written = tape->files != NULL;
	return tape->files;
}

static Tape *
join(void *piece, int mode)
{
	SharedFileSet *files = piece;
	Tape *tape = palloc0(sizeof(Tape));

	tape->file = BufFileOpenFileSet(&files->fs, NAME, mode, false);
	return tape;
}

Tape *
TapeJoin(void *piece)
{
	return join(piece, O_RDONLY);
}

Tape *
TapeJoinWriting(void *piece)
{
	return join(piece, O_RDWR);
}

void
TapeLookAnew(Tape *tape)
{
	MemoryContext caller = MemoryContextSwitchTo(BudgetContext(tape->budget));

	/* The block at hand may be of before. */
	if (tape->written)
	{
		BufFileClose(tape->file);
		tape->file = BufFileOpenFileSet(&tape->files->fs, NAME, O_RDONLY, false);
	}
	MemoryContextSwitchTo(caller);
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
	MemoryContext caller = CurrentMemoryContext;

	Assert(!tape->written);
	if (tape->budget)
		MemoryContextSwitchTo(BudgetContext(tape->budget));
	BufFileWrite(tape->file, unconstify(void *, bytes), size);
	MemoryContextSwitchTo(caller);
}

void
TapeStretch(Tape *tape, uint64 bytes)
{
	static const char zero = 0;

	for (uint64 place = STRETCH; place < bytes; place += STRETCH)
	{
		TapeSeek(tape, place);
		TapeWrite(tape, &zero, 1);
	}
	if (bytes == 0)
		return;
	TapeSeek(tape, bytes - 1);
	TapeWrite(tape, &zero, 1);
}

void
TapeRead(Tape *tape, void *bytes, Size size)
{
	BufFileReadExact(tape->file, bytes, size);
}
