/* Stage: read. ECS tasks as the instance itself tells of them: the task metadata endpoint (versions 2 to 4), the
 * agent's introspection (/v1/tasks) and its state file (ecs_agent_data.json). Writes container_status, and hands
 * the agent's errors to the log engine. Deliberately leaves aws.tasks to what the API says. */
#include "base/json.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/containers.h"
#include "read/readers.h"
#include <stdio.h>
#include <string.h>

struct task {
    struct reading *reading;
    const char *id; /* last part of the ARN */
};

static const char *last_part(const char *arn)
{
    const char *slash = arn ? strrchr(arn, '/') : NULL;
    return slash ? slash + 1 : arn;
}

/* The agent writes the year 1 for what has not happened. */
static int64_t time_of(const cJSON *json)
{
    static const char *const names[] = {"FinishedAt", "StartedAt", "KnownTime", "CreatedAt"};
    int64_t time = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && time <= 0; i++)
        time = containers_time(json, names[i]);
    return time > 0 ? time : 0;
}

static void read_error(const struct task *task, const cJSON *container, struct record *record,
                       const char *pointer)
{
    const cJSON *error = json_at(container, "ApplyingError");
    const char *text = json_str(error, "error");
    char place[CONTAINERS_POINTER_MAX];
    if (!text)
        return;
    if (record) {
        containers_set(task->reading, record, "reason", error, "name");
        containers_set(task->reading, record, "message", error, "error");
    }
    containers_place(place, "%s/ApplyingError/error", pointer);
    containers_scan(task->reading, &(struct scan_text){.text = text,
                                                       .pointer = place,
                                                       .time = time_of(container),
                                                       .origin = "ecs",
                                                       .container = json_str(container, "Name"),
                                                       .image = json_str(container, "Image"),
                                                       .workload = task->id});
}

static struct record *add_row(const struct task *task, const cJSON *json, const char *pointer)
{
    struct reading *reading = task->reading;
    struct record *record = reading_add(reading, "container_status", pointer);
    if (!record)
        return NULL;
    record->time = time_of(json);
    evidence_set(reading->evidence, record, "platform", "ecs");
    evidence_set(reading->evidence, record, "workload", task->id);
    containers_set(reading, record, "state", json, "KnownStatus");
    containers_set(reading, record, "launch_type", json, "LaunchType");
    return record;
}

static void read_container(const struct task *task, const cJSON *container, const char *pointer)
{
    struct reading *reading = task->reading;
    struct record *record = add_row(task, container, pointer);
    if (record) {
        const char *image = json_str(container, "ImageID");
        containers_set(reading, record, "name", container, "Name");
        containers_set(reading, record, "image", container, "Image");
        evidence_set(reading->evidence, record, "image_digest",
                     image && str_starts(image, "sha256:") ? image : NULL);
        containers_set(reading, record, "exit_code", container, "KnownExitCode");
        containers_set(reading, record, "exit_code", container, "ExitCode");
        containers_set(reading, record, "health", container, "Health.status");
    }
    read_error(task, container, record, pointer);
}

static void read_task(struct reading *reading, const cJSON *json, const char *pointer)
{
    int index = 0;
    const cJSON *container;
    const char *arn = json_str(json, "TaskARN");
    struct task task = {reading, last_part(arn ? arn : json_str(json, "Arn"))};
    struct record *record = add_row(&task, json, pointer);
    if (record)
        evidence_set(reading->evidence, record, "name", "");
    cJSON_ArrayForEach (container, json_at(json, "Containers")) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/Containers/%d", pointer, index++);
        read_container(&task, container, place);
    }
    identity_note(reading->evidence, reading->source, 0, pointer, IDENTITY_GUESS, "platform",
                  "ecs");
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    static const char *const lists[][2] = {{"Tasks", "/Tasks"},
                                           {"Data.TaskEngine.Tasks", "/Data/TaskEngine/Tasks"},
                                           {"TaskEngine.Tasks", "/TaskEngine/Tasks"}};
    (void)line;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        int index = 0;
        const cJSON *task;
        cJSON_ArrayForEach (task, json_at(document, lists[i][0])) {
            char place[CONTAINERS_POINTER_MAX];
            containers_place(place, "%s%s/%d", prefix, lists[i][1], index++);
            read_task(reading, task, place);
        }
    }
    if (cJSON_IsArray(json_at(document, "Containers")))
        read_task(reading, document, prefix);
}

static void read_source(struct reading *reading)
{
    reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
    evidence_supplied(reading->evidence, "container_status", reading->complete);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT || !peek_has(peek, "KnownStatus"))
        return 0;
    bool task = peek_has_key(peek, "TaskARN") && peek_has_key(peek, "Containers");
    bool agent = peek_has_key(peek, "Tasks") || peek_has(peek, "TaskEngine");
    return task || agent ? 90 : 0;
}

static const char *const supplies[] = {"container_status", "proxy", "text", "event.*", NULL};

const struct reader read_ecs_agent = {
    .kind = "ecs.agent", .supplies = supplies, .recognise = recognise, .read = read_source};
