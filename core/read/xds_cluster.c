/* Stage: read. Clusters as configured. */
#include "base/buf.h"
#include "base/str.h"
#include "read/xds.h"
#include <stdio.h>
#include <string.h>

enum { ENDPOINTS_MAX = 16, TEXT_MAX = 8192 };

/* Calls nothing for the rest once EACH returns false. */
typedef bool endpoint_fn(void *user, const char *address);

static void each_endpoint(const cJSON *cluster, endpoint_fn *each, void *user)
{
    char text[PROTO_ADDRESS_MAX];
    const cJSON *locality, *endpoint, *host;
    cJSON_ArrayForEach (locality, proto_at(cluster, "load_assignment.endpoints")) {
        cJSON_ArrayForEach (endpoint, proto_at(locality, "lb_endpoints")) {
            const char *address = proto_address(endpoint, "endpoint.address", text);
            if (address && !each(user, address))
                return;
        }
    }
    cJSON_ArrayForEach (host, proto_at(cluster, "hosts")) {
        const char *address = proto_address(host, "", text);
        if (address && !each(user, address))
            return;
    }
}

static bool take_first(void *user, const char *address)
{
    snprintf(user, PROTO_ADDRESS_MAX, "%s", address);
    return false;
}

const char *xds_cluster_address(const cJSON *cluster, char out[PROTO_ADDRESS_MAX])
{
    *out = '\0';
    each_endpoint(cluster, take_first, out);
    return *out ? out : NULL;
}

struct endpoints {
    struct buf text;
    int len;
};

static bool add_endpoint(void *user, const char *address)
{
    struct endpoints *endpoints = user;
    buf_addf(&endpoints->text, "%s%s", endpoints->len ? "," : "", address);
    return ++endpoints->len < ENDPOINTS_MAX;
}

static bool is_tls(const cJSON *socket)
{
    const char *name = proto_str(socket, "name");
    return strstr(proto_type(proto_at(socket, "typed_config")), "TlsContext") ||
           (name && str_ends(name, ".tls"));
}

/* NULL when it hangs on the endpoint (transport_socket_matches). */
const char *xds_cluster_tls(const cJSON *cluster)
{
    const cJSON *match;
    if (proto_at(cluster, "tls_context") || is_tls(proto_at(cluster, "transport_socket")))
        return "yes";
    cJSON_ArrayForEach (match, proto_at(cluster, "transport_socket_matches")) {
        if (is_tls(proto_at(match, "transport_socket")))
            return NULL;
    }
    return "no";
}

static bool speaks_http2(const cJSON *cluster)
{
    const cJSON *options;
    if (proto_at(cluster, "http2_protocol_options"))
        return true;
    cJSON_ArrayForEach (options, proto_at(cluster, "typed_extension_protocol_options")) {
        if (proto_at(options, "explicit_http_config.http2_protocol_options"))
            return true;
    }
    return false;
}

static const char *type_of(const cJSON *cluster)
{
    const char *type = proto_str(cluster, "type");
    if (!type)
        type = proto_str(cluster, "cluster_type.name");
    return type ? type : "STATIC";
}

static void set_limits(struct evidence *evidence, struct record *record, const cJSON *cluster)
{
    static const char *const limits[] = {"max_connections", "max_pending_requests", "max_requests",
                                         "max_retries"};
    const cJSON *threshold;
    char number[32];
    struct buf all;
    buf_init(&all, TEXT_MAX);
    cJSON_ArrayForEach (threshold, proto_at(cluster, "circuit_breakers.thresholds")) {
        const char *priority = proto_str(threshold, "priority");
        bool usual = !priority || strcmp(priority, "DEFAULT") == 0;
        buf_addf(&all, "%s%s", all.len ? "; " : "", usual ? "DEFAULT" : priority);
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            const char *limit = proto_scalar(threshold, limits[i], number);
            if (limit && usual)
                evidence_set(evidence, record, limits[i], limit);
            if (limit)
                buf_addf(&all, " %s=%s", limits[i], limit);
        }
    }
    if (all.len)
        evidence_set(evidence, record, "thresholds", buf_str(&all));
    buf_release(&all);
}

/* A threshold without a value is 0: traffic never goes to hosts that are known as unhealthy. */
static const char *panic_threshold(const cJSON *cluster, char number[32])
{
    const cJSON *threshold = proto_at(cluster, "common_lb_config.healthy_panic_threshold");
    const char *value = proto_scalar(threshold, "value", number);
    return !threshold ? NULL : value ? value : "0";
}

static void set_secrets(struct evidence *evidence, struct record *record, const cJSON *cluster)
{
    const cJSON *match;
    struct buf names;
    buf_init(&names, TEXT_MAX);
    xds_secrets(&names, cluster);
    cJSON_ArrayForEach (match, proto_at(cluster, "transport_socket_matches"))
        xds_secrets(&names, match);
    if (names.len)
        evidence_set(evidence, record, "secrets", names.data);
    buf_release(&names);
}

struct cluster_record {
    struct evidence *evidence;
    struct record *record;
};

static void set_tls(void *user, const char *column, const char *value)
{
    const struct cluster_record *cluster = user;
    evidence_set(cluster->evidence, cluster->record, column, value);
}

static const char *lb_policy(const cJSON *cluster)
{
    const cJSON *policies = proto_at(cluster, "load_balancing_policy.policies");
    const char *extension = proto_str(policies ? policies->child : NULL,
                                      "typed_extension_config.name");
    return extension ? extension : proto_str(cluster, "lb_policy");
}

static void set_behaviour(struct evidence *evidence, struct record *record, const cJSON *cluster)
{
    double seconds;
    const char *sni = proto_str(cluster, "transport_socket.typed_config.sni");
    evidence_set(evidence, record, "lb_policy", lb_policy(cluster));
    evidence_set(evidence, record, "sni", sni ? sni : proto_str(cluster, "tls_context.sni"));
    if (proto_seconds(cluster, "connect_timeout", &seconds))
        evidence_setf(evidence, record, "connect_timeout_s", "%g", seconds);
    if (proto_at(cluster, "outlier_detection"))
        evidence_set(evidence, record, "outlier_detection", "yes");
}

static void add_cluster(struct xds *xds, const cJSON *cluster, const struct xds_resource *resource)
{
    struct evidence *evidence = xds->reading->evidence;
    if (!evidence_wants(evidence, "xds.clusters", resource->name))
        return;
    struct record *record = reading_add(xds->reading, "xds.clusters", resource->pointer);
    if (!record)
        return;
    struct endpoints endpoints = {.len = 0};
    char number[32];
    buf_init(&endpoints.text, TEXT_MAX);
    each_endpoint(cluster, add_endpoint, &endpoints);
    evidence_set(evidence, record, "name", resource->name);
    evidence_set(evidence, record, "state", resource->state);
    evidence_set(evidence, record, "version", resource->version);
    evidence_set(evidence, record, "type", type_of(cluster));
    evidence_set(evidence, record, "eds_service",
                 proto_str(cluster, "eds_cluster_config.service_name"));
    set_secrets(evidence, record, cluster);
    if (endpoints.len)
        evidence_set(evidence, record, "endpoints", buf_str(&endpoints.text));
    buf_release(&endpoints.text);
    evidence_set(evidence, record, "tls", xds_cluster_tls(cluster));
    xds_tls_describe(cluster, set_tls, &(struct cluster_record){evidence, record});
    evidence_set(evidence, record, "http2", speaks_http2(cluster) ? "yes" : "no");
    evidence_setf(evidence, record, "health_checks", "%d", proto_len(cluster, "health_checks"));
    evidence_set(evidence, record, "panic_threshold", panic_threshold(cluster, number));
    if (proto_bool(cluster, "common_lb_config.zone_aware_lb_config.fail_traffic_on_panic", false))
        evidence_set(evidence, record, "panic", "fails");
    if (proto_len(cluster, "lb_subset_config.subset_selectors"))
        evidence_set(evidence, record, "subsets", "yes");
    set_limits(evidence, record, cluster);
    set_behaviour(evidence, record, cluster);
}

void xds_cluster_entry(struct xds *xds, const cJSON *entry, const char *state, const char *pointer)
{
    const cJSON *cluster = proto_at(entry, "cluster");
    if (!cJSON_IsObject(cluster))
        cluster = entry;
    const cJSON *error = proto_at(entry, "error_state");
    struct xds_resource resource = {.type = "cluster",
                                    .name = proto_str(cluster, "name"),
                                    .state = state,
                                    .version = proto_str(entry, "version_info"),
                                    .updated = proto_str(entry, "last_updated"),
                                    .error = proto_str(error, "details"),
                                    .rejected = proto_str(error, "last_update_attempt"),
                                    .pointer = pointer};
    xds_resource(xds, &resource);
    add_cluster(xds, cluster, &resource);
    xds_tls_certificates(xds, cluster, "cluster", resource.name, pointer);
    pending_flush(&xds->certificates, xds->reading, NULL);
}
