/*
 * network.h: a small network that gives each item of a list a value, and what a list of values is worth.
 *
 *   f(x) = sum_i a_i x_i  +  sum_h v_h tanh(b_h + sum_i w_hi x_i)
 *
 * one hidden layer beside a linear part (a skip connection), so that without units it is a linear
 * ranker, and units only learn what a line cannot say.  A list with the chosen items P costs
 *
 *   L = -1/|P| sum over p in P of log( e^f(p) / sum over j of e^f(j) )
 *
 * the listwise loss of ListNet with choices in place of grades (Cao, Qin, Liu, Tsai & Li 2007), which
 * bounds NDCG where an item is chosen or not (Bruch, Wang, Bendersky & Najork 2019).  RankNet (Burges
 * et al. 2005) compares pair by pair, O(chosen * rest) where this is O(items); the forces of
 * LambdaRank (Burges 2010) are no gradient of anything that could be held against differences.
 *
 * Steps are those of Adam (Kingma & Ba 2015), algorithm 1.
 */
#ifndef RECO_NETWORK_H
#define RECO_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#define NETWORK_INPUTS_MAX  24
#define NETWORK_UNITS_MAX   16
#define NETWORK_WEIGHTS_MAX (NETWORK_INPUTS_MAX + NETWORK_UNITS_MAX * (NETWORK_INPUTS_MAX + 2))

typedef struct Network
{
	uint32_t inputs;
	uint32_t units;
	/* a_1 .. a_inputs; then of each unit v, b, w_1 .. w_inputs */
	double weight[NETWORK_WEIGHTS_MAX];
} Network;

static inline uint32_t
NetworkWeights(const Network *network)
{
	return network->inputs + network->units * (network->inputs + 2);
}

/* The places of a unit's weights: v, then b, then w. */
static inline uint32_t
NetworkUnit(const Network *network, uint32_t unit)
{
	return network->inputs + unit * (network->inputs + 2);
}

/*
 * A network that says nothing yet: a = 0 and v = 0, and w drawn by lot from +-sqrt(3 / inputs) (LeCun,
 * Bottou, Orr & Mueller 1998), from a seed and so always the same.
 */
extern void NetworkInit(Network *network, uint32_t inputs, uint32_t units, uint64_t seed);

/* f(x); hidden, [units] or NULL, takes what the units say.  O(weights). */
extern double NetworkValue(const Network *network, const float *x, double *hidden);

/* Adds d * df/dw to gradient[weights], for an x whose units say hidden.  O(weights). */
extern void NetworkGradient(const Network *network, const float *x, const double *hidden, double d,
							double *gradient);

/*
 * L of a list, and to slope[count] what it changes by with each value; chosen[n] is 1 or 0, and not all
 * are 0.  O(count).
 */
extern double NetworkLoss(const double *value, const unsigned char *chosen, uint32_t count,
						  double *slope);

/* What Adam remembers. */
typedef struct NetworkAdam
{
	uint64_t steps;
	double mean[NETWORK_WEIGHTS_MAX];
	double square[NETWORK_WEIGHTS_MAX];
} NetworkAdam;

/* One step down the gradient, to which decay times each weight but the b is added first. */
extern void NetworkStep(Network *network, NetworkAdam *adam, const double *gradient, double rate,
						double decay);

#endif
