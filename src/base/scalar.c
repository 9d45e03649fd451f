#include "base/scalar.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

bool
ScalarText(const JsonbValue *value, char **text)
{
	switch (value->type)
	{
		case jbvNull:
			*text = NULL;
			return true;
		case jbvString:
			*text = pnstrdup(value->val.string.val, value->val.string.len);
			return true;
		case jbvNumeric:
			*text = DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
			return true;
		case jbvBool:
			*text = pstrdup(value->val.boolean ? "true" : "false");
			return true;
		default:
			return false;
	}
}
