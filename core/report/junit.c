/* Stage: report. Renders the document as JUnit XML, in the dialect that Jenkins, GitLab and surefire
 * read: a suite per section and target, a case per check. Reads the document only. A check fails once,
 * with all that it found in the text, because consumers look at the first failure of a case alone. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/text_verdict.h"
#include "report/writers.h"
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX (1u << 20)

struct suite {
    const cJSON *target;
    const char *section;
    size_t section_len;
    int tests, failures, errors, skipped;
    double seconds;
};

enum result { RESULT_PASS, RESULT_FAILURE, RESULT_ERROR, RESULT_SKIPPED };

/* The one way of a text into the output. XML 1.0 knows no control
 * characters and no U+FFFE and U+FFFF, not even as references. */
static void add(struct buf *out, const char *text, bool attribute)
{
    const char *marks = attribute ? "<>&\"'\n\t" : "<>&";
    struct buf clean;
    buf_init(&clean, REPORT_SIZE_MAX);
    document_text(&clean, text);
    for (const char *at = buf_str(&clean); *at; at++) {
        if (strchr(marks, *at))
            buf_addf(out, "&#%d;", *at);
        else if (str_starts(at, "\xEF\xBF\xBE") || str_starts(at, "\xEF\xBF\xBF"))
            buf_adds(out, "\xEF\xBF\xBD"), at += 2;
        else
            buf_addch(out, *at);
    }
    buf_release(&clean);
}

static void add_attribute(struct buf *out, const char *name, const char *text)
{
    buf_addf(out, " %s=\"", name);
    add(out, text, true);
    buf_addch(out, '"');
}

static void add_element(struct buf *out, const char *name, const char *type, const char *message,
                        const char *text)
{
    buf_addf(out, "<%s", name);
    if (type)
        add_attribute(out, "type", type);
    add_attribute(out, "message", message);
    buf_addch(out, '>');
    add(out, text, false);
    buf_addf(out, "</%s>", name);
}

/* ---- what a check found ---- */

static bool is_of(const cJSON *finding, const cJSON *check)
{
    const char *id = json_str(finding, "check");
    return id && str_equal(id, json_str(check, "id"));
}

static void add_finding(struct buf *out, const cJSON *finding)
{
    const cJSON *each;
    buf_addf(out, "%s: %s [%s]\n", document_str(finding, "severity", "?"),
             document_str(finding, "message", ""), document_str(finding, "id", "?"));
    cJSON_ArrayForEach (each, json_at(finding, "evidence")) {
        buf_adds(out, "proof: ");
        document_place(out, each);
        buf_addf(out, "  %s\n", document_str(each, "excerpt", ""));
    }
    cJSON_ArrayForEach (each, json_at(finding, "fix")) {
        buf_addf(out, "fix: %s\n", document_str(each, "text", ""));
        if (json_str(each, "command"))
            buf_addf(out, "$ %s\n", json_str(each, "command"));
        if (json_str(each, "snippet.text"))
            buf_addf(out, "%s:\n%s\n", document_str(each, "snippet.path", "file"),
                     json_str(each, "snippet.text"));
    }
    cJSON_ArrayForEach (each, json_at(finding, "references")) {
        if (cJSON_IsString(each))
            buf_addf(out, "read: %s\n", each->valuestring);
    }
}

/* Why it does not fail the run. */
static void add_excuse(struct buf *out, const cJSON *finding)
{
    if (!document_waived(finding)) {
        buf_addf(out, "not new, %s beside the baseline: %s", document_str(finding, "baseline", "?"),
                 document_str(finding, "id", "?"));
        return;
    }
    buf_addf(out, "waived: %s (owner %s, until %s): %s",
             document_str(finding, "waiver.reason", "?"),
             document_str(finding, "waiver.owner", "?"),
             document_str(finding, "waiver.expires", "?"), document_str(finding, "id", "?"));
}

/* Of what CHECK found: the gravest finding that fails the run, one that would but for a waiver or a
 * baseline, and all texts by kind. */
struct found {
    const cJSON *worst, *excused;
    struct buf failures, others;
};

static void find(struct found *found, const cJSON *target, const cJSON *check)
{
    *found = (struct found){0};
    buf_init(&found->failures, FIELD_MAX);
    buf_init(&found->others, FIELD_MAX);
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (!is_of(finding, check))
            continue;
        int severity = document_severity(finding);
        bool counts = severity > 0 && document_decides(finding);
        struct buf *text = counts ? &found->failures : &found->others;
        buf_adds(text, text->len ? "\n" : "");
        if (document_waived(finding) || (severity > 0 && !counts)) {
            add_excuse(text, finding);
            buf_addch(text, '\n');
            found->excused = severity > 0 && !found->excused ? finding : found->excused;
        }
        add_finding(text, finding);
        if (counts && (!found->worst || severity > document_severity(found->worst)))
            found->worst = finding;
    }
}

static void release(struct found *found)
{
    buf_release(&found->failures);
    buf_release(&found->others);
}

static enum result result_of(const struct found *found, const cJSON *check)
{
    const char *outcome = document_str(check, "outcome", "");
    if (str_equal(outcome, "error"))
        return RESULT_ERROR;
    if (found->worst)
        return RESULT_FAILURE;
    if (found->excused)
        return RESULT_SKIPPED;
    if (str_equal(outcome, "fail"))
        return RESULT_FAILURE;
    return str_equal(outcome, "pass") ? RESULT_PASS : RESULT_SKIPPED;
}

/* ---- cases ---- */

static double seconds_of(const cJSON *check)
{
    double elapsed;
    bool sane = json_num(check, "elapsed_ms", &elapsed) && elapsed >= 0 && elapsed < 1e12;
    return sane ? elapsed / 1000 : 0;
}

static void write_failure(struct buf *out, const struct found *found)
{
    const cJSON *worst = found->worst;
    if (worst)
        add_element(out, "failure", document_str(worst, "id", "?"),
                    document_str(worst, "message", document_str(worst, "title", "?")),
                    buf_str(&found->failures));
    else
        add_element(out, "failure", "fail", "the check failed", "");
}

static void write_skipped(struct buf *out, const struct found *found, const cJSON *check)
{
    struct buf message;
    buf_init(&message, FIELD_MAX);
    if (found->excused)
        add_excuse(&message, found->excused);
    else
        buf_addf(&message, "%s%s",
                 str_equal(json_str(check, "outcome"), "not_applicable") ? "not applicable: " : "",
                 document_str(check, "reason", ""));
    buf_adds(out, "<skipped");
    add_attribute(out, "message", buf_str(&message));
    buf_adds(out, "/>");
    buf_release(&message);
}

static void write_case(struct buf *out, const cJSON *target, const cJSON *check)
{
    struct found found;
    find(&found, target, check);
    buf_adds(out, "    <testcase");
    add_attribute(out, "classname", document_str(target, "name", "?"));
    add_attribute(out, "name", document_str(check, "id", "?"));
    buf_addf(out, " time=\"%.3f\">", seconds_of(check));
    switch (result_of(&found, check)) {
    case RESULT_FAILURE:
        write_failure(out, &found);
        break;
    case RESULT_ERROR:
        add_element(out, "error", "check-error", document_str(check, "reason", "ended in error"),
                    buf_str(&found.failures));
        break;
    case RESULT_SKIPPED:
        write_skipped(out, &found, check);
        break;
    case RESULT_PASS:
        break;
    }
    if (found.others.len) {
        buf_adds(out, "<system-out>");
        add(out, buf_str(&found.others), false);
        buf_adds(out, "</system-out>");
    }
    buf_adds(out, "</testcase>\n");
    release(&found);
}

/* ---- suites ---- */

static bool is_in(const struct suite *suite, const cJSON *check)
{
    const char *id = document_str(check, "id", "?");
    return strcspn(id, "/") == suite->section_len &&
           strncmp(id, suite->section, suite->section_len) == 0;
}

static void count(struct suite *suite)
{
    const cJSON *check;
    cJSON_ArrayForEach (check, json_at(suite->target, "checks")) {
        if (!is_in(suite, check))
            continue;
        struct found found;
        find(&found, suite->target, check);
        enum result result = result_of(&found, check);
        release(&found);
        suite->tests++;
        suite->failures += result == RESULT_FAILURE;
        suite->errors += result == RESULT_ERROR;
        suite->skipped += result == RESULT_SKIPPED;
        suite->seconds += seconds_of(check);
    }
}

/* The sum of all suites has no number of skipped cases in the dialect. */
static void add_counts(struct buf *out, const struct suite *suite, bool skipped)
{
    buf_addf(out, " tests=\"%d\" failures=\"%d\" errors=\"%d\"", suite->tests, suite->failures,
             suite->errors);
    if (skipped)
        buf_addf(out, " skipped=\"%d\"", suite->skipped);
    buf_addf(out, " time=\"%.3f\"", suite->seconds);
}

/* "2026-11-21T08:00:00Z" without its zone, which the dialect has no place for. */
static void add_timestamp(struct buf *out, const cJSON *report)
{
    const char *started = json_str(report, "started");
    if (!started)
        return;
    char *text = xstrndup(started, strcspn(started, ".Z"));
    add_attribute(out, "timestamp", text);
    free(text);
}

static void begin_suite(struct buf *out, const cJSON *report, const struct suite *suite)
{
    char *name = xasprintf("%s: %.*s", document_str(suite->target, "name", "?"),
                           (int)suite->section_len, suite->section);
    buf_adds(out, "  <testsuite");
    add_attribute(out, "name", name);
    free(name);
    add_counts(out, suite, true);
    add_timestamp(out, report);
    buf_adds(out, ">\n");
}

/* Nothing could be judged: all checks are skipped then, and that must not look green. */
static void write_evidence(struct buf *out, const cJSON *report, const cJSON *target,
                           struct suite *all)
{
    struct buf text;
    struct suite suite = {.target = target, .section = "evidence", .section_len = 8, .tests = 1};
    suite.errors = str_equal(json_str(target, "verdict"), "unknown");
    begin_suite(out, report, &suite);
    buf_adds(out, "    <testcase");
    add_attribute(out, "classname", document_str(target, "name", "?"));
    buf_adds(out, " name=\"evidence\" time=\"0.000\">");
    buf_init(&text, FIELD_MAX);
    if (suite.errors) {
        text_verdict(&text, target);
        add_element(out, "error", "unknown", buf_str(&text), "");
        buf_clear(&text);
    }
    const cJSON *source, *problem;
    cJSON_ArrayForEach (source, json_at(target, "sources")) {
        cJSON_ArrayForEach (problem, json_at(source, "problems")) {
            if (cJSON_IsString(problem))
                buf_addf(&text, "%s: %s\n", document_str(source, "name", "?"),
                         problem->valuestring);
        }
    }
    if (text.len) {
        buf_adds(out, "<system-out>");
        add(out, buf_str(&text), false);
        buf_adds(out, "</system-out>");
    }
    buf_adds(out, "</testcase>\n  </testsuite>\n");
    buf_release(&text);
    all->tests++;
    all->errors += suite.errors;
}

static void write_suite(struct buf *out, const cJSON *report, const struct suite *suite)
{
    const cJSON *check;
    begin_suite(out, report, suite);
    cJSON_ArrayForEach (check, json_at(suite->target, "checks")) {
        if (is_in(suite, check))
            write_case(out, suite->target, check);
    }
    buf_adds(out, "  </testsuite>\n");
}

static void write_target(struct buf *out, const cJSON *report, const cJSON *target,
                         struct suite *all)
{
    write_evidence(out, report, target, all);
    const cJSON *check, *before;
    cJSON_ArrayForEach (check, json_at(target, "checks")) {
        const char *id = document_str(check, "id", "?");
        struct suite suite = {.target = target, .section = id, .section_len = strcspn(id, "/")};
        for (before = json_at(target, "checks")->child; !is_in(&suite, before);)
            before = before->next;
        if (before != check)
            continue; /* its suite is written */
        count(&suite);
        write_suite(out, report, &suite);
        all->tests += suite.tests;
        all->failures += suite.failures;
        all->errors += suite.errors;
        all->skipped += suite.skipped;
        all->seconds += suite.seconds;
    }
}

bool junit_report(struct buf *out, const cJSON *report, const struct report_style *style,
                  struct err *err)
{
    (void)style;
    struct suite all = {0};
    struct buf suites;
    const cJSON *target;
    buf_init(&suites, REPORT_SIZE_MAX);
    cJSON_ArrayForEach (target, json_at(report, "targets")) {
        write_target(&suites, report, target, &all);
    }
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"debrief\"");
    add_counts(out, &all, false);
    buf_adds(out, ">\n");
    buf_add(out, suites.data, suites.len);
    buf_adds(out, "</testsuites>\n");
    bool fits = !suites.overflow && !out->overflow;
    buf_release(&suites);
    return fits ? true : err_set(err, "the report is larger than %u MB", REPORT_SIZE_MAX >> 20);
}
