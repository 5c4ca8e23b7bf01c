/* Stage: report. Answers what several writers ask of the document. Reads the document only; judges
 * nothing. */
#include "report/document.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include <stdlib.h>
#include <string.h>

const char *document_str(const cJSON *object, const char *path, const char *fallback)
{
    const char *text = json_str(object, path);
    return text ? text : fallback;
}

int document_severity(const cJSON *finding)
{
    const char *severity = json_str(finding, "severity");
    return str_equal(severity, "error") ? 2 : str_equal(severity, "warning") ? 1 : 0;
}

bool document_waived(const cJSON *finding)
{
    return str_equal(json_str(finding, "waiver.state"), "active");
}

bool document_decides(const cJSON *finding)
{
    const char *baseline = json_str(finding, "baseline");
    return !document_waived(finding) && !str_equal(baseline, "unchanged") &&
           !str_equal(baseline, "better");
}

int document_count(const cJSON *rows, const char *member, const char *value)
{
    int count = 0;
    const cJSON *row;
    cJSON_ArrayForEach (row, rows) {
        count += str_equal(json_str(row, member), value);
    }
    return count;
}

int document_findings(const cJSON *target, const char *severity)
{
    int count = 0;
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        count += str_equal(json_str(finding, "severity"), severity) && !document_waived(finding);
    }
    return count;
}

static const cJSON *find_in(const void *target, const char *id)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (str_equal(json_str(finding, "id"), id))
            return finding;
    }
    return NULL;
}

bool document_stands(const cJSON *target, const cJSON *finding)
{
    return document_stands_among(finding, find_in, target);
}

bool document_stands_among(const cJSON *finding, document_find_fn *find, const void *where)
{
    const cJSON *id;
    if (document_waived(finding))
        return false;
    if (str_equal(json_str(finding, "role"), "cause"))
        return true;
    if (!str_equal(json_str(finding, "role"), "consequence") || !document_severity(finding))
        return false;
    cJSON_ArrayForEach (id, json_at(finding, "explained_by")) {
        const cJSON *cause = cJSON_IsString(id) ? find(where, id->valuestring) : NULL;
        if (!cause || !(document_waived(cause) || str_equal(json_str(cause, "role"), "note")))
            return false;
    }
    return true;
}

const cJSON *document_first_cause(const cJSON *target)
{
    const cJSON *finding, *waived = NULL;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (document_stands(target, finding))
            return finding;
        if (!waived && document_waived(finding) && str_equal(json_str(finding, "role"), "cause"))
            waived = finding;
    }
    return waived;
}

const cJSON *document_timeline(const cJSON *target)
{
    const cJSON *timeline = json_at(target, "timeline"), *entry;
    if (!cJSON_IsArray(timeline) || cJSON_GetArraySize(timeline) < 2)
        return NULL;
    cJSON_ArrayForEach (entry, timeline) {
        if (cJSON_GetArraySize(json_at(entry, "findings")) > 0)
            return timeline;
    }
    return NULL;
}

const cJSON *document_rivals(const cJSON *finding)
{
    const cJSON *candidates = json_at(finding, "candidates"), *each;
    const char *id = json_str(finding, "id");
    cJSON_ArrayForEach (each, candidates) {
        if (!id || !str_equal(json_str(each, "id"), id))
            return candidates;
    }
    return NULL;
}

void document_redactions(struct buf *out, const cJSON *target)
{
    cJSON *kinds = cJSON_CreateObject();
    const cJSON *row;
    cJSON_ArrayForEach (row, json_at(target, "redactions")) {
        double count = 0;
        const char *kind = document_str(row, "kind", "?");
        json_num(row, "count", &count);
        cJSON *known = cJSON_GetObjectItemCaseSensitive(kinds, kind);
        if (known)
            cJSON_SetNumberValue(known, known->valuedouble + count);
        else
            json_put_num(kinds, kind, count);
    }
    cJSON_ArrayForEach (row, kinds) {
        buf_addf(out, "%s%.0f %s", row == kinds->child ? "" : ", ", row->valuedouble, row->string);
    }
    cJSON_Delete(kinds);
}

void document_text(struct buf *out, const char *text)
{
    size_t len = strlen(text), cap = len * 3 + 1;
    char *valid = xmalloc(cap);
    buf_add(out, valid, str_to_utf8(valid, cap, text, len));
    free(valid);
}

bool document_unreachable(const cJSON *target)
{
    bool failed = false;
    const cJSON *source;
    cJSON_ArrayForEach (source, json_at(target, "sources")) {
        if (!str_starts(document_str(source, "name", ""), "admin/"))
            continue;
        if (json_str(source, "kind"))
            return false;
        failed |= cJSON_GetArraySize(json_at(source, "problems")) > 0;
    }
    return failed;
}

void document_place(struct buf *out, const cJSON *proof)
{
    const char *locator = json_str(proof, "locator");
    double line;
    buf_adds(out, document_str(proof, "source", "?"));
    if (json_num(proof, "line", &line))
        buf_addf(out, ":%.0f", line);
    if (locator)
        buf_addf(out, ":%s", str_starts(locator, "line ") ? locator + strlen("line ") : locator);
}
