/*
 * doors.h: the typed doors of a model's schema, as SQL with the {words} of data/layout.
 *
 * Each is a function whose ids have the model's own types, and calls reco_typed_... of its name.
 */
#ifndef RECO_DOORS_H
#define RECO_DOORS_H

extern const char *const DoorsStatements;

/* The names of the doors, between commas; a function reco_typed_... is behind each. */
#define DOORS                                                                                      \
	"top_n,top_n_all,complete,similar_items,score,match,why,why_not,rank,audience,similar_users,"  \
	"user_factor,user_factors,popular,trending,onboarding,explore,continue,hooks,win_back,"        \
	"next_purchases,best_time,"                                                                    \
	"wrapped,wrapped_all,wrapped_json,wrapped_json_all,page,forget,traces,disclose,"               \
	"affinity,demand,audience_of,segments,segment_members,"                                        \
	"segment_of"

#endif
