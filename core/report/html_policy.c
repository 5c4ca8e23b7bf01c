/* Stage: report. Renders for the HTML page what the findings were judged by beside the checks: configuration,
 * severities, waivers, baseline. Reads the document only; what it did to a finding stands there. */
#include "base/json.h"
#include "report/document.h"
#include "report/html.h"

static int number_of(const cJSON *row, const char *member)
{
    double value = 0;
    return json_num(row, member, &value) && value > 0 && value < 1e9 ? (int)value : 0;
}

static void add_document(struct html *html, const char *name, const cJSON *document)
{
    if (cJSON_IsObject(document))
        html_addf(html, "<p>%s <code>%s</code> <span class=\"hash\">sha256 %s</span></p>\n", name,
                  document_str(document, "path", "?"), document_str(document, "sha256", "?"));
}

static void add_compared(struct html *html)
{
    const cJSON *counts = json_at(html->report, "summary.baseline");
    if (cJSON_IsObject(counts))
        html_addf(
            html,
            "<p>Beside the baseline: %d new, %d worse, %d better, %d unchanged, %d gone.</p>\n",
            number_of(counts, "new"), number_of(counts, "worse"), number_of(counts, "better"),
            number_of(counts, "unchanged"), number_of(counts, "gone"));
}

static void add_waiver(struct html *html, const cJSON *waiver)
{
    html_addf(html,
              "<li>Waiver (%s) of <code>%s</code> on <code>%s</code>: %s. Owner %s, until %s, met "
              "%d of the "
              "findings</li>\n",
              document_str(waiver, "state", "?"), document_str(waiver, "finding", "?"),
              document_str(waiver, "target", "?"), document_str(waiver, "reason", ""),
              document_str(waiver, "owner", "?"), document_str(waiver, "expires", "?"),
              number_of(waiver, "findings"));
}

static void add_settings(struct html *html, const cJSON *policy)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(policy, "waivers")) {
        add_waiver(html, each);
    }
    cJSON_ArrayForEach (each, json_at(policy, "severity")) {
        html_addf(html, "<li>Severity of <code>%s</code>: %s, met %d of the findings</li>\n",
                  document_str(each, "finding", "?"), document_str(each, "severity", "?"),
                  number_of(each, "findings"));
    }
    cJSON_ArrayForEach (each, json_at(policy, "params")) {
        if (cJSON_IsString(each))
            html_addf(html, "<li>Parameter <code>%s</code> is %s</li>\n", each->string,
                      each->valuestring);
    }
    cJSON_ArrayForEach (each, json_at(policy, "left_out")) {
        if (cJSON_IsString(each))
            html_addf(html, "<li>Check <code>%s</code> is left out</li>\n", each->valuestring);
    }
    if (json_str(policy, "fail_on"))
        html_addf(html, "<li>The exit status fails on: %s</li>\n", json_str(policy, "fail_on"));
}

void html_policy(struct html *html)
{
    const cJSON *policy = json_at(html->report, "policy");
    if (!cJSON_IsObject(policy))
        return;
    html_addf(html, "<section>");
    html_add_heading(html, 2, NULL, "What it was judged by");
    add_document(html, "Configuration", json_at(policy, "config"));
    add_document(html, "Baseline", json_at(policy, "baseline"));
    add_compared(html);
    html_addf(html, "<ul class=\"checks\">");
    add_settings(html, policy);
    html_addf(html, "</ul></section>\n");
}
