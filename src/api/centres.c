#include "api/centres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/itemfactor.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

/* A segment is the one it was where its centre has moved by no more than this, of sqrt(2) at most. */
#define SAME 0.5

/* Items by whose scores a centre is told, for each factor. */
#define ITEMS_A_FACTOR 4

/* What is added to the squares of the factors, over their mean, so that there is one solution. */
#define RIDGE 1e-9

static void
refuse_centres(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s must be an object of segments and their centres", what),
					errhint("Such as SELECT jsonb_object_agg(segment, centre) FROM my_segments.")));
}

/* The number that a key of an object names a group by, from 1 on. */
static int32
number_of(const JsonbValue *key, const char *what)
{
	char *text = pnstrdup(key->val.string.val, key->val.string.len);
	long number = strtol(text, NULL, 10);

	/* As it was written, so that none has two names; there is room for as many that come after. */
	if (number < 1 || number > PG_INT32_MAX - CLUSTERS_MOST ||
		strcmp(text, psprintf("%ld", number)) != 0)
		refuse_centres(what);
	return (int32) number;
}

/* The next member of an object: its key and its number; false where there is none. */
static bool
next_member(JsonbIterator **walk, Datum *key, double *number, const char *what)
{
	JsonbValue part;

	if (JsonbIteratorNext(walk, &part, false) != WJB_KEY)
		return false;
	*key = PointerGetDatum(cstring_to_text_with_len(part.val.string.val, part.val.string.len));
	if (JsonbIteratorNext(walk, &part, false) != WJB_VALUE || part.type != jbvNumeric)
		refuse_centres(what);
	*number = DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(part.val.numeric)));
	return true;
}

/* Reads one centre by shares. */
static void
read_shares(const Crowd *crowd, JsonbIterator **walk, double *centre, const char *what)
{
	Datum value;
	double number;

	while (next_member(walk, &value, &number, what))
	{
		uint32 trait = TraitFind(crowd->traits, 0, value);

		if (!(number >= 0 && number <= 1))
			refuse_centres(what);
		if (trait != ID_NONE)
			centre[trait] = number;
	}
}

/* An id of a key. */
static Datum
id_of(IdKind kind, Datum key)
{
	char *written = TextDatumGetCString(key);

	switch (kind)
	{
		case ID_INTEGER:
			return DirectFunctionCall1(int8in, CStringGetDatum(written));
		case ID_UUID:
			return DirectFunctionCall1(uuid_in, CStringGetDatum(written));
		default:
			return key;
	}
}

/* Solves a x = b of n unknowns, a symmetric and positive definite, by Cholesky; both are spoilt. */
static bool
solve(double *a, double *b, uint32 n)
{
	for (uint32 j = 0; j < n; j++)
	{
		for (uint32 i = 0; i <= j; i++)
		{
			double sum = a[(Size) i * n + j];

			for (uint32 k = 0; k < i; k++)
				sum -= a[(Size) k * n + i] * a[(Size) k * n + j];
			if (i < j)
				a[(Size) i * n + j] = sum / a[(Size) i * n + i];
			else if (sum > 0)
				a[(Size) i * n + i] = sqrt(sum);
			else
				return false;
		}
		CHECK_FOR_INTERRUPTS();
	}
	for (uint32 i = 0; i < n; i++)
	{
		for (uint32 k = 0; k < i; k++)
			b[i] -= a[(Size) k * n + i] * b[k];
		b[i] /= a[(Size) i * n + i];
	}
	for (uint32 i = n; i-- > 0;)
	{
		for (uint32 k = i + 1; k < n; k++)
			b[i] -= a[(Size) i * n + k] * b[k];
		b[i] /= a[(Size) i * n + i];
	}
	return true;
}

/* The point that gives items the scores of a centre, as nearly as there is one. */
static void
find_point(const Crowd *crowd, const IdSet *items, const double *score, double *centre,
		   Budget *budget)
{
	uint32 n = crowd->fold->factors;
	uint32 rows;
	ItemFactorRow *row = ItemFactorRead(crowd->model, crowd->fold, items, &rows);
	double *a = BudgetZeroed(budget, (uint64) n * n, sizeof(double));
	double *b = BudgetZeroed(budget, n, sizeof(double));
	double trace = 0;

	for (uint32 r = 0; r < rows; r++)
		for (uint32 i = 0; i < n; i++)
		{
			double factor = row[r].row[i];

			b[i] += factor * score[row[r].id];
			for (uint32 j = i; j < n; j++)
				a[(Size) i * n + j] += factor * row[r].row[j];
			trace += factor * factor;
		}
	for (uint32 i = 0; i < n; i++)
		a[(Size) i * n + i] += RIDGE * trace / n;
	if (trace > 0 && solve(a, b, n))
		memcpy(centre, b, sizeof(double) * n);
	BudgetFree(budget, a);
	BudgetFree(budget, b);
}

/* Reads one centre by factors. */
static void
read_scores(const Crowd *crowd, JsonbIterator **walk, uint32 most, double *centre, const char *what,
			Budget *budget)
{
	IdKind kind = crowd->model->item_kind;
	IdSet *items = IdSetCreate(kind, budget);
	double *score = BudgetZeroed(budget, (uint64) most + 1, sizeof(double));
	Datum key;
	double number;

	while (next_member(walk, &key, &number, what))
	{
		uint32 item = IdSetAdd(items, id_of(kind, key));

		if (!isfinite(number) || item >= most)
			refuse_centres(what);
		score[item] = number;
	}
	find_point(crowd, items, score, centre, budget);
	IdSetFree(items);
	BudgetFree(budget, score);
}

Centres
CentresRead(const Crowd *crowd, Datum argument, const char *what, Budget *budget)
{
	Jsonb *object = DatumGetJsonbP(argument);
	uint32 values = crowd->input.values;
	Centres centres = {0};
	JsonbIterator *walk;
	JsonbValue part;

	if (!JB_ROOT_IS_OBJECT(object) || JB_ROOT_COUNT(object) > 1000)
		refuse_centres(what);
	centres.number = BudgetAlloc(budget, JB_ROOT_COUNT(object) + 1, sizeof(int32));
	centres.centre =
		BudgetZeroed(budget, (uint64) (JB_ROOT_COUNT(object) + 1) * (values + 1), sizeof(double));
	walk = JsonbIteratorInit(&object->root);
	JsonbIteratorNext(&walk, &part, false);
	while (JsonbIteratorNext(&walk, &part, false) == WJB_KEY)
	{
		double *centre = centres.centre + (uint64) centres.count * values;

		centres.number[centres.count++] = number_of(&part, what);
		if (JsonbIteratorNext(&walk, &part, false) != WJB_BEGIN_OBJECT)
			refuse_centres(what);
		if (crowd->fold)
			read_scores(crowd, &walk, (uint32) part.val.object.nPairs, centre, what, budget);
		else
			read_shares(crowd, &walk, centre, what);
	}
	centres.square = BudgetAlloc(budget, (uint64) centres.count + 1, sizeof(double));
	ClustersSquares(centres.centre, centres.count, values, centres.square);
	return centres;
}

/* An item, and how many users have it. */
typedef struct Known
{
	uint32 item;
	uint32 users;
} Known;

static int
best_known(const void *a, const void *b)
{
	const Known *x = a;
	const Known *y = b;

	if (x->users != y->users)
		return x->users > y->users ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* The items that most users have, enough of them to tell a point by. */
static IdSet *
known_items(const Crowd *crowd, Budget *budget)
{
	const Traits *traits = crowd->traits;
	IdSet *items = IdSetCreate(crowd->model->item_kind, budget);
	Known *known = BudgetZeroed(budget, (uint64) traits->items + 1, sizeof(Known));
	uint64 cells = crowd->first[crowd->input.users];

	for (uint32 i = 0; i < traits->items; i++)
		known[i].item = i;
	for (uint64 n = 0; n < cells; n++)
		known[crowd->item[n]].users++;
	qsort(known, traits->items, sizeof(Known), best_known);
	for (uint32 i = 0; i < Min(traits->items, ITEMS_A_FACTOR * crowd->fold->factors); i++)
		if (known[i].users > 0)
			IdSetAdd(items, IdSetDatum(traits->ids, traits->at[known[i].item]));
	BudgetFree(budget, known);
	return items;
}

static void
write_number(StringInfo json, const char *key, const char *number)
{
	appendStringInfoString(json, json->len > 1 ? ", " : "");
	escape_json(json, key);
	appendStringInfo(json, ": %s", number);
}

/* Writes what the mean member of a group would score well-known items, or their shares. */
static Datum
write_centre(const Crowd *crowd, const double *centre, const IdSet *items, const ItemFactorRow *row,
			 uint32 rows)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (uint32 r = 0; r < rows; r++)
	{
		Datum id = IdAsType(IdSetDatum(items, row[r].id), IdSetKind(items), TEXTOID);
		double score = 0;

		for (uint32 f = 0; f < crowd->fold->factors; f++)
			score += centre[f] * row[r].row[f];
		write_number(&json, TextDatumGetCString(id), psprintf("%.9g", score));
	}
	for (uint32 t = 0; crowd->fold == NULL && t < crowd->traits->traits; t++)
		if (centre[t] >= 1e-6)
			write_number(&json, TextDatumGetCString(TraitText(crowd->traits, t)),
						 psprintf("%.6f", centre[t]));
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

Datum *
CentresWrite(const Crowd *crowd, const Clusters *clusters, Budget *budget)
{
	Datum *centre = palloc(sizeof(Datum) * (clusters->count + 1));
	IdSet *items = NULL;
	ItemFactorRow *row = NULL;
	uint32 rows = 0;

	if (crowd->fold)
	{
		items = known_items(crowd, budget);
		row = ItemFactorRead(crowd->model, crowd->fold, items, &rows);
	}
	for (uint32 c = 0; c < clusters->count; c++)
		centre[c] = write_centre(crowd, clusters->centre + (uint64) c * crowd->input.values, items,
								 row, rows);
	if (items)
		IdSetFree(items);
	return centre;
}

static double
distance(const double *a, const double *b, uint32 values)
{
	double sum = 0;

	for (uint32 v = 0; v < values; v++)
		sum += (a[v] - b[v]) * (a[v] - b[v]);
	return sqrt(sum);
}

/* The place of the group that has most users and no number yet. */
static uint32
largest(const Clusters *clusters, const int32 *number)
{
	uint32 best = clusters->count;

	for (uint32 c = 0; c < clusters->count; c++)
		if (number[c] == 0 &&
			(best == clusters->count || clusters->users[c] > clusters->users[best]))
			best = c;
	return best;
}

int32 *
CentresNumber(const Crowd *crowd, const Clusters *clusters, const Centres *kept)
{
	uint32 values = crowd->input.values;
	int32 *number = palloc0(sizeof(int32) * (clusters->count + 1));
	bool *taken = palloc0(sizeof(bool) * (kept->count + 1));
	int32 next = 0;

	for (uint32 k = 0; k < kept->count; k++)
		next = Max(next, kept->number[k]);
	for (;;)
	{
		double least = SAME;
		uint32 group = 0;
		uint32 old = kept->count;

		for (uint32 c = 0; c < clusters->count; c++)
			for (uint32 k = 0; k < kept->count; k++)
			{
				double apart;

				if (number[c] != 0 || taken[k])
					continue;
				apart = distance(clusters->centre + (uint64) c * values,
								 kept->centre + (uint64) k * values, values);
				if (apart > least)
					continue;
				least = apart;
				group = c;
				old = k;
			}
		if (old == kept->count)
			break;
		number[group] = kept->number[old];
		taken[old] = true;
	}
	for (uint32 c = largest(clusters, number); c < clusters->count; c = largest(clusters, number))
		number[c] = ++next;
	return number;
}
