/* Stage: report. Sums up many targets: how many are how well, and which causes are behind it, those of most
 * targets first. Reads the document only. */
#include "report/text_fleet.h"
#include "base/alloc.h"
#include "base/json.h"
#include "report/document.h"
#include "report/groups.h"
#include "report/text_finding.h"
#include "report/text_verdict.h"
#include <stdlib.h>

#define SHOWN_MAX    10
#define GROUPED_FROM 5 /* fewer are seen at a glance */
#define FIELD_MAX    (64u << 10)

static void write_group(const struct layout *layout, const struct group *group)
{
    enum glyph glyph = text_finding_glyph(json_str(group->sample, "severity"));
    bool one = group->causes == 1;
    char *text = xasprintf("%d %s: %s [%s]%s%s", group->causes, one ? "target" : "targets",
                           document_str(group->sample, "title", ""),
                           document_str(group->sample, "id", "?"), one ? ": " : ", first ",
                           document_str(group->owner, "name", "?"));
    layout_item(layout, 2, layout_glyph(layout, glyph), layout_ink(glyph), 4, text);
    free(text);
}

static void write_groups(const struct layout *layout, const cJSON *targets)
{
    struct groups groups;
    groups_init(&groups, targets);
    size_t shown = layout->style->verbose || groups.causes < SHOWN_MAX ? groups.causes : SHOWN_MAX;
    for (size_t i = 0; i < shown; i++)
        write_group(layout, &groups.items[i]);
    if (shown < groups.causes)
        buf_addf(layout->out, "    and %zu more causes (--verbose)\n", groups.causes - shown);
    groups_release(&groups);
}

void text_fleet(const struct layout *layout, const cJSON *targets)
{
    struct buf text;
    buf_init(&text, FIELD_MAX);
    text_verdict_fleet(&text, targets);
    if (text.len)
        buf_addf(layout->out, "\n%d targets: %s\n", cJSON_GetArraySize(targets), buf_str(&text));
    else
        buf_adds(layout->out, "no target was examined\n");
    buf_release(&text);
    if (cJSON_GetArraySize(targets) >= GROUPED_FROM)
        write_groups(layout, targets);
}
