#include "data/planted.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

void
PlantedRefuse(Oid reco, const char *name)
{
	Oid extension = get_extension_oid("reco", false);
	CatCList *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));

	for (int n = 0; n < list->n_members; n++)
	{
		Form_pg_proc function = (Form_pg_proc) GETSTRUCT(&list->members[n]->tuple);

		if (function->pronamespace == reco &&
			getExtensionOfObject(ProcedureRelationId, function->oid) != extension)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_FUNCTION),
					 errmsg("function %s is not the extension's",
							format_procedure_qualified(function->oid)),
					 errdetail("It could be called in place of the function \"%s\" of reco.", name),
					 errhint("Drop it, and let nobody else create in schema \"%s\".",
							 get_namespace_name(reco))));
	}
	ReleaseSysCacheList(list);
}
