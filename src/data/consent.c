#include "data/consent.h"

/* Every user of the view once, with whether all of their rows say yes. */
static char *
answers(const Model *model)
{
	char *user = IdColumn(model->user_kind, "a.user_id");

	return psprintf("(SELECT %s AS user_id, pg_catalog.bool_and(a." CONSENT_COLUMN
					" IS TRUE) AS given FROM %s.users a GROUP BY %s)",
					user, model->quoted, user);
}

char *
ConsentAsked(const Model *model)
{
	if (!model->has_consent)
		return psprintf("%s.events", model->quoted);
	return psprintf("%s.events e LEFT JOIN %s c(answered_by, given) "
					"ON c.answered_by OPERATOR(pg_catalog.=) %s",
					model->quoted, answers(model), IdColumn(model->user_kind, "e.user_id"));
}

const char *
ConsentAnswer(const Model *model)
{
	return model->has_consent ? "c.given" : "true";
}

char *
ConsentEvents(const Model *model)
{
	if (!model->has_consent)
		return psprintf("%s.events", model->quoted);
	return psprintf("(SELECT e.* FROM %s WHERE c.given)", ConsentAsked(model));
}

char *
ConsentOf(const Model *model)
{
	if (!model->has_consent)
		return pstrdup("true");
	return psprintf(
		"EXISTS (SELECT FROM %s c WHERE c.given AND c.user_id OPERATOR(pg_catalog.=) %s)",
		answers(model), IdColumn(model->user_kind, "u.user_id"));
}
