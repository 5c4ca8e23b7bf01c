/* Stage: report. Renders for the HTML page what would tell more: what a check asks for to be sure, and evidence
 * that nobody gave. Reads the document only. What can be run as it stands is offered for copying, prose is
 * not: it would be pasted into a shell. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"
#include "report/report.h"
#include <stdlib.h>
#include <string.h>

#define DECISIVE_MAX 3 /* asks beside the answer */

/* ---- how evidence is supplied ---- */

/* Programs that begin a command in the asks of checks and of the dictionary of evidence. */
static bool is_program(const char *word, size_t len)
{
    static const char *const programs[] = {
        "aws",        "consul",  "curl", "debrief", "dig",    "docker", "getent",   "istioctl",
        "journalctl", "kubectl", "nc",   "openssl", "podman", "ss",     "systemctl"};
    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (strlen(programs[i]) == len && strncmp(programs[i], word, len) == 0)
            return true;
    return false;
}

/* "kubectl ..." is a command; "ss -ltnp, then --evidence" and "kubectl logs POD, docker logs NAME" go on in
 * prose. */
static bool is_command(const char *text)
{
    return is_program(text, strcspn(text, " ")) && text[strcspn(text, " ")] &&
           !strstr(text, ", ") && !strstr(text, "; then ");
}

/* Cuts " (ECS)" off the end of TEXT: a remark that no shell understands; NULL: there is none. */
static char *cut_remark(char *text)
{
    size_t len = strlen(text);
    char *open = len && text[len - 1] == ')' ? strrchr(text, '(') : NULL;
    if (!open || open == text || open[-1] != ' ')
        return NULL;
    open[-1] = '\0';
    return open;
}

static void add_way(struct html *html, char *way, bool first)
{
    char *whole = xstrdup(way), *remark = cut_remark(way);
    if (!is_command(way)) {
        html_addf(html, first ? "<p class=\"how\">%s</p>" : "<p class=\"how\">or: %s</p>", whole);
    } else {
        if (!first || remark)
            html_addf(html, "<p class=\"how\">%s%s</p>", first ? "" : "or ", remark);
        html_add_code(html, "command", way);
    }
    free(whole);
}

/* The end of the next way in TEXT, and where the one behind it begins (NULL: it is the last). */
static char *end_of_way(char *text, char **next)
{
    static const char *const between[] = {"; or: ", "; or ", ", or "};
    char *end = NULL;
    *next = NULL;
    for (size_t i = 0; i < ARRAY_LEN(between); i++) {
        char *at = strstr(text, between[i]);
        const char *behind = at ? at + strlen(between[i]) : NULL;
        /* a comma may be one of prose: "reset, or never came" */
        bool parts = at && (i < 2 || (is_program(text, strcspn(text, " ")) &&
                                      is_program(behind, strcspn(behind, " "))));
        if (parts && (!end || at < end)) {
            end = at;
            *next = at + strlen(between[i]);
        }
    }
    return end;
}

/* What can be run, for copying. */
static void add_how(struct html *html, const char *how)
{
    struct intern told = {0}; /* the same way may serve two kinds of evidence */
    char *copy = xstrdup(how), *way = copy;
    while (way) {
        bool added;
        char *next, *end = end_of_way(way, &next);
        if (end)
            *end = '\0';
        intern_add(&told, way, &added);
        if (added && *way)
            add_way(html, way, told.len == 1);
        way = next;
    }
    free(copy);
    intern_release(&told);
}

/* ---- asks ---- */

static bool is_own(const cJSON *ask)
{
    return !str_starts(document_str(ask, "why", ""), REPORT_NEEDED_BY);
}

static void add_ask(struct html *html, const cJSON *ask)
{
    html_addf(html, "<li><p><b>%s</b>: %s</p>", document_str(ask, "evidence", "?"),
              document_str(ask, "why", ""));
    add_how(html, document_str(ask, "how", ""));
    html_addf(html, "</li>");
}

void html_add_decisive(struct html *html)
{
    const cJSON *ask;
    int shown = 0;
    cJSON_ArrayForEach (ask, json_at(html->target, "asks")) {
        if (!is_own(ask) || shown == DECISIVE_MAX)
            continue;
        if (!shown++) {
            html_addf(html, "<div class=\"todo more\">");
            html_add_heading(html, html->level, NULL, "To be sure");
            html_addf(html, "<ol class=\"steps\">");
        }
        add_ask(html, ask);
    }
    if (shown)
        html_addf(html, "</ol></div>\n");
}

static void add_asks(struct html *html, bool own)
{
    const cJSON *ask;
    html_addf(html, "<ul class=\"asks\">");
    cJSON_ArrayForEach (ask, json_at(html->target, "asks")) {
        if (is_own(ask) == own)
            add_ask(html, ask);
    }
    html_addf(html, "</ul>\n");
}

static int count_own(const cJSON *asks)
{
    int count = 0;
    const cJSON *ask;
    cJSON_ArrayForEach (ask, asks) {
        count += is_own(ask);
    }
    return count;
}

void html_asks(struct html *html)
{
    const cJSON *asks = json_at(html->target, "asks");
    int own = count_own(asks), missing = cJSON_GetArraySize(asks) - own;
    if (!own && !missing)
        return;
    html_addf(html, "<section>");
    html_add_heading(html, html->level, NULL, "What would tell more");
    if (own) {
        html_addf(html, "<p>Checks that could not be sure ask for this:</p>");
        add_asks(html, true);
    }
    if (missing) {
        html_addf(html,
                  "<details><summary>%d %s of evidence that nobody gave, and how to supply "
                  "%s</summary>",
                  missing, missing == 1 ? "kind" : "kinds", missing == 1 ? "it" : "them");
        add_asks(html, false);
        html_addf(html, "</details>");
    }
    html_addf(html, "</section>\n");
}
