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

/* Without a cause the verdict is the answer. */
static void add_verdict(struct html *html, bool whole)
{
    struct buf text;
    const char *verdict = document_str(html->target, "verdict", "unknown");
    buf_init(&text, VERDICT_MAX);
    text_verdict(&text, html->target);
    html_addf(html, "<p class=\"verdict\">");
    html_add_mark(html, verdict, verdict);
    html_addf(html, whole ? "</p>\n<p class=\"what\">%s</p>\n" : " <span>%s</span></p>\n",
              buf_str(&text));
    buf_release(&text);
}

/* The earliest time among the findings that CAUSE explains; NULL. */
static const char *first_of_followers(const struct html *html, const cJSON *cause)
{
    const char *earliest = NULL;
    const cJSON *id;
    cJSON_ArrayForEach (id, json_at(cause, "explains")) {
        const struct html_finding *each = html_finding_of(html, id->valuestring);
        const char *first = each ? json_str(each->json, "first") : NULL;
        if (first && (!earliest || strcmp(first, earliest) < 0))
            earliest = first;
    }
    return earliest;
}

static void add_span(struct html *html, const cJSON *cause)
{
    const char *first = json_str(cause, "first"), *last = json_str(cause, "last");
    const char *follower = first_of_followers(html, cause);
    bool over = str_equal(json_str(cause, "state"), "before");
    if (!first && !follower) {
        html_addf(html, "The evidence does not tell since when");
        return;
    }
    html_addf(html, first ? over ? "From " : "Since " : "What follows from it shows since ");
    html_add_time(html, first ? first : follower, NULL);
    if (first && last && over) {
        html_addf(html, " to ");
        html_add_time(html, last, first);
    }
    html_addf(html, " UTC");
}

static void add_since(struct html *html, const cJSON *cause)
{
    const char *state = document_str(cause, "state", "unknown");
    const char *confidence = document_str(cause, "confidence", "");
    html_addf(html, "<p class=\"since\">");
    add_span(html, cause);
    if (str_equal(state, "now"))
        html_addf(html, ", and it went on when this evidence was taken");
    else if (str_equal(state, "before"))
        html_addf(html, ", over now");
    html_addf(html, ". ");
    if (str_equal(confidence, "certain"))
        html_addf(html, "Certain: the evidence states it.");
    else if (*confidence)
        html_addf(html, "This cause is %s, not certain.", confidence);
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
        if (!shown++) {
            html_addf(html, "<div class=\"todo more\">");
            html_add_heading(html, html->level, NULL, "To be sure");
            html_addf(html, "<ol class=\"steps\">");
        }
        html_addf(html, "<li><p><b>%s</b>: %s</p>", document_str(ask, "evidence", "?"),
                  document_str(ask, "why", ""));
        html_add_code(html, "command", document_str(ask, "how", ""));
        html_addf(html, "</li>");
    }
    if (shown)
        html_addf(html, "</ol></div>\n");
}

void html_add_first_step(struct html *html, const cJSON *cause)
{
    const cJSON *step = json_at(cause, "fix[0]");
    int more = cJSON_GetArraySize(json_at(cause, "fix")) - 1;
    if (!step)
        return;
    html_addf(html, "<div class=\"todo\">");
    html_add_heading(html, html->level, NULL, "Do this first");
    html_add_step(html, step);
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
    html_add_first_step(html, cause);
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
    html_addf(html, "<section class=\"answer is-%s\" aria-label=\"The answer for %s\">\n",
              document_str(html->target, "verdict", "unknown"),
              document_str(html->target, "name", "?"));
    add_verdict(html, !cause);
    if (cause) {
        add_cause(html, cause);
    } else {
        const cJSON *checks = json_at(html->target, "checks");
        html_addf(html, "<p class=\"since\">%d of %d checks had the evidence that they need.</p>\n",
                  document_count(checks, "outcome", "pass") +
                      document_count(checks, "outcome", "fail"),
                  cJSON_GetArraySize(checks));
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
