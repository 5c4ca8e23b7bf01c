/* Stage: report. Renders the findings of a target for the HTML page: each cause with its proof and repair,
 * what follows from it folded beneath it, notes last. Reads the document only; ranks nothing. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX  8
#define TITLES_MAX 8 /* of what follows, before it is unfolded */

/* ---- places in the page ---- */

static bool is_fingerprint(const char *text)
{
    size_t len = strspn(text, "0123456789abcdef");
    return len > 0 && len <= 64 && !text[len];
}

/* The first finding of a fingerprint has the short id; the same one of another target tells which. */
static void give_id(struct html *html, struct html_finding *finding, int index)
{
    const char *fingerprint = document_str(finding->json, "fingerprint", "");
    bool added = false, plain = is_fingerprint(fingerprint);
    if (plain) {
        snprintf(finding->id, sizeof finding->id, "finding-%s", fingerprint);
        intern_add(&html->ids, finding->id, &added);
    }
    if (!added && plain) {
        snprintf(finding->id, sizeof finding->id, "finding-%s-%d", fingerprint, html->number);
        intern_add(&html->ids, finding->id, &added);
    }
    if (!added)
        snprintf(finding->id, sizeof finding->id, "finding-of-%d-%d", html->number, index);
}

void html_target_begin(struct html *html, const cJSON *target, int number)
{
    const cJSON *findings = json_at(target, "findings"), *finding;
    html->target = target;
    html->number = number;
    html->findings = xcalloc((size_t)cJSON_GetArraySize(findings) + 1, sizeof *html->findings);
    html->findings_len = 0;
    relations_init(&html->relations, target);
    cJSON_ArrayForEach (finding, findings) {
        struct html_finding *place = &html->findings[html->findings_len++];
        place->json = finding;
        give_id(html, place, (int)html->findings_len);
    }
}

void html_target_end(struct html *html)
{
    relations_release(&html->relations);
    free(html->findings);
    html->findings = NULL;
    html->findings_len = 0;
}

const struct html_finding *html_finding_of(const struct html *html, const char *id)
{
    size_t at = relations_find(&html->relations, id);
    return at == RELATIONS_NONE ? NULL : &html->findings[at];
}

/* ---- one finding ---- */

const char *html_finding_kind(const cJSON *finding)
{
    int severity = document_severity(finding);
    if (document_waived(finding))
        return "waived";
    return severity == 2 ? "error" : severity == 1 ? "warning" : "note";
}

static void add_tag(struct html *html, const char *text)
{
    if (text && *text)
        html_addf(html, "<li>%s</li>", text);
}

static void add_tags(struct html *html, const cJSON *finding)
{
    const char *kind = json_str(finding, "subject.kind"), *role = json_str(finding, "role");
    const char *was = json_str(finding, "severity_was"), *baseline = json_str(finding, "baseline");
    html_addf(html, "<ul class=\"tags\"><li><code>%s</code></li>",
              document_str(finding, "id", "?"));
    if (kind)
        html_addf(html, "<li>%s <code>%s</code></li>", kind,
                  document_str(finding, "subject.name", ""));
    add_tag(html, role);
    add_tag(html, json_str(finding, "confidence"));
    if (was)
        html_addf(html, "<li>%s by the check, %s by the configuration</li>", was,
                  document_str(finding, "severity", "?"));
    if (baseline)
        html_addf(html, "<li>%s since the baseline</li>", baseline);
    html_addf(html, "</ul>\n");
}

static void add_when(struct html *html, const cJSON *finding)
{
    const char *state = document_str(finding, "state", "unknown");
    const char *first = json_str(finding, "first"), *last = json_str(finding, "last");
    double count = 0;
    bool now = str_equal(state, "now"), over = str_equal(state, "before");
    bool often = json_num(finding, "count", &count) && count > 1 && count < 1e9;
    if (!now && !over && !first && !often)
        return;
    html_addf(html, "<p class=\"when\">%s", now ? "Going on now" : over ? "Earlier, over now" : "");
    if (first) {
        html_addf(html, now || over ? ", seen " : "Seen ");
        html_add_time(html, first, NULL);
        if (last && strncmp(first, last, 19) != 0) {
            html_addf(html, " to ");
            html_add_time(html, last, first);
        }
        html_addf(html, " UTC");
    }
    if (often)
        html_addf(html, now || over || first ? ", %d times" : "Seen %d times", (int)count);
    html_addf(html, "</p>\n");
}

static void add_waiver(struct html *html, const cJSON *finding)
{
    const cJSON *waiver = json_at(finding, "waiver");
    bool expired = str_equal(json_str(waiver, "state"), "expired");
    if (!cJSON_IsObject(waiver))
        return;
    html_addf(html,
              "<p class=\"waiver\"><strong>%s</strong> %s <span class=\"quiet\">(owner %s, %s %s; "
              "waiver of "
              "<code>%s</code> on <code>%s</code>)</span></p>\n",
              expired ? "The waiver has expired:" : "Waived:", document_str(waiver, "reason", ""),
              document_str(waiver, "owner", "?"), expired ? "ended" : "until",
              document_str(waiver, "expires", "?"), document_str(waiver, "finding", "?"),
              document_str(waiver, "target", "?"));
}

static void add_reasons(struct html *html, const cJSON *texts, const char *lead)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, texts) {
        if (cJSON_IsString(each))
            html_addf(html, "<li><span class=\"quiet\">%s</span> %s</li>", lead, each->valuestring);
    }
}

static void add_candidates(struct html *html, const cJSON *finding)
{
    const cJSON *candidates = json_at(finding, "candidates"), *each;
    bool rivals = document_rivals(finding);
    if (!cJSON_GetArraySize(candidates))
        return;
    html_addf(html, "<section>");
    html_add_heading(html, html->level + 2, NULL,
                     rivals ? "Possible causes, the likeliest first" : "Why this cause");
    html_addf(html, rivals ? "<ol class=\"candidates\">" : "<ul class=\"candidates\">");
    cJSON_ArrayForEach (each, candidates) {
        if (rivals)
            html_addf(html, "<li><code>%s</code><ul>", document_str(each, "id", "?"));
        add_reasons(html, json_at(each, "for"), "speaks for it:");
        add_reasons(html, json_at(each, "against"), "speaks against it:");
        if (rivals)
            html_addf(html, "</ul></li>");
    }
    html_addf(html, rivals ? "</ol></section>\n" : "</ul></section>\n");
}

void html_add_step(struct html *html, const cJSON *step)
{
    const char *command = json_str(step, "command"), *path = json_str(step, "snippet.path");
    const char *snippet = json_str(step, "snippet.text");
    html_addf(html, "<p>%s</p>", document_str(step, "text", ""));
    if (command)
        html_add_code(html, "command", command);
    if (snippet && path)
        html_addf(html, "<p class=\"file\">file <code>%s</code></p>", path);
    if (snippet)
        html_add_code(html, "text", snippet);
}

void html_add_fix(struct html *html, const cJSON *finding)
{
    const cJSON *step;
    html_addf(html, "<ol class=\"steps\">");
    cJSON_ArrayForEach (step, json_at(finding, "fix")) {
        html_addf(html, "<li>");
        html_add_step(html, step);
        html_addf(html, "</li>");
    }
    html_addf(html, "</ol>\n");
}

static void add_repair(struct html *html, const cJSON *finding)
{
    if (!cJSON_GetArraySize(json_at(finding, "fix")))
        return;
    html_addf(html, "<section>");
    html_add_heading(html, html->level + 2, NULL, "Fix");
    html_add_fix(html, finding);
    html_addf(html, "</section>\n");
}

static void add_foot(struct html *html, const struct html_finding *finding)
{
    const cJSON *each, *references = json_at(finding->json, "references");
    html_addf(html, "<footer>");
    if (cJSON_GetArraySize(references)) {
        html_addf(html, "<p>Read on:</p><ul>");
        cJSON_ArrayForEach (each, references) {
            if (!cJSON_IsString(each))
                continue;
            html_addf(html, "<li>");
            html_add_link(html, each->valuestring);
            html_addf(html, "</li>");
        }
        html_addf(html, "</ul>");
    }
    html_addf(html,
              "<p class=\"hash\">check <code>%s</code>, fingerprint %s, "
              "<a href=\"#%s\">link to this finding</a></p></footer>\n",
              document_str(finding->json, "check", "?"),
              document_str(finding->json, "fingerprint", "?"), finding->id);
}

static void add_finding(struct html *html, struct html_finding *finding, int depth);

/* What follows from CAUSE alone, or from it first of all. */
static bool is_folded_in(const struct html *html, const struct relations_edge *edge)
{
    return !html->findings[edge->to].written && !html->relations.items[edge->to].stands;
}

/* Titles that are told once, however many findings have them. */
static void add_titles(struct html *html, size_t from)
{
    const struct relations *relations = &html->relations;
    struct intern titles = {0};
    int more = 0;
    for (size_t i = relations->starts[from]; i < relations->starts[from + 1]; i++) {
        bool added = false;
        const struct html_finding *each = &html->findings[relations->edges[i].to];
        const char *title = document_str(each->json, "title", "?");
        if (!is_folded_in(html, &relations->edges[i]))
            continue;
        if (titles.len < TITLES_MAX)
            intern_add(&titles, title, &added);
        if (added)
            html_addf(html, titles.len > 1 ? "; %s" : "What follows from it: %s", title);
        else
            more++;
    }
    if (more)
        html_addf(html, ", and %d more", more);
    intern_release(&titles);
}

static void add_followers(struct html *html, struct html_finding *finding, int depth)
{
    const struct relations *relations = &html->relations;
    size_t from = (size_t)(finding - html->findings), begin = relations->starts[from],
           end = relations->starts[from + 1];
    while (begin < end && !is_folded_in(html, &relations->edges[begin]))
        begin++;
    if (begin == end || depth == DEPTH_MAX)
        return;
    html_addf(html, "<details class=\"follows\"><summary>");
    add_titles(html, from);
    html_addf(html, "</summary>\n");
    for (size_t i = begin; i < end; i++)
        if (is_folded_in(html, &relations->edges[i]))
            add_finding(html, &html->findings[relations->edges[i].to], depth + 1);
    html_addf(html, "</details>\n");
}

static void add_finding(struct html *html, struct html_finding *finding, int depth)
{
    const cJSON *json = finding->json;
    const char *kind = html_finding_kind(json), *id = document_str(json, "id", "?");
    struct buf section;
    buf_init(&section, 256);
    buf_add(&section, id, strcspn(id, "."));
    finding->written = true;
    html_addf(html,
              "<article class=\"finding is-%s\" id=\"%s\" tabindex=\"-1\" data-severity=\"%s\" "
              "data-section=\"%s\" data-target=\"%d\">\n<header>",
              kind, finding->id, kind, buf_str(&section), html->number);
    buf_release(&section);
    html_add_mark(html, kind, str_equal(kind, "waived") ? "waived" : kind);
    html_add_heading(html, html->level + 1, NULL, document_str(json, "title", id));
    add_tags(html, json);
    html_addf(html, "</header>\n<p class=\"message\">%s</p>\n", document_str(json, "message", ""));
    add_when(html, json);
    add_waiver(html, json);
    html_proofs(html, json);
    add_candidates(html, json);
    add_repair(html, json);
    add_foot(html, finding);
    html->level++;
    add_followers(html, finding, depth);
    html->level--;
    html_addf(html, "</article>\n");
}

static void add_role(struct html *html, const char *role)
{
    for (size_t i = 0; i < html->findings_len; i++) {
        struct html_finding *finding = &html->findings[i];
        if (!finding->written && (!role || str_equal(json_str(finding->json, "role"), role)))
            add_finding(html, finding, 0);
    }
}

static void add_standing(struct html *html)
{
    for (size_t i = 0; i < html->findings_len; i++) {
        struct html_finding *finding = &html->findings[i];
        if (!finding->written && html->relations.items[i].stands)
            add_finding(html, finding, 0);
    }
}

/* Notes may explain as causes do, so they come before the consequences that nothing here explains. */
void html_findings(struct html *html)
{
    if (!html->findings_len)
        return;
    html_addf(html, "<section class=\"findings\">");
    html_add_heading(html, html->level, NULL, "Findings");
    add_standing(html);
    add_role(html, "cause");
    add_role(html, "note");
    add_role(html, NULL);
    html_addf(html, "</section>\n");
}
