/* correlate.c, graph.c and correlate_related.c: who explains whom, who is the root, in which order. */
#include "base/json.h"
#include "debrief/plugin.h"
#include "finding/correlate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What the checks of these tests declare: stream -> waiting -> target, note -> waiting, and a pair that
 * blames each other. */
static const char *const by_stream[] = {"s.waiting", NULL};
static const char *const by_waiting[] = {"s.target", NULL};
static const char *const by_note[] = {"s.waiting", NULL};
static const char *const by_port[] = {"s.listener", NULL};
static const char *const by_ping[] = {"s.pong", NULL};
static const char *const by_pong[] = {"s.ping", NULL};

static struct check_finding findings[] = {
    {.id = "s.stream", .title = "t", .worst = DEBRIEF_ERROR, .explains = by_stream},
    {.id = "s.waiting", .title = "t", .worst = DEBRIEF_ERROR, .explains = by_waiting},
    {.id = "s.target", .title = "t", .worst = DEBRIEF_ERROR},
    {.id = "s.note", .title = "t", .worst = DEBRIEF_INFO, .explains = by_note},
    {.id = "s.port", .title = "t", .worst = DEBRIEF_ERROR, .explains = by_port},
    {.id = "s.listener", .title = "t", .worst = DEBRIEF_ERROR},
    {.id = "s.ping", .title = "t", .worst = DEBRIEF_ERROR, .explains = by_ping},
    {.id = "s.pong", .title = "t", .worst = DEBRIEF_ERROR, .explains = by_pong},
};
/* Another check that reports one of them, and knows one consequence more. */
static struct check_finding others[] = {
    {.id = "s.listener", .title = "t", .worst = DEBRIEF_ERROR, .explains = by_note},
};
static struct check_meta declared[] = {
    {.id = "s",
     .title = "t",
     .section = "s",
     .findings = findings,
     .findings_len = sizeof findings / sizeof findings[0]},
    {.id = "s/other", .title = "t", .section = "s", .findings = others, .findings_len = 1},
};
static const struct registry registry = {.checks = declared, .checks_len = 2};

/* A target with the findings of a JSON array, in which only what matters is given. */
static cJSON *target_with(const char *array)
{
    struct err err = ERR_INIT;
    cJSON *target = cJSON_CreateObject(), *finding;
    cJSON *rows = json_parse(array, strlen(array), &err);
    if (!rows)
        fail_msg("%s", err.text);
    cJSON_ArrayForEach (finding, rows) {
        if (!json_at(finding, "severity"))
            json_put_str(finding, "severity", "error");
        if (!json_at(finding, "subject")) {
            cJSON *subject = json_put_object(finding, "subject");
            json_put_str(subject, "kind", "proxy");
            json_put_str(subject, "name", "envoy");
        }
        json_put_str(finding, "check", "s");
    }
    json_put_str(target, "name", "t");
    cJSON_AddItemToObject(target, "findings", rows);
    cJSON *checks = json_put_array(target, "checks"), *row = cJSON_CreateObject();
    json_put_str(row, "id", "s");
    json_put_str(row, "outcome", "fail");
    cJSON_AddItemToArray(checks, row);
    return target;
}

static const cJSON *by_id(const cJSON *target, const char *id)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (strcmp(json_str(finding, "id"), id) == 0)
            return finding;
    }
    fail_msg("no finding %s", id);
    return NULL;
}

static void expect_role(const cJSON *target, const char *id, const char *role, int rank)
{
    double is = 0;
    assert_string_equal(json_str(by_id(target, id), "role"), role);
    assert_true(json_num(by_id(target, id), "rank", &is));
    assert_int_equal((int)is, rank);
}

static bool explains(const char *array)
{
    cJSON *target = target_with(array);
    correlate_target(target, &registry);
    bool linked = cJSON_GetArraySize(json_at(by_id(target, "s.waiting"), "explained_by")) > 0;
    cJSON_Delete(target);
    return linked;
}

static void test_chain_has_one_root(void **state)
{
    (void)state;
    cJSON *target = target_with(
        "[{\"id\":\"s.target\"},{\"id\":\"s.waiting\"},{\"id\":\"s.stream\"}]");
    correlate_target(target, &registry);
    expect_role(target, "s.stream", "cause", 1);
    expect_role(target, "s.waiting", "consequence", 2);
    expect_role(target, "s.target", "consequence", 3);
    assert_string_equal(json_str(target, "findings[0].explains[0]"), "s.waiting");
    assert_string_equal(json_str(target, "findings[2].explained_by[0]"), "s.waiting");
    assert_string_equal(json_str(target, "verdict"), "error");
    cJSON_Delete(target);
}

static void test_what_any_check_declares_counts(void **state)
{
    (void)state;
    assert_true(explains("[{\"id\":\"s.listener\"},{\"id\":\"s.waiting\"}]"));
    assert_false(explains("[{\"id\":\"s.port\"},{\"id\":\"s.waiting\"}]"));
}

static void test_again_changes_nothing(void **state)
{
    (void)state;
    cJSON *target = target_with("[{\"id\":\"s.waiting\"},{\"id\":\"s.note\",\"severity\":\"info\"},"
                                "{\"id\":\"s.port\",\"severity\":\"warning\"}]");
    correlate_target(target, &registry);
    cJSON *once = cJSON_Duplicate(target, true);
    correlate_target(target, &registry);
    assert_true(cJSON_Compare(once, target, true));
    cJSON_Delete(once);
    cJSON_Delete(target);
}

static void test_what_only_notes_explain_sinks(void **state)
{
    (void)state;
    cJSON *target = target_with(
        "[{\"id\":\"s.waiting\"},{\"id\":\"s.note\",\"severity\":\"info\"}]");
    correlate_target(target, &registry);
    expect_role(target, "s.waiting", "consequence", 1);
    expect_role(target, "s.note", "note", 2);
    assert_string_equal(json_str(by_id(target, "s.waiting"), "severity"), "info");
    assert_string_equal(json_str(target, "checks[0].outcome"), "pass");
    assert_string_equal(json_str(target, "verdict"), "ok");
    cJSON_Delete(target);
}

static void test_a_cause_beside_the_note_keeps_it_up(void **state)
{
    (void)state;
    cJSON *target = target_with("[{\"id\":\"s.waiting\"},{\"id\":\"s.note\",\"severity\":\"info\"},"
                                "{\"id\":\"s.stream\"}]");
    correlate_target(target, &registry);
    expect_role(target, "s.stream", "cause", 1);
    expect_role(target, "s.waiting", "consequence", 2);
    expect_role(target, "s.note", "note", 3);
    assert_string_equal(json_str(by_id(target, "s.waiting"), "severity"), "error");
    cJSON_Delete(target);
}

static void test_other_listeners_are_not_blamed(void **state)
{
    (void)state;
    cJSON *target = target_with(
        "[{\"id\":\"s.port\",\"subject\":{\"kind\":\"listener\",\"name\":\"a\"}},"
        "{\"id\":\"s.listener\",\"subject\":{\"kind\":\"listener\",\"name\":\"b\"}}]");
    correlate_target(target, &registry);
    assert_string_equal(json_str(by_id(target, "s.listener"), "role"), "cause");
    cJSON_Delete(target);
}

static void test_a_later_cause_explains_nothing(void **state)
{
    (void)state;
    assert_false(explains("[{\"id\":\"s.waiting\",\"first\":\"2026-11-21T08:00:00Z\"},"
                          "{\"id\":\"s.stream\",\"first\":\"2026-11-21T08:10:00Z\"}]"));
    assert_false(
        explains("[{\"id\":\"s.waiting\",\"state\":\"now\",\"first\":\"2026-11-21T08:00:00Z\"},"
                 "{\"id\":\"s.stream\",\"first\":\"2026-11-21T08:10:00Z\"}]"));
    assert_true(explains("[{\"id\":\"s.waiting\",\"first\":\"2026-11-21T08:10:00Z\"},"
                         "{\"id\":\"s.stream\",\"first\":\"2026-11-21T08:00:00Z\"}]"));
}

/* Envoy reports a retried stream only after 30 s, while the probe fails at once. */
static void test_seen_late_is_not_later(void **state)
{
    (void)state;
    assert_true(explains("[{\"id\":\"s.waiting\",\"first\":\"2026-11-21T08:00:00Z\","
                         "\"last\":\"2026-11-21T08:05:00Z\"},"
                         "{\"id\":\"s.stream\",\"first\":\"2026-11-21T08:00:31Z\"}]"));
    assert_false(explains("[{\"id\":\"s.waiting\",\"first\":\"2026-11-21T08:00:00Z\","
                          "\"last\":\"2026-11-21T08:00:10Z\"},"
                          "{\"id\":\"s.stream\",\"first\":\"2026-11-21T08:00:31Z\"}]"));
}

static void test_what_is_over_explains_nothing_that_lasts(void **state)
{
    (void)state;
    assert_false(explains("[{\"id\":\"s.waiting\",\"state\":\"now\"},"
                          "{\"id\":\"s.stream\",\"state\":\"before\"}]"));
    assert_true(explains("[{\"id\":\"s.waiting\",\"state\":\"before\"},"
                         "{\"id\":\"s.stream\",\"state\":\"before\"}]"));
    assert_false(
        explains("[{\"id\":\"s.waiting\",\"first\":\"2026-11-21T09:00:00Z\"},"
                 "{\"id\":\"s.stream\",\"state\":\"before\",\"first\":\"2026-11-21T08:00:00Z\","
                 "\"last\":\"2026-11-21T08:01:00Z\"}]"));
}

/* A log of last year beside the state of today: two incidents, whichever could be the other's cause. */
static void test_another_year_explains_nothing(void **state)
{
    (void)state;
    assert_false(explains("[{\"id\":\"s.waiting\",\"first\":\"2026-11-21T08:00:00Z\"},"
                          "{\"id\":\"s.stream\",\"first\":\"2025-11-20T08:00:00Z\"}]"));
    assert_false(explains("[{\"id\":\"s.waiting\",\"first\":\"2025-11-20T08:00:00Z\"},"
                          "{\"id\":\"s.stream\",\"state\":\"now\","
                          "\"first\":\"2026-11-20T08:00:00Z\"}]"));
    assert_true(explains("[{\"id\":\"s.waiting\",\"first\":\"2026-11-21T08:00:00Z\"},"
                         "{\"id\":\"s.stream\",\"state\":\"now\","
                         "\"first\":\"2025-11-20T08:00:00Z\"}]"));
    assert_true(explains("[{\"id\":\"s.waiting\",\"first\":\"2026-11-21T08:00:00Z\"},"
                         "{\"id\":\"s.stream\",\"first\":\"2026-11-19T08:00:00Z\"}]"));
    cJSON *target = target_with("[{\"id\":\"x.old\",\"first\":\"2025-11-20T08:00:00Z\"},"
                                "{\"id\":\"x.now\",\"state\":\"now\",\"confidence\":\"likely\","
                                "\"first\":\"2026-11-20T08:00:00Z\"}]");
    correlate_target(target, &registry);
    expect_role(target, "x.now", "cause", 1);
    expect_role(target, "x.old", "cause", 2);
    cJSON_Delete(target);
}

static void test_two_that_blame_each_other(void **state)
{
    (void)state;
    cJSON *target = target_with("[{\"id\":\"s.pong\",\"first\":\"2026-11-21T08:00:00Z\"},"
                                "{\"id\":\"s.ping\",\"first\":\"2026-11-21T08:00:01Z\"}]");
    correlate_target(target, &registry);
    expect_role(target, "s.pong", "cause", 1); /* the earlier one */
    expect_role(target, "s.ping", "consequence", 2);
    cJSON_Delete(target);
    target = target_with("[{\"id\":\"s.pong\",\"confidence\":\"likely\"},"
                         "{\"id\":\"s.ping\",\"confidence\":\"certain\"}]");
    correlate_target(target, &registry);
    expect_role(target, "s.ping", "cause", 1); /* the surer one */
    cJSON_Delete(target);
}

static void test_order_of_causes(void **state)
{
    (void)state;
    cJSON *target = target_with(
        "[{\"id\":\"x.info\",\"severity\":\"info\"},"
        "{\"id\":\"x.warning\",\"severity\":\"warning\"},"
        "{\"id\":\"x.symptom\",\"confidence\":\"certain\",\"candidates\":[{\"id\":\"x.y\"}]},"
        "{\"id\":\"x.possible\",\"confidence\":\"possible\"},"
        "{\"id\":\"x.likely\",\"confidence\":\"likely\"},"
        "{\"id\":\"x.before\",\"confidence\":\"certain\",\"state\":\"before\"},"
        "{\"id\":\"x.now\",\"confidence\":\"certain\",\"state\":\"now\"}]");
    static const char *const order[] = {"x.now",      "x.before",  "x.likely", "x.symptom",
                                        "x.possible", "x.warning", "x.info"};
    correlate_target(target, &registry);
    for (int i = 0; i < 7; i++)
        assert_string_equal(json_str(cJSON_GetArrayItem(json_at(target, "findings"), i), "id"),
                            order[i]);
    cJSON_Delete(target);
}

/* A warning that explains an error is as urgent as that error. */
static void test_a_cause_inherits_the_worst(void **state)
{
    (void)state;
    cJSON *target = target_with(
        "[{\"id\":\"a.alone\",\"confidence\":\"likely\"},"
        "{\"id\":\"s.stream\",\"severity\":\"warning\"},{\"id\":\"s.waiting\"}]");
    correlate_target(target, &registry);
    expect_role(target, "s.stream", "cause", 1);
    expect_role(target, "a.alone", "cause", 2);
    expect_role(target, "s.waiting", "consequence", 3);
    cJSON_Delete(target);
}

static void test_verdicts(void **state)
{
    (void)state;
    cJSON *target = target_with("[{\"id\":\"x.w\",\"severity\":\"warning\"}]");
    correlate_target(target, &registry);
    assert_string_equal(json_str(target, "verdict"), "warning");
    cJSON_Delete(target);
    target = target_with("[]");
    cJSON *outcome = cJSON_GetObjectItemCaseSensitive(json_at(target, "checks[0]"), "outcome");
    cJSON_SetValuestring(outcome, "skip");
    correlate_target(target, &registry);
    assert_string_equal(json_str(target, "verdict"), "unknown");
    cJSON_SetValuestring(outcome, "pass");
    correlate_target(target, &registry);
    assert_string_equal(json_str(target, "verdict"), "ok");
    cJSON_Delete(target);
}

static bool related(const char *kind_a, const char *name_a, const char *kind_b, const char *name_b)
{
    cJSON *a = cJSON_CreateObject(), *b = cJSON_CreateObject();
    json_put_str(a, "kind", kind_a);
    json_put_str(a, "name", name_a);
    json_put_str(b, "kind", kind_b);
    json_put_str(b, "name", name_b);
    bool is = correlate_related(a, b);
    assert_int_equal(is, correlate_related(b, a));
    cJSON_Delete(a);
    cJSON_Delete(b);
    return is;
}

static void test_related_subjects(void **state)
{
    (void)state;
    assert_true(related("listener", "a", "listener", "a"));
    assert_false(related("listener", "a", "listener", "b"));
    assert_true(related("proxy", "mesh/m/virtualNode/n", "cluster", "orders"));
    assert_true(related("xds-server", "ems.example:443", "target", "10.0.0.5:8080"));
    assert_false(related("address", "0.0.0.0:80", "target", "10.0.0.5:8080"));
    assert_true(related("address", "0.0.0.0:8080", "target", "10.0.0.5:8080"));
    assert_true(related("address", "127.0.0.1:8080", "target", "10.0.0.5:8080"));
    assert_false(related("address", "10.0.0.6:8080", "target", "10.0.0.5:8080"));
    assert_false(related("listener", "0.0.0.0_15006", "address", "0.0.0.0:15001"));
    assert_false(related("listener", "lds_ingress_0.0.0.0_15000", "address", "[::]:80"));
    assert_true(related("listener", "listener_1", "address", "0.0.0.0:8080"));
    assert_true(related("image", "envoy:v1", "container", "envoy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain_has_one_root),
        cmocka_unit_test(test_what_any_check_declares_counts),
        cmocka_unit_test(test_again_changes_nothing),
        cmocka_unit_test(test_what_only_notes_explain_sinks),
        cmocka_unit_test(test_a_cause_beside_the_note_keeps_it_up),
        cmocka_unit_test(test_other_listeners_are_not_blamed),
        cmocka_unit_test(test_a_later_cause_explains_nothing),
        cmocka_unit_test(test_seen_late_is_not_later),
        cmocka_unit_test(test_what_is_over_explains_nothing_that_lasts),
        cmocka_unit_test(test_another_year_explains_nothing),
        cmocka_unit_test(test_two_that_blame_each_other),
        cmocka_unit_test(test_order_of_causes),
        cmocka_unit_test(test_a_cause_inherits_the_worst),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_related_subjects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
