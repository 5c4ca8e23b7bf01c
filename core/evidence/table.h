/* One table of evidence: the records of one dotted name. Inside of core/evidence only; everybody else
 * goes through evidence.h. */
#ifndef DEBRIEF_EVIDENCE_TABLE_H
#define DEBRIEF_EVIDENCE_TABLE_H

#include "evidence/evidence.h"

enum { TABLE_INDEXES_MAX = 8 };

struct table_record {
    struct record record; /* first, so that a record leads back to its entry */
    size_t index;         /* place in the table */
    size_t cells_len;     /* columns may be added after the record was made */
};

struct table_glob { /* a glob with its literal ends, for a quick no */
    const char *glob;
    size_t prefix_len, suffix_len;
    const char *suffix;
};

struct evidence_table {
    const char *name;
    const char **columns; /* NULL-terminated */
    size_t columns_len;
    unsigned short *column_slots; /* 1 + column, by name, open addressing; at most half full */
    size_t column_slots_cap;
    int key; /* index of the key column, -1: none */

    bool wanted;              /* somebody wants records of this table */
    struct table_glob *globs; /* of these keys only; none: of any key */
    size_t globs_len;

    struct table_record **records;
    size_t len, cap;
    uint64_t dropped; /* over EVIDENCE_ROWS_MAX */
    uint64_t seen;    /* as counted by a reader, 0: not counted */
    bool supplied, partial;

    struct table_record **by_key; /* open addressing, built on demand */
    size_t by_key_cap, by_key_len;

    struct index *indexes[TABLE_INDEXES_MAX]; /* by other fields, once the table is complete */
    size_t indexes_len, oldest_index;
};

struct evidence_table *table_new(struct arena *arena, const char *name,
                                 const struct dictionary_column *columns, const char *key);
void table_release(struct evidence_table *table); /* what is not in the arena */

/* Nobody wants anything of it any more. */
void table_unwant(struct evidence_table *table);
/* Takes the needs into account that name this table; NULL: all records are wanted. */
void table_want(struct evidence_table *table, struct arena *arena, const struct need_set *needs);
bool table_wants(const struct evidence_table *table, const char *key);

int table_column(const struct evidence_table *table, const char *column); /* -1: unknown */
void table_add_column(struct evidence_table *table, struct arena *arena, const char *column);

/* NULL when the table is full. */
struct record *table_add(struct evidence_table *table, struct arena *arena);
void table_set(struct arena *arena, struct record *record, size_t column, const char *value);
struct record *table_find(struct evidence_table *table, const char *key);
const struct record *table_next_with(struct evidence_table *table, const char *field,
                                     const char *value, const struct record *after);
void table_sort_by_time(struct evidence_table *table);

size_t table_hash(const char *text);

#endif
