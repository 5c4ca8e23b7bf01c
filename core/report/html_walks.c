/* Stage: report. Renders the ways of requests that checks followed for the HTML page, hop by hop, the
 * broken hop marked. Reads the document only; follows nothing itself. */
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"

static void add_hop(struct html *html, const cJSON *hop)
{
    const char *name = json_str(hop, "name"), *source = json_str(hop, "source");
    bool broke = cJSON_IsTrue(json_at(hop, "broke"));
    html_addf(html, broke ? "<li class=\"broke\">" : "<li>");
    html_addf(html, "<p><span class=\"kind\">%s</span> ", document_str(hop, "kind", "?"));
    if (name)
        html_addf(html, "<code>%s</code>", name);
    if (broke) {
        html_addf(html, " ");
        html_add_mark(html, "error", "breaks here");
    }
    html_addf(html, "</p><p>%s</p>", document_str(hop, "why", ""));
    if (source)
        html_addf(html, "<p class=\"quiet\"><code>%s</code> %s</p>", source,
                  document_str(hop, "locator", ""));
    html_addf(html, "</li>");
}

static void add_end(struct html *html, const cJSON *walk)
{
    double status = 0;
    const char *flag = json_str(walk, "flag"), *unknown = json_str(walk, "unknown");
    const char *depends = json_str(walk, "depends"), *id = json_str(walk, "finding");
    const struct html_finding *finding = html_finding_of(html, id);
    html_addf(html, "<p class=\"ends\">The request ends: <b>%s</b>",
              document_str(walk, "ends", "?"));
    if (json_num(walk, "status", &status) && status >= 100 && status < 1000)
        html_addf(html, ", status %d", (int)status);
    if (flag)
        html_addf(html, ", response flag <code>%s</code>", flag);
    html_addf(html, "</p>");
    if (unknown)
        html_addf(html, "<p class=\"quiet\">Unknown from here on: %s</p>", unknown);
    if (depends)
        html_addf(html, "<p class=\"quiet\">Depends on: %s</p>", depends);
    if (finding)
        html_addf(html, "<p>What rests on it: <a href=\"#%s\"><code>%s</code></a></p>", finding->id,
                  id);
}

void html_walks(struct html *html)
{
    const cJSON *walks = json_at(html->target, "walks"), *walk, *hop;
    if (!cJSON_GetArraySize(walks))
        return;
    html_addf(html, "<section class=\"walks\">");
    html_add_heading(html, html->level, NULL, "The way of a request");
    cJSON_ArrayForEach (walk, walks) {
        html_addf(html, "<div class=\"walk\">");
        html_addf(html, "<p><code class=\"request\">%s</code> <span class=\"quiet\">%s",
                  document_str(walk, "request", "?"), json_str(walk, "direction"));
        html_addf(html, " (followed by <code>%s</code>)</span></p><ol class=\"hops\">",
                  document_str(walk, "check", "?"));
        cJSON_ArrayForEach (hop, json_at(walk, "hops")) {
            add_hop(html, hop);
        }
        html_addf(html, "</ol>");
        add_end(html, walk);
        html_addf(html, "</div>\n");
    }
    html_addf(html, "</section>\n");
}
