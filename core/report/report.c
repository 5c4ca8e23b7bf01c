/* Stage: report. Puts the findings of all targets into the one document that every writer renders:
 * fields in the contract's order, plugins, times, summary. Reads nothing but that document and the
 * registry; renders nothing itself. */
#include "report/report.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "config.h"
#include "report/document.h"
#include "report/writers.h"
#include <string.h>

static const struct report_writer writers[] = {
    {"text", text_report},             /* a terminal */
    {"json", json_report},             /* the document itself */
    {"html", html_report},             /* a browser, a mail, an incident review */
    {"markdown", markdown_report},     /* an issue, a chat */
    {"junit", junit_report},           /* a CI server's list of tests */
    {"sarif", sarif_report},           /* code scanning */
    {"prometheus", prometheus_report}, /* node_exporter's textfile collector */
    {"nagios", nagios_report},         /* Nagios, Icinga */
    {"jsonl", jsonl_report},           /* Vector, Fluent Bit, jq */
};

static const char *const outcomes[] = {"pass", "fail", "skip", "not_applicable", "error"};

/* From harmless to worst; a target that could not be judged is worse news than one that is well. */
static const char *const verdicts[] = {"ok", "unknown", "warning", "error"};

static const char *const report_fields[] = {"schema",  "tool",   "started", "finished",
                                            "summary", "policy", "targets", NULL};

static const char *const target_fields[] = {"name",         "verdict", "baseline", "envoy",
                                            "findings",     "checks",  "asks",     "sources",
                                            "unrecognised", NULL};

static const char *const finding_fields[] = {
    "id",      "severity",   "severity_was", "role",  "rank",        "confidence",
    "subject", "state",      "first",        "last",  "count",       "title",
    "message", "explains",   "explained_by", "check", "fingerprint", "baseline",
    "waiver",  "candidates", "evidence",     "fix",   "references",  NULL};

static const char *const baseline_fields[] = {"new", "worse", "better", "unchanged", "gone"};

const struct report_writer *report_writer_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(writers); i++)
        if (strcmp(writers[i].name, name) == 0)
            return &writers[i];
    return NULL;
}

const char *report_writer_names(void)
{
    static char names[128];
    names[0] = 0;
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        strcat(names, i ? ", " : "");
        strcat(names, writers[i].name);
    }
    return names;
}

static void move_to_end(cJSON *object, cJSON *member)
{
    cJSON_AddItemToArray(object, cJSON_DetachItemViaPointer(object, member));
}

/* Members named in FIELDS come first, in that order; others keep theirs behind them. */
static void arrange(cJSON *object, const char *const *fields)
{
    int others = cJSON_GetArraySize(object);
    for (size_t i = 0; fields[i]; i++) {
        cJSON *member = cJSON_GetObjectItemCaseSensitive(object, fields[i]);
        if (!member)
            continue;
        move_to_end(object, member);
        others--;
    }
    while (others-- > 0)
        move_to_end(object, object->child);
}

static void arrange_targets(cJSON *targets)
{
    cJSON *target, *finding;
    cJSON_ArrayForEach (target, targets) {
        arrange(target, target_fields);
        cJSON *findings = cJSON_GetObjectItemCaseSensitive(target, "findings");
        cJSON_ArrayForEach (finding, findings) {
            arrange(finding, finding_fields);
        }
    }
}

static void add_tool(cJSON *report, const struct registry *registry)
{
    cJSON *tool = json_put_object(report, "tool");
    json_put_str(tool, "name", "debrief");
    json_put_str(tool, "version", DEBRIEF_VERSION);
    cJSON *plugins = json_put_array(tool, "plugins");
    for (size_t i = 0; i < registry->plugins_len; i++) {
        const struct plugin *plugin = &registry->plugins[i];
        if (plugin->refused)
            continue;
        cJSON *row = cJSON_CreateObject();
        json_put_str(row, "name", plugin->name);
        json_put_str(row, "version", plugin->version);
        json_put_str(row, "kind", plugin->kind);
        cJSON_AddItemToArray(plugins, row);
    }
}

struct totals {
    size_t verdict, errors, warnings, infos, waived;
    size_t outcomes[ARRAY_LEN(outcomes)];
};

static size_t place_of(const char *text, const char *const *names, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (str_equal(text, names[i]))
            return i;
    return len;
}

static void add_target(struct totals *totals, const cJSON *target)
{
    size_t verdict = place_of(json_str(target, "verdict"), verdicts, ARRAY_LEN(verdicts));
    if (verdict < ARRAY_LEN(verdicts) && verdict > totals->verdict)
        totals->verdict = verdict;
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(target, "findings")) {
        const char *severity = json_str(each, "severity");
        bool waived = document_waived(each);
        totals->waived += waived;
        totals->errors += !waived && str_equal(severity, "error");
        totals->warnings += !waived && str_equal(severity, "warning");
        totals->infos += !waived && str_equal(severity, "info");
    }
    cJSON_ArrayForEach (each, json_at(target, "checks")) {
        size_t outcome = place_of(json_str(each, "outcome"), outcomes, ARRAY_LEN(outcomes));
        if (outcome < ARRAY_LEN(outcomes))
            totals->outcomes[outcome]++;
    }
}

static cJSON *summary_of(const cJSON *targets)
{
    struct totals totals = {0};
    const cJSON *target;
    cJSON_ArrayForEach (target, targets) {
        add_target(&totals, target);
    }
    cJSON *summary = cJSON_CreateObject();
    json_put_str(summary, "verdict", verdicts[totals.verdict]);
    json_put_num(summary, "targets", cJSON_GetArraySize(targets));
    json_put_num(summary, "errors", (double)totals.errors);
    json_put_num(summary, "warnings", (double)totals.warnings);
    json_put_num(summary, "infos", (double)totals.infos);
    json_put_num(summary, "waived", (double)totals.waived);
    cJSON *checks = json_put_object(summary, "checks");
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
        json_put_num(checks, outcomes[i], (double)totals.outcomes[i]);
    return summary;
}

cJSON *report_new(cJSON *targets, const struct registry *registry, int64_t started,
                  int64_t finished)
{
    char text[CLOCK_TEXT_MAX];
    cJSON *report = cJSON_CreateObject();
    json_put_str(report, "schema", REPORT_SCHEMA);
    add_tool(report, registry);
    json_put_str(report, "started", clock_text(started, text));
    json_put_str(report, "finished", clock_text(finished, text));
    cJSON_AddItemToObject(report, "summary", summary_of(targets));
    arrange_targets(targets);
    cJSON_AddItemToObject(report, "targets", targets);
    return report;
}

static size_t count_baseline(const cJSON *report, const char *is)
{
    size_t count = 0;
    const cJSON *target, *finding;
    cJSON_ArrayForEach (target, json_at(report, "targets")) {
        cJSON_ArrayForEach (finding, json_at(target, "findings")) {
            count += str_equal(json_str(finding, "baseline"), is);
        }
    }
    return count;
}

static void add_baseline(cJSON *summary, const cJSON *report)
{
    double gone = 0;
    json_num(report, "summary.baseline.gone", &gone);
    cJSON *counts = json_put_object(summary, "baseline");
    for (size_t i = 0; i < ARRAY_LEN(baseline_fields); i++)
        json_put_num(counts, baseline_fields[i],
                     strcmp(baseline_fields[i], "gone") == 0
                         ? gone
                         : (double)count_baseline(report, baseline_fields[i]));
}

void report_summarise(cJSON *report)
{
    cJSON *summary = summary_of(json_at(report, "targets"));
    if (json_at(report, "policy.baseline"))
        add_baseline(summary, report);
    cJSON_ReplaceItemInObjectCaseSensitive(report, "summary", summary);
}

void report_arrange(cJSON *report)
{
    arrange(report, report_fields);
    arrange_targets(cJSON_GetObjectItemCaseSensitive(report, "targets"));
}

void report_put_policy(cJSON *report, cJSON *policy)
{
    if (!policy)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(report, "policy");
    cJSON_AddItemToObject(report, "policy", policy);
    arrange(report, report_fields);
}

bool report_target_incomplete(const cJSON *target)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(target, "sources")) {
        if (cJSON_GetArraySize(json_at(each, "problems")) > 0)
            return true;
    }
    cJSON_ArrayForEach (each, json_at(target, "checks")) {
        if (str_equal(json_str(each, "outcome"), "error"))
            return true;
    }
    return false;
}

static enum fail_on threshold_of(const cJSON *report)
{
    static const char *const levels[] = {"error", "warning", "incomplete", "never"};
    size_t level = place_of(json_str(report, "policy.fail_on"), levels, ARRAY_LEN(levels));
    return level < ARRAY_LEN(levels) ? (enum fail_on)level : FAIL_ON_ERROR;
}

struct news { /* what the exit status is taken from */
    bool errors, warnings, unknown, incomplete;
};

static void add_news(struct news *news, const cJSON *target)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (!document_decides(finding))
            continue;
        news->errors |= document_severity(finding) == 2;
        news->warnings |= document_severity(finding) == 1;
    }
    news->unknown |= str_equal(json_str(target, "verdict"), "unknown") &&
                     !str_equal(json_str(target, "baseline.verdict"), "unknown");
    news->incomplete |= report_target_incomplete(target) &&
                        !json_bool(target, "baseline.incomplete");
}

int report_exit(const cJSON *report, enum fail_on fail_on)
{
    struct news news = {0};
    const cJSON *target;
    cJSON_ArrayForEach (target, json_at(report, "targets")) {
        add_news(&news, target);
    }
    if (fail_on == FAIL_ON_UNSET)
        fail_on = threshold_of(report);
    bool never = fail_on == FAIL_ON_NEVER;
    if (news.errors && !never)
        return STATUS_ERRORS;
    if (news.unknown)
        return STATUS_FAILED;
    if (news.warnings && !never && fail_on >= FAIL_ON_WARNING)
        return STATUS_WARNINGS;
    return news.incomplete && fail_on == FAIL_ON_INCOMPLETE ? STATUS_INCOMPLETE : STATUS_OK;
}
