/*
 * check.c: reco_check, the doctor: what is wrong with a model, in words, and what to do.
 *
 * It counts what the views hold, as the caller sees them, and looks at the plan of the query that
 * reads one history; then it judges.  Nothing is changed.
 */
#include "api/door.h"
#include "api/refresh.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/attributes.h"
#include "data/census.h"
#include "data/columns.h"
#include "data/consent.h"
#include "data/contexts.h"
#include "data/rules.h"
#include "data/sources.h"
#include "data/values.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_check);

/* What the counts are held against; shares are of one. */
#define LEFT_OUT_MOST     0.1  /* of rows that a refresh passes over */
#define SINGLE_USERS_MOST 0.8  /* of users with one item */
#define USER_MOST         0.1  /* of the events that are one user's */
#define USERS_LEAST       20   /* before anybody is called a crawler */
#define ITEMS_LEAST       10   /* before an attribute is called silent */
#define MATCHED_LEAST     0.1  /* of items of events that the catalogue has */
#define SINCE_MOST        0.2  /* of events since the last refresh */
#define REFRESH_DAYS      7    /* of a refresh, while there are events since */
#define PAGES_SMALL       1000 /* of a table that may be read in full now and then */

/*
 * What a refresh holds to learn in one pass, as learn/interactions has it: cells that are all alike, or
 * with their values, as they came and in order; places of users, and items.
 */
#define BYTES_ANY   INT64CONST(16384)
#define BYTES_ALIKE INT64CONST(4)
#define BYTES_CELL  INT64CONST(18)
#define BYTES_USER  INT64CONST(16)
#define BYTES_ITEM  INT64CONST(20)

typedef enum Severity
{
	SEVERITY_ERROR,   /* lists are empty, or not personal, until it is mended */
	SEVERITY_WARNING, /* they are worse, or slower, than they need be */
	SEVERITY_NOTICE,  /* something may not be as it was meant */
	SEVERITIES
} Severity;

static const char *const severities[SEVERITIES] = {"error", "warning", "notice"};

static const Oid check_types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};

/* One finding. */
typedef struct Finding
{
	Severity severity;
	const char *code;
	const char *finding;
	const char *hint;
} Finding;

/* A model on the couch. */
typedef struct Checkup
{
	Model *model;
	CensusEvents events;
	CensusItems items;
	CensusModel learned;
	List *findings;
} Checkup;

static void
find(Checkup *checkup, Severity severity, const char *code, const char *finding, const char *hint)
{
	Finding *found = palloc(sizeof(Finding));

	*found = (Finding){severity, code, finding, hint};
	checkup->findings = lappend(checkup->findings, found);
}

/* True where a part is more than a share of the whole. */
static bool
is_more(int64 part, double share, int64 whole)
{
	return (double) part > share * (double) whole;
}

static const char *
time_text(TimestampTz at)
{
	return DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(at)));
}

/* " (3 without a user, 1 without a time)", by reason. */
static const char *
reasons(const CensusEvents *events)
{
	const struct
	{
		int64 count;
		const char *what;
	} reason[] = {{events->null_user, "without a user"},
				  {events->null_item, "without an item"},
				  {events->null_weight, "without a weight"},
				  {events->null_time, "without a time"},
				  {events->not_finite, "of a weight that is no number"},
				  {events->future, "in the future"}};
	StringInfoData text;

	initStringInfo(&text);
	for (size_t r = 0; r < lengthof(reason); r++)
		if (reason[r].count > 0)
			appendStringInfo(&text, "%s" INT64_FORMAT " %s", text.len == 0 ? "" : ", ",
							 reason[r].count, reason[r].what);
	return text.data;
}

/* Rows that are missing or passed over, and weights that say nothing. */
static void
check_rows(Checkup *checkup)
{
	const CensusEvents *events = &checkup->events;
	const char *view = psprintf("%s.events", checkup->model->quoted);

	if (events->rows == 0)
		find(checkup, SEVERITY_ERROR, "no_events", psprintf("the view %s has no rows", view),
			 "Look at its query; row-level security may hide them from you.");
	else if (events->left_out == events->rows ||
			 is_more(events->left_out, LEFT_OUT_MOST, events->rows))
		find(checkup, events->left_out == events->rows ? SEVERITY_ERROR : SEVERITY_WARNING,
			 "skipped_rows",
			 psprintf("a refresh leaves out " INT64_FORMAT " of " INT64_FORMAT " events: %s",
					  events->left_out, events->rows, reasons(events)),
			 "Leave these rows out of the events query, or give them what they lack.");
	if (events->rows > events->left_out && events->positive == 0)
		find(checkup, SEVERITY_ERROR, "no_positive_weight",
			 psprintf("none of " INT64_FORMAT " events has a weight above 0",
					  events->rows - events->left_out),
			 "Nothing is learned from dislikes and what was merely shown; give what people chose a "
			 "weight above 0.");
}

static void
check_times(Checkup *checkup)
{
	const CensusEvents *events = &checkup->events;

	if (events->rows == 0)
		return;
	if (!OidIsValid(checkup->model->time_type))
	{
		find(checkup, SEVERITY_NOTICE, "no_times", "the events query has no column occurred_at",
			 "Without it nothing is rising, nothing decays, and what came last is not known.");
		return;
	}
	if (events->future > 0)
		find(
			checkup, SEVERITY_WARNING, "clock_in_future",
			psprintf(INT64_FORMAT " events lie in the future, the latest at %s", events->future,
					 time_text(events->latest)),
			"They are left out until then: check the clock, or the time zone, of whoever writes them.");
	if (events->rows - events->left_out > 1 && events->oldest == events->newest)
		find(checkup, SEVERITY_WARNING, "one_time",
			 psprintf("every event is of the same time, %s", time_text(events->oldest)),
			 "Give occurred_at the time of the event and not that of loading it.");
}

static void
check_users(Checkup *checkup)
{
	const CensusEvents *events = &checkup->events;

	if (events->users > 1 && (events->single_users == events->users ||
							  is_more(events->single_users, SINGLE_USERS_MOST, events->users)))
		find(
			checkup, events->single_users == events->users ? SEVERITY_ERROR : SEVERITY_WARNING,
			"one_item_per_user",
			psprintf(INT64_FORMAT " of " INT64_FORMAT " users have events with a single item",
					 events->single_users, events->users),
			"Only who has two items ties them together: is user_id the person, and not the order or "
			"the session?");
	if (events->users >= USERS_LEAST &&
		is_more(events->most, USER_MOST, events->rows - events->left_out))
		find(checkup, SEVERITY_NOTICE, "one_user_many_events",
			 psprintf("a single user has " INT64_FORMAT " of " INT64_FORMAT " events", events->most,
					  events->rows - events->left_out),
			 "A crawler or a placeholder for guests is best left out of the events query.");
}

/* Signals of the policy that no event has. */
static void
check_policy(Checkup *checkup, const List *signals)
{
	const Signals *policy = checkup->model->settings.exclude_seen;

	for (uint32 s = 0; policy && s < policy->named; s++)
	{
		bool found = false;
		ListCell *cell;

		foreach (cell, signals)
		{
			const CensusSignal *signal = lfirst(cell);

			found |= signal->name && strcmp(signal->name, policy->signal[s].name) == 0;
		}
		if (!found)
			find(checkup, SEVERITY_NOTICE, "signal_unknown",
				 psprintf("exclude_seen names the signal \"%s\", which no event has",
						  policy->signal[s].name),
				 "Its rule is never applied: look for another spelling of it in the events query.");
	}
}

/* A target that no event has. */
static void
check_target(Checkup *checkup, const List *signals)
{
	const char *target = checkup->model->settings.target_signal;
	ListCell *cell;

	foreach (cell, signals)
	{
		const CensusSignal *signal = lfirst(cell);

		if (target == NULL || (signal->name && strcmp(signal->name, target) == 0))
			return;
	}
	if (target)
		find(checkup, SEVERITY_WARNING, "target_unknown",
			 psprintf("target_signal names the signal \"%s\", which no event has", target),
			 "Nothing leads to what nobody chooses: look for another spelling of it in the events "
			 "query, or set target_signal to ''.");
}

/* Columns that settings name and that a query does not have any more. */
static void
check_names(Checkup *checkup)
{
	const Model *model = checkup->model;
	const char *gone;
	const char *view;
	ListCell *cell;

	if (model->settings.category && !ValuesExist(model, model->settings.category))
		find(checkup, SEVERITY_NOTICE, "category_unknown",
			 psprintf("the setting category names \"%s\", which is no column of %s.items",
					  model->settings.category, model->quoted),
			 "Lists go on without categories: set it to one there is, or reset it.");
	foreach (cell, model->settings.contexts)
		if (!ContextsExist(model, lfirst(cell)))
			find(checkup, SEVERITY_NOTICE, "context_unknown",
				 psprintf("the setting contexts names \"%s\", which is no column of %s.events that "
						  "could be one",
						  (char *) lfirst(cell), model->quoted),
				 "Nothing is learned of it: name the columns there are.");
	gone = UnfinishedGone(model, &view);
	if (gone)
		find(checkup, SEVERITY_NOTICE, "unfinished_unknown",
			 psprintf(
				 "the setting unfinished names \"%s\", which is no column of %s.%s that could be "
				 "one",
				 gone, model->quoted, view),
			 "Nothing is unfinished by it: name the columns there are.");
}

static void
check_signals(Checkup *checkup)
{
	List *signals = CensusOfSignals(checkup->model);
	ListCell *cell;

	check_policy(checkup, signals);
	check_target(checkup, signals);
	foreach (cell, signals)
	{
		const CensusSignal *signal = lfirst(cell);

		if (signal->name == NULL && signal->rows == checkup->events.rows)
			find(checkup, SEVERITY_NOTICE, "signal_empty", "signal is NULL in every event",
				 "Name the kind of each event, or leave the column out.");
		else if (signal->name && signal->counting == 0)
			find(
				checkup, SEVERITY_NOTICE, "signal_unused",
				psprintf("none of the " INT64_FORMAT " events of signal \"%s\" counts",
						 signal->rows, signal->name),
				"Their weights are 0 or they are left out: give the signal a weight if it says more "
				"than that an item was shown.");
	}
}

static void
check_catalogue(Checkup *checkup)
{
	const CensusEvents *events = &checkup->events;
	const CensusItems *items = &checkup->items;
	const char *view = psprintf("%s.items", checkup->model->quoted);
	int64 known = items->rows - items->null_ids;

	if (!checkup->model->has_items)
		return;
	if (known == 0)
	{
		find(checkup, SEVERITY_ERROR, "empty_catalogue", psprintf("the view %s has no items", view),
			 "What is not in it is never shown: look at its query.");
		return;
	}
	if (events->items > 0 &&
		(events->known_items == 0 || !is_more(events->known_items, MATCHED_LEAST, events->items)))
		find(checkup, events->known_items == 0 ? SEVERITY_ERROR : SEVERITY_WARNING,
			 "ids_do_not_match",
			 psprintf("of " INT64_FORMAT " items that have events the view %s has " INT64_FORMAT,
					  events->items, view, events->known_items),
			 "Both queries must name an item by the same id: a product, for one, and not a variant "
			 "of it.");
	if (items->null_ids > 0)
		find(checkup, SEVERITY_WARNING, "null_items",
			 psprintf(INT64_FORMAT " of " INT64_FORMAT " rows of the view %s have no item_id",
					  items->null_ids, items->rows, view),
			 "They are passed over.");
	if (known > items->distinct)
		find(
			checkup, SEVERITY_WARNING, "duplicate_items",
			psprintf("the view %s has " INT64_FORMAT " rows for " INT64_FORMAT " items", view,
					 known, items->distinct),
			"Lists show an item once, but whatever joins this view shows it as often as it is there.");
}

static int
by_pin(const void *a, const void *b)
{
	const Rule *x = *(const Rule *const *) a;
	const Rule *y = *(const Rule *const *) b;

	if (x->pin != y->pin)
		return x->pin < y->pin ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* True where some token is of several items and of no more than half of them. */
static bool
tells_apart(const Attributes *attributes)
{
	const uint64 *start = attributes->by_token.start;

	for (uint32 t = 0; t < attributes->by_token.rows; t++)
		if (start[t + 1] - start[t] <= attributes->items / 2)
			return true;
	return false;
}

/* Attributes by which no two items are alike. */
static void
check_attributes(Checkup *checkup)
{
	const Model *model = checkup->model;
	Budget *budget = BudgetCreate(CurrentMemoryContext, "attributes", BudgetMaintenance());
	List *columns = AttributeColumns(model);
	Attributes *attributes;
	StringInfoData names;
	ListCell *cell;

	if (!model->has_items || model->settings.content == 0 || columns == NIL)
		return;
	attributes = AttributesRead(model, IdSetCreate(model->item_kind, budget), budget);
	initStringInfo(&names);
	foreach (cell, columns)
		appendStringInfo(&names, "%s\"%s\"", names.len == 0 ? "" : ", ",
						 ((const AttributeColumn *) lfirst(cell))->name);
	if (attributes->items >= ITEMS_LEAST && !attributes->out_of_memory && !tells_apart(attributes))
		find(
			checkup, SEVERITY_NOTICE, "silent_attributes",
			psprintf("no two items of the view %s.items are alike by what it says of them: %s",
					 model->quoted, names.data),
			"Each word and value is of one item alone, or of more than half of them. New items are "
			"recommended by what they share with others: a category, tags, a maker.");
	BudgetDestroy(budget);
}

/* Finds places and shares that rules of the moment give away more than once. */
static void
check_claims(Checkup *checkup)
{
	Budget *budget = BudgetCreate(CurrentMemoryContext, "rules", SIZE_MAX);
	IdSet *ids = IdSetCreate(checkup->model->item_kind, budget);
	Rules *rules = RulesRead(checkup->model, GetCurrentTimestamp(), ids, budget);
	const Rule **pins = palloc(sizeof(Rule *) * (rules->count + 1));
	uint32 count = 0;
	int64 crowded = 0;
	int64 absent = 0;
	double shares = 0;

	for (uint32 r = 0; r < rules->count; r++)
	{
		const Rule *rule = &rules->rule[r];

		CHECK_FOR_INTERRUPTS();
		shares += rule->share;
		absent +=
			rule->item != ID_NONE && !CatalogueHas(checkup->model, IdSetDatum(ids, rule->item));
		if (rule->pin > 0)
			pins[count++] = rule;
	}
	qsort(pins, count, sizeof(Rule *), by_pin);
	for (uint32 p = 1; p < count; p++)
		crowded += pins[p]->pin == pins[p - 1]->pin && pins[p]->item != pins[p - 1]->item;
	if (crowded > 0)
		find(checkup, SEVERITY_WARNING, "rules_pin_one_place",
			 psprintf("items pinned to a place that another one is pinned to: " INT64_FORMAT,
					  crowded),
			 "The item with the smaller id is there, the others come at the next free places.");
	if (shares > 1 + 1e-9)
		find(
			checkup, SEVERITY_WARNING, "rules_share_too_much",
			psprintf("the shares of the rules come to %g of all places", shares),
			"Shares are granted in the order of item_id, attribute and value until they come to 1.");
	if (absent > 0)
		find(checkup, SEVERITY_NOTICE, "rules_absent_items",
			 psprintf("rules about items that the catalogue does not have: " INT64_FORMAT, absent),
			 "They wait for the items to come back.");
	BudgetDestroy(budget);
}

static void
check_rules(Checkup *checkup)
{
	static const struct
	{
		const char *finding;
		const char *hint;
	} words[RULE_FAULTS] = {
		[RULE_NO_TARGET] = {"do not say what they are about",
							"Give a rule an item_id, or an attribute and a value."},
		[RULE_TWO_TARGETS] = {"are about an item and a value at once",
							  "Make two rules of each, one with item_id and one with attribute and "
							  "value."},
		[RULE_NO_ATTRIBUTE] =
			{"name an attribute that the items query does not have",
			 "Attributes are the names of its columns, as they are written there."},
		[RULE_NO_EFFECT] = {"have neither boost nor pin nor share", "Say what they are to do."},
		[RULE_BOOST] = {"have a boost that is no number above 0",
						"To keep an item out of lists, leave it out of the items query."},
		[RULE_PIN] = {"pin to a place that there is not", "Places count from 1."},
		[RULE_PIN_VALUE] = {"pin the items of a value", "Pin a single item, or give them a share."},
		[RULE_SHARE] = {"have a share that is not above 0 and at most 1",
						"A share of .2 is every fifth place."},
		[RULE_TIMES] = {"end before they start", "Compare starts_at and ends_at."},
	};
	int64 faults[RULE_FAULTS];

	if (!checkup->model->has_rules)
		return;
	RulesFaults(checkup->model, faults);
	for (int fault = RULE_FINE + 1; fault < RULE_FAULTS; fault++)
		if (faults[fault] > 0)
			find(checkup, SEVERITY_WARNING, "rules_passed_over",
				 psprintf("rules that %s are passed over: " INT64_FORMAT, words[fault].finding,
						  faults[fault]),
				 words[fault].hint);
	check_claims(checkup);
}

static void
check_refresh(Checkup *checkup)
{
	const Model *model = checkup->model;
	const CensusEvents *events = &checkup->events;
	const char *refresh =
		psprintf("Run SELECT * FROM reco_refresh(%s).", quote_literal_cstr(model->name));
	int64 counted = events->rows - events->left_out;
	int64 since = model->timed ? events->since_refresh : counted - checkup->learned.events;
	TimestampTz due;

	if (!model->refreshed)
	{
		find(checkup, SEVERITY_ERROR, "never_refreshed", "the model was never refreshed", refresh);
		return;
	}
	due = checkup->learned.refreshed_at + REFRESH_DAYS * USECS_PER_DAY;
	if (since > 0 && (due < GetCurrentTimestamp() || is_more(since, SINCE_MOST, counted)))
		find(checkup, SEVERITY_WARNING, "refresh_due",
			 psprintf(INT64_FORMAT " of " INT64_FORMAT " events came after the last refresh, at %s",
					  since, counted, time_text(checkup->learned.refreshed_at)),
			 psprintf("%s Better, have cron or pg_cron do it every day.", refresh));
	if (checkup->learned.events > 0 && checkup->learned.neighbor_pairs == 0)
		find(checkup, SEVERITY_ERROR, "no_neighbors",
			 psprintf("the last refresh found no two items that %u users have in common",
					  model->settings.similarity.rule.min_support),
			 "No list is personal: there are too few events yet, or min_support is too high.");
	else if (checkup->learned.events > 0 && model->curve.knots == 0)
		find(checkup, SEVERITY_NOTICE, "no_match",
			 "too few users have several events for match to be learned",
			 "match is NULL everywhere until there are more of them.");
}

/* The table of a source, as SQL says it. */
static const char *
table_of(const Source *source)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(source->table)),
									  get_rel_name(source->table));
}

/* The statement that makes the index that a source lacks. */
static const char *
index_for(const Source *source)
{
	return psprintf(source->is_plain ? "CREATE INDEX ON %s (%s)" : "CREATE INDEX ON %s ((%s))",
					table_of(source), source->expression);
}

/* Tables that every question reads in full. */
static void
check_indexes(Checkup *checkup)
{
	ListCell *cell;

	foreach (cell, SourcesReadInFull(checkup->model))
	{
		const Source *source = lfirst(cell);

		find(checkup, source->pages < PAGES_SMALL ? SEVERITY_NOTICE : SEVERITY_WARNING, "no_index",
			 psprintf("every question reads all of table %s (" UINT64_FORMAT
					  " pages) for the history of one user",
					  table_of(source), source->pages),
			 source->expression == NULL
				 ? "Give it an index on what the events query joins or filters it by."
				 : psprintf("Run %s.", index_for(source)));
	}
}

/* Large tables that have no index to lead from an item to its users. */
static void
check_item_index(Checkup *checkup)
{
	ListCell *cell;

	foreach (cell, SourcesReadForItem(checkup->model))
	{
		const Source *source = lfirst(cell);

		if (source->pages >= PAGES_SMALL)
			find(checkup, SEVERITY_NOTICE, "no_item_index",
				 psprintf("reco_audience and reco_similar_users always read all of table %s "
						  "(" UINT64_FORMAT " pages)",
						  table_of(source), source->pages),
				 source->expression == NULL
					 ? "If you ask them often, give it an index on what the events query joins or "
					   "filters it by: only the histories of those who can be meant are read then."
					 : psprintf("If you ask them often, run %s: only the histories of those who can "
								"be meant are read then.",
								index_for(source)));
	}
}

/* True where what is known of people makes groups of them, as far as columns tell. */
static bool
has_groups(const Model *model)
{
	ListCell *cell;

	foreach (cell, model->has_users ? ColumnsOf(model, "users") : NIL)
	{
		const char *name = ((const ViewColumn *) lfirst(cell))->name;

		if (strcmp(name, "user_id") != 0 && strcmp(name, CONSENT_COLUMN) != 0)
			return true;
	}
	return false;
}

/* True where one cell weighs as much as another. */
static bool
are_alike(const Model *model, const CensusEvents *events)
{
	return model->settings.weighting == WEIGHTING_BINARY ||
		   (!OidIsValid(model->weight_type) && model->settings.half_life == 0 &&
			events->rows - events->left_out == events->cells);
}

/* Bytes of the factors of users and items, and of items once more; of a model without them 0. */
static int64
factor_bytes(const Model *model, const CensusEvents *events)
{
	int64 width = (int64) FoldWidth(model->settings.fold.factors) * (int64) sizeof(float);

	return model->settings.algorithm == MODEL_FACTORS ? (events->users + 2 * events->items) * width
													  : 0;
}

/* maintenance_work_mem, which is what a refresh may use: what it takes to learn in one pass. */
static void
check_memory(Checkup *checkup)
{
	const CensusEvents *events = &checkup->events;
	bool needs_all = RefreshNeedsCells(checkup->model) || has_groups(checkup->model);
	int64 cell = !needs_all && are_alike(checkup->model, events) ? BYTES_ALIKE : BYTES_CELL;
	int64 bytes = BYTES_ANY + events->cells * cell + events->cells / 8 +
				  events->users * BYTES_USER + events->items * BYTES_ITEM +
				  factor_bytes(checkup->model, events);
	int64 megabyte = 1024 * 1024;
	int64 limit = (int64) Min(BudgetMaintenance(), (Size) PG_INT64_MAX);
	const char *amount = psprintf(INT64_FORMAT "MB", bytes * 5 / 4 / megabyte + 1);

	if (bytes <= limit)
		return;
	find(checkup, SEVERITY_WARNING, "maintenance_work_mem",
		 needs_all
			 ? psprintf("a refresh of " INT64_FORMAT " pairs of a user and an item needs about "
						"%s of memory and may use " INT64_FORMAT "MB",
						events->cells, amount, limit / megabyte)
			 : psprintf("to learn from " INT64_FORMAT " pairs of a user and an item at once "
						"takes about " INT64_FORMAT "MB, and a refresh may use " INT64_FORMAT
						"MB: it goes through temporary files, in passes",
						events->cells, bytes / megabyte + 1, limit / megabyte),
		 psprintf("SET maintenance_work_mem = '%s' before reco_refresh, or for the role that runs "
				  "it.",
				  amount));
}

/* Views that were replaced without a word on whose rights they are read with: it is the owner's then. */
static void
check_rights(Checkup *checkup)
{
	static const char *const views[] = {"events", "items", "users", "rules"};
	const Model *model = checkup->model;

	for (size_t v = 0; v < lengthof(views); v++)
		if (ColumnsAreOwners(model, views[v]))
			find(checkup, SEVERITY_NOTICE, "owner_rights",
				 psprintf("the view %s.%s is read with the rights of its owner, whoever asks",
						  model->quoted, views[v]),
				 psprintf(
					 "If nobody is to see more than they may of the tables behind it, run ALTER "
					 "VIEW %s.%s SET (security_invoker = true).",
					 model->quoted, views[v]));
}

/* The findings, worst first. */
static void
put_findings(DoorRows *rows, List *findings)
{
	for (int severity = 0; severity < SEVERITIES; severity++)
	{
		ListCell *cell;

		foreach (cell, findings)
		{
			const Finding *found = lfirst(cell);
			Datum values[lengthof(check_types)];
			bool nulls[lengthof(check_types)] = {0};

			if ((int) found->severity != severity)
				continue;
			values[0] = CStringGetTextDatum(severities[severity]);
			values[1] = CStringGetTextDatum(found->code);
			values[2] = CStringGetTextDatum(found->finding);
			values[3] = CStringGetTextDatum(found->hint);
			DoorPut(rows, values, nulls);
		}
	}
}

/* reco_check(model) */
Datum
reco_check(PG_FUNCTION_ARGS)
{
	Checkup checkup = {.model = DoorModel(fcinfo, 0)};
	DoorRows rows = DoorOpen(fcinfo, checkup.model, check_types, lengthof(check_types), false);
	int nest = NewGUCNestLevel();

	/*
	 * As a refresh sees things: functions of the owner's queries must name schemas.  Groups that
	 * workers have hashed are slow to be hashed again, in the order of their hashes, by their leader.
	 */
	RestrictSearchPath();
	set_config_option("max_parallel_workers_per_gather", "0", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ModelRead(checkup.model);
	checkup.events = CensusOfEvents(checkup.model);
	checkup.items = CensusOfItems(checkup.model);
	checkup.learned = CensusOfModel(checkup.model);
	check_rows(&checkup);
	check_times(&checkup);
	check_users(&checkup);
	check_signals(&checkup);
	check_names(&checkup);
	check_catalogue(&checkup);
	check_attributes(&checkup);
	check_rules(&checkup);
	check_refresh(&checkup);
	check_indexes(&checkup);
	check_item_index(&checkup);
	check_memory(&checkup);
	check_rights(&checkup);
	AtEOXact_GUC(false, nest);
	put_findings(&rows, checkup.findings);
	DoorLeave(checkup.model);
	return (Datum) 0;
}
