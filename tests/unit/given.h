/* For tests of readers: a text as the one source of a target, read by whichever reader takes it. */
#ifndef DEBRIEF_TESTS_GIVEN_H
#define DEBRIEF_TESTS_GIVEN_H

#include "evidence/evidence.h"
#include "evidence/identity.h"
#include "read/read.h"
#include "read/scan.h"
#include "source/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct given {
    char path[64];
    struct sources sources;
    struct evidence *evidence;
    struct scan *scan;
};

#define GIVEN_EVENT "event.given.said" /* every text that is scanned, as an event */

static void given_write(struct given *given, const char *text, size_t len)
{
    snprintf(given->path, sizeof given->path, "/tmp/debrief-given-XXXXXX");
    int fd = mkstemp(given->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
}

static void given_bytes(struct given *given, const char *name, const char *text, size_t len)
{
    static const struct scan_pattern pattern = {.event = GIVEN_EVENT, .pattern = "[a-zA-Z]+"};
    memset(given, 0, sizeof *given);
    given_write(given, text, len);
    sources_init(&given->sources);
    struct source *source = sources_add(&given->sources, name);
    source->path = given->path;
    source->size = len;
    source->complete = true;
    given->evidence = evidence_new(&given->sources, NULL);
    evidence_declare(given->evidence, GIVEN_EVENT);
    given->scan = scan_new(&pattern, 1, given->evidence, NULL, NULL);
    read_all(given->evidence, given->scan);
    evidence_finish(given->evidence);
    identity_find(given->evidence);
}

static inline void given_text(struct given *given, const char *name, const char *text)
{
    given_bytes(given, name, text, strlen(text));
}

static inline void given_release(struct given *given)
{
    scan_free(given->scan);
    evidence_free(given->evidence);
    sources_release(&given->sources);
    unlink(given->path);
}

static inline const char *given_kind(const struct given *given)
{
    return given->sources.items[0].kind;
}

static inline const char *given_problem(const struct given *given)
{
    const struct source_problem *problem = given->sources.items[0].problems;
    return problem ? problem->text : NULL;
}

/* Record N of NAME, from 0. */
static inline const struct record *given_record(const struct given *given, const char *name, int n)
{
    const struct record *record = evidence_next(given->evidence, name, NULL);
    while (record && n--)
        record = evidence_next(given->evidence, name, record);
    return record;
}

/* Field of record N of NAME; "(none)" where nothing is known, so that a failure shows it. */
static inline const char *given_field(const struct given *given, const char *name, int n,
                                      const char *field)
{
    static char number[4][32];
    static int turn;
    const struct record *record = given_record(given, name, n);
    turn = (turn + 1) % 4;
    const char *text = record ? record_text(record, field, number[turn]) : NULL;
    return text ? text : "(none)";
}

static inline uint64_t given_count(const struct given *given, const char *name)
{
    return evidence_count(given->evidence, name);
}

#endif
