/* Stage: report. Renders one finding of the document as Markdown: what, proof, repair, consequences.
 * Reads the document only; how much is told is the caller's budget. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/markdown.h"
#include "report/markdown_text.h"

#define PLACE_MAX   (64u << 10)
#define STEP_INDENT 4 /* inside "1. " and "10. " alike */

static void add_label(struct buf *out, const char *label)
{
    buf_addf(out, "**%s** ", label);
}

static void write_facts(struct buf *out, const struct markdown_budget *budget, const cJSON *finding)
{
    static const char *const facts[] = {"severity", "confidence", "state", "baseline"};
    double count;
    markdown_code(out, MARKDOWN_LINE, document_str(finding, "id", "?"), budget->text);
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        const char *value = json_str(finding, facts[i]);
        if (!value || str_equal(value, "unknown"))
            continue;
        buf_adds(out, ", ");
        markdown_add(out, MARKDOWN_LINE, value, budget->text);
    }
    if (json_num(finding, "count", &count) && count > 1)
        buf_addf(out, ", %.0f times", count);
    if (json_str(finding, "first")) {
        buf_adds(out, ", since ");
        markdown_add(out, MARKDOWN_LINE, json_str(finding, "first"), budget->text);
    }
    buf_adds(out, ", ");
    markdown_add(out, MARKDOWN_LINE, document_str(finding, "subject.kind", "subject"),
                 budget->text);
    buf_addch(out, ' ');
    markdown_code(out, MARKDOWN_LINE, document_str(finding, "subject.name", "?"), budget->text);
    buf_adds(out, "\n\n");
}

/* What the configuration did to it: another severity, a waiver that is over. */
static void write_ruling(struct buf *out, const struct markdown_budget *budget,
                         const cJSON *finding)
{
    static const char *const parts[][2] = {
        {"waiver.owner", "waiver of "}, {"waiver.expires", "expired on "}, {"waiver.reason", ""}};
    if (json_str(finding, "severity_was")) {
        buf_adds(out, "**Policy** the check said ");
        markdown_add(out, MARKDOWN_LINE, json_str(finding, "severity_was"), budget->text);
        buf_adds(out, "\n\n");
    }
    if (!str_equal(json_str(finding, "waiver.state"), "expired"))
        return;
    buf_adds(out, "**Policy** ");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        buf_addf(out, "%s%s", i ? ", " : "", parts[i][1]);
        markdown_add(out, MARKDOWN_LINE, document_str(finding, parts[i][0], "?"), budget->text);
    }
    buf_adds(out, "\n\n");
}

static void write_proofs(struct buf *out, const struct markdown_budget *budget,
                         const cJSON *finding)
{
    const cJSON *proof, *proofs = json_at(finding, "evidence");
    int shown = 0;
    struct buf place;
    buf_init(&place, PLACE_MAX);
    cJSON_ArrayForEach (proof, proofs) {
        if (shown++ == budget->proofs)
            break;
        buf_clear(&place);
        document_place(&place, proof);
        add_label(out, "Proof");
        markdown_code(out, MARKDOWN_LINE, buf_str(&place), budget->text);
        buf_adds(out, "\n\n");
        markdown_fence(out, 0, "text", document_str(proof, "excerpt", ""), budget->text);
        buf_addch(out, '\n');
    }
    buf_release(&place);
}

static const char *language(const char *path)
{
    static const char *const languages[][2] = {
        {".json", "json"}, {".yaml", "yaml"}, {".yml", "yaml"}, {".sh", "sh"}};
    for (size_t i = 0; path && i < ARRAY_LEN(languages); i++)
        if (str_ends(path, languages[i][0]))
            return languages[i][1];
    return "text";
}

static void write_snippet(struct buf *out, const struct markdown_budget *budget, const cJSON *step)
{
    const char *path = json_str(step, "snippet.path"), *text = json_str(step, "snippet.text");
    if (!text)
        return;
    if (path) {
        buf_adds(out, "\n    file ");
        markdown_code(out, MARKDOWN_LINE, path, budget->text);
        buf_addch(out, '\n');
    }
    buf_addch(out, '\n');
    markdown_fence(out, STEP_INDENT, language(path), text, budget->text);
}

static void write_fix(struct buf *out, const struct markdown_budget *budget, const cJSON *finding)
{
    const cJSON *step;
    int number = 0;
    cJSON_ArrayForEach (step, json_at(finding, "fix")) {
        if (number == budget->steps)
            break;
        if (!number++)
            buf_adds(out, "**Fix**\n\n");
        buf_addf(out, "%d. ", number);
        markdown_add(out, MARKDOWN_LINE, document_str(step, "text", ""), budget->text);
        buf_addch(out, '\n');
        if (json_str(step, "command")) {
            buf_addch(out, '\n');
            markdown_fence(out, STEP_INDENT, "sh", json_str(step, "command"), budget->text);
        }
        write_snippet(out, budget, step);
    }
    buf_adds(out, number ? "\n" : "");
}

static void write_follows(struct buf *out, const struct markdown_budget *budget,
                          const struct relations *relations, const cJSON *finding)
{
    const cJSON *each;
    int shown = 0;
    cJSON_ArrayForEach (each, json_at(finding, "explains")) {
        if (!cJSON_IsString(each) || shown == budget->findings)
            continue;
        if (shown++)
            buf_adds(out, "; ");
        else
            add_label(out, "Follows from it");
        const char *title = json_str(relations_finding(relations, each->valuestring), "title");
        if (title) {
            markdown_add(out, MARKDOWN_LINE, title, budget->text);
            buf_addch(out, ' ');
        }
        markdown_code(out, MARKDOWN_LINE, each->valuestring, budget->text);
    }
    buf_adds(out, shown ? "\n\n" : "");
}

static void write_candidates(struct buf *out, const struct markdown_budget *budget,
                             const cJSON *finding)
{
    static const char *const sides[][2] = {{"for", "speaks for it:"},
                                           {"against", "speaks against it:"}};
    const cJSON *candidate, *each;
    bool rivals = document_rivals(finding);
    int shown = 0;
    cJSON_ArrayForEach (candidate, json_at(finding, "candidates")) {
        if (shown == budget->steps)
            break;
        if (!shown++)
            buf_adds(out, rivals ? "**Possible causes**\n\n" : "**Why this cause**\n\n");
        if (rivals) {
            buf_adds(out, "- ");
            markdown_code(out, MARKDOWN_LINE, document_str(candidate, "id", "?"), budget->text);
            buf_addch(out, '\n');
        }
        for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
            int said = 0;
            cJSON_ArrayForEach (each, json_at(candidate, sides[i][0])) {
                if (!cJSON_IsString(each) || said++ >= budget->steps)
                    continue;
                buf_addf(out, "%s- %s ", rivals ? "  " : "", sides[i][1]);
                markdown_add(out, MARKDOWN_LINE, each->valuestring, budget->text);
                buf_addch(out, '\n');
            }
        }
    }
    buf_adds(out, shown ? "\n" : "");
}

static void write_references(struct buf *out, const struct markdown_budget *budget,
                             const cJSON *finding)
{
    const cJSON *each;
    int shown = 0;
    cJSON_ArrayForEach (each, json_at(finding, "references")) {
        if (!cJSON_IsString(each) || !budget->references)
            continue;
        if (shown++)
            buf_addch(out, ' ');
        else
            add_label(out, "Read");
        markdown_link(out, each->valuestring, budget->text);
    }
    buf_adds(out, shown ? "\n\n" : "");
}

static void write_heading(struct buf *out, const struct markdown_budget *budget,
                          const cJSON *finding, int level, int number)
{
    static const char *const glyphs[] = {"\xE2\x80\xA2", "\xE2\x96\xB2", "\xE2\x9C\x96"};
    buf_addf(out, "%.*s %s ", level, "######", glyphs[document_severity(finding)]);
    if (number)
        buf_addf(out, "%d. ", number);
    markdown_add(out, MARKDOWN_LINE, document_str(finding, "title", "?"), budget->text);
    buf_adds(out, "\n\n");
}

void markdown_finding(struct buf *out, const struct markdown_budget *budget,
                      const struct relations *relations, const cJSON *finding, int level,
                      int number)
{
    write_heading(out, budget, finding, level, number);
    add_label(out, "What");
    markdown_add(out, MARKDOWN_LINE, document_str(finding, "message", ""), budget->text);
    buf_adds(out, "\n\n");
    write_facts(out, budget, finding);
    write_ruling(out, budget, finding);
    write_proofs(out, budget, finding);
    write_candidates(out, budget, finding);
    write_fix(out, budget, finding);
    write_follows(out, budget, relations, finding);
    write_references(out, budget, finding);
}
