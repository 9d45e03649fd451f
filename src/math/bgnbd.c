#include "math/bgnbd.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/interrupts.h"

/* The four parameters, as the search has them: their logarithms, alpha in units of the mean T. */
enum
{
	LOG_R,
	LOG_ALPHA,
	LOG_A,
	LOG_B,
	PARAMETERS
};

/* The bounds of each. */
#define LOG_LEAST log(BGNBD_LEAST)
#define LOG_MOST  log(BGNBD_MOST)

/* The search ends where no parameter moves the mean ln L by more than this in its logarithm. */
#define SLOPE_SETTLED 1e-9

/* Where rounding lets ln L rise no more, the slope must be this small to count as a maximum. */
#define SLOPE_FLAT 1e-5

/* Twenty or thirty do, also where a parameter goes from one bound to the other. */
#define STEPS_MOST 100

/* A step that would go further in a logarithm is cut. */
#define STEP_LONGEST 2.0

/* Armijo's condition, and how often a step is halved for it. */
#define RISE_LEAST  1e-4
#define HALVES_MOST 40

/* What is left of a pivot that rounding made. */
#define PIVOT_LEAST 1e-12

/*
 * What is added to bends that do not go up in every direction, as a share of them and of the slopes:
 * first so much, then ten times as much, at most so often.
 */
#define ADDED_FIRST 1e-6
#define ADDED_MOST  30

/* What is known of a customer beside T and t_x: A and D as logarithms, times alpha^(r+x) both. */
typedef struct Chances
{
	double since_first; /* ln(1 + T / alpha) */
	double since_last;  /* ln(1 + t_x / alpha) */
	double alive;       /* P(alive), A / (A + D) */
	double left;        /* D / (A + D), 0 where x is 0 */
	double either;      /* ln(A + D) */
} Chances;

/* ln(1 + time / alpha), also where that quotient is too large. */
static double
log_beyond(double alpha, double time)
{
	return time > alpha ? log(alpha + time) - log(alpha) : log1p(time / alpha);
}

static Chances
chances_of(const Bgnbd *model, double x, double recency, double age)
{
	Chances chances = {.since_first = log_beyond(model->alpha, age), .alive = 1};
	double log_alive = -(model->r + x) * chances.since_first;
	double log_left;
	double less;

	chances.either = log_alive;
	if (!(x > 0))
		return chances;
	chances.since_last = log_beyond(model->alpha, recency);
	log_left = log(model->a / (model->b + x - 1)) - (model->r + x) * chances.since_last;
	less = exp(-fabs(log_alive - log_left));
	chances.either = fmax(log_alive, log_left) + log1p(less);
	chances.alive = (log_alive < log_left ? less : 1) / (1 + less);
	chances.left = (log_alive < log_left ? 1 : less) / (1 + less);
	return chances;
}

/*
 * The parts of ln L, its slopes and bends that go by x alone, for rising x: sums over j < x of
 * ln(r + j) and ln((b + j) / (a + b + j)), their first and their second derivatives.
 */
typedef struct Rising
{
	double x;
	double log_r;
	double log_stay;
	double slope_r;
	double slope_a;
	double slope_b;
	double bend_r;
	double bend_a; /* twice by a, and by a and b */
	double bend_b;
} Rising;

/* One j more. */
static void
rise(const Bgnbd *model, Rising *rising)
{
	double j = rising->x++;
	double sum = model->a + model->b + j;
	double stays = model->b + j;

	rising->log_r += log(model->r + j);
	rising->log_stay += model->a < stays ? log1p(-model->a / sum) : log(stays / sum);
	rising->slope_r += 1 / (model->r + j);
	rising->slope_a -= 1 / sum;
	rising->slope_b += model->a / (sum * stays);
	rising->bend_r -= 1 / ((model->r + j) * (model->r + j));
	rising->bend_a += 1 / (sum * sum);
	rising->bend_b -= model->a * (sum + stays) / (sum * sum * stays * stays);
}

/* From here on Stirling's series are exact to a double, and a leap costs what some single steps do. */
#define LEAP_FROM  64
#define LEAP_LEAST 8

/* ln G(y) without its constant, and its two derivatives, of y from LEAP_FROM on (DLMF 5.11.1, 5.11.2, 5.15.8). */
static double
log_gamma(double y)
{
	double square = y * y;

	return (y - 0.5) * log(y) - y +
		   (1 / 12.0 - (1 / 360.0 - (1 / 1260.0 - 1 / (1680 * square)) / square) / square) / y;
}

static double
digamma(double y)
{
	double square = y * y;

	return log(y) - 1 / (2 * y) -
		   (1 / 12.0 - (1 / 120.0 - (1 / 252.0 - 1 / (240 * square)) / square) / square) / square;
}

static double
trigamma(double y)
{
	double square = y * y;

	return (1 + 1 / (2 * y) +
			(1 / 6.0 - (1 / 30.0 - (1 / 42.0 - 1 / (30 * square)) / square) / square) / square) /
		   y;
}

/* As many j as there are up to x. */
static void
leap(const Bgnbd *model, double x, Rising *rising)
{
	double from = rising->x;
	double sum = model->a + model->b;
	double slope = digamma(sum + x) - digamma(sum + from);
	double bend = trigamma(sum + x) - trigamma(sum + from);

	rising->log_r += log_gamma(model->r + x) - log_gamma(model->r + from);
	rising->log_stay += log_gamma(model->b + x) - log_gamma(model->b + from) -
						(log_gamma(sum + x) - log_gamma(sum + from));
	rising->slope_r += digamma(model->r + x) - digamma(model->r + from);
	rising->slope_a -= slope;
	rising->slope_b += digamma(model->b + x) - digamma(model->b + from) - slope;
	rising->bend_r += trigamma(model->r + x) - trigamma(model->r + from);
	rising->bend_a -= bend;
	rising->bend_b += trigamma(model->b + x) - trigamma(model->b + from) - bend;
	rising->x = x;
}

static void
rise_to(const Bgnbd *model, double x, Rising *rising)
{
	if (x < rising->x)
		memset(rising, 0, sizeof(*rising));
	while (rising->x < x && (rising->x < LEAP_FROM || x - rising->x < LEAP_LEAST))
		rise(model, rising);
	if (rising->x < x)
		leap(model, x, rising);
}

/* How many customers from one on are the same as that, who need be looked at once. */
static size_t
count_same(const BgnbdCustomer *customer, size_t count)
{
	size_t same = 1;

	while (same < count && BgnbdCompare(&customer[0], &customer[same]) == 0)
		same++;
	return same;
}

/* ln L of customers in the order of BgnbdFind. */
static double
log_likelihood(const Bgnbd *model, const BgnbdCustomer *customer, size_t count)
{
	Rising rising = {0};
	double log_alpha = log(model->alpha);
	double sum = 0;
	size_t kinds = 0;

	for (size_t c = 0, same; c < count; c += same, kinds++)
	{
		double x = customer[c].frequency;

		INTERRUPTS_AT(kinds);
		same = count_same(customer + c, count - c);
		rise_to(model, x, &rising);
		sum += (double) same * (rising.log_r - x * log_alpha + rising.log_stay +
								chances_of(model, x, customer[c].recency, customer[c].age).either);
	}
	return sum;
}

/* Customers as the search has them. */
typedef struct Search
{
	const BgnbdCustomer *customer;
	size_t count;
	double unit;    /* the mean T */
	uint32_t looks; /* how often all were gone through */
} Search;

/* A place, and the mean of -ln L there with its slopes and bends by the logarithms of the parameters. */
typedef struct Place
{
	double at[PARAMETERS];
	double loss;
	double slope[PARAMETERS];
	double bend[PARAMETERS][PARAMETERS];
} Place;

static Bgnbd
model_at(const double *at)
{
	return (Bgnbd){exp(at[LOG_R]), exp(at[LOG_ALPHA]), exp(at[LOG_A]), exp(at[LOG_B])};
}

/* Adds ln L of so many customers, with its slopes and bends by the parameters themselves. */
static void
add_customers(const Bgnbd *model, const Rising *rising, double recency, double age, double count,
			  Place *place)
{
	double x = rising->x;
	double k = model->r + x;
	Chances chances = chances_of(model, x, recency, age);
	double alive = chances.alive / (model->alpha + age);
	double left = chances.left / (model->alpha + recency);
	double both = count * chances.alive * chances.left;
	double apart[PARAMETERS] = {0}; /* slopes of ln A - ln D */

	place->loss +=
		count * (rising->log_r - x * log(model->alpha) + rising->log_stay + chances.either);
	place->slope[LOG_R] += count * (rising->slope_r - chances.alive * chances.since_first -
									chances.left * chances.since_last);
	place->slope[LOG_ALPHA] += count * (model->r / model->alpha - k * (alive + left));
	place->slope[LOG_A] += count * (rising->slope_a + chances.left / model->a);
	place->slope[LOG_B] += count * rising->slope_b;

	place->bend[LOG_R][LOG_R] += count * rising->bend_r;
	place->bend[LOG_ALPHA][LOG_R] += count * (1 / model->alpha - alive - left);
	place->bend[LOG_ALPHA][LOG_ALPHA] +=
		count * (k * (alive / (model->alpha + age) + left / (model->alpha + recency)) -
				 model->r / (model->alpha * model->alpha));
	place->bend[LOG_A][LOG_A] += count * (rising->bend_a - chances.left / (model->a * model->a));
	place->bend[LOG_B][LOG_A] += count * rising->bend_a;
	place->bend[LOG_B][LOG_B] += count * rising->bend_b;
	if (!(x > 0))
		return;
	place->slope[LOG_B] -= count * chances.left / (model->b + x - 1);
	place->bend[LOG_B][LOG_B] += count * chances.left / ((model->b + x - 1) * (model->b + x - 1));
	apart[LOG_R] = chances.since_last - chances.since_first;
	apart[LOG_ALPHA] = k * (1 / (model->alpha + recency) - 1 / (model->alpha + age));
	apart[LOG_A] = -1 / model->a;
	apart[LOG_B] = 1 / (model->b + x - 1);
	for (int p = 0; p < PARAMETERS; p++)
		for (int q = 0; q <= p; q++)
			place->bend[p][q] += both * apart[p] * apart[q];
}

/* Makes sums over customers, by the parameters, means of -ln L by their logarithms. */
static void
turn(const Search *search, const Bgnbd *model, Place *place)
{
	const double parameter[PARAMETERS] = {model->r, model->alpha, model->a, model->b};

	place->loss /= -(double) search->count;
	for (int p = 0; p < PARAMETERS; p++)
	{
		place->slope[p] *= -parameter[p] / (double) search->count;
		for (int q = 0; q <= p; q++)
			place->bend[p][q] *= -parameter[p] * parameter[q] / (double) search->count;
		place->bend[p][p] += place->slope[p];
	}
}

/* Looks at the customers from a place. */
static void
look(Search *search, Place *place)
{
	Bgnbd model = model_at(place->at);
	Rising rising = {0};
	size_t kinds = 0;

	place->loss = 0;
	memset(place->slope, 0, sizeof(place->slope));
	memset(place->bend, 0, sizeof(place->bend));
	for (size_t c = 0, same; c < search->count; c += same, kinds++)
	{
		const BgnbdCustomer *customer = &search->customer[c];

		INTERRUPTS_AT(kinds);
		same = count_same(customer, search->count - c);
		rise_to(&model, customer->frequency, &rising);
		add_customers(&model, &rising, customer->recency / search->unit,
					  customer->age / search->unit, (double) same, place);
	}
	turn(search, &model, place);
	search->looks++;
}

/* Whether a parameter is at a bound that a change of it would lead out of. */
static bool
leads_out(double at, double change)
{
	return (at <= LOG_LEAST && change < 0) || (at >= LOG_MOST && change > 0);
}

/* The greatest slope, leaving out those that would lead out of bounds. */
static double
greatest_slope(const Place *place)
{
	double greatest = 0;

	for (int p = 0; p < PARAMETERS; p++)
		if (!leads_out(place->at[p], -place->slope[p]))
			greatest = fmax(greatest, fabs(place->slope[p]));
	return greatest;
}

static bool
is_at_bound(const double *at)
{
	for (int p = 0; p < PARAMETERS; p++)
		if (at[p] <= LOG_LEAST || at[p] >= LOG_MOST)
			return true;
	return false;
}

static double
product(const double *a, const double *b)
{
	double sum = 0;

	for (int p = 0; p < PARAMETERS; p++)
		sum += a[p] * b[p];
	return sum;
}

/*
 * Newton's step for the parameters that are not held, with something added to the diagonal of the
 * bends: by Cholesky's factor of theirs, in which the others are a system of their own that does
 * not move.  False where the bends do not go up in every direction.
 */
static bool
solve(const Place *place, const bool *held, double added, double *step)
{
	double root[PARAMETERS][PARAMETERS];

	for (int p = 0; p < PARAMETERS; p++)
	{
		step[p] = held[p] ? 0 : -place->slope[p];
		for (int q = 0; q <= p; q++)
		{
			double whole = held[p] || held[q] ? p == q : place->bend[p][q];
			double rest;

			if (p == q)
				whole += added * (fabs(whole) + fabs(place->slope[p]) + SLOPE_SETTLED);
			rest = whole;
			for (int k = 0; k < q; k++)
				rest -= root[p][k] * root[q][k];
			if (p == q && !(rest > PIVOT_LEAST * fabs(whole)))
				return false;
			root[p][q] = p == q ? sqrt(rest) : rest / root[q][q];
		}
		for (int k = 0; k < p; k++)
			step[p] -= root[p][k] * step[k];
		step[p] /= root[p][p];
	}
	for (int p = PARAMETERS - 1; p >= 0; p--)
	{
		for (int k = p + 1; k < PARAMETERS; k++)
			step[p] -= root[k][p] * step[k];
		step[p] /= root[p][p];
	}
	return true;
}

/*
 * The same within the bounds: held are parameters at a bound that downhill leads out of, or that the step of
 * all would.  A step that all make together is none where one of them does not follow, so the others
 * go as if there were no more of them (Bertsekas, "Projected Newton methods", SIAM J. Control
 * Optim. 20, 1982).  False where that does not lead down.
 */
static bool
solve_within(const Place *place, double added, double *step)
{
	bool held[PARAMETERS];
	bool within = false;

	for (int p = 0; p < PARAMETERS; p++)
		held[p] = leads_out(place->at[p], -place->slope[p]);
	while (!within)
	{
		if (!solve(place, held, added, step))
			return false;
		within = true;
		for (int p = 0; p < PARAMETERS; p++)
			if (leads_out(place->at[p], step[p]))
			{
				held[p] = true;
				within = false;
			}
	}
	return product(step, place->slope) < 0;
}

/* Cuts a step to what is allowed in any parameter, and to the first bound that it meets. */
static void
shorten(const Place *place, double *step)
{
	double longest = 0;
	double part = 1;

	for (int p = 0; p < PARAMETERS; p++)
		longest = fmax(longest, fabs(step[p]));
	if (longest > STEP_LONGEST)
		part = STEP_LONGEST / longest;
	for (int p = 0; p < PARAMETERS; p++)
		if (step[p] != 0)
			part = fmin(part, ((step[p] < 0 ? LOG_LEAST : LOG_MOST) - place->at[p]) / step[p]);
	for (int p = 0; p < PARAMETERS; p++)
		step[p] *= part;
}

/* The next step: Newton's, or what lies between that and straight downhill; false where there is none. */
static bool
choose_step(const Place *place, double *step)
{
	double added = 0;

	for (int more = 0; more < ADDED_MOST; more++)
	{
		if (solve_within(place, added, step))
		{
			shorten(place, step);
			return true;
		}
		added = more == 0 ? ADDED_FIRST : 10 * added;
	}
	return false;
}

/* A logarithm within the bounds; one that misses a bound by rounding is at it. */
static double
bounded(double at)
{
	const double rounding = 1e-12;

	return at < LOG_LEAST + rounding ? LOG_LEAST : at > LOG_MOST - rounding ? LOG_MOST : at;
}

/*
 * Goes along a step, halved until it leads down far enough; false where it does not, or by less
 * than rounding leaves of the loss.
 */
static bool
go(Search *search, const Place *from, const double *step, Place *to)
{
	double fall = product(step, from->slope);
	double part = 1;

	for (int half = 0; half < HALVES_MOST; half++, part /= 2)
	{
		if (-part * fall < DBL_EPSILON * fabs(from->loss))
			return false;
		for (int p = 0; p < PARAMETERS; p++)
			to->at[p] = bounded(from->at[p] + part * step[p]);
		look(search, to);
		if (to->loss <= from->loss + RISE_LEAST * part * fall && to->loss < from->loss)
			return true;
	}
	return false;
}

/* Goes downhill from a place as far as that leads. */
static void
descend(Search *search, Place *place)
{
	look(search, place);
	for (int s = 0; s < STEPS_MOST && greatest_slope(place) > SLOPE_SETTLED; s++)
	{
		double step[PARAMETERS];
		Place next;

		if (!choose_step(place, step) || !go(search, place, step, &next))
			break;
		*place = next;
	}
}

/* Where the search begins: people who come often and leave seldom, or seldom and often. */
static const double beginnings[][PARAMETERS] = {{0.5, 0.2, 0.5, 2.0}, {1.0, 1.0, 1.0, 1.0}};

#define BEGINNINGS (sizeof(beginnings) / sizeof(beginnings[0]))

bool
BgnbdFind(const BgnbdCustomer *customer, size_t count, BgnbdFit *fit)
{
	Search search = {customer, count, 0, 0};
	Place best = {.loss = INFINITY};
	bool again = false;

	for (size_t c = 0; c < count; c++)
	{
		search.unit += customer[c].age / (double) count;
		again |= customer[c].frequency > 0;
	}
	if (!again || !(search.unit > 0))
		return false;
	for (size_t s = 0; s < BEGINNINGS; s++)
	{
		Place place;

		for (int p = 0; p < PARAMETERS; p++)
			place.at[p] = log(beginnings[s][p]);
		descend(&search, &place);
		if (place.loss < best.loss)
			best = place;
	}
	if (isinf(best.loss))
		return false;
	fit->model = model_at(best.at);
	fit->model.alpha *= search.unit;
	fit->log_likelihood = log_likelihood(&fit->model, customer, count);
	fit->converged = !is_at_bound(best.at) && greatest_slope(&best) < SLOPE_FLAT;
	fit->looks = search.looks;
	return true;
}

double
BgnbdAlive(const Bgnbd *model, const BgnbdCustomer *customer)
{
	return chances_of(model, customer->frequency, customer->recency, customer->age).alive;
}

/*
 * The sum of P(N = m) W_m over m, W_m the sum of (b+x)_n/(a+b+x)_n over n < m: how often somebody
 * comes of m times that they would.  P(N = m) is told by P(N = 0), and all are divided by their own
 * sum in the end; where they grow too large all are made smaller alike.
 */
double
BgnbdExpected(const Bgnbd *model, const BgnbdCustomer *customer, double span)
{
	double k = model->r + customer->frequency;
	double ratio = span / (model->alpha + customer->age + span);
	double stays = model->b + customer->frequency;
	double chance = 1; /* P(N = m), of P(N = 0) */
	double all = 1;
	double there = 1; /* (b+x)_m/(a+b+x)_m */
	double came = 0;  /* W_m */
	double sum = 0;

	if (!(span > 0))
		return 0;
	for (int m = 0; m < BGNBD_TERMS_MOST; m++)
	{
		double more = ratio * (k + m) / (m + 1);
		/* What the following terms are of one another at the most. */
		double shrink = fmax(more, ratio) * (m + 2) / (m + 1);

		INTERRUPTS_AT(m);
		chance *= more;
		came += there;
		there *= (stays + m) / (model->a + stays + m);
		all += chance;
		sum += chance * came;
		if (shrink < 1 && chance * came * shrink < 1e-15 * sum * (1 - shrink))
			return sum / all;
		if (all > 1e250)
		{
			chance *= 1e-250;
			all *= 1e-250;
			sum *= 1e-250;
		}
	}
	return NAN;
}
