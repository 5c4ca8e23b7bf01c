/* Stage: finding. Reads a target's ranked findings, sorts its asks: first those of the checks whose findings
 * stand first and are not certain, then those of checks that could not tell, then missing evidence, what
 * the candidates of the first finding need before the rest. Drops and writes no ask. */
#include "finding/asks.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/report.h"
#include <stdlib.h>
#include <string.h>

enum {
    OPEN = 0,         /* of a finding that is not settled: its place among the findings is added */
    UNTOLD = 1000,    /* of a check that found nothing and could not tell */
    SETTLED = 2000,   /* of a finding that stands without it */
    CANDIDATE = 3000, /* missing evidence of a section that a candidate belongs to */
    MISSING = 4000,   /* missing evidence: the more checks need it, the sooner */
    CHECKS_MAX = 999
};

struct entry {
    cJSON *ask;
    int order, place;
};

static bool is_open(const cJSON *finding)
{
    return !str_equal(json_str(finding, "confidence"), "certain") ||
           cJSON_GetArraySize(json_at(finding, "candidates")) > 0;
}

static int order_of_own(const cJSON *target, const char *check)
{
    const cJSON *finding;
    int place = 0, order = UNTOLD;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        place++;
        if (!str_equal(json_str(finding, "check"), check))
            continue;
        if (is_open(finding) && !str_equal(json_str(finding, "severity"), "info"))
            return OPEN + (place < UNTOLD ? place : UNTOLD - 1);
        order = SETTLED;
    }
    return order;
}

/* Whether a check of TEXT's list ("a, b/c") is of a section that a candidate of FINDING belongs to. */
static bool serves_candidate(const cJSON *finding, const char *list)
{
    const cJSON *candidate;
    cJSON_ArrayForEach (candidate, json_at(finding, "candidates")) {
        const char *id = json_str(candidate, "id");
        const char *dot = id ? strchr(id, '.') : NULL;
        for (const char *at = list; dot && at; at = strchr(at, ' ')) {
            size_t len = (size_t)(dot - id);
            at += *at == ' ';
            if (strncmp(at, id, len) == 0 && (at[len] == ',' || at[len] == '/' || !at[len]))
                return true;
        }
    }
    return false;
}

static int order_of_missing(const cJSON *target, const char *list)
{
    int needers = 1;
    for (const char *at = list; (at = strchr(at, ',')); at++)
        needers++;
    needers = needers < CHECKS_MAX ? needers : CHECKS_MAX;
    bool serves = serves_candidate(json_at(target, "findings[0]"), list);
    return (serves ? CANDIDATE : MISSING) + CHECKS_MAX - needers;
}

static int order_of(const cJSON *target, const cJSON *ask)
{
    const char *check = json_str(ask, ASKS_CHECK), *why = json_str(ask, "why");
    if (check)
        return order_of_own(target, check);
    bool listed = why && str_starts(why, REPORT_NEEDED_BY);
    return order_of_missing(target, listed ? why + strlen(REPORT_NEEDED_BY) : "");
}

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    return a->order != b->order ? a->order - b->order : a->place - b->place;
}

void asks_arrange(cJSON *target)
{
    cJSON *asks = cJSON_GetObjectItemCaseSensitive(target, "asks");
    int len = cJSON_GetArraySize(asks);
    struct entry *entries = xcalloc((size_t)len + 1, sizeof *entries);
    for (int i = 0; i < len; i++) {
        cJSON *ask = cJSON_DetachItemFromArray(asks, 0);
        entries[i] = (struct entry){ask, order_of(target, ask), i};
        cJSON_DeleteItemFromObjectCaseSensitive(ask, ASKS_CHECK);
    }
    qsort(entries, (size_t)len, sizeof *entries, compare);
    for (int i = 0; i < len; i++)
        cJSON_AddItemToArray(asks, entries[i].ask);
    free(entries);
}
