/* Stage: read. Configuration dumps of any Envoy (v2alpha and v3, JSON and YAML, whole, one section, one
 * list of ?resource=, or what egctl and istioctl make of them), element by element: a dump of 100 MB
 * costs the memory of its largest element. What nobody wants is cut out unparsed. */
#include "base/alloc.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/readers.h"
#include "read/xds.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 50, RULE_BYTES_MAX = 64 };

enum kind {
    CONFIG, /* a section, or an element of a ?resource= answer */
    LISTENER,
    CLUSTER,
    ROUTE_CONFIG,
    OTHER, /* endpoint, secret, scoped route, extension: a name and a version */
    CHAIN,
    VIRTUAL_HOST,
    ROUTE,
    ENDPOINTS, /* of an EDS resource: never looked at */
    BARE,      /* an element of a list without a name: istioctl */
};

struct list {
    enum kind kind;
    const char *path; /* as a rule, in snake_case */
    const char *type; /* of the resource, for OTHER */
    const char *state;
    const char *element; /* "@type" of one entry in a ?resource= answer */
};

static const struct list lists[] = {
    {CONFIG, "**.configs", NULL, NULL, NULL},
    {LISTENER, "**.dynamic_listeners", NULL, "active", "DynamicListener"},
    {LISTENER, "**.static_listeners", NULL, "static", "StaticListener"},
    {LISTENER, "**.dynamic_active_listeners", NULL, "active", NULL},
    {LISTENER, "**.dynamic_warming_listeners", NULL, "warming", NULL},
    {LISTENER, "**.dynamic_draining_listeners", NULL, "draining", NULL},
    {CLUSTER, "**.static_clusters", NULL, "static", "StaticCluster"},
    {CLUSTER, "**.dynamic_active_clusters", NULL, "active", "DynamicCluster"},
    {CLUSTER, "**.dynamic_warming_clusters", NULL, "warming", NULL},
    {ROUTE_CONFIG, "**.static_route_configs", NULL, "static", "StaticRouteConfig"},
    {ROUTE_CONFIG, "**.dynamic_route_configs", NULL, "active", "DynamicRouteConfig"},
    {OTHER, "**.inline_scoped_route_configs", "scoped_route", "static", "InlineScopedRouteConfigs"},
    {OTHER, "**.dynamic_scoped_route_configs", "scoped_route", "active",
     "DynamicScopedRouteConfigs"},
    {OTHER, "**.static_endpoint_configs", "endpoint", "static", "StaticEndpointConfig"},
    {OTHER, "**.dynamic_endpoint_configs", "endpoint", "active", "DynamicEndpointConfig"},
    {OTHER, "**.static_secrets", "secret", "static", "StaticSecret"},
    {OTHER, "**.dynamic_active_secrets", "secret", "active", "DynamicSecret"},
    {OTHER, "**.dynamic_warming_secrets", "secret", "warming", NULL},
    {OTHER, "**.ecds_filters", "extension", "active", "EcdsFilterConfig"},
    {CHAIN, "**.filter_chains", NULL, NULL, NULL},
    {VIRTUAL_HOST, "**.virtual_hosts", NULL, NULL, NULL},
    {ROUTE, "**.virtual_hosts.*.routes", NULL, NULL, NULL},
    {ENDPOINTS, "**.endpoint_config.endpoints.*.lb_endpoints", NULL, NULL, NULL},
    {BARE, "", NULL, "active", NULL},
};

struct dump {
    struct xds xds;
    struct reading *reading;
    const struct list *of_rule[RULES_MAX];
    char texts[RULES_MAX][RULE_BYTES_MAX];
    const char *rules[RULES_MAX + 1];
    int rules_len;
    bool seen[BARE + 1]; /* sections, by the kind that they hold */
    bool bootstrap;
    bool excerpt; /* one resource that somebody cut out: says nothing about others */
};

/* ---- recognition ---- */

#define FAILED_DUMP "Failed to convert protobuf message to JSON string"

static bool has_list(const struct peek *peek)
{
    static const char *const names[] = {
        "dynamic_listeners",       "dynamicListeners",       "dynamic_active_clusters",
        "dynamicActiveClusters",   "dynamic_route_configs",  "dynamicRouteConfigs",
        "static_listeners",        "dynamic_active_secrets", "dynamicActiveSecrets",
        "dynamic_warming_secrets", "dynamicWarmingSecrets"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (peek_has_key(peek, names[i]))
            return true;
    return false;
}

/* A resource without a dump around it: a list as istioctl prints it, or a pasted piece of one. */
static bool is_bare(const struct peek *peek)
{
    static const char *const names[] = {
        "filterChains",     "filter_chains",      "virtualHosts",    "virtual_hosts",
        "edsClusterConfig", "eds_cluster_config", "loadAssignment",  "load_assignment",
        "connectTimeout",   "circuit_breakers",   "circuitBreakers", "connect_timeout"};
    /* An object of Kubernetes; Istio's settings, which istiod shows as /debug/mesh. */
    if (peek_has_key(peek, "kind") || peek_has_key(peek, "apiVersion") ||
        peek_has_key(peek, "proxyListenPort"))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (peek_has_key(peek, names[i]))
            return true;
    return false;
}

static int recognise(const struct peek *peek)
{
    if (peek->shape == PEEK_TEXT && str_starts(peek->text, FAILED_DUMP))
        return 95;
    if (peek->shape == PEEK_JSON_ARRAY)
        return is_bare(peek) && peek_has_key(peek, "name") ? 80 : 0;
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_YAML)
        return 0;
    if (peek_has(peek, "ConfigDump") && (peek_has(peek, "configs") || peek_has_key(peek, "@type")))
        return 92;
    if (has_list(peek))
        return 85;
    return is_bare(peek) ? 65 : 0;
}

/* ---- rules: both spellings, and what nobody wants marked to be dropped ---- */

static bool wants_any(const struct dump *dump, const char *const *tables)
{
    for (; *tables; tables++)
        if (xds_wants(&dump->xds, *tables))
            return true;
    return false;
}

static bool is_secret(const struct list *list)
{
    return str_equal(list->type, "secret");
}

static bool wants_list(const struct dump *dump, const struct list *list)
{
    static const char *const chains[] = {"xds.filter_chains", "xds.virtual_hosts", "xds.routes",
                                         NULL};
    static const char *const hosts[] = {"xds.virtual_hosts", "xds.routes", NULL};
    const struct evidence *evidence = dump->reading->evidence;
    bool certificates = xds_wants(&dump->xds, "xds.certificates");
    switch (list->kind) {
    case LISTENER:
        return evidence_wants(evidence, "xds.resources", "listener") ||
               xds_wants(&dump->xds, "xds.listeners") || wants_any(dump, chains) || certificates;
    case CLUSTER:
        return evidence_wants(evidence, "xds.resources", "cluster") ||
               xds_wants(&dump->xds, "xds.clusters") || certificates;
    case ROUTE_CONFIG:
        return evidence_wants(evidence, "xds.resources", "route") || wants_any(dump, hosts);
    case OTHER:
        return evidence_wants(evidence, "xds.resources", list->type) ||
               (is_secret(list) && certificates);
    case CHAIN:
        return wants_any(dump, chains) || certificates;
    case VIRTUAL_HOST:
    case ROUTE:
        return wants_any(dump, hosts);
    case ENDPOINTS:
        return false;
    default:
        return true;
    }
}

static void add_rule(struct dump *dump, const struct list *list, bool camel)
{
    if (dump->rules_len == RULES_MAX)
        BUG("more than %d rules", RULES_MAX);
    char *out = dump->texts[dump->rules_len];
    dump->rules[dump->rules_len] = out;
    dump->of_rule[dump->rules_len++] = list;
    if (!wants_list(dump, list))
        *out++ = '!';
    for (const char *at = list->path; *at; at++) {
        bool joint = camel && *at == '_' && at[1];
        at += joint;
        *out++ = joint ? (char)toupper((unsigned char)*at) : *at;
    }
    *out = '\0';
}

static void add_rules(struct dump *dump)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        bool bare = lists[i].kind == BARE;
        if (bare && dump->reading->peek->shape != PEEK_JSON_ARRAY)
            continue;
        add_rule(dump, &lists[i], false);
        if (strchr(lists[i].path, '_'))
            add_rule(dump, &lists[i], true);
    }
    dump->rules[dump->rules_len] = NULL;
}

/* ---- elements ---- */

static const char *other_name(const cJSON *entry)
{
    static const char *const paths[] = {"name", "endpoint_config.cluster_name", "ecds_filter.name",
                                        "secret.name"};
    const char *name = NULL;
    for (size_t i = 0; !name && i < ARRAY_LEN(paths); i++)
        name = proto_str(entry, paths[i]);
    return name;
}

static void take_other(struct dump *dump, const struct list *list, const char *state,
                       const cJSON *entry, const char *pointer)
{
    struct xds_resource resource = {.type = list->type,
                                    .name = other_name(entry),
                                    .state = state,
                                    .version = proto_str(entry, "version_info"),
                                    .updated = proto_str(entry, "last_updated"),
                                    .pointer = pointer};
    xds_resource(&dump->xds, &resource);
    if (is_secret(list))
        xds_tls_secret(&dump->xds, entry, pointer);
}

static void take_entry(struct dump *dump, const struct list *list, const char *state,
                       const cJSON *entry, const char *pointer)
{
    dump->seen[list->kind] = true;
    if (list->kind == LISTENER)
        xds_listener_entry(&dump->xds, entry, state, pointer);
    else if (list->kind == CLUSTER)
        xds_cluster_entry(&dump->xds, entry, state, pointer);
    else if (list->kind == ROUTE_CONFIG)
        xds_route_entry(&dump->xds, entry, state, pointer);
    else
        take_other(dump, list, state, entry, pointer);
}

/* The answer to ?resource=dynamic_warming_clusters does not say which list its elements are from. */
static const char *state_asked(const struct reading *reading, const char *state)
{
    const char *origin = reading->source->origin ? reading->source->origin : "";
    return strstr(origin, "dynamic_warming_") ? "warming" : state;
}

static void take_bootstrap(struct dump *dump, const cJSON *value, const char *pointer)
{
    const cJSON *bootstrap = proto_at(value, "bootstrap");
    char *inner = xasprintf("%s/bootstrap", pointer);
    if (bootstrap)
        bootstrap_take(dump->reading, bootstrap, inner, false);
    dump->bootstrap |= bootstrap != NULL;
    free(inner);
}

static void take_config(struct dump *dump, const cJSON *value, const char *pointer)
{
    static const struct {
        const char *type;
        enum kind kind;
    } sections[] = {{"ListenersConfigDump", LISTENER},
                    {"ClustersConfigDump", CLUSTER},
                    {"RoutesConfigDump", ROUTE_CONFIG}};
    const char *type = proto_type(value);
    if (strcmp(type, "BootstrapConfigDump") == 0)
        take_bootstrap(dump, value, pointer);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (strcmp(type, sections[i].type) == 0)
            dump->seen[sections[i].kind] = true;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (lists[i].element && strcmp(type, lists[i].element) == 0)
            take_entry(dump, &lists[i], state_asked(dump->reading, lists[i].state), value, pointer);
    xds_forget(&dump->xds);
}

static void take_bare(struct dump *dump, const cJSON *value, const char *pointer)
{
    if (proto_at(value, "virtual_hosts"))
        xds_route_entry(&dump->xds, value, "active", pointer);
    else if (proto_at(value, "filter_chains") || proto_at(value, "address"))
        xds_listener_entry(&dump->xds, value, "active", pointer);
    else
        xds_cluster_entry(&dump->xds, value, "active", pointer);
    bool listener = proto_at(value, "filter_chains") || proto_at(value, "address");
    dump->seen[proto_at(value, "virtual_hosts") ? ROUTE_CONFIG
               : listener                       ? LISTENER
                                                : CLUSTER] = true;
}

/* Parts of what is not in use: rejected, draining, or told again by the bootstrap. */
static bool is_aside(const char *pointer)
{
    static const char *const parts[] = {"/error_state/",
                                        "/errorState/",
                                        "/draining_state/",
                                        "/drainingState/",
                                        "/dynamic_draining_listeners/",
                                        "/bootstrap/"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (strstr(pointer, parts[i]))
            return true;
    return false;
}

static void take(void *user, const struct json_piece *piece)
{
    struct dump *dump = user;
    dump->excerpt |= piece->rule < 0 && is_bare(dump->reading->peek) &&
                     cJSON_IsObject(piece->value);
    if (piece->rule < 0 && dump->excerpt)
        return take_bare(dump, piece->value, piece->pointer);
    if (piece->rule < 0)
        return take_config(dump, piece->value, piece->pointer);
    const struct list *list = dump->of_rule[piece->rule];
    bool part = list->kind == CHAIN || list->kind == VIRTUAL_HOST || list->kind == ROUTE;
    if (part && is_aside(piece->pointer))
        return;
    if (list->kind == CONFIG)
        take_config(dump, piece->value, piece->pointer);
    else if (list->kind == CHAIN)
        xds_listener_chain(&dump->xds, piece->value, piece->pointer);
    else if (list->kind == VIRTUAL_HOST)
        xds_route_virtual_host(&dump->xds, piece->value, piece->pointer);
    else if (list->kind == ROUTE)
        xds_route_route(&dump->xds, piece->value, piece->pointer);
    else if (list->kind == BARE)
        take_bare(dump, piece->value, piece->pointer);
    else
        take_entry(dump, list, list->state, piece->value, piece->pointer);
}

/* ---- the whole ---- */

static void supply(const struct dump *dump)
{
    struct evidence *evidence = dump->reading->evidence;
    bool complete = dump->reading->complete && !dump->excerpt;
    const bool *seen = dump->seen;
    if (dump->bootstrap) {
        evidence_supplied(evidence, "bootstrap", complete);
        evidence_supplied(evidence, "overload", complete);
        evidence_supplied(evidence, "bootstrap.settings", complete);
    }
    if (seen[LISTENER]) {
        evidence_supplied(evidence, "xds.listeners", complete);
        evidence_supplied(evidence, "xds.filter_chains", complete);
    }
    if (seen[CLUSTER])
        evidence_supplied(evidence, "xds.clusters", complete);
    if (seen[ROUTE_CONFIG]) {
        evidence_supplied(evidence, "xds.virtual_hosts", complete);
        evidence_supplied(evidence, "xds.routes", complete);
    }
    if (seen[LISTENER] || seen[CLUSTER] || seen[ROUTE_CONFIG] || seen[OTHER])
        evidence_supplied(evidence, "xds.resources", complete && seen[LISTENER] && seen[CLUSTER]);
    if (seen[LISTENER] || seen[CLUSTER] || seen[OTHER])
        evidence_supplied(evidence, "xds.certificates", complete);
}

/* A resource of a type that this Envoy lacks makes the whole answer one line of text. Only a rejected
 * listener can hold one. */
static void take_failure(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    if (!len)
        return;
    char *text = xstrndup(line, len);
    reading_partial(reading, "the proxy could not print its configuration: %s", text);
    struct evidence *evidence = reading->evidence;
    struct record *record = evidence_wants(evidence, "xds.resources", "listener")
                                ? evidence_add(evidence, "xds.resources", reading->source)
                                : NULL;
    if (record) {
        record->line = number;
        evidence_excerpt(evidence, record, line, len);
        evidence_set(evidence, record, "type", "listener");
        evidence_set(evidence, record, "state", "rejected");
        evidence_set(evidence, record, "error", text);
    }
    evidence_supplied(evidence, "xds.resources", false);
    evidence_supplied(evidence, "xds.listeners", false);
    free(text);
}

static void read_source(struct reading *reading)
{
    if (reading->peek->shape == PEEK_TEXT)
        return reading_lines(reading, take_failure);
    struct dump *dump = xcalloc(1, sizeof *dump);
    dump->reading = reading;
    xds_init(&dump->xds, reading);
    add_rules(dump);
    reading_split(reading, dump->rules, take, dump);
    xds_listener_end(&dump->xds);
    supply(dump);
    xds_release(&dump->xds);
    free(dump);
}

const struct reader read_config_dump = {
    "config_dump", (const char *const[]){"xds.*", "bootstrap*", "overload", "proxy", NULL},
    recognise, read_source};

/* ---- ztunnel ---- */

static int recognise_ztunnel(const struct peek *peek)
{
    bool workloads = peek_has_key(peek, "workloads");
    bool more = peek_has_key(peek, "services") || peek_has_key(peek, "policies") ||
                peek_has(peek, "workloadIps");
    return peek->shape == PEEK_JSON_OBJECT && workloads && more ? 95 : 0;
}

static void refuse_ztunnel(struct reading *reading)
{
    reading_problem(reading, "this is a ztunnel dump, not Envoy's; debrief reads Envoy proxies");
}

/* It supplies identity only so that it is opened, and refused, whatever is wanted. */
const struct reader read_ztunnel = {"ztunnel", (const char *const[]){"proxy", NULL},
                                    recognise_ztunnel, refuse_ztunnel};
