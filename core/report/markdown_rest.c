/* Stage: report. Renders what a Markdown report says of a target beside its causes: waived findings,
 * notes, unknown lines, timeline, what to add, coverage, sources. Reads the document only. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/markdown.h"
#include "report/markdown_text.h"
#include "report/report.h"
#include "report/text_verdict.h"
#include <limits.h>

#define FIELD_MAX (64u << 10)
#define ASKS_MAX  5

static void begin_fold(struct buf *out, const char *title, int count)
{
    buf_addf(out, "<details><summary>%s (%d)</summary>\n\n", title, count);
}

static void end_fold(struct buf *out)
{
    buf_adds(out, "\n</details>\n\n");
}

static bool is_short(const struct markdown_budget *budget)
{
    return budget->findings != INT_MAX;
}

static void add_finding(struct buf *out, const struct markdown_budget *budget, const cJSON *finding)
{
    buf_adds(out, "- ");
    markdown_code(out, MARKDOWN_LINE, document_str(finding, "id", "?"), budget->text);
    buf_adds(out, ": ");
    markdown_add(out, MARKDOWN_LINE, document_str(finding, "message", ""), budget->text);
}

static void write_waived(struct buf *out, const struct markdown_budget *budget, const cJSON *target)
{
    static const char *const parts[][2] = {
        {"waiver.reason", ""}, {"waiver.owner", "owner "}, {"waiver.expires", "until "}};
    const cJSON *finding;
    int shown = 0, all = 0;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        all += document_waived(finding);
    }
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (!document_waived(finding) || shown == budget->findings)
            continue;
        if (!shown++)
            begin_fold(out, "Waived", all);
        add_finding(out, budget, finding);
        buf_adds(out, " (waived: ");
        for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
            buf_addf(out, "%s%s", i ? ", " : "", parts[i][1]);
            markdown_add(out, MARKDOWN_LINE, document_str(finding, parts[i][0], "?"), budget->text);
        }
        buf_adds(out, ")\n");
    }
    if (shown)
        end_fold(out);
}

static void write_notes(struct buf *out, const struct markdown_budget *budget, const cJSON *target)
{
    const cJSON *finding, *findings = json_at(target, "findings");
    int shown = 0;
    cJSON_ArrayForEach (finding, findings) {
        if (!str_equal(json_str(finding, "role"), "note") || document_waived(finding))
            continue;
        if (!shown++)
            begin_fold(out, "Worth knowing", document_count(findings, "role", "note"));
        add_finding(out, budget, finding);
        buf_addch(out, '\n');
    }
    if (shown)
        end_fold(out);
}

static void write_unexplained(struct buf *out, const struct markdown_budget *budget,
                              const cJSON *target)
{
    const cJSON *line;
    int shown = 0;
    struct buf text;
    buf_init(&text, FIELD_MAX);
    cJSON_ArrayForEach (line, json_at(target, "unexplained")) {
        if (shown++ == budget->events)
            break;
        document_place(&text, line);
        buf_addf(&text, "  %s\n", document_str(line, "text", ""));
    }
    if (shown) {
        buf_adds(out, "**Lines that speak of trouble and that no check knows**\n\n");
        markdown_fence(out, 0, "text", buf_str(&text), budget->text);
        buf_addch(out, '\n');
    }
    buf_release(&text);
}

static void write_event(struct buf *out, const struct markdown_budget *budget, const cJSON *event)
{
    struct buf place;
    double count;
    buf_init(&place, FIELD_MAX);
    buf_adds(out, "| ");
    markdown_add(out, MARKDOWN_CELL, document_str(event, "time", "?"), budget->text);
    buf_adds(out, " | ");
    markdown_add(out, MARKDOWN_CELL, document_str(event, "text", ""), budget->text);
    if (json_num(event, "count", &count) && count > 1)
        buf_addf(out, " (%.0f times)", count);
    buf_adds(out, " | ");
    if (json_str(event, "source")) {
        document_place(&place, event);
        markdown_code(out, MARKDOWN_CELL, buf_str(&place), budget->text);
    }
    buf_adds(out, " |\n");
    buf_release(&place);
}

static void write_timeline(struct buf *out, const struct markdown_budget *budget,
                           const cJSON *target)
{
    const cJSON *event, *events = document_timeline(target);
    int shown = 0, all = cJSON_GetArraySize(events);
    if (!events)
        return;
    begin_fold(out, "Timeline", all);
    buf_adds(out, "| time | what | where |\n|---|---|---|\n");
    cJSON_ArrayForEach (event, events) {
        if (shown++ == budget->events)
            break;
        write_event(out, budget, event);
    }
    if (shown > budget->events)
        buf_addf(out, "| | and %d more | |\n", all - budget->events);
    end_fold(out);
}

static void write_hop(struct buf *out, const struct markdown_budget *budget, const cJSON *hop)
{
    buf_addf(out, "  - %s", json_bool(hop, "broke") ? "**breaks here:** " : "at ");
    markdown_add(out, MARKDOWN_LINE, document_str(hop, "kind", "?"), budget->text);
    if (json_str(hop, "name")) {
        buf_addch(out, ' ');
        markdown_code(out, MARKDOWN_LINE, json_str(hop, "name"), budget->text);
    }
    buf_adds(out, ": ");
    markdown_add(out, MARKDOWN_LINE, document_str(hop, "why", ""), budget->text);
    buf_addch(out, '\n');
}

static void write_walks(struct buf *out, const struct markdown_budget *budget, const cJSON *target)
{
    const cJSON *walk, *hop, *walks = json_at(target, "walks");
    int shown = 0, all = cJSON_GetArraySize(walks);
    if (!all || !cJSON_IsArray(walks))
        return;
    begin_fold(out, "Ways of requests", all);
    cJSON_ArrayForEach (walk, walks) {
        if (shown++ == budget->events)
            break;
        buf_adds(out, "- ");
        markdown_code(out, MARKDOWN_LINE, document_str(walk, "request", "?"), budget->text);
        buf_adds(out, ": ");
        markdown_add(out, MARKDOWN_LINE, document_str(walk, "ends", "unknown"), budget->text);
        buf_addch(out, '\n');
        int hops = 0;
        cJSON_ArrayForEach (hop, json_at(walk, "hops")) {
            if (hops++ < budget->events)
                write_hop(out, budget, hop);
        }
    }
    end_fold(out);
}

/* Asked for because a check could not begin without it, not because a cause is open. */
static bool is_general(const cJSON *ask)
{
    return str_starts(document_str(ask, "why", ""), REPORT_NEEDED_BY);
}

static void write_general(struct buf *out, const struct markdown_budget *budget, const cJSON *asks,
                          int most)
{
    const cJSON *ask;
    int shown = 0;
    cJSON_ArrayForEach (ask, asks) {
        if (!is_general(ask) || shown == most)
            continue;
        buf_adds(out, shown++ ? ", " : "- what other checks need: ");
        markdown_code(out, MARKDOWN_LINE, document_str(ask, "evidence", "?"), budget->text);
    }
    buf_adds(out, shown ? "\n" : "");
}

static void write_asks(struct buf *out, const struct markdown_budget *budget, const cJSON *target)
{
    const cJSON *ask, *asks = json_at(target, "asks");
    int shown = 0, most = is_short(budget) ? ASKS_MAX : INT_MAX, all = cJSON_GetArraySize(asks);
    if (!all || !text_verdict_read(target))
        return;
    begin_fold(out, "To be sure: what to add", all);
    cJSON_ArrayForEach (ask, asks) {
        if (is_general(ask) || shown++ >= most)
            continue;
        buf_adds(out, "- ");
        markdown_code(out, MARKDOWN_LINE, document_str(ask, "evidence", "?"), budget->text);
        buf_adds(out, ": ");
        markdown_add(out, MARKDOWN_LINE, document_str(ask, "why", ""), budget->text);
        buf_adds(out, "\n\n");
        markdown_fence(out, 2, "text", document_str(ask, "how", ""), budget->text);
    }
    write_general(out, budget, asks, most);
    end_fold(out);
}

static void write_counts(struct buf *out, const cJSON *target)
{
    static const char *const outcomes[][2] = {{"pass", "passed"},
                                              {"fail", "failed"},
                                              {"skip", "skipped for lack of evidence"},
                                              {"not_applicable", "not applicable"},
                                              {"error", "ended in error"}};
    const cJSON *checks = json_at(target, "checks");
    struct buf counts;
    buf_init(&counts, FIELD_MAX);
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
        text_verdict_add_count(&counts, document_count(checks, "outcome", outcomes[i][0]),
                               outcomes[i][1], outcomes[i][1]);
    buf_addf(out, "Read %d of %d sources; of %d checks %s.\n\n", text_verdict_read(target),
             cJSON_GetArraySize(json_at(target, "sources")), cJSON_GetArraySize(checks),
             counts.len ? buf_str(&counts) : "none ran");
    buf_release(&counts);
}

static void write_redactions(struct buf *out, const struct markdown_budget *budget,
                             const cJSON *target)
{
    struct buf text;
    buf_init(&text, FIELD_MAX);
    document_redactions(&text, target);
    if (text.len) {
        buf_adds(out, "Removed before anything was written: ");
        markdown_add(out, MARKDOWN_LINE, buf_str(&text), budget->text);
        buf_adds(out, "\n\n");
    }
    buf_release(&text);
}

static void write_coverage(struct buf *out, const struct markdown_budget *budget,
                           const cJSON *target)
{
    const cJSON *check, *checks = json_at(target, "checks");
    write_counts(out, target);
    write_redactions(out, budget, target);
    if (!budget->coverage || !cJSON_GetArraySize(checks))
        return;
    begin_fold(out, "Checks", cJSON_GetArraySize(checks));
    buf_adds(out, "| check | outcome | reason |\n|---|---|---|\n");
    cJSON_ArrayForEach (check, checks) {
        buf_adds(out, "| ");
        markdown_code(out, MARKDOWN_CELL, document_str(check, "id", "?"), budget->text);
        buf_adds(out, " | ");
        const char *outcome = document_str(check, "outcome", "?");
        markdown_add(out, MARKDOWN_CELL,
                     str_equal(outcome, "not_applicable") ? "not applicable" : outcome,
                     budget->text);
        buf_adds(out, " | ");
        markdown_add(out, MARKDOWN_CELL, document_str(check, "reason", ""), budget->text);
        buf_adds(out, " |\n");
    }
    end_fold(out);
}

static void write_sources(struct buf *out, const struct markdown_budget *budget,
                          const cJSON *target)
{
    static const char *const members[] = {"name", "kind", "sha256", "problems[0]"};
    const cJSON *source, *sources = json_at(target, "sources");
    if (!budget->sources || !cJSON_GetArraySize(sources))
        return;
    begin_fold(out, "Sources", cJSON_GetArraySize(sources));
    buf_adds(out, "| source | read as | sha256 | problem |\n|---|---|---|---|\n");
    cJSON_ArrayForEach (source, sources) {
        for (size_t i = 0; i < ARRAY_LEN(members); i++) {
            const char *text = document_str(source, members[i], "");
            buf_adds(out, i ? " | " : "| ");
            if (i < 3)
                markdown_code(out, MARKDOWN_CELL, text, budget->text);
            else
                markdown_add(out, MARKDOWN_CELL, text, budget->text);
        }
        buf_adds(out, " |\n");
    }
    end_fold(out);
}

void markdown_rest(struct buf *out, const struct markdown_budget *budget, const cJSON *target)
{
    write_waived(out, budget, target);
    if (budget->notes)
        write_notes(out, budget, target);
    write_unexplained(out, budget, target);
    write_timeline(out, budget, target);
    write_walks(out, budget, target);
    write_asks(out, budget, target);
    write_coverage(out, budget, target);
    write_sources(out, budget, target);
}
