/*
 * figures.c: what the numeric core makes of inputs so small or so even that its figures are known by hand.
 *
 * Not for libFuzzer: a program of its own, see script/fuzzing.sh, which script/mutate asks as well.
 */
#include "fuzz.h"
#include "math/best.h"
#include "math/bgnbd.h"
#include "math/cholesky.h"
#include "math/cost.h"
#include "math/curve.h"
#include "math/evidence.h"
#include "math/fold.h"
#include "math/hash.h"
#include "math/nearest.h"
#include "math/rank.h"
#include "math/similarity.h"
#include "math/sketch.h"
#include "math/variety.h"

static bool
near(double x, double y)
{
	return fabs(x - y) <= 1e-12 * fabs(y);
}

/* A bin for each knot: of the 64 samples of the bin b, b are chosen, by (b + 1) / 66 with one more of either. */
static void
check_curve(void)
{
	CurveSample *samples = room_for(64 * 64, sizeof(CurveSample));
	Curve curve;

	for (int s = 0; s < 64 * 64; s++)
		samples[64 * 64 - 1 - s] = (CurveSample){s + 1, 1, s % 64 < s / 64};
	CurveFit(samples, 64 * 64, &curve);
	must(curve.knots == 64);
	for (int b = 0; b < 64; b++)
	{
		must(near(curve.score[b], 64 * b + 32.5));
		must(near(curve.chance[b], (b + 1) / 66.0));
	}

	/* Half way between two knots is half of both; below the first the line goes on, down to 0; above the last it is flat. */
	must(near(CurveAt(curve.score, curve.chance, 64, 64.5), 1.5 / 66));
	must(near(CurveAt(curve.score, curve.chance, 64, 32.5 + 62 * 64 + 16), 63.25 / 66));
	must(near(CurveAt(curve.score, curve.chance, 64, 16.5), 0.75 / 66));
	must(CurveAt(curve.score, curve.chance, 64, -1e9) == 0);
	must(CurveAt(curve.score, curve.chance, 64, 1e9) == curve.chance[63]);

	/* Sixteen is the least weight of a bin.  What falls is one step: 16 of 16 and 0 of 16 are 16 of 32. */
	for (int s = 0; s < 32; s++)
		samples[s] = (CurveSample){s, 1, s < 16};
	CurveFit(samples, 32, &curve);
	must(curve.knots == 1 && near(curve.score[0], 15.5) && near(curve.chance[0], 17.0 / 34));
	must(CurveAt(curve.score, curve.chance, 1, -5) == curve.chance[0]);

	/* What rises is two: 0 and 16 of 16, the second of heavier samples. */
	for (int s = 0; s < 24; s++)
		samples[s] = (CurveSample){s, s < 16 ? 1 : 2, s >= 16};
	CurveFit(samples, 24, &curve);
	must(curve.knots == 2 && near(curve.score[0], 7.5) && near(curve.score[1], 19.5));
	must(near(curve.chance[0], 1.0 / 18) && near(curve.chance[1], 17.0 / 18));

	/* Equal scores share a bin, however many they are. */
	for (int s = 0; s < 40; s++)
		samples[s] = (CurveSample){s < 20 ? 1 : 2, 1, s % 20 < (s < 20 ? 5 : 10)};
	CurveFit(samples, 40, &curve);
	must(curve.knots == 2 && curve.score[0] == 1 && curve.score[1] == 2);
	must(near(curve.chance[0], 6.0 / 22) && near(curve.chance[1], 11.0 / 22));

	CurveFit(samples, 0, &curve);
	must(curve.knots == 0);
	free(samples);
}

/* So many items with so many events, and nothing else. */
static bool
has_items(const SketchItems *spread, const double *items)
{
	for (int b = 0; b < SKETCH_BINS; b++)
		if (spread->items[b] != (b < 8 ? items[b] : 0))
			return false;
	return true;
}

static void
check_sketch(void)
{
	/* Items whose hashes belong into the first place of a sample and into the last. */
	const uint64_t first = UINT64_C(1) << 50;
	const uint64_t last = first - 1;
	unsigned char *memory = room_for(SketchBytes(), 1);
	SketchFigures figures;
	Sketch *sketch;

	/* What the memory holds before is nothing to it. */
	memset(memory, 0xff, SketchBytes());
	sketch = SketchInit(memory);
	SketchRead(sketch, 100, &figures);
	must(figures.events == 0 && figures.users == 0 && figures.items == 0 && figures.cells == 0 &&
		 figures.pairs == 0);
	must(has_items(&figures.spread, (double[8]){0}));

	/* User 7 has two items, and looked at a third, which counts for nothing; user 8 has one of them, twice. */
	SketchAdd(sketch, 7, first, 1);
	SketchAdd(sketch, 7, last, 1);
	SketchAdd(sketch, 7, 5, 0);
	SketchAdd(sketch, 8, first, .5f);
	SketchAdd(sketch, 8, first, .5f);
	SketchRead(sketch, 100, &figures);
	must(figures.events == 5 && figures.users == 2 && figures.items == 3);
	must(figures.cells == 3 && figures.pairs == 2 * 2 + 1 * 1 && figures.alike);
	/* Two items of one event, and one of three, at 4 log2 3 = 6.3. */
	must(has_items(&figures.spread, (double[8]){[0] = 2, [6] = 1}));
	must(figures.spread.events[0] == 2 && figures.spread.events[6] == 3);

	/* Of histories no more than the most: one of each. */
	SketchRead(sketch, 1, &figures);
	must(figures.cells == 2 && figures.pairs == 2);
	SketchRead(sketch, 2, &figures);
	must(figures.cells == 3 && figures.pairs == 5);
	SketchAdd(sketch, 8, last, 3);
	SketchRead(sketch, 100, &figures);
	must(figures.cells == 4 && figures.pairs == 8 && !figures.alike);

	/* More than a sample has room for: estimates, of items whose events are whole, two or three times of each user. */
	sketch = SketchInit(memory);
	for (uint64_t u = 1; u <= 20000; u++)
		for (uint64_t n = 0; n < 10; n++)
			SketchAdd(sketch, HashMix(u), HashMix(100000 + (u * 10 + n) % 25000), 1);
	SketchRead(sketch, 100, &figures);
	must(figures.events == 200000 && fabs(figures.users - 20000) < 1200 &&
		 fabs(figures.items - 25000) < 1500);
	must(fabs(figures.cells - 200000) < 6000 && fabs(figures.pairs - 2000000) < 100000 &&
		 figures.alike);
	/* Eight events of each item, at 4 log2 8 = 12. */
	must(figures.spread.items[12] == figures.items &&
		 figures.spread.events[12] == 8 * figures.items);
	free(memory);
}

/* What is known of a million events, read and learned from by one process that has all the memory it wants. */
static CostInput
a_million_events(const SimilarityOptions *options)
{
	return (CostInput){
		.figures = {.events = 1e6, .users = 1e4, .items = 100, .cells = 1e6, .pairs = 1e8},
		.memory = INFINITY,
		.readers = 1,
		.encoders = 1,
		.processes = 1,
		.options = options,
	};
}

/*
 * Bytes of a refresh by its layout: 4 of a cell's number and 4 of its value, each by user and by item, and 2 of its position
 * as often; the value falls away where all cells are alike.
 */
static void
check_cost(void)
{
	SimilarityOptions options = {.rule = SimilarityPreset(SIMILARITY_NEXT), .k = 10};
	CostInput input = a_million_events(&options);
	double plain = CostOf(&input).bytes;
	double ordered;

	input.ordered = true;
	ordered = CostOf(&input).bytes;
	must(near(ordered - plain, 2 * 2 * 1e6));
	input.alike = true;
	must(near(ordered - CostOf(&input).bytes, 2 * 4 * 1e6));

	/* Nothing costs nothing, and twice as much twice. */
	input.figures.events = 0;
	must(CostOf(&input).bytes == 0 && CostOf(&input).read == 0);
	must(near(CostRows(2e6, 3e6), 2 * CostRows(1e6, 0) + 3 * CostRows(0, 1e6)));
}

/*
 * Trials solve from what is gathered once, so that they take no longer where systems lie on tape, for want of a Gram
 * matrix of 20 kB; and together they take half of a fit at most, however many they ask.
 */
static void
check_cost_of_trials(void)
{
	SimilarityOptions options = {.rule = SimilarityPreset(SIMILARITY_RIDGE), .k = 10, .candidates = 50};
	CostInput input = a_million_events(&options);
	SimilarityOptions counts = {.rule = SimilarityPreset(SIMILARITY_COOCCURRENCE)};
	RefreshCost gram;
	RefreshCost tape;
	RefreshCost picked;
	double once;

	input.held_out = 1;
	input.trials = 13;
	SketchItemsAdd(&input.figures.spread, 100, 1e4);
	gram = CostOf(&input);
	must(gram.systems > 0 && gram.solve == gram.systems);
	input.memory = 1e4 * 20 + 1e6 * 16 + 30e3;
	tape = CostOf(&input);
	must(tape.solve > gram.solve && tape.systems == gram.systems);
	must(near(tape.curve, gram.curve));

	input.held_out = 1e6;
	input.trials = 0;
	once = CostOf(&input).curve;
	input.trials = 13;
	tape = CostOf(&input);
	must(near(tape.curve - once, (tape.learn + tape.systems) / 2));

	/* Where counts are picked, nobody's systems are solved in the end: pairs are counted once for trials, and once for these. */
	input.memory = INFINITY;
	input.twice = true;
	input.held_out = 0;
	counts.k = 10;
	input.picked = &counts;
	picked = CostOf(&input);
	must(picked.learn == gram.learn && picked.solve == 0 && near(picked.curve, 13 * gram.systems / 40));
	input.picked = NULL;
	must(picked.bytes <= CostOf(&input).bytes);
	input.options = &counts;
	input.trials = 0;
	must(picked.kept == CostOf(&input).kept);
	must(near(picked.again, CostOf(&input).learn + 0.4 * gram.learn));
}

/* Forty-three unknowns, each of which depends on all others, over the borders of many tiles: b is what solves to 1, 2, ... */
static void
check_large(void)
{
	size_t ld = 48;
	float *a = room_for(43 * ld, sizeof(float));
	float b[48] = {0};

	for (int i = 0; i < 43; i++)
		for (int j = 0; j < 43; j++)
		{
			float value = i == j ? 64 : 1 / (float) (1 << abs(i - j) % 4);

			if (j >= i)
				a[i * ld + j] = value;
			b[i] += value * (float) (j + 1);
		}
	must(CholeskySolve(a, 43, ld, b));
	for (int i = 0; i < 43; i++)
		must(fabsf(b[i] - (float) (i + 1)) < 1e-3f);
	free(a);
}

/* Nine unknowns, of which the first and the last depend on each other: over a tile's border. */
static void
check_cholesky(void)
{
	size_t ld = 16;
	float *a = room_for(9 * ld, sizeof(float));
	float b[16] = {0};

	for (int i = 0; i < 9; i++)
	{
		a[i * ld + i] = 4;
		b[i] = 4 * (i + 1);
	}
	a[8] = 2;
	a[8 * ld + 8] = 5;
	b[0] = 4 * 1 + 2 * 9;
	b[8] = 2 * 1 + 5 * 9;
	must(CholeskySolve(a, 9, ld, b));
	for (int i = 0; i < 9; i++)
		must(b[i] == i + 1);
	/* The same unknowns the other way round. */
	for (int i = 0; i < 9; i++)
		b[i] = 4 * (9 - i);
	b[0] = 4 * 9 + 2 * 1;
	b[8] = 2 * 9 + 5 * 1;
	CholeskySubstitute(a, 9, ld, b);
	for (int i = 0; i < 9; i++)
		must(b[i] == 9 - i);

	/* Two equal rows, one that falls, and no number at all: not positive definite. */
	memset(a, 0, sizeof(float) * 9 * ld);
	a[0] = a[1] = a[ld + 1] = 1;
	must(!CholeskySolve(a, 2, ld, b));
	a[0] = -1;
	must(!CholeskySolve(a, 1, ld, b));
	a[0] = NAN;
	must(!CholeskySolve(a, 1, ld, b));
	free(a);
}

/* The best three of a few: one that is better than the least alone takes its place; of two alike the first stays. */
static void
check_best(void)
{
	static const float value[] = {3, 1, 2, 1.5f, .5f, 1.5f, 2};
	Best heap[4] = {[3] = {99, 0, 99}}; /* beyond its places */
	uint32_t count = 0;

	for (uint32_t n = 0; n < 7; n++)
		BestOffer(heap, &count, 3, (Best){n, 0, value[n]});
	BestSort(heap, count);
	must(count == 3 && heap[0].index == 0 && heap[1].index == 2 && heap[2].index == 6);
	must(heap[3].index == 99);

	/* One place, whatever lies beyond it. */
	count = 0;
	heap[1] = (Best){98, 0, 98};
	for (uint32_t n = 0; n < 7; n++)
		BestOffer(heap, &count, 1, (Best){n, 0, value[n] < 3 ? value[n] : 0});
	must(count == 1 && heap[0].index == 2 && heap[1].index == 98);
}

/*
 * Three hundred entries whose order is known: n has the index 7919 n mod 70001, three bytes of it, and a value that
 * two others may share, of which the smaller index comes first; and thirty, one of which is not above 0.
 */
static void
check_order(void)
{
	Best *entry = room_for(300, sizeof(Best));
	Best *room = room_for(300, sizeof(Best));

	for (uint32_t n = 0; n < 300; n++)
		entry[n] = (Best){7919 * n % 70001, n, (float) (1 + n / 3 * 37 % 100) / 3};
	BestByIndex(entry, room, 300, 70001);
	for (uint32_t n = 0; n < 300; n++)
	{
		must(n == 0 || entry[n].index > entry[n - 1].index);
		must(entry[n].index == 7919 * entry[n].support % 70001);
	}
	BestSort(entry, 300);
	for (uint32_t n = 0; n < 300; n++)
	{
		must(entry[n].value == (float) (100 - n / 3) / 3);
		must(n % 3 == 0 || entry[n].index > entry[n - 1].index);
		must(entry[n].value == (float) (1 + entry[n].support / 3 * 37 % 100) / 3);
	}
	BestByIndex(entry, room, 3, 70001);
	must(entry[0].index < entry[1].index && entry[1].index < entry[2].index);

	for (uint32_t n = 0, count = 0; n < 30; n++)
		BestOffer(entry, &count, 30, (Best){n, 0, (float) n - 10});
	BestSort(entry, 30);
	for (uint32_t n = 0; n < 30; n++)
		must(entry[n].index == 29 - n);
	free(room);
	free(entry);
}

/*
 * Items 4 and 5, of a history of three: the newest says 1 of item 4, the one before .5 of item 4 and 2 of item 5, and the
 * third, which counts half, 2 of item 4; of item 3 nobody asked.
 */
static void
check_evidence(void)
{
	static const uint32_t item[] = {4, 3, 4, 5, 4};
	static const float similarity[] = {1, 9, .5f, 2, 2};
	static const uint32_t position[] = {0, 1, 2};
	const RankEntry entries[] = {
		{.weight = 1, .count = 2, .item = item, .similarity = similarity},
		{.weight = 1, .count = 2, .item = item + 2, .similarity = similarity + 2},
		{.weight = .5, .count = 1, .item = item + 4, .similarity = similarity + 4},
	};
	const RankItem asked[] = {{5, 0}, {4, 0}};
	void *memory = room_for(RankScratchBytes(8), 1);
	Evidence evidence[2];
	RankScratch scratch;

	RankScratchInit(&scratch, memory, 8);
	EvidenceOf(&scratch, entries, position, 3, asked, 2, evidence);
	must(evidence[0].voices == 1 && evidence[0].strongest == 1 &&
		 near(evidence[0].lately, 1.0 / 2));
	must(evidence[1].voices == 3 && near(evidence[1].strongest, 1 / 2.5));
	must(near(evidence[1].lately, (1 + .5 / 2 + 1.0 / 3) / 2.5));
	for (uint32_t i = 0; i < 8; i++)
		must(scratch.marked[i] == 0 && scratch.score[i] == 0);
	free(memory);
}

/* Three candidates of worth .9, .9 and .5: of two alike the first; then what is least like it. */
static void
check_variety(void)
{
	static const double worth[] = {.9, .9, .5};
	static const uint32_t start[] = {0, 1, 2, 2};
	static const uint32_t number[] = {1, 0};
	static const float similarity[] = {.9f, .9f};
	unsigned char state[3] = {0};
	float nearest[3] = {0};
	Variety variety = {
		.count = 3,
		.weighed = 3,
		.in_order = 3,
		.state = state,
		.diversity = .5,
		.worth = worth,
		.near = {start, number},
		.similarity = similarity,
		.nearest = nearest,
	};

	must(VarietyNext(&variety) == 0);
	VarietyTake(&variety, 0);
	/* .5 * .9 - .5 * .9 is less than .5 * .5. */
	must(nearest[1] == .9f && VarietyNext(&variety) == 2);
	VarietyTake(&variety, 2);
	must(VarietyNext(&variety) == 1);
	VarietyTake(&variety, 1);
	must(VarietyNext(&variety) == VARIETY_NONE && variety.taken == 3);
}

/* Of a cell's weight itself two measures make another one; all others take it as it is. */
static void
check_similarity(void)
{
	for (int kind = SIMILARITY_COOCCURRENCE; kind <= SIMILARITY_AUTO; kind++)
	{
		SimilarityRule rule = SimilarityPreset((SimilarityKind) kind);

		must(rule.min_support == 1 && rule.kind == (SimilarityKind) kind);
		must(SimilarityWeighsCells(&rule) == (kind == SIMILARITY_TFIDF || kind == SIMILARITY_BM25));
	}
}

/*
 * Of items 4 and 5 the first entry has a part of 2 and of 1, the second one of 1 and of 1.5: the first speaks for 4 and the
 * second for 5, in whatever order they are asked about.
 */
static void
check_because(void)
{
	static const uint32_t item[] = {4, 5, 5, 4};
	static const float similarity[] = {2, 1, 1.5f, 1};
	const RankEntry entries[] = {
		{.weight = 1, .count = 2, .item = item, .similarity = similarity},
		{.weight = 1, .count = 2, .item = item + 2, .similarity = similarity + 2},
	};
	void *memory = room_for(RankScratchBytes(8), 1);
	RankScratch scratch;
	int64_t because[3];

	RankScratchInit(&scratch, memory, 8);
	RankBecause(&scratch, entries, 2, 1, (const uint32_t[]){4, 5}, 2, because);
	must(because[0] == 0 && because[1] == 1);
	RankBecause(&scratch, entries, 2, 1, (const uint32_t[]){5, 4}, 2, because);
	must(because[0] == 1 && because[1] == 0);
	/* Nothing speaks for 6. */
	RankBecause(&scratch, entries, 2, 1, (const uint32_t[]){4, 6, 5}, 3, because);
	must(because[0] == 0 && because[1] == -1 && because[2] == 1);
	free(memory);
}

/* Items 1 to 4 of the upper halves 3, 2, 1 and 2; all get in by 3 of their own, or else by what each one asks for. */
static void
check_nearest(void)
{
	static const uint32_t upper[] = {0, 3, 2, 1, 2};
	static const uint32_t enough[] = {9, 9, 9, 1, 3};
	static const uint32_t touched[] = {9, 4, 3, 2, 1};
	uint32_t found[NEAREST_PART + 1];
	PairSum sums[NEAREST_PART];

	for (int n = 0; n < NEAREST_PART; n++)
		sums[n] = n < 5 ? (PairSum) upper[n] << 32 | 7 : 0;
	memset(found, 0xff, sizeof(found));
	must(NearestSift(sums, touched, 1, 4, enough, 3, found) == 2 && found[0] == 3 && found[1] == 1);
	must(NearestSift(sums, touched, 2, 1, enough, 9, found) == 1 && found[0] == 3);
	must(NearestSift(sums, touched, 1, 4, enough, 4, found) == 1 && found[0] == 3);
	must(NearestSift(sums, touched, 4, 1, enough, 4, found) == 0);
	must(NearestSift(sums, NULL, 1, 4, enough, 3, found) == 2 && found[0] == 1 && found[1] == 3);
	must(NearestSift(sums, NULL, 1, 4, enough, 2, found) == 4 && found[0] == 1 && found[3] == 4);
}

/* Weights 3 and 4 have the length 5, at every scale of which the squares are exact; what is all but forgotten has none. */
static void
check_norm(void)
{
	const RankEntry entries[] = {{.weight = 3}, {.weight = -4}};
	const RankEntry small[] = {{.weight = ldexp(3, -470)}, {.weight = ldexp(4, -470)}};
	const RankEntry forgotten[] = {{.weight = ldexp(3, -500)}, {.weight = ldexp(4, -500)}};

	must(RankNorm(entries, 2) == 1.0 / 5);
	must(RankNorm(small, 2) == ldexp(1.0 / 5, 470));
	must(RankNorm(forgotten, 2) == 0);
	must(RankNorm(entries, 0) == 0);
}

/* Customers in the order that a fit wants. */
static int
compare_customers(const void *a, const void *b)
{
	return BgnbdCompare(a, b);
}

/* Fits so many customers of a shape; what it takes is counted, since a fit that loses its way goes on for long. */
static BgnbdFit
fit_of(BgnbdCustomer (*shape)(int), int count, uint32_t looks_most)
{
	BgnbdCustomer *customer = room_for(count, sizeof(BgnbdCustomer));
	BgnbdFit fit;

	for (int c = 0; c < count; c++)
		customer[c] = shape(c);
	qsort(customer, count, sizeof(BgnbdCustomer), compare_customers);
	must(BgnbdFind(customer, count, &fit));
	must(fit.looks <= looks_most);
	free(customer);
	return fit;
}

/* Nine times after the first, every seventh day, and a week ago. */
static BgnbdCustomer
shape_same(int c)
{
	(void) c;
	return (BgnbdCustomer){9, 63, 70};
}

/* A gap of 3 to 20 days for everybody, as many as there was time for; of each three, one stopped on the way. */
static BgnbdCustomer
shape_some_stop(int c)
{
	double gap = 3 + c % 18;
	double age = 200 - c % 50;
	double times = floor(fmin(age, c % 3 == 0 ? 60 + c % 60 : 200) / gap);

	return (BgnbdCustomer){times, times * gap, age};
}

/* The same gap for everybody; of each three, one stopped at the fifth. */
static BgnbdCustomer
shape_weekly(int c)
{
	double age = 500 - 5 * (c % 50);
	double times = c % 3 == 0 ? 5 : floor(age / 7);

	return (BgnbdCustomer){times, times * 7, age};
}

/* The digits of a number behind the point, backwards: as even between 0 and 1 as can be (van der Corput). */
static double
spread(int c, int base)
{
	double sum = 0;

	for (double digit = 1.0 / base; c > 0; c /= base, digit /= base)
		sum += digit * (c % base);
	return sum;
}

/* People of the model itself, with r = 1, alpha = 1/2, a = 1 and b = 30, but that their gaps are even: up to some hundreds of them. */
static BgnbdCustomer
shape_often(int c)
{
	double rate = -log(spread(c + 1, 2)) / 0.5;
	double stays = pow(spread(c + 1, 3), 1.0 / 30);
	double times = fmin(ceil(log(spread(c + 1, 5)) / log(stays)), floor(rate * (80 + c % 40)));

	return (BgnbdCustomer){times, times / rate, 80 + c % 40};
}

/*
 * Where all are alike nobody leaves and everybody comes at one rate, as far as the bounds let: r and b
 * are at the upper ones, a at the lower.  The likelihood of who stays is then greatest where its slope by
 * alpha, r/alpha - (r+x)/(alpha+T), is 0: alpha = r T / x.  And one customer tells what 20,000 do.
 */
static void
check_bgnbd(void)
{
	BgnbdFit many = fit_of(shape_same, 20000, 45);
	BgnbdFit one = fit_of(shape_same, 1, 45);
	BgnbdFit some = fit_of(shape_some_stop, 20000, 27);
	BgnbdFit weekly = fit_of(shape_weekly, 20000, 26);
	BgnbdFit often = fit_of(shape_often, 20000, 26);

	must(near(many.model.r, BGNBD_MOST) && near(many.model.b, BGNBD_MOST) && near(many.model.a, BGNBD_LEAST));
	must(fabs(many.model.alpha / (BGNBD_MOST * 70 / 9) - 1) < 1e-6);
	must(many.looks == one.looks && near(many.model.alpha, one.model.alpha));
	must(near(many.log_likelihood, 20000 * one.log_likelihood));
	must(!many.converged && !some.converged && !weekly.converged);

	must(often.converged);
	must(fabs(often.model.r - 1) < 0.1 && fabs(often.model.alpha - 0.5) < 0.1);
	must(fabs(often.model.a - 1) < 0.1 && fabs(often.model.b - 30) < 3);
}

int
main(void)
{
	check_bgnbd();
	check_norm();
	check_because();
	check_nearest();
	check_similarity();
	check_best();
	check_order();
	check_evidence();
	check_variety();
	check_cholesky();
	check_large();
	check_cost();
	check_cost_of_trials();
	check_curve();
	check_sketch();
	return 0;
}
