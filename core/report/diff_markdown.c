/* Stage: report. Renders a comparison as GitHub-flavoured Markdown to paste into a merge request: a table
 * of what changed. Reads the debrief.diff/1 document only. Stays below the size that such places take. */
#include "base/json.h"
#include "base/str.h"
#include "report/diff.h"
#include "report/document.h"
#include "report/markdown_text.h"
#include "report/match.h"

#define SIZE_LIMIT 60000
#define ROW_LIMIT  50000 /* rows begin below this */
#define TEXT_CAP   1000

static void add_cell(struct buf *out, const char *text)
{
    markdown_add(out, MARKDOWN_CELL, text, TEXT_CAP);
}

static void add_row(struct buf *out, const cJSON *row)
{
    const cJSON *finding = json_at(row, "finding");
    const char *was = json_str(row, "was.severity"),
               *severity = document_str(finding, "severity", "?");
    buf_adds(out, "| ");
    add_cell(out, document_str(row, "change", "?"));
    buf_adds(out, " | ");
    add_cell(out, severity);
    if (document_waived(finding))
        buf_adds(out, ", waived");
    if (was && !str_equal(was, severity)) {
        buf_adds(out, ", before: ");
        add_cell(out, was);
    }
    buf_adds(out, " | ");
    markdown_code(out, MARKDOWN_CELL, document_str(finding, "id", "?"), TEXT_CAP);
    buf_adds(out, " | ");
    add_cell(out, document_str(finding, "message", ""));
    buf_adds(out, " | ");
    add_cell(out, document_str(row, "target", "?"));
    buf_adds(out, " |\n");
}

static bool is_shown(const cJSON *row, const struct report_style *style)
{
    return style->verbose || !str_equal(json_str(row, "change"), match_name(MATCH_UNCHANGED));
}

static void add_rows(struct buf *out, const cJSON *document, const struct report_style *style)
{
    const cJSON *row;
    int shown = 0, left_out = 0;
    cJSON_ArrayForEach (row, json_at(document, "findings")) {
        if (!is_shown(row, style))
            continue;
        if (out->len > ROW_LIMIT) {
            left_out++;
            continue;
        }
        if (!shown++)
            buf_adds(out, "\n| | severity | finding | what | target |\n|---|---|---|---|---|\n");
        add_row(out, row);
    }
    if (left_out)
        buf_addf(out, "\n%d more do not fit here.\n", left_out);
}

bool diff_markdown(struct buf *out, const cJSON *document, const struct report_style *style,
                   struct err *err)
{
    struct buf text;
    buf_init(&text, SIZE_LIMIT);
    buf_adds(&text, "**debrief diff:** ");
    diff_total(&text, document);
    if (!style->quiet)
        add_rows(&text, document, style);
    bool fits = !text.overflow;
    buf_add(out, buf_str(&text), text.len);
    buf_release(&text);
    return (fits && !out->overflow) || err_set(err, "the comparison is larger than 60 kB");
}
