/*
 * piles.c: chains of blocks, the last one first.
 *
 * A chain lies in memory: this process's own, or an area of dynamic shared memory that grows as it
 * is needed and goes when the last process has let go of it.  Once memory is used up, a writer
 * copies its chains to blocks of one size in a file, and goes on there; each block names the one
 * before it on the same pile.
 *
 * A writer alone touches its chains until it has closed them, whoever takes a pile afterwards, so
 * that nothing needs a lock but the figures that all share.
 */
#include "base/pileview.h"

#include "commands/tablespace.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"

/* A block has so many bytes at first, twice as many the next time, up to the most. */
#define BLOCK_FIRST 512
#define BLOCK_MOST  65536

StaticAssertDecl(BLOCK_FIRST >= PILE_HEADER + 256,
				 "a block has room for whatever PilesPlace may want");

/* The area's first segment, and the least memory that is worth one. */
#define AREA_FIRST (1024 * 1024)
#define AREA_LEAST (4 * AREA_FIRST)

/* While piles are filled one after the other, so many are open. */
#define TAPE_OPEN 3

/* Every process has at most one view of the same piles. */
static struct PilesView *views = NULL;

static void
forget_view(struct PilesView *view)
{
	struct PilesView **at = &views;

	while (*at && *at != view)
		at = &(*at)->next;
	if (*at)
		*at = view->next;
	if (view->area)
		dsa_detach(view->area);
	view->area = NULL;
}

/* Lets go of a view when its memory goes, by whatever way. */
static void
end_view(void *view)
{
	forget_view(view);
}

static struct PilesView *
open_view(PilesShared *shared, uint32 writer, MemoryContext context)
{
	struct PilesView *view = MemoryContextAllocZero(context, sizeof(struct PilesView));

	Assert(writer < shared->writers);
	view->shared = shared;
	view->context = context;
	view->chain = &shared->chain[(Size) writer * shared->piles];
	view->block = MemoryContextAllocZero(context, sizeof(PileBlock *) * shared->piles);
	view->mine = MemoryContextAllocZero(context, sizeof(bool) * shared->piles);
	view->piles.end = MemoryContextAllocZero(context, sizeof(PileEnd) * shared->piles);
	view->piles.view = view;
	view->at_end = (MemoryContextCallback){.func = end_view, .arg = view};
	MemoryContextRegisterResetCallback(context, &view->at_end);
	view->next = views;
	views = view;
	return view;
}

/* Gives the piles an area to share, if there is one to be had. */
static void
make_area(struct PilesView *view)
{
	PilesShared *shared = view->shared;
	dsm_handle handle;
	MemoryContext caller;

	if (shared->writers < 2 || shared->memory < AREA_LEAST ||
		!BudgetHandle(view->budget, shared, &handle) || !BudgetCanShare(view->budget, AREA_FIRST))
		return;
	caller = MemoryContextSwitchTo(view->context);
	view->area = dsa_create(LWTRANCHE_PARALLEL_QUERY_DSA);
	dsa_pin_mapping(view->area);
	dsa_set_size_limit(view->area, shared->memory);
	shared->area = dsa_get_handle(view->area);
	shared->has_area = true;
	SharedFileSetInit(&shared->files, dsm_find_mapping(handle));
	MemoryContextSwitchTo(caller);
}

Piles *
PilesCreate(uint32 piles, uint32 writers, Size memory, Budget *budget)
{
	Size size = offsetof(PilesShared, chain) + sizeof(PileChain) * (Size) piles * writers;
	PilesShared *shared = BudgetAllocSharedResult(budget, 1, size);
	struct PilesView *view;

	memset(shared, 0, size);
	shared->piles = piles;
	shared->writers = writers;
	shared->memory = memory;
	pg_atomic_init_u64(&shared->used, 0);
	pg_atomic_init_u32(&shared->next_file, 0);
	view = open_view(shared, 0, BudgetContext(budget));
	view->budget = budget;
	make_area(view);
	return &view->piles;
}

bool
PilesAreShared(const Piles *piles)
{
	return piles->view->area != NULL;
}

void *
PilesPiece(const Piles *piles)
{
	return piles->view->shared;
}

Piles *
PilesJoin(void *piece, uint32 writer)
{
	PilesShared *shared = piece;
	MemoryContext caller;
	struct PilesView *view = views;

	while (view && view->shared != shared)
		view = view->next;
	if (view)
		return &view->piles;
	if (!shared->has_area)
		elog(ERROR, "piles of one process cannot be joined");
	view = open_view(shared, writer,
					 AllocSetContextCreate(TopMemoryContext, "reco piles", ALLOCSET_DEFAULT_SIZES));
	caller = MemoryContextSwitchTo(view->context);
	view->area = dsa_attach(shared->area);
	dsa_pin_mapping(view->area);
	MemoryContextSwitchTo(caller);
	return &view->piles;
}

/* Charges so many bytes in place of what was charged before. */
static void
hold(struct PilesView *view, Size bytes)
{
	if (view->budget)
		BudgetHold(view->budget, view->charged, bytes);
	view->charged = bytes;
}

/* Charges what blocks of all writers hold. */
static void
charge(struct PilesView *view)
{
	hold(view, pg_atomic_read_u64(&view->shared->used));
}

/* True where the job has so much memory of its own, and some for blocks that go to tape. */
static bool
has_room(const struct PilesView *view, Size bytes)
{
	return view->area || BudgetLeft(view->budget) > bytes + TAPE_OPEN * PILES_TAPE;
}

/* A block of so many bytes in all, within what the piles may use; 0 where there is no room. */
static PileRef
new_block(struct PilesView *view, Size bytes)
{
	PilesShared *shared = view->shared;
	PileRef ref = 0;

	if (pg_atomic_fetch_add_u64(&shared->used, (int64) bytes) + bytes <= shared->memory &&
		has_room(view, bytes))
		ref = view->area
				  ? dsa_allocate_extended(view->area, bytes, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM)
				  : (PileRef) (uintptr_t) MemoryContextAlloc(view->context, bytes);
	if (ref == 0)
		pg_atomic_fetch_sub_u64(&shared->used, (int64) bytes);
	charge(view);
	return ref;
}

void
PileViewFree(struct PilesView *view, PileRef ref)
{
	PileBlock *block = PileViewBlock(view, ref);

	pg_atomic_fetch_sub_u64(&view->shared->used, (int64) (block->room + PILE_HEADER));
	if (view->area)
		dsa_free(view->area, (dsa_pointer) ref);
	else
		pfree(block);
	charge(view);
}

/* The block that is written to is full, or will not be written to any more. */
static void
settle_block(struct PilesView *view, uint32 pile)
{
	PileBlock *block = view->block[pile];
	PileEnd *end = &view->piles.end[pile];

	block->used = (uint32) (end->at - block->data);
	view->chain[pile].bytes += block->used;
	view->block[pile] = NULL;
	*end = (PileEnd){NULL, NULL};
}

/* Lets a pile be written to from the beginning of a block. */
static void
begin_block(struct PilesView *view, uint32 pile, PileBlock *block)
{
	view->block[pile] = block;
	view->mine[pile] = true;
	view->piles.end[pile] = (PileEnd){block->data, block->data + block->room};
}

static void
begin_tape(struct PilesView *view)
{
	MemoryContext caller = MemoryContextSwitchTo(view->context);
	char name[16];

	view->file = pg_atomic_fetch_add_u32(&view->shared->next_file, 1);
	PrepareTempTablespaces();
	snprintf(name, sizeof(name), "%u", view->file);
	view->tape =
		view->area ? BufFileCreateFileSet(&view->shared->files.fs, name) : BufFileCreateTemp(false);
	view->tape_blocks = 0;
	MemoryContextSwitchTo(caller);
}

/* Appends the block that is written to, to the tape. */
static void
write_tape(struct PilesView *view, uint32 pile)
{
	PileBlock *block = view->block[pile];
	PileChain *chain = &view->chain[pile];

	block->used = (uint32) (view->piles.end[pile].at - block->data);
	if (block->used == 0)
		return;
	if (view->tape == NULL)
		begin_tape(view);
	/* What took from the same file meanwhile left it elsewhere. */
	if (BufFileSeekBlock(view->tape, (long) view->tape_blocks) != 0)
		elog(ERROR, "could not seek to the end of a tape");
	block->before = chain->tape;
	/* What else was in this memory has no business in a file. */
	memset(block->data + block->used, 0, block->room - block->used);
	BufFileWrite(view->tape, block, PILES_TAPE);
	chain->tape = ++view->tape_blocks;
	chain->file = view->file;
	chain->bytes += block->used;
	begin_block(view, pile, block);
}

/* A block that is written to tape again and again. */
static PileBlock *
tape_block(struct PilesView *view)
{
	PileBlock *block = MemoryContextAlloc(view->context, PILES_TAPE);

	block->room = PILES_TAPE - PILE_HEADER;
	pg_atomic_fetch_add_u64(&view->shared->used, PILES_TAPE);
	charge(view);
	return block;
}

static void
free_tape_block(struct PilesView *view, PileBlock *block)
{
	pfree(block);
	pg_atomic_fetch_sub_u64(&view->shared->used, PILES_TAPE);
	charge(view);
}

/* Moves a chain to tape. */
static void
move_chain(struct PilesView *view, uint32 pile)
{
	PileChain *chain = &view->chain[pile];
	PileRef ref;
	PileRef below = 0;

	if (view->block[pile])
		settle_block(view, pile);
	for (ref = chain->last; ref != 0;)
	{
		PileBlock *block = PileViewBlock(view, ref);
		PileRef before = block->before;

		block->before = below;
		below = ref;
		ref = before;
	}
	chain->last = 0;
	chain->bytes = 0;
	for (ref = below; ref != 0; ref = below)
	{
		PileBlock *block = PileViewBlock(view, ref);

		below = block->before;
		PilesWrite(&view->piles, pile, block->data, block->used);
		PileViewFree(view, ref);
	}
}

/* Moves everything that this process has not yet ended to tape. */
static void
go_to_tape(struct PilesView *view)
{
	view->on_tape = true;
	for (uint32 p = 0; p < view->shared->piles; p++)
	{
		bool open = view->block[p] != NULL;

		CHECK_FOR_INTERRUPTS();
		if (view->mine[p])
			move_chain(view, p);
		if (!open)
			PilesClose(&view->piles, p);
	}
}

void *
PilesRoom(Piles *piles, uint32 pile, Size size)
{
	struct PilesView *view = piles->view;
	PileBlock *block = view->block[pile];
	PileChain *chain = &view->chain[pile];
	void *place;

	if (!view->on_tape)
	{
		Size bytes = block ? Min(2 * (block->room + PILE_HEADER), BLOCK_MOST) : BLOCK_FIRST;
		PileRef ref = new_block(view, bytes);

		if (block)
			settle_block(view, pile);
		if (ref == 0)
			go_to_tape(view);
		else
		{
			block = PileViewBlock(view, ref);
			block->before = chain->last;
			block->room = (uint32) (bytes - PILE_HEADER);
			chain->last = ref;
			begin_block(view, pile, block);
		}
	}
	else if (block)
		write_tape(view, pile);
	if (view->block[pile] == NULL)
		begin_block(view, pile, tape_block(view));
	else if (view->on_tape && (Size) (piles->end[pile].limit - piles->end[pile].at) < size)
		write_tape(view, pile);
	place = piles->end[pile].at;
	piles->end[pile].at += size;
	return place;
}

void
PilesWrite(Piles *piles, uint32 pile, const void *bytes, Size size)
{
	const char *from = bytes;
	PileEnd *end = &piles->end[pile];

	while (size > 0)
	{
		Size part = Min(size, (Size) (end->limit - end->at));

		if (part == 0)
		{
			/* No more than makes the next block. */
			PilesRoom(piles, pile, 0);
			continue;
		}
		memcpy(end->at, from, part);
		end->at += part;
		from += part;
		size -= part;
	}
}

void
PilesClose(Piles *piles, uint32 pile)
{
	struct PilesView *view = piles->view;
	PileBlock *block = view->block[pile];

	if (block == NULL)
		return;
	if (!view->on_tape)
	{
		settle_block(view, pile);
		return;
	}
	write_tape(view, pile);
	view->block[pile] = NULL;
	piles->end[pile] = (PileEnd){NULL, NULL};
	free_tape_block(view, block);
}

void
PilesHandOver(Piles *piles, uint32 pile)
{
	PilesClose(piles, pile);
	/* Or it would move to tape, while it is read, once there is no more memory. */
	piles->view->mine[pile] = false;
}

void
PilesEnd(Piles *piles)
{
	struct PilesView *view = piles->view;

	for (uint32 p = 0; p < view->shared->piles; p++)
		PilesClose(piles, p);
	memset(view->mine, 0, sizeof(bool) * view->shared->piles);
	view->on_tape = false;
	/* Other processes see a file once it is closed; where there are none, it is read as it is. */
	if (view->tape && view->area)
	{
		BufFileExportFileSet(view->tape);
		BufFileClose(view->tape);
		view->tape = NULL;
	}
	charge(view);
}

void
PilesSettle(Piles *piles)
{
	struct PilesView *view = piles->view;
	uint64 bytes = 0;

	if (view->area)
		dsa_set_size_limit(view->area, 1);
	for (uint32 p = 0; p < view->shared->piles; p++)
		bytes += PilesBytes(piles, p);
	hold(view, Min(bytes, view->shared->memory));
}

void
PilesToTape(Piles *piles)
{
	go_to_tape(piles->view);
}

uint32
PilesWriters(const Piles *piles)
{
	return piles->view->shared->writers;
}

uint64
PilesBytesOf(const Piles *piles, uint32 pile, uint32 writer)
{
	const PilesShared *shared = piles->view->shared;

	return shared->chain[(Size) writer * shared->piles + pile].bytes;
}

uint64
PilesBytes(const Piles *piles, uint32 pile)
{
	uint64 bytes = 0;

	for (uint32 w = 0; w < piles->view->shared->writers; w++)
		bytes += PilesBytesOf(piles, pile, w);
	return bytes;
}

uint64
PilesMost(const Piles *piles)
{
	uint64 most = 0;

	for (uint32 p = 0; p < piles->view->shared->piles; p++)
		most = Max(most, PilesBytes(piles, p));
	return most;
}

bool
PilesOnTape(const Piles *piles)
{
	return pg_atomic_read_u32(&piles->view->shared->next_file) > 0;
}

bool
PilesIsOnTape(const Piles *piles, uint32 pile)
{
	const PilesShared *shared = piles->view->shared;

	for (uint32 w = 0; w < shared->writers; w++)
		if (shared->chain[(Size) w * shared->piles + pile].tape)
			return true;
	return false;
}

static void
close_files(struct PilesView *view)
{
	if (view->tape)
		BufFileClose(view->tape);
	view->tape = NULL;
	while (view->open)
	{
		BufFileClose(view->open->file);
		view->open = view->open->next;
	}
}

void
PilesLeave(Piles *piles)
{
	struct PilesView *view = piles->view;

	if (view->budget)
		return;
	close_files(view);
	MemoryContextDelete(view->context);
}

void
PilesDrop(Piles *piles)
{
	piles->view->tape = NULL;
	piles->view->open = NULL;
	PilesFree(piles);
}

void
PilesFree(Piles *piles)
{
	struct PilesView *view = piles->view;
	PilesShared *shared = view->shared;
	Budget *budget = view->budget;

	close_files(view);
	/* What ended this may have come while chains were moved to tape: the last block of those left is theirs. */
	for (uint32 p = 0; p < shared->piles; p++)
		if (view->on_tape && view->block[p] && view->chain[p].last == 0)
			free_tape_block(view, view->block[p]);
	if (view->area == NULL)
		for (Size c = 0; c < (Size) shared->piles * shared->writers; c++)
			while (shared->chain[c].last)
			{
				PileRef ref = shared->chain[c].last;

				shared->chain[c].last = PileViewBlock(view, ref)->before;
				PileViewFree(view, ref);
			}
	hold(view, 0);
	forget_view(view);
	BudgetFree(budget, shared);
}
