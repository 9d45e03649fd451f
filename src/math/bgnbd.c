#include "math/bgnbd.h"

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

/* The search ends where no parameter moves the mean ln L by more than this in its logarithm. */
#define SLOPE_SETTLED 1e-9

/* Where rounding lets ln L rise no more, the slope must be this small to count as a maximum. */
#define SLOPE_FLAT 1e-5

#define STEPS_MOST 500

/* A step that would go further in a logarithm is cut. */
#define STEP_LONGEST 2.0

/* Armijo's condition, and how often a step is halved for it. */
#define RISE_LEAST  1e-4
#define HALVES_MOST 40

/* What is known of a customer beside T and t_x: A and D as logarithms. */
typedef struct Chances
{
	double alive;  /* ln A */
	double left;   /* ln D, -infinity where x is 0 */
	double either; /* ln(A + D) */
} Chances;

static Chances
chances_of(const Bgnbd *model, double x, double recency, double age)
{
	Chances chances;

	chances.alive = -(model->r + x) * log(model->alpha + age);
	chances.left = -INFINITY;
	chances.either = chances.alive;
	if (x > 0)
	{
		chances.left =
			log(model->a) - log(model->b + x - 1) - (model->r + x) * log(model->alpha + recency);
		chances.either =
			fmax(chances.alive, chances.left) + log1p(exp(-fabs(chances.alive - chances.left)));
	}
	return chances;
}

/*
 * The parts of ln L and its slopes that go by x alone, for rising x: sums over j < x of
 * ln(r + j) and ln((b + j) / (a + b + j)), and their derivatives.
 */
typedef struct Rising
{
	double x;
	double log_r;
	double log_stay;
	double slope_r;
	double slope_a;
	double slope_b;
} Rising;

/* One j more. */
static void
rise(const Bgnbd *model, Rising *rising)
{
	double j = rising->x++;
	double sum = model->a + model->b + j;

	rising->log_r += log(model->r + j);
	rising->log_stay += log1p(-model->a / sum);
	rising->slope_r += 1 / (model->r + j);
	rising->slope_a -= 1 / sum;
	rising->slope_b += model->a / (sum * (model->b + j));
}

/* From here on Stirling's series are exact to a double, and a leap costs what some single steps do. */
#define LEAP_FROM  64
#define LEAP_LEAST 8

/* ln G(y) without its constant, and its derivative, of y from LEAP_FROM on (DLMF 5.11.1, 5.11.2). */
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

/* As many j as there are up to x. */
static void
leap(const Bgnbd *model, double x, Rising *rising)
{
	double from = rising->x;
	double sum = model->a + model->b;
	double together = digamma(sum + x) - digamma(sum + from);

	rising->log_r += log_gamma(model->r + x) - log_gamma(model->r + from);
	rising->log_stay += log_gamma(model->b + x) - log_gamma(model->b + from) -
						(log_gamma(sum + x) - log_gamma(sum + from));
	rising->slope_r += digamma(model->r + x) - digamma(model->r + from);
	rising->slope_a -= together;
	rising->slope_b += digamma(model->b + x) - digamma(model->b + from) - together;
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

/* ln L of customers in the order of BgnbdFind. */
static double
log_likelihood(const Bgnbd *model, const BgnbdCustomer *customer, size_t count)
{
	Rising rising = {0};
	double log_alpha = log(model->alpha);
	double sum = 0;

	for (size_t c = 0; c < count; c++)
	{
		double x = customer[c].frequency;

		INTERRUPTS_AT(c);
		rise_to(model, x, &rising);
		sum += rising.log_r + model->r * log_alpha + rising.log_stay +
			   chances_of(model, x, customer[c].recency, customer[c].age).either;
	}
	return sum;
}

/* Customers as the search has them. */
typedef struct Search
{
	const BgnbdCustomer *customer;
	size_t count;
	double unit; /* the mean T */
} Search;

static Bgnbd
model_at(const double *at)
{
	return (Bgnbd){exp(at[LOG_R]), exp(at[LOG_ALPHA]), exp(at[LOG_A]), exp(at[LOG_B])};
}

/* The mean of -ln L, and its slopes by the logarithms of the parameters. */
static double
loss_at(const Search *search, const double *at, double *slope)
{
	Bgnbd model = model_at(at);
	Rising rising = {0};
	double sum = 0;

	memset(slope, 0, sizeof(double) * PARAMETERS);
	for (size_t c = 0; c < search->count; c++)
	{
		double x = search->customer[c].frequency;
		double recency = search->customer[c].recency / search->unit;
		double age = search->customer[c].age / search->unit;
		Chances chances = chances_of(&model, x, recency, age);
		double alive = exp(chances.alive - chances.either);
		double left = exp(chances.left - chances.either);

		INTERRUPTS_AT(c);
		rise_to(&model, x, &rising);
		sum += rising.log_r + model.r * at[LOG_ALPHA] + rising.log_stay + chances.either;
		slope[LOG_R] += rising.slope_r + at[LOG_ALPHA] - alive * log(model.alpha + age) -
						left * log(model.alpha + recency);
		slope[LOG_ALPHA] +=
			model.r / model.alpha -
			(model.r + x) * (alive / (model.alpha + age) + left / (model.alpha + recency));
		slope[LOG_A] += rising.slope_a + left / model.a;
		slope[LOG_B] += rising.slope_b;
		if (x > 0)
			slope[LOG_B] -= left / (model.b + x - 1);
	}
	slope[LOG_R] *= -model.r / (double) search->count;
	slope[LOG_ALPHA] *= -model.alpha / (double) search->count;
	slope[LOG_A] *= -model.a / (double) search->count;
	slope[LOG_B] *= -model.b / (double) search->count;
	return -sum / (double) search->count;
}

/* The greatest slope, leaving out those that would lead out of bounds. */
static double
greatest_slope(const double *at, const double *slope)
{
	double greatest = 0;

	for (int p = 0; p < PARAMETERS; p++)
		if (!(at[p] <= log(BGNBD_LEAST) && slope[p] > 0) &&
			!(at[p] >= log(BGNBD_MOST) && slope[p] < 0))
			greatest = fmax(greatest, fabs(slope[p]));
	return greatest;
}

static bool
is_at_bound(const double *at)
{
	for (int p = 0; p < PARAMETERS; p++)
		if (at[p] <= log(BGNBD_LEAST) || at[p] >= log(BGNBD_MOST))
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

/* Takes what is known of the curvature back to nothing. */
static void
forget(double inverse[PARAMETERS][PARAMETERS])
{
	memset(inverse, 0, sizeof(double) * PARAMETERS * PARAMETERS);
	for (int p = 0; p < PARAMETERS; p++)
		inverse[p][p] = 1;
}

/* The BFGS update of the inverse curvature by a step and what it changed in the slope. */
static void
learn(double inverse[PARAMETERS][PARAMETERS], const double *step, const double *change)
{
	double turned[PARAMETERS];
	double bend = product(step, change);
	double length;

	/* The loss bends upwards along a step that Wolfe's condition would take; others say nothing. */
	if (!(bend > 1e-300))
		return;
	for (int p = 0; p < PARAMETERS; p++)
		turned[p] = product(inverse[p], change);
	length = product(change, turned);
	for (int p = 0; p < PARAMETERS; p++)
		for (int q = 0; q < PARAMETERS; q++)
			inverse[p][q] += (1 + length / bend) * step[p] * step[q] / bend -
							 (step[p] * turned[q] + turned[p] * step[q]) / bend;
}

/* The next step: downhill, no longer than allowed in any parameter. */
static void
choose_step(double inverse[PARAMETERS][PARAMETERS], const double *slope, double *step)
{
	double longest = 0;

	for (int p = 0; p < PARAMETERS; p++)
		step[p] = -product(inverse[p], slope);
	if (!(product(step, slope) < 0))
	{
		forget(inverse);
		for (int p = 0; p < PARAMETERS; p++)
			step[p] = -slope[p];
	}
	for (int p = 0; p < PARAMETERS; p++)
		longest = fmax(longest, fabs(step[p]));
	for (int p = 0; p < PARAMETERS && longest > STEP_LONGEST; p++)
		step[p] *= STEP_LONGEST / longest;
}

/* A place and its loss. */
typedef struct Place
{
	double at[PARAMETERS];
	double slope[PARAMETERS];
	double loss;
} Place;

/* Goes along a step, halved until it leads down far enough; false where it does not. */
static bool
go(const Search *search, const Place *from, const double *step, Place *to)
{
	double fall = product(step, from->slope);
	double part = 1;

	for (int half = 0; half < HALVES_MOST; half++, part /= 2)
	{
		for (int p = 0; p < PARAMETERS; p++)
			to->at[p] = fmin(fmax(from->at[p] + part * step[p], log(BGNBD_LEAST)), log(BGNBD_MOST));
		to->loss = loss_at(search, to->at, to->slope);
		if (to->loss <= from->loss + RISE_LEAST * part * fall && to->loss < from->loss)
			return true;
	}
	return false;
}

/* Goes downhill from a place as far as that leads. */
static void
descend(const Search *search, Place *place)
{
	double inverse[PARAMETERS][PARAMETERS];
	bool fresh = true;

	forget(inverse);
	place->loss = loss_at(search, place->at, place->slope);
	for (int s = 0; s < STEPS_MOST && greatest_slope(place->at, place->slope) > SLOPE_SETTLED; s++)
	{
		double step[PARAMETERS];
		double change[PARAMETERS];
		Place next;

		choose_step(inverse, place->slope, step);
		if (!go(search, place, step, &next))
		{
			/* What was learned of the curvature may lead astray: once more without it. */
			if (fresh)
				break;
			forget(inverse);
			fresh = true;
			continue;
		}
		for (int p = 0; p < PARAMETERS; p++)
		{
			step[p] = next.at[p] - place->at[p];
			change[p] = next.slope[p] - place->slope[p];
		}
		learn(inverse, step, change);
		fresh = false;
		*place = next;
	}
}

/* Where the search begins: people who come often and leave seldom, or seldom and often. */
static const double beginnings[][PARAMETERS] = {{0.5, 0.2, 0.5, 2.0}, {1.0, 1.0, 1.0, 1.0}};

#define BEGINNINGS (sizeof(beginnings) / sizeof(beginnings[0]))

bool
BgnbdFind(const BgnbdCustomer *customer, size_t count, BgnbdFit *fit)
{
	Search search = {customer, count, 0};
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
	fit->converged = !is_at_bound(best.at) && greatest_slope(best.at, best.slope) < SLOPE_FLAT;
	return true;
}

double
BgnbdAlive(const Bgnbd *model, const BgnbdCustomer *customer)
{
	Chances chances = chances_of(model, customer->frequency, customer->recency, customer->age);

	return exp(chances.alive - chances.either);
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
