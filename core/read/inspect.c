/* Stage: read. What a container runtime says of its containers: docker and podman inspect, crictl inspect.
 * Writes container_status, containers, env and probes, and hands the runtime's errors and the output of
 * health checks (origin "health") to the log engine, of which a document may hold nothing else (docker
 * inspect --format '{{json .State.Health}}'). Deliberately reads no images, networks or sandboxes. */
#include "base/json.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/containers.h"
#include "read/readers.h"
#include <stdio.h>
#include <string.h>

/* Where the two runtimes keep the same facts; a path that is NULL is told by neither name. */
struct shape {
    const char *platform;
    const char *labels, *variables, *image, *user, *caps_add, *caps_drop, *privileged;
    const char *state, *exit_code, *error, *finished, *started, *restarts;
};

static const struct shape docker = {.platform = "docker",
                                    .labels = "Config.Labels",
                                    .variables = "Config.Env",
                                    .image = "Config.Image",
                                    .user = "Config.User",
                                    .caps_add = "HostConfig.CapAdd",
                                    .caps_drop = "HostConfig.CapDrop",
                                    .privileged = "HostConfig.Privileged",
                                    .state = "State.Status",
                                    .exit_code = "State.ExitCode",
                                    .error = "State.Error",
                                    .finished = "State.FinishedAt",
                                    .started = "State.StartedAt",
                                    .restarts = "RestartCount"};

#define CRI_SECURITY "info.config.linux.security_context."

static const struct shape cri = {.platform = "kubernetes",
                                 .labels = "status.labels",
                                 .variables = "info.runtimeSpec.process.env",
                                 .image = "status.image.image",
                                 .user = "info.runtimeSpec.process.user.uid",
                                 .caps_add = CRI_SECURITY "capabilities.add_capabilities",
                                 .caps_drop = CRI_SECURITY "capabilities.drop_capabilities",
                                 .privileged = CRI_SECURITY "privileged",
                                 .state = "status.state",
                                 .exit_code = "status.exitCode",
                                 .error = "status.message",
                                 .finished = "status.finishedAt",
                                 .started = "status.startedAt",
                                 .restarts = "status.metadata.attempt"};

struct container {
    struct reading *reading;
    const cJSON *json;
    const struct shape *shape;
    const char *pointer, *name;
    char workload[CONTAINERS_POINTER_MAX]; /* pod, task or project; empty when no label tells */
};

/* ---- who it is ---- */

/* Label names hold dots, so they are members, not paths. */
static const char *label(const struct container *container, const char *name)
{
    const cJSON *labels = json_at(container->json, container->shape->labels);
    return json_str(cJSON_GetObjectItemCaseSensitive(labels, name), "");
}

static void name_it(struct container *container)
{
    static const char *const names[] = {"io.kubernetes.container.name",
                                        "com.amazonaws.ecs.container-name",
                                        "com.docker.compose.service"};
    const char *pod = label(container, "io.kubernetes.pod.name");
    const char *space = label(container, "io.kubernetes.pod.namespace");
    const char *family = label(container, "com.amazonaws.ecs.task-definition-family");
    const char *revision = label(container, "com.amazonaws.ecs.task-definition-version");
    const char *project = label(container, "com.docker.compose.project");
    for (size_t i = 0; i < sizeof names / sizeof *names && !container->name; i++)
        container->name = label(container, names[i]);
    if (!container->name)
        container->name = json_str(container->json, "status.metadata.name");
    if (!container->name)
        container->name = json_str(container->json, "Name");
    if (container->name && *container->name == '/')
        container->name++;
    if (pod && space)
        containers_place(container->workload, "%s/%s", space, pod);
    else if (family && revision)
        containers_place(container->workload, "%s:%s", family, revision);
    else
        containers_place(container->workload, "%s", project ? project : "");
}

static void set_identity(const struct container *container, struct record *record)
{
    struct evidence *evidence = container->reading->evidence;
    evidence_set(evidence, record, "platform", container->shape->platform);
    evidence_set(evidence, record, "name", container->name ? container->name : "");
    if (*container->workload)
        evidence_set(evidence, record, "workload", container->workload);
    containers_set(container->reading, record, "image", container->json, container->shape->image);
}

/* ---- how it fares ---- */

static const char *state_of(const char *said)
{
    static const char *const states[][2] = {{"running", "running"},
                                            {"paused", "running"},
                                            {"exited", "terminated"},
                                            {"dead", "terminated"},
                                            {"stopped", "terminated"},
                                            {"created", "waiting"},
                                            {"restarting", "waiting"},
                                            {"CONTAINER_RUNNING", "running"},
                                            {"CONTAINER_EXITED", "terminated"},
                                            {"CONTAINER_CREATED", "waiting"}};
    for (size_t i = 0; said && i < sizeof states / sizeof *states; i++)
        if (strcmp(said, states[i][0]) == 0)
            return states[i][1];
    return NULL;
}

/* Before its first end a container has ended in the year 1. */
static int64_t ended_at(const struct container *container)
{
    int64_t time = containers_time(container->json, container->shape->finished);
    return time > 0 ? time : 0;
}

static void set_health(const struct container *container, struct record *record)
{
    const char *health = json_str(container->json, "State.Health.Status");
    if (str_equal(health, "healthy"))
        evidence_set(container->reading->evidence, record, "health", "HEALTHY");
    else if (str_equal(health, "unhealthy"))
        evidence_set(container->reading->evidence, record, "health", "UNHEALTHY");
}

static void add_status(const struct container *container)
{
    struct reading *reading = container->reading;
    const struct shape *shape = container->shape;
    const cJSON *json = container->json;
    struct record *record = reading_add(reading, "container_status", container->pointer);
    if (!record)
        return;
    const char *state = state_of(json_str(json, shape->state));
    const char *error = json_str(json, shape->error);
    set_identity(container, record);
    evidence_set(reading->evidence, record, "state", state);
    if (cJSON_IsTrue(json_at(json, "State.OOMKilled")))
        evidence_set(reading->evidence, record, "reason", "OOMKilled");
    else
        containers_set(reading, record, "reason", json, "status.reason");
    evidence_set(reading->evidence, record, "message", error && *error ? error : NULL);
    if (ended_at(container) || str_equal(state, "terminated"))
        containers_set(reading, record, "exit_code", json, shape->exit_code);
    containers_set(reading, record, "restarts", json, shape->restarts);
    set_health(container, record);
    record->time = ended_at(container);
    if (!record->time)
        record->time = containers_time(json, shape->started);
}

static void scan(const struct container *container, const char *place, const char *text,
                 int64_t time, const char *origin)
{
    char pointer[CONTAINERS_POINTER_MAX];
    containers_place(pointer, "%s/%s", container->pointer, place);
    containers_scan(container->reading, &(struct scan_text){.text = text,
                                                            .pointer = pointer,
                                                            .time = time,
                                                            .origin = origin,
                                                            .container = container->name,
                                                            .workload = container->workload});
}

/* The last word of a health check; HEALTH stands at PATH. */
static void scan_health(const struct container *container, const cJSON *health, const char *path)
{
    const cJSON *log = json_at(health, "Log");
    int last = cJSON_GetArraySize(log) - 1;
    const cJSON *run = last < 0 ? NULL : cJSON_GetArrayItem(log, last);
    if (!run || str_equal(json_str(health, "Status"), "healthy"))
        return;
    char place[64];
    snprintf(place, sizeof place, "%sLog/%d/Output", path, last);
    scan(container, place, json_str(run, "Output"), containers_time(run, "End"), "health");
}

static void scan_texts(const struct container *container)
{
    scan(container, container->shape == &docker ? "State/Error" : "status/message",
         json_str(container->json, container->shape->error), ended_at(container), "text");
    scan_health(container, json_at(container->json, "State.Health"), "State/Health/");
}

/* ---- how it was made ---- */

static void add_declaration(const struct container *container)
{
    struct reading *reading = container->reading;
    const cJSON *json = container->json;
    const char *network = json_str(json, "HostConfig.NetworkMode");
    struct record *record = reading_add(reading, "containers", container->pointer);
    if (!record)
        return;
    set_identity(container, record);
    evidence_set(reading->evidence, record, "kind", "container");
    const char *user = json_str(json, container->shape->user);
    if (!user || *user) /* "" is the image's own */
        containers_set(reading, record, "user", json, container->shape->user);
    containers_set_flag(reading, record, "privileged", json_at(json, container->shape->privileged));
    containers_set_list(reading, record, "caps_add", json_at(json, container->shape->caps_add), "",
                        ",");
    containers_set_list(reading, record, "caps_drop", json_at(json, container->shape->caps_drop),
                        "", ",");
    evidence_set(reading->evidence, record, "network_mode", network);
    if (network)
        evidence_set(reading->evidence, record, "host_network",
                     strcmp(network, "host") == 0 ? "yes" : "no");
    const cJSON *sysctls = json_at(json, "HostConfig.Sysctls");
    containers_set(reading, record, "unprivileged_port_start",
                   cJSON_GetObjectItemCaseSensitive(sysctls, CONTAINERS_PORT_SYSCTL), "");
}

/* NAME=VALUE */
static void add_variable(const struct container *container, const char *text, int index)
{
    struct reading *reading = container->reading;
    const char *equals = text ? strchr(text, '=') : NULL;
    char place[CONTAINERS_POINTER_MAX], name[256];
    if (!equals || (size_t)(equals - text) >= sizeof name)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    containers_place(place, "%s/%s/%d", container->pointer,
                     container->shape == &docker ? "Config/Env" : "info/runtimeSpec/process/env",
                     index);
    identity_note_variable(reading->evidence, reading->source, 0, place, name, equals + 1);
    struct record *record = evidence_wants(reading->evidence, "env", name)
                                ? reading_add(reading, "env", place)
                                : NULL;
    if (!record)
        return;
    evidence_set(reading->evidence, record, "name", name);
    evidence_set(reading->evidence, record, "value", equals + 1);
    evidence_set(reading->evidence, record, "container", container->name);
    if (*container->workload)
        evidence_set(reading->evidence, record, "workload", container->workload);
}

/* Docker counts in nanoseconds; 0 means its default. */
static void set_timing(const struct container *container, struct record *record, const cJSON *check)
{
    static const struct {
        const char *column, *member;
        double otherwise;
    } timing[] = {
        {"timeout_s", "Timeout", 30}, {"period_s", "Interval", 30}, {"delay_s", "StartPeriod", 0}};
    struct evidence *evidence = container->reading->evidence;
    for (size_t i = 0; i < sizeof timing / sizeof *timing; i++) {
        const cJSON *value = json_at(check, timing[i].member);
        double seconds = cJSON_IsNumber(value) ? value->valuedouble / 1e9 : 0;
        evidence_setf(evidence, record, timing[i].column, "%g",
                      seconds > 0 ? seconds : timing[i].otherwise);
    }
    const cJSON *retries = json_at(check, "Retries");
    bool said = cJSON_IsNumber(retries) && retries->valuedouble > 0;
    evidence_setf(evidence, record, "failures", "%g", said ? retries->valuedouble : 3);
}

static void add_probe(const struct container *container)
{
    struct reading *reading = container->reading;
    const cJSON *check = json_at(container->json, "Config.Healthcheck"),
                *test = json_at(check, "Test");
    char place[CONTAINERS_POINTER_MAX];
    containers_place(place, "%s/Config/Healthcheck", container->pointer);
    bool none = cJSON_GetArraySize(test) < 2 || str_equal(json_str(test, "[0]"), "NONE");
    struct record *record = none ? NULL : reading_add(reading, "probes", place);
    if (!record)
        return;
    if (*container->workload)
        evidence_set(reading->evidence, record, "workload", container->workload);
    evidence_set(reading->evidence, record, "container", container->name);
    evidence_set(reading->evidence, record, "kind", "health");
    evidence_set(reading->evidence, record, "type", "exec");
    containers_set_list(reading, record, "command", test, "", " ");
    set_timing(container, record, check);
}

/* ---- the documents ---- */

static void read_container(struct reading *reading, const cJSON *json, const char *pointer)
{
    struct container container = {.reading = reading, .json = json, .pointer = pointer};
    container.shape = json_at(json, "HostConfig") || json_at(json, "State") ? &docker : &cri;
    if (json_at(json, "FailingStreak"))
        return scan_health(&container, json, "");
    name_it(&container);
    if (!json_str(json, container.shape->state))
        return scan_health(&container, json_at(json, "State.Health"), "State/Health/");
    add_status(&container);
    add_declaration(&container);
    scan_texts(&container);
    add_probe(&container);
    int index = 0;
    const cJSON *variable;
    cJSON_ArrayForEach (variable, json_at(json, container.shape->variables))
        add_variable(&container, json_str(variable, ""), index++);
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    int index = 0;
    const cJSON *one;
    (void)line;
    if (!cJSON_IsArray(document))
        return read_container(reading, document, prefix);
    cJSON_ArrayForEach (one, document) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/%d", prefix, index++);
        read_container(reading, one, place);
    }
}

static void read_inspections(struct reading *reading)
{
    static const char *const names[] = {"container_status", "containers", "env", "probes"};
    reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        evidence_supplied(reading->evidence, names[i], reading->complete);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_JSON_ARRAY)
        return 0;
    if (peek_has(peek, "\"State\"") && peek_has(peek, "\"HostConfig\""))
        return 90;
    if (peek_has(peek, "\"Log\"") && peek_has(peek, "\"Output\""))
        return peek_has(peek, "\"Health\"") || peek_has(peek, "\"FailingStreak\"") ? 80 : 0;
    return peek_has_key(peek, "status") && peek_has(peek, "\"CONTAINER_") ? 90 : 0;
}

static const char *const supplies[] = {"proxy", "container_status", "containers", "env", "probes",
                                       "text",  "event.*",          NULL};

const struct reader read_inspect = {.kind = "container.inspect",
                                    .supplies = supplies,
                                    .recognise = recognise,
                                    .read = read_inspections};
