/* Stage: read. How Kubernetes objects fare: containers of pods, and the messages of conditions. Reads
 * the status of an object; writes container_status, and hands every message to the log engine, because
 * the reason of a failed pull stands there as often as in a log. */
#include "base/json.h"
#include "base/str.h"
#include "read/containers.h"
#include "read/kubernetes.h"
#include <stdio.h>
#include <string.h>

struct container {
    struct kubernetes_object *object;
    const cJSON *status;
    char pointer[CONTAINERS_POINTER_MAX];
    const char *state_name; /* waiting, running, terminated */
    const cJSON *state;
    const cJSON *last; /* how it ended before, NULL when it did not */
};

static void scan_text(const struct container *container, const cJSON *state, const char *where)
{
    char pointer[CONTAINERS_POINTER_MAX];
    containers_place(pointer, "%s/%s/message", container->pointer, where);
    containers_scan(container->object->reading,
                    &(struct scan_text){.text = json_str(state, "message"),
                                        .pointer = pointer,
                                        .time = containers_time(state, "finishedAt"),
                                        .origin = "kubernetes",
                                        .container = json_str(container->status, "name"),
                                        .image = json_str(container->status, "image"),
                                        .workload = container->object->name});
}

static void scan_states(const struct container *container)
{
    if (container->state) {
        char where[64];
        snprintf(where, sizeof where, "state/%s", container->state_name);
        scan_text(container, container->state, where);
    }
    if (container->last)
        scan_text(container, container->last, "lastState/terminated");
}

static void set_digest(struct reading *reading, struct record *record, const cJSON *status)
{
    const char *id = json_str(status, "imageID");
    evidence_set(reading->evidence, record, "image_digest", id ? strstr(id, "sha256:") : NULL);
}

static void set_state(struct reading *reading, struct record *record,
                      const struct container *container)
{
    const cJSON *end = container->last;
    if (container->state && strcmp(container->state_name, "terminated") == 0)
        end = container->state;
    evidence_set(reading->evidence, record, "state", container->state_name);
    containers_set(reading, record, "reason", container->state, "reason");
    containers_set(reading, record, "message", container->state, "message");
    containers_set(reading, record, "exit_code", end, "exitCode");
    containers_set(reading, record, "last_reason", container->last, "reason");
    record->time = containers_time(end, "finishedAt");
    if (!record->time)
        record->time = containers_time(container->state, "startedAt");
}

static void add_row(const struct container *container, bool init)
{
    struct reading *reading = container->object->reading;
    struct record *record = reading_add(reading, "container_status", container->pointer);
    if (!record)
        return;
    const cJSON *ready = json_at(container->status, "ready");
    evidence_set(reading->evidence, record, "platform", "kubernetes");
    evidence_set(reading->evidence, record, "workload", container->object->name);
    containers_set(reading, record, "name", container->status, "name");
    containers_set(reading, record, "image", container->status, "image");
    containers_set(reading, record, "restarts", container->status, "restartCount");
    set_digest(reading, record, container->status);
    set_state(reading, record, container);
    if (cJSON_IsBool(ready))
        evidence_set(reading->evidence, record, "health",
                     cJSON_IsTrue(ready) ? "ready" : "unready");
    if (init)
        evidence_set(reading->evidence, record, "init", "yes");
}

static void read_statuses(struct kubernetes_object *object, const char *member, bool init)
{
    static const char *const states[] = {"waiting", "running", "terminated"};
    int index = 0;
    const cJSON *status;
    cJSON_ArrayForEach (status, json_at(json_at(object->json, "status"), member)) {
        struct container container = {.object = object, .status = status};
        containers_place(container.pointer, "%s/status/%s/%d", object->pointer, member, index++);
        const cJSON *state = json_at(status, "state");
        for (size_t i = 0; i < sizeof states / sizeof *states && !container.state; i++) {
            container.state_name = states[i];
            container.state = json_at(state, states[i]);
        }
        if (!container.state)
            container.state_name = NULL;
        container.last = json_at(status, "lastState.terminated");
        add_row(&container, init);
        scan_states(&container);
    }
}

static const char *readiness(const cJSON *status)
{
    const cJSON *condition;
    cJSON_ArrayForEach (condition, json_at(status, "conditions")) {
        if (str_equal(json_str(condition, "type"), "Ready"))
            return str_equal(json_str(condition, "status"), "True") ? "ready" : "unready";
    }
    return NULL;
}

static void add_pod(struct kubernetes_object *object, const cJSON *status)
{
    char pointer[CONTAINERS_POINTER_MAX];
    containers_place(pointer, "%s/status", object->pointer);
    struct reading *reading = object->reading;
    struct record *record = reading_add(reading, "container_status", pointer);
    if (!record)
        return;
    evidence_set(reading->evidence, record, "platform", "kubernetes");
    evidence_set(reading->evidence, record, "workload", object->name);
    evidence_set(reading->evidence, record, "name", "");
    containers_set(reading, record, "state", status, "phase");
    containers_set(reading, record, "reason", status, "reason");
    containers_set(reading, record, "message", status, "message");
    evidence_set(reading->evidence, record, "health", readiness(status));
}

static void scan_object(struct kubernetes_object *object, const cJSON *holder, const char *where)
{
    char pointer[CONTAINERS_POINTER_MAX];
    containers_place(pointer, "%s/%s/message", object->pointer, where);
    containers_scan(object->reading,
                    &(struct scan_text){.text = json_str(holder, "message"),
                                        .pointer = pointer,
                                        .time = containers_time(holder, "lastTransitionTime"),
                                        .origin = "kubernetes",
                                        .workload = object->name});
}

static void scan_conditions(struct kubernetes_object *object, const cJSON *status)
{
    int index = 0;
    const cJSON *condition;
    cJSON_ArrayForEach (condition, json_at(status, "conditions")) {
        char where[48];
        snprintf(where, sizeof where, "status/conditions/%d", index++);
        scan_object(object, condition, where);
    }
}

void kubernetes_status(struct kubernetes_object *object)
{
    const cJSON *status = json_at(object->json, "status");
    if (!status)
        return;
    scan_conditions(object, status);
    if (!json_at(object->json, "spec.containers") && !json_at(status, "containerStatuses"))
        return;
    evidence_supplied(object->reading->evidence, "container_status", object->reading->complete);
    add_pod(object, status);
    scan_object(object, status, "status");
    read_statuses(object, "initContainerStatuses", true);
    read_statuses(object, "containerStatuses", false);
}
