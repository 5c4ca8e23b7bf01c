/* Stage: compare. Sixty clusters that differ in the same way are one difference: those of one sort (the
 * same thing, column and change) become one with their names. So a comparison stays small, whatever is
 * compared. Reads differences, writes the list of them. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "compare/compare.h"
#include <stdlib.h>

/* The texts of a sort are those of the rules' tables: the same text is the same pointer. */
struct compare_sort {
    const char *noun, *column, *change, *why;
    size_t count;
    cJSON *rows;    /* the first COMPARE_ALIKE_MAX */
    cJSON *members; /* names of the first COMPARE_MEMBERS_MAX */
    bool differing; /* not all have the values of the first one */
};

static struct compare_sort *sort_of(struct comparison *all,
                                    const struct compare_difference *difference)
{
    for (size_t i = all->sorts_len; i > 0; i--) {
        struct compare_sort *sort = &all->sorts[i - 1];
        if (sort->noun == difference->noun && sort->column == difference->column &&
            sort->change == difference->change && sort->why == difference->why)
            return sort;
    }
    if (all->sorts_len == all->sorts_cap) {
        all->sorts_cap = all->sorts_cap ? 2 * all->sorts_cap : 64;
        all->sorts = xrealloc(all->sorts, all->sorts_cap * sizeof *all->sorts);
    }
    struct compare_sort *sort = &all->sorts[all->sorts_len++];
    *sort = (struct compare_sort){.noun = difference->noun,
                                  .column = difference->column,
                                  .change = difference->change,
                                  .why = difference->why,
                                  .rows = cJSON_CreateArray(),
                                  .members = cJSON_CreateArray()};
    return sort;
}

static bool has_values_of(const struct compare_difference *difference, const cJSON *row)
{
    return str_equal(json_str(row, "a.value"), difference->values[0]) &&
           str_equal(json_str(row, "b.value"), difference->values[1]);
}

void compare_add(struct comparison *all, const struct compare_difference *difference)
{
    struct compare_sort *sort = sort_of(all, difference);
    sort->differing |= sort->count && !has_values_of(difference, sort->rows->child);
    if (sort->count < COMPARE_ALIKE_MAX)
        cJSON_AddItemToArray(sort->rows, compare_row(all, difference));
    if (sort->count < COMPARE_MEMBERS_MAX)
        cJSON_AddItemToArray(sort->members, cJSON_CreateString(difference->name));
    sort->count++;
}

/* The first one stands for all, with their names. */
static cJSON *joined(struct compare_sort *sort)
{
    cJSON *row = cJSON_DetachItemFromArray(sort->rows, 0);
    json_put_num(row, "count", (double)sort->count);
    cJSON_AddItemToObject(row, "members", sort->members);
    json_put_bool(row, "alike", !sort->differing);
    sort->members = NULL;
    return row;
}

void compare_join_alike(struct comparison *all)
{
    for (size_t i = 0; i < all->sorts_len; i++) {
        struct compare_sort *sort = &all->sorts[i];
        if (sort->count > COMPARE_ALIKE_MAX)
            cJSON_AddItemToArray(all->differences, joined(sort));
        else
            while (sort->rows->child)
                cJSON_AddItemToArray(all->differences, cJSON_DetachItemFromArray(sort->rows, 0));
        cJSON_Delete(sort->rows);
        cJSON_Delete(sort->members);
    }
    free(all->sorts);
    all->sorts = NULL;
}
