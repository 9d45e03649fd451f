/*
 * quota.h: shares of the places of a list.
 *
 * A share s is kept at every length: of the first n rows at least floor(s * n) are of its items,
 * while it has any.  (Ranked group fairness asks for the same kind of thing: Zehlike et al. 2017.)
 * So a list is the beginning of every longer one, and what is promoted is spread over it.
 *
 * Nothing is moved before it must be: a place goes to a share only where the rows that are due
 * within some places would otherwise not fit, and then to the one whose next row is due first.
 * Earliest deadline first meets every deadline that can be met (Liu & Layland 1973).
 */
#ifndef RECO_QUOTA_H
#define RECO_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#define QUOTA_NONE UINT32_MAX

typedef struct Quota
{
	double share; /* 0..1, all together at most 1 */
	uint32_t got; /* rows so far */
	bool empty;   /* no item of it is left */
} Quota;

/* How many of the first rows are due to a share. */
extern uint32_t QuotaDue(double share, uint32_t rows);

/*
 * Which share must have a place (from 1), or QUOTA_NONE.  taken(place, with) says which of the
 * places from there on are given away already.  O(count) for each of some places ahead.
 */
typedef bool (*QuotaTaken)(uint32_t place, const void *with);
extern uint32_t QuotaAt(const Quota *quotas, uint32_t count, uint32_t place, QuotaTaken taken,
						const void *with);

#endif
