/* Stage: read. ECS task definitions, as describe-task-definition prints them or as they are
 * registered. Writes containers, env and probes. Templates that are no JSON yet ($NAME where a value
 * belongs) are a problem that names the line, never a guess at what will stand there. */
#include "read/ecs_task_definition.h"
#include "base/json.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/capture.h"
#include "read/containers.h"
#include "read/objects.h"
#include "read/readers.h"
#include "read/template.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct definition {
    struct reading *reading;
    const cJSON *json;
    const char *pointer;
    char name[320]; /* family:revision */
};

static bool is(const cJSON *json, const char *path, const char *value)
{
    return str_equal(json_str(json, path), value);
}

static const char *own_port_start(const cJSON *container)
{
    const cJSON *control;
    cJSON_ArrayForEach (control, json_at(container, "systemControls")) {
        if (is(control, "namespace", CONTAINERS_PORT_SYSCTL))
            return json_str(control, "value");
    }
    return NULL;
}

/* In awsvpc mode the task is one network namespace: what one container sets holds for all. */
static const char *port_start(const struct definition *definition, const cJSON *container)
{
    const char *value = own_port_start(container);
    if (value || !is(definition->json, "networkMode", "awsvpc"))
        return value;
    const cJSON *other;
    cJSON_ArrayForEach (other, json_at(definition->json, "containerDefinitions")) {
        value = value ? value : own_port_start(other);
    }
    return value;
}

static void set_task_level(const struct definition *definition, struct record *record)
{
    struct reading *reading = definition->reading;
    const cJSON *json = definition->json;
    containers_set(reading, record, "network_mode", json, "networkMode");
    if (is(json, "networkMode", "host"))
        evidence_set(reading->evidence, record, "host_network", "yes");
    containers_set_list(reading, record, "launch_type", json_at(json, "requiresCompatibilities"),
                        "", ",");
    containers_set(reading, record, "execution_role", json, "executionRoleArn");
    containers_set(reading, record, "task_role", json, "taskRoleArn");
    containers_set(reading, record, "cpu_architecture", json, "runtimePlatform.cpuArchitecture");
}

static void add_container(const struct definition *definition, const cJSON *container,
                          const char *pointer)
{
    struct reading *reading = definition->reading;
    struct record *record = reading_add(reading, "containers", pointer);
    if (!record)
        return;
    static const char *const limits[] = {"memory", NULL};
    static const char *const requests[] = {"cpu", "memoryReservation", NULL};
    const cJSON *capabilities = json_at(container, "linuxParameters.capabilities");
    evidence_set(reading->evidence, record, "platform", "ecs");
    evidence_set(reading->evidence, record, "kind", "TaskDefinition");
    evidence_set(reading->evidence, record, "workload", definition->name);
    containers_set(reading, record, "name", container, "name");
    containers_set(reading, record, "image", container, "image");
    containers_set(reading, record, "user", container, "user");
    containers_set_flag(reading, record, "privileged", json_at(container, "privileged"));
    containers_set_list(reading, record, "caps_add", json_at(capabilities, "add"), "", ",");
    containers_set_list(reading, record, "caps_drop", json_at(capabilities, "drop"), "", ",");
    containers_set_list(reading, record, "ports", json_at(container, "portMappings"),
                        "containerPort", ",");
    containers_set_amounts(reading, record, "limits", container, limits);
    containers_set_amounts(reading, record, "requests", container, requests);
    evidence_set(reading->evidence, record, "unprivileged_port_start",
                 port_start(definition, container));
    set_task_level(definition, record);
}

/* What is not said has the service's default. */
static void set_timing(struct reading *reading, struct record *record, const cJSON *check)
{
    static const char *const timing[][3] = {{"timeout_s", "timeout", "5"},
                                            {"period_s", "interval", "30"},
                                            {"delay_s", "startPeriod", "0"},
                                            {"failures", "retries", "3"}};
    for (size_t i = 0; i < sizeof timing / sizeof *timing; i++) {
        evidence_set(reading->evidence, record, timing[i][0], timing[i][2]);
        containers_set(reading, record, timing[i][0], check, timing[i][1]);
    }
}

static void add_probe(const struct definition *definition, const cJSON *container,
                      const char *pointer)
{
    struct reading *reading = definition->reading;
    const cJSON *check = json_at(container, "healthCheck");
    char place[CONTAINERS_POINTER_MAX];
    containers_place(place, "%s/healthCheck", pointer);
    struct record *record = cJSON_IsObject(check) ? reading_add(reading, "probes", place) : NULL;
    if (!record)
        return;
    evidence_set(reading->evidence, record, "workload", definition->name);
    containers_set(reading, record, "container", container, "name");
    evidence_set(reading->evidence, record, "kind", "health");
    evidence_set(reading->evidence, record, "type", "exec");
    containers_set_list(reading, record, "command", json_at(check, "command"), "", " ");
    set_timing(reading, record, check);
}

static void read_variables(const struct definition *definition, const cJSON *container,
                           const char *pointer)
{
    static const char *const members[] = {"environment", "secrets"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/%s", pointer, members[i]);
        containers_env(definition->reading, json_at(container, members[i]), place, definition->name,
                       json_str(container, "name"));
    }
}

static void name_definition(struct definition *definition)
{
    const char *family = json_str(definition->json, "family");
    int64_t revision = 0;
    if (json_int(definition->json, "revision", &revision))
        snprintf(definition->name, sizeof definition->name, "%s:%" PRId64, family ? family : "",
                 revision);
    else
        snprintf(definition->name, sizeof definition->name, "%s", family ? family : "");
}

void ecs_task_definition(struct reading *reading, const cJSON *json, const char *pointer)
{
    struct definition definition = {.reading = reading, .json = json, .pointer = pointer};
    name_definition(&definition);
    if (json_at(json, "containerDefinitions"))
        objects_keep(reading, "aws.task_definitions", definition.name, NULL, json, pointer);
    int index = 0;
    const cJSON *container;
    char proxy[CONTAINERS_POINTER_MAX];
    containers_place(proxy, "%s/proxyConfiguration", pointer);
    capture_task(reading, json_at(json, "proxyConfiguration"), proxy, definition.name);
    cJSON_ArrayForEach (container, json_at(json, "containerDefinitions")) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/containerDefinitions/%d", pointer, index++);
        if (!cJSON_IsObject(container))
            continue;
        add_container(&definition, container, place);
        add_probe(&definition, container, place);
        read_variables(&definition, container, place);
    }
    identity_note(reading->evidence, reading->source, 0, pointer, IDENTITY_GUESS, "platform",
                  "ecs");
}

/* Also one of which somebody saved the proxy's part alone. */
static bool is_definition(const cJSON *json)
{
    return json_at(json, "containerDefinitions") || json_at(json, "proxyConfiguration");
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    (void)line;
    template_mask((cJSON *)document);
    if (is(document, "type", "APPMESH") && json_at(document, "properties"))
        capture_task(reading, document, prefix, NULL);
    static const char *const places[][2] = {{"taskDefinition", "/taskDefinition"},
                                            {"data.taskDefinition", "/data/taskDefinition"},
                                            {"", ""}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const cJSON *definition = json_at(document, places[i][0]);
        if (!is_definition(definition))
            continue;
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s%s", prefix, places[i][1]);
        ecs_task_definition(reading, definition, place);
        return;
    }
}

static void read_task_definition(struct reading *reading)
{
    static const char *const names[] = {"capture", "containers", "env", "probes"};
    reading->lenient = true;
    reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
    template_say(reading, false);
    /* The proxy's part alone tells nothing of containers. */
    bool alone = !peek_has(reading->peek, "containerDefinitions");
    for (size_t i = 0; i < (alone ? 1 : sizeof names / sizeof *names); i++)
        evidence_supplied(reading->evidence, names[i], reading->complete);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_YAML)
        return 0;
    bool proxy = peek_has_key(peek, "proxyConfiguration") ||
                 (peek_has_key(peek, "properties") && peek_has(peek, "APPMESH"));
    if (!peek_has(peek, "containerDefinitions") && !proxy)
        return 0;
    bool own = proxy || peek_has_key(peek, "containerDefinitions") ||
               peek_has_key(peek, "taskDefinition");
    return own ? 85 : peek_has_key(peek, "data") && peek_has(peek, "\"taskDefinition\"") ? 80 : 0;
}

static const char *const supplies[] = {
    "proxy", "capture", "containers", "env", "probes", "aws.task_definitions", NULL};

const struct reader read_ecs_task_definition = {.kind = "ecs.task_definition",
                                                .supplies = supplies,
                                                .recognise = recognise,
                                                .read = read_task_definition};
