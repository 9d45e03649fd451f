/*
 * mixture.h: rows of neighbours made of what ridge weighs and what the counts say, by a team.
 *
 * Ridge and the counts keep the best of every target; what is stored and served is rows by source.  So
 * both are turned, once for everything that is then tried of them, and each row is made by itself:
 *
 *   weights, damped: w_ij / (n_i^3 n_j)^(damping / 2)
 *   (1 - blend) * weights + blend * counts, the counts scaled to the mass of the weights
 *   of that the k strongest, for and against
 *
 * What a popular item of a history says is worth less, and more so than what is said of a popular item.
 * Both by the same power was a little worse on dense and on sparse data.
 */
#ifndef RECO_MIXTURE_H
#define RECO_MIXTURE_H

#include "base/team.h"
#include "learn/neighbors.h"

typedef struct Mixture Mixture;

/* A part of a team's job: the rows at hand. */
typedef struct MixtureJob
{
	uint32_t items;
	uint32_t k;
	bool weighed; /* there are weights, or the rows are the counts as they are */
	bool damped;
	bool blended;
	bool ordered; /* best first, as they are stored, instead of by index */
	double share;
	double scale; /* of the counts */
} MixtureJob;

/* And of its pieces. */
enum
{
	MIXTURE_WEIGHTS_START, /* by source, in order of index */
	MIXTURE_WEIGHTS,
	MIXTURE_COUNTS_START,
	MIXTURE_COUNTS,
	MIXTURE_FACTOR, /* [items], n_i^(-damping / 2) */
	MIXTURE_START,  /* the rows that are made, [items + 1] */
	MIXTURE_COUNT,
	MIXTURE_ITEM,
	MIXTURE_SIMILARITY,
	MIXTURE_SUPPORT,
	MIXTURE_ROW, /* [items], of each member, like the next */
	MIXTURE_KEY,
	MIXTURE_PIECES
};

/* What it needs room for. */
typedef struct MixtureInput
{
	const RidgeBasis *basis;
	const RidgeBasis *other; /* that weights and counts may be of instead, later; or NULL */
	uint32_t candidates;     /* solved for at most */
	uint32_t k;              /* neighbours of a row at most */
	bool counts;             /* rows may have something of the counts */
	bool whole;              /* rows may be all there is of an item, with what is indirect */
	bool alone;              /* there is no team */
} MixtureInput;

/* Sets up the pieces for as many members as there is memory for; tells their number. */
extern Mixture *MixtureOpen(const MixtureInput *input, void **piece, uint32_t *members,
							Budget *budget);
extern void MixtureClose(Mixture *mixture, Budget *budget);

/* Goes on with weights and counts of the other basis. */
extern void MixtureOther(Mixture *mixture, const RidgeBasis *other);

/* Takes the weights anew, once they are solved. */
extern void MixtureTurn(Mixture *mixture, const CooccurrenceSlots *solved);

/*
 * Begins rows of ridge by options, without what is indirect, or of the counts: those the best of every source
 * are best first.  Of a row the k strongest are kept, whatever the options say.  Then each member works.
 */
extern void MixtureBegin(Mixture *mixture, const SimilarityOptions *options, uint32_t k,
						 bool ordered, MixtureJob *job);
extern void MixtureWork(const TeamMember *member, const MixtureJob *job, int first);

/* The rows at hand, as neighbours; the last ones, for which what they were made of is given back. */
extern Neighbors *MixtureNeighbors(const Mixture *mixture, Budget *budget);
extern Neighbors *MixtureLast(Mixture *mixture, Budget *budget);

/*
 * Makes rows of neighbours in order of index and of others, (1 - share) of these and share of those, which
 * are scaled to the same mass, and put in order of index; the k strongest of each row are kept.
 */
extern void MixtureAdd(Mixture *mixture, const Neighbors *neighbors, Neighbors *others,
					   const SimilarityOptions *options, bool ordered);

#endif
