/* Stage: report. Renders the document as a SARIF 2.1.0 log for code scanning: one run, rules, results,
 * artifacts with their hashes, what went wrong on the way. Reads the document only. Deliberately gives
 * no `fixes`: a repair is told in words and commands, not as an edit of the file. */
#include "report/sarif.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/text_verdict.h"
#include "report/writers.h"
#include <string.h>

#define SCHEMA_URI "https://json.schemastore.org/sarif-2.1.0.json"
#define TEXT_MAX   (1u << 20)

void sarif_put(cJSON *object, const char *name, const char *text)
{
    struct buf clean;
    if (!text)
        return;
    buf_init(&clean, TEXT_MAX);
    document_text(&clean, text);
    json_put_str(object, name, buf_str(&clean));
    buf_release(&clean);
}

/* "[text](target)" is a link in a message: the bracket before a text of evidence is escaped. */
void sarif_put_message(cJSON *object, const char *name, const char *text)
{
    struct buf escaped;
    bool link = strstr(text, "](") != NULL;
    buf_init(&escaped, TEXT_MAX);
    for (const char *at = text; *at; at++) {
        if (link && (*at == '[' || *at == ']'))
            buf_addch(&escaped, '\\');
        buf_addch(&escaped, *at);
    }
    sarif_put(json_put_object(object, name), "text", buf_str(&escaped));
    buf_release(&escaped);
}

const char *sarif_level(const char *severity)
{
    bool known = str_equal(severity, "error") || str_equal(severity, "warning");
    return known ? severity : "note";
}

/* ---- artifacts ---- */

/* TEXT as a relative reference: no scheme, no host, nothing that an address cannot hold. */
static void add_path(struct buf *out, const char *text)
{
    char before = '/';
    for (; *text; before = *text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     strchr("-._~", c) || (c == '/' && before != '/');
        if (plain)
            buf_addch(out, *text);
        else
            buf_addf(out, "%%%02X", c);
    }
}

static const char *without_dot(const char *path)
{
    while (str_starts(path, "./"))
        path += 2;
    return path;
}

/* Whether TARGET was given as a path below the directory of the call. */
static bool is_path(const char *target)
{
    return *target && *target != '/' && *target != '-' && !strpbrk(target, ":#");
}

/* Where a code host finds the file: its path as it was given; below the directory that was given; else
 * the name of the source, behind that of the target where there are several. */
static void add_uri(struct buf *out, const struct sarif_scene *scene, const cJSON *source,
                    const char *name)
{
    const char *path = json_str(source, "path");
    const char *target = without_dot(document_str(scene->target, "name", "?"));
    size_t len = strlen(target), name_len = strlen(name);
    bool same = len >= name_len && strcmp(target + len - name_len, name) == 0 &&
                (len == name_len || target[len - name_len - 1] == '/');
    if (path || (same && is_path(target))) {
        add_path(out, path ? without_dot(path) : target);
        return;
    }
    if (scene->several || is_path(target)) {
        add_path(out, target);
        buf_addch(out, '/');
    }
    add_path(out, name);
}

static cJSON *location(const struct sarif_scene *scene, const cJSON *source, const char *name,
                       int index)
{
    struct buf uri;
    cJSON *place = cJSON_CreateObject();
    buf_init(&uri, TEXT_MAX);
    add_uri(&uri, scene, source, name);
    json_put_str(place, "uri", buf_str(&uri));
    if (index >= 0)
        json_put_num(place, "index", index);
    buf_release(&uri);
    return place;
}

cJSON *sarif_artifact(const struct sarif_scene *scene, const char *name)
{
    const cJSON *source;
    int index = scene->first_artifact;
    cJSON_ArrayForEach (source, json_at(scene->target, "sources")) {
        if (str_equal(json_str(source, "name"), name))
            return location(scene, source, name, index);
        index++;
    }
    return location(scene, NULL, name, -1);
}

static bool is_hash(const char *text)
{
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static void add_artifacts(cJSON *list, const struct sarif_scene *scene)
{
    const cJSON *source;
    int index = scene->first_artifact;
    double bytes;
    cJSON_ArrayForEach (source, json_at(scene->target, "sources")) {
        const char *hash = json_str(source, "sha256");
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(list, row);
        cJSON_AddItemToObject(row, "location",
                              location(scene, source, document_str(source, "name", "?"), index++));
        if (json_num(source, "bytes", &bytes) && bytes >= 0 && bytes < 1e15)
            json_put_num(row, "length", (double)(int64_t)bytes);
        if (is_hash(hash))
            json_put_str(json_put_object(row, "hashes"), "sha-256", hash);
    }
}

/* ---- what went wrong ---- */

static cJSON *add_notification(cJSON *list, const char *level, const char *id, const char *text)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(list, row);
    json_put_str(json_put_object(row, "descriptor"), "id", id);
    json_put_str(row, "level", level);
    sarif_put_message(row, "message", text);
    return row;
}

static void add_check_errors(cJSON *list, const cJSON *target)
{
    const cJSON *check;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    cJSON_ArrayForEach (check, json_at(target, "checks")) {
        if (!str_equal(json_str(check, "outcome"), "error"))
            continue;
        buf_clear(&text);
        buf_addf(&text, "%s: check %s: %s", document_str(target, "name", "?"),
                 document_str(check, "id", "?"), document_str(check, "reason", "ended in error"));
        add_notification(list, "error", "check-error", buf_str(&text));
    }
    buf_release(&text);
}

/* Of a target that could not be judged at all no result and no problem may speak. */
static void add_unknown(cJSON *list, const cJSON *target)
{
    if (!str_equal(json_str(target, "verdict"), "unknown"))
        return;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    buf_addf(&text, "%s: ", document_str(target, "name", "?"));
    text_verdict(&text, target);
    add_notification(list, "warning", "nothing-judged", buf_str(&text));
    buf_release(&text);
}

static void add_problems(cJSON *list, const struct sarif_scene *scene)
{
    const cJSON *source, *problem;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    cJSON_ArrayForEach (source, json_at(scene->target, "sources")) {
        cJSON_ArrayForEach (problem, json_at(source, "problems")) {
            const char *name = document_str(source, "name", "?");
            if (!cJSON_IsString(problem))
                continue;
            buf_clear(&text);
            buf_addf(&text, "%s: %s", name, problem->valuestring);
            cJSON *row = add_notification(list, "warning", "source-problem", buf_str(&text));
            cJSON *place = cJSON_CreateObject();
            cJSON_AddItemToArray(json_put_array(row, "locations"), place);
            cJSON_AddItemToObject(json_put_object(place, "physicalLocation"), "artifactLocation",
                                  sarif_artifact(scene, name));
        }
    }
    buf_release(&text);
}

static void put_time(cJSON *object, const char *name, const char *text)
{
    char canonical[CLOCK_TEXT_MAX];
    int64_t time;
    if (text && clock_parse(text, strlen(text), &time) == strlen(text) && time > 0)
        json_put_str(object, name, clock_text(time, canonical));
}

static cJSON *invocation(const cJSON *report, cJSON *notifications)
{
    cJSON *row = cJSON_CreateObject();
    bool whole = report_exit(report, FAIL_ON_NEVER) == STATUS_OK;
    const cJSON *each;
    cJSON_ArrayForEach (each, notifications) {
        whole &= !str_equal(json_str(each, "level"), "error");
    }
    json_put_bool(row, "executionSuccessful", whole);
    put_time(row, "startTimeUtc", json_str(report, "started"));
    put_time(row, "endTimeUtc", json_str(report, "finished"));
    cJSON_AddItemToObject(row, "toolExecutionNotifications", notifications);
    return row;
}

/* ---- the log ---- */

static cJSON *tool(const cJSON *report, const struct sarif_rules *rules)
{
    static const char *const descriptors[][2] = {
        {"check-error", "a check ended in error, so what it looks for is not known"},
        {"source-problem", "a source could not be read to its end"},
        {"nothing-judged", "nothing can be said of a target"}};
    cJSON *object = cJSON_CreateObject(), *driver = json_put_object(object, "driver");
    json_put_str(driver, "name", "debrief");
    sarif_put(driver, "version", document_str(report, "tool.version", "0"));
    cJSON_AddItemToObject(driver, "rules", sarif_rules_list(rules));
    cJSON *list = json_put_array(driver, "notifications");
    for (size_t i = 0; i < ARRAY_LEN(descriptors); i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(list, row);
        json_put_str(row, "id", descriptors[i][0]);
        sarif_put_message(row, "shortDescription", descriptors[i][1]);
    }
    return object;
}

static cJSON *run(const cJSON *report)
{
    const cJSON *targets = json_at(report, "targets"), *target, *finding;
    struct sarif_scene scene = {.several = cJSON_GetArraySize(targets) > 1};
    struct sarif_rules rules;
    cJSON *object = cJSON_CreateObject(), *results = cJSON_CreateArray();
    cJSON *artifacts = cJSON_CreateArray(), *notifications = cJSON_CreateArray();
    sarif_rules_init(&rules, targets);
    cJSON_ArrayForEach (target, targets) {
        scene.target = target;
        add_artifacts(artifacts, &scene);
        add_check_errors(notifications, target);
        add_problems(notifications, &scene);
        add_unknown(notifications, target);
        cJSON_ArrayForEach (finding, json_at(target, "findings")) {
            cJSON_AddItemToArray(results, sarif_result(&scene, &rules, finding));
        }
        scene.first_artifact += cJSON_GetArraySize(json_at(target, "sources"));
    }
    cJSON_AddItemToObject(object, "tool", tool(report, &rules));
    cJSON_AddItemToArray(json_put_array(object, "invocations"), invocation(report, notifications));
    cJSON_AddItemToObject(object, "artifacts", artifacts);
    cJSON_AddItemToObject(object, "results", results);
    json_put_str(object, "columnKind", "unicodeCodePoints");
    sarif_rules_release(&rules);
    return object;
}

bool sarif_report(struct buf *out, const cJSON *report, const struct report_style *style,
                  struct err *err)
{
    (void)style;
    cJSON *log = cJSON_CreateObject();
    json_put_str(log, "$schema", SCHEMA_URI);
    json_put_str(log, "version", "2.1.0");
    cJSON_AddItemToArray(json_put_array(log, "runs"), run(report));
    json_write(out, log, true);
    buf_addch(out, '\n');
    cJSON_Delete(log);
    return out->overflow ? err_set(err, "the report is larger than %u MB", REPORT_SIZE_MAX >> 20)
                         : true;
}
