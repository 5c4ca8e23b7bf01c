/* Stage: compare. Puts the document of a comparison together: both targets in short, what changed in the
 * findings, what differs, what could not be compared. Reads two reports; computes nothing but counts. */
#include "compare/document.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/text_verdict.h"

#define WHY_MAX 4096

/* Why nothing could be judged: it does not answer, it is empty. */
static void put_why(cJSON *row, const cJSON *target)
{
    struct buf why;
    buf_init(&why, WHY_MAX);
    text_verdict(&why, target);
    json_put_str(row, "why", buf_str(&why));
    buf_release(&why);
}

static void put_target(cJSON *document, const char *name, const cJSON *report)
{
    const cJSON *target = cJSON_GetArrayItem(json_at(report, "targets"), 0);
    cJSON *row = json_put_object(document, name);
    json_put_str(row, "name", json_str(target, "name"));
    json_put_str(row, "verdict", json_str(target, "verdict"));
    json_put_num(row, "errors", document_findings(target, "error"));
    json_put_num(row, "warnings", document_findings(target, "warning"));
    if (str_equal(json_str(target, "verdict"), "unknown"))
        put_why(row, target);
    const cJSON *envoy = json_at(target, "envoy");
    if (envoy)
        cJSON_AddItemToObject(row, "envoy", cJSON_Duplicate(envoy, true));
}

static int related(const cJSON *differences)
{
    int count = 0;
    const cJSON *row;
    cJSON_ArrayForEach (row, differences) {
        count += json_at(row, "may_explain") || json_at(row, "sign_of");
    }
    return count;
}

static void put_summary(cJSON *document, cJSON *counts, const cJSON *differences)
{
    cJSON *summary = json_put_object(document, "summary");
    json_put_num(summary, "differences", cJSON_GetArraySize(differences));
    json_put_num(summary, "related", related(differences));
    cJSON_AddItemToObject(summary, "findings", counts);
}

static cJSON *take(cJSON *object, const char *name)
{
    return cJSON_DetachItemFromObjectCaseSensitive(object, name);
}

cJSON *compare_document(const cJSON *a, const cJSON *b, cJSON *changes, cJSON *differences)
{
    cJSON *document = cJSON_CreateObject();
    cJSON *rows = take(differences, "differences");
    json_put_str(document, "schema", COMPARE_SCHEMA);
    cJSON_AddItemToObject(document, "tool", cJSON_Duplicate(json_at(b, "tool"), true));
    json_put_str(document, "started", json_str(b, "started"));
    json_put_str(document, "finished", json_str(b, "finished"));
    put_target(document, "a", a);
    put_target(document, "b", b);
    put_summary(document, take(changes, "summary"), rows);
    cJSON_AddItemToObject(document, "findings", take(changes, "findings"));
    cJSON_AddItemToObject(document, "differences", rows);
    cJSON_AddItemToObject(document, "not_compared", take(differences, "not_compared"));
    return document;
}
