/* Stage: report. Renders for the HTML page what was looked at and what was not: lines that no check knows,
 * checks by outcome, sources, what was removed. Reads the document only; draws no conclusions. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"
#include "report/text_verdict.h"

void html_unexplained(struct html *html)
{
    const cJSON *lines = json_at(html->target, "unexplained"), *line;
    if (!cJSON_GetArraySize(lines))
        return;
    html_addf(html, "<section>");
    html_add_heading(html, html->level, NULL,
                     "Lines that speak of trouble, and no check knows them");
    cJSON_ArrayForEach (line, lines) {
        html_addf(
            html,
            "<figure class=\"proof\"><figcaption><code>%s</code> "
            "<span class=\"path\">%s</span></figcaption><pre><code>%s</code></pre></figure>\n",
            document_str(line, "source", "?"), document_str(line, "locator", ""),
            document_str(line, "text", ""));
    }
    html_addf(html, "</section>\n");
}

/* ---- checks ---- */

static void add_outcome(struct html *html, const char *outcome, const char *mark, const char *title)
{
    const cJSON *checks = json_at(html->target, "checks"), *check;
    int count = document_count(checks, "outcome", outcome);
    if (!count)
        return;
    html_addf(html, "<details%s><summary>", str_equal(outcome, "error") ? " open" : "");
    html_add_mark(html, mark, NULL);
    html_addf(html, " %d %s</summary><ul class=\"checks\">", count, title);
    cJSON_ArrayForEach (check, checks) {
        const char *reason = document_str(check, "reason", "");
        if (!str_equal(json_str(check, "outcome"), outcome))
            continue;
        html_addf(html, "<li><code>%s</code>", document_str(check, "id", "?"));
        html_addf(html, *reason ? " <span class=\"quiet\">%s</span></li>" : "%s</li>", reason);
    }
    html_addf(html, "</ul></details>\n");
}

/* The same numbers as in the verdict: of the checks that apply. */
static void add_extent(struct html *html)
{
    const struct text_extent extent = text_verdict_extent(html->target);
    if (extent.idle)
        html_addf(html, "<p>%d of %d checks that apply could judge; %d do not apply:</p>\n",
                  extent.judged, extent.apply, extent.idle);
    else
        html_addf(html, "<p>%d of %d checks could judge:</p>\n", extent.judged, extent.apply);
}

void html_coverage(struct html *html)
{
    static const char *const rows[][3] = {
        {"error", "error", "ended in an error"},
        {"fail", "warning", "found something"},
        {"pass", "ok", "found nothing wrong"},
        {"skip", "unknown", "could not judge: evidence is missing"},
        {"not_applicable", "note", "do not apply to this proxy"}};
    html_addf(html, "<section class=\"coverage\">");
    html_add_heading(html, html->level, NULL, "What was judged");
    add_extent(html);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add_outcome(html, rows[i][0], rows[i][1], rows[i][2]);
    html_addf(html, "</section>\n");
}

/* ---- sources ---- */

static void add_number(struct html *html, const cJSON *row, const char *member)
{
    double value = 0;
    html_addf(html, "<td class=\"number\" data-unit=\"%s\">", member);
    if (json_num(row, member, &value) && value >= 0 && value < 1e15)
        buf_addf(html->out, "%.0f", value);
    html_addf(html, "</td>");
}

static void add_source(struct html *html, const cJSON *source)
{
    const cJSON *problem, *problems = json_at(source, "problems");
    html_addf(html, "<tr><th scope=\"row\"><code>%s</code>", document_str(source, "name", "?"));
    cJSON_ArrayForEach (problem, problems) {
        if (!cJSON_IsString(problem))
            continue;
        html_addf(html, "<p class=\"problem\">");
        html_add_mark(html, "warning", NULL);
        html_addf(html, " %s</p>", problem->valuestring);
    }
    html_addf(html, "</th><td>%s</td>", document_str(source, "kind", "not read"));
    add_number(html, source, "bytes");
    add_number(html, source, "records");
    html_addf(html, "<td class=\"hash\">%s</td></tr>\n", json_str(source, "sha256"));
}

void html_sources(struct html *html)
{
    const cJSON *sources = json_at(html->target, "sources"), *each;
    const cJSON *unknown = json_at(html->target, "unrecognised");
    html_addf(html, "<section>");
    html_add_heading(html, html->level, NULL, "What was looked at");
    if (cJSON_GetArraySize(sources)) {
        html_addf(html,
                  "<div class=\"wide\" role=\"region\" aria-label=\"Sources of %s\" tabindex=\"0\">"
                  "<table class=\"sources\"><thead><tr><th scope=\"col\">Source</th>"
                  "<th scope=\"col\">Read as</th><th scope=\"col\">Bytes</th>"
                  "<th scope=\"col\">Records</th><th scope=\"col\">sha256 as received</th></tr>"
                  "</thead><tbody>\n",
                  document_str(html->target, "name", "?"));
        cJSON_ArrayForEach (each, sources) {
            add_source(html, each);
        }
        html_addf(html, "</tbody></table></div>\n");
    } else {
        html_addf(html, "<p>Nothing could be read.</p>");
    }
    if (cJSON_GetArraySize(unknown)) {
        html_addf(html, "<p>Not recognised:</p><ul>");
        cJSON_ArrayForEach (each, unknown) {
            if (cJSON_IsString(each))
                html_addf(html, "<li><code>%s</code></li>", each->valuestring);
        }
        html_addf(html, "</ul>\n");
    }
    html_addf(html, "</section>\n");
}

void html_redactions(struct html *html)
{
    const cJSON *rows = json_at(html->target, "redactions"), *row;
    if (!cJSON_GetArraySize(rows))
        return;
    html_addf(html, "<section>");
    html_add_heading(html, html->level, NULL, "What was removed before anything was written");
    html_addf(html, "<ul class=\"redactions\">");
    cJSON_ArrayForEach (row, rows) {
        double count = 0;
        json_num(row, "count", &count);
        html_addf(html, "<li>%d of kind <b>%s</b> from <code>%s</code></li>",
                  count > 0 && count < 1e9 ? (int)count : 0, document_str(row, "kind", "?"),
                  document_str(row, "source", "?"));
    }
    html_addf(html, "</ul></section>\n");
}
