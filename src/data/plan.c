#include "data/plan.h"

#include "math/hash.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/*
 * Beyond this many statements a session prepares what it needs at each use: a kept plan may be
 * running.
 */
#define PLANS_KEPT 512

typedef struct PlanEntry
{
	uint64 hash; /* of the text; the text itself decides */
	char *sql;
	SPIPlanPtr plan;
} PlanEntry;

static HTAB *plans = NULL;

SPIPlanPtr
PlanGet(const char *sql, int arguments, const Oid *types)
{
	uint64 hash = HashBytes((const unsigned char *) sql, strlen(sql));
	PlanEntry *entry;
	SPIPlanPtr plan;
	char *kept;

	for (int a = 0; a < arguments; a++)
		hash = HashMix(hash + types[a]);

	if (plans == NULL)
	{
		HASHCTL control = {.keysize = sizeof(uint64), .entrysize = sizeof(PlanEntry)};

		plans = hash_create("reco plans", 64, &control, HASH_ELEM | HASH_BLOBS);
	}

	entry = hash_search(plans, &hash, HASH_FIND, NULL);
	if (entry && strcmp(entry->sql, sql) == 0)
		return entry->plan;

	/* Everything that can fail comes before the entry, so that none is ever half made. */
	plan = SPI_prepare(sql, arguments, (Oid *) types);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	if (entry || hash_get_num_entries(plans) >= PLANS_KEPT)
		return plan;
	kept = MemoryContextStrdup(TopMemoryContext, sql);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of \"%s\"", sql);
	entry = hash_search(plans, &hash, HASH_ENTER, NULL);
	entry->sql = kept;
	entry->plan = plan;
	return plan;
}

uint64
PlanRun(const char *sql, int arguments, const Oid *types, const Datum *values, const char *nulls)
{
	int code = SPI_execute_plan(PlanGet(sql, arguments, types), (Datum *) values, nulls, true, 0);

	if (code != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of \"%s\": %s", sql, SPI_result_code_string(code));
	return SPI_processed;
}
