#include "base/piles.h"

#include "commands/tablespace.h"
#include "utils/logtape.h"

/* A block holds so many bytes at first, twice as many the next time, up to the most. */
#define BLOCK_FIRST 512
#define BLOCK_MOST  65536
#define BLOCK_TAPE  8192 /* where piles are on tape */

typedef struct Block
{
	struct Block *before;
	uint32 used; /* bytes */
	uint32 room;
	char data[FLEXIBLE_ARRAY_MEMBER];
} Block;

typedef struct Pile
{
	Block *last;
	uint64 count;
	LogicalTape *tape; /* what came before the last block; NULL where everything is in memory */
} Pile;

struct Piles
{
	uint32 piles;
	Size size;
	Size memory;
	Size used;
	Budget *budget;
	LogicalTapeSet *tapes;
	Pile pile[FLEXIBLE_ARRAY_MEMBER];
};

Piles *
PilesCreate(uint32 piles, Size size, Size memory, Budget *budget)
{
	Piles *all = BudgetZeroed(budget, 1, offsetof(Piles, pile) + sizeof(Pile) * (Size) piles);

	all->piles = piles;
	all->size = size;
	all->memory = memory;
	all->budget = budget;
	return all;
}

static void
free_block(Piles *all, Block *block)
{
	all->used -= block->room;
	BudgetFree(all->budget, block);
}

/* Writes a block and what lies below it, the oldest first. */
static void
write_blocks(Piles *all, Pile *pile, Block *block)
{
	Block *below = NULL;

	while (block)
	{
		Block *before = block->before;

		block->before = below;
		below = block;
		block = before;
	}
	while (below)
	{
		Block *next = below->before;

		LogicalTapeWrite(pile->tape, below->data, below->used);
		free_block(all, below);
		below = next;
	}
}

/* Moves everything to tape. */
static void
go_to_tape(Piles *all)
{
	PrepareTempTablespaces();
	all->tapes = LogicalTapeSetCreate(false, NULL, -1);
	for (uint32 p = 0; p < all->piles; p++)
	{
		Pile *pile = &all->pile[p];

		CHECK_FOR_INTERRUPTS();
		pile->tape = LogicalTapeCreate(all->tapes);
		write_blocks(all, pile, pile->last);
		pile->last = NULL;
	}
}

/* A block with room for one record at least. */
static void
new_block(Piles *all, Pile *pile)
{
	MemoryContext caller = MemoryContextSwitchTo(BudgetContext(all->budget));
	Block *block = pile->last;
	uint32 room = block ? Min(2 * block->room, BLOCK_MOST) : BLOCK_FIRST;

	if (all->tapes == NULL && all->used + room > all->memory)
		go_to_tape(all);
	if (all->tapes)
	{
		room = Min(room, BLOCK_TAPE);
		write_blocks(all, pile, pile->last);
		pile->last = NULL;
	}
	block = BudgetAlloc(all->budget, 1, offsetof(Block, data) + room);
	block->before = pile->last;
	block->used = 0;
	block->room = room;
	pile->last = block;
	all->used += room;
	MemoryContextSwitchTo(caller);
}

void
PilesAdd(Piles *all, uint32 p, const void *record)
{
	Pile *pile = &all->pile[p];

	if (pile->last == NULL || pile->last->used + all->size > pile->last->room)
		new_block(all, pile);
	memcpy(pile->last->data + pile->last->used, record, all->size);
	pile->last->used += (uint32) all->size;
	pile->count++;
}

uint64
PilesCount(const Piles *all, uint32 pile)
{
	return all->pile[pile].count;
}

uint64
PilesMost(const Piles *all)
{
	uint64 most = 0;

	for (uint32 p = 0; p < all->piles; p++)
		most = Max(most, all->pile[p].count);
	return most;
}

bool
PilesOnTape(const Piles *all)
{
	return all->tapes != NULL;
}

void
PilesTake(Piles *all, uint32 p, void *records)
{
	Pile *pile = &all->pile[p];
	char *to = records;

	if (pile->tape)
	{
		MemoryContext caller = MemoryContextSwitchTo(BudgetContext(all->budget));
		Size bytes = all->size * pile->count - (pile->last ? pile->last->used : 0);

		LogicalTapeRewindForRead(pile->tape, BLCKSZ);
		for (Size read; bytes > 0; bytes -= read, to += read)
		{
			read = LogicalTapeRead(pile->tape, to, Min(bytes, 1024 * 1024));
			if (read == 0)
				elog(ERROR, "unexpected end of tape");
			CHECK_FOR_INTERRUPTS();
		}
		LogicalTapeClose(pile->tape);
		pile->tape = NULL;
		MemoryContextSwitchTo(caller);
	}
	while (pile->last)
	{
		Block *block = pile->last;

		memcpy(to, block->data, block->used);
		to += block->used;
		pile->last = block->before;
		free_block(all, block);
	}
	pile->count = 0;
}

void
PilesFree(Piles *all)
{
	for (uint32 p = 0; p < all->piles; p++)
	{
		Pile *pile = &all->pile[p];

		while (pile->last)
		{
			Block *block = pile->last;

			pile->last = block->before;
			free_block(all, block);
		}
	}
	if (all->tapes)
		LogicalTapeSetClose(all->tapes);
	BudgetFree(all->budget, all);
}
