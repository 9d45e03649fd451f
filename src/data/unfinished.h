/*
 * unfinished.h: what it takes for something to be unfinished, by the events of a model.
 *
 * The setting "unfinished" is an object, '{"basket": ["cart"], "bought": ["buy"], "series": "show",
 * "order": "episode"}'; each of its keys may be missing, and so may the object.
 */
#ifndef RECO_UNFINISHED_H
#define RECO_UNFINISHED_H

#include "base/compat.h"
#include "data/template.h"

struct Model;

/* The share from which an item is finished, where nobody says. */
#define UNFINISHED_FINISHED 0.95

typedef struct Unfinished
{
	const char *progress; /* the column of events that says how far, or NULL */
	double finished;      /* how far is all of it */
	Datum basket;         /* signals that put an item into a basket, as text[], */
	Datum bought;         /* that take it out as it was meant, */
	Datum removed;        /* and that say it is not wanted any more */
	bool has_basket;
	const char *series; /* the attribute of items that says what they are parts of, or NULL */
	const char *order;  /* the one that puts parts in order */
} Unfinished;

/*
 * A value of the setting, a jsonb.  Raises ERRCODE_INVALID_PARAMETER_VALUE where it is no such
 * object.  In the current context.
 */
extern Unfinished *UnfinishedRead(Datum value);

/* Raises an error where it names columns that the queries of the model do not have. */
extern void UnfinishedCheck(const struct Model *model, const Unfinished *unfinished);

/*
 * What holds for a model: the value, checked, or where there is none (isnull) the model's setting;
 * columns that a setting names and that are gone are none, and a column "progress" of the events
 * counts where nobody names another.  Settings are read.
 */
extern Unfinished *UnfinishedOf(const struct Model *model, Datum value, bool isnull);

/* What goes without saying: nothing. */
extern Unfinished *UnfinishedNothing(void);

/* A column that the setting names and that a view has no more, not of its kind; NULL for none. */
extern const char *UnfinishedGone(const struct Model *model, const char **view);

/* True where nothing can be unfinished. */
static inline bool
UnfinishedIsNone(const Unfinished *unfinished)
{
	return unfinished->progress == NULL && !unfinished->has_basket && unfinished->series == NULL;
}

/*
 * Words for statements about the events e and the items i of a model: {model}, {item} (the type its
 * ids travel as), {by_bytes} and {as_items} (behind an id: the collations by which ids are told apart,
 * and by which indexes find those of the items), {at}, {weight}, {signal}, {progress} (expressions over e; NULL where there is no such
 * column, for {weight} 1), {counts} (the condition that an event counts, but for the time it must be
 * before), {series} and {order} (columns of i, or NULL).
 */
#define UNFINISHED_WORDS 11

extern void UnfinishedWords(const struct Model *model, const Unfinished *unfinished,
							TemplateWord *words);

#endif
