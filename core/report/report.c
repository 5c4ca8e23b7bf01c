/* Stage: report. Puts the findings of all targets into the one document that every writer renders:
 * fields in the contract's order, plugins, times, summary. Reads nothing but that document and the
 * registry; renders nothing itself. */
#include "report/report.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "config.h"
#include "report/writers.h"
#include <string.h>

static const struct report_writer writers[] = {
    {"text", text_report},             /* a terminal */
    {"json", json_report},             /* the document itself */
    {"markdown", markdown_report},     /* an issue, a chat */
    {"junit", junit_report},           /* a CI server's list of tests */
    {"prometheus", prometheus_report}, /* node_exporter's textfile collector */
    {"nagios", nagios_report},         /* Nagios, Icinga */
    {"jsonl", jsonl_report},           /* Vector, Fluent Bit, jq */
};

static const char *const outcomes[] = {"pass", "fail", "skip", "not_applicable", "error"};

/* From harmless to worst; a target that could not be judged is worse news than one that is well. */
static const char *const verdicts[] = {"ok", "unknown", "warning", "error"};

static const char *const target_fields[] = {"name", "verdict", "envoy",        "findings", "checks",
                                            "asks", "sources", "unrecognised", NULL};

static const char *const finding_fields[] = {
    "id",    "severity",    "role",       "rank",     "confidence", "subject",    "state",
    "first", "last",        "count",      "title",    "message",    "explains",   "explained_by",
    "check", "fingerprint", "candidates", "evidence", "fix",        "references", NULL};

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
    size_t verdict, errors, warnings, infos;
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
        totals->errors += str_equal(severity, "error");
        totals->warnings += str_equal(severity, "warning");
        totals->infos += str_equal(severity, "info");
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
    json_put_num(summary, "waived", 0);
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

void report_summarise(cJSON *report)
{
    cJSON_ReplaceItemInObjectCaseSensitive(report, "summary",
                                           summary_of(json_at(report, "targets")));
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

int report_exit(const cJSON *report, enum fail_on fail_on)
{
    struct totals totals = {0};
    bool unknown = false, incomplete = false;
    const cJSON *target;
    cJSON_ArrayForEach (target, json_at(report, "targets")) {
        add_target(&totals, target);
        unknown |= str_equal(json_str(target, "verdict"), "unknown");
        incomplete |= report_target_incomplete(target);
    }
    bool never = fail_on == FAIL_ON_NEVER;
    if (totals.errors && !never)
        return STATUS_ERRORS;
    if (unknown)
        return STATUS_FAILED;
    if (totals.warnings && !never && fail_on >= FAIL_ON_WARNING)
        return STATUS_WARNINGS;
    return incomplete && fail_on == FAIL_ON_INCOMPLETE ? STATUS_INCOMPLETE : STATUS_OK;
}
