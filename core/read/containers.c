/* Stage: read. Small steps that readers of Kubernetes objects and of ECS documents share: cells from
 * JSON, variables, times, texts for the log engine. Reads JSON trees, writes evidence. Knows no
 * platform. */
#include "read/containers.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "evidence/identity.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIST_MAX 4096

void containers_place(char out[CONTAINERS_POINTER_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out, CONTAINERS_POINTER_MAX, format, args);
    va_end(args);
}

void containers_set(struct reading *reading, struct record *record, const char *column,
                    const cJSON *node, const char *path)
{
    char number[32];
    evidence_set(reading->evidence, record, column, json_scalar(node, path, number));
}

void containers_set_list(struct reading *reading, struct record *record, const char *column,
                         const cJSON *array, const char *member, const char *glue)
{
    struct buf list;
    buf_init(&list, LIST_MAX);
    const cJSON *element;
    cJSON_ArrayForEach (element, array) {
        char number[32];
        const char *text = json_scalar(element, member, number);
        if (!text)
            continue;
        if (list.len)
            buf_adds(&list, glue);
        buf_adds(&list, text);
    }
    if (list.len)
        evidence_set(reading->evidence, record, column, buf_str(&list));
    buf_release(&list);
}

static bool is_among(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return !names;
}

void containers_set_amounts(struct reading *reading, struct record *record, const char *column,
                            const cJSON *object, const char *const *names)
{
    struct buf list;
    const cJSON *member;
    buf_init(&list, LIST_MAX);
    cJSON_ArrayForEach (member, object) {
        char number[32];
        const char *text = json_scalar(member, "", number);
        if (text && member->string && is_among(names, member->string))
            buf_addf(&list, "%s%s=%s", list.len ? "," : "", member->string, text);
    }
    if (list.len)
        evidence_set(reading->evidence, record, column, buf_str(&list));
    buf_release(&list);
}

void containers_set_flag(struct reading *reading, struct record *record, const char *column,
                         const cJSON *flag)
{
    if (cJSON_IsBool(flag))
        evidence_set(reading->evidence, record, column, cJSON_IsTrue(flag) ? "yes" : "no");
}

void containers_env(struct reading *reading, const cJSON *variables, const char *pointer,
                    const char *workload, const char *container)
{
    int index = -1;
    const cJSON *variable;
    cJSON_ArrayForEach (variable, variables) {
        index++;
        const char *name = json_str(variable, "name");
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/%d", pointer, index);
        if (name)
            identity_note_variable(reading->evidence, reading->source, 0, place, name,
                                   json_str(variable, "value"));
        if (!name || !evidence_wants(reading->evidence, "env", name))
            continue;
        struct record *record = reading_add(reading, "env", place);
        if (!record)
            return;
        evidence_set(reading->evidence, record, "name", name);
        containers_set(reading, record, "value", variable, "value");
        evidence_set(reading->evidence, record, "container", container);
        evidence_set(reading->evidence, record, "workload", workload);
    }
}

int64_t containers_time(const cJSON *node, const char *path)
{
    const cJSON *value = json_at(node, path);
    int64_t time = 0;
    if (cJSON_IsString(value))
        return clock_parse(value->valuestring, strlen(value->valuestring), &time) ? time : 0;
    if (!cJSON_IsNumber(value) || value->valuedouble <= 0)
        return 0;
    double seconds = value->valuedouble > 1e11 ? value->valuedouble / 1e3 : value->valuedouble;
    return seconds < 9e9 ? (int64_t)(seconds * 1e3 + 0.5) * (CLOCK_SECOND / 1000) : 0;
}

void containers_scan(struct reading *reading, const struct scan_text *text)
{
    if (reading->scan && text->text && *text->text)
        scan_message(reading->scan, reading, text);
}
