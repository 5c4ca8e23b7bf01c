/* Stage: read. Rows that wait for their parent's name. Elements of a split document come from the
 * inside out, and whether anybody wants a row may hang on the name of what is around it. */
#include "read/pending.h"
#include "base/alloc.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void pending_init(struct pending *pending, const char *table)
{
    *pending = (struct pending){.table = table, .arena = arena_new()};
}

void pending_release(struct pending *pending)
{
    arena_free(pending->arena);
    free(pending->rows);
    *pending = (struct pending){0};
}

struct pending_row *pending_add(struct pending *pending, const char *pointer)
{
    if (pending->len == EVIDENCE_ROWS_MAX) {
        pending->dropped++;
        return NULL;
    }
    if (pending->len == pending->cap) {
        pending->cap = pending->cap ? pending->cap * 2 : 32;
        pending->rows = xrealloc(pending->rows, pending->cap * sizeof *pending->rows);
    }
    struct pending_row *row = &pending->rows[pending->len++];
    *row = (struct pending_row){.pointer = arena_strdup(pending->arena, pointer)};
    return row;
}

static void set(struct pending_row *row, const char *column, const char *value)
{
    for (int i = 0; i < row->len; i++)
        if (strcmp(row->cells[i].column, column) == 0) {
            row->cells[i].value = value;
            return;
        }
    if (row->len == PENDING_CELLS_MAX)
        BUG("more than %d cells wait", PENDING_CELLS_MAX);
    row->cells[row->len].column = column;
    row->cells[row->len++].value = value;
}

void pending_set(struct pending *pending, struct pending_row *row, const char *column,
                 const char *value)
{
    if (value)
        set(row, column, arena_strdup(pending->arena, value));
}

void pending_set_from(struct pending *pending, size_t from, const char *column, const char *value)
{
    if (!value)
        return;
    value = arena_strdup(pending->arena, value);
    for (size_t i = from; i < pending->len; i++)
        set(&pending->rows[i], column, value);
}

void pending_default_from(struct pending *pending, size_t from, const char *column,
                          const char *value)
{
    if (!value)
        return;
    value = arena_strdup(pending->arena, value);
    for (size_t i = from; i < pending->len; i++) {
        const struct pending_row *row = &pending->rows[i];
        bool has = false;
        for (int j = 0; j < row->len; j++)
            has = has || strcmp(row->cells[j].column, column) == 0;
        if (!has)
            set(&pending->rows[i], column, value);
    }
}

void pending_clear(struct pending *pending)
{
    if (!pending->len)
        return;
    pending->len = 0;
    pending->dropped = 0;
    arena_free(pending->arena);
    pending->arena = arena_new();
}

static void make_record(const struct pending *pending, struct reading *reading,
                        const struct pending_row *row)
{
    struct record *record = row->line
                                ? evidence_add(reading->evidence, pending->table, reading->source)
                                : reading_add(reading, pending->table, row->pointer);
    if (record)
        record->line = row->line;
    for (int i = 0; record && i < row->len; i++)
        evidence_set(reading->evidence, record, row->cells[i].column, row->cells[i].value);
}

void pending_flush(struct pending *pending, struct reading *reading, const char *key)
{
    bool wanted = evidence_wants(reading->evidence, pending->table, key);
    for (size_t i = 0; wanted && i < pending->len; i++)
        make_record(pending, reading, &pending->rows[i]);
    if (wanted && pending->dropped)
        reading_partial(reading, "%" PRIu64 " records of %s were left out (limit %d)",
                        pending->dropped, pending->table, EVIDENCE_ROWS_MAX);
    pending_clear(pending);
}
