#include "learn/clusters.h"

#include <math.h>
#include <string.h>

#include "base/interrupts.h"
#include "math/hash.h"
#include "math/products.h"

#define ROUNDS     60
#define BEGINNINGS 3
#define SAMPLE     5000 /* users by whom the number of groups is found */
#define SETTLED    1e-7 /* of the sum of squares, a round that gains less is the last */

/* The square of the length of a centre. */
static double
square_of(const double *centre, uint32_t values)
{
	double square = 0;

	for (uint32_t v = 0; v < values; v++)
		square += centre[v] * centre[v];
	return square;
}

/* The square of the distance of a row of length 1 to a centre, by its own square and their product. */
static double
distance_of(double square, double product)
{
	return fmax(1 + square - 2 * product, 0);
}

/* The same of a row and one centre. */
static double
distance_to(const double *centre, double square, const uint32_t *value, const float *root,
			uint64_t cells)
{
	double product = 0;

	for (uint64_t n = 0; n < cells; n++)
		product += centre[value[n]] * root[n];
	return distance_of(square, product);
}

void
ClustersSquares(const double *centre, uint32_t count, uint32_t values, double *square)
{
	for (uint32_t c = 0; c < count; c++)
		square[c] = square_of(centre + (uint64_t) c * values, values);
}

void
ClustersDistances(const double *centre, const double *square, uint32_t count, uint32_t values,
				  const uint32_t *value, const float *root, uint32_t cells, double *distance)
{
	for (uint32_t c = 0; c < count; c++)
		distance[c] = distance_to(centre + (uint64_t) c * values, square[c], value, root, cells);
}

void
ClustersMembership(const double *distance, uint32_t count, double *membership)
{
	double sum = 0;
	uint32_t met = 0;

	for (uint32_t c = 0; c < count; c++)
		met += !(distance[c] > 0);
	for (uint32_t c = 0; c < count; c++)
	{
		membership[c] = met > 0 ? !(distance[c] > 0) : 1 / distance[c];
		sum += membership[c];
	}
	for (uint32_t c = 0; c < count; c++)
		membership[c] /= sum;
}

/* One attempt: centres, the group of each user, and the room to move them. */
typedef struct Attempt
{
	const ClustersInput *input;
	uint32_t users; /* of the input, one in step */
	uint32_t step;
	uint32_t count;
	double *centre;
	double *length;  /* [count], the square of each centre's */
	double *beside;  /* the centres side by side, as math/products has them */
	double *product; /* [ProductsRoom(count)], of a user and each of them */
	double *sum;     /* [count][values] */
	double *best;    /* the centres of the best beginning */
	uint32_t *of;
	uint32_t *size;
	double *nearest; /* [users], the square of the distance to its centre */
	double *next;    /* the same to the next one */
	double squares;
} Attempt;

/* Where the cells of a user begin, and where they end. */
static uint64_t
begin_of(const Attempt *attempt, uint32_t user)
{
	return attempt->input->start[(uint64_t) user * attempt->step];
}

static uint64_t
end_of(const Attempt *attempt, uint32_t user)
{
	return attempt->input->start[(uint64_t) user * attempt->step + 1];
}

/* The square of the distance of a user to a centre. */
static double
distance(const Attempt *attempt, uint32_t user, uint32_t c)
{
	const ClustersInput *input = attempt->input;
	uint64_t begin = begin_of(attempt, user);

	return distance_to(attempt->centre + (uint64_t) c * input->values, attempt->length[c],
					   input->value + begin, input->root + begin, end_of(attempt, user) - begin);
}

static void
measure(Attempt *attempt, uint32_t c)
{
	uint32_t values = attempt->input->values;

	attempt->length[c] = square_of(attempt->centre + (uint64_t) c * values, values);
}

/* Makes a user the centre of a group. */
static void
place(Attempt *attempt, uint32_t c, uint32_t user)
{
	const ClustersInput *input = attempt->input;
	double *at = attempt->centre + (uint64_t) c * input->values;

	memset(at, 0, sizeof(double) * input->values);
	for (uint64_t n = begin_of(attempt, user); n < end_of(attempt, user); n++)
		at[input->value[n]] = input->root[n];
	measure(attempt, c);
}

static double
drawn(uint64_t *state)
{
	return (double) (HashNext(state) >> 11) * 0x1p-53;
}

/* Draws centres, each user with a chance by the square of the distance to those drawn before. */
static void
seed(Attempt *attempt, uint64_t state)
{
	place(attempt, 0, (uint32_t) (drawn(&state) * attempt->users));
	for (uint32_t u = 0; u < attempt->users; u++)
		attempt->nearest[u] = distance(attempt, u, 0);
	for (uint32_t c = 1; c < attempt->count; c++)
	{
		double sum = 0;
		double at;
		uint32_t user = 0;

		INTERRUPTS();
		for (uint32_t u = 0; u < attempt->users; u++)
			sum += attempt->nearest[u];
		at = drawn(&state) * sum;
		while (user + 1 < attempt->users && at >= attempt->nearest[user])
			at -= attempt->nearest[user++];
		place(attempt, c, user);
		for (uint32_t u = 0; u < attempt->users; u++)
		{
			INTERRUPTS_AT(u);
			attempt->nearest[u] = fmin(attempt->nearest[u], distance(attempt, u, c));
		}
	}
}

/* Puts every user into the group of the nearest centre. */
static void
assign(Attempt *attempt)
{
	const ClustersInput *input = attempt->input;

	memset(attempt->size, 0, sizeof(uint32_t) * attempt->count);
	attempt->squares = 0;
	ProductsTurn(attempt->centre, attempt->count, input->values, attempt->beside);
	for (uint32_t u = 0; u < attempt->users; u++)
	{
		uint64_t begin = begin_of(attempt, u);

		INTERRUPTS_AT(u);
		ProductsOf(attempt->beside, attempt->count, input->values, input->value + begin,
				   input->root + begin, end_of(attempt, u) - begin, attempt->product);
		attempt->nearest[u] = attempt->next[u] = INFINITY;
		for (uint32_t c = 0; c < attempt->count; c++)
		{
			double apart = distance_of(attempt->length[c], attempt->product[c]);

			if (apart < attempt->nearest[u])
			{
				attempt->next[u] = attempt->nearest[u];
				attempt->nearest[u] = apart;
				attempt->of[u] = c;
			}
			else if (apart < attempt->next[u])
				attempt->next[u] = apart;
		}
		attempt->size[attempt->of[u]]++;
		attempt->squares += attempt->nearest[u];
	}
}

/* Puts every centre in the middle of its group; one without anybody stays. */
static void
move(Attempt *attempt)
{
	const ClustersInput *input = attempt->input;

	memset(attempt->sum, 0, sizeof(double) * attempt->count * input->values);
	for (uint32_t u = 0; u < attempt->users; u++)
	{
		double *sum = attempt->sum + (uint64_t) attempt->of[u] * input->values;

		INTERRUPTS_AT(u);
		for (uint64_t n = begin_of(attempt, u); n < end_of(attempt, u); n++)
			sum[input->value[n]] += input->root[n];
	}
	for (uint32_t c = 0; c < attempt->count; c++)
	{
		if (attempt->size[c] == 0)
			continue;
		for (uint32_t v = 0; v < input->values; v++)
			attempt->centre[(uint64_t) c * input->values + v] =
				attempt->sum[(uint64_t) c * input->values + v] / attempt->size[c];
		measure(attempt, c);
	}
}

static double
silhouette(const Attempt *attempt)
{
	double sum = 0;

	if (attempt->count < 2)
		return 0;
	for (uint32_t u = 0; u < attempt->users; u++)
	{
		double a = sqrt(attempt->nearest[u]);
		double b = sqrt(attempt->next[u]);

		sum += b > 0 ? (b - a) / b : 0;
	}
	return sum / attempt->users;
}

static bool
large_enough(const Attempt *attempt, uint32_t least)
{
	for (uint32_t c = 0; c < attempt->count; c++)
		if (attempt->size[c] < least)
			return false;
	return true;
}

/* Groups of the users, from one beginning. */
static void
run(Attempt *attempt, uint64_t beginning)
{
	double before = INFINITY;

	seed(attempt, HashMix(beginning + 1));
	for (uint32_t round = 0; round < ROUNDS; round++)
	{
		assign(attempt);
		if (attempt->squares >= before * (1 - SETTLED))
			return;
		before = attempt->squares;
		move(attempt);
	}
	assign(attempt);
}

/* The groups of the beginning from which they come out best. */
static void
run_best(Attempt *attempt)
{
	size_t bytes = sizeof(double) * attempt->count * attempt->input->values;
	double least = INFINITY;

	if (attempt->count == 1)
	{
		run(attempt, 0);
		return;
	}
	for (uint64_t b = 0; b < BEGINNINGS; b++)
	{
		run(attempt, b);
		if (attempt->squares >= least)
			continue;
		least = attempt->squares;
		memcpy(attempt->best, attempt->centre, bytes);
	}
	memcpy(attempt->centre, attempt->best, bytes);
	for (uint32_t c = 0; c < attempt->count; c++)
		measure(attempt, c);
	assign(attempt);
}

/* How many groups there are, by a sample. */
static uint32_t
find_count(Attempt *attempt, uint32_t users)
{
	uint32_t best = 1;
	double most = 0;

	attempt->step = 1 + users / SAMPLE;
	attempt->users = users / attempt->step;
	for (uint32_t count = 2; count <= CLUSTERS_TRIED; count++)
	{
		double apart;

		if (attempt->users < count * CLUSTERS_USERS)
			break;
		attempt->count = count;
		run_best(attempt);
		apart = silhouette(attempt);
		if (apart <= most || !large_enough(attempt, CLUSTERS_USERS))
			continue;
		most = apart;
		best = count;
	}
	return best;
}

static void
make_attempt(Attempt *attempt, const ClustersInput *input, uint32_t most, Budget *budget)
{
	attempt->input = input;
	attempt->centre = BudgetZeroed(budget, (uint64_t) most * (input->values + 1), sizeof(double));
	attempt->sum = BudgetZeroed(budget, (uint64_t) most * (input->values + 1), sizeof(double));
	attempt->best = BudgetZeroed(budget, (uint64_t) most * (input->values + 1), sizeof(double));
	attempt->length = BudgetZeroed(budget, most, sizeof(double));
	attempt->beside =
		BudgetAlloc(budget, (uint64_t) ProductsRoom(most) * (input->values + 1), sizeof(double));
	attempt->product = BudgetAlloc(budget, ProductsRoom(most), sizeof(double));
	attempt->size = BudgetZeroed(budget, most, sizeof(uint32_t));
	attempt->of = BudgetZeroed(budget, (uint64_t) input->users + 1, sizeof(uint32_t));
	attempt->nearest = BudgetZeroed(budget, (uint64_t) input->users + 1, sizeof(double));
	attempt->next = BudgetZeroed(budget, (uint64_t) input->users + 1, sizeof(double));
}

Clusters *
ClustersLearn(const ClustersInput *input, uint32_t wanted, Budget *budget)
{
	Clusters *clusters = BudgetZeroed(budget, 1, sizeof(Clusters));
	Attempt attempt = {0};

	make_attempt(&attempt, input, wanted > 0 ? wanted : CLUSTERS_TRIED, budget);
	attempt.count = wanted > 0 ? wanted : find_count(&attempt, input->users);
	attempt.users = input->users;
	attempt.step = 1;
	while (attempt.count > 1 && input->users < attempt.count * CLUSTERS_USERS)
		attempt.count--;
	for (; input->users > 0; attempt.count--)
	{
		run_best(&attempt);
		if (attempt.count == 1 || large_enough(&attempt, CLUSTERS_USERS))
			break;
	}
	clusters->count = input->users >= CLUSTERS_USERS ? attempt.count : 0;
	clusters->centre = attempt.centre;
	clusters->of = attempt.of;
	clusters->users = attempt.size;
	clusters->silhouette = input->users > 0 ? silhouette(&attempt) : 0;
	BudgetFree(budget, attempt.sum);
	BudgetFree(budget, attempt.best);
	BudgetFree(budget, attempt.length);
	BudgetFree(budget, attempt.beside);
	BudgetFree(budget, attempt.product);
	BudgetFree(budget, attempt.nearest);
	BudgetFree(budget, attempt.next);
	return clusters;
}
