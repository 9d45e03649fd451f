/*
 * cost.c: a sum of products, for seconds and for bytes.
 *
 * How many pairs of items meet is what figures do not say at once.  Item i has n_i of the N cells;
 * if histories were drawn at random, the pairs P = sum of h_u (h_u - 1) would fall on i and j
 * P * n_i / N * n_j / N times, and at least so many times with the chance of a Poisson
 * distribution.  Tastes make that less even, yet on MovieLens 1M, Amazon CDs and the generated
 * sets of 1 and 5 million events the pairs that meet came out within 10 %, and the neighbours
 * that are kept within 15 %, of what was counted.
 */
#include "math/cost.h"

#include <math.h>

/*
 * Measured with bench/cost.sql on PostgreSQL 15, one process of a 2-core machine (AMD EPYC), on
 * MovieLens 1M, Amazon CDs and the generated sets of bench/events.c with 1, 5 and 20 million
 * events: processor time, since other work ran beside.  The script prints what each phase took
 * beside what it was expected to take: after a change of the engine run it, and change what is off.
 * Other work makes the seconds of phases too long by far, not those of the processor: then count the
 * samples of a profiler under the function of each phase.
 */
static const struct
{
	/* Nanoseconds. */
	double read_event;    /* the number of an item, the event on its pile; the query comes on top */
	double read_byte;     /* of an item's id: hashing and comparing */
	double encode_event;  /* sorting piles, summing cells, writing rows */
	double pair;          /* of items of one user, in both orders: additions, and their misses */
	double pair_alike;    /* the same where all cells are worth the same */
	double met;           /* an item that a row meets, where rows are listed */
	double swept;         /* an item that a row may meet, where they are swept */
	double offered;       /* of ridge: such an item offered to the best of both, its sum kept */
	double solve_flop;    /* of a Cholesky decomposition, n^3 / 3 each */
	double solve_look_up; /* one number of a system in the Gram matrix, n^2 / 2 each */
	double deal_run;      /* a candidate's numbers to their place on tape, without a Gram matrix */
	double deal_number;   /* each of them, there and back */
	double pass_cell;     /* one cell read from tape, or copied, for one pass */
	double fold_product; /* of factors: a multiply-add of a system, factors^2 / 2 a cell each way */
	double fold_solve;   /* the same of a solution, factors^3 / 6 a user or item */
	double curve_factor; /* scoring a held-out user: a factor of an item */
	double curve_neighbor; /* scoring a held-out user: a neighbour of an item of the history */
	double row_neighbor;   /* of trials: a neighbour put into a row */
	double row_step;       /* one of the neighbours of its neighbours */
	double list_neighbor;  /* of lists: a neighbour of an item of the history */
	double list_item;      /* an item that may be listed */
	double mix_cell;       /* a cell made from what signals say, by signal */
	double write_item;     /* one row of learned_item */
	double write_factor;   /* storing one row of item_factor, and one number of it */
	double write_number;
	double write_neighbor; /* packing, compressing and storing one neighbour */

	/* Bytes. */
	double any_bytes;     /* of piles and tables whatever is in them */
	double user_bytes;    /* counts and places of a user */
	double item_bytes;    /* number, hash, statistics and places of an item; the id comes on top */
	double event_bytes;   /* of an event on a pile */
	double pile_block;    /* of a block of a pile, the last of which is half empty */
	double cell_bytes;    /* of a cell with a value, once or twice; half where all are alike */
	double order_bytes;   /* of a cell's position, where order is wanted */
	double step_bytes;    /* of a cell while what follows what is counted */
	double scratch_bytes; /* of an item, while rows are counted in memory */
	double sum_bytes;     /* of a pair's sum in passes, for a row that meets many */
	double term_bytes;    /* of what a user adds to one, for the others */
	double member_bytes;  /* of a candidate, where systems are on tape */
	double slot_bytes;    /* of one of the best of an item */
	double stored_bytes;  /* of one neighbour of the result */
	double asked_bytes; /* of one chosen item the match curve asks about, and those drawn beside */
} constants = {
	.read_event = 60,
	.read_byte = 1,
	.encode_event = 100,
	.pair = 0.8,
	.pair_alike = 0.4,
	.met = 21,
	.swept = 1.5,
	.offered = 15,
	.solve_flop = 0.02,
	.solve_look_up = 2,
	.deal_run = 800,
	.deal_number = 2,
	.pass_cell = 5,
	.fold_product = 0.035,
	.fold_solve = 0.1,
	.curve_factor = 0.15,
	.curve_neighbor = 9,
	.row_neighbor = 20,
	.row_step = 4,
	.list_neighbor = 2,
	.list_item = 0.25,
	.mix_cell = 4,
	.write_item = 13000,
	.write_factor = 10000,
	.write_number = 10,
	.write_neighbor = 100,
	.any_bytes = 300000,
	.user_bytes = 20,
	.item_bytes = 150,
	.event_bytes = 20,
	.pile_block = 65536,
	.cell_bytes = 8,
	.order_bytes = 2,
	.step_bytes = 20,
	.scratch_bytes = 20,
	.sum_bytes = 8,
	.term_bytes = 12,
	.member_bytes = 8,
	.slot_bytes = sizeof(Best),
	.stored_bytes = sizeof(Best),
	.asked_bytes = 80,
};

/* Events lie on so many piles, which may take such a share of the memory before they go to tape. */
#define PILES       512
#define PILES_SHARE 0.625

/* In passes, the share of the memory that sums have. */
#define SUMS_SHARE 0.7

/* Rows that meet more than one in so many items are swept, others list what they meet. */
#define SWEPT_SHARE 4

/* Pairs of everybody that are counted along with those of the learners take such a share: they are offered. */
#define ALONG 0.4

/*
 * What trials may have by the prices above, which is a fit, takes such a share of it: of that they had
 * between a third and all, and took about half of what rows and lists of theirs are priced at.  The prices
 * decide which trials there are, so they stay.
 */
#define TRIALS_SHARE 0.5

/* Each process but the first does so much of the work of one. */
#define HELP 0.8

/* How many times as fast as one so many processes are. */
static double
times_faster(double processes)
{
	return 1 + HELP * (processes - 1);
}

/* Kept by target, so many of each source's own best are kept beside, and a few more get in so. */
#define SHOWN       20
#define SHOWN_SHARE 0.6

/* Of a held-out user's items one in so many is asked about, at most so many. */
#define ASKED_SHARE 5
#define ASKED_MOST  30

/* Pairs of common sets: so many times those of users who all have equally many cells. */
#define GUESS_SKEW 2.5

/* The chance that a Poisson variable of this mean is at least so much; O(least), at most 64 terms. */
static double
at_least(double mean, double least)
{
	double term = exp(-mean);
	double below = 0;

	if (least > 64)
		return mean >= least ? 1 : 0;
	for (int n = 0; n < least; n++)
	{
		below += term;
		term *= mean / (n + 1);
	}
	return below < 1 ? 1 - below : 0;
}

/* What one item of a bin expects of the others. */
typedef struct Partners
{
	double met;
	double supported; /* met by min_support users or more */
} Partners;

static Partners
partners_of(const SketchFigures *figures, int bin, double min_support)
{
	const SketchItems *spread = &figures->spread;
	double mean = spread->events[bin] / spread->items[bin];
	double drawn = fmax(figures->pairs - figures->cells, 0);
	Partners partners = {0};

	for (int b = 0; b < SKETCH_BINS; b++)
	{
		double other;
		double meetings;

		if (spread->items[b] <= 0)
			continue;
		other = spread->events[b] / spread->items[b];
		meetings = drawn * (mean / figures->events) * (other / figures->events);
		partners.met += spread->items[b] * at_least(meetings, 1);
		if (fmin(mean, other) >= min_support)
			partners.supported += spread->items[b] * at_least(meetings, min_support);
	}
	return partners;
}

/* Bytes of the values and numbers of all cells. */
static double
cells_bytes(const CostInput *input)
{
	return input->figures.cells * (constants.cell_bytes / (input->alike ? 2 : 1) +
								   (input->ordered ? constants.order_bytes : 0));
}

/* Bytes to have the matrix in memory, and to count from it there. */
static double
matrix_bytes(const CostInput *input)
{
	const SketchFigures *figures = &input->figures;
	double cells = cells_bytes(input);
	double weighed = input->alike ? 0 : cells / 2;

	return figures->users * constants.user_bytes + cells +
		   fmax(cells, weighed + figures->items * constants.scratch_bytes);
}

/* Bytes of the Gram matrix of ridge; 0 where it does not fit, or is not wanted. */
static double
gram_bytes(const CostInput *input)
{
	double half = input->figures.items * input->figures.items / 2 * sizeof(float);
	double left = input->memory - fmin(matrix_bytes(input), input->memory);

	return input->options->rule.kind == SIMILARITY_RIDGE && half <= left / 2 ? half : 0;
}

/* The same of all that are counted at once: of everybody beside the learners, where trials pick and there is room. */
static double
grams_bytes(const CostInput *input)
{
	double gram = gram_bytes(input);
	double left = input->memory - fmin(matrix_bytes(input) + gram, input->memory);

	return input->trials > 0 && input->twice && gram <= left / 2 ? 2 * gram : gram;
}

/* Bytes of all sums, where they are counted in passes. */
static double
sums_bytes(const CostInput *input)
{
	const SketchFigures *figures = &input->figures;

	return fmin(figures->items * figures->items / 2 * constants.sum_bytes,
				fmax(figures->pairs - figures->cells, 0) / 2 * constants.term_bytes);
}

/* Seconds to read the users, and add up, as often as that takes. */
static double
pass_seconds(const CostInput *input)
{
	double passes = ceil(sums_bytes(input) / (SUMS_SHARE * input->memory));

	return 1e-9 * passes * input->figures.cells * constants.pass_cell;
}

/* Learning neighbours once, the pairs that meet, and how many are kept. */
static void
cost_neighbors(const CostInput *input, RefreshCost *cost)
{
	const SimilarityOptions *options = input->options;
	const SketchFigures *figures = &input->figures;
	bool ridge = options->rule.kind == SIMILARITY_RIDGE;
	bool by_target = !ridge && options->keep == SIMILARITY_KEEP_TARGET;
	double help = times_faster(input->processes);
	double rows = 0;
	double flops = 0;
	double look_ups = 0;
	double counting; /* by one process */
	double offering;
	bool in_memory = matrix_bytes(input) <= input->memory;

	for (int b = 0; b < SKETCH_BINS; b++)
	{
		double items = figures->spread.items[b];
		Partners partners;
		double candidates;

		if (items <= 0)
			continue;
		partners = partners_of(figures, b, options->rule.min_support);
		candidates = fmin(partners.supported, options->candidates);
		cost->met += items * partners.met;
		rows +=
			items * (partners.met * SWEPT_SHARE > figures->items ? figures->items * constants.swept
																 : partners.met * constants.met);
		cost->kept += items * fmin(ridge ? candidates : partners.supported, options->k);
		if (by_target)
			cost->kept +=
				items * fmin(fmax(partners.supported - options->k, 0), SHOWN_SHARE * SHOWN);
		flops += items * pow(candidates, 3) / 3;
		look_ups += items * candidates * candidates / 2;
		cost->candidates += items * candidates;
	}
	counting =
		1e-9 * (figures->pairs * (input->alike ? constants.pair_alike : constants.pair) + rows);
	offering = ridge ? 1e-9 * cost->met * constants.offered : 0;
	cost->learn = (counting + offering) / help + (in_memory ? 0 : pass_seconds(input));
	if (!ridge)
		return;
	cost->systems =
		1e-9 / help * (flops * constants.solve_flop + look_ups * constants.solve_look_up);
	cost->solve = cost->systems;
	/* Without a Gram matrix all is counted once more, for systems on tape, and offered to nobody. */
	if (gram_bytes(input) == 0)
		cost->solve += (counting + 1e-9 * (cost->candidates * constants.deal_run +
										   look_ups * constants.deal_number)) /
						   help +
					   (in_memory ? 0 : pass_seconds(input));
}

/*
 * Learns what trials pick instead of the dearest they try, by seconds, from everybody; of the dearest,
 * systems are solved for a part of the candidates only.
 */
static double
cost_picked(const CostInput *input, RefreshCost *cost)
{
	CostInput then = *input;
	RefreshCost picked = {0};

	then.options = input->picked;
	cost_neighbors(&then, &picked);
	cost->kept = picked.kept;
	cost->solve -= cost->systems;
	return picked.learn;
}

/* Seconds to learn again from everybody, whose pairs may have been counted along with those of the learners. */
static double
again_seconds(const CostInput *input, const RefreshCost *cost, double picked)
{
	bool along = grams_bytes(input) > gram_bytes(input);

	if (input->picked)
		return picked + (along ? ALONG * cost->learn : 0);
	return cost->learn * (along ? ALONG : 1) + cost->solve;
}

/* Learning factors, scoring those held out, and storing them. */
static void
cost_factors(const CostInput *input, RefreshCost *cost)
{
	const SketchFigures *figures = &input->figures;
	double factors = input->fold->factors;
	double help = times_faster(input->processes);
	double once = 1e-9 / help * input->fold->iterations *
				  (figures->cells * factors * factors * constants.fold_product +
				   (figures->users + figures->items) * pow(factors, 3) / 6 * constants.fold_solve);
	double scoring = 1e-9 * constants.curve_factor * input->held_out * figures->items * factors;

	cost->solve = once;
	cost->curve = scoring;
	if (input->twice)
		cost->again = once / 4 + scoring;
	cost->write +=
		1e-9 * figures->items * (constants.write_factor + factors * constants.write_number);
}

/* Bytes of the piles that events lie on, while they all lie there. */
static double
pile_bytes(const CostInput *input)
{
	double pile = input->figures.events * constants.event_bytes / PILES;

	/* Blocks double up to their full size; the last is half empty, of doubling ones it is half of all. */
	pile += fmin(pile, constants.pile_block) / 2;
	return fmin(pile * PILES, PILES_SHARE * input->memory);
}

/* Places for the best k of every item, of which one has no more than it can have pairs. */
static double
count_places(const CostInput *input, double k)
{
	const SketchFigures *figures = &input->figures;
	double list = figures->cells > 0 ? figures->pairs / figures->cells : 0;
	double support = input->options->rule.min_support;
	double places = 0;

	for (int b = 0; b < SKETCH_BINS; b++)
	{
		double items = figures->spread.items[b];
		double users = items > 0 ? figures->spread.events[b] / items : 0;

		if (users >= support)
			places += items * fmin(k, users * list / support);
	}
	return places;
}

/* Bytes of the factors of both sides, once more while they are learned again, and of cells by item. */
static double
fold_bytes(const CostInput *input)
{
	const SketchFigures *figures = &input->figures;
	double factor;

	if (input->fold == NULL)
		return 0;
	factor = FoldWidth(input->fold->factors) * sizeof(float);
	return (figures->users + (input->twice ? 2 : 1) * figures->items) * factor + cells_bytes(input);
}

/*
 * Bytes within the limit, at most at one time: of events on piles, of the matrix, of sums; what cannot
 * be on tape is taken to fit.
 */
static double
limited_bytes(const CostInput *input)
{
	double matrix = matrix_bytes(input);
	bool ridge = input->options->rule.kind == SIMILARITY_RIDGE;
	double most = fmax(pile_bytes(input), fmin(matrix + grams_bytes(input), input->memory));

	if (input->options->rule.kind == SIMILARITY_NEXT)
		return fmax(most, matrix + input->figures.cells * constants.step_bytes);
	if (input->fold)
		return fmax(most, matrix + fold_bytes(input));
	if (matrix > input->memory)
		most = fmax(most, fmin(sums_bytes(input), input->memory));
	else if (ridge && gram_bytes(input) == 0)
		most = fmax(most, fmin(matrix + sums_bytes(input), input->memory));
	return most;
}

/*
 * The same of ridge: candidates, and where a team works on all at once, their weights, these by source, and
 * rows.  Trials have the best of every source beside, and the counts by source or weights of a third of the
 * candidates; and candidates of everybody, if these are counted along.
 */
static double
ridge_places(const CostInput *input, const RefreshCost *cost)
{
	double candidates = count_places(input, input->options->candidates);
	double places = candidates;

	if (input->trials > 0)
		places += count_places(input, input->options->k) +
				  count_places(input, input->options->candidates / 3);
	if (gram_bytes(input) > 0)
		places += 2 * cost->candidates + cost->kept;
	return grams_bytes(input) > gram_bytes(input) ? places + candidates : places;
}

/* The most memory at one time: within the limit, and what the result needs. */
static double
cost_bytes(const CostInput *input, const RefreshCost *cost)
{
	const SimilarityOptions *options = input->options;
	const SketchFigures *figures = &input->figures;
	bool ridge = options->rule.kind == SIMILARITY_RIDGE;
	double k = options->k + (options->keep == SIMILARITY_KEEP_TARGET ? SHOWN : 0);
	double best = ridge ? ridge_places(input, cost) : count_places(input, k);
	double asked = fmin(figures->cells / fmax(figures->users, 1) / ASKED_SHARE, ASKED_MOST);
	double curve = input->held_out * asked * constants.asked_bytes;
	double known = constants.any_bytes + figures->items * (constants.item_bytes + input->id_bytes);

	best = best * constants.slot_bytes + cost->kept * constants.stored_bytes;
	if (ridge && gram_bytes(input) == 0)
		best += count_places(input, options->candidates) * constants.member_bytes;
	return known + best + curve + limited_bytes(input);
}

RefreshCost
CostOf(const CostInput *input)
{
	const SketchFigures *figures = &input->figures;
	RefreshCost cost = {0};
	double scoring = 0; /* of those held out, once */
	double picked = 0;

	if (figures->events <= 0)
		return cost;
	cost_neighbors(input, &cost);
	if (input->picked)
		picked = cost_picked(input, &cost);
	cost.read = figures->events *
				(input->row_seconds +
				 1e-9 * (constants.read_event + constants.read_byte * input->id_bytes)) /
				times_faster(input->readers);
	cost.encode = 1e-9 * figures->events * constants.encode_event / times_faster(input->encoders);
	if (input->held_out > 0)
		scoring = 1e-9 * constants.curve_neighbor * input->held_out *
				  (figures->cells / figures->users) * (cost.kept / figures->items);
	if (input->twice)
		cost.again = again_seconds(input, &cost, picked) + scoring;
	/*
	 * A third of the candidates takes a ninth to a 27th of the time, and no system is gathered for it
	 * again; a third of trials solves; all together have no more than a fit.
	 */
	cost.curve = scoring + fmin(input->trials * (scoring + cost.systems / 40),
								TRIALS_SHARE * (cost.learn + cost.systems));
	cost.write =
		1e-9 * (figures->items * constants.write_item + cost.kept * constants.write_neighbor);
	if (input->fold)
		cost_factors(input, &cost);
	cost.bytes = cost_bytes(input, &cost);
	return cost;
}

/* A fit by one process that has all the memory it wants. */
static RefreshCost
fit_alone(const SketchFigures *figures, const SimilarityOptions *options)
{
	CostInput input = {.figures = *figures,
					   .alike = figures->alike,
					   .memory = INFINITY,
					   .processes = 1,
					   .options = options};
	RefreshCost cost = {0};

	if (figures->events > 0)
		cost_neighbors(&input, &cost);
	return cost;
}

double
CostCounting(const SketchFigures *figures, const SimilarityOptions *options)
{
	return fit_alone(figures, options).learn;
}

double
CostFit(const SketchFigures *figures, const SimilarityOptions *options)
{
	RefreshCost cost = fit_alone(figures, options);

	return cost.learn + cost.solve + CostRows(cost.kept, 0);
}

double
CostSolving(double products, double numbers)
{
	return 1e-9 * (2 * products * constants.solve_flop + numbers * constants.solve_look_up);
}

double
CostRows(double neighbors, double steps)
{
	return 1e-9 * (neighbors * constants.row_neighbor + steps * constants.row_step);
}

double
CostLists(double users, double items, double neighbors)
{
	return 1e-9 * (neighbors * constants.list_neighbor + users * items * constants.list_item);
}

double
CostMixing(double cells, double signals)
{
	return 1e-9 * cells * signals * constants.mix_cell;
}

void
CostGuess(double events, double users, double items, SketchFigures *figures)
{
	double harmonic = log(fmax(items, 1)) + 0.58;

	*figures = (SketchFigures){
		.events = events,
		.users = users,
		.items = items,
		.cells = events,
		.pairs = users > 0 ? fmin(GUESS_SKEW * events * events / users, events * items) : 0,
	};
	/* Items as Zipf has them: the one of rank r has a share of 1 / r, in steps of 1.2 times the rank. */
	for (double rank = 1; rank <= items;)
	{
		double next = fmin(fmax(floor(rank * 1.2), rank + 1), items + 1);

		SketchItemsAdd(&figures->spread, next - rank,
					   fmax(events / harmonic / ((rank + next - 1) / 2), 1));
		rank = next;
	}
}
