/* Stage: read. Compiles the patterns of all checks and of the log reader into one libhs database.
 * Reads patterns and the user's cache, writes the cache. Deliberately refuses a bad pattern
 * by itself: one that libhs cannot take would otherwise spoil the database for everybody. */
#include "read/scan_db.h"
#include "base/alloc.h"
#include "read/scan_cache.h"
#include <hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_MAX = 512 };

static unsigned regex_flags_of(const struct scan_db_row *row)
{
    return REGEX_MULTILINE | (row->flags & HS_FLAG_CASELESS ? REGEX_CASELESS : 0);
}

static unsigned hs_flags_of(const struct scan_db_row *row)
{
    return row->flags | HS_FLAG_MULTILINE;
}

/* ---- refusals ---- */

static void refuse(struct scan_db *db, size_t row, const char *why)
{
    if (!db->refused[row])
        db->refused[row] = xasprintf("pattern '%s': %s", db->rows[row].pattern, why);
}

static void check_regexes(struct scan_db *db, size_t row)
{
    const char *const parts[] = {db->rows[row].pattern, db->rows[row].fields};
    for (size_t i = 0; i < ARRAY_LEN(parts) && parts[i]; i++) {
        struct err err = ERR_INIT;
        struct regex *regex = regex_new(parts[i], regex_flags_of(&db->rows[row]), &err);
        if (!regex && !db->refused[row])
            db->refused[row] = xstrdup(err.text);
        regex_free(regex);
    }
}

static void check_alone(struct scan_db *db, size_t row)
{
    hs_database_t *alone = NULL;
    hs_compile_error_t *error = NULL;
    const struct scan_db_row *at = &db->rows[row];
    if (hs_compile(at->pattern, hs_flags_of(at), HS_MODE_BLOCK, NULL, &alone, &error) !=
        HS_SUCCESS) {
        refuse(db, row, error->message);
        hs_free_compile_error(error);
    }
    hs_free_database(alone);
}

/* ---- compiling ---- */

struct set { /* the rows that were not refused, as libhs wants them */
    const char **patterns;
    unsigned *flags, *ids, len;
};

static void set_fill(struct set *set, const struct scan_db *db)
{
    set->patterns = xcalloc(db->len + 1, sizeof *set->patterns);
    set->flags = xcalloc(db->len + 1, sizeof *set->flags);
    set->ids = xcalloc(db->len + 1, sizeof *set->ids);
    set->len = 0;
    for (size_t i = 0; i < db->len; i++) {
        if (db->refused[i])
            continue;
        set->patterns[set->len] = db->rows[i].pattern;
        set->flags[set->len] = hs_flags_of(&db->rows[i]);
        set->ids[set->len++] = (unsigned)i;
    }
}

static void set_release(struct set *set)
{
    free(set->patterns);
    free(set->flags);
    free(set->ids);
}

/* True when there is a database, or nothing to make one of. Else *culprit is the row that libhs names, or
 * -1 when all it says is that the whole is too much. */
static bool compile_once(struct scan_db *db, long *culprit, char **why)
{
    struct set set;
    hs_compile_error_t *error = NULL;
    set_fill(&set, db);
    bool done = !set.len || hs_compile_multi(set.patterns, set.flags, set.ids, set.len,
                                             HS_MODE_BLOCK, NULL, &db->hs, &error) == HS_SUCCESS;
    if (!done) {
        bool named = error->expression >= 0 && (unsigned)error->expression < set.len;
        db->hs = NULL;
        *culprit = named ? (long)set.ids[error->expression] : -1;
        *why = xstrdup(error->message);
        hs_free_compile_error(error);
    }
    set_release(&set);
    return done;
}

/* Each round refuses something. Compiling all of them alone first would find the same, and take five
 * times as long. */
static void compile(struct scan_db *db)
{
    bool alone = false;
    long culprit;
    char *why;
    for (size_t i = 0; i < db->len; i++)
        check_regexes(db, i);
    while (!compile_once(db, &culprit, &why)) {
        for (size_t i = 0; i < db->len && culprit < 0; i++) {
            if (alone)
                refuse(db, i, why);
            else if (!db->refused[i])
                check_alone(db, i);
        }
        alone |= culprit < 0;
        if (culprit >= 0)
            refuse(db, (size_t)culprit, why);
        free(why);
    }
}

/* ---- the cache: refusals, then the serialised database ---- */

static void key_of(const struct scan_db *db, char key[SCAN_CACHE_KEY])
{
    size_t len = 0;
    hs_platform_info_t platform = {0};
    struct scan_cache_part *parts = xcalloc(2 + 3 * db->len, sizeof *parts);
    hs_populate_platform(&platform);
    parts[len++] = (struct scan_cache_part){hs_version(), strlen(hs_version())};
    parts[len++] = (struct scan_cache_part){&platform, sizeof platform};
    for (size_t i = 0; i < db->len; i++) {
        const struct scan_db_row *row = &db->rows[i];
        parts[len++] = (struct scan_cache_part){row->pattern, strlen(row->pattern)};
        parts[len++] = (struct scan_cache_part){row->fields, row->fields ? strlen(row->fields) : 0};
        parts[len++] = (struct scan_cache_part){&row->flags, sizeof row->flags};
    }
    scan_cache_digest(parts, len, key);
    free(parts);
}

static void store(const struct scan_db *db, const char *key)
{
    char *bytes = NULL;
    size_t len = 0;
    struct buf out;
    if (!db->hs || hs_serialize_database(db->hs, &bytes, &len) != HS_SUCCESS)
        return;
    buf_init(&out, SCAN_CACHE_FILE_MAX);
    for (size_t i = 0; i < db->len; i++)
        buf_add(&out, db->refused[i] ? db->refused[i] : "",
                (db->refused[i] ? strlen(db->refused[i]) : 0) + 1);
    buf_add(&out, bytes, len);
    if (!out.overflow)
        scan_cache_store(key, out.data, out.len);
    buf_release(&out);
    free(bytes);
}

static bool load_refusals(struct scan_db *db, const char **at, const char *end)
{
    for (size_t i = 0; i < db->len; i++) {
        const char *stop = memchr(*at, '\0', (size_t)(end - *at));
        if (!stop || stop - *at > WHY_MAX * 8)
            return false;
        if (stop > *at)
            db->refused[i] = xstrdup(*at);
        *at = stop + 1;
    }
    return true;
}

static void forget_refusals(struct scan_db *db)
{
    for (size_t i = 0; i < db->len; i++) {
        free(db->refused[i]);
        db->refused[i] = NULL;
    }
}

static bool load(struct scan_db *db, const char *key)
{
    struct buf stored;
    buf_init(&stored, SCAN_CACHE_FILE_MAX);
    bool loaded = scan_cache_load(key, &stored);
    const char *at = stored.data, *end = stored.data + stored.len;
    loaded = loaded && load_refusals(db, &at, end) &&
             hs_deserialize_database(at, (size_t)(end - at), &db->hs) == HS_SUCCESS;
    if (!loaded) {
        db->hs = NULL;
        forget_refusals(db);
    }
    buf_release(&stored);
    return loaded;
}

/* ---- opening and closing ---- */

void scan_db_open(struct scan_db *db, const struct scan_db_row *rows, size_t len)
{
    char key[SCAN_CACHE_KEY];
    *db = (struct scan_db){.rows = rows, .len = len};
    db->refused = xcalloc(len + 1, sizeof *db->refused);
    db->patterns = xcalloc(len + 1, sizeof *db->patterns);
    db->fields = xcalloc(len + 1, sizeof *db->fields);
    key_of(db, key);
    if (!load(db, key)) {
        compile(db);
        store(db, key);
    }
    if (db->hs && hs_alloc_scratch(db->hs, &db->scratch) != HS_SUCCESS)
        BUG("no scratch space for the pattern database");
}

void scan_db_close(struct scan_db *db)
{
    for (size_t i = 0; i < db->len; i++) {
        regex_free(db->patterns[i]);
        regex_free(db->fields[i]);
    }
    forget_refusals(db);
    free(db->refused);
    free(db->patterns);
    free(db->fields);
    hs_free_scratch(db->scratch);
    hs_free_database(db->hs);
    *db = (struct scan_db){.rows = NULL};
}

static const struct regex *compiled(const struct scan_db_row *row, const char *pattern,
                                    struct regex **slot)
{
    struct err err = ERR_INIT;
    if (!*slot && pattern)
        *slot = regex_new(pattern, regex_flags_of(row), &err);
    if (pattern && !*slot)
        BUG("a pattern in use does not compile: %s", err.text);
    return *slot;
}

const struct regex *scan_db_pattern(struct scan_db *db, size_t row)
{
    return compiled(&db->rows[row], db->rows[row].pattern, &db->patterns[row]);
}

const struct regex *scan_db_fields(struct scan_db *db, size_t row)
{
    return compiled(&db->rows[row], db->rows[row].fields, &db->fields[row]);
}
