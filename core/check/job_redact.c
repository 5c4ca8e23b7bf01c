/* Stage: check, in the supervisor. Reads a finished row of the report, writes it with pseudonyms for
 * identities, and how much of what was removed from which source. Deliberately after correlation, which
 * compares names: pseudonyms must not decide what explains what. */
#include "check/job_redact.h"

#include "base/json.h"
#include "finding/fingerprint.h"
#include "source/pseudonym.h"
#include "source/redact_json.h"

#include <stdint.h>
#include <string.h>

/* Words of the schema, hashes and times. */
static const char *const except[] = {
    "id",       "severity", "role",     "confidence",   "state",    "title",
    "check",    "sha256",   "time",     "first",        "last",     "lane",
    "verdict",  "outcome",  "kind",     "zone",         "level",    "version",
    "since",    "until",    "explains", "explained_by", "ends",     "direction",
    "platform", "mode",     "finding",  "expires",      "baseline", NULL,
};

static void learn_words(const cJSON *words, struct pseudonyms *names)
{
    const cJSON *word;
    cJSON_ArrayForEach (word, words)
        if (cJSON_IsString(word))
            pseudonyms_name(names, word->valuestring, strlen(word->valuestring));
}

/* Of what is shown now, so that nobody can guess what was shown before. */
static void renew_fingerprints(cJSON *target)
{
    char hex[FINGERPRINT_LEN + 1];
    cJSON *finding;
    cJSON_ArrayForEach (finding, cJSON_GetObjectItemCaseSensitive(target, "findings")) {
        cJSON *old = cJSON_GetObjectItemCaseSensitive(finding, "fingerprint");
        const char *id = json_str(finding, "id"), *kind = json_str(finding, "subject.kind");
        const char *name = json_str(finding, "subject.name");
        if (!cJSON_IsString(old) || !id || !kind || !name)
            continue;
        fingerprint_of(hex, id, kind, name);
        cJSON_SetValuestring(old, hex);
    }
}

static void add_rows(cJSON *redactions, const struct redact_policy *policy,
                     const struct redact_counts *counts)
{
    for (size_t i = 0; redact_kind(policy, i); i++) {
        if (!counts->by_kind[i])
            continue;
        cJSON *row = cJSON_CreateObject();
        json_put_str(row, "source", "report");
        json_put_str(row, "kind", redact_kind(policy, i));
        json_put_num(row, "count", (double)counts->by_kind[i]);
        cJSON_AddItemToArray(redactions, row);
    }
}

static void replace_identities(cJSON *target, const cJSON *about,
                               const struct redact_policy *policy, struct redact_counts *counts)
{
    bool again = json_bool(about, "pseudonyms");
    pseudonyms_forget(redact_policy_names(policy));
    learn_words(json_at(about, "named"), redact_policy_names(policy));
    redact_json_learn(target, policy);
    redact_json(target, except, again ? redact_policy_again(policy) : policy, counts);
    renew_fingerprints(target);
    /* Workers of other targets, which are started later, must not know them either. */
    pseudonyms_forget(redact_policy_names(policy));
}

void job_redact(cJSON *target, const cJSON *about, const struct redact_policy *policy)
{
    struct redact_counts counts = {0};
    const cJSON *of_sources = json_at(about, "redactions");
    cJSON *rows = of_sources ? cJSON_Duplicate(of_sources, true) : cJSON_CreateArray();
    if (policy)
        redact_json_count(target, policy, &counts);
    if (redact_policy_names(policy)) {
        cJSON_AddItemToObject(target, "redactions", rows); /* its sources have names, too */
        replace_identities(target, about, policy, &counts);
        rows = cJSON_DetachItemFromObjectCaseSensitive(target, "redactions");
    }
    add_rows(rows, policy, &counts);
    if (cJSON_GetArraySize(rows))
        cJSON_AddItemToObject(target, "redactions", rows);
    else
        cJSON_Delete(rows);
}
