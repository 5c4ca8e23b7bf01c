/* Stage: evidence. All names of evidence, in order, out of the parts that stand in files by kind
 * (dictionary_*.c); docs/evidence.md is generated from them. Patterns of the log events stand in
 * read/log_events.c; their named groups are listed here as columns, and a test compares the two. */
#include "evidence/dictionary.h"
#include "base/alloc.h"
#include "evidence/dictionary_parts.h"
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 256 };

static const struct dictionary_part *const parts[] = {
    &dictionary_proxy,      &dictionary_xds, &dictionary_log,  &dictionary_containers,
    &dictionary_kubernetes, &dictionary_aws, &dictionary_host,
};

static int by_name(const void *a, const void *b)
{
    const struct dictionary_row *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static size_t gather(const struct dictionary_row **rows)
{
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        for (size_t j = 0; j < parts[i]->len; j++) {
            if (len == ROWS_MAX)
                BUG("more than %d names of evidence", ROWS_MAX);
            rows[len++] = &parts[i]->rows[j];
        }
    qsort(rows, len, sizeof *rows, by_name);
    return len;
}

const struct dictionary_row *const *dictionary_rows(size_t *len)
{
    static const struct dictionary_row *rows[ROWS_MAX]; /* made once: the parts do not change */
    static size_t rows_len;
    if (!rows_len)
        rows_len = gather(rows);
    *len = rows_len;
    return rows;
}

const struct dictionary_row *dictionary_find(const char *name)
{
    size_t low = 0, high;
    const struct dictionary_row *const *rows = dictionary_rows(&high);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, rows[middle]->name);
        if (order == 0)
            return rows[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
