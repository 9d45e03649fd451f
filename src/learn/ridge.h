/*
 * ridge.h: neighbours weighed against each other.
 *
 * For each target j, the weights w of its candidates N(j) solve
 *
 *   (G_NN + lambda * mean(diag G) * I) w = G_Nj,   G = X' diag(h_u^-b) X
 *
 * which is EASE (Steck 2019) restricted to a neighbourhood chosen by counts, as SLIM is in Ning &
 * Karypis 2011, section IV.B.  The ridge is the same for every item: one in proportion to each
 * item's own count was tried by others here and lost 4 to 13 %.
 *
 * Where rows tell what cells are worth as targets, B, weights foresee these: the right side is
 * G_Nj = X' diag(h_u^-b) B_j, and candidates are chosen by what leads to j (learn/next).
 *
 * Cost: k^3 / 6 multiply-adds a target for the solution, k = |N|, besides gathering the system.
 */
#ifndef RECO_RIDGE_H
#define RECO_RIDGE_H

#include "base/team.h"
#include "learn/systems.h"

/* What systems are made of: counted once, solved as often as wanted. */
typedef struct RidgeBasis
{
	CooccurrenceInput input;
	SimilarityRule rule;    /* of the input */
	CooccurrenceSlots from; /* the best of every source by counts */
	CooccurrenceSlots to;   /* the candidates of every target */
	float *gram;            /* below the diagonal, row after row; NULL where it does not fit */
	double *diagonal;       /* G_ii */
	double unit;            /* of both */
	uint32_t *users;        /* n_i, [items] */
	bool counted;           /* by this; otherwise they are another's */
	double *source;         /* what makes similarities sums again: n_i^p; where targets are */
	double *target;         /* counted apart, like this: n_j^q / unit; else NULL */
	Systems *systems;       /* where there is no gram */
} RidgeBasis;

/*
 * Counts: from_k of every source, the candidates of every target.  The input's rule chooses them,
 * and its user exponent is b.  The rows of the input must stay as long as the basis.
 */
extern RidgeBasis *RidgeOpen(const CooccurrenceInput *input, uint32_t from_k, uint32_t candidates,
							 Budget *budget);
extern void RidgeClose(RidgeBasis *basis, Budget *budget);

/*
 * The same of rows that are scaled as more of the matrix are: the k best of every source and target, or as
 * many as there are to be candidates.  Candidates of all those rows are counted along where there is room for
 * both: *all is NULL where they are not.
 */
extern RidgeBasis *RidgeOpenBoth(const CooccurrenceInput *input, uint32_t k, uint32_t candidates,
								 RidgeBasis **all, Budget *budget);

/* How many numbers the systems of so many candidates have together, and what solving them multiplies. */
extern uint64_t RidgeNumbers(const RidgeBasis *basis, uint32_t candidates);
extern double RidgeProducts(const RidgeBasis *basis, uint32_t candidates);

/*
 * The best so many candidates of every target with their weights, which may be below 0, where there is no
 * Gram matrix.  A system that cannot be solved, which rounding alone can bring about, leaves its target without
 * any.
 */
extern CooccurrenceSlots RidgeSolve(const RidgeBasis *basis, double lambda, uint32_t candidates,
									Budget *budget);

/* So many lambda may be solved for at once: a system is looked up once, which takes as long as to solve it. */
#define RIDGE_AT_ONCE 3

/* A part of a team's job that solves systems. */
typedef struct RidgeJob
{
	uint32_t items;
	uint32_t room; /* candidates at most, which scratch memory is made for */
	uint32_t ld;
	uint64_t largest; /* numbers of a system from tape */
	Tape *tape;       /* of the process that made the job, where others cannot join */
	bool crossed;     /* candidates come with the right side of the system */
	bool other;       /* systems are those of the other basis */
	bool taken;       /* candidates are there already */
	uint32_t at_once;
	float
		ridge[RIDGE_AT_ONCE]; /* lambda * mean(diag G), in units of G, which keep it near lambda */
	uint64_t places;          /* of the candidates of one of them; those of the next come then */
	uint64_t places_most;
} RidgeJob;

/* And of its pieces. */
enum
{
	RIDGE_GRAM,       /* below the diagonal, row after row; NULL where systems are on tape */
	RIDGE_DIAGONAL,   /* G_ii */
	RIDGE_BEST_START, /* of every target, best first, where members take candidates from them */
	RIDGE_BEST,
	RIDGE_OTHER_GRAM, /* the same of the other basis, or NULL */
	RIDGE_OTHER_DIAGONAL,
	RIDGE_OTHER_BEST_START,
	RIDGE_OTHER_BEST,
	RIDGE_START, /* candidates of every target */
	RIDGE_SLOT,
	RIDGE_COUNT,
	RIDGE_SYSTEM,       /* of one target, [(k + 1) * ld]; of each member, like the next */
	RIDGE_WEIGHT,       /* [k] */
	RIDGE_PLACE,        /* [k], of candidates in the system from tape; or their numbers */
	RIDGE_SORTED,       /* [k], candidates while they are put in order */
	RIDGE_MEMBER_START, /* of systems from tape, as learn/systems has them, like the rest */
	RIDGE_MEMBER,
	RIDGE_NUMBER_START,
	RIDGE_TAPE,
	RIDGE_NUMBER, /* of the target at hand; of each member */
	RIDGE_PIECES
};

/*
 * The same weights as a part of a longer job, from a Gram matrix that is there.  RidgeRoom makes room for the best
 * so many candidates, and RidgePlan sets up the pieces for as many members as there is memory for; returns
 * their number.  Then as often as wanted RidgeBegin says what for, so many candidates or fewer, and each
 * member works.  RidgeFree gives back what they worked with.
 *
 * Of two, one or the other may be solved, of the same items, by the same members; or the second is NULL.
 */
typedef struct RidgeBases
{
	const RidgeBasis *one;
	const RidgeBasis *other;
} RidgeBases;

extern CooccurrenceSlots RidgeRoom(const RidgeBases *bases, uint32_t candidates, Budget *budget);
extern uint32_t RidgePlan(const RidgeBases *bases, const CooccurrenceSlots *to, RidgeJob *job,
						  void **piece, Budget *budget);
extern void RidgeBegin(const RidgeBasis *basis, double lambda, uint32_t candidates,
					   CooccurrenceSlots *to, RidgeJob *job);

/* Has it solve for another lambda at once; false where there is no room for that.  Then where it is found. */
extern bool RidgeAdd(const RidgeBasis *basis, double lambda, uint32_t candidates,
					 const CooccurrenceSlots *to, RidgeJob *job);
extern CooccurrenceSlots RidgeSolved(const RidgeJob *job, const CooccurrenceSlots *to,
									 uint32_t nth);
extern void RidgeWork(const TeamMember *member, const RidgeJob *job, int first);
extern void RidgeFree(void **piece, Budget *budget);

#endif
