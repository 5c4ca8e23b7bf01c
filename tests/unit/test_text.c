/* text.c, text_finding.c and layout.c: saved reports as text, compared with tests/golden byte by byte.
 * DEBRIEF_GOLDEN=write in the environment writes the expected files anew, for a look with git diff. */
#include "base/json.h"
#include "report/report.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN TEST_DATA "/../golden/"

static void render(const char *file, const struct report_style *style, struct buf *out)
{
    struct err err = ERR_INIT;
    char path[512];
    snprintf(path, sizeof path, GOLDEN "%s.json", file);
    cJSON *report = report_load(path, &err);
    if (!report)
        fail_msg("%s", err.text);
    buf_init(out, REPORT_SIZE_MAX);
    assert_true(report_writer_find("text")->write(out, report, style, &err));
    cJSON_Delete(report);
}

static void expect_golden(const char *report, const char *name, const struct report_style *style)
{
    struct buf out;
    char path[512], expected[65536];
    snprintf(path, sizeof path, GOLDEN "%s.%s.txt", report, name);
    render(report, style, &out);
    const char *write = getenv("DEBRIEF_GOLDEN");
    FILE *file = fopen(path, write && strcmp(write, "write") == 0 ? "w+" : "r");
    if (!file)
        fail_msg("cannot open %s", path);
    if (write && strcmp(write, "write") == 0) {
        fputs(buf_str(&out), file);
        rewind(file);
    }
    size_t len = fread(expected, 1, sizeof expected - 1, file);
    expected[len] = '\0';
    fclose(file);
    assert_string_equal(buf_str(&out), expected);
    buf_release(&out);
}

static void test_incident(void **state)
{
    (void)state;
    expect_golden("incident", "plain", &(struct report_style){.unicode = true, .width = 100});
    expect_golden("incident", "ascii", &(struct report_style){.width = 60});
    expect_golden("incident", "verbose",
                  &(struct report_style){.unicode = true, .verbose = true, .width = 100});
    expect_golden("incident", "color", &(struct report_style){.unicode = true, .color = true});
    expect_golden("incident", "quiet", &(struct report_style){.unicode = true, .quiet = true});
}

static void test_fleet(void **state)
{
    (void)state;
    expect_golden("fleet", "plain", &(struct report_style){.unicode = true, .width = 100});
    expect_golden("fleet", "quiet", &(struct report_style){.quiet = true});
}

/* Nothing in the evidence may steer the terminal: no control character but the line end comes out. */
static void test_nothing_steers(void **state)
{
    (void)state;
    const struct report_style style = {.unicode = true, .verbose = true, .width = 80};
    struct buf out;
    render("incident", &style, &out);
    for (size_t i = 0; i < out.len; i++)
        assert_true((unsigned char)out.data[i] >= 0x20 || out.data[i] == '\n');
    buf_release(&out);
}

static void test_ascii_is_ascii(void **state)
{
    (void)state;
    struct buf out;
    render("incident", &(struct report_style){.width = 80}, &out);
    for (size_t i = 0; i < out.len; i++)
        assert_true((unsigned char)out.data[i] < 0x80);
    buf_release(&out);
}

static void test_commands_stay_whole(void **state)
{
    (void)state;
    struct buf out;
    render("incident", &(struct report_style){.width = 40}, &out);
    assert_non_null(strstr(
        buf_str(&out), "$ aws iam put-role-policy --role-name ROLE --policy-name debrief-stream "
                       "--policy-document file://policy.json "
                       "--a-long-option-that-is-never-cut-nor-wrapped\n"));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_incident),
        cmocka_unit_test(test_fleet),
        cmocka_unit_test(test_nothing_steers),
        cmocka_unit_test(test_ascii_is_ascii),
        cmocka_unit_test(test_commands_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
