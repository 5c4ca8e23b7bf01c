/* Stage: read. What a proxy was started with: the Bootstrap message, from a configuration dump or from a
 * bootstrap file of its own (also that of a gRPC library which speaks xDS without a proxy). Writes one
 * record for each xDS server, and the proxy's identity; a file feeds its static listeners and clusters
 * to xds.* as well. */
#include "base/json.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/readers.h"
#include "read/xds.h"
#include <stdio.h>
#include <string.h>

enum { DOCUMENT_MAX = 16 << 20, POINTER_MAX = 512 };

struct server { /* one xDS server, as the bootstrap tells */
    const char *use, *api_type, *client, *target, *address, *tls, *stat_prefix;
    char address_text[PROTO_ADDRESS_MAX];
    char pointer[POINTER_MAX];
};

struct bootstrap {
    struct reading *reading;
    const cJSON *node; /* the Bootstrap message */
    const char *pointer;
    int servers_len;
};

static const cJSON *static_cluster(const struct bootstrap *bootstrap, const char *name)
{
    const cJSON *cluster;
    cJSON_ArrayForEach (cluster, proto_at(bootstrap->node, "static_resources.clusters")) {
        if (str_equal(proto_str(cluster, "name"), name))
            return cluster;
    }
    return NULL;
}

/* "dns:///xds.example:443", "unix:/run/x.sock": HOST:PORT or unix:PATH. */
static const char *target_address(const char *target, char out[PROTO_ADDRESS_MAX])
{
    const char *at = target;
    if (!target)
        return NULL;
    bool socket = str_starts(target, "unix:");
    const char *colon = strchr(target, ':');
    if (colon && (colon[1] == '/' || socket))
        at = colon + 1;
    if (strncmp(at, "///", 3) == 0)
        at += socket ? 2 : 3;
    snprintf(out, PROTO_ADDRESS_MAX, "%s%s", socket ? "unix:" : "", at);
    return out;
}

static void add_record(struct bootstrap *bootstrap, const struct server *server)
{
    struct evidence *evidence = bootstrap->reading->evidence;
    char address[PROTO_ADDRESS_MAX];
    double seconds;
    const cJSON *node = bootstrap->node;
    bootstrap->servers_len++;
    struct record *record = reading_add(bootstrap->reading, "bootstrap", server->pointer);
    if (!record)
        return;
    evidence_set(evidence, record, "node_id", proto_str(node, "node.id"));
    evidence_set(evidence, record, "node_cluster", proto_str(node, "node.cluster"));
    evidence_set(evidence, record, "admin_address", proto_address(node, "admin.address", address));
    evidence_set(evidence, record, "xds", server->use);
    evidence_set(evidence, record, "api_type", server->api_type);
    evidence_set(evidence, record, "client", server->client);
    evidence_set(evidence, record, "target", server->target);
    evidence_set(evidence, record, "address", server->address);
    evidence_set(evidence, record, "tls", server->tls);
    evidence_set(evidence, record, "stat_prefix", server->stat_prefix);
    if (proto_seconds(node, "dynamic_resources.cds_config.initial_fetch_timeout", &seconds))
        evidence_setf(evidence, record, "fetch_timeout_s", "%g", seconds);
}

static void note_server(struct bootstrap *bootstrap, const struct server *server)
{
    struct evidence *evidence = bootstrap->reading->evidence;
    const struct source *source = bootstrap->reading->source;
    identity_note_xds(evidence, source, server->pointer, server->target);
    identity_note_xds(evidence, source, server->pointer, server->address);
    add_record(bootstrap, server);
}

static void set_cluster(struct bootstrap *bootstrap, struct server *server, const char *name)
{
    const cJSON *cluster = name ? static_cluster(bootstrap, name) : NULL;
    server->target = name;
    server->address = cluster ? xds_cluster_address(cluster, server->address_text) : NULL;
    server->tls = cluster ? xds_cluster_tls(cluster) : NULL;
}

static void take_service(struct bootstrap *bootstrap, struct server server, const cJSON *service)
{
    const cJSON *google = proto_at(service, "google_grpc");
    if (google) {
        server.client = "google_grpc";
        server.target = proto_str(google, "target_uri");
        server.address = target_address(server.target, server.address_text);
        server.stat_prefix = proto_str(google, "stat_prefix");
        server.tls = proto_at(google, "channel_credentials.ssl_credentials") ? "yes" : "no";
    } else {
        server.client = "envoy_grpc";
        set_cluster(bootstrap, &server, proto_str(service, "envoy_grpc.cluster_name"));
    }
    note_server(bootstrap, &server);
}

/* An ApiConfigSource, which stands at server->pointer. */
static void take_api(struct bootstrap *bootstrap, struct server *server, const cJSON *api)
{
    const char *type = proto_str(api, "api_type");
    const cJSON *service, *name;
    char where[POINTER_MAX];
    int index = 0;
    server->api_type = type ? type : "GRPC";
    snprintf(where, sizeof where, "%s", server->pointer);
    cJSON_ArrayForEach (service, proto_at(api, "grpc_services")) {
        int cut = snprintf(server->pointer, sizeof server->pointer, "%.*s/grpc_services/%d",
                           POINTER_MAX - 32, where, index++);
        (void)cut;
        take_service(bootstrap, *server, service);
    }
    if (index)
        return;
    cJSON_ArrayForEach (name, proto_at(api, "cluster_names")) {
        server->client = strstr(server->api_type, "GRPC") ? "envoy_grpc" : "rest";
        set_cluster(bootstrap, server, cJSON_IsString(name) ? name->valuestring : NULL);
        note_server(bootstrap, server);
    }
}

/* cds_config or lds_config: a server of its own, a file, or nothing when it comes by ADS. */
static void take_config_source(struct bootstrap *bootstrap, const char *use, const char *member)
{
    struct server server = {.use = use};
    char path[64];
    snprintf(path, sizeof path, "dynamic_resources.%s", member);
    const cJSON *source = proto_at(bootstrap->node, path);
    const cJSON *api = proto_at(source, "api_config_source");
    const char *file = proto_str(source, "path_config_source.path");
    if (!file)
        file = proto_str(source, "path");
    snprintf(server.pointer, sizeof server.pointer, "%s/dynamic_resources/%s", bootstrap->pointer,
             member);
    if (api) {
        take_api(bootstrap, &server, api);
    } else if (file) {
        server.api_type = server.client = "path";
        server.target = file;
        note_server(bootstrap, &server);
    }
}

/* "xds_servers" of a gRPC library. */
static void take_grpc_servers(struct bootstrap *bootstrap)
{
    int index = 0;
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(bootstrap->node, "xds_servers")) {
        struct server server = {.use = "ads", .api_type = "GRPC", .client = "grpc"};
        const char *credentials = json_str(each, "channel_creds[0].type");
        server.target = json_str(each, "server_uri");
        server.address = target_address(server.target, server.address_text);
        server.tls = str_equal(credentials, "insecure") ? "no" : "yes";
        snprintf(server.pointer, sizeof server.pointer, "%.480s/xds_servers/%d", bootstrap->pointer,
                 index++);
        note_server(bootstrap, &server);
    }
}

static void take_servers(struct bootstrap *bootstrap)
{
    struct server server = {.use = "ads"};
    const cJSON *ads = proto_at(bootstrap->node, "dynamic_resources.ads_config");
    snprintf(server.pointer, sizeof server.pointer, "%s/dynamic_resources/ads_config",
             bootstrap->pointer);
    if (ads)
        take_api(bootstrap, &server, ads);
    take_config_source(bootstrap, "cds", "cds_config");
    take_config_source(bootstrap, "lds", "lds_config");
    take_grpc_servers(bootstrap);
    if (bootstrap->servers_len)
        return;
    server = (struct server){0};
    snprintf(server.pointer, sizeof server.pointer, "%s", bootstrap->pointer);
    add_record(bootstrap, &server);
}

static void note_version(const struct bootstrap *bootstrap, const char *pointer)
{
    static const char path[] = "node.user_agent_build_version.version";
    char major[32], minor[32], patch[32], text[100];
    const cJSON *version = proto_at(bootstrap->node, path);
    const char *first = proto_scalar(version, "major_number", major);
    const char *second = proto_scalar(version, "minor_number", minor);
    const char *third = proto_scalar(version, "patch", patch);
    if (!first)
        return;
    snprintf(text, sizeof text, "%s.%s.%s", first, second ? second : "0", third ? third : "0");
    identity_note(bootstrap->reading->evidence, bootstrap->reading->source, 0, pointer,
                  IDENTITY_STATED, "version", text);
}

static void note_identity(const struct bootstrap *bootstrap, bool file)
{
    struct evidence *evidence = bootstrap->reading->evidence;
    const struct source *source = bootstrap->reading->source;
    enum identity_rank rank = file ? IDENTITY_HINT : IDENTITY_STATED;
    char pointer[POINTER_MAX];
    snprintf(pointer, sizeof pointer, "%.480s/node", bootstrap->pointer);
    identity_note_node(evidence, source, pointer, rank, proto_str(bootstrap->node, "node.id"));
    identity_note(evidence, source, 0, pointer, rank, "node_cluster",
                  proto_str(bootstrap->node, "node.cluster"));
    identity_note_agent(evidence, source, pointer,
                        json_at(bootstrap->node, "xds_servers")
                            ? "gRPC"
                            : proto_str(bootstrap->node, "node.user_agent_name"));
    identity_note_metadata(evidence, source, pointer, proto_at(bootstrap->node, "node.metadata"));
    note_version(bootstrap, pointer);
}

/* ---- the overload manager ---- */

static const cJSON *monitor_named(const struct bootstrap *bootstrap, const char *name)
{
    const cJSON *monitor;
    cJSON_ArrayForEach (monitor, proto_at(bootstrap->node, "overload_manager.resource_monitors")) {
        if (str_equal(proto_str(monitor, "name"), name))
            return monitor;
    }
    return NULL;
}

static void take_trigger(struct bootstrap *bootstrap, const cJSON *action, const cJSON *trigger,
                         const char *pointer)
{
    char number[32];
    struct evidence *evidence = bootstrap->reading->evidence;
    const char *name = proto_str(trigger, "name");
    const cJSON *monitor = monitor_named(bootstrap, name);
    const char *threshold = proto_scalar(trigger, "threshold.value", number);
    struct record *record = reading_add(bootstrap->reading, "overload", pointer);
    if (!record)
        return;
    evidence_set(evidence, record, "action", proto_str(action, "name"));
    evidence_set(evidence, record, "monitor", name);
    evidence_set(evidence, record, "threshold",
                 threshold ? threshold : proto_scalar(trigger, "scaled.scaling_threshold", number));
    evidence_set(evidence, record, "max_heap_bytes",
                 proto_scalar(monitor, "typed_config.max_heap_size_bytes", number));
}

static void take_overload(struct bootstrap *bootstrap)
{
    static const char *const lists[] = {"actions", "loadshed_points"};
    char path[64], pointer[POINTER_MAX];
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const cJSON *action, *trigger;
        int nth = 0;
        snprintf(path, sizeof path, "overload_manager.%s", lists[i]);
        cJSON_ArrayForEach (action, proto_at(bootstrap->node, path)) {
            snprintf(pointer, sizeof pointer, "%.400s/overload_manager/%s/%d", bootstrap->pointer,
                     lists[i], nth++);
            cJSON_ArrayForEach (trigger, proto_at(action, "triggers"))
                take_trigger(bootstrap, action, trigger, pointer);
        }
    }
}

void bootstrap_take(struct reading *reading, const cJSON *node, const char *pointer, bool file)
{
    struct bootstrap bootstrap = {reading, node, pointer, 0};
    note_identity(&bootstrap, file);
    take_servers(&bootstrap);
    take_overload(&bootstrap);
    bootstrap_settings(reading, node, pointer);
}

/* ---- bootstrap files ---- */

static int recognise(const struct peek *peek)
{
    static const char *const keys[] = {"static_resources", "staticResources", "dynamic_resources",
                                       "dynamicResources", "xds_servers"};
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_YAML)
        return 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (peek_has_key(peek, keys[i]))
            return 85;
    bool named = peek_has_key(peek, "admin") && peek_has_key(peek, "node");
    return named || peek_has_key(peek, "overload_manager") ? 70 : 0;
}

static void take_static(struct xds *xds, const cJSON *node, const char *prefix)
{
    const cJSON *entry;
    char pointer[POINTER_MAX];
    int index = 0;
    cJSON_ArrayForEach (entry, proto_at(node, "static_resources.clusters")) {
        snprintf(pointer, sizeof pointer, "%s/static_resources/clusters/%d", prefix, index++);
        xds_cluster_entry(xds, entry, "static", pointer);
    }
    index = 0;
    cJSON_ArrayForEach (entry, proto_at(node, "static_resources.listeners")) {
        snprintf(pointer, sizeof pointer, "%s/static_resources/listeners/%d", prefix, index++);
        xds_listener_entry(xds, entry, "static", pointer);
    }
}

/* What a management server adds is not in the file. */
static void supply(struct reading *reading, const cJSON *node)
{
    static const char *const names[] = {"xds.resources",     "xds.listeners",     "xds.clusters",
                                        "xds.filter_chains", "xds.virtual_hosts", "xds.routes"};
    bool complete = reading->complete && !proto_at(node, "dynamic_resources");
    evidence_supplied(reading->evidence, "bootstrap", reading->complete);
    evidence_supplied(reading->evidence, "overload", reading->complete);
    evidence_supplied(reading->evidence, "bootstrap.settings", reading->complete);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        evidence_supplied(reading->evidence, names[i], complete);
}

static void take_file(struct reading *reading, const cJSON *node, const char *prefix, uint64_t line)
{
    struct xds xds;
    (void)line;
    if (!proto_at(node, "static_resources") && !proto_at(node, "dynamic_resources") &&
        !proto_at(node, "node") && !json_at(node, "xds_servers") &&
        !proto_at(node, "overload_manager"))
        return;
    xds_init(&xds, reading);
    bootstrap_take(reading, node, prefix, true);
    take_static(&xds, node, prefix);
    xds_release(&xds);
    supply(reading, node);
}

static void read_source(struct reading *reading)
{
    reading_documents(reading, DOCUMENT_MAX, take_file);
}

const struct reader read_bootstrap = {
    "bootstrap", (const char *const[]){"bootstrap*", "overload", "proxy", "xds.*", NULL}, recognise,
    read_source};
