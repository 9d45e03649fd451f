#include "api/door.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "data/find.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

Oid
DoorSchema(FunctionCallInfo fcinfo)
{
	return get_func_namespace(fcinfo->flinfo->fn_oid);
}

char *
DoorText(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

char *
DoorRequired(FunctionCallInfo fcinfo, int argument, const char *what)
{
	char *text = DoorText(fcinfo, argument);

	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", what)));
	return text;
}

List *
DoorTexts(FunctionCallInfo fcinfo, int argument)
{
	List *texts = NIL;
	Datum *element;
	bool *is_null;
	int count;

	if (PG_ARGISNULL(argument))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &element,
					  &is_null, &count);
	for (int n = 0; n < count; n++)
		if (!is_null[n])
			texts = lappend(texts, TextDatumGetCString(element[n]));
	return texts;
}

Model *
DoorModel(FunctionCallInfo fcinfo, int argument)
{
	if (get_fn_expr_argtype(fcinfo->flinfo, argument) != REGCLASSOID)
		return FindModel(DoorSchema(fcinfo), DoorText(fcinfo, argument));
	if (PG_ARGISNULL(argument))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the table of a model must not be NULL")));
	return ModelOpen(DoorSchema(fcinfo), PG_GETARG_OID(argument));
}

/* Raises the error of an id of another kind than the model's. */
static void
refuse_kind(FunctionCallInfo fcinfo, const Model *model, const char *what, Oid wanted, Oid given)
{
	char *function = get_func_name(fcinfo->flinfo->fn_oid);
	const char *door = strncmp(function, "reco_", 5) == 0 ? function + 5 : function;

	if (strncmp(door, "typed_", 6) == 0)
		door += 6;
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("model \"%s\" has %s ids of type %s, not %s", model->name, what,
						   format_type_be(wanted), format_type_be(given)),
					errhint("Cast the id, or call %s.%s, which takes the model's own types.",
							model->quoted, door)));
}

/* The kind of an argument's type, which must be the model's. */
static void
check_kind(FunctionCallInfo fcinfo, const Model *model, Oid given, const char *what)
{
	bool user = what[0] == 'u';
	IdKind wanted = user ? model->user_kind : model->item_kind;
	IdKind kind;

	if (!IdKindOfType(given, &kind) || kind != wanted)
		refuse_kind(fcinfo, model, what, user ? model->user_type : model->item_type, given);
}

static Datum
id_argument(FunctionCallInfo fcinfo, int argument, const Model *model, const char *what)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, argument);

	check_kind(fcinfo, model, type, what);
	return IdNormalise(PG_GETARG_DATUM(argument), type);
}

Datum
DoorUser(FunctionCallInfo fcinfo, int argument, const Model *model)
{
	return id_argument(fcinfo, argument, model, "user");
}

Datum
DoorItem(FunctionCallInfo fcinfo, int argument, const Model *model)
{
	return id_argument(fcinfo, argument, model, "item");
}

IdKind
DoorAnyKind(Oid type)
{
	IdKind kind;

	if (!IdKindOfType(type, &kind))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("%s is no type of an id", format_type_be(type)),
						errhint("Ids may be " ID_TYPES ".")));
	return kind;
}

Datum
DoorAnyId(FunctionCallInfo fcinfo, int argument, IdKind *kind)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, argument);
	Datum id = PG_GETARG_DATUM(argument);

	if (type == UNKNOWNOID)
	{
		id = CStringGetTextDatum(DatumGetCString(id));
		type = TEXTOID;
	}
	*kind = DoorAnyKind(type);
	return IdNormalise(id, type);
}

IdSet *
DoorItems(FunctionCallInfo fcinfo, int argument, const Model *model, Budget *budget)
{
	Oid array_type = get_fn_expr_argtype(fcinfo->flinfo, argument);
	Oid type = get_element_type(array_type);
	ArrayType *array;
	IdSet *set;
	Datum *values;
	bool *nulls;
	int count;
	int16 length;
	bool by_value;
	char align;

	if (PG_ARGISNULL(argument))
		return NULL;
	check_kind(fcinfo, model, OidIsValid(type) ? type : array_type, "item");
	if (!OidIsValid(type))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("items must be an array, not %s", format_type_be(array_type))));
	array = PG_GETARG_ARRAYTYPE_P(argument);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &values, &nulls, &count);
	set = IdSetCreate(model->item_kind, budget);
	for (int n = 0; n < count; n++)
		if (!nulls[n])
			IdSetAdd(set, IdNormalise(values[n], type));
	return set;
}

uint32
DoorK(FunctionCallInfo fcinfo, int argument)
{
	int32 k;

	if (PG_ARGISNULL(argument))
		return 0;
	k = PG_GETARG_INT32(argument);
	if (k < 1 || k > DOOR_K_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be from 1 to %d, not %d", DOOR_K_MAX, k),
						errhint("NULL asks for everything there is.")));
	return (uint32) k;
}

DoorRole
DoorBecome(Oid owner)
{
	DoorRole role;

	GetUserIdAndSecContext(&role.caller, &role.security);
	SetUserIdAndSecContext(owner, role.security | SECURITY_RESTRICTED_OPERATION);
	role.nest = NewGUCNestLevel();
	RestrictSearchPath();
	return role;
}

void
DoorReturn(const DoorRole *role)
{
	AtEOXact_GUC(false, role->nest);
	SetUserIdAndSecContext(role->caller, role->security);
}

void
DoorEnter(Model *model)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ModelRead(model);
	ModelNeedsRefresh(model);
}

void
DoorLeave(const Model *model)
{
	ModelNeedsName(model);
	SPI_finish();
}

/* Raises an error unless a column of ids has a type that ids of a kind can go out as. */
static void
check_id_column(FunctionCallInfo fcinfo, const Model *model, Form_pg_attribute column, Oid type,
				const char *what, bool as_text)
{
	bool user = what[0] == 'u';
	IdKind kind;

	if (IdBaseType(type) != type || column->atttypmod >= 0)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("%s %s column may neither be a domain nor have a length",
							   user ? "a" : "an", what)));
	if (!(as_text && type == TEXTOID) &&
		(!IdKindOfType(type, &kind) || kind != (user ? model->user_kind : model->item_kind)))
		refuse_kind(fcinfo, model, what, user ? model->user_type : model->item_type, type);
}

/* What a column of arrays has elements of. */
static Oid
element_of(Oid type, int column)
{
	Oid element = get_element_type(type);

	if (!OidIsValid(element))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column %d of the column definition list has type %s and must be an array",
						column + 1, format_type_be(type))));
	return element;
}

DoorRows
DoorOpen(FunctionCallInfo fcinfo, const Model *model, const Oid *types, int columns, bool as_text)
{
	ReturnSetInfo *out = (ReturnSetInfo *) fcinfo->resultinfo;
	DoorRows rows = {.out = out, .item_kind = model->item_kind, .user_kind = model->user_kind};
	/*
	 * The columns are those the executor expects, as a copy, since it frees what it is given: it has
	 * asked the catalogs for them once, while the function would at each call.
	 */
	bool expected =
		(out && IsA(out, ReturnSetInfo) && out->expectedDesc) ||
		get_func_result_type(fcinfo->flinfo->fn_oid, NULL, NULL) == TYPEFUNC_RECORD;

	InitMaterializedSRF(fcinfo, expected ? MAT_SRF_USE_EXPECTED_DESC : 0);
	if (out->setDesc->natts != columns)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the column definition list has %d columns and must have %d",
							   out->setDesc->natts, columns)));
	for (int c = 0; c < columns; c++)
	{
		Form_pg_attribute column = TupleDescAttr(out->setDesc, c);
		Oid type = column->atttypid;

		if (types[c] == DOOR_USER)
		{
			check_id_column(fcinfo, model, column, type, "user", as_text);
			rows.user_type = type;
		}
		else if (types[c] == DOOR_ITEM || types[c] == DOOR_ITEMS)
		{
			if (types[c] == DOOR_ITEMS)
				type = element_of(type, c);
			if (OidIsValid(rows.item_type) && type != rows.item_type)
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("the item columns of the column definition list differ in type")));
			check_id_column(fcinfo, model, column, type, "item", as_text);
			rows.item_type = type;
		}
		else if (type != types[c])
			ereport(
				ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column %d of the column definition list has type %s and must have type %s",
						c + 1, format_type_be(type), format_type_be(types[c]))));
	}
	return rows;
}

Datum
DoorItemOut(const DoorRows *rows, Datum item)
{
	return IdAsType(item, rows->item_kind, rows->item_type);
}

Datum
DoorUserOut(const DoorRows *rows, Datum user)
{
	return IdAsType(user, rows->user_kind, rows->user_type);
}

Datum
DoorItemsOut(const DoorRows *rows, Datum *items, uint32 count)
{
	int16 length;
	bool by_value;
	char align;

	for (uint32 n = 0; n < count; n++)
		items[n] = DoorItemOut(rows, items[n]);
	get_typlenbyvalalign(rows->item_type, &length, &by_value, &align);
	return PointerGetDatum(
		construct_array(items, (int) count, rows->item_type, length, by_value, align));
}

void
DoorPut(DoorRows *rows, Datum *values, bool *nulls)
{
	tuplestore_putvalues(rows->out->setResult, rows->out->setDesc, values, nulls);
	rows->count++;
}
