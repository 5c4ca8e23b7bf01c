/* The compiled patterns: one libhs database for all of them, kept in the user's cache, and one PCRE2
 * expression for each that is asked for its fields. */
#ifndef DEBRIEF_READ_SCAN_DB_H
#define DEBRIEF_READ_SCAN_DB_H

#include "base/regex.h"
#include <stdbool.h>
#include <stddef.h>

struct hs_database; /* <hs.h> */
struct hs_scratch;

struct scan_db_row {
    const char *pattern, *fields; /* borrowed; fields may be NULL */
    unsigned flags;               /* HS_FLAG_... besides HS_FLAG_MULTILINE */
};

struct scan_db {
    const struct scan_db_row *rows;
    size_t len;
    char **refused;         /* per row: why libhs or PCRE2 does not take it; NULL: it does */
    struct hs_database *hs; /* ids are row numbers; NULL: nothing to look for */
    struct hs_scratch *scratch;
    struct regex **patterns, **fields; /* per row, compiled when first asked for */
};

/* Loads the database from the cache, or compiles all rows that libhs and PCRE2 take. */
void scan_db_open(struct scan_db *db, const struct scan_db_row *rows, size_t len);
void scan_db_close(struct scan_db *db);

const struct regex *scan_db_pattern(struct scan_db *db, size_t row);
const struct regex *scan_db_fields(struct scan_db *db, size_t row); /* NULL: the row has none */

#endif
