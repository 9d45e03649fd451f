#include "api/arrangement.h"

#include "api/arguments.h"
#include "utils/memutils.h"

/* A number of an argument that must lie in 0..1; 0 where it is NULL. */
static double
take_fraction(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double value = PG_ARGISNULL(argument) ? 0 : PG_GETARG_FLOAT8(argument);

	if (!(value >= 0 && value <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be from 0 to 1, not %g", name, value)));
	return value;
}

/* The attribute of an argument, which the model must have; NULL where it is NULL. */
static char *
take_attribute(FunctionCallInfo fcinfo, int argument, const char *name, const Model *model)
{
	char *attribute = DoorText(fcinfo, argument);

	if (attribute)
		ValuesCheck(model, attribute, name);
	return attribute;
}

/* Raises the error of an option that says nothing without another. */
static void
refuse_alone(const char *name, const char *other, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s says nothing without %s", name, other), errhint("%s", hint)));
}

Arrangement *
ArrangementPlain(void)
{
	return palloc0(sizeof(Arrangement));
}

static bool
wants_variety(const Arrangement *plan)
{
	return plan->diversity > 0 || plan->capped_by || plan->calibrated > 0;
}

Arrangement *
ArrangementOptions(FunctionCallInfo fcinfo, int first, const Model *model)
{
	Arrangement plan = {.most = 1};
	Arrangement *kept;

	plan.diversity = take_fraction(fcinfo, first, "diversity");
	plan.capped_by = take_attribute(fcinfo, first + 1, "max_per", model);
	if (!PG_ARGISNULL(first + 2))
	{
		if (plan.capped_by == NULL)
			refuse_alone("max_per_n", "max_per", "Name the attribute to count by as max_per.");
		if (PG_GETARG_INT32(first + 2) < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("max_per_n must be at least 1, not %d", PG_GETARG_INT32(first + 2))));
		plan.most = PG_GETARG_INT32(first + 2);
	}
	plan.calibrated = take_fraction(fcinfo, first + 3, "calibrated");
	plan.mixed_by = take_attribute(fcinfo, first + 4, "calibrated_by", model);
	if (plan.calibrated > 0 && plan.mixed_by == NULL)
		refuse_alone("calibrated", "calibrated_by",
					 "Name the attribute whose mix is to be kept as calibrated_by.");
	if (PG_ARGISNULL(first + 3) && plan.mixed_by)
		refuse_alone("calibrated_by", "calibrated", "Say how much it is to count, from 0 to 1.");

	if (!wants_variety(&plan) && !model->has_rules)
		return NULL;
	kept = palloc(sizeof(Arrangement));
	*kept = plan;
	return kept;
}

/* An attribute for the ids of the lists; where the model is held, read at once. */
static Values *
open_values(const RecommendAsk *ask, const char *attribute)
{
	Values *values = ValuesOpen(ask->model, attribute, ask->ids, ask->budget);

	if (ask->held)
		ValuesReadAll(values);
	return values;
}

/* Sorts out what rules there are, for all lists of a question. */
static void
begin_rules(RecommendAsk *ask, Arrangement *plan)
{
	double left = 1;
	Rules *rules = RulesRead(ask->model, ask->as_of, ask->ids, ask->budget);

	if (rules->count == 0)
		return;
	plan->rules = rules;
	plan->boost_most = RulesBoostMost(rules);
	plan->boost_all = plan->boost_most * RulesBoostMostOfItems(rules);
	plan->special = IdSetCreate(ask->model->item_kind, ask->budget);
	plan->shared = BudgetAlloc(ask->budget, rules->count, sizeof(Rule *));
	plan->quotas = BudgetZeroed(ask->budget, rules->count, sizeof(Quota));
	plan->groups = BudgetZeroed(ask->budget, rules->count, sizeof(IdSet *));
	for (uint32 a = 0; ask->held && a < rules->attributes; a++)
		ValuesReadAll(rules->values[a]);
	for (uint32 r = 0; r < rules->count; r++)
	{
		const Rule *rule = &rules->rule[r];

		plan->boosts |= rule->boost != 1;
		if (rule->item != ID_NONE && (rule->pin > 0 || rule->boost > 1))
			IdSetAdd(plan->special, IdSetDatum(ask->ids, rule->item));
		if (rule->share > 0 && left > 0)
		{
			/* Shares that come to more than 1 are granted one after the other. */
			plan->quotas[plan->shares].share = Min(rule->share, left);
			plan->shared[plan->shares++] = rule;
			left -= rule->share;
		}
	}
}

bool
ArrangementBegin(RecommendAsk *ask)
{
	Arrangement *plan = ask->arrangement;

	if (!plan->begun)
	{
		plan->begun = true;
		if (plan->capped_by)
			plan->caps = open_values(ask, plan->capped_by);
		if (plan->mixed_by)
			plan->mix = open_values(ask, plan->mixed_by);
		if (ask->model->has_rules)
			begin_rules(ask, plan);
	}
	return wants_variety(plan) || plan->rules;
}

/* True where rules raise or lower anything. */
static bool
boosts(const RecommendAsk *ask)
{
	return ask->arrangement && ask->arrangement->boosts;
}

void
ArrangementKnow(const RecommendAsk *ask, const uint32 *numbers, uint32 count)
{
	/* Where the model is held, so are its attributes. */
	if (boosts(ask))
		RulesKnow(ask->arrangement->rules, numbers, ask->held ? 0 : count);
}

double
ArrangementBoost(const RecommendAsk *ask, uint32 number)
{
	return boosts(ask) ? RulesBoost(ask->arrangement->rules, number) : 1;
}

double
ArrangementBoostMost(const RecommendAsk *ask)
{
	return boosts(ask) ? ask->arrangement->boost_all : 1;
}
