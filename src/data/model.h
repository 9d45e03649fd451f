/*
 * model.h: what is known of a model: the columns of its views, its settings, and what the last
 * refresh says in its row of the table "model".
 */
#ifndef RECO_MODEL_H
#define RECO_MODEL_H

#include "base/compat.h"
#include "data/ids.h"
#include "data/naming.h"
#include "data/setting.h"
#include "data/signals.h"
#include "data/unfinished.h"
#include "datatype/timestamp.h"
#include "math/curve.h"
#include "nodes/pg_list.h"

/* The settings of a model, as its table holds them. */
typedef struct Settings
{
	ModelAlgorithm algorithm;
	SimilarityOptions similarity;
	FoldOptions fold;
	Weighting weighting;
	uint32 max_history;
	double half_life; /* seconds, 0 for none, like the next two */
	double popular_half_life;
	double trend_half_life;
	double min_match;
	double content;           /* users that attributes count as much as, 0 for not at all */
	char *target_signal;      /* whose choices lists foresee, or NULL for all alike */
	Signals *exclude_seen;    /* NULL where what was seen stays out for good */
	double fatigue_half_life; /* seconds, 0 for none */
	char *category;           /* an attribute of items, or NULL */
	List *contexts;           /* columns of events, by name */
	char *time_zone;          /* of the hours of the week that are learned, and of days */
	Unfinished *unfinished;   /* what says so; NULL for what goes without saying */
	bool reranked;            /* lists are put in order by the network, where one was kept */
} Settings;

/*
 * Numbers of items may have gaps where items went; once there are more gaps than items, all are
 * numbered anew.  New items come on top: a refresh leaves no more numbers than so many an item.
 */
#define MODEL_GAPS_PER_ITEM    1
#define MODEL_NUMBERS_PER_ITEM (2 + MODEL_GAPS_PER_ITEM)

/* How a model is stored.  What changes that raises the number, and goes on reading the lower. */
#define MODEL_FORMAT 1

typedef struct Model
{
	Oid reco; /* the schema of the extension */
	Oid schema;
	Oid table; /* "model" */
	Oid owner;
	char *name;         /* of the schema */
	Naming naming;      /* how it came by that */
	const char *quoted; /* the same as an identifier in SQL */

	/* What the views of the owner's queries are made of. */
	Oid user_type;
	Oid item_type;
	IdKind user_kind;
	IdKind item_kind;
	Oid time_type; /* InvalidOid where there is no such column, like the next */
	Oid weight_type;
	bool has_signal;
	bool has_items;    /* a catalogue query */
	bool has_released; /* with a released_at */
	bool has_users;    /* attributes of people */
	bool has_consent;  /* with a consent */
	bool has_rules;

	/* What the table "model" says; read by ModelRead. */
	Settings settings;
	uint32 reranked_first;    /* so many items of a list are put in order; 0 for none */
	char *reranked_of;        /* by what those lists were scored that the network was trained on */
	SignalsTold told;         /* by the last refresh, with what it learned of their worth */
	bool damaged;             /* that was not to be read */
	Signals *signals;         /* what histories go by; NULL where all signals are the same */
	SimilarityOptions picked; /* the settings' similarity, with what auto stands for */
	bool has_picked;          /* auto stands for what a refresh picked */
	ModelAlgorithm algorithm; /* what the last refresh learned for lists */
	bool refreshed;
	bool timed;         /* the last refresh saw times */
	TimestampTz newest; /* of the events it saw: what decay counts from */
	uint32 item_slots;
	double popularity_offset; /* decayed weight a day = 2^(learned - offset) */
	double recent_offset;
	double trend_prior;
	Curve curve;
} Model;

/* The types a column may have, for messages. */
#define MODEL_TIME_TYPES   "timestamptz, timestamp or date"
#define MODEL_WEIGHT_TYPES "double precision, real, numeric, bigint, integer or smallint"

/*
 * The model of a model table, with its columns checked as reco_create_model checks them; ModelNew
 * where there is no table of what was learned yet.
 */
extern Model *ModelOpen(Oid reco, Oid table);
extern Model *ModelNew(Oid reco, Oid table);

/*
 * Reads settings and what was learned, in the calling query's snapshot; SPI is connected.
 * ModelReadSettings leaves alone what was learned, which a refresh may be about to mend.
 */
extern void ModelRead(Model *model);
extern void ModelReadSettings(Model *model);

/* A setting as it is to be: a value, or back to its default, which leaves an exponent to the similarity. */
typedef struct ModelSetting
{
	SettingNo setting;
	Datum value;
	bool reset;
} ModelSetting;

/* The target that is to be learned for; NULL where all signals are alike. */
extern const char *ModelTarget(const Model *model);

/* Writes settings that were checked, as the owner of the model; SPI is not connected. */
extern void ModelConfigure(const Model *model, const ModelSetting *settings, int count);

/* Raises an error with what to do where the model was never refreshed. */
extern void ModelNeedsRefresh(const Model *model);

/* Raises an error where the settings go by times that the events do not have. */
extern void ModelNeedsTimes(const Model *model);

/* Raises an error unless a table of that name is there and the model's own. */
extern void ModelNeedsTable(const Model *model, const char *name);

/*
 * Raises an error unless the name that statements go by meant this model all the time since it was
 * found: what they read or wrote may be another one's, where two have changed places.
 */
extern void ModelNeedsName(const Model *model);

/* Raises an error unless the current user owns the model's schema. */
extern void ModelNeedsOwner(const Model *model);

#endif
