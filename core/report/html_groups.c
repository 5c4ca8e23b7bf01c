/* Stage: report. Renders for the HTML page what is wrong over many targets: the answer, and each finding with
 * how many targets have it. Reads the document only; details of a target are elsewhere. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"
#include "report/text_verdict.h"
#include <stdlib.h>
#include <string.h>

#define SENTENCE_MAX 4096
#define NAMED_MAX    10 /* targets that are named with a finding */

struct group { /* the findings of one id */
    const cJSON *sample;
    int targets, last; /* how many have it; the last one that was counted */
    bool cause;        /* somewhere it asks to be acted on by itself */
    int severity;      /* the worst, 0 where all are waived */
    const char *names[NAMED_MAX];
};

struct groups {
    struct intern ids;
    struct group *items; /* by the number of their id, until they are sorted */
    size_t len;
};

static void count(struct groups *groups, const cJSON *finding, const cJSON *target, int number)
{
    bool added;
    bool cause = document_severity(finding) && document_stands(target, finding);
    int severity = document_waived(finding) ? 0 : document_severity(finding);
    uint32_t at = intern_add(&groups->ids, document_str(finding, "id", "?"), &added);
    if (added) {
        groups->items = xrealloc(groups->items, (at + 1) * sizeof *groups->items);
        groups->items[at] = (struct group){.sample = finding};
        groups->len = at + 1;
    }
    struct group *group = &groups->items[at];
    if (severity > group->severity || (cause && !group->cause && severity == group->severity))
        group->sample = finding;
    group->severity = severity > group->severity ? severity : group->severity;
    group->cause |= cause;
    if (group->last == number)
        return;
    if (group->targets < NAMED_MAX)
        group->names[group->targets] = document_str(target, "name", "?");
    group->last = number;
    group->targets++;
}

/* Causes first, the worst and the most common of them before others. */
static int compare(const void *a, const void *b)
{
    const struct group *left = a, *right = b;
    if (left->cause != right->cause)
        return right->cause - left->cause;
    if (left->severity != right->severity)
        return right->severity - left->severity;
    if (left->targets != right->targets)
        return right->targets - left->targets;
    return strcmp(document_str(left->sample, "id", "?"), document_str(right->sample, "id", "?"));
}

static void gather(struct groups *groups, const cJSON *targets)
{
    const cJSON *target, *finding;
    int number = 0;
    *groups = (struct groups){0};
    cJSON_ArrayForEach (target, targets) {
        number++;
        cJSON_ArrayForEach (finding, json_at(target, "findings")) {
            count(groups, finding, target, number);
        }
    }
    if (groups->len)
        qsort(groups->items, groups->len, sizeof *groups->items, compare);
}

static void release(struct groups *groups)
{
    intern_release(&groups->ids);
    free(groups->items);
}

void html_sum(struct html *html)
{
    static const char *const verdicts[][2] = {{"error", "with errors"},
                                              {"warning", "with warnings"},
                                              {"unknown", "unknown"},
                                              {"ok", "ok"}};
    const cJSON *targets = json_at(html->report, "targets");
    const char *verdict = document_str(html->report, "summary.verdict", "unknown");
    struct groups groups;
    struct buf text;
    gather(&groups, targets);
    buf_init(&text, SENTENCE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
        text_verdict_add_count(&text, document_count(targets, "verdict", verdicts[i][0]),
                               verdicts[i][1], verdicts[i][1]);
    html_addf(html,
              "<section class=\"answer is-%s\" aria-label=\"The answer\"><p class=\"verdict\">",
              verdict);
    html_add_mark(html, verdict, verdict);
    html_addf(html, text.len ? "</p><h1>%d targets: %s</h1>\n" : "</p><h1>%d targets%s</h1>\n",
              cJSON_GetArraySize(targets), buf_str(&text));
    if (groups.len && groups.items[0].cause && groups.items[0].severity &&
        groups.items[0].targets > 1) {
        const struct group *top = &groups.items[0];
        html_addf(html, "<p class=\"since\">The most common cause, in %d of them: <b>%s</b></p>\n",
                  top->targets, document_str(top->sample, "title", "?"));
        html_add_first_step(html, top->sample);
    }
    html_addf(html, "</section>\n");
    buf_release(&text);
    release(&groups);
}

static void add_group(struct html *html, const struct group *group)
{
    const cJSON *sample = group->sample;
    const char *id = document_str(sample, "id", "?");
    html_addf(html, "<details class=\"group\" data-id=\"%s\"><summary>", id);
    html_add_mark(html, html_finding_kind(sample), NULL);
    html_addf(html, " <b>%s</b> <span class=\"quiet\"><code>%s</code>, %d %s</span></summary>\n",
              document_str(sample, "title", "?"), id, group->targets,
              group->targets == 1 ? "target" : "targets");
    html_addf(html, "<p class=\"message\"><span class=\"quiet\">%s</span> %s</p>\n",
              group->targets == 1 ? "It says:" : "On the first of them:",
              document_str(sample, "message", ""));
    if (cJSON_GetArraySize(json_at(sample, "fix")))
        html_add_fix(html, sample);
    html_addf(html, "<p>Targets:</p><ul>");
    for (int i = 0; i < group->targets && i < NAMED_MAX; i++)
        html_addf(html, "<li><code>%s</code></li>", group->names[i]);
    if (group->targets > NAMED_MAX)
        html_addf(html, "<li>and %d more</li>", group->targets - NAMED_MAX);
    html_addf(html, "</ul></details>\n");
}

void html_groups(struct html *html)
{
    struct groups groups;
    gather(&groups, json_at(html->report, "targets"));
    if (groups.len) {
        html_addf(html, "<section class=\"groups\"><h2>What is wrong, by finding</h2>\n");
        for (size_t i = 0; i < groups.len; i++)
            add_group(html, &groups.items[i]);
        html_addf(html, "</section>\n");
    }
    release(&groups);
}
