/*
 * site.h: what a call site may remember while its query runs.
 *
 * A function that stands in a query is called again and again through one call site, and most of
 * what it reads is the same each time: within one execution of one statement nothing changes.  So
 * it may keep that, in memory that goes when the query ends.  Where the function is called by one of
 * SQL that the planner does not take apart, as the doors of a model with WITH ORDINALITY, it is that
 * function whose call site counts, before PostgreSQL 18.
 */
#ifndef RECO_SITE_H
#define RECO_SITE_H

#include "api/door.h"
#include "utils/snapshot.h"

/* The statement a call belongs to, and the name it is asked in. */
typedef struct SiteStatement
{
	Snapshot snapshot;
	TransactionId xmin;
	TransactionId xmax;
	CommandId command;
	uint64 completions;
	SubTransactionId subtransaction;
	TimestampTz since;
	Oid role;
} SiteStatement;

/* What every call site knows: the first member of what a function keeps. */
typedef struct Site
{
	MemoryContext context;  /* of all that is kept */
	MemoryContext of_model; /* of what is kept of the model, which goes when another is learned */
	SiteStatement statement;
	Model *model;
	Datum model_argument; /* a copy; read where it is not NULL */
	bool model_is_null;
	char *model_default;
	uint64 calls; /* for the caller to count */
} Site;

/*
 * The memory of this call site, of so many bytes, zeroed but for what calls before of the same
 * statement kept there; or, where a site may outlive the statement, one for this call alone.
 */
extern void *SiteOpen(FunctionCallInfo fcinfo, Size size);

/*
 * True where an argument names the model the site knows.  Else what it knows of another is to be
 * forgotten, and SiteLearnModel finds the argument's, which becomes the site's when the caller
 * sets site->model: once nothing about it can raise an error any more.
 */
extern bool SiteKnowsModel(const Site *site, FunctionCallInfo fcinfo, int argument);
extern Model *SiteLearnModel(Site *site, FunctionCallInfo fcinfo, int argument);

#endif
