/* Stage: report. Renders for the HTML page what is wrong over many targets: the answer, and each finding with
 * how many targets have it. Reads the document only; details of a target are elsewhere. */
#include "base/json.h"
#include "report/document.h"
#include "report/groups.h"
#include "report/html.h"
#include "report/text_verdict.h"

#define SENTENCE_MAX 4096

void html_sum(struct html *html)
{
    const cJSON *targets = json_at(html->report, "targets");
    const char *verdict = document_str(html->report, "summary.verdict", "unknown");
    struct groups groups;
    struct buf text;
    groups_init(&groups, targets);
    buf_init(&text, SENTENCE_MAX);
    text_verdict_fleet(&text, targets);
    html_addf(html,
              "<section class=\"answer is-%s\" aria-label=\"The answer\"><p class=\"verdict\">",
              verdict);
    html_add_mark(html, verdict, verdict);
    html_addf(html, text.len ? "</p><h1>%d targets: %s</h1>\n" : "</p><h1>%d targets%s</h1>\n",
              cJSON_GetArraySize(targets), buf_str(&text));
    if (groups.causes && groups.items[0].causes > 1) {
        const struct group *top = &groups.items[0];
        html_addf(html, "<p class=\"since\">The most common cause, in %d of them: <b>%s</b></p>\n",
                  top->causes, document_str(top->sample, "title", "?"));
        html_add_first_step(html, top->sample);
    }
    html_addf(html, "</section>\n");
    buf_release(&text);
    groups_release(&groups);
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
    for (int i = 0; i < group->targets && i < GROUPS_NAMED_MAX; i++)
        html_addf(html, "<li><code>%s</code></li>", document_str(group->first[i], "name", "?"));
    if (group->targets > GROUPS_NAMED_MAX)
        html_addf(html, "<li>and %d more</li>", group->targets - GROUPS_NAMED_MAX);
    html_addf(html, "</ul></details>\n");
}

void html_groups(struct html *html)
{
    struct groups groups;
    groups_init(&groups, json_at(html->report, "targets"));
    if (groups.len) {
        html_addf(html, "<section class=\"groups\"><h2>What is wrong, by finding</h2>\n");
        for (size_t i = 0; i < groups.len; i++)
            add_group(html, &groups.items[i]);
        html_addf(html, "</section>\n");
    }
    groups_release(&groups);
}
