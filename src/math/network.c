#include "math/network.h"

#include <math.h>
#include <string.h>

#include "math/hash.h"

/* The constants of Kingma & Ba 2015. */
#define ADAM_MEAN   0.9
#define ADAM_SQUARE 0.999
#define ADAM_LEAST  1e-8

void
NetworkInit(Network *network, uint32_t inputs, uint32_t units, uint64_t seed)
{
	double most = sqrt(3.0 / inputs);

	memset(network, 0, sizeof(*network));
	network->inputs = inputs;
	network->units = units;
	for (uint32_t h = 0; h < units; h++)
	{
		double *w = network->weight + NetworkUnit(network, h) + 2;

		for (uint32_t i = 0; i < inputs; i++)
			w[i] = most * (2 * ldexp((double) (HashNext(&seed) >> 11), -53) - 1);
	}
}

double
NetworkValue(const Network *network, const float *x, double *hidden)
{
	const double *weight = network->weight;
	double value = 0;

	for (uint32_t i = 0; i < network->inputs; i++)
		value += weight[i] * x[i];
	for (uint32_t h = 0; h < network->units; h++)
	{
		const double *unit = weight + NetworkUnit(network, h);
		double sum = unit[1];
		double says;

		for (uint32_t i = 0; i < network->inputs; i++)
			sum += unit[2 + i] * x[i];
		says = tanh(sum);
		value += unit[0] * says;
		if (hidden)
			hidden[h] = says;
	}
	return value;
}

void
NetworkGradient(const Network *network, const float *x, const double *hidden, double d,
				double *gradient)
{
	for (uint32_t i = 0; i < network->inputs; i++)
		gradient[i] += d * x[i];
	for (uint32_t h = 0; h < network->units; h++)
	{
		uint32_t at = NetworkUnit(network, h);
		double back = d * network->weight[at] * (1 - hidden[h] * hidden[h]);

		gradient[at] += d * hidden[h];
		gradient[at + 1] += back;
		for (uint32_t i = 0; i < network->inputs; i++)
			gradient[at + 2 + i] += back * x[i];
	}
}

double
NetworkLoss(const double *value, const unsigned char *chosen, uint32_t count, double *slope)
{
	double most = value[0];
	double sum = 0;
	double of_chosen = 0;
	uint32_t choices = 0;

	for (uint32_t n = 1; n < count; n++)
		most = fmax(most, value[n]);
	for (uint32_t n = 0; n < count; n++)
	{
		slope[n] = exp(value[n] - most);
		sum += slope[n];
		if (chosen[n])
		{
			of_chosen += value[n] - most;
			choices++;
		}
	}
	for (uint32_t n = 0; n < count; n++)
		slope[n] = slope[n] / sum - (chosen[n] ? 1.0 / choices : 0);
	return log(sum) - of_chosen / choices;
}

/* True for a weight that is the b of a unit. */
static int
is_offset(const Network *network, uint32_t w)
{
	return w >= network->inputs && (w - network->inputs) % (network->inputs + 2) == 1;
}

void
NetworkStep(Network *network, NetworkAdam *adam, const double *gradient, double rate, double decay)
{
	double mean_share;
	double square_share;

	adam->steps++;
	mean_share = 1 - pow(ADAM_MEAN, (double) adam->steps);
	square_share = 1 - pow(ADAM_SQUARE, (double) adam->steps);
	for (uint32_t w = 0; w < NetworkWeights(network); w++)
	{
		double g = gradient[w] + (is_offset(network, w) ? 0 : decay * network->weight[w]);

		adam->mean[w] = ADAM_MEAN * adam->mean[w] + (1 - ADAM_MEAN) * g;
		adam->square[w] = ADAM_SQUARE * adam->square[w] + (1 - ADAM_SQUARE) * g * g;
		network->weight[w] -= rate * (adam->mean[w] / mean_share) /
							  (sqrt(adam->square[w] / square_share) + ADAM_LEAST);
	}
}
