/* Stage: report. Reads a saved report back into the document that writers render. Deliberately checks
 * only what writers rely on: members of an unknown name pass, so that newer reports can be read. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/slurp.h"
#include "base/str.h"
#include "report/report.h"
#include <string.h>

static bool are_objects(const cJSON *array)
{
    const cJSON *each;
    if (!cJSON_IsArray(array))
        return false;
    cJSON_ArrayForEach (each, array) {
        if (!cJSON_IsObject(each))
            return false;
    }
    return true;
}

static bool has_shape(const cJSON *report, struct err *err)
{
    static const char *const lists[] = {"findings", "checks", "asks", "sources", NULL};
    const char *schema = json_str(report, "schema");
    if (!cJSON_IsObject(report) || !schema)
        return err_set(err, "no report: it has no \"schema\"");
    if (strcmp(schema, REPORT_SCHEMA) != 0)
        return err_set(err, "its schema is '%s', not '" REPORT_SCHEMA "'", schema);
    if (!cJSON_IsObject(json_at(report, "summary")) || !are_objects(json_at(report, "targets")))
        return err_set(err, "a damaged report: 'summary' or 'targets' is missing");
    const cJSON *target;
    cJSON_ArrayForEach (target, json_at(report, "targets")) {
        for (size_t i = 0; lists[i]; i++)
            if (!are_objects(json_at(target, lists[i])))
                return err_set(err, "a damaged report: a target has no list '%s'", lists[i]);
    }
    return true;
}

/* cJSON takes any bytes for text. Writers may rely on UTF-8: in a report that is all there is. */
static char *valid(char *text)
{
    if (!text || str_is_utf8(text))
        return text;
    size_t len = strlen(text), cap = len * 3 + 1;
    char *made = xmalloc(cap);
    str_to_utf8(made, cap, text, len);
    cJSON_free(text);
    return made;
}

static void make_valid(cJSON *node)
{
    cJSON *child;
    if (cJSON_IsString(node))
        node->valuestring = valid(node->valuestring);
    cJSON_ArrayForEach (child, node) {
        child->string = valid(child->string);
        make_valid(child);
    }
}

cJSON *report_load(const char *path, struct err *err)
{
    struct buf text;
    cJSON *report = NULL;
    buf_init(&text, REPORT_SIZE_MAX);
    bool whole = slurp_path(&text, path, err);
    if (whole && json_without_nul(buf_str(&text), text.len, err))
        report = json_parse(buf_str(&text), text.len, err);
    buf_release(&text);
    if (report && has_shape(report, err) && json_unique(report, err)) {
        make_valid(report);
        return report;
    }
    if (whole)
        err_prefix(err, report ? "'%s' cannot be used" : "'%s' is no report", path);
    cJSON_Delete(report);
    return NULL;
}
