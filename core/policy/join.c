/* Policy: joins what the reports of shards say of the rules they were judged by. Reads and writes report
 * documents. Deliberately judges nothing anew: what was waived in a shard stays waived. */
#include "policy/join.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include <stddef.h>

static cJSON *member(cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* The list NAME of POLICY, made when there is none; what a damaged report has in its place goes. */
static cJSON *list_of(cJSON *policy, const char *name)
{
    if (!cJSON_IsArray(member(policy, name))) {
        cJSON_DeleteItemFromObjectCaseSensitive(policy, name);
        json_put_array(policy, name);
    }
    return member(policy, name);
}

static bool same(const cJSON *a, const cJSON *b)
{
    return a == b || (a && b && cJSON_Compare(a, b, true));
}

static bool same_rule(const cJSON *a, const cJSON *b)
{
    static const char *const names[] = {"finding", "target", "reason",  "owner",
                                        "expires", "state",  "severity"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!str_equal(json_str(a, names[i]), json_str(b, names[i])))
            return false;
    return true;
}

static cJSON *find_rule(cJSON *rows, const cJSON *like)
{
    cJSON *row;
    cJSON_ArrayForEach (row, rows) {
        if (same_rule(row, like))
            return row;
    }
    return NULL;
}

static void add_count(cJSON *object, const char *name, const cJSON *from)
{
    double ours = 0, theirs = 0;
    if (!object || !json_num(from, name, &theirs))
        return;
    json_num(object, name, &ours);
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    json_put_num(object, name, ours + theirs);
}

/* Rows of {finding, ..., findings}: each once, with the sum of what it met. */
static void join_rules(cJSON *policy, const cJSON *other, const char *name)
{
    const cJSON *row;
    cJSON_ArrayForEach (row, json_at(other, name)) {
        cJSON *ours = find_rule(member(policy, name), row);
        if (ours)
            add_count(ours, "findings", row);
        else
            cJSON_AddItemToArray(list_of(policy, name), cJSON_Duplicate(row, true));
    }
}

static void join_left_out(cJSON *policy, const cJSON *other)
{
    const cJSON *id, *ours;
    cJSON_ArrayForEach (id, json_at(other, "left_out")) {
        bool there = !cJSON_IsString(id);
        cJSON_ArrayForEach (ours, json_at(policy, "left_out")) {
            there |= str_equal(ours->valuestring, id->valuestring);
        }
        if (!there)
            cJSON_AddItemToArray(list_of(policy, "left_out"), cJSON_Duplicate(id, true));
    }
}

static size_t strictness(const char *fail_on)
{
    static const char *const levels[] = {"never", "error", "warning", "incomplete"};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (str_equal(levels[i], fail_on))
            return i;
    return 1; /* what holds where nothing is said */
}

static void join_fail_on(cJSON *policy, const cJSON *other)
{
    const char *ours = json_str(policy, "fail_on"), *theirs = json_str(other, "fail_on");
    if (strictness(theirs) <= strictness(ours))
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(policy, "fail_on");
    json_put_str(policy, "fail_on", theirs);
}

static bool keep_shared(cJSON *policy, const cJSON *other, const char *name)
{
    bool shared = same(member(policy, name), json_at(other, name));
    if (!shared)
        cJSON_DeleteItemFromObjectCaseSensitive(policy, name);
    return shared;
}

bool join_policy(cJSON *report, const cJSON *other)
{
    const cJSON *theirs = json_at(other, "policy");
    if (!theirs && !member(report, "policy"))
        return true;
    if (!cJSON_IsObject(member(report, "policy"))) {
        cJSON_DeleteItemFromObjectCaseSensitive(report, "policy");
        json_put_object(report, "policy");
    }
    cJSON *policy = member(report, "policy");
    join_rules(policy, theirs, "severity");
    join_rules(policy, theirs, "waivers");
    join_left_out(policy, theirs);
    join_fail_on(policy, theirs);
    add_count(member(member(report, "summary"), "baseline"), "gone",
              json_at(other, "summary.baseline"));
    bool same_config = keep_shared(policy, theirs, "config");
    bool same_baseline = keep_shared(policy, theirs, "baseline");
    keep_shared(policy, theirs, "params");
    if (!policy->child)
        cJSON_DeleteItemFromObjectCaseSensitive(report, "policy");
    return same_config && same_baseline;
}
