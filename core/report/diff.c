/* Stage: report. Puts what changed between two reports into a document. Reads both reports, writes
 * debrief.diff/1; matching is match.c's, wording the writers'. */
#include "report/diff.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/match.h"

static void put_copy(cJSON *object, const char *name, const cJSON *value)
{
    if (value)
        cJSON_AddItemToObject(object, name, cJSON_Duplicate(value, true));
}

static bool differs(const cJSON *a, const cJSON *b, const char *path)
{
    return !str_equal(json_str(a, path), json_str(b, path));
}

/* What the older report said of it, where that is not the same. */
static void put_was(cJSON *row, const cJSON *old, const cJSON *new)
{
    static const char *const members[] = {"severity", "state", "message", "waiver"};
    if (!old || !new ||
        !(differs(old, new, "severity") || differs(old, new, "state") ||
          differs(old, new, "message") || differs(old, new, "waiver.state")))
        return;
    cJSON *was = json_put_object(row, "was");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        put_copy(was, members[i], json_at(old, members[i]));
}

static void put_names(cJSON *row, const char *name, const cJSON *old, const cJSON *new)
{
    const char *now = json_str(new, "name"), *before = json_str(old, "name");
    json_put_str(row, name, now ? now : before);
    if (now && before && !str_equal(now, before))
        json_put_str(row, "old_target", before);
}

static cJSON *finding_row(const struct match_row *from)
{
    cJSON *row = cJSON_CreateObject();
    json_put_str(row, "change", match_name(from->change));
    put_names(row, "target", from->old_target, from->new_target);
    put_copy(row, "finding", from->new ? from->new : from->old);
    put_was(row, from->old, from->new);
    return row;
}

static cJSON *target_row(const struct match_pair *pair)
{
    cJSON *row = cJSON_CreateObject();
    put_names(row, "target", pair->old, pair->new);
    json_put_str(row, "old", json_str(pair->old, "verdict"));
    json_put_str(row, "new", json_str(pair->new, "verdict"));
    return row;
}

cJSON *diff_document(const cJSON *old, cJSON *new)
{
    struct match match;
    cJSON *document = cJSON_CreateObject();
    match_init(&match, old, new);
    json_put_str(document, "schema", DIFF_SCHEMA);
    json_put_str(document, "old", json_str(old, "finished"));
    json_put_str(document, "new", json_str(new, "finished"));
    cJSON *summary = json_put_object(document, "summary");
    for (int change = 0; change < MATCH_KINDS; change++)
        json_put_num(summary, match_name((enum match_change)change), (double)match.counts[change]);
    cJSON *targets = json_put_array(document, "targets");
    for (size_t i = 0; i < match.targets_len; i++)
        cJSON_AddItemToArray(targets, target_row(&match.targets[i]));
    cJSON *findings = json_put_array(document, "findings");
    for (size_t i = 0; i < match.len; i++)
        cJSON_AddItemToArray(findings, finding_row(&match.rows[i]));
    match_release(&match);
    return document;
}

void diff_total(struct buf *out, const cJSON *document)
{
    size_t written = 0;
    for (int change = 0; change < MATCH_KINDS; change++) {
        const char *name = match_name((enum match_change)change);
        double count = 0;
        if (json_num(json_at(document, "summary"), name, &count) && count > 0)
            buf_addf(out, "%s%.0f %s", written++ ? ", " : "", count, name);
    }
    buf_adds(out, written ? "\n" : "no findings in either report\n");
}

bool diff_json(struct buf *out, const cJSON *document, const struct report_style *style,
               struct err *err)
{
    (void)style;
    json_write(out, document, true);
    buf_addch(out, '\n');
    return !out->overflow || err_set(err, "the comparison is larger than %zu MB", out->max >> 20);
}
