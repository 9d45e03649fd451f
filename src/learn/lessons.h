/*
 * lessons.h: the lists that a network learns from and is measured on: their first items as it reads
 * them, which of these were chosen, and what part each list has.
 *
 * They are read as they are made of people of whom something was kept back, or added one by one as
 * they were shown.  People are dealt to three parts by the hash of their id, and so always to the same.
 * Kept is a list with something chosen among its first items: no other says how to put them in order.
 */
#ifndef RECO_LESSONS_H
#define RECO_LESSONS_H

#include "learn/evaluation.h"
#include "learn/popularity.h"
#include "math/features.h"

typedef enum LessonPart
{
	LESSON_TRAIN,
	LESSON_STOP,
	LESSON_TEST
} LessonPart;

/* The part of a user, by the hash of the id: half of them, a fifth, and three tenths. */
extern LessonPart LessonsPartOf(uint64_t user);

/* Lists with a choice among them that are read at most: they are enough, and take so many seconds. */
#define LESSONS_MOST 8000

typedef struct LessonsInput
{
	EvaluationInput lists; /* what makes them */
	const Popularity *popularity;
	bool timed;
	uint32_t min_support; /* of an item of fewer users nothing is known but who speaks for it */
	uint32_t first;       /* items of a list that are put in order */
} LessonsInput;

/* A list that was read. */
typedef struct Lesson
{
	uint64_t user;
	uint64_t begin; /* of its rows */
	uint32_t length;
	uint32_t relevant; /* chosen items, listed or not */
	LessonPart part;
} Lesson;

typedef struct Lessons
{
	Lesson *list;
	uint32_t lists;
	uint32_t most;  /* lists that there is room for, with rows */
	uint32_t first; /* rows of a list at most */
	uint32_t
		missed; /* users to test by with nothing chosen among the first, where none are lists */
	uint64_t rows;
	float *x; /* [rows][FEATURES] */
	unsigned char *chosen;
	uint32_t *place; /* [rows], where they were shown; NULL for lists that nobody saw */
} Lessons;

/* A list that was shown, as it is scored. */
typedef struct LessonShown
{
	uint64_t user; /* the hash of the id */
	LessonPart part;
	uint32_t length; /* from 1 to the first of the input */
	const float *x;  /* [length][FEATURES] */
	const unsigned char *chosen;
	const uint32_t *place; /* [length], where each was shown, from 1 */
} LessonShown;

/*
 * Reads lists as they are made, or opens none, for those that were shown, which are added: false where
 * there is no more room.  Memory for first * features floats a list, of which there are at most a
 * quarter of the budget's limit.
 */
extern void LessonsRead(const LessonsInput *input, Lessons *lessons, Budget *budget);
extern void LessonsOpen(const LessonsInput *input, Lessons *lessons, Budget *budget);
extern bool LessonsAdd(Lessons *lessons, const LessonShown *shown);
extern void LessonsClose(Lessons *lessons, Budget *budget);

/* What is known of every item of a matrix. */
extern FeatureItem *LessonsItems(const LessonsInput *input, Budget *budget);

/* What describes the first items of one list after the other: of every item, and room for a list. */
typedef struct LessonScratch
{
	FeatureItem *about; /* [items] */
	Evidence *evidence; /* [first] */
	FeatureItem *item;
} LessonScratch;

extern LessonScratch LessonsScratch(const LessonsInput *input, uint32_t first, Budget *budget);
extern void LessonsScratchFree(LessonScratch *scratch, Budget *budget);

/* The features of the first items of a list; lifts are NULL for none. */
extern void LessonsDescribe(const LessonScratch *scratch, const EvaluationList *list,
							uint32_t length, const double *lift, float *x);

#endif
