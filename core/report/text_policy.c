/* Stage: report. Says what the configuration and the baseline did to a report, so that nobody takes a
 * silence for health that a file ordered. Reads the document only; judges nothing. */
#include "report/text_policy.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/text_verdict.h"
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX  (64u << 10)
#define HASH_SHOWN 12
#define NAMES_MAX  12

void text_policy_mark(struct buf *out, const cJSON *finding)
{
    const char *baseline = json_str(finding, "baseline");
    if (str_equal(baseline, "new") || str_equal(baseline, "worse"))
        buf_addf(out, " (%s)", baseline);
}

void text_policy_waiver(struct buf *out, const cJSON *finding)
{
    const cJSON *waiver = json_at(finding, "waiver");
    const char *owner = document_str(waiver, "owner", "?"),
               *expires = document_str(waiver, "expires", "?"),
               *reason = document_str(waiver, "reason", "");
    if (document_waived(finding))
        buf_addf(out, "waived until %s by %s: %s", expires, owner, reason);
    else if (str_equal(json_str(waiver, "state"), "expired"))
        buf_addf(out, "waiver of %s expired on %s: %s", owner, expires, reason);
}

void text_policy_ruling(const struct layout *layout, int indent, const cJSON *finding)
{
    const char *was = json_str(finding, "severity_was");
    struct buf text;
    buf_init(&text, FIELD_MAX);
    if (was)
        buf_addf(&text, "the configuration says %s, the check %s",
                 document_str(finding, "severity", "?"), was);
    if (json_at(finding, "waiver") && was)
        buf_adds(&text, "; ");
    text_policy_waiver(&text, finding);
    if (text.len)
        layout_field(layout, indent, "policy", buf_str(&text));
    buf_release(&text);
}

void text_policy_causes(const struct layout *layout, int indent, const cJSON *finding)
{
    struct buf text;
    const cJSON *id;
    buf_init(&text, FIELD_MAX);
    cJSON_ArrayForEach (id, json_at(finding, "explained_by")) {
        if (id->valuestring)
            buf_addf(&text, "%s%s", text.len ? ", " : "", id->valuestring);
    }
    if (text.len) {
        buf_adds(&text, ", which does not count");
        layout_field(layout, indent, "because", buf_str(&text));
    }
    buf_release(&text);
}

static void write_waived(const struct layout *layout, const cJSON *finding)
{
    struct buf text;
    const cJSON *waiver = json_at(finding, "waiver");
    buf_init(&text, FIELD_MAX);
    buf_addf(&text, "%s [%s] (%s %s) until %s by %s: %s", document_str(finding, "title", ""),
             document_str(finding, "id", "?"), document_str(finding, "subject.kind", "?"),
             document_str(finding, "subject.name", "?"), document_str(waiver, "expires", "?"),
             document_str(waiver, "owner", "?"), document_str(waiver, "reason", ""));
    layout_item(layout, 2, "waived:", INK_DIM, 4, buf_str(&text));
    if (layout->style->verbose)
        layout_item(layout, 4, "", INK_PLAIN, 4, document_str(finding, "message", ""));
    buf_release(&text);
}

void text_policy_waived(const struct layout *layout, const cJSON *target)
{
    const cJSON *finding;
    int written = 0;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (!document_waived(finding))
            continue;
        if (!written++)
            buf_addch(layout->out, '\n');
        write_waived(layout, finding);
    }
}

/* ---- the end of a report ---- */

static void add_file(struct buf *out, const char *lead, const cJSON *file)
{
    buf_addf(out, "%s%s (sha256 %.*s)", lead, document_str(file, "path", "?"), HASH_SHOWN,
             document_str(file, "sha256", "?"));
}

/* How many of ROWS met no finding. */
static int count_idle(const cJSON *rows)
{
    int count = 0;
    const cJSON *row;
    cJSON_ArrayForEach (row, rows) {
        double met = 1;
        count += json_num(row, "findings", &met) && met == 0;
    }
    return count;
}

static void write_config(const struct layout *layout, const cJSON *policy)
{
    const cJSON *waivers = json_at(policy, "waivers"), *severity = json_at(policy, "severity");
    const char *fail_on = json_str(policy, "fail_on");
    struct buf text, counts;
    buf_init(&text, FIELD_MAX);
    buf_init(&counts, FIELD_MAX);
    add_file(&text, "configuration ", json_at(policy, "config"));
    if (fail_on)
        buf_addf(&counts, "fail-on %s", fail_on);
    text_verdict_add_count(&counts, cJSON_GetArraySize(json_at(policy, "params")), "parameter",
                           "parameters");
    text_verdict_add_count(&counts, cJSON_GetArraySize(severity), "severity", "severities");
    text_verdict_add_count(&counts, cJSON_GetArraySize(waivers), "waiver", "waivers");
    text_verdict_add_count(&counts, document_count(waivers, "state", "expired"), "of them expired",
                           "of them expired");
    text_verdict_add_count(&counts, cJSON_GetArraySize(json_at(policy, "left_out")),
                           "check left out", "checks left out");
    buf_addf(&text, "%s%s", counts.len ? ": " : "", buf_str(&counts));
    layout_item(layout, 0, "", INK_PLAIN, 2, buf_str(&text));
    buf_release(&counts);
    buf_release(&text);
}

/* A rule that met nothing may be misspelt, or may go. */
static void write_idle(const struct layout *layout, const cJSON *rows, const char *what)
{
    const cJSON *row;
    cJSON_ArrayForEach (row, rows) {
        double met = 1;
        const char *target = json_str(row, "target"), *owner = json_str(row, "owner");
        if (!json_num(row, "findings", &met) || met != 0)
            continue;
        char *text = xasprintf("%s '%s'%s%s met no finding%s%s", what,
                               document_str(row, "finding", "?"), target ? " on " : "",
                               target ? target : "", owner ? "; owner " : "", owner ? owner : "");
        layout_item(layout, 2, "", INK_PLAIN, 4, text);
        free(text);
    }
}

static void write_left_out(const struct layout *layout, const cJSON *ids)
{
    struct buf text;
    const cJSON *id;
    int written = 0;
    buf_init(&text, FIELD_MAX);
    cJSON_ArrayForEach (id, ids) {
        if (id->valuestring && (written++ < NAMES_MAX || layout->style->verbose))
            buf_addf(&text, "%s%s", text.len ? ", " : "", id->valuestring);
    }
    if (written > NAMES_MAX && !layout->style->verbose)
        buf_addf(&text, " and %d more (--verbose)", written - NAMES_MAX);
    if (written)
        layout_item(layout, 2, "left out:", INK_DIM, 4, buf_str(&text));
    buf_release(&text);
}

static void write_baseline(const struct layout *layout, const cJSON *report)
{
    static const char *const names[] = {"new", "worse", "better", "unchanged", "gone"};
    const cJSON *counts = json_at(report, "summary.baseline");
    struct buf text;
    buf_init(&text, FIELD_MAX);
    add_file(&text, "beside ", json_at(report, "policy.baseline"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        double count = 0;
        json_num(counts, names[i], &count);
        buf_addf(&text, "%s%.0f %s", i ? ", " : ": ", count, names[i]);
    }
    buf_adds(&text, "; what is new or worse makes the exit status");
    layout_item(layout, 0, "", INK_PLAIN, 2, buf_str(&text));
    buf_release(&text);
}

void text_policy(const struct layout *layout, const cJSON *report)
{
    const cJSON *policy = json_at(report, "policy");
    if (json_at(policy, "config") || json_at(policy, "baseline"))
        buf_addch(layout->out, '\n');
    if (json_at(policy, "config"))
        write_config(layout, policy);
    write_left_out(layout, json_at(policy, "left_out"));
    if (layout->style->verbose) {
        write_idle(layout, json_at(policy, "severity"), "severity of");
        write_idle(layout, json_at(policy, "waivers"), "waiver of");
    } else if (count_idle(json_at(policy, "waivers"))) {
        buf_addf(layout->out, "  %d of its waivers met no finding (--verbose)\n",
                 count_idle(json_at(policy, "waivers")));
    }
    if (json_at(policy, "baseline"))
        write_baseline(layout, report);
}
