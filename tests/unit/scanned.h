/* For tests of the log engine: a text as the one source of a target, read by the log reader with the
 * built-in patterns, or with patterns of the test's own. */
#ifndef DEBRIEF_TESTS_SCANNED_H
#define DEBRIEF_TESTS_SCANNED_H

#include "base/clock.h"
#include "evidence/evidence.h"
#include "read/peek.h"
#include "read/readers.h"
#include "read/scan_run.h"
#include "source/source.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct scanned {
    char path[64];
    struct sources sources;
    struct evidence *evidence;
    struct scan *scan;
    int score; /* as the log reader recognised it */
    char refused[512];
};

static inline void scanned_refused(void *user, const char *event, const char *why)
{
    struct scanned *scanned = user;
    size_t len = strlen(scanned->refused);
    snprintf(scanned->refused + len, sizeof scanned->refused - len, "%s: %s\n", event, why);
}

/* PATTERNS NULL: the built-in ones. WINDOW 0: as usual. COMPLETE: collecting reached the end. */
static inline void scanned_with(struct scanned *scanned, const struct scan_pattern *patterns,
                                size_t patterns_len, const char *text, size_t len, size_t window,
                                bool complete)
{
    memset(scanned, 0, sizeof *scanned);
    snprintf(scanned->path, sizeof scanned->path, "/tmp/debrief-scanned-XXXXXX");
    int fd = mkstemp(scanned->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    sources_init(&scanned->sources);
    struct source *source = sources_add(&scanned->sources, "log/test.log");
    source->path = scanned->path;
    scanned->evidence = evidence_new(&scanned->sources, NULL);
    if (!patterns)
        patterns = scan_builtin(&patterns_len);
    scanned->scan = scan_new(patterns, patterns_len, scanned->evidence, scanned_refused, scanned);
    if (window)
        scanned->scan->window = window;
    struct reading reading = {.source = source,
                              .sources = &scanned->sources,
                              .evidence = scanned->evidence,
                              .scan = scanned->scan,
                              .complete = complete};
    struct err err = ERR_INIT;
    struct arena *arena = arena_new();
    struct peek peek;
    size_t peek_len;
    bool whole;
    reading.stream = stream_open(source->path, &err);
    assert_non_null(reading.stream);
    const char *peeked = stream_peek(reading.stream, &peek_len, &whole);
    peek_init(&peek, arena, source->name, peeked, peek_len, whole);
    reading.peek = &peek;
    scanned->score = read_log.recognise(&peek);
    read_log.read(&reading);
    stream_close(reading.stream);
    arena_free(arena);
    evidence_finish(scanned->evidence);
}

static inline void scanned_text(struct scanned *scanned, const char *text)
{
    scanned_with(scanned, NULL, 0, text, strlen(text), 0, true);
}

static inline void scanned_release(struct scanned *scanned)
{
    scan_free(scanned->scan);
    evidence_free(scanned->evidence);
    sources_release(&scanned->sources);
    unlink(scanned->path);
}

static inline const char *scanned_kind(const struct scanned *scanned)
{
    return scanned->sources.items[0].kind;
}

/* Record N of NAME, from 0; NULL when there are not so many. */
static inline const struct record *scanned_record(const struct scanned *scanned, const char *name,
                                                  size_t n)
{
    const struct record *record = evidence_next(scanned->evidence, name, NULL);
    for (; record && n; n--)
        record = evidence_next(scanned->evidence, name, record);
    return record;
}

/* A field of record N; "(none)" where nothing is known, so that a failure shows it. */
static inline const char *scanned_field(const struct scanned *scanned, const char *name, size_t n,
                                        const char *field)
{
    static char number[4][32];
    static int turn;
    const struct record *record = scanned_record(scanned, name, n);
    turn = (turn + 1) % 4;
    const char *text = record ? record_text(record, field, number[turn]) : NULL;
    return text ? text : "(none)";
}

static inline uint64_t scanned_count(const struct scanned *scanned, const char *name)
{
    return evidence_count(scanned->evidence, name);
}

#endif
