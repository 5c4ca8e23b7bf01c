/* The store: states, caps, columns, order of events, keys, texts made clean. */
#include "base/json.h"
#include "evidence/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct sources sources;
    struct source *source;
    struct arena *arena;
    struct need_set needs;
    struct evidence *evidence;
};

static struct fixture *make(const char *const *needs)
{
    struct fixture *f = calloc(1, sizeof *f);
    sources_init(&f->sources);
    f->source = sources_add(&f->sources, "a/b.txt");
    f->arena = arena_new();
    need_set_init(&f->needs);
    for (; needs && *needs; needs++) {
        struct need need;
        assert_true(need_parse(f->arena, *needs, &need, NULL));
        need_set_add(&f->needs, &need);
    }
    f->evidence = evidence_new(&f->sources, f->needs.len ? &f->needs : NULL);
    return f;
}

static void drop(struct fixture *f)
{
    evidence_free(f->evidence);
    need_set_release(&f->needs);
    arena_free(f->arena);
    sources_release(&f->sources);
    free(f);
}

static struct record *add_stat(struct fixture *f, const char *name, const char *value)
{
    struct record *record = evidence_add(f->evidence, "stats", f->source);
    if (!record)
        return NULL;
    evidence_set(f->evidence, record, "name", name);
    evidence_set(f->evidence, record, "value", value);
    return record;
}

static void states(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    assert_int_equal(evidence_state(f->evidence, "stats"), EVIDENCE_ABSENT);
    assert_int_equal(evidence_state(f->evidence, "file.never"), EVIDENCE_ABSENT);
    evidence_supplied(f->evidence, "stats", true);
    assert_int_equal(evidence_state(f->evidence, "stats"), EVIDENCE_COMPLETE);
    evidence_supplied(f->evidence, "stats", false);
    assert_int_equal(evidence_state(f->evidence, "stats"), EVIDENCE_PARTIAL);
    evidence_supplied(f->evidence, "stats", true);
    assert_int_equal(evidence_state(f->evidence, "stats"), EVIDENCE_PARTIAL);
    drop(f);
}

/* No such line in a log that was read is not the same as no log. */
static void states_of_events(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    evidence_declare(f->evidence, "event.denied");
    evidence_supplied(f->evidence, "text", true);
    assert_int_equal(evidence_state(f->evidence, "event.denied"), EVIDENCE_COMPLETE);
    assert_int_equal(evidence_state(f->evidence, "log.xds_closed"), EVIDENCE_ABSENT);
    evidence_supplied(f->evidence, "log", false);
    assert_int_equal(evidence_state(f->evidence, "log.xds_closed"), EVIDENCE_PARTIAL);
    assert_int_equal(evidence_state(f->evidence, "access.error"), EVIDENCE_PARTIAL);
    drop(f);
}

static void only_what_is_wanted(void **state)
{
    (void)state;
    struct fixture *f = make((const char *const[]){"stats{cluster.*.cx_overflow}",
                                                   "stats{server.live}",
                                                   "xds.resources{state=rejected}", NULL});
    assert_true(evidence_wants(f->evidence, "stats", "cluster.a.b.cx_overflow"));
    assert_true(evidence_wants(f->evidence, "stats", "server.live"));
    assert_true(evidence_wants(f->evidence, "stats", NULL));
    assert_false(evidence_wants(f->evidence, "stats", "server.lives"));
    assert_false(evidence_wants(f->evidence, "stats", "cluster.a.cx_overflow_"));
    assert_false(evidence_wants(f->evidence, "stats", "cx_overflow"));
    assert_true(evidence_wants(f->evidence, "xds.resources", "listener"));
    assert_false(evidence_wants(f->evidence, "hosts", NULL));
    assert_true(evidence_wants(f->evidence, "proxy", NULL));
    assert_null(evidence_add(f->evidence, "hosts", f->source));
    assert_non_null(evidence_add(f->evidence, "stats", f->source));
    drop(f);
}

/* A need without a filter beside one with a filter wants all. */
static void any_key(void **state)
{
    (void)state;
    struct fixture *f = make((const char *const[]){"stats{server.live}", "stats", NULL});
    assert_true(evidence_wants(f->evidence, "stats", "cluster.a.cx_total"));
    drop(f);
}

static void columns_may_come_later(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    evidence_declare(f->evidence, "event.denied");
    evidence_declare(f->evidence, "event.denied");
    struct record *old = evidence_add(f->evidence, "event.denied", f->source);
    evidence_set(f->evidence, old, "message", "old");
    evidence_add_column(f->evidence, "event.denied", "role");
    evidence_add_column(f->evidence, "event.denied", "message");
    char buf[32];
    assert_null(record_text(old, "role", buf));
    evidence_set(f->evidence, old, "role", "arn:x");
    assert_string_equal(record_text(old, "role", buf), "arn:x");
    assert_string_equal(record_text(old, "message", buf), "old");
    assert_null(record_text(old, "nothing", buf));
    int count = 0;
    for (const char *const *column = record_columns(old); *column; column++)
        count += strcmp(*column, "role") == 0 || strcmp(*column, "message") == 0;
    assert_int_equal(count, 2);
    assert_string_equal(record_name(old), "event.denied");
    drop(f);
}

static void full_tables(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    char name[32];
    for (int i = 0; i < EVIDENCE_ROWS_MAX + 7; i++) {
        snprintf(name, sizeof name, "s%d", i);
        struct record *record = add_stat(f, name, "1");
        assert_true((record != NULL) == (i < EVIDENCE_ROWS_MAX));
    }
    evidence_supplied(f->evidence, "stats", true);
    assert_int_equal(evidence_count(f->evidence, "stats"), EVIDENCE_ROWS_MAX + 7);
    assert_int_equal(evidence_state(f->evidence, "stats"), EVIDENCE_PARTIAL);
    drop(f);
}

static void keys(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    char name[32], buf[32];
    assert_null(evidence_find(f->evidence, "stats", "s1"));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "s%d", i);
        add_stat(f, name, name + 1);
        assert_non_null(evidence_find(f->evidence, "stats", name));
    }
    add_stat(f, "s77", "second");
    assert_string_equal(record_text(evidence_find(f->evidence, "stats", "s77"), "value", buf),
                        "77");
    assert_null(evidence_find(f->evidence, "stats", "s1000"));
    assert_null(evidence_find(f->evidence, "ready", "x"));
    drop(f);
}

/* More fields than there are indexes, and a document read by path. */
static void by_any_field(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    char value[32], path[32];
    for (int i = 0; i < 100; i++) {
        struct record *pod = evidence_add(f->evidence, "k8s.pods", f->source);
        snprintf(value, sizeof value, "pod-%d", i);
        evidence_set(f->evidence, pod, "id", value);
        cJSON *document = cJSON_CreateObject();
        for (int field = 0; field < 20; field++) {
            snprintf(path, sizeof path, "f%d", field);
            cJSON_AddNumberToObject(document, path, i % (field + 2));
        }
        evidence_set_doc(f->evidence, pod, document);
    }
    for (int field = 0; field < 20; field++) {
        const struct record *pod = NULL;
        int found = 0;
        snprintf(path, sizeof path, "f%d", field);
        while ((pod = evidence_next_with(f->evidence, "k8s.pods", path, "1", pod)))
            found++;
        assert_int_equal(found, (100 + field) / (field + 2));
    }
    const struct record *pod = evidence_next_with(f->evidence, "k8s.pods", "id", "pod-99", NULL);
    assert_non_null(pod);
    assert_null(evidence_next_with(f->evidence, "k8s.pods", "id", "pod-99", pod));
    assert_null(evidence_next_with(f->evidence, "none", "id", "pod-99", NULL));
    drop(f);
}

static void add_event(struct fixture *f, const char *message, int64_t time)
{
    struct record *record = evidence_add(f->evidence, "log.xds_closed", f->source);
    evidence_set(f->evidence, record, "message", message);
    record->time = time;
}

static void events_in_order(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    add_event(f, "head", 0);
    add_event(f, "c", 30);
    add_event(f, "d", 0);
    add_event(f, "a", 10);
    add_event(f, "b", 10);
    evidence_finish(f->evidence);
    char order[16] = "", buf[32];
    const struct record *record = NULL;
    while ((record = evidence_next(f->evidence, "log.xds_closed", record)))
        strncat(order, record_text(record, "message", buf), 1);
    assert_string_equal(order, "habcd");
    drop(f);
}

static void counts(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    add_event(f, "a", 1);
    assert_int_equal(evidence_count(f->evidence, "log.xds_closed"), 1);
    evidence_counted(f->evidence, "log.xds_closed", 5000);
    assert_int_equal(evidence_count(f->evidence, "log.xds_closed"), 5000);
    evidence_supplied(f->evidence, "log", true);
    assert_int_equal(evidence_state(f->evidence, "log.xds_closed"), EVIDENCE_COMPLETE);
    drop(f);
}

static void texts_are_clean(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    char buf[32], long_text[10000];
    struct record *record = add_stat(f, "bad\xff\x01name \xc3\xa4", NULL);
    assert_string_equal(record_text(record, "name", buf),
                        "bad\xef\xbf\xbd\xef\xbf\xbdname \xc3\xa4");
    assert_null(record_text(record, "value", buf));
    memset(long_text, 'x', sizeof long_text);
    evidence_excerpt(f->evidence, record, long_text, sizeof long_text);
    assert_int_equal(strlen(record->excerpt), EVIDENCE_EXCERPT_MAX);
    evidence_setf(f->evidence, record, "value", "%d", 12);
    double number;
    assert_true(record_number(record, "value", &number) && number == 12);
    assert_false(record_number(record, "name", &number));
    drop(f);
}

static void places(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    char buf[32];
    struct record *record = add_stat(f, "a", "1");
    record->line = 118;
    assert_string_equal(record_locator(record, buf), "line 118");
    record->line = 0;
    record->pointer = "/configs/2";
    assert_string_equal(record_locator(record, buf), "/configs/2");
    record->pointer = "";
    assert_string_equal(record_locator(record, buf), "whole document");
    drop(f);
}

static void documents(void **state)
{
    (void)state;
    struct fixture *f = make(NULL);
    char buf[32];
    evidence_declare(f->evidence, "file.owners");
    struct record *record = evidence_add(f->evidence, "file.owners", f->source);
    const char *text = "{\"teams\":[{\"name\":\"pay\",\"size\":3}],\"text\":\"t\"}";
    evidence_set_doc(f->evidence, record, json_parse(text, strlen(text), NULL));
    assert_string_equal(record_text(record, "teams[0].name", buf), "pay");
    assert_string_equal(record_text(record, "teams[0].size", buf), "3");
    assert_string_equal(record_text(record, "text", buf), "t");
    double number;
    assert_true(record_number(record, "teams[0].size", &number) && number == 3);
    assert_null(record_text(record, "teams", buf));
    drop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),
        cmocka_unit_test(states_of_events),
        cmocka_unit_test(only_what_is_wanted),
        cmocka_unit_test(any_key),
        cmocka_unit_test(columns_may_come_later),
        cmocka_unit_test(full_tables),
        cmocka_unit_test(keys),
        cmocka_unit_test(by_any_field),
        cmocka_unit_test(events_in_order),
        cmocka_unit_test(counts),
        cmocka_unit_test(texts_are_clean),
        cmocka_unit_test(places),
        cmocka_unit_test(documents),
    };
    return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
