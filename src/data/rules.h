/*
 * rules.h: what the owner wants lists to be like, whatever the evidence: rows of the view "rules",
 * read live.
 *
 * A rule is about one item, or about all items of which an attribute has a value.  It multiplies
 * their scores, pins the item to a place, or sees to it that they get a share of the places.  One
 * that makes no sense is passed over, so that no slip in a table takes a page down; reco_check
 * speaks of it.
 */
#ifndef RECO_RULES_H
#define RECO_RULES_H

#include "data/ids.h"
#include "data/model.h"
#include "data/values.h"

/* What may be wrong with a rule by itself. */
typedef enum RuleFault
{
	RULE_FINE,
	RULE_NO_TARGET,
	RULE_TWO_TARGETS,
	RULE_NO_ATTRIBUTE,
	RULE_NO_EFFECT,
	RULE_BOOST,
	RULE_PIN,
	RULE_PIN_VALUE,
	RULE_SHARE,
	RULE_TIMES,
	RULE_FAULTS
} RuleFault;

typedef struct Rule
{
	uint32 item;    /* its number in the set of ids; ID_NONE where the rule is of a value: */
	Values *values; /* of the attribute */
	text *value;
	uint32 number; /* of the value, once an item was met that has it; else ID_NONE */
	double boost;  /* 1 for none, like the next two */
	uint32 pin;    /* 0 for none */
	double share;  /* 0 for none */
} Rule;

typedef struct Rules
{
	Rule *rule; /* in an order that no order of rows decides; those of items come first */
	uint32 count;
	uint32 of_items;
	const Rule **by_number; /* those of items by the numbers of these */
	Values **values;        /* of each attribute that rules name */
	uint32 attributes;
} Rules;

/* Raises an error unless the columns of the view "rules" are what rules are made of. */
extern void RulesCheckColumns(const Model *model);

/* The rules of a time that make sense, their items added to a set of ids.  SPI is connected. */
extern Rules *RulesRead(const Model *model, TimestampTz as_of, IdSet *ids, Budget *budget);

/* Reads what rules want to know of items, before the next can be asked. */
extern void RulesKnow(const Rules *rules, const uint32 *numbers, uint32 count);
extern bool RuleHolds(const Rule *rule, uint32 number);

/*
 * What the rules multiply the score of an item by; and the most that those of values can, and those
 * of items.  An item that the catalogue has twice, with two values of what is no array, may come to
 * more.
 */
extern double RulesBoost(const Rules *rules, uint32 number);
extern double RulesBoostMost(const Rules *rules);
extern double RulesBoostMostOfItems(const Rules *rules);

/* How many rules that are not over yet have each fault.  SPI is connected. */
extern void RulesFaults(const Model *model, int64 faults[RULE_FAULTS]);

#endif
