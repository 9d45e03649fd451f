/*
 * network.c: any list at all as what a network is trained on.
 *
 * First a network worked by hand.  Then, for whatever bytes come: what it costs falls and rises with each
 * weight as the gradient says, by central differences; slopes of a list add up to nothing; and a step
 * of Adam leaves numbers.  Two bytes are units and inputs, then one an item says whether it was
 * chosen, and one each what its inputs are.
 */
#include "math/network.h"

#include "fuzz.h"

#define ITEMS_MOST 40
#define STEP       1e-5

/* A list, and what is made of it. */
typedef struct Try
{
	Network network;
	uint32_t count;
	unsigned char chosen[ITEMS_MOST];
	float x[ITEMS_MOST * NETWORK_INPUTS_MAX];
	double slope[ITEMS_MOST];
} Try;

static bool
is_near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * (1 + fabs(a) + fabs(b));
}

/* What the list costs; the gradient of that is added where it is asked for. */
static double
cost(Try *with, double *gradient)
{
	double value[ITEMS_MOST];
	double hidden[ITEMS_MOST][NETWORK_UNITS_MAX];
	double loss;

	for (uint32_t n = 0; n < with->count; n++)
		value[n] = NetworkValue(&with->network, with->x + n * with->network.inputs, hidden[n]);
	loss = NetworkLoss(value, with->chosen, with->count, with->slope);
	for (uint32_t n = 0; gradient && n < with->count; n++)
		NetworkGradient(&with->network, with->x + n * with->network.inputs, hidden[n],
						with->slope[n], gradient);
	return loss;
}

/*
 * Two inputs, one unit: a = (.5, -1), v = 2, b = .25, w = (1, -.5).  At x = (1, 2): 1 - .5 * 2 + .25 =
 * .25, so f = .5 - 2 + 2 tanh .25.  At x = (0, 1): -.25, so f = -1 - 2 tanh .25.
 */
static void
work_by_hand(void)
{
	Try hand = {.network = {.inputs = 2, .units = 1, .weight = {.5, -1, 2, .25, 1, -.5}},
				.count = 2,
				.chosen = {1, 0},
				.x = {1, 2, 0, 1}};
	double t = tanh(.25);
	double f[2] = {-1.5 + 2 * t, -1 - 2 * t};
	double p = 1 / (1 + exp(f[1] - f[0])); /* the share of the first */
	double unit = 2 * (1 - t * t);
	double want[] = {
		(p - 1) * 1,                        /* a_1: slopes p - 1 and 1 - p by inputs 1 and 0 */
		(p - 1) * 2 + (1 - p) * 1,          /* a_2 */
		(p - 1) * t - (1 - p) * t,          /* v */
		(p - 1) * unit + (1 - p) * unit,    /* b */
		(p - 1) * unit,                     /* w_1 */
		(p - 1) * unit * 2 + (1 - p) * unit /* w_2 */
	};
	double gradient[NETWORK_WEIGHTS_MAX] = {0};
	NetworkAdam adam = {0};
	Network before = hand.network;
	Network still = hand.network;
	NetworkAdam fresh = {0};
	const double none[NETWORK_WEIGHTS_MAX] = {0};

	must(NetworkWeights(&hand.network) == 6);
	must(is_near(NetworkValue(&hand.network, hand.x, NULL), f[0], 1e-12));
	must(is_near(NetworkValue(&hand.network, hand.x + 2, NULL), f[1], 1e-12));
	must(is_near(cost(&hand, gradient), -log(p), 1e-12));
	for (int w = 0; w < 6; w++)
		must(is_near(gradient[w], want[w], 1e-12));

	/*
	 * Shown at places 1 and 2, of which c = -.5 takes -.5 log2 from values: 0 and -.5.  What c is to
	 * change by is the second's slope, 1 - q, by its log2 of 1, with q the share of the first.
	 */
	{
		const Network glance = {.inputs = 1, .weight = {-.5}};
		const float log2_place[] = {0, 1};
		double value[] = {f[0] + NetworkValue(&glance, log2_place, NULL),
						  f[1] + NetworkValue(&glance, log2_place + 1, NULL)};
		double q = 1 / (1 + exp(f[1] - .5 - f[0]));
		double slope[2];
		double of_place[1] = {0};

		must(is_near(NetworkLoss(value, hand.chosen, 2, slope), -log(q), 1e-12));
		for (int n = 0; n < 2; n++)
			NetworkGradient(&glance, log2_place + n, NULL, slope[n], of_place);
		must(is_near(of_place[0], 1 - q, 1e-12));
	}

	/* The first step of Adam is as long as its rate, whatever the slope. */
	NetworkStep(&hand.network, &adam, gradient, .01, 0);
	for (int w = 0; w < 6; w++)
		must(is_near(hand.network.weight[w],
					 before.weight[w] - (fabs(want[w]) < 1e-12 ? 0 : copysign(.01, want[w])),
					 1e-6));

	/* Without a slope decay alone moves weights, each toward 0 by the rate; b, the fourth, is not decayed. */
	NetworkStep(&still, &fresh, none, .01, .5);
	for (int w = 0; w < 6; w++)
		must(is_near(still.weight[w],
					 before.weight[w] - (w == 3 ? 0 : copysign(.01, before.weight[w])), 1e-6));
}

/* What the bytes say; false where that is no list with something chosen. */
static bool
read_list(Try *with, const uint8_t *data, size_t size)
{
	uint32_t choices = 0;
	uint32_t inputs;

	if (size < 3)
		return false;
	inputs = 1 + data[1] % NETWORK_INPUTS_MAX;
	NetworkInit(&with->network, inputs, data[0] % (NETWORK_UNITS_MAX + 1), data[0]);
	data += 2;
	size -= 2;
	for (; size > inputs && with->count < ITEMS_MOST; with->count++)
	{
		choices += with->chosen[with->count] = data[0] & 1;
		for (uint32_t i = 0; i < inputs; i++)
			with->x[with->count * inputs + i] = (float) ((data[1 + i] - 128) / 32.0);
		data += 1 + inputs;
		size -= 1 + inputs;
	}
	/* Weights that are there from the start would hide what goes through the units. */
	for (uint32_t w = 0; w < NetworkWeights(&with->network); w++)
		with->network.weight[w] += sin(w) / 4;
	return choices > 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool worked = false;
	Try with = {0};
	double gradient[NETWORK_WEIGHTS_MAX] = {0};
	NetworkAdam adam = {0};
	double sum = 0;

	if (!worked)
		work_by_hand();
	worked = true;
	if (!read_list(&with, data, size))
		return 0;
	must(cost(&with, gradient) > -1e-9);
	for (uint32_t n = 0; n < with.count; n++)
		sum += with.slope[n];
	must(fabs(sum) < 1e-9);
	for (uint32_t w = 0; w < NetworkWeights(&with.network); w++)
	{
		double *weight = &with.network.weight[w];
		double at = *weight;
		double above;
		double below;

		*weight = at + STEP;
		above = cost(&with, NULL);
		*weight = at - STEP;
		below = cost(&with, NULL);
		*weight = at;
		must(is_near((above - below) / (2 * STEP), gradient[w], 1e-6));
	}
	for (int step = 0; step < 3; step++)
		NetworkStep(&with.network, &adam, gradient, .01, .0001);
	for (uint32_t w = 0; w < NetworkWeights(&with.network); w++)
		must(isfinite(with.network.weight[w]));
	return 0;
}
