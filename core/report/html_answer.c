/* Stage: report. Renders what comes first on the HTML page of a target: what is wrong, since when, what to
 * do first, and what proxy it is. Reads the document only; the verdict is the document's. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/excerpt.h"
#include "report/html.h"
#include "report/text_verdict.h"
#include <stdlib.h>
#include <string.h>

#define VERDICT_MAX (64u << 10)
#define PLACE_MAX   (64u << 10)
#define REASON_MAX  420 /* bytes of the first proof in the answer */
#define SHORT_MAX   100 /* bytes of a proof that is shown together with others */
#define SHORT_SHOWN 3

/* Without a cause the verdict is the answer. */
static void add_verdict(struct html *html, bool whole)
{
    struct buf text;
    const char *verdict = document_str(html->target, "verdict", "unknown");
    buf_init(&text, VERDICT_MAX);
    text_verdict(&text, html->target);
    html_addf(html, "<p class=\"verdict\">");
    html_add_mark(html, verdict, whole ? verdict : buf_str(&text));
    html_addf(html, "</p>\n");
    if (whole)
        html_addf(html, "<p class=\"what\">%s</p>\n", buf_str(&text));
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

/* "Since TIME UTC, and it went on when this evidence was taken." */
static void add_span(struct html *html, const cJSON *cause, const char *first)
{
    const char *last = json_str(cause, "last"), *own = json_str(cause, "first");
    const char *state = document_str(cause, "state", "unknown");
    bool over = str_equal(state, "before");
    html_addf(html, own ? over ? "From " : "Since " : "What follows from it shows since ");
    html_add_time(html, first, NULL);
    if (own && last && over) {
        html_addf(html, " to ");
        html_add_time(html, last, own);
    }
    html_addf(html, " UTC%s. ",
              str_equal(state, "now") ? ", and it went on when this evidence was taken"
              : over                  ? ", over now"
                                      : "");
}

static void add_since(struct html *html, const cJSON *cause)
{
    const char *first = json_str(cause, "first"), *state = json_str(cause, "state");
    const char *confidence = document_str(cause, "confidence", "");
    if (!first)
        first = first_of_followers(html, cause);
    html_addf(html, "<p class=\"since\">");
    if (first)
        add_span(html, cause, first);
    else if (str_equal(state, "now"))
        html_addf(html, "It went on when this evidence was taken; since when, it does not tell. ");
    else if (str_equal(state, "before"))
        html_addf(html, "It is over now; when it was, the evidence does not tell. ");
    else
        html_addf(html, "Since when, the evidence does not tell. ");
    if (str_equal(confidence, "certain"))
        html_addf(html, "Certain: the evidence states it.");
    else if (*confidence)
        html_addf(html, "This cause is %s, not certain.", confidence);
    html_addf(html, "</p>\n");
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
    return document_rivals(cause) || !str_equal(json_str(cause, "confidence"), "certain");
}

/* The first proof that is a line or a record; a whole document tells nothing at a glance. NULL: none is. */
static const cJSON *readable_proof(const cJSON *cause)
{
    const cJSON *proof;
    cJSON_ArrayForEach (proof, json_at(cause, "evidence")) {
        const char *excerpt = document_str(proof, "excerpt", "");
        if (*excerpt && *excerpt != '{' && (*excerpt != '[' || excerpt[1] != '{'))
            return proof;
    }
    return NULL;
}

static void add_shortened(struct html *html, const char *text)
{
    char *clean = xstrdup(buf_str(html_clean(html, text)));
    const struct excerpt shown = excerpt_of(clean, REASON_MAX);
    char *head = xstrndup(clean, shown.head);
    char *rest = xstrndup(clean + shown.from, shown.to - shown.from);
    html_addf(html, "%s%s%s%s", head, shown.head ? " \xE2\x80\xA6 " : "", rest,
              clean[shown.to] ? " \xE2\x80\xA6" : "");
    free(head);
    free(rest);
    free(clean);
}

static bool is_short(const cJSON *proof)
{
    const char *excerpt = document_str(proof, "excerpt", "");
    return *excerpt && strlen(excerpt) <= SHORT_MAX && !strchr(excerpt, '\n');
}

/* Counters tell by their company: the short proofs of one source that stand together. */
static const cJSON *end_of_company(const cJSON *proof)
{
    const char *source = document_str(proof, "source", "?");
    const cJSON *end = proof->next;
    for (int i = 1; i < SHORT_SHOWN && end && is_short(proof) && is_short(end); i++) {
        if (!str_equal(document_str(end, "source", "?"), source))
            break;
        end = end->next;
    }
    return end;
}

/* The first proof in a few lines: who is woken by this wants to see it, not to believe it. */
static void add_reason(struct html *html, const cJSON *cause)
{
    const cJSON *proof = readable_proof(cause), *end = proof ? end_of_company(proof) : NULL;
    struct buf place;
    if (!proof)
        return;
    buf_init(&place, PLACE_MAX);
    if (end == proof->next)
        document_place(&place, proof);
    else
        buf_adds(&place, document_str(proof, "source", "?"));
    html_addf(html,
              "<figure class=\"proof reason\"><figcaption>as <code>%s</code> says</figcaption>"
              "<pre><code>",
              buf_str(&place));
    for (const cJSON *each = proof; each != end; each = each->next) {
        html_addf(html, each == proof ? "" : "\n");
        add_shortened(html, document_str(each, "excerpt", ""));
    }
    html_addf(html, "</code></pre></figure>\n");
    buf_release(&place);
}

static void add_cause(struct html *html, const cJSON *cause)
{
    const struct html_finding *place = html_finding_of(html, json_str(cause, "id"));
    html_addf(html, "<p class=\"what\">%s</p>\n", document_str(cause, "message", ""));
    add_reason(html, cause);
    add_since(html, cause);
    html_add_first_step(html, cause);
    if (is_open(cause))
        html_add_decisive(html);
    if (place)
        html_addf(
            html,
            "<p class=\"onward\"><a href=\"#%s\">Proof and all steps: <code>%s</code></a></p>\n",
            place->id, document_str(cause, "id", "?"));
}

/* What could be judged; a verdict of "ok" says it itself. */
static void add_extent(struct html *html)
{
    const struct text_extent extent = text_verdict_extent(html->target);
    if (!str_equal(json_str(html->target, "verdict"), "ok"))
        html_addf(html,
                  "<p class=\"since\">%d of %d checks%s had the evidence that they need.</p>\n",
                  extent.judged, extent.apply, extent.idle ? " that apply" : "");
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
        add_extent(html);
        html_add_decisive(html);
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
