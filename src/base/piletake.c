/*
 * piletake.c: piles taken: whole, or bit by bit from their end.
 */
#include "base/pileview.h"

#include "utils/memutils.h"

/* The file of a number, open for reading. */
static BufFile *
file_of(struct PilesView *view, uint32 number)
{
	MemoryContext caller;
	char name[16];
	PileFile *open = view->open;

	if (view->area == NULL)
		return view->tape;
	while (open && open->number != number)
		open = open->next;
	if (open == NULL)
	{
		caller = MemoryContextSwitchTo(view->context);
		open = palloc(sizeof(PileFile));
		snprintf(name, sizeof(name), "%u", number);
		*open = (PileFile){view->open, number, NULL};
		open->file = BufFileOpenFileSet(&view->shared->files.fs, name, O_RDONLY, false);
		view->open = open;
		MemoryContextSwitchTo(caller);
	}
	return open->file;
}

/* Moves the blocks of a chain that are on tape to where they end. */
static void
take_tape(struct PilesView *view, const PileChain *chain, char *end)
{
	BufFile *file = file_of(view, chain->file);
	PGAlignedBlock page;
	const PileBlock *block = (const PileBlock *) page.data;

	for (uint64 number = chain->tape; number != 0; number = block->before)
	{
		CHECK_FOR_INTERRUPTS();
		if (BufFileSeekBlock(file, (long) (number - 1)) != 0 ||
			BufFileRead(file, page.data, PILES_TAPE) != PILES_TAPE)
			elog(ERROR, "unexpected end of tape");
		end -= block->used;
		memcpy(end, block->data, block->used);
	}
}

void *
PilesTakeOf(Piles *piles, uint32 pile, uint32 writer, void *to)
{
	struct PilesView *view = piles->view;
	PileChain *chain = &view->shared->chain[(Size) writer * view->shared->piles + pile];
	char *end = (char *) to + chain->bytes;
	char *at = end;

	if (chain->tape)
		take_tape(view, chain, end);
	while (chain->last)
	{
		PileRef ref = chain->last;
		PileBlock *block = PileViewBlock(view, ref);

		at -= block->used;
		memcpy(at, block->data, block->used);
		chain->last = block->before;
		PileViewFree(view, ref);
	}
	*chain = (PileChain){0};
	return end;
}

void *
PilesTake(Piles *piles, uint32 pile, void *to)
{
	for (uint32 w = 0; w < piles->view->shared->writers; w++)
		to = PilesTakeOf(piles, pile, w, to);
	return to;
}

struct PilesBack
{
	struct PilesView *view;
	uint32 pile;
	uint32 writer; /* of the block at hand, and no greater ones are left */
	uint32 left;   /* bytes of the block */
	const PileBlock *block;
	PileRef ref; /* of the block, 0 where it is from tape */
	PGAlignedBlock page;
};

PilesBack *
PilesBackOpen(Piles *piles, uint32 pile, Budget *budget)
{
	PilesBack *back = BudgetAllocLeast(budget, 1, sizeof(PilesBack));

	back->view = piles->view;
	back->pile = pile;
	back->writer = piles->view->shared->writers;
	back->left = 0;
	back->block = NULL;
	back->ref = 0;
	return back;
}

static PileChain *
back_chain(const PilesBack *back)
{
	return &back->view->shared->chain[(Size) back->writer * back->view->shared->piles + back->pile];
}

/* Gives the block at hand back, and gets the one before it. */
static void
back_block(PilesBack *back)
{
	struct PilesView *view = back->view;
	PileChain *chain;

	CHECK_FOR_INTERRUPTS();
	if (back->ref != 0)
		PileViewFree(view, back->ref);
	back->ref = 0;
	while (back->writer == view->shared->writers ||
		   (back_chain(back)->last == 0 && back_chain(back)->tape == 0))
	{
		if (back->writer < view->shared->writers)
			*back_chain(back) = (PileChain){0};
		if (back->writer-- == 0)
			elog(ERROR, "unexpected beginning of a pile");
	}
	chain = back_chain(back);
	if (chain->last)
	{
		back->ref = chain->last;
		back->block = PileViewBlock(view, back->ref);
		chain->last = back->block->before;
	}
	else
	{
		BufFile *file = file_of(view, chain->file);

		if (BufFileSeekBlock(file, (long) (chain->tape - 1)) != 0 ||
			BufFileRead(file, back->page.data, PILES_TAPE) != PILES_TAPE)
			elog(ERROR, "unexpected end of tape");
		back->block = (const PileBlock *) back->page.data;
		chain->tape = back->block->before;
	}
	back->left = back->block->used;
}

void
PilesBackRead(PilesBack *back, void *bytes, Size size)
{
	char *end = (char *) bytes + size;

	while (size > 0)
	{
		uint32 part;

		while (back->left == 0)
			back_block(back);
		part = (uint32) Min(size, back->left);
		back->left -= part;
		end -= part;
		memcpy(end, back->block->data + back->left, part);
		size -= part;
	}
}

uint32
PilesBackWriter(const PilesBack *back)
{
	return back->writer;
}

void
PilesBackClose(PilesBack *back, Budget *budget)
{
	if (back->ref != 0)
		PileViewFree(back->view, back->ref);
	if (back->writer < back->view->shared->writers)
		*back_chain(back) = (PileChain){0};
	BudgetFree(budget, back);
}
