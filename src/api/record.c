#include "api/record.h"

#include <math.h>

#include "base/interrupts.h"
#include "catalog/pg_type.h"
#include "data/likings.h"
#include "data/person.h"
#include "data/rare.h"
#include "data/reranker.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* When an event of an age was; the greatest age stands for anything older. */
static int64
seconds_of(int64 now, uint32 age)
{
	return age == UINT32_MAX ? LEARNED_ALWAYS : now - age;
}

LearnedItem *
RecordItems(const Refresh *refresh)
{
	const Interactions *matrix = refresh->matrix;
	const Neighbors *neighbors = refresh->neighbors;
	const Popularity *popularity = refresh->popularity;
	uint32 count = neighbors->items;
	int64 now = refresh->events->log.now;
	LearnedItem *items = BudgetAllocResult(refresh->budget, count, sizeof(LearnedItem));

	for (uint32 i = 0; i < matrix->by_user.columns; i++)
	{
		const ItemStat *stat = &matrix->stat[i];

		INTERRUPTS_AT(i);
		items[i] = (LearnedItem){
			.id = matrix->item[i],
			.events = (int64) stat->events,
			.users = (int32) Min(stat->users, PG_INT32_MAX),
			.popularity_log2 = popularity->longrun_log2[i],
			.recent_log2 = popularity->recent_log2[i],
			.trending_rank = popularity->trending_rank[i],
			.first_seconds = seconds_of(now, stat->oldest_age),
			.last_seconds = seconds_of(now, stat->newest_age),
		};
	}
	for (uint32 i = matrix->by_user.columns; i < count; i++)
		items[i] = (LearnedItem){
			.id = refresh->resemblance
					  .other[refresh->resemblance.content->other[i - matrix->by_user.columns] -
							 matrix->by_user.columns],
			.popularity_log2 = NAN,
			.recent_log2 = NAN,
		};
	for (uint32 i = 0; i < count; i++)
	{
		items[i].neighbors = neighbors->entry + neighbors->start[i];
		items[i].scored = neighbors->scored[i];
		items[i].neighbor_count = (uint32) (neighbors->start[i + 1] - neighbors->start[i]);
	}
	RareHide(refresh->model, items, count);
	return items;
}

/* What a fold is to be stored as, or none. */
static Datum
base_of(const Factors *factors)
{
	return factors ? ItemFactorBase(&factors->fold) : (Datum) 0;
}

static Datum
float_array(const double *values, int count)
{
	Datum elements[CURVE_KNOTS];

	for (int n = 0; n < count; n++)
		elements[n] = Float8GetDatum(values[n]);
	return PointerGetDatum(construct_array(elements, count, FLOAT8OID, sizeof(float8),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The names of what was told apart; the rest goes by "*". */
static Datum
names_of(const SignalsTold *told)
{
	Datum name[PARTS_SIGNALS];

	for (uint32 s = 0; s < told->count; s++)
		name[s] = CStringGetTextDatum(told->name[s] ? told->name[s] : "*");
	return PointerGetDatum(
		construct_array(name, (int) told->count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Writes what this refresh did to the row of "model". */
static void
write_model(const Refresh *refresh)
{
	bool timed = refresh->events->log.timed && refresh->event_count > 0;
	const SimilarityOptions *similarity = &refresh->similarity;
	const SignalsTold *told = &refresh->events->told;
	struct
	{
		const char *column;
		Oid type;
		Datum value;
		bool isnull;
	} columns[] = {
		{"refreshed_at", TIMESTAMPTZOID, TimestampTzGetDatum(refresh->now), false},
		{"last_event_at", TIMESTAMPTZOID,
		 TimestampTzGetDatum((refresh->events->log.now - (int64) refresh->popularity->newest_age) *
							 USECS_PER_SEC),
		 !timed},
		{"picked_signals", TEXTARRAYOID, names_of(told), told->count == 0},
		{"picked_weights", FLOAT8ARRAYOID, float_array(told->weight, (int) told->count),
		 told->count == 0},
		{"picked_similarity", TEXTOID,
		 CStringGetTextDatum(SettingWord(SETTING_SIMILARITY, similarity->rule.kind)), false},
		{"picked_keep", TEXTOID, CStringGetTextDatum(SettingWord(SETTING_KEEP, similarity->keep)),
		 false},
		{"picked_lambda", FLOAT8OID, Float8GetDatum(similarity->lambda), false},
		{"picked_damping", FLOAT8OID, Float8GetDatum(similarity->damping), false},
		{"picked_blend", FLOAT8OID, Float8GetDatum(similarity->blend), false},
		{"picked_indirect", FLOAT8OID, Float8GetDatum(similarity->indirect), false},
		{"picked_neighbors", INT4OID, Int32GetDatum((int32) similarity->k), false},
		{"picked_shrinkage", FLOAT8OID, Float8GetDatum(similarity->rule.shrinkage), false},
		{"picked_recency", FLOAT8OID, Float8GetDatum(SimilarityRecency(similarity)), false},
		{"events", INT8OID, Int64GetDatum((int64) refresh->event_count), false},
		{"users", INT8OID, Int64GetDatum(refresh->matrix->users), false},
		{"items", INT8OID, Int64GetDatum(refresh->events->log.items), false},
		{"item_slots", INT4OID, Int32GetDatum((int32) refresh->item_slots), false},
		{"neighbor_pairs", INT8OID, Int64GetDatum((int64) refresh->neighbor_pairs), false},
		{"content_pairs", INT8OID, Int64GetDatum(RefreshContentPairs(refresh)), false},
		{"popularity_offset", FLOAT8OID, Float8GetDatum(refresh->popularity->popularity_offset),
		 false},
		{"recent_offset", FLOAT8OID, Float8GetDatum(refresh->popularity->recent_offset), false},
		{"trend_prior", FLOAT8OID, Float8GetDatum(refresh->popularity->trend_prior), false},
		{"curve_pairs", INT8OID, Int64GetDatum(refresh->match.asked), false},
		{"curve_score", FLOAT8ARRAYOID,
		 float_array(refresh->match.curve.score, refresh->match.curve.knots), false},
		{"curve_match", FLOAT8ARRAYOID,
		 float_array(refresh->match.curve.chance, refresh->match.curve.knots), false},
		{"picked_algorithm", TEXTOID,
		 CStringGetTextDatum(
			 SettingWord(SETTING_ALGORITHM, refresh->factors ? MODEL_FACTORS : MODEL_NEIGHBORS)),
		 false},
		{"picked_factor_lambda", FLOAT8OID,
		 Float8GetDatum(refresh->factors ? refresh->factors->fold.lambda : 0),
		 refresh->factors == NULL},
		{"factor_base", FLOAT4ARRAYOID, base_of(refresh->factors), refresh->factors == NULL},
	};
	Oid types[lengthof(columns)];
	Datum values[lengthof(columns)];
	char nulls[lengthof(columns)];
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE ONLY %s.model SET ", refresh->model->quoted);
	for (size_t c = 0; c < lengthof(columns); c++)
	{
		types[c] = columns[c].type;
		values[c] = columns[c].value;
		nulls[c] = columns[c].isnull ? 'n' : ' ';
		appendStringInfo(&sql, "%s%s = $%d", c == 0 ? "" : ", ", columns[c].column, (int) c + 1);
	}
	if (SPI_execute_with_args(sql.data, lengthof(columns), types, values, nulls, false, 0) !=
			SPI_OK_UPDATE ||
		SPI_processed != 1)
		elog(ERROR, "could not write the row of model \"%s\"", refresh->model->name);
}

/* Writes the factors of items, or takes away those that were there. */
static uint64
write_factors(const Refresh *refresh)
{
	const Factors *factors = refresh->factors;

	if (factors == NULL)
		return ItemFactorWrite(refresh->model, refresh->events->items, NULL);
	return ItemFactorWrite(refresh->model, refresh->events->items,
						   &(ItemFactorLearned){.fold = &factors->fold,
												.items = factors->items,
												.id = refresh->matrix->item,
												.row = factors->row,
												.has = factors->has});
}

static void
write_groups(const Refresh *refresh)
{
	const Groups *groups = refresh->groups;
	Liking *likings = BudgetAlloc(refresh->budget, groups->count, sizeof(Liking));

	for (uint32 n = 0; n < groups->count; n++)
	{
		const GroupItem *item = &groups->item[n];

		likings[n] = (Liking){.attribute = refresh->people->attribute[item->group],
							  .value = refresh->people->value[item->group],
							  .rank = item->rank,
							  .id = refresh->matrix->item[item->item],
							  .users = item->users,
							  .lift = item->lift};
	}
	LikingsWrite(refresh->model, refresh->events->items, likings, groups->count);
	BudgetFree(refresh->budget, likings);
}

static void
write_contexts(const Refresh *refresh)
{
	const Contexts *contexts = refresh->contexts;
	uint64 count = 0;
	uint64 n = 0;
	ContextRow *rows;

	for (uint32 c = 0; c < contexts->count && refresh->lifts[c]; c++)
		count += refresh->lifts[c]->count;
	rows = BudgetAlloc(refresh->budget, count, sizeof(ContextRow));
	for (uint32 c = 0; c < contexts->count && refresh->lifts[c]; c++)
		for (uint32 l = 0; l < refresh->lifts[c]->count; l++)
		{
			const Lift *lift = &refresh->lifts[c]->lift[l];

			rows[n++] = (ContextRow){.context = contexts->context[c].name,
									 .value = ContextsWord(&contexts->context[c], lift->value),
									 .id = lift->item,
									 .events = lift->events,
									 .lift = lift->lift};
		}
	ContextsWrite(refresh->model, refresh->events->items, rows, (uint32) count);
	BudgetFree(refresh->budget, rows);
}

void
RecordWrite(Refresh *refresh, const LearnedItem *items)
{
	if (refresh->check)
		PersonForget(refresh->model);
	RerankerFollow(refresh->model,
				   refresh->check
					   ? NULL
					   : RerankerScored(refresh->factors ? MODEL_FACTORS : MODEL_NEIGHBORS,
										refresh->similarity.rule.kind));
	refresh->rows_written =
		LearnedWrite(refresh->model, refresh->events->items, items, refresh->neighbors->items,
					 refresh->events->log.timed, &refresh->item_slots, refresh->budget);
	write_groups(refresh);
	write_contexts(refresh);
	ResumingWrite(refresh->model, refresh->resuming);
	refresh->rows_written += write_factors(refresh);
	write_model(refresh);
}
