#include "base/pages.h"

#include <sys/mman.h>

#include "utils/memutils.h"

/* The size of a large page on most systems; with others nothing is lost. */
#define LARGE (2 * 1024 * 1024)

void *
PagesAlloc(uint64 count, Size size)
{
	char *memory;

	if (count > MaxAllocHugeSize / size)
		elog(ERROR, "a copy is too large");
	memory = palloc_extended(Max(count * size, 1), MCXT_ALLOC_HUGE);
#ifdef MADV_HUGEPAGE
	{
		char *first = (char *) TYPEALIGN(LARGE, memory);
		char *end = (char *) TYPEALIGN_DOWN(LARGE, memory + count * size);

		/*
		 * Where the system does not want to, pages are small; and so are those of memory that was in use
		 * before, unless they are given back.
		 */
		if (first < end)
		{
			(void) madvise(first, (Size) (end - first), MADV_DONTNEED);
			(void) madvise(first, (Size) (end - first), MADV_HUGEPAGE);
		}
	}
#endif
	return memory;
}

void *
PagesCopy(const void *from, uint64 count, Size size)
{
	char *copy = PagesAlloc(count, size);

	for (Size done = 0; done < count * size; done += LARGE)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(copy + done, (const char *) from + done, Min(count * size - done, LARGE));
	}
	return copy;
}
