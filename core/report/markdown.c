/* Stage: report. Renders the document as GitHub-flavoured Markdown to paste into an issue or a chat:
 * verdict, causes with proof and repair, the rest folded. Reads the document only. Stays below the
 * size that such places take: what does not fit is left out in a fixed order, and the end says so. */
#include "report/markdown.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/markdown_text.h"
#include "report/relations.h"
#include "report/text_verdict.h"
#include "report/writers.h"
#include <limits.h>
#include <string.h>

#define SIZE_LIMIT 60000
#define FIELD_MAX  (64u << 10)
#define ALL        INT_MAX

static const struct markdown_budget budgets[] = {
    {NULL, true, true, true, true, ALL, ALL, ALL, ALL, ALL, ALL, 0},
    {"sources", false, true, true, true, ALL, ALL, ALL, ALL, ALL, ALL, 0},
    {"coverage", false, false, true, true, ALL, ALL, ALL, ALL, ALL, ALL, 0},
    {"later events of the timeline", false, false, true, true, 10, ALL, ALL, ALL, ALL, ALL, 0},
    {"proofs beyond the first", false, false, true, true, 10, 1, ALL, ALL, ALL, ALL, 0},
    {"notes", false, false, false, true, 10, 1, ALL, ALL, ALL, ALL, 0},
    {"references", false, false, false, false, 10, 1, ALL, ALL, ALL, ALL, 0},
    {"details of targets", false, false, false, false, 5, 1, ALL, 50, 300, 50, 0},
    {NULL, false, false, false, false, 5, 1, 20, 20, 200, 20, 4000},
    {"ends of long texts", false, false, false, false, 5, 1, 10, 20, 200, 10, 1000},
    {"steps of repair", false, false, false, false, 5, 1, 5, 10, 100, 5, 500},
    {"findings", false, false, false, false, 3, 1, 3, 5, 50, 2, 300},
    {NULL, false, false, false, false, 2, 1, 2, 3, 15, 1, 120},
};

static const char *glyph(const cJSON *object)
{
    static const char *const glyphs[][2] = {
        {"error", "\xE2\x9C\x96"}, {"warning", "\xE2\x96\xB2"}, {"ok", "\xE2\x9C\x94"}};
    for (size_t i = 0; i < ARRAY_LEN(glyphs); i++)
        if (str_equal(json_str(object, "verdict"), glyphs[i][0]))
            return glyphs[i][1];
    return "?";
}

static void add_verdict(struct buf *out, const struct markdown_budget *budget,
                        enum markdown_place place, const cJSON *target)
{
    struct buf verdict;
    buf_init(&verdict, FIELD_MAX);
    text_verdict(&verdict, target);
    markdown_add(out, place, buf_str(&verdict), budget->text);
    buf_release(&verdict);
}

static void write_envoy(struct buf *out, const struct markdown_budget *budget, const cJSON *target)
{
    static const char *const parts[][2] = {{"envoy.version", "Envoy "},
                                           {"envoy.state", ""},
                                           {"envoy.mesh", "mesh "},
                                           {"envoy.node", "node "}};
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *value = json_str(target, parts[i][0]);
        if (!value || !*value)
            continue;
        buf_addf(out, "%s%s", any ? ", " : "\xE2\x80\xA2 ", parts[i][1]);
        markdown_add(out, MARKDOWN_LINE, value, budget->text);
        any = true;
    }
    buf_adds(out, any ? "\n\n" : "");
}

/* Causes that count, most probable first; those behind the first three are folded. */
static void write_causes(struct buf *out, const struct markdown_budget *budget, const cJSON *target,
                         int level)
{
    struct relations relations;
    relations_init(&relations, target);
    int number = 0, all = (int)relations_standing(&relations);
    bool folded = false;
    for (size_t i = 0; i < relations.len && !out->overflow; i++) {
        if (!relations.items[i].stands)
            continue;
        if (number++ == budget->findings)
            break;
        if (number == 4 && all > 4) {
            buf_addf(out, "<details><summary>%d further causes</summary>\n\n", all - 3);
            folded = true;
        }
        markdown_finding(out, budget, &relations, relations.items[i].finding, level, number);
    }
    if (folded)
        buf_adds(out, "</details>\n\n");
    if (number > budget->findings)
        buf_addf(out, "\xE2\x80\xA2 and %d further causes\n\n", all - budget->findings);
    relations_release(&relations);
}

static void write_target(struct buf *out, const struct markdown_budget *budget, const cJSON *target,
                         int level)
{
    write_envoy(out, budget, target);
    write_causes(out, budget, target, level);
    markdown_rest(out, budget, target);
}

static void write_row(struct buf *out, const struct markdown_budget *budget, const cJSON *target)
{
    const cJSON *cause = document_first_cause(target);
    buf_addf(out, "| %s ", glyph(target));
    markdown_code(out, MARKDOWN_CELL, document_str(target, "name", "?"), budget->text);
    buf_adds(out, " | ");
    add_verdict(out, budget, MARKDOWN_CELL, target);
    buf_adds(out, " | ");
    if (cause && document_stands(target, cause)) {
        markdown_code(out, MARKDOWN_CELL, document_str(cause, "id", "?"), budget->text);
        buf_addch(out, ' ');
        markdown_add(out, MARKDOWN_CELL, document_str(cause, "title", ""), budget->text);
    }
    buf_adds(out, " |\n");
}

static int gravity(const cJSON *target)
{
    static const char *const verdicts[] = {"ok", "unknown", "warning", "error"};
    for (int i = 3; i > 0; i--)
        if (str_equal(json_str(target, "verdict"), verdicts[i]))
            return i;
    return 0;
}

/* The targets from worst to best: all rows, then details of those that have something to repair. */
static void write_rows(struct buf *out, const struct markdown_budget *budget, const cJSON *targets)
{
    int shown = 0, all = cJSON_GetArraySize(targets);
    const cJSON *target;
    buf_adds(out, "| target | verdict | first cause |\n|---|---|---|\n");
    for (int wanted = 3; wanted >= 0; wanted--)
        cJSON_ArrayForEach (target, targets) {
            if (gravity(target) != wanted || shown == budget->rows || out->overflow)
                continue;
            write_row(out, budget, target);
            shown++;
        }
    if (shown < all)
        buf_addf(out, "| and %d more | | |\n", all - shown);
    buf_addch(out, '\n');
}

static void write_details(struct buf *out, const struct markdown_budget *budget,
                          const cJSON *targets)
{
    int shown = 0;
    const cJSON *target;
    for (int wanted = 3; wanted >= 2; wanted--)
        cJSON_ArrayForEach (target, targets) {
            if (gravity(target) != wanted || shown == budget->targets || out->overflow)
                continue;
            shown++;
            buf_addf(out, "<details><summary>%s ", glyph(target));
            markdown_add(out, MARKDOWN_HTML, document_str(target, "name", "?"), budget->text);
            buf_adds(out, ": ");
            add_verdict(out, budget, MARKDOWN_HTML, target);
            buf_adds(out, "</summary>\n\n");
            write_target(out, budget, target, 3);
            buf_adds(out, "</details>\n\n");
        }
}

static void write_fleet(struct buf *out, const struct markdown_budget *budget, const cJSON *report)
{
    const cJSON *targets = json_at(report, "targets");
    struct buf counts;
    buf_init(&counts, FIELD_MAX);
    text_verdict_fleet(&counts, targets);
    buf_addf(out, "## %s %d targets: %s\n\n", glyph(json_at(report, "summary")),
             cJSON_GetArraySize(targets), buf_str(&counts));
    buf_release(&counts);
    write_rows(out, budget, targets);
    write_details(out, budget, targets);
}

static void write_single(struct buf *out, const struct markdown_budget *budget, const cJSON *target)
{
    buf_addf(out, "## %s ", glyph(target));
    markdown_code(out, MARKDOWN_LINE, document_str(target, "name", "?"), budget->text);
    buf_adds(out, ": ");
    add_verdict(out, budget, MARKDOWN_LINE, target);
    buf_adds(out, "\n\n");
    write_target(out, budget, target, 3);
}

/* The configuration or the baseline, by which the findings were judged too. */
static void add_file(struct buf *out, const char *lead, const cJSON *file)
{
    if (!file)
        return;
    buf_addf(out, ", %s ", lead);
    markdown_add(out, MARKDOWN_LINE, document_str(file, "path", "?"), 200);
    buf_adds(out, " (sha256 ");
    markdown_add(out, MARKDOWN_LINE, document_str(file, "sha256", "?"), 12);
    buf_addch(out, ')');
}

static void write_footer(struct buf *out, const cJSON *report, size_t used)
{
    int shed = 0;
    buf_adds(out, "<sub>debrief ");
    markdown_add(out, MARKDOWN_LINE, document_str(report, "tool.version", "?"), 40);
    buf_adds(out, ", ");
    markdown_add(out, MARKDOWN_LINE, document_str(report, "finished", "?"), 40);
    add_file(out, "configuration", json_at(report, "policy.config"));
    add_file(out, "beside", json_at(report, "policy.baseline"));
    for (size_t i = 0; i <= used; i++)
        if (budgets[i].sheds)
            buf_addf(out, "%s%s",
                     shed++ ? ", " : "; left out to stay below 60 kB: ", budgets[i].sheds);
    if (shed)
        buf_adds(out, ". All of it: <code>debrief report REPORT.json --verbose</code>");
    buf_adds(out, "</sub>\n");
}

bool markdown_report(struct buf *out, const cJSON *report, const struct report_style *style,
                     struct err *err)
{
    (void)style;
    (void)err;
    const cJSON *targets = json_at(report, "targets");
    struct buf text;
    buf_init(&text, SIZE_LIMIT);
    for (size_t i = 0; i < ARRAY_LEN(budgets); i++) {
        buf_clear(&text);
        if (cJSON_GetArraySize(targets) == 1)
            write_single(&text, &budgets[i], targets->child);
        else
            write_fleet(&text, &budgets[i], report);
        write_footer(&text, report, i);
        if (!text.overflow)
            break;
    }
    buf_add(out, text.data, text.len);
    buf_release(&text);
    return true;
}
