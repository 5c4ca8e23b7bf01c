/* Stage: report. Renders the document as a monitoring plugin's answer: one line with state, first cause
 * and performance data; with --verbose the other causes behind it. Reads the document only. The state
 * is what `--exit nagios` exits with. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/layout.h"
#include "report/relations.h"
#include "report/text_verdict.h"
#include "report/writers.h"
#include <string.h>

#define FIELD_MAX   (64u << 10)
#define NAME_CAP    120
#define MESSAGE_CAP 400
#define LONG_MAX    50 /* lines of --verbose */

static const char *const states[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

enum report_state report_nagios(int status)
{
    switch (status) {
    case STATUS_OK:
        return NAGIOS_OK;
    case STATUS_WARNINGS:
        return NAGIOS_WARNING;
    case STATUS_ERRORS:
        return NAGIOS_CRITICAL;
    default:
        return NAGIOS_UNKNOWN;
    }
}

/* The one way of a text of the report into the output: on one line, without what begins performance data
 * and without what web interfaces take for HTML. Nagios turns semicolons of a text into colons by
 * itself; our own words have none. */
static void add(struct buf *out, const char *text, size_t cap)
{
    static const char special[] = "|<>";
    static const char *const instead[] = {"\xC2\xA6", "\xE2\x80\xB9", "\xE2\x80\xBA"};
    static const struct report_style style = {.unicode = true};
    const struct layout layout = {NULL, &style};
    struct buf clean;
    buf_init(&clean, FIELD_MAX);
    layout_clean(&layout, &clean, text, false, cap);
    for (const char *at = buf_str(&clean); *at; at++) {
        const char *found = strchr(special, *at);
        if (found)
            buf_adds(out, instead[found - special]);
        else
            buf_addch(out, *at);
    }
    buf_release(&clean);
}

static void add_cause(struct buf *out, const cJSON *finding)
{
    const char *cause = json_str(finding, "message");
    add(out, cause ? cause : document_str(finding, "title", "?"), MESSAGE_CAP);
    buf_adds(out, " [");
    add(out, document_str(finding, "id", "?"), NAME_CAP);
    buf_adds(out, "]");
}

/* The target that is worst off: the first with errors, else unknown, else with warnings, else the first. */
static const cJSON *worst(const cJSON *targets)
{
    static const char *const verdicts[] = {"error", "unknown", "warning"};
    const cJSON *target;
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
        cJSON_ArrayForEach (target, targets) {
            if (str_equal(json_str(target, "verdict"), verdicts[i]))
                return target;
        }
    return cJSON_GetArrayItem(targets, 0);
}

static void add_fleet(struct buf *out, const cJSON *targets)
{
    struct buf counts;
    buf_init(&counts, FIELD_MAX);
    text_verdict_fleet(&counts, targets);
    buf_addf(out, "%d targets: %s - ", cJSON_GetArraySize(targets), buf_str(&counts));
    buf_release(&counts);
}

static void add_summary(struct buf *out, const cJSON *report)
{
    const cJSON *targets = json_at(report, "targets"), *target = worst(targets);
    if (!target) {
        buf_adds(out, "no target was looked at");
        return;
    }
    if (cJSON_GetArraySize(targets) > 1)
        add_fleet(out, targets);
    struct buf verdict;
    buf_init(&verdict, FIELD_MAX);
    text_verdict(&verdict, target);
    add(out, document_str(target, "name", "?"), NAME_CAP);
    buf_adds(out, ": ");
    add(out, buf_str(&verdict), MESSAGE_CAP);
    buf_release(&verdict);
    const cJSON *cause = document_first_cause(target);
    if (cause && document_stands(target, cause)) {
        buf_adds(out, ": ");
        add_cause(out, cause);
    }
    if (report_target_incomplete(target))
        buf_adds(out, ", incomplete");
    if (json_at(report, "policy.baseline"))
        buf_adds(out, ", of which only what is new since the baseline decides the state");
}

static int waived_of(const cJSON *target)
{
    int count = 0;
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        count += document_waived(finding);
    }
    return count;
}

static void add_time(struct buf *out, const cJSON *report)
{
    const char *first = json_str(report, "started"), *last = json_str(report, "finished");
    int64_t started, finished;
    if (first && last && clock_parse(first, strlen(first), &started) &&
        clock_parse(last, strlen(last), &finished))
        buf_addf(out, " time=%.3fs;;;0", (double)((finished - started) / 1000000) / 1e3);
}

/* A threshold of 0 alerts above 0: errors are critical from the first one on. */
static void add_performance(struct buf *out, const cJSON *report)
{
    const cJSON *targets = json_at(report, "targets"), *target;
    int errors = 0, warnings = 0, infos = 0, waived = 0, incomplete = 0;
    cJSON_ArrayForEach (target, targets) {
        errors += document_findings(target, "error");
        warnings += document_findings(target, "warning");
        infos += document_findings(target, "info");
        waived += waived_of(target);
        incomplete += report_target_incomplete(target);
    }
    buf_addf(out, "errors=%d;;0;0 warnings=%d;0;;0 infos=%d;;;0 waived=%d;;;0", errors, warnings,
             infos, waived);
    buf_addf(out, " targets=%d;;;0 unknown=%d;;;0 incomplete=%d;;;0", cJSON_GetArraySize(targets),
             document_count(targets, "verdict", "unknown"), incomplete);
    add_time(out, report);
}

static void add_causes(struct buf *out, const cJSON *targets)
{
    static const char *const names[] = {"info", "warning", "error"};
    const cJSON *target;
    int shown = 0, all = 0;
    cJSON_ArrayForEach (target, targets) {
        struct relations relations;
        relations_init(&relations, target);
        for (size_t i = 0; i < relations.len; i++) {
            const cJSON *finding = relations.items[i].finding;
            if (!relations.items[i].stands || all++ >= LONG_MAX)
                continue;
            shown++;
            buf_addf(out, "%s: ", names[document_severity(finding)]);
            add(out, document_str(target, "name", "?"), NAME_CAP);
            buf_adds(out, ": ");
            add_cause(out, finding);
            buf_addch(out, '\n');
        }
        relations_release(&relations);
    }
    if (shown < all)
        buf_addf(out, "and %d more causes\n", all - shown);
}

bool nagios_report(struct buf *out, const cJSON *report, const struct report_style *style,
                   struct err *err)
{
    buf_addf(out, "DEBRIEF %s - ", states[report_nagios(report_exit(report, FAIL_ON_WARNING))]);
    add_summary(out, report);
    buf_addch(out, '|');
    add_performance(out, report);
    buf_addch(out, '\n');
    if (style->verbose)
        add_causes(out, json_at(report, "targets"));
    return out->overflow ? err_set(err, "the report is larger than %u MB", REPORT_SIZE_MAX >> 20)
                         : true;
}
