/* Stage: evidence. One table: its columns, its records, which keys of it somebody wants, and an index
 * by key. Reads and writes memory only; what a name means and when a table is complete is decided in
 * evidence.c. */
#include "evidence/table.h"
#include "base/alloc.h"
#include "base/str.h"
#include "evidence/index.h"
#include <stdlib.h>
#include <string.h>

/* ---- columns ---- */

static unsigned short *column_slot(const struct evidence_table *table, const char *column)
{
    size_t mask = table->column_slots_cap - 1, at = table_hash(column) & mask;
    while (table->column_slots[at] &&
           strcmp(table->columns[table->column_slots[at] - 1], column) != 0)
        at = (at + 1) & mask;
    return &table->column_slots[at];
}

static void index_columns(struct evidence_table *table, struct arena *arena)
{
    table->column_slots_cap = 8;
    while (table->column_slots_cap < 2 * table->columns_len)
        table->column_slots_cap *= 2;
    table->column_slots = arena_alloc(arena, table->column_slots_cap * sizeof(unsigned short));
    for (size_t i = 0; i < table->columns_len; i++)
        *column_slot(table, table->columns[i]) = (unsigned short)(i + 1);
}

int table_column(const struct evidence_table *table, const char *column)
{
    return *column_slot(table, column) - 1;
}

void table_add_column(struct evidence_table *table, struct arena *arena, const char *column)
{
    if (table_column(table, column) >= 0)
        return;
    const char **columns = arena_alloc(arena, (table->columns_len + 2) * sizeof *columns);
    memcpy(columns, table->columns, table->columns_len * sizeof *columns);
    columns[table->columns_len++] = arena_strdup(arena, column);
    table->columns = columns;
    index_columns(table, arena);
}

/* ---- the table ---- */

struct evidence_table *table_new(struct arena *arena, const char *name,
                                 const struct dictionary_column *columns, const char *key)
{
    struct evidence_table *table = arena_alloc(arena, sizeof *table);
    table->name = arena_strdup(arena, name);
    table->key = -1;
    for (size_t i = 0; columns[i].name; i++)
        table->columns_len++;
    table->columns = arena_alloc(arena, (table->columns_len + 1) * sizeof *table->columns);
    for (size_t i = 0; i < table->columns_len; i++)
        table->columns[i] = columns[i].name;
    index_columns(table, arena);
    if (key)
        table->key = table_column(table, key);
    return table;
}

void table_release(struct evidence_table *table)
{
    free(table->records);
    free(table->globs);
    free(table->by_key);
    for (size_t i = 0; i < table->indexes_len; i++)
        index_free(table->indexes[i]);
}

static void add_glob(struct evidence_table *table, const char *text)
{
    struct table_glob *globs = xrealloc(table->globs,
                                        (table->globs_len + 1) * sizeof *table->globs);
    struct table_glob *glob = &globs[table->globs_len++];
    const char *last = strrchr(text, '*'), *one = strrchr(text, '?');
    if (one && (!last || one > last))
        last = one;
    glob->glob = text;
    glob->prefix_len = strcspn(text, "*?");
    glob->suffix = last ? last + 1 : text + strlen(text);
    glob->suffix_len = strlen(glob->suffix);
    table->globs = globs;
}

void table_unwant(struct evidence_table *table)
{
    table->wanted = false;
    table->globs_len = 0;
}

void table_want(struct evidence_table *table, struct arena *arena, const struct need_set *needs)
{
    if (!needs) {
        table->wanted = true;
        return;
    }
    bool any_key = false;
    for (size_t i = 0; i < needs->len; i++) {
        const struct need_term *term = &needs->terms[i];
        if (strcmp(term->name, table->name) != 0)
            continue;
        const char *glob = need_term_key(term);
        table->wanted = true;
        if (glob)
            add_glob(table, arena_strdup(arena, glob));
        else
            any_key = true;
    }
    if (any_key)
        table->globs_len = 0;
}

static bool glob_matches(const struct table_glob *glob, const char *text, size_t len)
{
    if (len < glob->suffix_len ||
        memcmp(text + len - glob->suffix_len, glob->suffix, glob->suffix_len) != 0)
        return false;
    return strncmp(text, glob->glob, glob->prefix_len) == 0 && str_glob(glob->glob, text);
}

bool table_wants(const struct evidence_table *table, const char *key)
{
    if (!table->wanted || !key || !table->globs_len)
        return table->wanted;
    size_t len = strlen(key);
    for (size_t i = 0; i < table->globs_len; i++)
        if (glob_matches(&table->globs[i], key, len))
            return true;
    return false;
}

struct record *table_add(struct evidence_table *table, struct arena *arena)
{
    if (table->len == EVIDENCE_ROWS_MAX) {
        table->dropped++;
        return NULL;
    }
    if (table->len == table->cap) {
        table->cap = table->cap ? table->cap * 2 : 16;
        table->records = xrealloc(table->records, table->cap * sizeof *table->records);
    }
    struct table_record *entry = arena_alloc(arena, sizeof *entry);
    entry->index = table->len;
    entry->cells_len = table->columns_len;
    entry->record.table = table;
    entry->record.cells = arena_alloc(arena, table->columns_len * sizeof *entry->record.cells);
    table->records[table->len++] = entry;
    return &entry->record;
}

void table_set(struct arena *arena, struct record *record, size_t column, const char *value)
{
    struct table_record *entry = (struct table_record *)record;
    if (column >= entry->cells_len) {
        const char **cells = arena_alloc(arena, record->table->columns_len * sizeof *cells);
        memcpy(cells, record->cells, entry->cells_len * sizeof *cells);
        record->cells = cells;
        entry->cells_len = record->table->columns_len;
    }
    record->cells[column] = value;
}

size_t table_hash(const char *text)
{
    uint64_t value = UINT64_C(14695981039346656037);
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (size_t)(value ^ value >> 29);
}

static const char *key_of(const struct evidence_table *table, const struct table_record *entry)
{
    return entry->record.cells[table->key];
}

/* The slot that holds KEY, or the empty one where it belongs. */
static struct table_record **slot_of(struct evidence_table *table, const char *key)
{
    size_t at = table_hash(key) & (table->by_key_cap - 1);
    while (table->by_key[at] && strcmp(key_of(table, table->by_key[at]), key) != 0)
        at = (at + 1) & (table->by_key_cap - 1);
    return &table->by_key[at];
}

static void index_more(struct evidence_table *table)
{
    if (table->len * 2 > table->by_key_cap) {
        free(table->by_key);
        table->by_key_cap = table->by_key_cap ? table->by_key_cap : 64;
        while (table->len * 2 > table->by_key_cap)
            table->by_key_cap *= 4;
        table->by_key = xcalloc(table->by_key_cap, sizeof(struct table_record *));
        table->by_key_len = 0;
    }
    for (; table->by_key_len < table->len; table->by_key_len++) {
        struct table_record *entry = table->records[table->by_key_len];
        const char *key = key_of(table, entry);
        struct table_record **slot = key ? slot_of(table, key) : NULL;
        if (slot && !*slot)
            *slot = entry;
    }
}

struct record *table_find(struct evidence_table *table, const char *key)
{
    if (table->key < 0 || !table->len)
        return NULL;
    index_more(table);
    struct table_record *entry = *slot_of(table, key);
    return entry ? &entry->record : NULL;
}

const struct record *table_next_with(struct evidence_table *table, const char *field,
                                     const char *value, const struct record *after)
{
    for (size_t i = 0; i < table->indexes_len; i++)
        if (index_is_of(table->indexes[i], table, field))
            return index_next(table->indexes[i], table, value, after);
    size_t at = table->indexes_len;
    if (at < TABLE_INDEXES_MAX)
        table->indexes_len++;
    else
        index_free(table->indexes[at = table->oldest_index++ % TABLE_INDEXES_MAX]);
    table->indexes[at] = index_new(table, field);
    return index_next(table->indexes[at], table, value, after);
}

struct timed {
    int64_t time;
    struct table_record *entry;
};

static int compare_timed(const void *left, const void *right)
{
    const struct timed *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->entry->index < b->entry->index ? -1 : 1;
}

void table_sort_by_time(struct evidence_table *table)
{
    if (!table->len)
        return;
    struct timed *order = xcalloc(table->len, sizeof *order);
    int64_t last = 0;
    for (size_t i = 0; i < table->len; i++) {
        if (table->records[i]->record.time)
            last = table->records[i]->record.time;
        order[i] = (struct timed){last, table->records[i]};
    }
    qsort(order, table->len, sizeof *order, compare_timed);
    for (size_t i = 0; i < table->len; i++) {
        table->records[i] = order[i].entry;
        table->records[i]->index = i;
    }
    free(order);
}
