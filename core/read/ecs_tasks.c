/* Stage: read. How ECS tasks and services fare: describe-tasks, describe-services, and the state change
 * events of EventBridge. Writes container_status (the task itself as a row without a name) and hands
 * stop reasons and service events to the log engine: the cause of a task that never started often
 * stands nowhere else. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/containers.h"
#include "read/objects.h"
#include "read/readers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct task {
    struct reading *reading;
    const cJSON *json;
    const char *pointer;
    const char *id; /* last part of the ARN */
    int64_t time;
};

static const char *last_part(const char *arn)
{
    const char *slash = arn ? strrchr(arn, '/') : NULL;
    return slash ? slash + 1 : arn;
}

static int64_t time_of(const cJSON *task)
{
    static const char *const names[] = {"stoppedAt", "executionStoppedAt", "stoppingAt",
                                        "startedAt", "pullStoppedAt",      "createdAt"};
    int64_t time = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && !time; i++)
        time = containers_time(task, names[i]);
    return time;
}

/* Also the class in front of a reason, "CannotPullContainerError: ..."; plain sentences have none. */
static void set_reason(struct reading *reading, struct record *record, const char *reason)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t len = reason ? strspn(reason, letters) : 0;
    evidence_set(reading->evidence, record, "message", reason);
    if (len && (reason[len] == ':' || !reason[len]))
        evidence_setf(reading->evidence, record, "reason", "%.*s", (int)len, reason);
}

/* "arn:aws:ecs:REGION:ACCOUNT:task/..." */
static void set_account(struct reading *reading, struct record *record, const char *arn)
{
    const char *at = arn;
    for (int i = 0; at && i < 4; i++) {
        at = strchr(at, ':');
        at += at != NULL;
    }
    size_t len = at ? strspn(at, "0123456789") : 0;
    if (len && at[len] == ':')
        evidence_setf(reading->evidence, record, "account", "%.*s", (int)len, at);
}

static struct record *add_row(const struct task *task, const char *pointer, const cJSON *json)
{
    struct reading *reading = task->reading;
    struct record *record = reading_add(reading, "container_status", pointer);
    if (!record)
        return NULL;
    record->time = task->time;
    evidence_set(reading->evidence, record, "platform", "ecs");
    evidence_set(reading->evidence, record, "workload", task->id);
    containers_set(reading, record, "state", json, "lastStatus");
    containers_set(reading, record, "health", json, "healthStatus");
    containers_set(reading, record, "launch_type", task->json, "launchType");
    containers_set(reading, record, "stop_code", task->json, "stopCode");
    set_account(reading, record, json_str(task->json, "taskArn"));
    return record;
}

static void scan_reason(const struct task *task, const cJSON *container, const char *place,
                        const char *text)
{
    containers_scan(task->reading, &(struct scan_text){.text = text,
                                                       .pointer = place,
                                                       .time = task->time,
                                                       .origin = "ecs",
                                                       .container = json_str(container, "name"),
                                                       .image = json_str(container, "image"),
                                                       .workload = task->id});
}

static void read_container(const struct task *task, const cJSON *container, const char *pointer)
{
    struct reading *reading = task->reading;
    const char *reason = json_str(container, "reason");
    struct record *record = add_row(task, pointer, container);
    if (record) {
        containers_set(reading, record, "name", container, "name");
        containers_set(reading, record, "image", container, "image");
        containers_set(reading, record, "image_digest", container, "imageDigest");
        containers_set(reading, record, "exit_code", container, "exitCode");
        set_reason(reading, record, reason);
    }
    char place[CONTAINERS_POINTER_MAX];
    containers_place(place, "%s/reason", pointer);
    scan_reason(task, container, place, reason);
}

static void read_task(struct reading *reading, const cJSON *json, const char *pointer)
{
    struct task task = {.reading = reading,
                        .json = json,
                        .pointer = pointer,
                        .id = last_part(json_str(json, "taskArn")),
                        .time = time_of(json)};
    objects_keep(reading, "aws.tasks", task.id, NULL, json, pointer);
    const char *reason = json_str(json, "stoppedReason");
    struct record *record = add_row(&task, pointer, json);
    if (record) {
        evidence_set(reading->evidence, record, "name", "");
        set_reason(reading, record, reason);
    }
    char place[CONTAINERS_POINTER_MAX];
    containers_place(place, "%s/stoppedReason", pointer);
    scan_reason(&task, NULL, place, reason);
    int index = 0;
    const cJSON *container;
    cJSON_ArrayForEach (container, json_at(json, "containers")) {
        containers_place(place, "%s/containers/%d", pointer, index++);
        read_container(&task, container, place);
    }
    bool whole = json_at(json, "taskArn");
    if (!whole)
        reading_problem(reading, "a task was cut to a part of its answer: without its ARN, its "
                                 "account and region are not told");
    evidence_supplied(reading->evidence, "container_status", whole && reading->complete);
    identity_note(reading->evidence, reading->source, 0, pointer, IDENTITY_GUESS, "platform",
                  "ecs");
}

/* Whatever --query or jq left of a task: known by what only tasks hold. */
static bool is_task(const cJSON *json)
{
    return json_at(json, "taskArn") || json_at(json, "stoppedReason") ||
           json_at(json, "stopCode") ||
           (json_at(json, "lastStatus") && cJSON_IsArray(json_at(json, "containers")));
}

/* One of a task's containers that was taken out of it. */
static bool is_container(const cJSON *json)
{
    return json_at(json, "name") && (json_at(json, "containerArn") || json_at(json, "exitCode") ||
                                     (json_at(json, "lastStatus") && json_at(json, "reason")));
}

static void read_lone_container(struct reading *reading, const cJSON *json, const char *pointer)
{
    const struct task task = {
        .reading = reading, .json = json, .id = last_part(json_str(json, "taskArn"))};
    read_container(&task, json, pointer);
    evidence_supplied(reading->evidence, "container_status", false);
    reading_problem(reading,
                    "container '%s' stands without its task: the stop code and the stopped "
                    "reason are not told",
                    json_str(json, "name"));
}

/* An element of an answer that was reshaped; lists of lists are what "tasks[*].containers" gives. */
static void read_part(struct reading *reading, const cJSON *json, const char *pointer)
{
    int index = 0;
    const cJSON *element;
    if (is_task(json)) {
        read_task(reading, json, pointer);
    } else if (is_container(json)) {
        read_lone_container(reading, json, pointer);
    } else if (cJSON_IsArray(json)) {
        cJSON_ArrayForEach (element, json) {
            char place[CONTAINERS_POINTER_MAX];
            containers_place(place, "%s/%d", pointer, index++);
            if (!cJSON_IsArray(element))
                read_part(reading, element, place);
        }
    }
}

static void read_service(struct reading *reading, const cJSON *service, const char *pointer)
{
    objects_keep(reading, "aws.services", json_str(service, "serviceName"), NULL, service, pointer);
    int index = 0;
    const cJSON *event;
    cJSON_ArrayForEach (event, json_at(service, "events")) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/events/%d/message", pointer, index++);
        containers_scan(reading, &(struct scan_text){.text = json_str(event, "message"),
                                                     .pointer = place,
                                                     .time = containers_time(event, "createdAt"),
                                                     .origin = "ecs",
                                                     .workload = json_str(service, "serviceName")});
    }
}

/* Calls READ for each element of member NAME of JSON, which stands at POINTER. */
static void read_each(struct reading *reading, const cJSON *json, const char *pointer,
                      const char *name, void (*read)(struct reading *, const cJSON *, const char *))
{
    int index = 0;
    const cJSON *element;
    cJSON_ArrayForEach (element, json_at(json, name)) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s%s%s/%d", pointer, *name ? "/" : "", name, index++);
        read(reading, element, place);
    }
}

static void read_failure(struct reading *reading, const cJSON *failure, const char *pointer)
{
    (void)pointer;
    const char *arn = json_str(failure, "arn"), *reason = json_str(failure, "reason");
    reading_problem(reading, "'%s' was not described: %s%s", arn ? arn : "?", reason ? reason : "?",
                    str_equal(reason, "MISSING") ? " (stopped tasks are kept for about an hour)"
                                                 : "");
}

/* An event of EventBridge about a service: its name, and the reason in a field beside it, as one text. */
static void read_service_action(struct reading *reading, const cJSON *document, const char *prefix)
{
    const char *type = json_str(document, "detail.eventType");
    const char *name = json_str(document, "detail.eventName");
    const char *reason = json_str(document, "detail.reason");
    char place[CONTAINERS_POINTER_MAX];
    if (!name && !reason)
        return;
    containers_place(place, name ? "%s/detail" : "%s/detail/reason", prefix);
    char *text = xasprintf("%s%s%s%s%s", type && name ? type : "", type && name ? " " : "",
                           name ? name : "", name && reason ? ": " : "", reason ? reason : "");
    containers_scan(reading,
                    &(struct scan_text){.text = text,
                                        .pointer = place,
                                        .time = containers_time(document, "time"),
                                        .origin = "ecs",
                                        .workload = last_part(json_str(document, "resources[0]"))});
    free(text);
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    (void)line;
    const cJSON *data = json_at(document, "data"), *detail = json_at(document, "detail");
    char place[CONTAINERS_POINTER_MAX];
    if (data) { /* recordings of SDK calls wrap the answer */
        containers_place(place, "%s/data", prefix);
        read_document(reading, data, place, line);
    } else if (json_at(detail, "taskArn")) {
        containers_place(place, "%s/detail", prefix);
        read_task(reading, detail, place);
    } else if (detail) {
        read_service_action(reading, document, prefix);
    } else if (is_task(document) || is_container(document)) {
        read_part(reading, document, prefix);
    } else if (cJSON_IsArray(document)) {
        read_each(reading, document, prefix, "", read_part);
    } else {
        read_each(reading, document, prefix, "tasks", read_task);
        read_each(reading, document, prefix, "services", read_service);
        read_each(reading, document, prefix, "failures", read_failure);
    }
}

static void read_tasks(struct reading *reading)
{
    reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_JSON_ARRAY &&
        peek->shape != PEEK_YAML)
        return 0;
    bool task = peek_has(peek, "taskArn") && peek_has(peek, "lastStatus");
    bool service = peek_has(peek, "serviceArn");
    /* as a member, not as a word of some log line */
    bool yaml = peek->shape == PEEK_YAML;
    bool part = peek_has(peek, yaml ? "stoppedReason: " : "\"stoppedReason\":") ||
                peek_has(peek, yaml ? "stopCode: " : "\"stopCode\":");
    if (peek_has_key(peek, "tasks") || peek_has_key(peek, "taskArn"))
        return task || part ? 90 : 0;
    if (peek_has_key(peek, "detail"))
        return peek_has(peek, "aws.ecs") ? 90 : 0;
    if (peek_has_key(peek, "data"))
        return task || service ? 85 : 0;
    if (peek_has_key(peek, "services"))
        return service ? 90 : 0;
    /* reshaped by --query or jq */
    part = part || (peek_has(peek, "\"lastStatus\"") &&
                    (peek_has(peek, "\"exitCode\"") || peek_has(peek, "\"reason\"")));
    return part && !peek_has(peek, "apiVersion") && !peek_has(peek, "taskDefinition") ? 80 : 0;
}

static const char *const supplies[] = {"proxy", "container_status", "aws.tasks", "aws.services",
                                       "text",  "event.*",          NULL};

const struct reader read_ecs_tasks = {
    .kind = "ecs.tasks", .supplies = supplies, .recognise = recognise, .read = read_tasks};
