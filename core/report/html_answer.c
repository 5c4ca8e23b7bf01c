/* Stage: report. Renders what comes first on the HTML page of a target: what is wrong, since when, what to
 * do first, and what proxy it is. Reads the document only; the verdict is the document's. */
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"
#include "report/report.h"
#include "report/text_verdict.h"
#include <string.h>

#define VERDICT_MAX (64u << 10)
#define ASKS_SHOWN  3

static void add_verdict(struct html *html)
{
    struct buf text;
    const char *verdict = document_str(html->target, "verdict", "unknown");
    buf_init(&text, VERDICT_MAX);
    text_verdict(&text, html->target);
    html_addf(html, "<p class=\"verdict\">");
    html_add_mark(html, verdict, verdict);
    html_addf(html, " <span>%s</span></p>\n", buf_str(&text));
    buf_release(&text);
}

static void add_since(struct html *html, const cJSON *cause)
{
    const char *first = json_str(cause, "first"), *last = json_str(cause, "last");
    const char *state = document_str(cause, "state", "unknown");
    const char *confidence = document_str(cause, "confidence", "");
    html_addf(html, "<p class=\"since\">");
    if (first) {
        html_addf(html, str_equal(state, "before") ? "From " : "Since ");
        html_add_time(html, first, NULL);
        html_addf(html, " UTC");
        if (last && str_equal(state, "before")) {
            html_addf(html, " to ");
            html_add_time(html, last, first);
        }
    } else {
        html_addf(html, "The evidence does not tell since when");
    }
    if (str_equal(state, "now"))
        html_addf(html, ", and it goes on");
    else if (str_equal(state, "before"))
        html_addf(html, ", over now");
    html_addf(html, ". ");
    if (str_equal(confidence, "certain"))
        html_addf(html, "The evidence states it.");
    else if (*confidence)
        html_addf(html, "It is %s, not certain.", confidence);
    html_addf(html, "</p>\n");
}

static bool is_own_ask(const cJSON *ask)
{
    return !str_starts(document_str(ask, "why", ""), REPORT_NEEDED_BY);
}

/* What the checks themselves ask for, where the cause is open. */
static void add_decisive(struct html *html)
{
    const cJSON *ask;
    int shown = 0;
    cJSON_ArrayForEach (ask, json_at(html->target, "asks")) {
        if (!is_own_ask(ask) || shown == ASKS_SHOWN)
            continue;
        if (!shown++)
            html_addf(html, "<div class=\"todo\"><h2>To be sure</h2><ol class=\"steps\">");
        html_addf(html, "<li><p><b>%s</b>: %s</p>", document_str(ask, "evidence", "?"),
                  document_str(ask, "why", ""));
        html_add_code(html, "command", document_str(ask, "how", ""));
        html_addf(html, "</li>");
    }
    if (shown)
        html_addf(html, "</ol></div>\n");
}

static void add_first_step(struct html *html, const cJSON *cause)
{
    const cJSON *step = json_at(cause, "fix[0]");
    const char *command = json_str(step, "command"), *path = json_str(step, "snippet.path");
    const char *snippet = json_str(step, "snippet.text");
    int more = cJSON_GetArraySize(json_at(cause, "fix")) - 1;
    if (!step)
        return;
    html_addf(html, "<div class=\"todo\"><h2>Do this first</h2><p>%s</p>",
              document_str(step, "text", ""));
    if (command)
        html_add_code(html, "command", command);
    if (snippet && path)
        html_addf(html, "<p class=\"file\">file <code>%s</code></p>", path);
    if (snippet)
        html_add_code(html, "text", snippet);
    const struct html_finding *place = html_finding_of(html, json_str(cause, "id"));
    if (more > 0 && place)
        html_addf(html, "<p class=\"quiet\"><a href=\"#%s\">%d more %s</a></p>", place->id, more,
                  more == 1 ? "step" : "steps");
    html_addf(html, "</div>\n");
}

static bool is_open(const cJSON *cause)
{
    return cJSON_GetArraySize(json_at(cause, "candidates")) > 0 ||
           !str_equal(json_str(cause, "confidence"), "certain");
}

static void add_cause(struct html *html, const cJSON *cause)
{
    const struct html_finding *place = html_finding_of(html, json_str(cause, "id"));
    html_addf(html, "<p class=\"what\">%s</p>\n", document_str(cause, "message", ""));
    add_since(html, cause);
    add_first_step(html, cause);
    if (is_open(cause))
        add_decisive(html);
    if (place)
        html_addf(
            html,
            "<p class=\"onward\"><a href=\"#%s\">Proof and all steps: <code>%s</code></a></p>\n",
            place->id, document_str(cause, "id", "?"));
}

void html_answer(struct html *html)
{
    const cJSON *cause = document_first_cause(html->target);
    html_addf(html, "<section class=\"answer is-%s\" aria-label=\"The answer\">\n",
              document_str(html->target, "verdict", "unknown"));
    add_verdict(html);
    if (cause) {
        add_cause(html, cause);
    } else {
        const cJSON *checks = json_at(html->target, "checks");
        html_addf(html,
                  "<p class=\"since\">%d of %d checks had what they need, %d found nothing to "
                  "object to.</p>\n",
                  document_count(checks, "outcome", "pass") +
                      document_count(checks, "outcome", "fail"),
                  cJSON_GetArraySize(checks), document_count(checks, "outcome", "pass"));
        add_decisive(html);
    }
    html_addf(html, "</section>\n");
}

static void add_fact(struct html *html, const char *name, const char *value)
{
    if (value && *value)
        html_addf(html, "<div><dt>%s</dt><dd>%s</dd></div>", name, value);
}

void html_facts(struct html *html)
{
    static const char *const rows[][2] = {{"envoy.version", "Envoy"},
                                          {"envoy.state", "State"},
                                          {"envoy.node", "Node"},
                                          {"envoy.mesh", "Mesh"},
                                          {"envoy.mode", "Mode"},
                                          {"envoy.platform", "Platform"},
                                          {"window.since", "Looked at since"},
                                          {"window.until", "Looked at until"}};
    html_addf(html, "<dl class=\"facts\">");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        add_fact(html, rows[i][1], json_str(html->target, rows[i][0]));
    html_addf(html, "<div><dt>Sources read</dt><dd>%d</dd></div>", text_verdict_read(html->target));
    html_addf(html, "<div><dt>Examined</dt><dd>");
    html_add_time(html, document_str(html->report, "started", "?"), NULL);
    html_addf(html, " UTC</dd></div></dl>\n");
}
