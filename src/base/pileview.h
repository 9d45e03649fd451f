/*
 * pileview.h: what piles are made of, for base/piles, which fills them, and base/piletake, which empties
 * them.
 */
#ifndef RECO_PILEVIEW_H
#define RECO_PILEVIEW_H

#include "base/piles.h"
#include "port/atomics.h"
#include "storage/buffile.h"
#include "storage/sharedfileset.h"
#include "utils/dsa.h"

/* A block by its place in the area, or its address where memory is this process's own; 0 is none. */
typedef uint64 PileRef;

typedef struct PileBlock
{
	uint64 before; /* PileRef; on tape the number of a block, from 1 on */
	uint32 used;   /* bytes */
	uint32 room;
	char data[FLEXIBLE_ARRAY_MEMBER];
} PileBlock;

#define PILE_HEADER offsetof(PileBlock, data)

/* What one writer put on one pile. */
typedef struct PileChain
{
	PileRef last;
	uint64 bytes; /* in closed blocks */
	uint64 tape;  /* the number of the last block on tape, from 1 on */
	uint32 file;  /* where that is */
} PileChain;

/* What all processes share. */
typedef struct PilesShared
{
	uint32 piles;
	uint32 writers;
	Size memory;
	bool has_area;
	dsa_handle area;
	SharedFileSet files;
	pg_atomic_uint64 used;                  /* bytes of blocks in memory */
	pg_atomic_uint32 next_file;             /* also how many files were begun */
	PileChain chain[FLEXIBLE_ARRAY_MEMBER]; /* [writers][piles] */
} PilesShared;

/* A file that this process reads from. */
typedef struct PileFile
{
	struct PileFile *next;
	uint32 number;
	BufFile *file;
} PileFile;

/* Piles as one process has them. */
struct PilesView
{
	Piles piles;
	struct PilesView *next; /* of this process */
	PilesShared *shared;
	dsa_area *area; /* NULL where memory is this process's own */
	Budget *budget; /* NULL in a process that joined */
	Size charged;   /* to the budget */
	MemoryContext context;
	MemoryContextCallback at_end;
	PileChain *chain;  /* the writer's own */
	PileBlock **block; /* [piles], the last one, while it is written to */
	bool *mine;        /* [piles], written to by this process since it last ended */
	bool on_tape;
	BufFile *tape;
	uint32 file; /* its number */
	uint64 tape_blocks;
	PileFile *open;
};

static inline PileBlock *
PileViewBlock(const struct PilesView *view, PileRef ref)
{
	return view->area ? dsa_get_address(view->area, (dsa_pointer) ref)
					  : (PileBlock *) (uintptr_t) ref;
}

/* Gives the memory of a block back. */
extern void PileViewFree(struct PilesView *view, PileRef ref);

#endif
