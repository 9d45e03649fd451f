/*
 * weighing.h: what is known of users and items before pairs are counted.
 *
 * Each row of a matrix is turned into what the kernel adds up: where cells are all worth the same
 * what a user adds to a pair, otherwise the cells as the measure wants them.  In memory that is done
 * once; of rows on tape it is done whenever they are read, to the same numbers.
 */
#ifndef RECO_WEIGHING_H
#define RECO_WEIGHING_H

#include "learn/rows.h"
#include "math/similarity.h"

/* d_u is looked up for users with fewer items than this, computed for others. */
#define WEIGHING_FACTORS 1024

typedef struct Weighing
{
	Rows rows;
	SimilarityRule rule;
	double factor[WEIGHING_FACTORS];

	/* Of items, [items]. */
	double *length; /* sum of cells as they come; NULL where cells are not weighed by it */
	double mean_length;
	double *mass;         /* sum of d_u * v_ui^2 */
	double *size;         /* n_i, as the family has it */
	double *norm;         /* about the root of the mass, where cells are divided by it */
	uint64_t *item_start; /* [items + 1], offsets in the transpose */
	uint32_t *users;
	float *source; /* n_i^-p, times what sums were divided by, like the next */
	float *target;

	double whole; /* the norm of all items, where cells are all worth the same */
	double most;  /* mass of a pair, there */
	double mean_list;
	uint32_t longest; /* row */
	PairScale scale;

	/*
	 * In memory: the matrix's shape, with cells of our own where they differ; where those come in few values
	 * but for the factors of users, with the number of each instead.
	 */
	Sparse by_user;
	PairLevels levels;
	PairSum *
		step_of_count; /* what a user adds who has so many items; where cells are all worth the same */
	bool borrowed;     /* norms, cells and steps are another's */
} Weighing;

/* Weighs the rows.  O(cells); memory for 4 bytes a cell, or one, where they differ and rows are in
 * memory. */
extern Weighing *WeighingCreate(const Rows *rows, const SimilarityRule *rule, Budget *budget);

/* The same of the first of those rows, scaled as all of them are, as long as that is there. */
extern Weighing *WeighingWithin(const Weighing *whole, const Rows *rows, Budget *budget);
extern void WeighingFree(Weighing *weighing, Budget *budget);

/* True where cells differ, once they are weighed. */
extern bool WeighingValued(const Weighing *weighing);

/* What the user of a row adds to a pair, where cells do not differ. */
extern PairSum WeighingStep(const Weighing *weighing, const Row *row);

/* What every user adds, whatever the number of their items; 0 where that differs, or there is no telling. */
extern PairSum WeighingSame(const Weighing *weighing);

/* The first so many of the row's cells, where they differ. */
extern void WeighingCells(const Weighing *weighing, const Row *row, uint32_t count, float *value);

#endif
