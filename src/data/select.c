#include "data/select.h"

#include "base/compat.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"

/*
 * Makes the place of a syntax error one in the query, not in the statement that holds it.
 */
static void
point_into_query(void *query)
{
	int position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(query);
	}
}

/* The statements of a query as it stands. */
static List *
parse(const char *query)
{
	ErrorContextCallback context = {error_context_stack, point_into_query, (void *) query};
	List *statements;

	error_context_stack = &context;
	statements = raw_parser(query, RAW_PARSE_DEFAULT);
	error_context_stack = context.previous;
	return statements;
}

char *
SelectText(const char *what, const char *query)
{
	List *statements = parse(query);
	const RawStmt *raw = statements == NIL ? NULL : linitial_node(RawStmt, statements);
	const char *begin;

	if (list_length(statements) != 1 || !IsA(raw->stmt, SelectStmt) ||
		((SelectStmt *) raw->stmt)->intoClause)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR), errmsg("%s must be one SELECT", what),
				 errhint("Give a query that returns rows, without INTO, as one statement.")));
	begin = query + Max(raw->stmt_location, 0);
	return raw->stmt_len > 0 ? pnstrdup(begin, raw->stmt_len) : pstrdup(begin);
}
