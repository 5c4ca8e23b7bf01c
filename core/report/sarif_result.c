/* Stage: report. One result of a SARIF log: a finding with the places of its proof. Reads the document
 * only. A proof in a manifest comes first, because code scanning shows a result at its first place. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/sarif.h"
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (64u << 10)

/* The line of PROOF; 0 when its place is no line. */
static int64_t line_of(const cJSON *proof)
{
    const char *locator = json_str(proof, "locator");
    int64_t line = 0;
    if (!json_int(proof, "line", &line) &&
        !(locator && str_starts(locator, "line ") && str_to_int64(locator + 5, &line)))
        return 0;
    return line >= 1 && line <= INT32_MAX ? line : 0;
}

static void put_subject(cJSON *location, const struct sarif_scene *scene, const cJSON *finding)
{
    struct buf name;
    buf_init(&name, TEXT_MAX);
    buf_addf(&name, "%s/%s/%s", document_str(scene->target, "name", "?"),
             document_str(finding, "subject.kind", "?"),
             document_str(finding, "subject.name", "?"));
    cJSON *list = json_put_array(location, "logicalLocations"), *row = cJSON_CreateObject();
    cJSON_AddItemToArray(list, row);
    sarif_put(row, "name", document_str(finding, "subject.name", "?"));
    sarif_put(row, "fullyQualifiedName", buf_str(&name));
    sarif_put(row, "kind", document_str(finding, "subject.kind", "?"));
    buf_release(&name);
}

static void put_place(cJSON *location, const struct sarif_scene *scene, const cJSON *proof)
{
    int64_t line = line_of(proof);
    const char *excerpt = document_str(proof, "excerpt", "");
    cJSON *place = json_put_object(location, "physicalLocation");
    cJSON_AddItemToObject(place, "artifactLocation",
                          sarif_artifact(scene, document_str(proof, "source", "?")));
    if (line) {
        cJSON *region = json_put_object(place, "region");
        json_put_num(region, "startLine", (double)line);
        if (*excerpt && !json_at(proof, "line")) /* of a manifest it is made from the record */
            sarif_put_message(region, "snippet", excerpt);
    }
    struct buf text;
    buf_init(&text, TEXT_MAX);
    document_place(&text, proof);
    buf_addf(&text, "%s%s", *excerpt ? "  " : "", excerpt);
    sarif_put_message(location, "message", buf_str(&text));
    buf_release(&text);
}

/* The proof that stands in a manifest, else the first one; NULL without any. */
static const cJSON *main_proof(const cJSON *finding)
{
    const cJSON *proof, *proofs = json_at(finding, "evidence");
    int64_t line;
    cJSON_ArrayForEach (proof, proofs) {
        if (json_int(proof, "line", &line))
            return proof;
    }
    return cJSON_IsArray(proofs) ? proofs->child : NULL;
}

static void put_places(cJSON *result, const struct sarif_scene *scene, const cJSON *finding)
{
    const cJSON *proof, *first = main_proof(finding);
    int number = 0;
    cJSON *location = cJSON_CreateObject(), *related = cJSON_CreateArray();
    cJSON_AddItemToArray(json_put_array(result, "locations"), location);
    if (first)
        put_place(location, scene, first);
    put_subject(location, scene, finding);
    cJSON_ArrayForEach (proof, json_at(finding, "evidence")) {
        if (proof == first)
            continue;
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(related, row);
        json_put_num(row, "id", ++number);
        put_place(row, scene, proof);
    }
    if (number)
        cJSON_AddItemToObject(result, "relatedLocations", related);
    else
        cJSON_Delete(related);
}

/* The fingerprint of a finding knows no target; two proxies with the same trouble are two alerts. */
static void put_fingerprints(cJSON *result, const struct sarif_scene *scene, const cJSON *finding)
{
    struct buf text;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char hex[16 + sizeof ":1"];
    buf_init(&text, TEXT_MAX);
    buf_addf(&text, "%s %s", document_str(finding, "fingerprint", ""),
             document_str(scene->target, "name", ""));
    SHA256((const unsigned char *)buf_str(&text), text.len, digest);
    for (int i = 0; i < 8; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    memcpy(hex + 16, ":1", sizeof ":1");
    cJSON *prints = json_put_object(result, "partialFingerprints");
    sarif_put(prints, "debriefFinding/v1", buf_str(&text));
    sarif_put(prints, "primaryLocationLineHash", hex);
    buf_release(&text);
}

static void put_suppressions(cJSON *result, const cJSON *finding)
{
    struct buf text;
    cJSON *list = json_put_array(result, "suppressions");
    if (!document_waived(finding))
        return;
    buf_init(&text, TEXT_MAX);
    buf_addf(&text, "%s (owner %s, until %s)", document_str(finding, "waiver.reason", "?"),
             document_str(finding, "waiver.owner", "?"),
             document_str(finding, "waiver.expires", "?"));
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(list, row);
    json_put_str(row, "kind", "external");
    json_put_str(row, "status", "accepted");
    sarif_put(row, "justification", buf_str(&text));
    buf_release(&text);
}

static void put_baseline(cJSON *result, const cJSON *finding)
{
    static const char *const states[][2] = {
        {"new", "new"}, {"unchanged", "unchanged"}, {"worse", "updated"}, {"better", "updated"}};
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (str_equal(json_str(finding, "baseline"), states[i][0]))
            json_put_str(result, "baselineState", states[i][1]);
}

static void put_properties(cJSON *result, const struct sarif_scene *scene, const cJSON *finding)
{
    static const char *const members[] = {"role",  "confidence", "state",       "first",
                                          "check", "last",       "severity_was"};
    const cJSON *each;
    cJSON *properties = json_put_object(result, "properties");
    sarif_put(properties, "target", document_str(scene->target, "name", "?"));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        sarif_put(properties, members[i], json_str(finding, members[i]));
    cJSON *explained = cJSON_CreateArray();
    cJSON_ArrayForEach (each, json_at(finding, "explained_by")) {
        if (cJSON_IsString(each))
            sarif_put(explained, "", each->valuestring);
    }
    if (explained->child)
        cJSON_AddItemToObject(properties, "explainedBy", explained);
    else
        cJSON_Delete(explained);
}

cJSON *sarif_result(const struct sarif_scene *scene, const struct sarif_rules *rules,
                    const cJSON *finding)
{
    cJSON *result = cJSON_CreateObject();
    const char *id = document_str(finding, "id", "unknown");
    struct buf text;
    buf_init(&text, TEXT_MAX);
    if (scene->several)
        buf_addf(&text, "%s: ", document_str(scene->target, "name", "?"));
    buf_adds(&text, document_str(finding, "message", document_str(finding, "title", id)));
    sarif_put(result, "ruleId", id);
    json_put_num(result, "ruleIndex", sarif_rules_index(rules, id));
    json_put_str(result, "level", sarif_level(document_str(finding, "severity", "")));
    sarif_put_message(result, "message", buf_str(&text));
    put_places(result, scene, finding);
    put_fingerprints(result, scene, finding);
    put_suppressions(result, finding);
    put_baseline(result, finding);
    put_properties(result, scene, finding);
    buf_release(&text);
    return result;
}
