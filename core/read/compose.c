/* Stage: read. docker-compose files: each service as the container that it will be. Writes containers,
 * env and probes. Takes defaults that variables have in the file (${NAME:-default}) and reads neither the
 * shell's environment nor env_file. Deliberately merges no several files. */
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/containers.h"
#include "read/readers.h"
#include "read/template.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 256 };

struct service {
    struct reading *reading;
    const cJSON *json;
    const char *name, *project;
    char pointer[CONTAINERS_POINTER_MAX];
};

/* ---- values ---- */

/* "${NAME:-default}" and "${NAME-default}" become the default. In place: it is shorter. */
static void apply_default(char *text)
{
    for (char *at = text; (at = strstr(at, "${"));) {
        char *end = strchr(at, '}'), *mark = end ? memchr(at, '-', (size_t)(end - at)) : NULL;
        if (!end)
            return;
        if (!mark || strcspn(at + 2, "-:?+}") + 2 < (size_t)(mark - at) - (mark[-1] == ':')) {
            at = end;
            continue;
        }
        size_t len = (size_t)(end - mark) - 1;
        memmove(at, mark + 1, len);
        memmove(at + len, end + 1, strlen(end + 1) + 1);
        at += len;
    }
}

static void apply_defaults(cJSON *tree)
{
    if (cJSON_IsString(tree))
        apply_default(tree->valuestring);
    for (cJSON *child = tree->child; child; child = child->next)
        apply_defaults(child);
}

/* A mapping, or a list of "NAME=VALUE": calls EACH for every pair; VALUE may be NULL. */
typedef void pair_fn(const struct service *service, struct record *record, const char *name,
                     const cJSON *value, int index);

static void each_pair(const struct service *service, struct record *record, const cJSON *pairs,
                      pair_fn *each)
{
    int index = 0;
    const cJSON *child;
    cJSON_ArrayForEach (child, pairs) {
        const char *text = cJSON_IsArray(pairs) ? json_str(child, "") : NULL;
        const char *equals = text ? strchr(text, '=') : NULL;
        char name[NAME_MAX_BYTES];
        snprintf(name, sizeof name, "%.*s",
                 equals ? (int)(equals - text) : (int)(text ? strlen(text) : 0), text ? text : "");
        cJSON value = {.type = cJSON_String, .valuestring = equals ? (char *)equals + 1 : NULL};
        if (cJSON_IsArray(pairs))
            each(service, record, name, equals ? &value : NULL, index++);
        else if (child->string)
            each(service, record, child->string, child, index++);
    }
}

static void set_sysctl(const struct service *service, struct record *record, const char *name,
                       const cJSON *value, int index)
{
    (void)index;
    if (strcmp(name, CONTAINERS_PORT_SYSCTL) == 0)
        containers_set(service->reading, record, "unprivileged_port_start", value, "");
}

static void add_variable(const struct service *service, struct record *record, const char *name,
                         const cJSON *value, int index)
{
    char number[32], pointer[CONTAINERS_POINTER_MAX];
    struct evidence *evidence = service->reading->evidence;
    bool list = cJSON_IsArray(json_at(service->json, "environment"));
    (void)record;
    if (list)
        containers_place(pointer, "%s/environment/%d", service->pointer, index);
    else
        containers_place(pointer, "%s/environment/%s", service->pointer, name);
    const char *text = json_scalar(value, "", number);
    identity_note_variable(evidence, service->reading->source, 0, pointer, name, text);
    if (!evidence_wants(evidence, "env", name))
        return;
    struct record *variable = reading_add(service->reading, "env", pointer);
    if (!variable)
        return;
    evidence_set(evidence, variable, "name", name);
    evidence_set(evidence, variable, "value", text);
    evidence_set(evidence, variable, "container", service->name);
    evidence_set(evidence, variable, "workload", service->project);
}

/* The container's side of "127.0.0.1:8080:80/tcp". */
static void add_port(struct buf *ports, const cJSON *port)
{
    char number[32];
    const char *text = cJSON_IsObject(port) ? json_scalar(port, "target", number)
                                            : json_scalar(port, "", number);
    const char *colon = text ? strrchr(text, ':') : NULL;
    if (!text)
        return;
    text = colon ? colon + 1 : text;
    size_t len = strcspn(text, "/");
    buf_addf(ports, "%s%.*s", ports->len ? "," : "", (int)(len < 32 ? len : 32), text);
}

static void set_ports(const struct service *service, struct record *record)
{
    static const char *const members[] = {"ports", "expose"};
    struct buf ports;
    buf_init(&ports, 1024);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const cJSON *port;
        cJSON_ArrayForEach (port, json_at(service->json, members[i]))
            add_port(&ports, port);
    }
    if (ports.len)
        evidence_set(service->reading->evidence, record, "ports", buf_str(&ports));
    buf_release(&ports);
}

/* ---- one service ---- */

static void set_architecture(const struct service *service, struct record *record)
{
    const char *platform = json_str(service->json, "platform");
    const char *known = !platform                    ? NULL
                        : strstr(platform, "/arm64") ? "ARM64"
                        : strstr(platform, "/amd64") ? "X86_64"
                                                     : NULL;
    evidence_set(service->reading->evidence, record, "cpu_architecture", known);
}

static void add_container(const struct service *service)
{
    struct reading *reading = service->reading;
    const cJSON *json = service->json;
    struct record *record = reading_add(reading, "containers", service->pointer);
    if (!record)
        return;
    evidence_set(reading->evidence, record, "platform", "compose");
    evidence_set(reading->evidence, record, "kind", "service");
    evidence_set(reading->evidence, record, "workload", service->project);
    evidence_set(reading->evidence, record, "name", service->name);
    containers_set(reading, record, "image", json, "image");
    containers_set(reading, record, "user", json, "user");
    containers_set_flag(reading, record, "privileged", json_at(json, "privileged"));
    containers_set_list(reading, record, "caps_add", json_at(json, "cap_add"), "", ",");
    containers_set_list(reading, record, "caps_drop", json_at(json, "cap_drop"), "", ",");
    containers_set(reading, record, "network_mode", json, "network_mode");
    if (str_equal(json_str(json, "network_mode"), "host"))
        evidence_set(reading->evidence, record, "host_network", "yes");
    each_pair(service, record, json_at(json, "sysctls"), set_sysctl);
    set_ports(service, record);
    set_architecture(service, record);
}

/* What is not said has Docker's default. */
static void set_timing(struct reading *reading, struct record *record, const cJSON *check)
{
    static const char *const timing[][3] = {{"timeout_s", "timeout", "30"},
                                            {"period_s", "interval", "30"},
                                            {"delay_s", "start_period", "0"}};
    for (size_t i = 0; i < sizeof timing / sizeof *timing; i++) {
        int64_t ms = 0;
        const char *text = json_str(check, timing[i][1]);
        evidence_set(reading->evidence, record, timing[i][0], timing[i][2]);
        if (text && str_to_duration(text, &ms))
            evidence_setf(reading->evidence, record, timing[i][0], "%g", (double)ms / 1000);
    }
    evidence_set(reading->evidence, record, "failures", "3");
    containers_set(reading, record, "failures", check, "retries");
}

static void add_probe(const struct service *service)
{
    struct reading *reading = service->reading;
    const cJSON *check = json_at(service->json, "healthcheck"), *test = json_at(check, "test");
    char place[CONTAINERS_POINTER_MAX];
    containers_place(place, "%s/healthcheck", service->pointer);
    bool off = cJSON_IsTrue(json_at(check, "disable")) || str_equal(json_str(test, "[0]"), "NONE");
    struct record *record = test && !off ? reading_add(reading, "probes", place) : NULL;
    if (!record)
        return;
    evidence_set(reading->evidence, record, "workload", service->project);
    evidence_set(reading->evidence, record, "container", service->name);
    evidence_set(reading->evidence, record, "kind", "health");
    evidence_set(reading->evidence, record, "type", "exec");
    containers_set(reading, record, "command", test, "");
    containers_set_list(reading, record, "command", test, "", " ");
    set_timing(reading, record, check);
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    (void)line;
    const cJSON *json;
    apply_defaults((cJSON *)document);
    template_mask((cJSON *)document);
    cJSON_ArrayForEach (json, json_at(document, "services")) {
        struct service service = {
            .reading = reading, .json = json, .name = json->string, .project = NULL};
        if (!cJSON_IsObject(json) || !json->string)
            continue;
        service.project = json_str(document, "name");
        containers_place(service.pointer, "%s/services/%s", prefix, json->string);
        add_container(&service);
        add_probe(&service);
        each_pair(&service, NULL, json_at(json, "environment"), add_variable);
    }
}

static void read_compose(struct reading *reading)
{
    static const char *const names[] = {"containers", "env", "probes"};
    reading->lenient = true;
    reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
    template_say(reading, true);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        evidence_supplied(reading->evidence, names[i], reading->complete);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_YAML)
        return 0;
    bool services = peek_has_key(peek, "services") && !peek_has_key(peek, "apiVersion") &&
                    !peek_has_key(peek, "failures");
    return services && (peek_has(peek, "image:") || peek_has(peek, "build:") ||
                        peek_has(peek, "\"image\""))
               ? 70
               : 0;
}

static const char *const supplies[] = {"proxy", "containers", "env", "probes", NULL};

const struct reader read_compose_file = {
    .kind = "compose", .supplies = supplies, .recognise = recognise, .read = read_compose};
