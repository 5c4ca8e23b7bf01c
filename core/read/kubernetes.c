/* Stage: read. Kubernetes objects with containers in them: Pods and every kind that holds a pod
 * template. Reads JSON and YAML, single objects, documents in a row and lists; writes containers, env
 * and probes. States stand in kubernetes_status.c, events in kubernetes_events.c. Deliberately does not
 * judge kinds that hold no containers. */
#include "read/kubernetes.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/capture.h"
#include "read/containers.h"
#include "read/focus.h"
#include "read/objects.h"
#include "read/readers.h"
#include "read/template.h"
#include <stdio.h>
#include <string.h>

struct pod { /* a pod spec and where it stands */
    struct kubernetes_object *object;
    const cJSON *spec;
    char pointer[CONTAINERS_POINTER_MAX];
};

/* ---- one container ---- */

static const char *port_sysctl(const cJSON *spec)
{
    const cJSON *sysctl;
    cJSON_ArrayForEach (sysctl, json_at(spec, "securityContext.sysctls")) {
        if (str_equal(json_str(sysctl, "name"), CONTAINERS_PORT_SYSCTL))
            return json_str(sysctl, "value");
    }
    return NULL;
}

/* The container's own setting where it has one, else the pod's. */
static const cJSON *security(const struct pod *pod, const cJSON *container, const char *name)
{
    const cJSON *own = json_at(json_at(container, "securityContext"), name);
    return own ? own : json_at(json_at(pod->spec, "securityContext"), name);
}

static void set_user(const struct pod *pod, struct record *record, const cJSON *container)
{
    const cJSON *user = security(pod, container, "runAsUser");
    if (user)
        containers_set(pod->object->reading, record, "user", user, "");
    else if (cJSON_IsTrue(security(pod, container, "runAsNonRoot")))
        evidence_set(pod->object->reading->evidence, record, "user", "non-root");
}

static void set_architecture(const struct pod *pod, struct record *record)
{
    const char *arch = json_str(pod->spec, "nodeSelector.\"kubernetes.io/arch\"");
    if (!arch)
        return;
    const char *known = strcmp(arch, "arm64") == 0   ? "ARM64"
                        : strcmp(arch, "amd64") == 0 ? "X86_64"
                                                     : arch;
    evidence_set(pod->object->reading->evidence, record, "cpu_architecture", known);
}

static void set_security(const struct pod *pod, struct record *record, const cJSON *container)
{
    struct reading *reading = pod->object->reading;
    const cJSON *own = json_at(container, "securityContext");
    set_user(pod, record, container);
    containers_set_flag(reading, record, "privileged", json_at(own, "privileged"));
    containers_set_list(reading, record, "caps_add", json_at(own, "capabilities.add"), "", ",");
    containers_set_list(reading, record, "caps_drop", json_at(own, "capabilities.drop"), "", ",");
    containers_set_flag(reading, record, "allow_privilege_escalation",
                        json_at(own, "allowPrivilegeEscalation"));
    containers_set_flag(reading, record, "host_network", json_at(pod->spec, "hostNetwork"));
    evidence_set(reading->evidence, record, "unprivileged_port_start", port_sysctl(pod->spec));
}

static void add_container(const struct pod *pod, const cJSON *container, const char *pointer,
                          bool init)
{
    struct reading *reading = pod->object->reading;
    struct record *record = reading_add(reading, "containers", pointer);
    if (!record)
        return;
    evidence_set(reading->evidence, record, "platform", "kubernetes");
    evidence_set(reading->evidence, record, "kind", pod->object->kind);
    evidence_set(reading->evidence, record, "workload", pod->object->name);
    containers_set(reading, record, "name", container, "name");
    containers_set(reading, record, "image", container, "image");
    if (init)
        evidence_set(reading->evidence, record, "init", "yes");
    set_security(pod, record, container);
    containers_set_amounts(reading, record, "limits", json_at(container, "resources.limits"), NULL);
    containers_set_amounts(reading, record, "requests", json_at(container, "resources.requests"),
                           NULL);
    containers_set_list(reading, record, "ports", json_at(container, "ports"), "containerPort",
                        ",");
    containers_set(reading, record, "service_account", pod->spec, "serviceAccountName");
    containers_set(reading, record, "dns_policy", pod->spec, "dnsPolicy");
    set_architecture(pod, record);
}

/* ---- probes ---- */

static const char *probe_type(const cJSON *probe)
{
    static const char *const types[][2] = {
        {"httpGet", "http"}, {"tcpSocket", "tcp"}, {"exec", "exec"}, {"grpc", "grpc"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (json_at(probe, types[i][0]))
            return types[i][1];
    return NULL;
}

/* What is not said has the API's default, and that is what the kubelet uses. */
static void set_timing(struct reading *reading, struct record *record, const cJSON *probe)
{
    static const char *const timing[][3] = {{"timeout_s", "timeoutSeconds", "1"},
                                            {"period_s", "periodSeconds", "10"},
                                            {"delay_s", "initialDelaySeconds", "0"},
                                            {"failures", "failureThreshold", "3"}};
    for (size_t i = 0; i < sizeof timing / sizeof *timing; i++) {
        evidence_set(reading->evidence, record, timing[i][0], timing[i][2]);
        containers_set(reading, record, timing[i][0], probe, timing[i][1]);
    }
}

static void add_probe(const struct pod *pod, const cJSON *container, const char *pointer,
                      const char *member, const char *kind)
{
    struct reading *reading = pod->object->reading;
    const cJSON *probe = json_at(container, member);
    const char *type = probe_type(probe);
    char place[CONTAINERS_POINTER_MAX];
    containers_place(place, "%s/%s", pointer, member);
    struct record *record = type ? reading_add(reading, "probes", place) : NULL;
    if (!record)
        return;
    evidence_set(reading->evidence, record, "workload", pod->object->name);
    containers_set(reading, record, "container", container, "name");
    evidence_set(reading->evidence, record, "kind", kind);
    evidence_set(reading->evidence, record, "type", type);
    static const char *const ports[] = {"httpGet.port", "tcpSocket.port", "grpc.port"};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        containers_set(reading, record, "port", probe, ports[i]);
    containers_set(reading, record, "path", probe, "httpGet.path");
    containers_set_list(reading, record, "command", json_at(probe, "exec.command"), "", " ");
    set_timing(reading, record, probe);
}

static void read_container(const struct pod *pod, const cJSON *container, const char *pointer,
                           bool init)
{
    char env[CONTAINERS_POINTER_MAX];
    containers_place(env, "%s/env", pointer);
    add_container(pod, container, pointer, init);
    containers_env(pod->object->reading, json_at(container, "env"), env, pod->object->name,
                   json_str(container, "name"));
    add_probe(pod, container, pointer, "readinessProbe", "readiness");
    add_probe(pod, container, pointer, "livenessProbe", "liveness");
    add_probe(pod, container, pointer, "startupProbe", "startup");
}

static void read_containers(const struct pod *pod, const char *member, bool init)
{
    int index = 0;
    const cJSON *container;
    cJSON_ArrayForEach (container, json_at(pod->spec, member)) {
        char pointer[CONTAINERS_POINTER_MAX];
        containers_place(pointer, "%s/%s/%d", pod->pointer, member, index++);
        /* With restartPolicy Always it is a sidecar that merely starts first. */
        bool sidecar = str_equal(json_str(container, "restartPolicy"), "Always");
        read_container(pod, container, pointer, init && !sidecar);
    }
}

/* ---- objects ---- */

void kubernetes_name(char out[KUBERNETES_NAME_MAX], const char *space, const char *name)
{
    bool both = space && *space && name;
    snprintf(out, KUBERNETES_NAME_MAX, "%s%s%s", both ? space : "", both ? "/" : "",
             name ? name : "");
}

static void read_pod_spec(struct kubernetes_object *object)
{
    static const char *const places[][3] = {
        {"spec", "/spec", "metadata"},
        {"spec.template.spec", "/spec/template/spec", "spec.template.metadata"},
        {"spec.jobTemplate.spec.template.spec", "/spec/jobTemplate/spec/template/spec",
         "spec.jobTemplate.spec.template.metadata"},
        {"template.spec", "/template/spec", "template.metadata"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct pod pod = {.object = object, .spec = json_at(object->json, places[i][0])};
        if (!cJSON_IsArray(json_at(pod.spec, "containers")))
            continue;
        containers_place(pod.pointer, "%s%s", object->pointer, places[i][1]);
        read_containers(&pod, "initContainers", true);
        read_containers(&pod, "containers", false);
        capture_pod(object, pod.spec, pod.pointer,
                    json_at(json_at(object->json, places[i][2]), "annotations"));
        identity_note_pod(object->reading->evidence, object->reading->source, object->pointer,
                          json_at(object->json, places[i][2]));
        static const char *const supplied[] = {"containers", "env", "probes"};
        for (size_t j = 0; j < sizeof supplied / sizeof *supplied; j++)
            evidence_supplied(object->reading->evidence, supplied[j], object->reading->complete);
        return;
    }
}

static bool is_event(const cJSON *json)
{
    return json_at(json, "involvedObject") || json_at(json, "regarding");
}

/* Elements of a typed list do not say their kind. */
static const char *kind_of(const cJSON *json)
{
    const char *kind = json_str(json, "kind");
    if (kind)
        return kind;
    return json_at(json, "spec.containers") ? "Pod" : is_event(json) ? "Event" : NULL;
}

/* Which evidence keeps objects of KIND whole; NULL: none does. Secrets are never kept. */
static const char *evidence_of(const cJSON *json, const char *kind)
{
    static const char *const names[][2] = {{"Pod", "k8s.pods"},
                                           {"Service", "k8s.services"},
                                           {"Endpoints", "k8s.endpoints"},
                                           {"EndpointSlice", "k8s.endpoints"},
                                           {"Namespace", "k8s.namespaces"},
                                           {"NetworkPolicy", "k8s.network_policies"},
                                           {"Node", "k8s.nodes"},
                                           {"ServiceAccount", "k8s.service_accounts"},
                                           {"MutatingWebhookConfiguration", "k8s.webhooks"},
                                           {"ValidatingWebhookConfiguration", "k8s.webhooks"},
                                           {"Deployment", "k8s.workloads"},
                                           {"DaemonSet", "k8s.workloads"},
                                           {"StatefulSet", "k8s.workloads"},
                                           {"ReplicaSet", "k8s.workloads"},
                                           {"Job", "k8s.workloads"},
                                           {"CronJob", "k8s.workloads"},
                                           {"Secret", NULL},
                                           {"List", NULL}};
    const char *version = json_str(json, "apiVersion");
    if (version && str_starts(version, "appmesh.k8s.aws/"))
        return "k8s.appmesh";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(kind, names[i][0]) == 0)
            return names[i][1];
    return "k8s.resources";
}

static void keep_object(const struct kubernetes_object *object)
{
    const char *name = object->kind ? evidence_of(object->json, object->kind) : NULL;
    if (name)
        objects_keep(object->reading, name, object->name, object->kind, object->json,
                     object->pointer);
}

static void read_object(struct reading *reading, const cJSON *json, const char *pointer)
{
    struct kubernetes_object object = {
        .reading = reading, .json = json, .pointer = pointer, .kind = kind_of(json)};
    /* What a cluster has answered holds no placeholders. */
    if (!json_at(json, "metadata.uid") && template_mask((cJSON *)json) && !reading->user) {
        reading->user = reading; /* once for each source */
        template_say(reading, false);
    }
    const char *space = json_str(json, "metadata.namespace"),
               *name = json_str(json, "metadata.name");
    kubernetes_name(object.name, space, name);
    if (is_event(json)) {
        kubernetes_event(&object);
        return;
    }
    if (!focus_object(reading, object.kind, space, name))
        return;
    keep_object(&object);
    read_pod_spec(&object);
    kubernetes_status(&object);
}

/* Calls read_object for the elements of ARRAY, which stands at POINTER. */
static void read_elements(struct reading *reading, const cJSON *array, const char *pointer)
{
    int index = 0;
    const cJSON *element;
    cJSON_ArrayForEach (element, array) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/%d", pointer, index++);
        read_object(reading, element, place);
    }
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    (void)line;
    const cJSON *items = json_at(document, "items");
    char pointer[CONTAINERS_POINTER_MAX];
    containers_place(pointer, "%s/items", prefix);
    if (cJSON_IsArray(document))
        read_elements(reading, document, prefix);
    else if (cJSON_IsArray(items))
        read_elements(reading, items, pointer);
    else if (cJSON_IsObject(document))
        read_object(reading, document, prefix);
}

static void read_piece(void *user, const struct json_piece *piece)
{
    if (cJSON_IsObject(piece->value))
        read_object(user, piece->value, piece->pointer);
}

/* What came before the trouble was told as if it were all. */
static void supply_half(struct reading *reading)
{
    static const char *const names[] = {"containers",     "env",
                                        "probes",         "k8s.pods",
                                        "k8s.services",   "k8s.endpoints",
                                        "k8s.namespaces", "k8s.network_policies",
                                        "k8s.nodes",      "k8s.service_accounts",
                                        "k8s.webhooks",   "k8s.workloads",
                                        "k8s.appmesh",    "k8s.resources"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (evidence_state(reading->evidence, names[i]) != EVIDENCE_ABSENT)
            evidence_supplied(reading->evidence, names[i], false);
}

/* A list may be of any length, so it is split; what fits a glance may be several objects in a row. */
void kubernetes_objects(struct reading *reading)
{
    static const char *const rules[] = {"items", NULL};
    const struct peek *peek = reading->peek;
    if (peek->shape == PEEK_JSON_ARRAY || (peek->shape == PEEK_JSON_OBJECT && peek->whole))
        reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
    else
        reading_split(reading, rules, read_piece, reading);
    if (!reading->complete)
        supply_half(reading);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_JSON_ARRAY &&
        peek->shape != PEEK_YAML)
        return 0;
    /* kubectl sorts: of a long list the kind stands behind everything else */
    if (peek_has_key(peek, "apiVersion") &&
        (peek_has_key(peek, "kind") || peek_has_key(peek, "items")))
        return 80;
    return peek_has_key(peek, "metadata") && peek_has_key(peek, "spec") &&
                   peek_has(peek, "containers")
               ? 60
               : 0;
}

static const char *const supplies[] = {
    "proxy", "capture", "containers", "env", "probes", "container_status",
    "text",  "event.*", "k8s.*",      NULL};

const struct reader read_kubernetes = {
    .kind = "kubernetes", .supplies = supplies, .recognise = recognise, .read = kubernetes_objects};
