/* Command: diff. Reads two saved reports, writes what changed between them, finding by finding. A finding
 * that is missing because its check could not judge this time is told apart from one that is gone. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/session.h"
#include "report/layout.h"
#include "report/text_finding.h"
#include <stdlib.h>
#include <string.h>

#define DIFF_SCHEMA "debrief.diff/1"

enum change { CHANGE_NEW, CHANGE_WORSE, CHANGE_BETTER, CHANGE_GONE, CHANGE_UNJUDGED, CHANGE_NONE };

static const char *const change_names[] = {"new",  "worse",    "better",
                                           "gone", "unjudged", "unchanged"};

struct diff {
    cJSON *old, *new;
    cJSON *document; /* debrief.diff/1 */
    cJSON *rows;
    cJSON *added; /* NEW less what was there before: what the exit status is taken from */
    size_t counts[ARRAY_LEN(change_names)];
};

static const cJSON *targets_of(const cJSON *report)
{
    return json_at(report, "targets");
}

/* Two reports of one target each are about the same proxy, whatever they call it: a bundle and the
 * address it came from have different names. */
static cJSON *find_target(const cJSON *report, const cJSON *other_report, const cJSON *other)
{
    cJSON *target;
    const cJSON *targets = targets_of(report);
    if (cJSON_GetArraySize(targets) == 1 && cJSON_GetArraySize(targets_of(other_report)) == 1)
        return cJSON_GetArrayItem(targets, 0);
    cJSON_ArrayForEach (target, targets) {
        if (str_equal(json_str(target, "name"), json_str(other, "name")))
            return target;
    }
    return NULL;
}

static const cJSON *find_finding(const cJSON *target, const cJSON *other)
{
    const cJSON *finding;
    const char *fingerprint = json_str(other, "fingerprint");
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (fingerprint && str_equal(json_str(finding, "fingerprint"), fingerprint))
            return finding;
    }
    return NULL;
}

static int severity_rank(const cJSON *finding)
{
    const char *severity = json_str(finding, "severity");
    return str_equal(severity, "error") ? 2 : str_equal(severity, "warning") ? 1 : 0;
}

static bool was_judged(const cJSON *target, const char *check)
{
    const cJSON *row;
    cJSON_ArrayForEach (row, json_at(target, "checks")) {
        const char *outcome = json_str(row, "outcome");
        if (str_equal(json_str(row, "id"), check))
            return !str_equal(outcome, "skip") && !str_equal(outcome, "error");
    }
    return false;
}

static void add_row(struct diff *diff, enum change change, const cJSON *target,
                    const cJSON *finding)
{
    cJSON *row = cJSON_CreateObject();
    json_put_str(row, "change", change_names[change]);
    json_put_str(row, "target", json_str(target, "name"));
    cJSON_AddItemToObject(row, "finding", cJSON_Duplicate(finding, true));
    cJSON_AddItemToArray(diff->rows, row);
    diff->counts[change]++;
}

static enum change change_of(const cJSON *before, const cJSON *after)
{
    int was = before ? severity_rank(before) : 0, is = severity_rank(after);
    if (!before)
        return CHANGE_NEW;
    return is == was ? CHANGE_NONE : is > was ? CHANGE_WORSE : CHANGE_BETTER;
}

static void compare_new(struct diff *diff, enum change wanted)
{
    const cJSON *target, *finding;
    cJSON_ArrayForEach (target, targets_of(diff->new)) {
        const cJSON *before = find_target(diff->old, diff->new, target);
        cJSON_ArrayForEach (finding, json_at(target, "findings")) {
            enum change change = change_of(find_finding(before, finding), finding);
            if (change == wanted)
                add_row(diff, change, target, finding);
        }
    }
}

static void compare_old(struct diff *diff, enum change wanted)
{
    const cJSON *target, *finding;
    cJSON_ArrayForEach (target, targets_of(diff->old)) {
        const cJSON *after = find_target(diff->new, diff->old, target);
        cJSON_ArrayForEach (finding, json_at(target, "findings")) {
            if (find_finding(after, finding))
                continue;
            bool judged = was_judged(after, json_str(finding, "check"));
            if ((judged ? CHANGE_GONE : CHANGE_UNJUDGED) == wanted)
                add_row(diff, wanted, target, finding);
        }
    }
}

static void clear_problems(cJSON *target)
{
    cJSON *row;
    cJSON_ArrayForEach (row, cJSON_GetObjectItemCaseSensitive(target, "sources")) {
        cJSON_DeleteItemFromObjectCaseSensitive(row, "problems");
    }
    cJSON_DeleteItemFromObjectCaseSensitive(target, "checks");
}

/* What was so before is no news: neither its findings nor that a target could not be read. */
static void keep_added(const cJSON *before, cJSON *target)
{
    cJSON *findings = cJSON_GetObjectItemCaseSensitive(target, "findings");
    for (int i = cJSON_GetArraySize(findings) - 1; i >= 0; i--) {
        const cJSON *finding = cJSON_GetArrayItem(findings, i);
        enum change change = change_of(find_finding(before, finding), finding);
        if (change != CHANGE_NEW && change != CHANGE_WORSE)
            cJSON_DeleteItemFromArray(findings, i);
    }
    if (before && str_equal(json_str(before, "verdict"), "unknown"))
        cJSON_DeleteItemFromObjectCaseSensitive(target, "verdict");
    if (before && report_target_incomplete(before))
        clear_problems(target);
}

static void compare(struct diff *diff)
{
    static const enum change from_new[] = {CHANGE_NEW, CHANGE_WORSE, CHANGE_BETTER};
    for (size_t i = 0; i < ARRAY_LEN(from_new); i++)
        compare_new(diff, from_new[i]);
    compare_old(diff, CHANGE_GONE);
    compare_old(diff, CHANGE_UNJUDGED);
    compare_new(diff, CHANGE_NONE);
    diff->added = cJSON_Duplicate(diff->new, true);
    cJSON *target;
    cJSON_ArrayForEach (target, cJSON_GetObjectItemCaseSensitive(diff->added, "targets")) {
        keep_added(find_target(diff->old, diff->new, target), target);
    }
}

static void describe(struct diff *diff)
{
    diff->document = cJSON_CreateObject();
    json_put_str(diff->document, "schema", DIFF_SCHEMA);
    json_put_str(diff->document, "old", json_str(diff->old, "finished"));
    json_put_str(diff->document, "new", json_str(diff->new, "finished"));
    cJSON *summary = json_put_object(diff->document, "summary");
    for (size_t i = 0; i < ARRAY_LEN(change_names); i++)
        json_put_num(summary, change_names[i], (double)diff->counts[i]);
    cJSON_AddItemToObject(diff->document, "findings", diff->rows);
}

static void write_row(const struct layout *layout, const cJSON *row)
{
    const cJSON *finding = json_at(row, "finding");
    const char *title = json_str(finding, "title"), *id = json_str(finding, "id");
    const char *target = json_str(row, "target"), *message = json_str(finding, "message");
    enum glyph glyph = text_finding_glyph(json_str(finding, "severity"));
    char *text = xasprintf("%s [%s] on %s: %s", title ? title : "", id ? id : "?",
                           target ? target : "?", message ? message : "");
    layout_item(layout, 2, layout_glyph(layout, glyph), layout_ink(glyph), 4, text);
    free(text);
}

static void write_text(struct buf *out, const struct diff *diff, const struct report_style *style)
{
    const struct layout layout = {out, style};
    const cJSON *row;
    for (size_t i = 0; i < ARRAY_LEN(change_names); i++) {
        bool hidden = style->quiet || (i == CHANGE_NONE && !style->verbose);
        if (!diff->counts[i] || hidden)
            continue;
        layout_paint(&layout, INK_BOLD, change_names[i]);
        buf_addch(out, '\n');
        cJSON_ArrayForEach (row, diff->rows) {
            if (str_equal(json_str(row, "change"), change_names[i]))
                write_row(&layout, row);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(change_names); i++)
        buf_addf(out, "%s%zu %s", i ? ", " : "", diff->counts[i], change_names[i]);
    buf_addch(out, '\n');
}

static bool write_all(const struct outputs *outputs, const struct diff *diff,
                      const struct options *options)
{
    bool ok = true;
    for (size_t i = 0; i < outputs->len; i++) {
        struct buf bytes;
        struct err err = ERR_INIT;
        struct report_style style = output_style(&outputs->items[i], options);
        buf_init(&bytes, REPORT_SIZE_MAX);
        if (strcmp(outputs->items[i].format, "text") == 0) {
            write_text(&bytes, diff, &style);
        } else {
            json_write(&bytes, diff->document, true);
            buf_addch(&bytes, '\n');
        }
        if (!output_write(&outputs->items[i], &bytes, &err)) {
            cli_warn("%s", err.text);
            ok = false;
        }
        buf_release(&bytes);
    }
    return ok;
}

static int run(struct diff *diff, const struct outputs *outputs, const struct options *options)
{
    int status = STATUS_OK;
    diff->old = session_report(options->operands.items[0], &status);
    diff->new = diff->old ? session_report(options->operands.items[1], &status) : NULL;
    if (!diff->new)
        return status;
    diff->rows = cJSON_CreateArray();
    compare(diff);
    describe(diff);
    status = report_exit(diff->added, (enum fail_on)options->fail_on);
    if (!write_all(outputs, diff, options) && status != STATUS_ERRORS)
        status = STATUS_FAILED;
    return status;
}

int diff_command(const struct options *options)
{
    struct outputs outputs;
    struct err err = ERR_INIT;
    if (!outputs_init(&outputs, options, "text, json", &err))
        return cli_usage(&err);
    struct diff diff = {0};
    int status = run(&diff, &outputs, options);
    cJSON_Delete(diff.old);
    cJSON_Delete(diff.new);
    cJSON_Delete(diff.document);
    cJSON_Delete(diff.added);
    outputs_release(&outputs);
    return status;
}
