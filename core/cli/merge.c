/* Command: merge. Reads the reports of shards, writes one with the targets of all of them and a new
 * summary. Deliberately judges nothing anew. */
#include "base/json.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/session.h"
#include "policy/join.h"
#include <string.h>

static cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool same_plugin(const cJSON *a, const cJSON *b)
{
    return str_equal(json_str(a, "name"), json_str(b, "name")) &&
           str_equal(json_str(a, "version"), json_str(b, "version")) &&
           str_equal(json_str(a, "kind"), json_str(b, "kind"));
}

static void join_plugins(cJSON *into, const cJSON *from)
{
    const cJSON *plugin, *each;
    cJSON_ArrayForEach (plugin, from) {
        bool there = false;
        cJSON_ArrayForEach (each, into) {
            there |= same_plugin(each, plugin);
        }
        if (!there && cJSON_IsArray(into))
            cJSON_AddItemToArray(into, cJSON_Duplicate(plugin, true));
    }
}

/* Times are RFC 3339 in UTC: the order of their texts is theirs. */
static void keep_time(cJSON *report, const cJSON *other, const char *name, int direction)
{
    const char *ours = json_str(report, name), *theirs = json_str(other, name);
    if (ours && theirs && strcmp(theirs, ours) * direction > 0)
        cJSON_SetValuestring(member(report, name), theirs);
}

static void join(cJSON *report, cJSON *other, bool *one_policy)
{
    *one_policy &= join_policy(report, other);
    cJSON *targets = member(report, "targets"), *target;
    keep_time(report, other, "started", -1);
    keep_time(report, other, "finished", 1);
    join_plugins(member(member(report, "tool"), "plugins"), json_at(other, "tool.plugins"));
    while ((target = cJSON_DetachItemFromArray(member(other, "targets"), 0)))
        cJSON_AddItemToArray(targets, target);
}

static cJSON *load_all(const struct text_list *paths, int *status)
{
    cJSON *report = session_report(paths->items[0], status);
    bool one_policy = true;
    for (size_t i = 1; report && i < paths->len; i++) {
        cJSON *other = session_report(paths->items[i], status);
        if (other) {
            join(report, other, &one_policy);
            cJSON_Delete(other);
        } else {
            cJSON_Delete(report);
            report = NULL;
        }
    }
    if (report && !one_policy)
        cli_warn("the reports were judged by different configurations or baselines; what each of "
                 "them waived stays waived");
    if (report) {
        report_summarise(report);
        report_arrange(report);
    }
    return report;
}

int merge_command(const struct options *options)
{
    struct outputs outputs;
    struct err err = ERR_INIT;
    int status;
    if (!outputs_init(&outputs, options, report_writer_names(), &err))
        return cli_usage(&err);
    cJSON *report = load_all(&options->operands, &status);
    if (report)
        status = output_report(&outputs, report, options, false);
    cJSON_Delete(report);
    outputs_release(&outputs);
    return status;
}
