/* Stage: report. Counts over many targets what is wrong. Reads the document only, writes groups of findings
 * with one id. Deliberately keeps but the names of a few targets: a fleet has thousands. */
#include "report/groups.h"
#include "base/alloc.h"
#include "base/json.h"
#include "report/document.h"
#include "report/intern.h"
#include "report/relations.h"
#include <stdlib.h>
#include <string.h>

static struct group *group_of(struct groups *groups, struct intern *ids, const cJSON *finding)
{
    bool added;
    uint32_t at = intern_add(ids, document_str(finding, "id", "?"), &added);
    if (added) {
        groups->items = xrealloc(groups->items, (at + 1) * sizeof *groups->items);
        groups->items[at] = (struct group){0};
        groups->len = at + 1;
    }
    return &groups->items[at];
}

static void count(struct group *group, const cJSON *finding, bool stands, const cJSON *target,
                  int number)
{
    bool cause = stands && document_severity(finding) > 0;
    int severity = document_waived(finding) ? 0 : document_severity(finding);
    if (!group->sample || severity > group->severity ||
        (cause && !group->causes && severity == group->severity)) {
        group->sample = finding;
        group->owner = target;
    }
    group->severity = severity > group->severity ? severity : group->severity;
    if (cause && group->last_cause != number) {
        group->last_cause = number;
        group->causes++;
    }
    if (group->last == number)
        return;
    if (group->targets < GROUPS_NAMED_MAX)
        group->first[group->targets] = target;
    group->last = number;
    group->targets++;
}

static int compare(const void *a, const void *b)
{
    const struct group *left = a, *right = b;
    if (!left->causes != !right->causes)
        return left->causes ? -1 : 1;
    if (left->severity != right->severity)
        return right->severity - left->severity;
    if (left->causes != right->causes)
        return right->causes - left->causes;
    if (left->targets != right->targets)
        return right->targets - left->targets;
    return strcmp(document_str(left->sample, "id", "?"), document_str(right->sample, "id", "?"));
}

void groups_init(struct groups *groups, const cJSON *targets)
{
    struct intern ids = {0};
    const cJSON *target;
    int number = 0;
    *groups = (struct groups){0};
    cJSON_ArrayForEach (target, targets) {
        struct relations relations;
        relations_init(&relations, target);
        number++;
        for (size_t i = 0; i < relations.len; i++) {
            const struct relations_item *item = &relations.items[i];
            count(group_of(groups, &ids, item->finding), item->finding, item->stands, target,
                  number);
        }
        relations_release(&relations);
    }
    if (groups->len)
        qsort(groups->items, groups->len, sizeof *groups->items, compare);
    while (groups->causes < groups->len && groups->items[groups->causes].causes)
        groups->causes++;
    intern_release(&ids);
}

void groups_release(struct groups *groups)
{
    free(groups->items);
    *groups = (struct groups){0};
}
