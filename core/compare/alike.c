/* Stage: compare. Sixty clusters that differ in the same way are one difference: those of one sort (the
 * same thing, column and change) become one with their names. Reads and writes the list of differences. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "compare/compare.h"
#include <stdlib.h>
#include <string.h>

struct item {
    cJSON *row;
    const char *parts[4]; /* what the sort is known by */
    size_t place;         /* before sorting */
};

static const char *part(const cJSON *row, const char *member)
{
    const char *text = json_str(row, member);
    return text ? text : "";
}

static int by_sort(const void *a, const void *b)
{
    const struct item *left = a, *right = b;
    for (size_t i = 0; i < ARRAY_LEN(left->parts); i++) {
        int order = strcmp(left->parts[i], right->parts[i]);
        if (order)
            return order;
    }
    return left->place < right->place ? -1 : left->place > right->place;
}

static bool same_sort(const struct item *a, const struct item *b)
{
    for (size_t i = 0; i < ARRAY_LEN(a->parts); i++)
        if (strcmp(a->parts[i], b->parts[i]) != 0)
            return false;
    return true;
}

static bool same_values(const cJSON *a, const cJSON *b)
{
    return str_equal(json_str(a, "a.value"), json_str(b, "a.value")) &&
           str_equal(json_str(a, "b.value"), json_str(b, "b.value"));
}

/* The first one stands for all, with their names; whether its values are everybody's is said. */
static void join(struct item *items, size_t len)
{
    cJSON *row = items[0].row;
    bool alike = true;
    cJSON *members = json_put_array(row, "members");
    json_put_num(row, "count", (double)len);
    for (size_t i = 0; i < len; i++) {
        if (i < COMPARE_MEMBERS_MAX)
            cJSON_AddItemToArray(members, cJSON_CreateString(part(items[i].row, "name")));
        alike &= same_values(row, items[i].row);
        if (i)
            cJSON_Delete(items[i].row);
    }
    json_put_bool(row, "alike", alike);
}

void compare_join_alike(struct comparison *all)
{
    size_t len = (size_t)cJSON_GetArraySize(all->differences), end;
    struct item *items = xcalloc(len + 1, sizeof *items);
    for (size_t i = 0; i < len; i++) {
        cJSON *row = cJSON_DetachItemFromArray(all->differences, 0);
        items[i] = (struct item){.row = row,
                                 .place = i,
                                 .parts = {part(row, "what"), part(row, "column"),
                                           part(row, "change"), part(row, "why")}};
    }
    qsort(items, len, sizeof *items, by_sort);
    for (size_t i = 0; i < len; i = end) {
        for (end = i + 1; end < len && same_sort(&items[i], &items[end]);)
            end++;
        bool many = end - i > COMPARE_ALIKE_MAX;
        if (many)
            join(&items[i], end - i);
        for (size_t j = i; j < (many ? i + 1 : end); j++)
            cJSON_AddItemToArray(all->differences, items[j].row);
    }
    free(items);
}
