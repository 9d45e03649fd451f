#include "learn/groups.h"

#include <math.h>
#include <string.h>

#include "base/interrupts.h"
#include "math/best.h"

/* The work of learning groups. */
typedef struct Learning
{
	const Interactions *matrix;
	const double *popularity_log2;
	const GroupMembers *members;
	uint32_t min_support;
	uint32_t *users; /* [items], n_i */
	uint32_t *of;    /* [items], n_gi of the group at hand; zero between groups */
	uint32_t room;
	Groups *groups;
	Budget *budget;
} Learning;

/* The number of the row among rows begin .. end - 1, by rising hash, that is a user's; end if none. */
static uint32_t
find_row(const Interactions *matrix, uint32_t begin, uint32_t end, uint64_t user)
{
	uint32_t high = end;

	while (begin < high)
	{
		uint32_t middle = begin + (high - begin) / 2;

		if (matrix->user[middle] < user)
			begin = middle + 1;
		else
			high = middle;
	}
	return begin < end && matrix->user[begin] == user ? begin : end;
}

/* Adds a row to the counts of its items. */
static void
count_row(const Sparse *by_user, uint32_t row, uint32_t *count)
{
	for (uint64_t c = by_user->start[row]; c < by_user->start[row + 1]; c++)
		count[by_user->column[c]]++;
}

/* Counts the items of a group's users; returns how many of them the matrix has. */
static uint32_t
count_group(Learning *learning, uint32_t group)
{
	const Interactions *matrix = learning->matrix;
	const GroupMembers *members = learning->members;
	uint32_t users = 0;

	memset(learning->of, 0, sizeof(uint32_t) * matrix->by_user.columns);
	for (uint64_t m = members->start[group]; m < members->start[group + 1]; m++)
	{
		uint32_t rows = matrix->by_user.rows;
		uint32_t row = find_row(matrix, 0, matrix->learners, members->user[m]);

		/* Those held out come after the others, in an order of their own. */
		if (row == matrix->learners)
			row = find_row(matrix, matrix->learners, rows, members->user[m]);
		if (row == rows)
			continue;
		INTERRUPTS();
		count_row(&matrix->by_user, row, learning->of);
		users++;
	}
	return users;
}

static double
lift_of(const Learning *learning, uint32_t users, uint32_t item)
{
	double expected = (double) users * learning->users[item] / learning->matrix->by_user.rows;

	return (learning->of[item] + GROUPS_PRIOR) / (expected + GROUPS_PRIOR);
}

/* Keeps the best items of a group of so many users, which were counted. */
static void
keep_group(Learning *learning, uint32_t group, uint32_t users)
{
	Groups *groups = learning->groups;
	Best best[GROUPS_ITEMS];
	uint32_t count = 0;

	for (uint32_t i = 0; i < learning->matrix->by_user.columns; i++)
		if (learning->of[i] >= learning->min_support && !isnan(learning->popularity_log2[i]))
			BestOffer(best, &count, GROUPS_ITEMS,
					  (Best){.index = i,
							 .value = (float) (learning->popularity_log2[i] +
											   log2(lift_of(learning, users, i)))});
	BestSort(best, count);
	if (groups->count + count > learning->room)
	{
		learning->room = Max(groups->count + count, 2 * learning->room);
		groups->item =
			BudgetResize(learning->budget, groups->item, learning->room, sizeof(GroupItem));
	}
	for (uint32_t n = 0; n < count; n++)
		groups->item[groups->count++] =
			(GroupItem){.group = group,
						.item = best[n].index,
						.rank = n + 1,
						.users = learning->of[best[n].index],
						.lift = lift_of(learning, users, best[n].index)};
}

/* The groups with the most members, of equals the first. */
static uint32_t
pick_groups(const GroupMembers *members, Best *picked)
{
	uint32_t count = 0;

	for (uint32_t g = 0; g < members->groups; g++)
	{
		uint64_t size = members->start[g + 1] - members->start[g];

		if (size >= GROUPS_USERS)
			BestOffer(picked, &count, GROUPS_MOST, (Best){.index = g, .value = (float) size});
	}
	for (uint32_t n = 0; n < count; n++)
		picked[n].value = -(float) picked[n].index;
	BestSort(picked, count);
	return count;
}

Groups *
GroupsLearn(const Interactions *matrix, const double *popularity_log2, const GroupMembers *members,
			uint32_t min_support, Budget *budget)
{
	uint32_t items = matrix->by_user.columns;
	Learning learning = {.matrix = matrix,
						 .popularity_log2 = popularity_log2,
						 .members = members,
						 .min_support = min_support,
						 .groups = BudgetZeroed(budget, 1, sizeof(Groups)),
						 .budget = budget};
	Best *picked;
	uint32_t count;

	if (members->groups == 0)
		return learning.groups;
	picked = BudgetAlloc(budget, GROUPS_MOST, sizeof(Best));
	count = pick_groups(members, picked);
	learning.users = BudgetZeroed(budget, items, sizeof(uint32_t));
	learning.of = BudgetZeroed(budget, items, sizeof(uint32_t));
	for (uint32_t row = 0; row < matrix->by_user.rows; row++)
	{
		INTERRUPTS_AT(row);
		count_row(&matrix->by_user, row, learning.users);
	}
	for (uint32_t n = 0; n < count; n++)
	{
		uint32_t users = count_group(&learning, picked[n].index);

		if (users >= GROUPS_USERS)
			keep_group(&learning, picked[n].index, users);
	}
	BudgetFree(budget, learning.users);
	BudgetFree(budget, learning.of);
	BudgetFree(budget, picked);
	return learning.groups;
}
