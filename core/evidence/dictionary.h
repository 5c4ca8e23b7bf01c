/* The dictionary of evidence: every dotted name that a check may need, what its records hold, which
 * sources supply it and how a user gets them. One table, from which docs/evidence.md, skip reasons and
 * `debrief lint` come, so they cannot drift apart. */
#ifndef DEBRIEF_EVIDENCE_DICTIONARY_H
#define DEBRIEF_EVIDENCE_DICTIONARY_H

#include <stddef.h>

#define DICTIONARY_COLUMNS_MAX 28

struct dictionary_column {
    const char *name;
    const char *meaning; /* with unit and example values */
};

struct dictionary_row {
    const char *name;    /* "xds.resources" */
    const char *meaning; /* one sentence */
    const char *sources; /* "admin/config_dump.json" : which sources supply it, comma separated */
    const char *how;     /* what a user does to supply it, as a sentence with a command */
    const char *key;     /* column that needs are filtered by while reading; NULL: none */
    struct dictionary_column columns[DICTIONARY_COLUMNS_MAX]; /* ends at a NULL name */
};

/* All rows, sorted by name. `log.*` rows gain the fields of their pattern when they are read. */
const struct dictionary_row *const *dictionary_rows(size_t *len);
const struct dictionary_row *
dictionary_find(const char *name); /* NULL when there is no such name */

/* The columns that every log event has, NULL-named at the end. */
const struct dictionary_column *dictionary_event_columns(void);

#endif
