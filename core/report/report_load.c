/* Stage: report. Reads a saved report back into the document that writers render. Deliberately checks
 * only what writers rely on: members of an unknown name pass, so that newer reports can be read. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/report.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool read_stream(FILE *stream, struct buf *text, const char *path, struct err *err)
{
    char portion[65536];
    size_t got;
    while ((got = fread(portion, 1, sizeof portion, stream)) > 0)
        buf_add(text, portion, got);
    if (ferror(stream))
        return err_set(err, "cannot read '%s': %s", path, strerror(errno));
    if (text->overflow)
        return err_set(err, "'%s' is larger than %u MB", path, REPORT_SIZE_MAX >> 20);
    return true;
}

static bool read_path(const char *path, struct buf *text, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return read_stream(stdin, text, "standard input", err);
    FILE *stream = fopen(path, "re");
    if (!stream)
        return err_set(err, "cannot read '%s': %s", path, strerror(errno));
    bool ok = read_stream(stream, text, path, err);
    fclose(stream);
    return ok;
}

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
    if (read_path(path, &text, err)) {
        report = json_parse(buf_str(&text), text.len, err);
        if (!report) {
            err_prefix(err, "'%s' is no report", path);
        } else if (!has_shape(report, err)) {
            err_prefix(err, "'%s' cannot be used", path);
            cJSON_Delete(report);
            report = NULL;
        } else {
            make_valid(report);
        }
    }
    buf_release(&text);
    return report;
}
