/* report.c: exit statuses by the contract, the summary, the order of fields; report_load.c: what is no
 * report is refused. */
#include "base/json.h"
#include "report/report.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TARGET(verdict, findings, checks, problems)                                                \
    "{\"name\":\"t\",\"verdict\":\"" verdict "\",\"findings\":[" findings "],\"checks\":[" checks  \
    "],\"asks\":[],\"sources\":[{\"name\":\"s\",\"problems\":[" problems                           \
    "]}],\"unrecognised\":[]}"
#define ERROR   "{\"id\":\"a.e\",\"severity\":\"error\"}"
#define WARNING "{\"id\":\"a.w\",\"severity\":\"warning\"}"
#define INFO    "{\"id\":\"a.i\",\"severity\":\"info\"}"
#define PASS    "{\"id\":\"a\",\"outcome\":\"pass\"}"
#define BROKEN  "{\"id\":\"a\",\"outcome\":\"error\"}"
#define SKIP    "{\"id\":\"a\",\"outcome\":\"skip\"}"

static cJSON *targets_of(const char *text)
{
    struct err err = ERR_INIT;
    char *array = malloc(strlen(text) + 3);
    sprintf(array, "[%s]", text);
    cJSON *targets = json_parse(array, strlen(array), &err);
    free(array);
    if (!targets)
        fail_msg("%s", err.text);
    return targets;
}

/* The statuses for --fail-on error, warning, incomplete, never. */
static void expect_exits(const char *targets, int error, int warning, int incomplete, int never)
{
    const struct registry registry = {0};
    cJSON *report = report_new(targets_of(targets), &registry, 1, 2);
    assert_int_equal(report_exit(report, FAIL_ON_ERROR), error);
    assert_int_equal(report_exit(report, FAIL_ON_WARNING), warning);
    assert_int_equal(report_exit(report, FAIL_ON_INCOMPLETE), incomplete);
    assert_int_equal(report_exit(report, FAIL_ON_NEVER), never);
    cJSON_Delete(report);
}

static void test_ladder(void **state)
{
    (void)state;
    expect_exits(TARGET("ok", "", PASS, ""), 0, 0, 0, 0);
    expect_exits(TARGET("ok", INFO, PASS, ""), 0, 0, 0, 0);
    expect_exits(TARGET("warning", WARNING, PASS, ""), 0, 4, 4, 0);
    expect_exits(TARGET("error", ERROR "," WARNING, PASS, ""), 3, 3, 3, 0);
    expect_exits(TARGET("ok", "", PASS, "\"cut short\""), 0, 0, 5, 0);
    expect_exits(TARGET("ok", "", PASS "," BROKEN, ""), 0, 0, 5, 0);
    expect_exits(TARGET("ok", "", PASS "," SKIP, ""), 0, 0, 0, 0);
    expect_exits(TARGET("unknown", "", SKIP, "\"refused\""), 1, 1, 1, 1);
}

static void test_first_of_several_wins(void **state)
{
    (void)state;
    expect_exits(TARGET("unknown", "", SKIP, "") "," TARGET("error", ERROR, PASS, ""), 3, 3, 3, 1);
    expect_exits(TARGET("warning", WARNING, PASS, "") "," TARGET("unknown", "", SKIP, ""), 1, 1, 1,
                 1);
    expect_exits(TARGET("warning", WARNING, PASS, "") "," TARGET("ok", "", BROKEN, ""), 0, 4, 4, 0);
}

static void expect_number(const cJSON *report, const char *path, int expected)
{
    double value = -1;
    assert_true(json_num(report, path, &value));
    assert_int_equal((int)value, expected);
}

static void test_summary(void **state)
{
    (void)state;
    const struct registry registry = {0};
    cJSON *report = report_new(targets_of(TARGET("ok", INFO, PASS, "") "," TARGET(
                                   "warning", WARNING "," WARNING, SKIP "," BROKEN, "")),
                               &registry, 1, 2);
    assert_string_equal(json_str(report, "summary.verdict"), "warning");
    expect_number(report, "summary.targets", 2);
    expect_number(report, "summary.errors", 0);
    expect_number(report, "summary.warnings", 2);
    expect_number(report, "summary.infos", 1);
    expect_number(report, "summary.checks.pass", 1);
    expect_number(report, "summary.checks.skip", 1);
    expect_number(report, "summary.checks.error", 1);
    cJSON_Delete(report);
    report = report_new(targets_of(TARGET("ok", "", PASS, "") "," TARGET("unknown", "", SKIP, "")),
                        &registry, 1, 2);
    assert_string_equal(json_str(report, "summary.verdict"), "unknown");
    cJSON_Delete(report);
}

static void test_fields_are_in_the_order_of_the_contract(void **state)
{
    (void)state;
    const struct registry registry = {0};
    cJSON *report = report_new(
        targets_of("{\"sources\":[],\"zz\":1,\"findings\":[{\"title\":\"t\","
                   "\"id\":\"a.b\",\"rank\":1}],\"verdict\":\"ok\",\"name\":\"n\"}"),
        &registry, 1, 2);
    struct buf out;
    buf_init(&out, 65536);
    json_write(&out, json_at(report, "targets[0]"), false);
    assert_string_equal(
        buf_str(&out),
        "{\"name\":\"n\",\"verdict\":\"ok\",\"findings\":[{\"id\":\"a.b\",\"rank\":1,"
        "\"title\":\"t\"}],\"sources\":[],\"zz\":1}");
    buf_release(&out);
    cJSON_Delete(report);
}

static void expect_refused(const char *text, const char *why)
{
    struct err err = ERR_INIT;
    char path[] = "/tmp/debrief-report-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_null(report_load(path, &err));
    unlink(path);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void test_what_is_no_report_is_refused(void **state)
{
    (void)state;
    expect_refused("{", "is no report");
    expect_refused("[]", "no \"schema\"");
    expect_refused("{\"schema\":\"debrief.diff/1\"}", "its schema is 'debrief.diff/1'");
    expect_refused("{\"schema\":\"debrief.report/1\"}", "damaged");
    expect_refused(
        "{\"schema\":\"debrief.report/1\",\"summary\":{},\"targets\":[{\"findings\":[1]}]}",
        "no list 'findings'");
    struct err err = ERR_INIT;
    assert_null(report_load("/nonexistent/report.json", &err));
    assert_non_null(strstr(err.text, "cannot read '/nonexistent/report.json'"));
}

static void test_formats(void **state)
{
    (void)state;
    assert_non_null(report_writer_find("text"));
    assert_non_null(report_writer_find("json"));
    assert_null(report_writer_find("yaml"));
    assert_memory_equal(report_writer_names(), "text, json",
                        strlen("text, json")); /* the default first */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladder),
        cmocka_unit_test(test_first_of_several_wins),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_fields_are_in_the_order_of_the_contract),
        cmocka_unit_test(test_what_is_no_report_is_refused),
        cmocka_unit_test(test_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
