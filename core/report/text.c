/* Stage: report. Renders the document for a tired engineer: verdict, causes with proof and repair, what
 * to add where the cause is open, and what was looked at. Reads the document only; judges nothing. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/layout.h"
#include "report/text_asks.h"
#include "report/text_finding.h"
#include "report/text_fleet.h"
#include "report/text_policy.h"
#include "report/text_timeline.h"
#include "report/text_verdict.h"
#include "report/text_walks.h"
#include "report/writers.h"
#include <stdlib.h>
#include <string.h>

#define PROBLEMS_MAX    8
#define NAMES_MAX       12
#define UNEXPLAINED_MAX 5
#define FIELD_MAX       (64u << 10)
#define REASON_MAX      240 /* bytes of the first cause in the verdict line */

static enum glyph verdict_glyph(const char *verdict)
{
    if (strcmp(verdict, "error") == 0)
        return GLYPH_ERROR;
    if (strcmp(verdict, "warning") == 0)
        return GLYPH_WARNING;
    return strcmp(verdict, "ok") == 0 ? GLYPH_OK : GLYPH_UNKNOWN;
}

/* Whether there is something to act on. */
static bool has_cause(const cJSON *target)
{
    const cJSON *cause = document_first_cause(target);
    return cause && !document_waived(cause);
}

/* The first root cause in its own words, as much as a verdict line takes: whole, or up to a blank. */
static void add_reason(struct buf *out, const cJSON *target)
{
    const char *message = document_str(document_first_cause(target), "message", "");
    size_t len = strlen(message), shown = len;
    if (len > REASON_MAX)
        for (shown = REASON_MAX; shown && message[shown] != ' ';)
            shown--;
    if (!shown)
        return;
    buf_adds(out, strchr(buf_str(out), ';') ? "; " : ": ");
    buf_add(out, message, shown);
    buf_adds(out, shown < len ? " ..." : "");
}

static void write_heading(const struct layout *layout, const cJSON *target)
{
    enum glyph glyph = verdict_glyph(document_str(target, "verdict", "unknown"));
    struct buf text;
    buf_init(&text, FIELD_MAX);
    buf_addf(&text, "%s: ", document_str(target, "name", "?"));
    text_verdict(&text, target);
    if (has_cause(target))
        add_reason(&text, target);
    layout_item(layout, 0, layout_glyph(layout, glyph), layout_ink(glyph), 2, buf_str(&text));
    buf_release(&text);
}

static void write_envoy(const struct layout *layout, const cJSON *target)
{
    static const char *const parts[][2] = {{"envoy.version", "Envoy "},
                                           {"envoy.state", ""},
                                           {"envoy.mesh", "mesh "},
                                           {"envoy.node", "node "}};
    struct buf text;
    buf_init(&text, FIELD_MAX);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *value = json_str(target, parts[i][0]);
        if (value && *value)
            buf_addf(&text, "%s%s%s", text.len ? ", " : "", parts[i][1], value);
    }
    if (text.len) {
        buf_add(layout->out, "  ", 2);
        struct buf clean;
        buf_init(&clean, FIELD_MAX);
        layout_clean(layout, &clean, buf_str(&text), false, 0);
        layout_paint(layout, INK_BOLD, buf_str(&clean));
        buf_addch(layout->out, '\n');
        buf_release(&clean);
    }
    buf_release(&text);
}

static void write_findings(const struct layout *layout, const cJSON *target)
{
    struct relations relations;
    int causes = 0, notes = 0;
    relations_init(&relations, target);
    for (size_t i = 0; i < relations.len; i++) {
        const cJSON *finding = relations.items[i].finding;
        bool note = str_equal(json_str(finding, "role"), "note") && !document_waived(finding);
        if (relations.items[i].stands) {
            buf_addch(layout->out, '\n');
            text_finding_cause(layout, &relations, finding, ++causes);
        } else if (note) {
            if (!notes++)
                buf_adds(layout->out, "\n  worth knowing\n");
            text_finding_note(layout, &relations, finding);
        }
    }
    relations_release(&relations);
    text_policy_waived(layout, target);
}

static void write_more(const struct layout *layout, int indent, int more)
{
    if (more > 0)
        buf_addf(layout->out, "%*sand %d more (--verbose)\n", indent, "", more);
}

static void write_window(const struct layout *layout, const cJSON *window)
{
    const char *since = json_str(window, "since"), *until = json_str(window, "until");
    if (!since && !until)
        return;
    char *text = xasprintf("log lines and events%s%s%s%s only", since ? " from " : "",
                           since ? since : "", until ? " until " : "", until ? until : "");
    layout_item(layout, 2, "", INK_PLAIN, 4, text);
    free(text);
}

static void write_redactions(const struct layout *layout, const cJSON *target)
{
    struct buf text;
    buf_init(&text, FIELD_MAX);
    document_redactions(&text, target);
    if (text.len)
        layout_item(layout, 2, "removed:", INK_DIM, 4, buf_str(&text));
    buf_release(&text);
}

static void write_coverage(const struct layout *layout, const cJSON *target)
{
    static const char *const outcomes[][2] = {{"pass", "passed"},
                                              {"fail", "failed"},
                                              {"skip", "skipped for lack of evidence"},
                                              {"not_applicable", "not applicable"},
                                              {"error", "ended in error"}};
    const cJSON *sources = json_at(target, "sources"), *checks = json_at(target, "checks");
    struct buf counts;
    buf_init(&counts, FIELD_MAX);
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        int count = document_count(checks, "outcome", outcomes[i][0]);
        text_verdict_add_count(&counts, count, outcomes[i][1], outcomes[i][1]);
    }
    char *text = xasprintf("read %d of %d sources; of %d checks %s", text_verdict_read(target),
                           cJSON_GetArraySize(sources), cJSON_GetArraySize(checks),
                           counts.len ? buf_str(&counts) : "none ran");
    buf_addch(layout->out, '\n');
    layout_item(layout, 2, "", INK_PLAIN, 4, text);
    write_window(layout, json_at(target, "window"));
    write_redactions(layout, target);
    free(text);
    buf_release(&counts);
}

static void write_trouble(const struct layout *layout, const char *name, const char *text,
                          int *shown, int *all)
{
    (*all)++;
    if (!layout->style->verbose && *shown == PROBLEMS_MAX)
        return;
    (*shown)++;
    char *line = xasprintf("%s: %s", name, text);
    layout_item(layout, 2, layout_glyph(layout, GLYPH_WARNING), INK_WARNING, 4, line);
    free(line);
}

static bool has_problem(const cJSON *source, const char *text)
{
    const cJSON *problem;
    cJSON_ArrayForEach (problem, json_at(source, "problems")) {
        if (str_equal(problem->valuestring, text))
            return true;
    }
    return false;
}

/* Whether no source before this one has the same problem. */
static bool is_first(const cJSON *target, const cJSON *source, const cJSON *problem)
{
    const cJSON *other;
    cJSON_ArrayForEach (other, json_at(target, "sources")) {
        if (other == source)
            return true;
        if (has_problem(other, problem->valuestring))
            return false;
    }
    return true;
}

/* SOURCE, and how many behind it have the same problem. */
static char *name_of_all(const cJSON *source, const char *problem)
{
    int more = 0;
    for (const cJSON *other = source->next; other; other = other->next)
        more += has_problem(other, problem);
    const char *name = document_str(source, "name", "?");
    return more ? xasprintf("%s and %d more", name, more) : xstrdup(name);
}

static void write_troubles(const struct layout *layout, const cJSON *target)
{
    int shown = 0, all = 0;
    const cJSON *row, *problem;
    cJSON_ArrayForEach (row, json_at(target, "checks")) {
        if (str_equal(json_str(row, "outcome"), "error")) {
            char *name = xasprintf("check %s", document_str(row, "id", "?"));
            write_trouble(layout, name, document_str(row, "reason", "ended in error"), &shown,
                          &all);
            free(name);
        }
    }
    cJSON_ArrayForEach (row, json_at(target, "sources")) {
        cJSON_ArrayForEach (problem, json_at(row, "problems")) {
            if (!cJSON_IsString(problem) || !is_first(target, row, problem))
                continue;
            char *name = name_of_all(row, problem->valuestring);
            write_trouble(layout, name, problem->valuestring, &shown, &all);
            free(name);
        }
    }
    write_more(layout, 4, all - shown);
}

/* Strings of ROWS (or their MEMBER, where every one of WANTED's outcome counts) as one wrapped line. */
static void write_names(const struct layout *layout, const char *lead, const cJSON *rows,
                        const char *member, const char *filter, const char *value)
{
    struct buf text;
    int shown = 0, all = 0;
    const cJSON *row;
    buf_init(&text, FIELD_MAX);
    cJSON_ArrayForEach (row, rows) {
        const char *name = member ? json_str(row, member) : row->valuestring;
        const char *is = filter ? json_str(row, filter) : NULL;
        if (!name || (value && !str_equal(is, value)) || (filter && !value && !(is && *is)))
            continue;
        if (all++ < NAMES_MAX || layout->style->verbose) {
            buf_addf(&text, "%s%s", shown++ ? ", " : "", name);
        }
    }
    if (all > shown)
        buf_addf(&text, " and %d more", all - shown);
    if (all)
        layout_item(layout, 2, lead, INK_DIM, 4, buf_str(&text));
    buf_release(&text);
}

static void write_looked_at(const struct layout *layout, const cJSON *target)
{
    const cJSON *checks = json_at(target, "checks");
    if (!has_cause(target)) {
        write_names(layout, "looked at:", json_at(target, "sources"), "name", "kind", NULL);
        write_names(layout, "judged:", checks, "id", "outcome", "pass");
    }
    if (!has_cause(target) && text_verdict_read(target))
        write_names(layout, "not judged:", checks, "id", "outcome", "skip");
    write_names(layout, "not recognised:", json_at(target, "unrecognised"), NULL, NULL, NULL);
}

static enum glyph outcome_glyph(const char *outcome)
{
    if (strcmp(outcome, "pass") == 0)
        return GLYPH_OK;
    if (strcmp(outcome, "fail") == 0)
        return GLYPH_ERROR;
    return strcmp(outcome, "error") == 0 ? GLYPH_WARNING : GLYPH_SKIP;
}

static void write_checks(const struct layout *layout, const cJSON *target)
{
    const cJSON *check;
    buf_adds(layout->out, "\n  checks\n");
    cJSON_ArrayForEach (check, json_at(target, "checks")) {
        const char *outcome = document_str(check, "outcome", "?"),
                   *reason = document_str(check, "reason", "");
        enum glyph glyph = outcome_glyph(outcome);
        if (strcmp(outcome, "not_applicable") == 0)
            outcome = "not applicable";
        char *text = xasprintf("%s: %s%s%s", document_str(check, "id", "?"), outcome,
                               *reason ? ": " : "", reason);
        layout_item(layout, 2, layout_glyph(layout, glyph), layout_ink(glyph), 6, text);
        free(text);
    }
}

/* Beside a cause such lines are of little use: most of them are its consequences in other words. */
static void write_unexplained(const struct layout *layout, const cJSON *target)
{
    const cJSON *line;
    int shown = 0;
    if (has_cause(target) && !layout->style->verbose)
        return;
    cJSON_ArrayForEach (line, json_at(target, "unexplained")) {
        if (shown == UNEXPLAINED_MAX && !layout->style->verbose)
            break;
        if (!shown++)
            buf_adds(layout->out, "\n  speaks of trouble, and no check knows it\n");
        const char *number = document_str(line, "locator", "");
        char *text = xasprintf("%s:%s  %s", document_str(line, "source", "?"),
                               str_starts(number, "line ") ? number + strlen("line ") : number,
                               document_str(line, "text", ""));
        layout_item(layout, 4, "", INK_PLAIN, 6, text);
        free(text);
    }
    write_more(layout, 4, cJSON_GetArraySize(json_at(target, "unexplained")) - shown);
}

static void write_target(const struct layout *layout, const cJSON *target)
{
    write_heading(layout, target);
    write_envoy(layout, target);
    write_findings(layout, target);
    write_unexplained(layout, target);
    text_walks(layout, target);
    text_timeline(layout, target);
    if (text_verdict_read(target))
        text_asks(layout, target);
    write_coverage(layout, target);
    write_troubles(layout, target);
    write_looked_at(layout, target);
    if (layout->style->verbose)
        write_checks(layout, target);
}

/* The target, its verdict and the first root cause, in one line whatever the width. */
static void write_quiet(const struct layout *layout, const cJSON *target)
{
    const cJSON *cause = document_first_cause(target);
    enum glyph glyph = verdict_glyph(document_str(target, "verdict", "unknown"));
    struct buf text, clean;
    buf_init(&text, FIELD_MAX);
    buf_init(&clean, FIELD_MAX);
    buf_addf(&text, "%s: ", document_str(target, "name", "?"));
    text_verdict(&text, target);
    if (has_cause(target))
        buf_addf(&text, "; %s [%s]", document_str(cause, "message", ""),
                 document_str(cause, "id", "?"));
    layout_clean(layout, &clean, buf_str(&text), false, 0);
    layout_paint(layout, layout_ink(glyph), layout_glyph(layout, glyph));
    buf_addf(layout->out, " %s\n", buf_str(&clean));
    buf_release(&clean);
    buf_release(&text);
}

bool text_report(struct buf *out, const cJSON *report, const struct report_style *style,
                 struct err *err)
{
    const struct layout layout = {out, style};
    const cJSON *targets = json_at(report, "targets"), *target;
    int written = 0;
    cJSON_ArrayForEach (target, targets) {
        if (style->quiet) {
            write_quiet(&layout, target);
            continue;
        }
        if (written++)
            buf_addch(out, '\n');
        write_target(&layout, target);
    }
    if (!style->quiet && cJSON_GetArraySize(targets) != 1)
        text_fleet(&layout, targets);
    if (!style->quiet)
        text_policy(&layout, report);
    return out->overflow ? err_set(err, "the report is larger than %u MB", REPORT_SIZE_MAX >> 20)
                         : true;
}
