/* Stage: read. How traffic gets into the proxy, as manifests set it up: the proxyConfiguration of ECS, the
 * init containers of App Mesh and Istio, the annotations of App Mesh, Istio and Consul. Reads JSON trees,
 * writes `capture`. Deliberately does not add what an injector would set by itself, and names what is
 * set to something that is not known yet. */
#include "read/capture.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "read/containers.h"
#include <string.h>

enum { UNKNOWN_MAX = 256 };

struct setting { /* what it is called there, and the column it belongs to */
    const char *name, *column;
};

static const struct setting task_settings[] = {
    {"IgnoredUID", "uid"},
    {"IgnoredGID", "gid"},
    {"AppPorts", "app_ports"},
    {"ProxyIngressPort", "ingress_port"},
    {"ProxyEgressPort", "egress_port"},
    {"EgressIgnoredPorts", "ignored_ports"},
    {"EgressIgnoredIPs", "ignored_ips"},
    {NULL, NULL},
};

static const struct setting init_settings[] = {
    {"APPMESH_IGNORE_UID", "uid"},
    {"APPMESH_IGNORE_GID", "gid"},
    {"APPMESH_APP_PORTS", "app_ports"},
    {"APPMESH_ENVOY_INGRESS_PORT", "ingress_port"},
    {"APPMESH_ENVOY_EGRESS_PORT", "egress_port"},
    {"APPMESH_EGRESS_IGNORED_PORTS", "ignored_ports"},
    {"APPMESH_EGRESS_IGNORED_IP", "ignored_ips"},
    {NULL, NULL},
};

/* istio-iptables; each option has a long form too. */
static const struct setting istio_options[] = {
    {"-u", "uid"},
    {"--proxy-uid", "uid"},
    {"-g", "gid"},
    {"--proxy-gid", "gid"},
    {"-b", "app_ports"},
    {"--istio-inbound-ports", "app_ports"},
    {"-d", "inbound_ignored_ports"},
    {"--istio-local-exclude-ports", "inbound_ignored_ports"},
    {"-z", "ingress_port"},
    {"--inbound-capture-port", "ingress_port"},
    {"-p", "egress_port"},
    {"--envoy-port", "egress_port"},
    {"-o", "ignored_ports"},
    {"--istio-local-outbound-ports-exclude", "ignored_ports"},
    {"-x", "ignored_ips"},
    {"--istio-service-exclude-cidr", "ignored_ips"},
    {NULL, NULL},
};

static const struct setting appmesh_annotations[] = {
    {"appmesh.k8s.aws/ports", "app_ports"},
    {"appmesh.k8s.aws/egressIgnoredPorts", "ignored_ports"},
    {"appmesh.k8s.aws/egressIgnoredIPs", "ignored_ips"},
    {"appmesh.k8s.aws/ignoredUID", "uid"},
    {"appmesh.k8s.aws/proxyIngressPort", "ingress_port"},
    {"appmesh.k8s.aws/proxyEgressPort", "egress_port"},
    {NULL, NULL},
};

static const struct setting istio_annotations[] = {
    {"traffic.sidecar.istio.io/includeInboundPorts", "app_ports"},
    {"traffic.sidecar.istio.io/excludeInboundPorts", "inbound_ignored_ports"},
    {"traffic.sidecar.istio.io/excludeOutboundPorts", "ignored_ports"},
    {"traffic.sidecar.istio.io/excludeOutboundIPRanges", "ignored_ips"},
    {NULL, NULL},
};

static const struct setting consul_annotations[] = {
    {"consul.hashicorp.com/transparent-proxy-exclude-inbound-ports", "inbound_ignored_ports"},
    {"consul.hashicorp.com/transparent-proxy-exclude-outbound-ports", "ignored_ports"},
    {"consul.hashicorp.com/transparent-proxy-exclude-outbound-cidrs", "ignored_ips"},
    {NULL, NULL},
};

static const char *column_of(const struct setting *settings, const char *name)
{
    for (; settings->name; settings++)
        if (strcmp(settings->name, name) == 0)
            return settings->column;
    return NULL;
}

struct capture { /* one record being filled */
    struct reading *reading;
    struct record *record;
    struct buf unknown; /* columns that are set to what is not known */
};

static bool begin(struct capture *capture, struct reading *reading, const char *pointer,
                  const char *platform, const char *by, const char *workload)
{
    *capture = (struct capture){.reading = reading};
    evidence_supplied(reading->evidence, "capture", reading->complete);
    capture->record = reading_add(reading, "capture", pointer);
    if (!capture->record)
        return false;
    buf_init(&capture->unknown, UNKNOWN_MAX);
    evidence_set(reading->evidence, capture->record, "platform", platform);
    evidence_set(reading->evidence, capture->record, "by", by);
    evidence_set(reading->evidence, capture->record, "workload", workload);
    return true;
}

static void set(struct capture *capture, const char *column, const cJSON *value)
{
    char number[32];
    if (!column || !value || cJSON_IsNull(value))
        return;
    const char *text = json_scalar(value, "", number);
    if (text)
        evidence_set(capture->reading->evidence, capture->record, column, text);
    else
        buf_addf(&capture->unknown, "%s%s", capture->unknown.len ? "," : "", column);
}

static void end(struct capture *capture)
{
    if (capture->unknown.len)
        evidence_set(capture->reading->evidence, capture->record, "unknown",
                     buf_str(&capture->unknown));
    buf_release(&capture->unknown);
}

void capture_task(struct reading *reading, const cJSON *proxy, const char *pointer,
                  const char *workload)
{
    struct capture capture;
    const cJSON *property;
    if (!cJSON_IsObject(proxy) || !begin(&capture, reading, pointer, "ecs", "appmesh", workload))
        return;
    set(&capture, "container", json_at(proxy, "containerName"));
    const cJSON *properties = json_at(proxy, "properties");
    cJSON_ArrayForEach (property, properties) {
        const char *name = json_str(property, "name");
        set(&capture, name ? column_of(task_settings, name) : NULL, json_at(property, "value"));
    }
    if (properties && !cJSON_IsArray(properties))
        for (const struct setting *at = task_settings; at->name; at++)
            set(&capture, at->column, properties);
    end(&capture);
}

/* ---- pods ---- */

static void capture_init_variables(const struct kubernetes_object *object, const cJSON *container,
                                   const char *pointer)
{
    struct capture capture;
    const cJSON *variable;
    if (!begin(&capture, object->reading, pointer, "kubernetes", "appmesh", object->name))
        return;
    evidence_set(object->reading->evidence, capture.record, "container", "envoy");
    containers_set(object->reading, capture.record, "set_up_by", container, "name");
    cJSON_ArrayForEach (variable, json_at(container, "env")) {
        const char *name = json_str(variable, "name");
        const cJSON *value = json_at(variable, "value");
        set(&capture, name ? column_of(init_settings, name) : NULL,
            value ? value : json_at(variable, "valueFrom"));
    }
    end(&capture);
}

/* "-u 1337", "-u=1337": the value of the option at ARGUMENT. */
static void set_option(struct capture *capture, const cJSON *argument)
{
    const char *text = json_str(argument, "");
    const char *glued = text ? strchr(text, '=') : NULL;
    char option[64];
    if (!text || *text != '-')
        return;
    size_t len = glued ? (size_t)(glued - text) : strlen(text);
    if (len >= sizeof option)
        return;
    memcpy(option, text, len);
    option[len] = '\0';
    const char *column = column_of(istio_options, option);
    if (column && glued)
        evidence_set(capture->reading->evidence, capture->record, column, glued + 1);
    else
        set(capture, column, argument->next);
}

static void capture_istio_options(const struct kubernetes_object *object, const cJSON *container,
                                  const char *pointer)
{
    struct capture capture;
    const cJSON *argument;
    if (!begin(&capture, object->reading, pointer, "kubernetes", "istio", object->name))
        return;
    evidence_set(object->reading->evidence, capture.record, "container", "istio-proxy");
    containers_set(object->reading, capture.record, "set_up_by", container, "name");
    cJSON_ArrayForEach (argument, json_at(container, "command"))
        set_option(&capture, argument);
    cJSON_ArrayForEach (argument, json_at(container, "args"))
        set_option(&capture, argument);
    end(&capture);
}

static bool has_word(const cJSON *list, const char *word)
{
    const cJSON *element;
    cJSON_ArrayForEach (element, list) {
        if (str_equal(json_str(element, ""), word))
            return true;
    }
    return false;
}

static bool has_variable(const cJSON *container, const char *name)
{
    const cJSON *variable;
    cJSON_ArrayForEach (variable, json_at(container, "env")) {
        if (str_equal(json_str(variable, "name"), name))
            return true;
    }
    return false;
}

static bool is_istio_init(const cJSON *container)
{
    return str_equal(json_str(container, "name"), "istio-init") ||
           str_equal(json_str(container, "name"), "istio-validation") ||
           has_word(json_at(container, "args"), "istio-iptables") ||
           has_word(json_at(container, "command"), "istio-iptables");
}

/* Returns how many of the init containers set up a capture. */
static int capture_init_containers(const struct kubernetes_object *object, const cJSON *spec,
                                   const char *pointer)
{
    int index = 0, found = 0;
    const cJSON *container;
    cJSON_ArrayForEach (container, json_at(spec, "initContainers")) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/initContainers/%d", pointer, index++);
        bool istio = is_istio_init(container);
        bool appmesh = !istio && (has_variable(container, "APPMESH_IGNORE_UID") ||
                                  has_variable(container, "APPMESH_APP_PORTS"));
        if (istio)
            capture_istio_options(object, container, place);
        else if (appmesh)
            capture_init_variables(object, container, place);
        found += istio || appmesh;
    }
    return found;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void capture_annotations(const struct kubernetes_object *object, const cJSON *annotations,
                                const char *pointer, const char *by, const char *container,
                                const struct setting *settings)
{
    struct capture capture;
    const struct setting *at = settings;
    while (at->name && !member(annotations, at->name))
        at++;
    if (!at->name || !begin(&capture, object->reading, pointer, "kubernetes", by, object->name))
        return;
    evidence_set(object->reading->evidence, capture.record, "container", container);
    evidence_set(object->reading->evidence, capture.record, "set_up_by", "annotations");
    for (at = settings; at->name; at++)
        set(&capture, at->column, member(annotations, at->name));
    end(&capture);
}

void capture_pod(const struct kubernetes_object *object, const cJSON *spec, const char *pointer,
                 const cJSON *annotations)
{
    evidence_supplied(object->reading->evidence, "capture", object->reading->complete);
    /* What an init container was told is what the annotations came to. */
    if (capture_init_containers(object, spec, pointer) || !annotations)
        return;
    capture_annotations(object, annotations, pointer, "appmesh", "envoy", appmesh_annotations);
    capture_annotations(object, annotations, pointer, "istio", "istio-proxy", istio_annotations);
    capture_annotations(object, annotations, pointer, "consul", "consul-dataplane",
                        consul_annotations);
}
