#include "math/quota.h"

#include <math.h>

#include "base/interrupts.h"

/* Places looked ahead; lists so long keep every share exactly, longer ones but for a row each. */
#define AHEAD 256

/* What a product of a share and a number of rows may lack of a whole number. */
#define TINY 1e-9

uint32_t
QuotaDue(double share, uint32_t rows)
{
	return (uint32_t) floor(share * rows + TINY);
}

/* The length at which the next row of a share is due. */
static double
deadline(const Quota *quota)
{
	return ceil((quota->got + 1 - TINY) / quota->share);
}

/* True where what is due within some places fills them all. */
static bool
is_pressing(const Quota *quotas, uint32_t count, uint32_t place, QuotaTaken taken, const void *with)
{
	uint32_t room = 0;

	for (uint32_t ahead = 0; ahead < AHEAD && ahead < UINT32_MAX - place; ahead++)
	{
		uint32_t due = 0;

		INTERRUPTS();
		room += !taken(place + ahead, with);
		for (uint32_t q = 0; q < count; q++)
		{
			uint32_t of_it = quotas[q].empty ? 0 : QuotaDue(quotas[q].share, place + ahead);

			due += of_it > quotas[q].got ? of_it - quotas[q].got : 0;
		}
		if (due > 0 && due >= room)
			return true;
	}
	return false;
}

uint32_t
QuotaAt(const Quota *quotas, uint32_t count, uint32_t place, QuotaTaken taken, const void *with)
{
	uint32_t first = QUOTA_NONE;

	if (!is_pressing(quotas, count, place, taken, with))
		return QUOTA_NONE;
	for (uint32_t q = 0; q < count; q++)
		if (!quotas[q].empty && quotas[q].share > 0 &&
			(first == QUOTA_NONE || deadline(&quotas[q]) < deadline(&quotas[first])))
			first = q;
	return first;
}
