/*
 * consent.h: whose events may be learned from, where the view "users" has a column "consent".
 *
 * Learned from is who said yes: a row of the view with consent true.  NULL is no answer, and who is
 * not in the view was not asked; neither is a yes.  Of several rows of one user every one must say
 * yes.  Where the view has no such column, or there is none, everybody is learned from.
 */
#ifndef RECO_CONSENT_H
#define RECO_CONSENT_H

#include "data/model.h"

#define CONSENT_COLUMN "consent"

/* What stands after FROM for the events that may be learned from: the view, or a part of it. */
extern char *ConsentEvents(const Model *model);

/*
 * What stands after FROM for all events, and the column that says of each whether it may be learned
 * from: true, or false or NULL.
 */
extern char *ConsentAsked(const Model *model);
extern const char *ConsentAnswer(const Model *model);

/* A condition on the users of a view or table by the name u: those who said yes; "true" for all. */
extern char *ConsentOf(const Model *model);

#endif
