#include "data/model.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "data/consent.h"
#include "data/find.h"
#include "data/modelrow.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* A column of a view by name, NULL where there is none. */
static Form_pg_attribute
find_column(Relation view, const char *name)
{
	TupleDesc desc = RelationGetDescr(view);

	for (int a = 0; a < desc->natts; a++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, a);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
			return column;
	}
	return NULL;
}

/* Its type, InvalidOid where there is none. */
static Oid
column_type(Relation view, const char *name)
{
	Form_pg_attribute column = find_column(view, name);

	return column ? column->atttypid : InvalidOid;
}

static void
refuse_type(Relation view, const char *name, Oid type, const char *types)
{
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("column \"%s\" of \"%s.%s\" has type %s", name,
						   get_namespace_name(RelationGetNamespace(view)),
						   RelationGetRelationName(view), format_type_be(type)),
					errhint("It may be %s: cast it in the query.", types)));
}

/*
 * Ids are told apart by their bytes.  A collation by which different ones are equal would find the
 * history of one user for another, where everybody's are read as what they are.
 */
static void
check_collation(Relation view, Form_pg_attribute column)
{
	Oid collation = column->attcollation;

	if (!OidIsValid(collation) || get_collation_isdeterministic(collation))
		return;
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("column \"%s\" of \"%s.%s\" has the collation \"%s\", by which "
						   "different ids can be equal",
						   NameStr(column->attname),
						   get_namespace_name(RelationGetNamespace(view)),
						   RelationGetRelationName(view), get_collation_name(collation)),
					errhint("Give it another in the query: ... COLLATE \"C\" AS %s, or "
							"lower(...) COLLATE \"C\" AS %s.",
							NameStr(column->attname), NameStr(column->attname))));
}

/* The type of an id column, which must be there. */
static Oid
id_column(Relation view, const char *name, IdKind *kind)
{
	Form_pg_attribute column = find_column(view, name);

	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the %s query has no column \"%s\"", RelationGetRelationName(view), name),
				 errhint("Name one of its columns so: SELECT ... AS %s. It may be %s.", name,
						 ID_TYPES)));
	if (!IdKindOfType(column->atttypid, kind))
		refuse_type(view, name, column->atttypid, ID_TYPES);
	check_collation(view, column);
	return column->atttypid;
}

/* The type of an optional column, one of the given. */
static Oid
optional_column(Relation view, const char *name, const Oid *types, const char *words)
{
	Oid type = column_type(view, name);

	if (!OidIsValid(type))
		return InvalidOid;
	for (int t = 0; OidIsValid(types[t]); t++)
		if (IdBaseType(type) == types[t])
			return type;
	refuse_type(view, name, type, words);
	return InvalidOid;
}

/* True where the items have a column by which the newest come first, which must have an order. */
static bool
has_released(Relation view)
{
	Oid type = column_type(view, "released_at");

	if (OidIsValid(type) && !OidIsValid(lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr))
		refuse_type(view, "released_at", type, MODEL_TIME_TYPES);
	return OidIsValid(type);
}

/* One of the model's views, opened; NULL where an optional one is not there. */
static Relation
open_view(const Model *model, const char *name, bool optional)
{
	Oid view = get_relname_relid(name, model->schema);
	Relation relation = OidIsValid(view) ? try_relation_open(view, AccessShareLock) : NULL;

	/* What is missing may be gone with all the rest since the model was found. */
	if (relation == NULL && !optional && !FindIsTable(model->reco, model->table))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" does not exist", model->name)));
	if (relation == NULL && !optional)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("model \"%s\" has no view \"%s\"", model->name, name),
						errhint("Drop the model with reco_drop_model and create it anew.")));

	/* Its query runs as whoever asks: it must be the model's own, not one that somebody else put there. */
	if (relation && relation->rd_rel->relowner != model->owner)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("\"%s.%s\" does not belong to the owner of the model", model->name, name),
				 errhint("Use ALTER ... OWNER TO %s.",
						 quote_identifier(GetUserNameFromId(model->owner, true)))));
	return relation;
}

/* The table of what was learned must have ids of the kind the events have now. */
static void
check_learned(const Model *model)
{
	Relation table = open_view(model, "learned_item", false);
	Oid type = column_type(table, "item_id");
	IdKind kind;

	if (!OidIsValid(type) || !IdKindOfType(type, &kind) || kind != model->item_kind)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("model \"%s\" was made for items of type %s, its events now have %s",
							   model->name, OidIsValid(type) ? format_type_be(type) : "none",
							   format_type_be(model->item_type)),
						errhint("Drop the model with reco_drop_model and create it anew.")));
	relation_close(table, AccessShareLock);
}

Model *
ModelNew(Oid reco, Oid table)
{
	static const Oid times[] = {TIMESTAMPTZOID, TIMESTAMPOID, DATEOID, InvalidOid};
	static const Oid numbers[] = {FLOAT8OID, FLOAT4OID, NUMERICOID, INT8OID,
								  INT4OID,   INT2OID,   InvalidOid};
	static const Oid texts[] = {TEXTOID, VARCHAROID, InvalidOid};
	static const Oid booleans[] = {BOOLOID, InvalidOid};
	Model *model = palloc0(sizeof(Model));
	HeapTuple tuple;
	Relation view;
	IdKind kind;

	if (!FindIsTable(reco, table))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not the table of a model",
							   get_rel_name(table) ? get_rel_name(table) : "-")));
	model->reco = reco;
	model->table = table;
	model->schema = get_rel_namespace(table);
	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(model->schema));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", model->schema);
	model->name = pstrdup(NameStr(((Form_pg_namespace) GETSTRUCT(tuple))->nspname));
	model->owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	model->naming = NamingOf(model->schema, model->name);
	model->quoted = quote_identifier(model->name);
	if (object_aclcheck(NamespaceRelationId, model->schema, GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, model->name);

	view = open_view(model, "events", false);
	model->user_type = id_column(view, "user_id", &model->user_kind);
	model->item_type = id_column(view, "item_id", &model->item_kind);
	model->time_type = optional_column(view, "occurred_at", times, MODEL_TIME_TYPES);
	model->weight_type = optional_column(view, "weight", numbers, MODEL_WEIGHT_TYPES);
	model->has_signal = OidIsValid(optional_column(view, "signal", texts, "text"));
	relation_close(view, AccessShareLock);

	view = open_view(model, "items", true);
	if (view)
	{
		Oid type = id_column(view, "item_id", &kind);

		if (kind != model->item_kind)
			refuse_type(view, "item_id", type,
						psprintf("%s as in the events query", format_type_be(model->item_type)));
		model->has_items = true;
		model->has_released = has_released(view);
		relation_close(view, AccessShareLock);
	}
	view = open_view(model, "users", true);
	if (view)
	{
		Oid type = id_column(view, "user_id", &kind);

		if (kind != model->user_kind)
			refuse_type(view, "user_id", type,
						psprintf("%s as in the events query", format_type_be(model->user_type)));
		model->has_users = true;
		model->has_consent =
			OidIsValid(optional_column(view, CONSENT_COLUMN, booleans, "boolean"));
		relation_close(view, AccessShareLock);
	}
	view = open_view(model, "rules", true);
	if (view)
	{
		model->has_rules = true;
		relation_close(view, AccessShareLock);
	}
	return model;
}

Model *
ModelOpen(Oid reco, Oid table)
{
	Model *model = ModelNew(reco, table);

	check_learned(model);
	return model;
}

/* The columns of the row, in the order in which they are taken. */
static const char *const columns[] = {
	"format_version",
	"algorithm",
	"similarity",
	"user_exponent",
	"source_exponent",
	"target_exponent",
	"shrinkage",
	"min_support",
	"lambda",
	"candidates",
	"damping",
	"blend",
	"indirect",
	"recency",
	"factors",
	"iterations",
	"factor_lambda",
	"unobserved",
	"content",
	"neighbors",
	"keep",
	"weighting",
	"max_history",
	"half_life",
	"popular_half_life",
	"trend_half_life",
	"min_match",
	"target_signal",
	"exclude_seen",
	"fatigue_half_life",
	"category",
	"contexts",
	"time_zone",
	"unfinished",
	"reranked",
	"reranked_first",
	"reranked_of",
	"picked_signals",
	"picked_weights",
	"picked_similarity",
	"picked_keep",
	"picked_lambda",
	"picked_damping",
	"picked_blend",
	"picked_indirect",
	"picked_neighbors",
	"picked_shrinkage",
	"picked_recency",
	"refreshed_at",
	"item_slots",
	"last_event_at",
	"popularity_offset",
	"recent_offset",
	"trend_prior",
	"curve_score",
	"curve_match",
	"picked_algorithm",
};

/* The row that was read last, as long as that lasts. */
static struct
{
	Datum value[lengthof(columns)];
	bool isnull[lengthof(columns)];
} row;

/* One column of the row that was read; NULL and *isnull where it is NULL. */
static Datum
column(int number, bool *isnull)
{
	*isnull = row.isnull[number - 1];
	return row.value[number - 1];
}

static double
float_column(int number, double otherwise)
{
	bool isnull;
	Datum value = column(number, &isnull);

	return isnull ? otherwise : DatumGetFloat8(value);
}

static int
choice_column(int number, SettingNo setting)
{
	bool isnull;
	Datum value = column(number, &isnull);

	return isnull ? 0 : SettingChoice(setting, TextDatumGetCString(value));
}

static double
seconds_column(int number)
{
	bool isnull;
	Datum value = column(number, &isnull);

	return isnull ? 0 : SettingSeconds(DatumGetIntervalP(value));
}

/* What a policy says of signals, for as long as the model lasts. */
static Signals *
signals_column(const Model *model, int number)
{
	MemoryContext caller;
	Signals *signals;
	bool isnull;
	Datum value = column(number, &isnull);

	if (isnull)
		return NULL;
	caller = MemoryContextSwitchTo(GetMemoryChunkContext((void *) model));
	signals = SignalsRead(value);
	MemoryContextSwitchTo(caller);
	return signals;
}

/* What the setting says is unfinished, for as long as the model lasts. */
static Unfinished *
unfinished_column(const Model *model, int number)
{
	MemoryContext caller;
	Unfinished *unfinished;
	bool isnull;
	Datum value = column(number, &isnull);

	if (isnull)
		return NULL;
	caller = MemoryContextSwitchTo(GetMemoryChunkContext((void *) model));
	unfinished = UnfinishedRead(value);
	MemoryContextSwitchTo(caller);
	return unfinished;
}

/* A name, or NULL, for as long as the model lasts. */
static char *
name_column(const Model *model, int number)
{
	bool isnull;
	Datum value = column(number, &isnull);

	return isnull ? NULL
				  : MemoryContextStrdup(GetMemoryChunkContext((void *) model),
										TextDatumGetCString(value));
}

/* An array of names, as a list that lasts as long as the model. */
static List *
names_column(const Model *model, int number)
{
	MemoryContext caller;
	List *names = NIL;
	Datum *name;
	bool *isnull;
	bool none;
	int count;
	Datum value = column(number, &none);

	if (none)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &name, &isnull,
					  &count);
	caller = MemoryContextSwitchTo(GetMemoryChunkContext((void *) model));
	for (int n = 0; n < count; n++)
		if (!isnull[n])
			names = lappend(names, TextDatumGetCString(name[n]));
	MemoryContextSwitchTo(caller);
	return names;
}

/*
 * Item numbers that nobody asks after, whatever the table holds: it may have been emptied by hand,
 * and what memory they are good for, some megabytes, hurts nobody.
 */
#define SLOTS_TRUSTED 1000000

/* How many item numbers the table of what was learned has room for, full of the shortest rows there are. */
static uint64
slots_possible(const Model *model)
{
	Relation table = open_view(model, "learned_item", false);
	uint64 blocks =
		RELKIND_HAS_STORAGE(table->rd_rel->relkind) ? RelationGetNumberOfBlocks(table) : 0;

	relation_close(table, AccessShareLock);
	return SLOTS_TRUSTED + blocks * MaxHeapTuplesPerPage * MODEL_NUMBERS_PER_ITEM;
}

/*
 * How many item numbers there are.  Whoever asks takes memory by it, so the owner, who may write
 * whatever number, must not make others take more than the model is worth.
 */
static uint32
slots_column(const Model *model, int number)
{
	bool isnull;
	int32 slots = DatumGetInt32(column(number, &isnull));

	if (isnull || slots < 0 || (slots > SLOTS_TRUSTED && (uint64) slots > slots_possible(model)))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the number of items of model \"%s\" is damaged", model->name),
						errhint("Run reco_refresh to learn it anew.")));
	return (uint32) slots;
}

/* An array of the curve into out; returns its length. */
static int
curve_column(int number, double *out)
{
	bool isnull;
	Datum value = column(number, &isnull);
	ArrayType *array;
	int count;

	if (isnull)
		return 0;
	array = DatumGetArrayTypeP(value);
	count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_ELEMTYPE(array) == FLOAT8OID && !ARR_HASNULL(array) && count <= CURVE_KNOTS)
	{
		memcpy(out, ARR_DATA_PTR(array), sizeof(double) * count);
		if (CurveRises(out, count))
			return count;
	}
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the match curve is damaged"),
					errhint("Run reco_refresh to learn it anew.")));
}

static void
read_row(const Model *model)
{
	ModelRowRead(model, columns, lengthof(columns), row.value, row.isnull);
}

/* Columns of what was picked, from picked_similarity to picked_recency. */
#define PICKED_COLUMNS 9

/* How many neighbours were kept of an item, where nobody says how many. */
static uint32
neighbors_column(int number, const SimilarityOptions *options)
{
	bool isnull;
	int32 k = DatumGetInt32(column(number, &isnull));

	return isnull || k < 1 || (uint32) k > options->k_most ? options->k : (uint32) k;
}

/* What the last refresh picked where similarity is auto; the counts where it has not yet. */
static int
take_picked(Model *model, int n)
{
	int end = n + PICKED_COLUMNS;
	SimilarityOptions *picked = &model->picked;
	bool isnull;

	*picked = model->settings.similarity;
	column(n + 1, &isnull);
	model->has_picked = picked->rule.kind == SIMILARITY_AUTO && !isnull;
	if (picked->rule.kind != SIMILARITY_AUTO)
		return end;
	if (isnull)
	{
		picked->rule.kind = SIMILARITY_COOCCURRENCE;
		return end;
	}
	picked->rule.kind = choice_column(++n, SETTING_SIMILARITY);
	picked->keep = choice_column(++n, SETTING_KEEP);
	picked->lambda = float_column(++n, picked->lambda);
	picked->damping = float_column(++n, picked->damping);
	picked->blend = float_column(++n, picked->blend);
	picked->indirect = float_column(++n, picked->indirect);
	picked->k = neighbors_column(++n, picked);
	picked->rule.shrinkage = float_column(++n, picked->rule.shrinkage);
	n++;
	if (picked->recency == 0)
		picked->recency = float_column(n, 0);
	Assert(n == end);
	return end;
}

/* Whether lists are put in order by a network, and which lists of which scores. */
static int
take_reranked(Model *model, int n)
{
	bool isnull;
	Datum value = column(++n, &isnull);
	int32 first;

	model->settings.reranked = isnull || DatumGetBool(value);
	first = DatumGetInt32(column(++n, &isnull));
	model->reranked_first = !isnull && first > 0 && model->settings.reranked ? (uint32) first : 0;
	model->reranked_of = name_column(model, ++n);
	return n;
}

/* True where what was told apart is what a refresh writes. */
static bool
is_told(const SignalsTold *told, uint32 names, ArrayType *weights)
{
	bool sound = names >= 2 && names <= PARTS_SIGNALS && ARR_NDIM(weights) == 1 &&
				 (uint32) ARR_DIMS(weights)[0] == names && !ARR_HASNULL(weights) &&
				 ARR_ELEMTYPE(weights) == FLOAT8OID && told->weight[0] == 1;

	for (uint32 s = 0; sound && s < names; s++)
		sound = told->weight[s] >= 0 && isfinite(told->weight[s]);
	return sound;
}

/*
 * The signals that the last refresh told apart, and what histories go by then.  None where that is
 * damaged: ModelRead refuses it.
 */
static int
take_told(Model *model, int n)
{
	SignalsTold *told = &model->told;
	List *names = names_column(model, ++n);
	bool isnull;
	Datum value = column(++n, &isnull);
	MemoryContext caller;
	ListCell *cell;

	*told = (SignalsTold){0};
	model->damaged = false;
	if (names != NIL && !isnull && model->has_signal)
	{
		ArrayType *weights = DatumGetArrayTypeP(value);

		memcpy(told->weight, ARR_DATA_PTR(weights),
			   Min(VARSIZE(weights) - ARR_DATA_OFFSET(weights), sizeof(told->weight)));
		model->damaged = !is_told(told, list_length(names), weights);
		foreach (cell, model->damaged ? NIL : names)
			told->name[told->count++] = lfirst(cell);
		if (told->count > 0)
			told->name[told->count - 1] = NULL;
	}
	caller = MemoryContextSwitchTo(GetMemoryChunkContext(model));
	model->signals = SignalsJoin(model->settings.exclude_seen, told);
	MemoryContextSwitchTo(caller);
	return n;
}

/* Raises the error where a whole number, which memory is sized by, was written past reco_configure. */
static void
check_numbers(void)
{
	for (int setting = 0; setting < SETTINGS; setting++)
	{
		bool isnull;
		Datum value = column(setting + 2, &isnull); /* after format_version */

		if (SettingType(setting) == INT4OID && !isnull)
			SettingCheck(setting, value);
	}
}

/* Raises the error of a model that this version cannot read. */
static void
check_format(const Model *model)
{
	bool isnull;
	int format = DatumGetInt32(column(1, &isnull));

	if (!isnull && format > MODEL_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model \"%s\" was written by a newer version of reco", model->name),
				 errdetail("It has format %d, and this version reads formats up to %d.", format,
						   MODEL_FORMAT),
				 errhint("Install that version, or drop the model with reco_drop_model and create "
						 "it anew.")));
	if (isnull || format < 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the format version of model \"%s\" is damaged", model->name),
						errhint("Drop the model with reco_drop_model and create it anew.")));
}

/* The settings in a row, which come first; returns the number of the last column read. */
static int
take_settings(Model *model)
{
	Settings *settings = &model->settings;
	SimilarityRule *rule = &settings->similarity.rule;
	bool isnull;
	int n = 1;

	check_format(model);
	check_numbers();
	settings->algorithm = choice_column(++n, SETTING_ALGORITHM);
	*rule = SimilarityPreset(choice_column(++n, SETTING_SIMILARITY));
	rule->user_exponent = float_column(++n, rule->user_exponent);
	rule->source_exponent = float_column(++n, rule->source_exponent);
	rule->target_exponent = float_column(++n, rule->target_exponent);
	rule->shrinkage = float_column(++n, 0);
	rule->min_support = DatumGetInt32(column(++n, &isnull));
	settings->similarity.lambda = float_column(++n, SIMILARITY_LAMBDA_DEFAULT);
	settings->similarity.candidates = DatumGetInt32(column(++n, &isnull));
	settings->similarity.damping = float_column(++n, SIMILARITY_DAMPING_DEFAULT);
	settings->similarity.blend = float_column(++n, SIMILARITY_BLEND_DEFAULT);
	settings->similarity.indirect = float_column(++n, SIMILARITY_INDIRECT_DEFAULT);
	settings->similarity.recency = float_column(++n, 0);
	settings->fold.factors = DatumGetInt32(column(++n, &isnull));
	settings->fold.iterations = DatumGetInt32(column(++n, &isnull));
	settings->fold.lambda = float_column(++n, FOLD_LAMBDA_DEFAULT);
	settings->fold.unobserved = float_column(++n, FOLD_UNOBSERVED_DEFAULT);
	settings->fold.min_support = rule->min_support;
	settings->content = float_column(++n, 0);
	settings->similarity.k = DatumGetInt32(column(++n, &isnull));
	if (isnull)
	{
		settings->similarity.k = SIMILARITY_K_DEFAULT;
		settings->similarity.k_most = SIMILARITY_K_MOST;
	}
	settings->similarity.keep = choice_column(++n, SETTING_KEEP);
	settings->weighting = choice_column(++n, SETTING_WEIGHTING);
	settings->max_history = DatumGetInt32(column(++n, &isnull));
	settings->half_life = seconds_column(++n);
	settings->popular_half_life = seconds_column(++n);
	settings->trend_half_life = seconds_column(++n);
	settings->min_match = float_column(++n, 50);
	settings->target_signal = name_column(model, ++n);
	if (settings->target_signal && settings->target_signal[0] == '\0')
		settings->target_signal = NULL;
	settings->exclude_seen = signals_column(model, ++n);
	settings->fatigue_half_life = seconds_column(++n);
	settings->category = name_column(model, ++n);
	settings->contexts = names_column(model, ++n);
	settings->time_zone = name_column(model, ++n);
	settings->time_zone = settings->time_zone ? settings->time_zone : "UTC";
	settings->unfinished = unfinished_column(model, ++n);
	n = take_reranked(model, n);
	n = take_told(model, n);
	return take_picked(model, n);
}

void
ModelReadSettings(Model *model)
{
	read_row(model);
	take_settings(model);
}

void
ModelRead(Model *model)
{
	bool isnull;
	int n;

	read_row(model);
	n = take_settings(model);
	if (model->damaged)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the weights of signals of the model are damaged"),
						errhint("Run reco_refresh to learn them anew.")));
	column(++n, &isnull);
	model->refreshed = !isnull;
	model->item_slots = slots_column(model, ++n);
	model->newest = DatumGetTimestampTz(column(++n, &isnull));
	model->timed = !isnull;
	model->popularity_offset = float_column(++n, 0);
	model->recent_offset = float_column(++n, 0);
	model->trend_prior = float_column(++n, 0);
	model->curve.knots = curve_column(++n, model->curve.score);
	if (curve_column(++n, model->curve.chance) != model->curve.knots)
		model->curve.knots = 0;
	model->algorithm = choice_column(++n, SETTING_ALGORITHM);
	if (model->algorithm == MODEL_FACTORS)
		relation_close(open_view(model, "item_factor", false), AccessShareLock);
}

const char *
ModelTarget(const Model *model)
{
	const Settings *settings = &model->settings;

	return settings->algorithm == MODEL_NEIGHBORS && model->has_signal ? settings->target_signal
																	   : NULL;
}

void
ModelConfigure(const Model *model, const ModelSetting *settings, int count)
{
	Datum values[SETTINGS];
	Oid types[SETTINGS];
	StringInfoData sql;
	int parameters = 0;
	Oid caller;
	int security;

	if (count == 0)
		return;
	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE ONLY %s.model SET ", model->quoted);
	for (int s = 0; s < count; s++)
	{
		SettingNo setting = settings[s].setting;

		appendStringInfo(&sql, "%s%s = ", s == 0 ? "" : ", ", SettingName(setting));
		/* As the row began: the table itself has no defaults. */
		if (settings[s].reset)
		{
			appendStringInfoString(&sql, SettingDefault(setting));
			continue;
		}
		values[parameters] = settings[s].value;
		types[parameters] = SettingType(setting);
		appendStringInfo(&sql, "$%d", ++parameters);
	}

	/* As the owner: what hangs on the owner's table must not run as a superuser who sets a setting. */
	GetUserIdAndSecContext(&caller, &security);
	SetUserIdAndSecContext(model->owner, security | SECURITY_RESTRICTED_OPERATION);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	read_row(model);
	check_format(model);
	if (SPI_execute_with_args(sql.data, parameters, types, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not configure model \"%s\"", model->name);
	SPI_finish();
	ModelNeedsName(model);
	SetUserIdAndSecContext(caller, security);
}

void
ModelNeedsRefresh(const Model *model)
{
	if (!model->refreshed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has never been refreshed", model->name),
				 errhint("Run SELECT * FROM reco_refresh(%s).", quote_literal_cstr(model->name))));
}

void
ModelNeedsTimes(const Model *model)
{
	if (model->settings.similarity.rule.kind == SIMILARITY_NEXT && !OidIsValid(model->time_type))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the events of model \"%s\" have no times to tell what follows what",
						model->name),
				 errhint("Add a column occurred_at to the view %s.events, or configure another "
						 "similarity than \"next\".",
						 model->quoted)));
}

void
ModelNeedsTable(const Model *model, const char *name)
{
	relation_close(open_view(model, name, false), AccessShareLock);
}

/* No invalidation is waited for: whatever looked the name up before has seen what this sees. */
void
ModelNeedsName(const Model *model)
{
	if (!NamingHolds(&model->naming, model->schema, model->name))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("model \"%s\" was renamed or dropped while it was in use", model->name),
				 errhint("Try again.")));
}

void
ModelNeedsOwner(const Model *model)
{
	if (!object_ownercheck(NamespaceRelationId, model->schema, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, model->name);
}
