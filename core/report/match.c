/* Stage: report. Matches the findings of two reports. Reads both documents, writes rows, and for a
 * baseline the members `baseline` of the newer one. Deliberately tells a finding that is gone from one
 * that nobody looked for this time. */
#include "report/match.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/report.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY SIZE_MAX

static const char *const names[] = {"new",    "worse",    "better",   "gone",
                                    "waived", "unjudged", "unchanged"};

const char *match_name(enum match_change change)
{
    return names[change];
}

/* ---- matching by keys ---- */

struct keyed {
    const char *key;
    size_t index;
};

static int by_key(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order ? order : a->index < b->index ? -1 : 1;
}

struct side { /* the targets of a report, or the findings of a target */
    const cJSON **items;
    size_t len;
    size_t *partners; /* index on the other side, or NOBODY */
    struct keyed *keys;
    size_t keys_len;
};

static void side_init(struct side *side, const cJSON *array)
{
    const cJSON *each;
    size_t len = (size_t)cJSON_GetArraySize(array);
    *side = (struct side){.items = xcalloc(len + 1, sizeof *side->items),
                          .partners = xcalloc(len + 1, sizeof *side->partners),
                          .keys = xcalloc(len + 1, sizeof *side->keys)};
    cJSON_ArrayForEach (each, array) {
        side->partners[side->len] = NOBODY;
        side->items[side->len++] = each;
    }
}

static void side_release(struct side *side)
{
    free(side->items);
    free(side->partners);
    free(side->keys);
}

/* The keys at PATH of those that have no partner yet, sorted. */
static void side_sort(struct side *side, const char *path)
{
    side->keys_len = 0;
    for (size_t i = 0; i < side->len; i++) {
        const char *key = json_str(side->items[i], path);
        if (key && *key && side->partners[i] == NOBODY)
            side->keys[side->keys_len++] = (struct keyed){key, i};
    }
    qsort(side->keys, side->keys_len, sizeof *side->keys, by_key);
}

static size_t run_of(const struct side *side, size_t at)
{
    size_t len = 1;
    while (at + len < side->keys_len && strcmp(side->keys[at].key, side->keys[at + len].key) == 0)
        len++;
    return len;
}

static void couple(struct side *old, size_t i, struct side *new, size_t j)
{
    old->partners[old->keys[i].index] = new->keys[j].index;
    new->partners[new->keys[j].index] = old->keys[i].index;
}

/* Makes partners of those with equal keys at PATH: the first of several with the first, or only where
 * each is the only one. */
static void couple_equal(struct side *old, struct side *new, const char *path, bool only_unique)
{
    side_sort(old, path);
    side_sort(new, path);
    for (size_t i = 0, j = 0; i < old->keys_len && j < new->keys_len;) {
        int order = strcmp(old->keys[i].key, new->keys[j].key);
        size_t i_len = order <= 0 ? run_of(old, i) : 0, j_len = order >= 0 ? run_of(new, j) : 0;
        if (order == 0 && (!only_unique || (i_len == 1 && j_len == 1)))
            for (size_t k = 0; k < i_len && k < j_len; k++)
                couple(old, i + k, new, j + k);
        i += i_len;
        j += j_len;
    }
}

/* Two reports of one target each are about the same proxy, whatever they call it: a bundle and the
 * address it came from have different names. In a fleet its node tells, when no other proxy has it. */
static void match_targets(struct side *old, struct side *new)
{
    if (old->len == 1 && new->len == 1) {
        old->partners[0] = new->partners[0] = 0;
        return;
    }
    couple_equal(old, new, "name", false);
    couple_equal(old, new, "envoy.node", true);
}

/* ---- judging ---- */

static bool was_judged(const cJSON *target, const char *check)
{
    const cJSON *row;
    cJSON_ArrayForEach (row, json_at(target, "checks")) {
        const char *outcome = json_str(row, "outcome");
        if (str_equal(json_str(row, "id"), check))
            return !str_equal(outcome, "skip") && !str_equal(outcome, "error");
    }
    return false;
}

/* What is waived counts as little as a note. */
static int level_of(const cJSON *finding)
{
    return document_waived(finding) ? 0 : document_severity(finding);
}

static enum match_change change_of(const cJSON *old, const cJSON *new)
{
    if (!old)
        return MATCH_NEW;
    int was = level_of(old), is = level_of(new);
    if (is > was)
        return MATCH_WORSE;
    if (is < was)
        return document_waived(new) ? MATCH_WAIVED : MATCH_BETTER;
    return MATCH_UNCHANGED;
}

struct gathering {
    struct match *match;
    size_t cap;
};

static void add_row(struct gathering *to, struct match_row row)
{
    struct match *match = to->match;
    if (match->len == to->cap) {
        to->cap = to->cap ? to->cap * 2 : 64;
        match->rows = xrealloc(match->rows, to->cap * sizeof *match->rows);
    }
    match->rows[match->len++] = row;
    match->counts[row.change]++;
}

static void match_findings(struct gathering *to, const struct match_pair *pair)
{
    struct side old, new;
    side_init(&old, json_at(pair->old, "findings"));
    side_init(&new, json_at(pair->new, "findings"));
    couple_equal(&old, &new, "fingerprint", false);
    for (size_t i = 0; i < new.len; i++) {
        const cJSON *before = new.partners[i] == NOBODY ? NULL : old.items[new.partners[i]];
        add_row(to, (struct match_row){change_of(before, new.items[i]), before ? pair->old : NULL,
                                       before, pair->new, (cJSON *)new.items[i]});
    }
    for (size_t i = 0; i < old.len; i++) {
        if (old.partners[i] != NOBODY)
            continue;
        bool judged = was_judged(pair->new, json_str(old.items[i], "check"));
        add_row(to, (struct match_row){judged ? MATCH_GONE : MATCH_UNJUDGED, pair->old,
                                       old.items[i], pair->new, NULL});
    }
    side_release(&old);
    side_release(&new);
}

static void pair_targets(struct match *match, const cJSON *old_report, const cJSON *new_report)
{
    struct side old, new;
    side_init(&old, json_at(old_report, "targets"));
    side_init(&new, json_at(new_report, "targets"));
    match_targets(&old, &new);
    match->targets = xcalloc(old.len + new.len + 1, sizeof *match->targets);
    for (size_t i = 0; i < new.len; i++)
        match->targets[match->targets_len++] = (struct match_pair){
            new.partners[i] == NOBODY ? NULL : old.items[new.partners[i]], (cJSON *)new.items[i]};
    for (size_t i = 0; i < old.len; i++)
        if (old.partners[i] == NOBODY)
            match->targets[match->targets_len++] = (struct match_pair){old.items[i], NULL};
    side_release(&old);
    side_release(&new);
}

/* By change; within a change the order stays. */
static void sort_rows(struct match *match)
{
    struct match_row *sorted = xcalloc(match->len + 1, sizeof *sorted);
    size_t len = 0;
    for (int change = 0; change < MATCH_KINDS; change++)
        for (size_t i = 0; i < match->len; i++)
            if (match->rows[i].change == (enum match_change)change)
                sorted[len++] = match->rows[i];
    free(match->rows);
    match->rows = sorted;
}

void match_init(struct match *match, const cJSON *old, cJSON *new)
{
    struct gathering gathering = {.match = match};
    *match = (struct match){0};
    pair_targets(match, old, new);
    for (size_t i = 0; i < match->targets_len; i++)
        match_findings(&gathering, &match->targets[i]);
    sort_rows(match);
}

void match_release(struct match *match)
{
    free(match->rows);
    free(match->targets);
    *match = (struct match){0};
}

/* ---- a baseline ---- */

static void forget_marks(cJSON *report)
{
    cJSON *target, *finding;
    cJSON_ArrayForEach (target, cJSON_GetObjectItemCaseSensitive(report, "targets")) {
        cJSON_DeleteItemFromObjectCaseSensitive(target, "baseline");
        cJSON_ArrayForEach (finding, cJSON_GetObjectItemCaseSensitive(target, "findings")) {
            cJSON_DeleteItemFromObjectCaseSensitive(finding, "baseline");
        }
    }
    cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(report, "policy"),
                                            "baseline");
}

/* A report knows four words; what was waived since has become better. */
static const char *mark_of(enum match_change change)
{
    return names[change == MATCH_WAIVED ? MATCH_BETTER : change];
}

static void mark_target(const struct match_pair *pair)
{
    const char *verdict = json_str(pair->old, "verdict");
    if (!pair->new || !verdict)
        return;
    cJSON *was = json_put_object(pair->new, "baseline");
    json_put_str(was, "verdict", verdict);
    json_put_bool(was, "incomplete", report_target_incomplete(pair->old));
}

static void name_file(cJSON *report, const char *path, const char *sha256)
{
    cJSON *policy = cJSON_GetObjectItemCaseSensitive(report, "policy");
    if (!cJSON_IsObject(policy)) {
        cJSON_DeleteItemFromObjectCaseSensitive(report, "policy");
        policy = json_put_object(report, "policy");
    }
    cJSON *file = json_put_object(policy, "baseline");
    json_put_str(file, "path", path);
    json_put_str(file, "sha256", sha256);
}

static void put_gone(cJSON *report, size_t gone)
{
    cJSON *summary = cJSON_GetObjectItemCaseSensitive(report, "summary");
    cJSON_DeleteItemFromObjectCaseSensitive(summary, "baseline");
    json_put_num(json_put_object(summary, "baseline"), "gone", (double)gone);
}

void match_mark(cJSON *new, const cJSON *old, const char *path, const char *sha256)
{
    struct match match;
    forget_marks(new);
    match_init(&match, old, new);
    for (size_t i = 0; i < match.len; i++)
        if (match.rows[i].new)
            json_put_str(match.rows[i].new, "baseline", mark_of(match.rows[i].change));
    for (size_t i = 0; i < match.targets_len; i++)
        mark_target(&match.targets[i]);
    name_file(new, path, sha256);
    put_gone(new, match.counts[MATCH_GONE]);
    report_summarise(new);
    report_arrange(new);
    match_release(&match);
}
