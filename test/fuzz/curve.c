/*
 * curve.c: any samples at all as what a match curve is fitted to.
 *
 * A curve has at most its knots, rises, and stays between 0 and 1 wherever it is asked.  Nine bytes
 * are a sample: a score in single precision, as sums of similarities are, a weight, and whether it
 * was chosen.
 */
#include "math/curve.h"

#include "fuzz.h"

#define SAMPLE_BYTES 9

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = size / SAMPLE_BYTES;
	CurveSample *samples = room_for(count, sizeof(CurveSample));
	size_t used = 0;
	double before = 0;
	Curve curve;

	for (size_t s = 0; s < count; s++)
	{
		float score;
		float weight;

		memcpy(&score, data + SAMPLE_BYTES * s, sizeof(score));
		memcpy(&weight, data + SAMPLE_BYTES * s + 4, sizeof(weight));
		if (isfinite(score) && weight >= 1e-6f && weight <= 1e6f)
			samples[used++] = (CurveSample){score, weight, data[SAMPLE_BYTES * s + 8] & 1};
	}
	CurveFit(samples, used, &curve);
	must(curve.knots >= (used > 0) && curve.knots <= CURVE_KNOTS);
	must(CurveRises(curve.score, curve.knots) && CurveRises(curve.chance, curve.knots));
	for (size_t s = 0; s < used; s++)
	{
		double at = CurveAt(curve.score, curve.chance, curve.knots, samples[s].score);

		must(at >= 0 && at <= 1 && at >= before);
		before = at;
	}
	free(samples);
	return 0;
}
