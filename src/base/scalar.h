/*
 * scalar.h: a value within a jsonb as text.
 */
#ifndef RECO_SCALAR_H
#define RECO_SCALAR_H

#include "base/compat.h"
#include "utils/jsonb.h"

/* As a column of its type would have it as text, NULL for null; false where it is no scalar. */
extern bool ScalarText(const JsonbValue *value, char **text);

#endif
