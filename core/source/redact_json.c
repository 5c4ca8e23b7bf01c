/* Source: redaction of documents of our own. Walks over a report's target or a bundle's index, hands
 * each text to the choke point. Deliberately leaves names of members alone: they are ours. */
#include "source/redact_json.h"

#include "base/alloc.h"
#include "base/json.h"
#include "source/identity_scan.h"
#include "source/redact_policy.h"

#include <stdlib.h>
#include <string.h>

typedef void text_fn(void *user, cJSON *text);

struct walk {
    const char *const *except;
    text_fn *fn;
    void *user;
};

static bool is_excepted(const struct walk *walk, const cJSON *node)
{
    for (const char *const *name = walk->except; name && *name && node->string; name++)
        if (strcmp(*name, node->string) == 0)
            return true;
    return false;
}

static void walk_tree(const struct walk *walk, cJSON *node, int depth)
{
    cJSON *child;
    if (is_excepted(walk, node) || depth > JSON_DEPTH_MAX)
        return;
    if (cJSON_IsString(node))
        walk->fn(walk->user, node);
    cJSON_ArrayForEach (child, node)
        walk_tree(walk, child, depth + 1);
}

struct redacting {
    const struct redact_policy *policy;
    struct redact_counts *counts;
};

static void redact_one(void *user, cJSON *text)
{
    const struct redacting *redacting = user;
    struct redact_counts counts;
    struct buf out;
    buf_init(&out, 1 << 26);
    redact_text(&out, text->valuestring, strlen(text->valuestring), redacting->policy, &counts);
    if (counts.total)
        cJSON_SetValuestring(text, buf_str(&out));
    buf_release(&out);
    redacting->counts->total += counts.total;
    for (size_t i = 0; i < REDACT_KINDS_MAX; i++)
        redacting->counts->by_kind[i] += counts.by_kind[i];
}

void redact_json(cJSON *tree, const char *const *except, const struct redact_policy *policy,
                 struct redact_counts *counts)
{
    struct redacting redacting = {policy, counts};
    const struct walk walk = {except, redact_one, &redacting};
    if (policy)
        walk_tree(&walk, tree, 0);
}

static void learn_one(void *user, cJSON *text)
{
    struct identity_scan scan = {.names = user};
    identity_scan(&scan, text->valuestring, strlen(text->valuestring));
}

void redact_json_learn(const cJSON *tree, const struct redact_policy *policy)
{
    const struct walk walk = {NULL, learn_one, redact_policy_names(policy)};
    if (walk.user)
        walk_tree(&walk, (cJSON *)tree, 0); /* which is only read */
}

static void count_one(void *user, cJSON *text)
{
    static const char mark[] = "[redacted:";
    const struct redacting *counting = user;
    for (const char *at = text->valuestring; (at = strstr(at, mark));) {
        at += sizeof mark - 1;
        size_t len = strcspn(at, "]");
        for (size_t i = 0; redact_kind(counting->policy, i); i++) {
            const char *kind = redact_kind(counting->policy, i);
            if (strlen(kind) != len || strncmp(kind, at, len) != 0)
                continue;
            counting->counts->total++;
            counting->counts->by_kind[i]++;
        }
    }
}

void redact_json_count(const cJSON *tree, const struct redact_policy *policy,
                       struct redact_counts *counts)
{
    struct redacting counting = {policy, counts};
    const struct walk walk = {NULL, count_one, &counting};
    walk_tree(&walk, (cJSON *)tree, 0); /* which is only read */
}
