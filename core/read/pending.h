/* Records that wait for something which stands around them and is known only later: the name of the
 * listener whose filter chains were read, of the cluster whose hosts were. */
#ifndef DEBRIEF_READ_PENDING_H
#define DEBRIEF_READ_PENDING_H

#include "base/arena.h"
#include "read/read.h"

enum { PENDING_CELLS_MAX = 24 };

struct pending_row {
    const char *pointer;
    uint64_t line; /* not 0: the place, instead of the pointer */
    struct {
        const char *column, *value; /* column is borrowed, value copied */
    } cells[PENDING_CELLS_MAX];
    int len;
};

struct pending {
    const char *table; /* evidence name */
    struct arena *arena;
    struct pending_row *rows;
    size_t len, cap;
    uint64_t dropped; /* more than a table may hold */
};

void pending_init(struct pending *pending, const char *table);
void pending_release(struct pending *pending);

/* NULL when there are too many; the row is valid until the next one is added. */
struct pending_row *pending_add(struct pending *pending, const char *pointer);
void pending_set(struct pending *pending, struct pending_row *row, const char *column,
                 const char *value); /* NULL is ignored; a second value replaces the first */
/* The same for all rows from FROM on. */
void pending_set_from(struct pending *pending, size_t from, const char *column, const char *value);

/* The same, of those that have no value in COLUMN. */
void pending_default_from(struct pending *pending, size_t from, const char *column,
                          const char *value);

void pending_clear(struct pending *pending); /* nobody wants what waits */

/* Makes records of all rows when somebody wants those with KEY, and forgets them. */
void pending_flush(struct pending *pending, struct reading *reading, const char *key);

#endif
