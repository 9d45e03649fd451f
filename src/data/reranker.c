#include "data/reranker.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/learned.h"
#include "data/lookup.h"
#include "data/plan.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Layers of the table, and what is said of a unit besides its features. */
#define MEAN   "mean"
#define SCALE  "scale"
#define DIRECT "direct"
#define HIDDEN "hidden"
#define BIAS   "bias"
#define OUTPUT "output"

/* Of lists that were shown: what the place added, which nothing that serves reads. */
#define SHOWN "shown"

/* The columns of learned_ranking. */
enum
{
	RANKING_LAYER,
	RANKING_UNIT,
	RANKING_FEATURE,
	RANKING_WEIGHT,
	RANKING_COLUMNS
};

/* Rows of a network: three of each feature, its units, and what places added. */
#define ROWS_MOST (3 * FEATURES + NETWORK_UNITS_MAX * (FEATURES + 2) + 1)

const char *
RerankerScored(ModelAlgorithm algorithm, SimilarityKind kind)
{
	return algorithm == MODEL_FACTORS ? SettingWord(SETTING_ALGORITHM, MODEL_FACTORS)
									  : SettingWord(SETTING_SIMILARITY, (int) kind);
}

/* Runs a statement that changes a table. */
static void
change(const Model *model, const char *sql, int arguments, const Oid *types, Datum *values,
	   const char *nulls)
{
	if (SPI_execute_with_args(sql, arguments, (Oid *) types, values, nulls, false, 0) < 0)
		elog(ERROR, "could not write the ranking of model \"%s\"", model->name);
}

/* The rows of a network as they are gathered. */
typedef struct Table
{
	Datum column[RANKING_COLUMNS][ROWS_MOST];
	uint32 count;
} Table;

static void
add_row(Table *table, const char *layer, uint32 unit, const char *feature, double weight)
{
	table->column[RANKING_LAYER][table->count] = CStringGetTextDatum(layer);
	table->column[RANKING_UNIT][table->count] = Int32GetDatum((int32) unit);
	table->column[RANKING_FEATURE][table->count] = CStringGetTextDatum(feature);
	table->column[RANKING_WEIGHT][table->count++] = Float8GetDatum(weight);
}

/* Every weight, but for those of features that say nothing. */
static void
gather(const Reranker *reranker, Table *table)
{
	const Network *network = &reranker->network;

	for (int f = 0; f < FEATURES; f++)
	{
		if (reranker->scale[f] == 0)
			continue;
		add_row(table, MEAN, 0, FeatureNames[f], reranker->mean[f]);
		add_row(table, SCALE, 0, FeatureNames[f], reranker->scale[f]);
		add_row(table, DIRECT, 0, FeatureNames[f], network->weight[f]);
	}
	if (reranker->glance != 0)
		add_row(table, SHOWN, 0, FeatureNames[FEATURE_PLACE], reranker->glance);
	for (uint32 h = 0; h < network->units; h++)
	{
		const double *unit = network->weight + NetworkUnit(network, h);

		add_row(table, HIDDEN, h + 1, OUTPUT, unit[0]);
		add_row(table, HIDDEN, h + 1, BIAS, unit[1]);
		for (int f = 0; f < FEATURES; f++)
			if (reranker->scale[f] > 0)
				add_row(table, HIDDEN, h + 1, FeatureNames[f], unit[2 + f]);
	}
}

/* What the row of "model" says of it. */
static void
tell(const Model *model, const Reranker *reranker, const char *scored)
{
	const Oid types[] = {INT4OID, TEXTOID};
	Datum values[] = {Int32GetDatum(reranker ? (int32) reranker->first : 0),
					  CStringGetTextDatum(scored)};
	const char nulls[] = {reranker ? ' ' : 'n', reranker ? ' ' : 'n'};

	change(model,
		   psprintf("UPDATE ONLY %s.model SET reranked_first = $1, reranked_of = $2 "
					"WHERE (reranked_first, reranked_of) IS DISTINCT FROM ($1, $2)",
					model->quoted),
		   lengthof(types), types, values, nulls);
}

void
RerankerWrite(const Model *model, const Reranker *reranker, const char *scored)
{
	const Oid element[RANKING_COLUMNS] = {TEXTOID, INT4OID, TEXTOID, FLOAT8OID};
	const Oid types[RANKING_COLUMNS] = {TEXTARRAYOID, INT4ARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID};
	Datum arrays[RANKING_COLUMNS];
	Table *table = palloc0(sizeof(Table));

	ModelNeedsTable(model, "learned_ranking");
	if (reranker)
		gather(reranker, table);
	change(model, psprintf("DELETE FROM %s.learned_ranking", model->quoted), 0, NULL, NULL, NULL);
	for (int c = 0; c < RANKING_COLUMNS; c++)
		arrays[c] = PlanArray(table->column[c], table->count, element[c]);
	change(model,
		   psprintf("INSERT INTO %s.learned_ranking (layer, unit, feature, weight) "
					"SELECT n.* FROM unnest($1, $2, $3, $4) AS n(layer, unit, feature, weight)",
					model->quoted),
		   RANKING_COLUMNS, types, arrays, NULL);
	tell(model, reranker, scored ? scored : "");
	pfree(table);
}

void
RerankerFollow(const Model *model, const char *scored)
{
	if (model->reranked_of == NULL || (scored && strcmp(model->reranked_of, scored) == 0))
		return;
	if (scored)
		ereport(NOTICE,
				(errmsg("lists of model \"%s\" are not put in order by its network any more",
						model->name),
				 errdetail(
					 "It was trained on lists scored by \"%s\", and they are scored by \"%s\" now.",
					 model->reranked_of, scored),
				 errhint("Run SELECT * FROM reco_learn_ranking(%s).",
						 quote_literal_cstr(model->name))));
	RerankerWrite(model, NULL, NULL);
}

const char *
RerankerLearned(const Model *model)
{
	if (PlanRun(psprintf("SELECT CASE picked_algorithm WHEN '%s' THEN '%s' ELSE picked_similarity "
						 "END FROM ONLY %s.model",
						 SettingWord(SETTING_ALGORITHM, MODEL_FACTORS),
						 SettingWord(SETTING_ALGORITHM, MODEL_FACTORS), model->quoted),
				0, NULL, NULL, NULL) != 1)
		return NULL;
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/* Raises the error of rows that nobody but we should have written, and did not. */
pg_noreturn static void
refuse(const Model *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the table \"%s.learned_ranking\" is damaged", model->name),
			 errhint("Run reco_learn_ranking to learn it anew, or set \"reranked\" to false.")));
}

/* The feature of a name, FEATURES where there is none. */
static int
feature_of(const char *name)
{
	int f = 0;

	while (f < FEATURES && strcmp(FeatureNames[f], name) != 0)
		f++;
	return f;
}

/* Where the weight of a unit of the hidden layer, for feature f or none, has its place; NULL where it has none. */
static double *
place_in_unit(Reranker *reranker, uint32 unit, const char *name, int f)
{
	Network *network = &reranker->network;
	double *weight;

	if (unit < 1 || unit > NETWORK_UNITS_MAX)
		return NULL;
	network->units = Max(network->units, unit);
	weight = network->weight + NetworkUnit(network, unit - 1);
	if (strcmp(name, OUTPUT) == 0)
		return weight;
	if (strcmp(name, BIAS) == 0)
		return weight + 1;
	return f < FEATURES ? weight + 2 + f : NULL;
}

/* Where a weight has its place, NULL where it has none. */
static double *
place_of(Reranker *reranker, const char *layer, uint32 unit, const char *name)
{
	int f = feature_of(name);

	if (strcmp(layer, HIDDEN) == 0)
		return place_in_unit(reranker, unit, name, f);
	if (f == FEATURES)
		return NULL;
	if (strcmp(layer, MEAN) == 0)
		return &reranker->mean[f];
	if (strcmp(layer, SCALE) == 0)
		return &reranker->scale[f];
	if (strcmp(layer, SHOWN) == 0)
		return f == FEATURE_PLACE ? &reranker->glance : NULL;
	return strcmp(layer, DIRECT) == 0 ? &reranker->network.weight[f] : NULL;
}

/* Takes one row of the table. */
static void
take_row(TupleTableSlot *row, void *with)
{
	Reranker *reranker = with;
	double *place;
	double weight;

	/* Whatever is wrong with a row leaves no inputs, which is refused. */
	if (row->tts_isnull[RANKING_LAYER] || row->tts_isnull[RANKING_UNIT] ||
		row->tts_isnull[RANKING_FEATURE] || row->tts_isnull[RANKING_WEIGHT])
	{
		reranker->first = 0;
		return;
	}
	weight = DatumGetFloat8(row->tts_values[RANKING_WEIGHT]);
	place = place_of(reranker, TextDatumGetCString(row->tts_values[RANKING_LAYER]),
					 (uint32) DatumGetInt32(row->tts_values[RANKING_UNIT]),
					 TextDatumGetCString(row->tts_values[RANKING_FEATURE]));
	if (place == NULL || !isfinite(weight))
		reranker->first = 0;
	else
		*place = weight;
}

Reranker *
RerankerRead(const Model *model)
{
	Reranker *reranker = palloc0(sizeof(Reranker));
	bool sound;

	ModelNeedsTable(model, "learned_ranking");
	reranker->first = Min(model->reranked_first, RERANKER_FIRST_MAX);
	reranker->network.inputs = FEATURES;
	PlanStream(psprintf("SELECT layer::pg_catalog.text, unit::pg_catalog.int4, "
						"feature::pg_catalog.text, weight::pg_catalog.float8 "
						"FROM ONLY %s.learned_ranking",
						model->quoted),
			   0, NULL, NULL, take_row, reranker);
	sound = reranker->first > 0 && reranker->first == model->reranked_first;
	for (int f = 0; f < FEATURES; f++)
		sound = sound && reranker->scale[f] >= 0;
	if (!sound)
		refuse(model);
	return reranker;
}

/* The columns that tell what is known of an item, after its number. */
#define ITEM_COLUMNS                                                                               \
	"l.item_no::pg_catalog.int4, l.popularity_log2::pg_catalog.float8, "                           \
	"l.recent_log2::pg_catalog.float8, l.first_at::pg_catalog.timestamptz, "                       \
	"l.last_at::pg_catalog.timestamptz"

/* Items while they are read. */
typedef struct Reading
{
	const Model *model;
	FeatureRates rates;
	FeatureItem *about; /* [slots] */
	uint32 slots;
} Reading;

/* Days from a time to the newest event of all; the longest that is told apart for any before. */
static double
days_before(const Model *model, NullableDatum time)
{
	double most = (double) UINT32_MAX / SECS_PER_DAY;

	if (time.isnull)
		return NAN;
	if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(time.value)))
		return most;
	return Min(((double) model->newest - (double) DatumGetTimestampTz(time.value)) / USECS_PER_DAY,
			   most);
}

static double
number_of(NullableDatum number)
{
	return number.isnull ? NAN : DatumGetFloat8(number.value);
}

static FeatureRates
rates_of(const Model *model)
{
	return (FeatureRates){model->popularity_offset, model->recent_offset, model->trend_prior,
						  model->timed};
}

/* What figures say of their item. */
static FeatureItem
item_of(const Reading *reading, const NullableDatum *figure)
{
	return FeaturesOfItem(&reading->rates, number_of(figure[LOOKUP_POPULARITY]),
						  number_of(figure[LOOKUP_RECENT]),
						  days_before(reading->model, figure[LOOKUP_FIRST]),
						  days_before(reading->model, figure[LOOKUP_LAST]));
}

/* The same of the columns of a row, after the number. */
static FeatureItem
item_of_row(const Reading *reading, const TupleTableSlot *row)
{
	NullableDatum figure[LOOKUP_FIGURES];

	for (int f = 0; f < LOOKUP_FIGURES; f++)
		figure[f] = (NullableDatum){row->tts_values[f + 1], row->tts_isnull[f + 1]};
	return item_of(reading, figure);
}

static void
take_item(TupleTableSlot *row, void *with)
{
	Reading *reading = with;
	uint32 item_no;

	if (row->tts_isnull[0])
		LearnedRefuse(reading->model);
	item_no = (uint32) DatumGetInt32(row->tts_values[0]);
	if (item_no >= reading->slots)
		LearnedRefuse(reading->model);
	reading->about[item_no] = item_of_row(reading, row);
}

FeatureItem *
RerankerAllItems(const Model *model, Budget *budget)
{
	Reading reading = {model, rates_of(model), NULL, model->item_slots};

	reading.about = BudgetAlloc(budget, Max(model->item_slots, 1), sizeof(FeatureItem));
	for (uint32 n = 0; n < reading.slots; n++)
		reading.about[n] = (FeatureItem){NAN, NAN, NAN, NAN};
	PlanStream(psprintf("SELECT " ITEM_COLUMNS " FROM ONLY %s.learned_item l", model->quoted), 0,
			   NULL, NULL, take_item, &reading);
	return reading.about;
}

/* Takes the row of a place in what was asked for. */
static void
take_place(TupleTableSlot *row, void *with)
{
	Reading *reading = with;
	int64 place = DatumGetInt64(row->tts_values[5]);

	if (place >= 1 && place <= reading->slots)
		reading->about[place - 1] = item_of_row(reading, row);
}

/* Asks SQL for some items. */
static void
query_items(Reading *reading, const RankItem *items)
{
	const Model *model = reading->model;
	const Oid type = INT4ARRAYOID;
	Datum *number = palloc(sizeof(Datum) * Max(reading->slots, 1));
	Datum array;

	for (uint32 n = 0; n < reading->slots; n++)
		number[n] = Int32GetDatum((int32) items[n].item);
	array = PlanArray(number, reading->slots, INT4OID);
	/* OFFSET 0 has each row looked up by the key, however few rows the planner takes the table for. */
	PlanStream(psprintf("SELECT l.*, n.place FROM pg_catalog.unnest($1) WITH ORDINALITY "
						"AS n(item_no, place) CROSS JOIN LATERAL (SELECT " ITEM_COLUMNS
						" FROM ONLY %s.learned_item l "
						"WHERE l.item_no OPERATOR(pg_catalog.=) n.item_no OFFSET 0) AS l",
						model->quoted),
			   1, &type, &array, take_place, reading);
	pfree(number);
}

void
RerankerItems(const Model *model, const RankItem *items, uint32 count, FeatureItem *about)
{
	Reading reading = {model, rates_of(model), about, count};
	Lookup *lookup = LookupOpen(model, LOOKUP_ITEM_NO);
	LookupRow row;

	for (uint32 n = 0; n < count; n++)
		about[n] = (FeatureItem){NAN, NAN, NAN, NAN};
	if (lookup == NULL || !LookupHasFigures(lookup))
		query_items(&reading, items);
	else
		for (uint32 n = 0; n < count; n++)
			if (LookupFind(lookup, Int64GetDatum(items[n].item), &row))
				about[n] = item_of(&reading, row.figure);
	if (lookup)
		LookupClose(lookup);
}
