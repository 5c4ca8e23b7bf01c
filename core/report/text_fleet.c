/* Stage: report. Sums up many targets: how many are how well, and which causes are behind it, those of most
 * targets first. Reads the document only. */
#include "report/text_fleet.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/text_finding.h"
#include "report/text_verdict.h"
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX    10
#define GROUPED_FROM 5 /* fewer are seen at a glance */
#define FIELD_MAX    (64u << 10)

struct group { /* a cause, and who has it */
    const char *id;
    const cJSON *finding, *target; /* the first ones */
    const cJSON *last;             /* the target that was counted last */
    int targets;
};

struct groups {
    struct group *items;
    size_t len;
};

static struct group *group_of(struct groups *groups, const char *id)
{
    for (size_t i = 0; i < groups->len; i++)
        if (str_equal(groups->items[i].id, id))
            return &groups->items[i];
    groups->items = xrealloc(groups->items, (groups->len + 1) * sizeof *groups->items);
    groups->items[groups->len] = (struct group){.id = id};
    return &groups->items[groups->len++];
}

static void add_target(struct groups *groups, const cJSON *target)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        const char *id = json_str(finding, "id");
        if (!id || !document_stands(target, finding) || !document_severity(finding))
            continue;
        struct group *group = group_of(groups, id);
        group->targets += group->last != target;
        group->last = target;
        if (!group->finding) {
            group->finding = finding;
            group->target = target;
        }
    }
}

/* Errors before warnings, many targets before few; else by id. */
static int compare(const void *a, const void *b)
{
    const struct group *left = a, *right = b;
    int by_severity = document_severity(right->finding) - document_severity(left->finding);
    int by_targets = right->targets - left->targets;
    return by_severity ? by_severity : by_targets ? by_targets : strcmp(left->id, right->id);
}

static void write_group(const struct layout *layout, const struct group *group)
{
    enum glyph glyph = text_finding_glyph(json_str(group->finding, "severity"));
    bool one = group->targets == 1;
    char *text = xasprintf("%d %s: %s [%s]%s%s", group->targets, one ? "target" : "targets",
                           document_str(group->finding, "title", ""), group->id,
                           one ? ": " : ", first ", document_str(group->target, "name", "?"));
    layout_item(layout, 2, layout_glyph(layout, glyph), layout_ink(glyph), 4, text);
    free(text);
}

static void write_groups(const struct layout *layout, const cJSON *targets)
{
    struct groups groups = {0};
    const cJSON *target;
    cJSON_ArrayForEach (target, targets) {
        add_target(&groups, target);
    }
    if (groups.len)
        qsort(groups.items, groups.len, sizeof *groups.items, compare);
    size_t shown = layout->style->verbose || groups.len < SHOWN_MAX ? groups.len : SHOWN_MAX;
    for (size_t i = 0; i < shown; i++)
        write_group(layout, &groups.items[i]);
    if (shown < groups.len)
        buf_addf(layout->out, "    and %zu more causes (--verbose)\n", groups.len - shown);
    free(groups.items);
}

void text_fleet(const struct layout *layout, const cJSON *targets)
{
    static const char *const verdicts[][2] = {{"error", "with errors"},
                                              {"warning", "with warnings"},
                                              {"unknown", "unknown"},
                                              {"ok", "ok"}};
    struct buf text;
    buf_init(&text, FIELD_MAX);
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
        text_verdict_add_count(&text, document_count(targets, "verdict", verdicts[i][0]),
                               verdicts[i][1], verdicts[i][1]);
    if (text.len)
        buf_addf(layout->out, "\n%d targets: %s\n", cJSON_GetArraySize(targets), buf_str(&text));
    else
        buf_adds(layout->out, "no target was examined\n");
    buf_release(&text);
    if (cJSON_GetArraySize(targets) >= GROUPED_FROM)
        write_groups(layout, targets);
}
