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
#include "base/piles.h"

#include "commands/tablespace.h"
#include "port/atomics.h"
#include "storage/buffile.h"
#include "storage/lwlock.h"
#include "storage/sharedfileset.h"
#include "utils/dsa.h"
#include "utils/memutils.h"

/* A block has so many bytes at first, twice as many the next time, up to the most. */
#define BLOCK_FIRST 512
#define BLOCK_MOST  65536

/* The area's first segment, and the least memory that is worth one. */
#define AREA_FIRST (1024 * 1024)
#define AREA_LEAST (4 * AREA_FIRST)

/* While piles are filled one after the other, so many are open. */
#define TAPE_OPEN 3

/* A block by its place in the area, or its address where memory is this process's own; 0 is none. */
typedef uint64 BlockRef;

typedef struct Block
{
	uint64 before; /* BlockRef; on tape the number of a block, from 1 on */
	uint32 used;   /* bytes */
	uint32 room;
	char data[FLEXIBLE_ARRAY_MEMBER];
} Block;

#define BLOCK_HEADER offsetof(Block, data)

StaticAssertDecl(BLOCK_FIRST >= BLOCK_HEADER + 256,
				 "a block has room for whatever PilesPlace may want");

/* What one writer put on one pile. */
typedef struct Chain
{
	BlockRef last;
	uint64 bytes; /* in closed blocks */
	uint64 tape;  /* the number of the last block on tape, from 1 on */
	uint32 file;  /* where that is */
} Chain;

/* What all processes share. */
typedef struct Shared
{
	uint32 piles;
	uint32 writers;
	Size memory;
	bool has_area;
	dsa_handle area;
	SharedFileSet files;
	pg_atomic_uint64 used;              /* bytes of blocks in memory */
	pg_atomic_uint32 next_file;         /* also how many files were begun */
	Chain chain[FLEXIBLE_ARRAY_MEMBER]; /* [writers][piles] */
} Shared;

/* A file that this process reads from. */
typedef struct OpenFile
{
	struct OpenFile *next;
	uint32 number;
	BufFile *file;
} OpenFile;

struct PilesView
{
	Piles piles;
	struct PilesView *next; /* of this process */
	Shared *shared;
	dsa_area *area; /* NULL where memory is this process's own */
	Budget *budget; /* NULL in a process that joined */
	Size charged;   /* to the budget */
	MemoryContext context;
	MemoryContextCallback at_end;
	Chain *chain;  /* the writer's own */
	Block **block; /* [piles], the last one, while it is written to */
	bool *mine;    /* [piles], written to by this process since it last ended */
	bool on_tape;
	BufFile *tape;
	uint32 file; /* its number */
	uint64 tape_blocks;
	OpenFile *open;
};

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
open_view(Shared *shared, uint32 writer, MemoryContext context)
{
	struct PilesView *view = MemoryContextAllocZero(context, sizeof(struct PilesView));

	Assert(writer < shared->writers);
	view->shared = shared;
	view->context = context;
	view->chain = &shared->chain[(Size) writer * shared->piles];
	view->block = MemoryContextAllocZero(context, sizeof(Block *) * shared->piles);
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
	Shared *shared = view->shared;
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
	Size size = offsetof(Shared, chain) + sizeof(Chain) * (Size) piles * writers;
	Shared *shared = BudgetAllocSharedResult(budget, 1, size);
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
	Shared *shared = piece;
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

static Block *
block_at(const struct PilesView *view, BlockRef ref)
{
	return view->area ? dsa_get_address(view->area, (dsa_pointer) ref) : (Block *) (uintptr_t) ref;
}

/* True where the job has so much memory of its own, and some for blocks that go to tape. */
static bool
has_room(const struct PilesView *view, Size bytes)
{
	return view->area || BudgetLeft(view->budget) > bytes + TAPE_OPEN * PILES_TAPE;
}

/* A block of so many bytes in all, within what the piles may use; 0 where there is no room. */
static BlockRef
new_block(struct PilesView *view, Size bytes)
{
	Shared *shared = view->shared;
	BlockRef ref = 0;

	if (pg_atomic_fetch_add_u64(&shared->used, (int64) bytes) + bytes <= shared->memory &&
		has_room(view, bytes))
		ref = view->area
				  ? dsa_allocate_extended(view->area, bytes, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM)
				  : (BlockRef) (uintptr_t) MemoryContextAlloc(view->context, bytes);
	if (ref == 0)
		pg_atomic_fetch_sub_u64(&shared->used, (int64) bytes);
	charge(view);
	return ref;
}

static void
free_block(struct PilesView *view, BlockRef ref)
{
	Block *block = block_at(view, ref);

	pg_atomic_fetch_sub_u64(&view->shared->used, (int64) (block->room + BLOCK_HEADER));
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
	Block *block = view->block[pile];
	PileEnd *end = &view->piles.end[pile];

	block->used = (uint32) (end->at - block->data);
	view->chain[pile].bytes += block->used;
	view->block[pile] = NULL;
	*end = (PileEnd){NULL, NULL};
}

/* Lets a pile be written to from the beginning of a block. */
static void
begin_block(struct PilesView *view, uint32 pile, Block *block)
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
	Block *block = view->block[pile];
	Chain *chain = &view->chain[pile];

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
static Block *
tape_block(struct PilesView *view)
{
	Block *block = MemoryContextAlloc(view->context, PILES_TAPE);

	block->room = PILES_TAPE - BLOCK_HEADER;
	pg_atomic_fetch_add_u64(&view->shared->used, PILES_TAPE);
	charge(view);
	return block;
}

static void
free_tape_block(struct PilesView *view, Block *block)
{
	pfree(block);
	pg_atomic_fetch_sub_u64(&view->shared->used, PILES_TAPE);
	charge(view);
}

/* Moves a chain to tape. */
static void
move_chain(struct PilesView *view, uint32 pile)
{
	Chain *chain = &view->chain[pile];
	BlockRef ref;
	BlockRef below = 0;

	if (view->block[pile])
		settle_block(view, pile);
	for (ref = chain->last; ref != 0;)
	{
		Block *block = block_at(view, ref);
		BlockRef before = block->before;

		block->before = below;
		below = ref;
		ref = before;
	}
	chain->last = 0;
	chain->bytes = 0;
	for (ref = below; ref != 0; ref = below)
	{
		Block *block = block_at(view, ref);

		below = block->before;
		PilesWrite(&view->piles, pile, block->data, block->used);
		free_block(view, ref);
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
	Block *block = view->block[pile];
	Chain *chain = &view->chain[pile];
	void *place;

	if (!view->on_tape)
	{
		Size bytes = block ? Min(2 * (block->room + BLOCK_HEADER), BLOCK_MOST) : BLOCK_FIRST;
		BlockRef ref = new_block(view, bytes);

		if (block)
			settle_block(view, pile);
		if (ref == 0)
			go_to_tape(view);
		else
		{
			block = block_at(view, ref);
			block->before = chain->last;
			block->room = (uint32) (bytes - BLOCK_HEADER);
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
	Block *block = view->block[pile];

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
	const Shared *shared = piles->view->shared;

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
	const Shared *shared = piles->view->shared;

	for (uint32 w = 0; w < shared->writers; w++)
		if (shared->chain[(Size) w * shared->piles + pile].tape)
			return true;
	return false;
}

/* The file of a number, open for reading. */
static BufFile *
file_of(struct PilesView *view, uint32 number)
{
	MemoryContext caller;
	char name[16];
	OpenFile *open = view->open;

	if (view->area == NULL)
		return view->tape;
	while (open && open->number != number)
		open = open->next;
	if (open == NULL)
	{
		caller = MemoryContextSwitchTo(view->context);
		open = palloc(sizeof(OpenFile));
		snprintf(name, sizeof(name), "%u", number);
		*open = (OpenFile){view->open, number, NULL};
		open->file = BufFileOpenFileSet(&view->shared->files.fs, name, O_RDONLY, false);
		view->open = open;
		MemoryContextSwitchTo(caller);
	}
	return open->file;
}

/* Moves the blocks of a chain that are on tape to where they end. */
static void
take_tape(struct PilesView *view, const Chain *chain, char *end)
{
	BufFile *file = file_of(view, chain->file);
	PGAlignedBlock page;
	const Block *block = (const Block *) page.data;

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
	Chain *chain = &view->shared->chain[(Size) writer * view->shared->piles + pile];
	char *end = (char *) to + chain->bytes;
	char *at = end;

	if (chain->tape)
		take_tape(view, chain, end);
	while (chain->last)
	{
		BlockRef ref = chain->last;
		Block *block = block_at(view, ref);

		at -= block->used;
		memcpy(at, block->data, block->used);
		chain->last = block->before;
		free_block(view, ref);
	}
	*chain = (Chain){0};
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
	const Block *block;
	BlockRef ref; /* of the block, 0 where it is from tape */
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

static Chain *
back_chain(const PilesBack *back)
{
	return &back->view->shared->chain[(Size) back->writer * back->view->shared->piles + back->pile];
}

/* Gives the block at hand back, and gets the one before it. */
static void
back_block(PilesBack *back)
{
	struct PilesView *view = back->view;
	Chain *chain;

	CHECK_FOR_INTERRUPTS();
	if (back->ref != 0)
		free_block(view, back->ref);
	back->ref = 0;
	while (back->writer == view->shared->writers ||
		   (back_chain(back)->last == 0 && back_chain(back)->tape == 0))
	{
		if (back->writer < view->shared->writers)
			*back_chain(back) = (Chain){0};
		if (back->writer-- == 0)
			elog(ERROR, "unexpected beginning of a pile");
	}
	chain = back_chain(back);
	if (chain->last)
	{
		back->ref = chain->last;
		back->block = block_at(view, back->ref);
		chain->last = back->block->before;
	}
	else
	{
		BufFile *file = file_of(view, chain->file);

		if (BufFileSeekBlock(file, (long) (chain->tape - 1)) != 0 ||
			BufFileRead(file, back->page.data, PILES_TAPE) != PILES_TAPE)
			elog(ERROR, "unexpected end of tape");
		back->block = (const Block *) back->page.data;
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
		free_block(back->view, back->ref);
	if (back->writer < back->view->shared->writers)
		*back_chain(back) = (Chain){0};
	BudgetFree(budget, back);
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
	Shared *shared = view->shared;
	Budget *budget = view->budget;

	close_files(view);
	for (uint32 p = 0; p < shared->piles; p++)
		if (view->on_tape && view->block[p])
			free_tape_block(view, view->block[p]);
	if (view->area == NULL)
		for (Size c = 0; c < (Size) shared->piles * shared->writers; c++)
			while (shared->chain[c].last)
			{
				BlockRef ref = shared->chain[c].last;

				shared->chain[c].last = block_at(view, ref)->before;
				free_block(view, ref);
			}
	hold(view, 0);
	forget_view(view);
	BudgetFree(budget, shared);
}
