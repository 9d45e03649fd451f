/*
 * bgnbd.h: how often customers come, and whether they still do: the BG/NBD model of Fader, Hardie
 * and Lee, "Counting your customers" the easy way, Marketing Science 24 (2005).
 *
 * While alive, somebody buys at a rate of their own, gamma distributed over people (r, alpha); after
 * each purchase they leave for good with a chance of their own, beta distributed (a, b).  Of a
 * customer it takes three numbers: x, how often they came again after the first time, t_x, when they
 * last did, and T, how long they are known, both counted from the first time in one unit.
 *
 *   ln L = ln G(r+x)/G(r) + r ln alpha + ln B(a, b+x)/B(a, b) + ln(A + D)
 *   A = (alpha+T)^-(r+x),   D = a/(b+x-1) (alpha+t_x)^-(r+x) where x > 0, else 0
 *   P(alive) = A / (A + D)
 *
 * in logarithms throughout, as in Fader and Hardie, "Overcoming the BG/NBD model's #NUM! error
 * problem" (2013).  The gamma functions differ by whole numbers, so their quotients are products, of
 * which each is made from the one before; where x is large, by Stirling's series.
 *
 * The expected number of purchases in the next t, the paper's (10), is 2F1 times powers, which
 * cancel where a is near 1 and have poles beyond.  The same number is
 *
 *   E[Y(t)] = P(alive) sum over n >= 0 of (b+x)_n/(a+b+x)_n P(N > n),   N ~ NBD(r+x, t/(alpha+T+t)):
 *
 * the chance that somebody who never leaves comes more than n times, and that somebody who does is
 * still there after n of them (2F1 by Euler's and Pfaff's transformations, integrated term by term).
 * All terms are positive, so nothing cancels, whatever the parameters.
 */
#ifndef RECO_BGNBD_H
#define RECO_BGNBD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The parameters; alpha in the unit of the times. */
typedef struct Bgnbd
{
	double r;
	double alpha;
	double a;
	double b;
} Bgnbd;

/* A customer. */
typedef struct BgnbdCustomer
{
	double frequency; /* x, a whole number, up to BGNBD_FREQUENCY_MOST */
	double recency;   /* t_x, 0 where x is */
	double age;       /* T, not below t_x */
} BgnbdCustomer;

#define BGNBD_FREQUENCY_MOST 1e7

/* An order of customers that follows from them alone, for sorts. */
static inline int
BgnbdCompare(const BgnbdCustomer *a, const BgnbdCustomer *b)
{
	if (a->frequency != b->frequency)
		return a->frequency < b->frequency ? -1 : 1;
	if (a->recency != b->recency)
		return a->recency < b->recency ? -1 : 1;
	return a->age < b->age ? -1 : a->age > b->age;
}

/*
 * Parameters are looked for within these; alpha in units of the mean T.  Where the likelihood
 * still rises there, the customers do not tell: nobody leaves, or all are alike.
 */
#define BGNBD_LEAST 1e-4
#define BGNBD_MOST  1e4

/* What a fit found. */
typedef struct BgnbdFit
{
	Bgnbd model;
	double log_likelihood; /* of all customers */
	bool converged;        /* to a maximum within the bounds */
	uint32_t looks;        /* how often all customers were gone through */
} BgnbdFit;

/*
 * The parameters of greatest likelihood, of customers in the order of BgnbdCompare: by Newton's steps on
 * their logarithms, with the second derivatives that there are in closed form.  False, and nothing is
 * found, where nobody came again.  O(count) a look, of which customers who tell take a dozen or two, and
 * those who do not some forty: a parameter that the likelihood sends to its bound goes there by a
 * factor of e a step, since what is left to gain shrinks by as much.  Customers who are alike in all three
 * numbers cost no more than one of them.
 */
extern bool BgnbdFind(const BgnbdCustomer *customer, size_t count, BgnbdFit *fit);

/* The chance that a customer still comes at all; 1 where x is 0. */
extern double BgnbdAlive(const Bgnbd *model, const BgnbdCustomer *customer);

/*
 * How often a customer who is still alive comes in the next span of time; times BgnbdAlive, how
 * often any customer does.  NaN where the sum has more than BGNBD_TERMS_MOST terms: nobody comes so
 * often.
 */
extern double BgnbdExpected(const Bgnbd *model, const BgnbdCustomer *customer, double span);

#define BGNBD_TERMS_MOST 10000000

#endif
