/* Stage: report. Puts the HTML page together: head with its policy, the answer, each target, how the report
 * was made. Reads the document only; the parts of a target are in files of their own. */
#include "report/html.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html_assets.h"
#include "report/text_verdict.h"
#include "report/writers.h"
#include <openssl/evp.h>
#include <string.h>

#define SCRATCH_MAX  (16u << 20)
#define SENTENCE_MAX 4096

/* ---- head ---- */

/* 'sha256-...' of what stands inside a style or script element, as a policy names it. */
static void add_source_hash(struct buf *out, const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char base64[64];
    unsigned len = 0;
    EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL);
    EVP_EncodeBlock((unsigned char *)base64, digest, (int)len);
    buf_addf(out, " 'sha256-%s'", base64);
}

/* Nothing may be loaded, sent or run but the style and the scripts of this page, by their hashes. */
static void add_policy(struct html *html, bool fleet)
{
    buf_adds(html->out,
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "img-src data:; base-uri 'none'; form-action 'none'; style-src");
    add_source_hash(html->out, html_asset_report_css);
    buf_adds(html->out, "; script-src");
    add_source_hash(html->out, html_asset_report_js);
    if (fleet)
        add_source_hash(html->out, html_asset_fleet_js);
    buf_adds(html->out, "\">\n");
}

static void add_title(struct html *html)
{
    const cJSON *targets = json_at(html->report, "targets");
    const char *verdict = document_str(html->report, "summary.verdict", "unknown");
    int len = cJSON_GetArraySize(targets);
    if (len == 1)
        html_addf(html, "<title>%s: %s - debrief</title>\n", verdict,
                  document_str(targets, "[0].name", "?"));
    else
        html_addf(html, "<title>%s: %d targets - debrief</title>\n", verdict, len);
}

static void add_head(struct html *html, bool fleet)
{
    buf_adds(html->out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    add_policy(html, fleet);
    html_addf(html,
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta name=\"color-scheme\" content=\"light dark\">\n"
              "<meta name=\"referrer\" content=\"no-referrer\">\n"
              "<meta name=\"generator\" content=\"debrief %s\">\n"
              "<link rel=\"icon\" href=\"data:,\">\n",
              document_str(html->report, "tool.version", ""));
    add_title(html);
    buf_adds(html->out, "<style>");
    buf_adds(html->out, html_asset_report_css);
    buf_adds(html->out, "</style>\n</head>\n<body>\n");
}

/* Each kind has a shape of its own: colour alone tells nothing to one reader in twelve. */
static void add_marks(struct html *html)
{
    buf_adds(
        html->out,
        "<svg class=\"marks\" width=\"0\" height=\"0\" aria-hidden=\"true\">\n"
        "<symbol id=\"mark-error\" viewBox=\"0 0 16 16\"><path d=\"M5 0h6l5 5v6l-5 5H5l-5-5V5z\"/>"
        "<path class=\"in\" d=\"M5 5l6 6M11 5l-6 6\"/></symbol>\n"
        "<symbol id=\"mark-warning\" viewBox=\"0 0 16 16\"><path d=\"M8 0l8 15H0z\"/>"
        "<path class=\"in\" d=\"M8 5v5M8 12v1\"/></symbol>\n"
        "<symbol id=\"mark-note\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"7\"/>"
        "<path class=\"in\" d=\"M8 7v5M8 4v1\"/></symbol>\n"
        "<symbol id=\"mark-ok\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"8\"/>"
        "<path class=\"in\" d=\"M4 8l3 3 5-6\"/></symbol>\n"
        "<symbol id=\"mark-unknown\" viewBox=\"0 0 16 16\"><circle class=\"line\" cx=\"8\" "
        "cy=\"8\" "
        "r=\"6\"/><path class=\"line\" d=\"M5 8h6\"/></symbol>\n"
        "<symbol id=\"mark-waived\" viewBox=\"0 0 16 16\"><circle class=\"line\" cx=\"8\" cy=\"8\" "
        "r=\"6\"/><path class=\"line\" d=\"M4 12l8-8\"/></symbol>\n</svg>\n");
}

/* ---- targets ---- */

static void add_target(struct html *html, const cJSON *target, int number, bool alone)
{
    html_target_begin(html, target, number);
    html->level = alone ? 2 : 3;
    html_addf(html, "<section class=\"target\" id=\"target-%d\" aria-labelledby=\"name-%d\">\n",
              number, number);
    if (alone)
        html_addf(html, "<h1 id=\"name-1\">%s</h1>\n", document_str(target, "name", "?"));
    else
        html_addf(html, "<h2 id=\"name-%d\">%s</h2>\n", number, document_str(target, "name", "?"));
    html_answer(html);
    html_facts(html);
    html_chain(html);
    html_timeline(html);
    html_findings(html);
    html_walks(html);
    html_unexplained(html);
    html_asks(html);
    html_coverage(html);
    html_sources(html);
    html_redactions(html);
    html_addf(html, "</section>\n");
    html_target_end(html);
}

static void add_overview_row(struct html *html, const cJSON *target, int number)
{
    const cJSON *cause = document_first_cause(target);
    const char *verdict = document_str(target, "verdict", "unknown");
    struct buf text;
    buf_init(&text, SENTENCE_MAX);
    text_verdict(&text, target);
    html_addf(html, "<tr data-target=\"%d\"><td>", number);
    html_add_mark(html, verdict, verdict);
    html_addf(html, "</td><th scope=\"row\"><a href=\"#target-%d\">%s</a></th><td>", number,
              document_str(target, "name", "?"));
    html_addf(html, "%s</td><td>", cause ? document_str(cause, "title", "?") : buf_str(&text));
    html_add_time(html, document_str(cause, "first", ""), NULL);
    html_addf(html, "</td></tr>\n");
    buf_release(&text);
}

static void add_overview(struct html *html, const cJSON *targets)
{
    const cJSON *target;
    int number = 0;
    html_addf(html,
              "<section><h2>Targets</h2><div class=\"wide\" role=\"region\" aria-label=\"Targets\" "
              "tabindex=\"0\"><table class=\"targets\"><thead><tr><th scope=\"col\">Verdict</th>"
              "<th scope=\"col\">Target</th><th scope=\"col\">What is wrong</th>"
              "<th scope=\"col\">Since (UTC)</th></tr></thead><tbody>\n");
    cJSON_ArrayForEach (target, targets) {
        add_overview_row(html, target, ++number);
    }
    html_addf(html, "</tbody></table></div></section>\n");
}

static void add_targets(struct html *html, const cJSON *targets)
{
    const cJSON *target;
    int number = 0, len = cJSON_GetArraySize(targets);
    if (len != 1) {
        html_sum(html);
        add_overview(html, targets);
    }
    cJSON_ArrayForEach (target, targets) {
        add_target(html, target, ++number, len == 1);
    }
}

/* A fleet's targets are data, which the script lays out; what is wrong stands in the page without it. */
static void add_fleet(struct html *html)
{
    html_sum(html);
    html_groups(html);
    html_addf(
        html,
        "<section id=\"explore\"><h2>All findings and targets</h2>\n"
        "<noscript><p>The table of all targets needs JavaScript; the JSON report holds the same."
        "</p></noscript>\n");
    const char *left_out = html_data(html);
    if (left_out)
        html_addf(html,
                  "<p class=\"quiet\">To keep this page small it leaves out %s. The JSON report "
                  "has them.</p>",
                  left_out);
    html_addf(html, "</section>\n");
}

/* ---- how the report was made ---- */

static void add_making(struct html *html)
{
    const cJSON *plugin, *plugins = json_at(html->report, "tool.plugins");
    html_addf(html, "<footer class=\"making\"><p>debrief %s, ",
              document_str(html->report, "tool.version", ""));
    html_add_time(html, document_str(html->report, "started", "?"), NULL);
    html_addf(html, " to ");
    html_add_time(html, document_str(html->report, "finished", "?"),
                  document_str(html->report, "started", ""));
    html_addf(html, " UTC</p>\n<details><summary>%d plugins</summary><ul class=\"plugins\">",
              cJSON_GetArraySize(plugins));
    cJSON_ArrayForEach (plugin, plugins) {
        html_addf(html, "<li><code>%s</code> %s (%s)</li>", document_str(plugin, "name", "?"),
                  document_str(plugin, "version", ""), document_str(plugin, "kind", "?"));
    }
    html_addf(html, "</ul></details></footer>\n");
}

bool html_report(struct buf *out, const cJSON *report, const struct report_style *style,
                 struct err *err)
{
    struct html html = {.out = out, .report = report, .level = 2};
    const cJSON *targets = json_at(report, "targets");
    bool fleet = cJSON_GetArraySize(targets) > HTML_TARGETS_MAX;
    (void)style;
    buf_init(&html.scratch, SCRATCH_MAX);
    add_head(&html, fleet);
    add_marks(&html);
    html_addf(&html,
              "<header class=\"top\"><p><b>debrief</b> incident report</p></header>\n<main>\n");
    if (fleet) {
        add_fleet(&html);
    } else {
        add_targets(&html, targets);
    }
    html_policy(&html);
    html_addf(&html, "</main>\n");
    add_making(&html);
    buf_adds(out, "<script>");
    buf_adds(out, html_asset_report_js);
    if (fleet) {
        buf_adds(out, "</script>\n<script>");
        buf_adds(out, html_asset_fleet_js);
    }
    buf_adds(out, "</script>\n</body>\n</html>\n");
    buf_release(&html.scratch);
    intern_release(&html.ids);
    return out->overflow ? err_set(err, "the report is larger than %zu MB", out->max >> 20) : true;
}
