/* Stage: read. Listeners and their filter chains. A listener's entry in a dump may hold an active, a
 * warming and a draining configuration, and the error of its last rejected update; a listener that was
 * never accepted is listed twice, once without a name. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "read/xds.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 4096, REJECTED_MAX = 1000 };

/* ---- filter chains ---- */

static const cJSON *typed(const cJSON *node)
{
    const cJSON *config = proto_at(node, "typed_config");
    if (!config)
        config = proto_at(node, "config");
    const cJSON *value = strcmp(proto_type(config), "TypedStruct") == 0 ? proto_at(config, "value")
                                                                        : NULL;
    return value ? value : config;
}

static const cJSON *last_filter(const cJSON *chain)
{
    int len = proto_len(chain, "filters");
    return len ? cJSON_GetArrayItem(proto_at(chain, "filters"), len - 1) : NULL;
}

static bool is_http(const cJSON *filter)
{
    const char *name = proto_str(filter, "name");
    return strcmp(proto_type(typed(filter)), "HttpConnectionManager") == 0 ||
           (name && strstr(name, "http_connection_manager"));
}

/* "HttpConnectionManager" as "http_connection_manager"; else the name without Envoy's prefixes. */
static const char *filter_name(const cJSON *filter, char out[NAMES_MAX])
{
    static const char *const prefixes[] = {"envoy.filters.network.", "envoy."};
    const char *type = proto_type(typed(filter)), *name = proto_str(filter, "name");
    size_t len = 0;
    if (is_http(filter))
        return "http_connection_manager";
    for (const char *at = type; *at && len + 2 < NAMES_MAX; at++) {
        bool upper = *at >= 'A' && *at <= 'Z';
        if (upper && at > type)
            out[len++] = '_';
        out[len++] = upper ? (char)(*at - 'A' + 'a') : *at;
    }
    out[len] = '\0';
    if (len && strcmp(type, "Struct") != 0)
        return out;
    for (size_t i = 0; name && i < sizeof prefixes / sizeof *prefixes; i++)
        if (str_starts(name, prefixes[i]))
            return name + strlen(prefixes[i]);
    return name;
}

static bool expects_tls(const cJSON *chain)
{
    const cJSON *socket = proto_at(chain, "transport_socket");
    const char *type = proto_type(typed(socket)), *name = proto_str(socket, "name");
    return proto_at(chain, "tls_context") || strstr(type, "TlsContext") || strstr(type, "Quic") ||
           (name && str_ends(name, ".tls"));
}

/* The texts of the array at PATH, or the member FIELD of each of its objects, joined by commas. */
static void set_list(struct pending *chains, struct pending_row *row, const char *column,
                     const cJSON *list, const char *field)
{
    const cJSON *item;
    struct buf text;
    buf_init(&text, NAMES_MAX);
    cJSON_ArrayForEach (item, list) {
        const char *value = proto_str(item, field);
        if (value)
            buf_addf(&text, "%s%s", text.len ? "," : "", value);
    }
    if (text.len)
        pending_set(chains, row, column, text.data);
    buf_release(&text);
}

/* "10.0.0.0/8,10.1.2.3/32" */
static void set_prefixes(struct pending *chains, struct pending_row *row, const cJSON *match)
{
    const cJSON *range;
    struct buf text;
    char len[32];
    buf_init(&text, NAMES_MAX);
    cJSON_ArrayForEach (range, proto_at(match, "prefix_ranges")) {
        const char *address = proto_str(range, "address_prefix");
        const char *bits = proto_scalar(range, "prefix_len", len);
        if (address)
            buf_addf(&text, "%s%s/%s", text.len ? "," : "", address, bits ? bits : "0");
    }
    if (text.len)
        pending_set(chains, row, "prefixes", text.data);
    buf_release(&text);
}

/* What a connection must be for the chain to take it. */
static void set_match(struct pending *chains, struct pending_row *row, const cJSON *match)
{
    static const char *const sources[] = {"source_type", "source_prefix_ranges",
                                          "direct_source_prefix_ranges", "source_ports"};
    char number[32];
    int conditions = 0;
    const cJSON *names = proto_at(match, "server_names");
    pending_set(chains, row, "port", proto_scalar(match, "destination_port", number));
    set_prefixes(chains, row, match);
    set_list(chains, row, "server_names", names ? names : proto_at(match, "sni_domains"), "");
    pending_set(chains, row, "transport", proto_str(match, "transport_protocol"));
    set_list(chains, row, "alpn", proto_at(match, "application_protocols"), "");
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        conditions += proto_at(match, sources[i]) != NULL;
    snprintf(number, sizeof number, "%d", conditions);
    if (conditions)
        pending_set(chains, row, "source_conditions", number);
}

/* The path that the health check filter answers itself; NULL when it passes requests on or asks for
 * something else. */
static const char *health_path(const cJSON *manager)
{
    const cJSON *filter, *header;
    cJSON_ArrayForEach (filter, proto_at(manager, "http_filters")) {
        const cJSON *config = typed(filter);
        const char *name = proto_str(filter, "name");
        if (!name || !strstr(name, "health_check") || proto_bool(filter, "disabled", false) ||
            proto_bool(config, "pass_through_mode", false))
            continue;
        cJSON_ArrayForEach (header, proto_at(config, "headers")) {
            const char *path = proto_str(header, "string_match.exact");
            if (str_equal(proto_str(header, "name"), ":path"))
                return path ? path : proto_str(header, "exact_match");
        }
    }
    return NULL;
}

/* A fault filter without settings does nothing by itself: routes may give it some. */
static bool does_nothing(const cJSON *filter, const char *name)
{
    const cJSON *config = typed(filter);
    return proto_bool(filter, "disabled", false) ||
           (strstr(name, "fault") && !proto_at(config, "abort") && !proto_at(config, "delay"));
}

static void set_http_filters(struct pending *chains, struct pending_row *row, const cJSON *manager)
{
    const cJSON *filter;
    struct buf text;
    buf_init(&text, NAMES_MAX);
    cJSON_ArrayForEach (filter, proto_at(manager, "http_filters")) {
        const char *name = proto_str(filter, "name");
        if (name && str_starts(name, "envoy.filters.http."))
            name += strlen("envoy.filters.http.");
        if (name && !does_nothing(filter, name))
            buf_addf(&text, "%s%s", text.len ? "," : "", name);
    }
    if (text.len)
        pending_set(chains, row, "http_filters", text.data);
    buf_release(&text);
}

static void set_http(struct pending *chains, struct pending_row *row, const cJSON *manager)
{
    const char *codec = proto_str(manager, "codec_type");
    const char *route = proto_str(manager, "rds.route_config_name");
    bool any = proto_bool(manager, "strip_any_host_port", false);
    pending_set(chains, row, "codec", codec ? codec : "AUTO");
    pending_set(chains, row, "route_config",
                route ? route : proto_str(manager, "route_config.name"));
    pending_set(chains, row, "routes_from",
                proto_at(manager, "rds")             ? "rds"
                : proto_at(manager, "scoped_routes") ? "scoped"
                                                     : "inline");
    if (any || proto_bool(manager, "strip_matching_host_port", false))
        pending_set(chains, row, "strip_port", any ? "any" : "matching");
    if (proto_bool(manager, "normalize_path", false) ||
        proto_bool(manager, "merge_slashes", false) ||
        proto_at(manager, "path_with_escaped_slashes_action"))
        pending_set(chains, row, "normalizes_path", "yes");
    set_http_filters(chains, row, manager);
    pending_set(chains, row, "health_path", health_path(manager));
}

/* Where a TCP proxy sends its connections. */
static void set_tcp(struct pending *chains, struct pending_row *row, const cJSON *proxy)
{
    pending_set(chains, row, "clusters", proto_str(proxy, "cluster"));
    set_list(chains, row, "clusters", proto_at(proxy, "weighted_clusters.clusters"), "name");
}

static void set_secrets(struct pending *chains, struct pending_row *row, const cJSON *chain)
{
    struct buf names;
    buf_init(&names, NAMES_MAX);
    xds_secrets(&names, chain);
    if (names.len)
        pending_set(chains, row, "secrets", names.data);
    buf_release(&names);
}

struct chain_row {
    struct pending *chains;
    struct pending_row *row;
};

static void set_tls(void *user, const char *column, const char *value)
{
    const struct chain_row *chain = user;
    pending_set(chain->chains, chain->row, column, value);
}

static void add_chain(struct xds *xds, const cJSON *chain, const char *pointer)
{
    char name[NAMES_MAX];
    bool default_chain = str_ends(pointer, "/default_filter_chain");
    struct pending *chains = &xds->chains;
    const cJSON *filter = last_filter(chain);
    xds_tls_certificates(xds, chain, "listener", NULL, pointer);
    struct pending_row *row = xds_wants(xds, "xds.filter_chains") ? pending_add(chains, pointer)
                                                                  : NULL;
    if (!row)
        return;
    pending_set(chains, row, "name", proto_str(chain, "name"));
    pending_set(chains, row, "tls", expects_tls(chain) ? "yes" : "no");
    set_secrets(chains, row, chain);
    xds_tls_describe(chain, set_tls, &(struct chain_row){chains, row});
    if (default_chain)
        pending_set(chains, row, "default", "yes");
    set_match(chains, row, proto_at(chain, "filter_chain_match"));
    pending_set(chains, row, "network_filter", filter_name(filter, name));
    if (is_http(filter))
        set_http(chains, row, typed(filter));
    else
        set_tcp(chains, row, typed(filter));
    if (proto_bool(chain, "use_proxy_proto", false))
        pending_set(chains, row, "proxy_protocol", "yes");
}

void xds_listener_chain(struct xds *xds, const cJSON *chain, const char *pointer)
{
    const cJSON *filter;
    int index = 0;
    cJSON_ArrayForEach (filter, proto_at(chain, "filters")) {
        const cJSON *route = is_http(filter) ? proto_at(typed(filter), "route_config") : NULL;
        char inner[512];
        snprintf(inner, sizeof inner, "%s/filters/%d/typed_config/route_config", pointer, index++);
        if (route)
            xds_route_config(xds, route, inner);
    }
    add_chain(xds, chain, pointer);
}

/* ---- listeners ---- */

static bool listens_for_proxy_protocol(const cJSON *listener)
{
    const cJSON *filter;
    cJSON_ArrayForEach (filter, proto_at(listener, "listener_filters")) {
        const char *name = proto_str(filter, "name");
        if ((name && strstr(name, "proxy_protocol")) ||
            strcmp(proto_type(typed(filter)), "ProxyProtocol") == 0)
            return true;
    }
    return false;
}

/* The chains of LISTENER, those that were cut out of it and those that are still in it. */
static void take_chains(struct xds *xds, const cJSON *listener, const char *name,
                        const char *pointer)
{
    const cJSON *chain;
    int index = 0;
    char inner[512];
    cJSON_ArrayForEach (chain, proto_at(listener, "filter_chains")) {
        snprintf(inner, sizeof inner, "%s/filter_chains/%d", pointer, index++);
        xds_listener_chain(xds, chain, inner);
    }
    chain = proto_at(listener, "default_filter_chain");
    snprintf(inner, sizeof inner, "%s/default_filter_chain", pointer);
    if (chain)
        xds_listener_chain(xds, chain, inner);
    const cJSON *route = proto_at(listener, "api_listener.api_listener.route_config");
    snprintf(inner, sizeof inner, "%s/api_listener/api_listener/route_config", pointer);
    if (route)
        xds_route_config(xds, route, inner);
    if (listens_for_proxy_protocol(listener))
        pending_set_from(&xds->chains, 0, "proxy_protocol", "yes");
    pending_set_from(&xds->chains, 0, "listener", name);
    pending_flush(&xds->chains, xds->reading, name);
    pending_set_from(&xds->certificates, 0, "name", name);
    pending_flush(&xds->certificates, xds->reading, NULL);
}

/* How the listener treats connections that were redirected to it: "listener" hands them to the one
 * that is for their original destination, "chain" picks the filter chain by it; NULL: as any other. */
static const char *takes_redirected(const cJSON *listener)
{
    const cJSON *filter;
    if (proto_bool(listener, "use_original_dst", false) ||
        proto_bool(listener, "hidden_envoy_deprecated_use_original_dst", false))
        return "listener";
    cJSON_ArrayForEach (filter, proto_at(listener, "listener_filters")) {
        const char *name = proto_str(filter, "name");
        if ((name && strstr(name, "original_dst")) ||
            strcmp(proto_type(typed(filter)), "OriginalDst") == 0)
            return "chain";
    }
    return NULL;
}

/* Addresses beside the first one: dual stack. */
static void set_further(struct reading *reading, struct record *record, const cJSON *listener)
{
    const cJSON *further;
    char address[PROTO_ADDRESS_MAX];
    struct buf text;
    buf_init(&text, NAMES_MAX);
    cJSON_ArrayForEach (further, proto_at(listener, "additional_addresses")) {
        const char *one = proto_address(further, "address", address);
        if (one)
            buf_addf(&text, "%s%s", text.len ? "," : "", one);
    }
    if (text.len)
        evidence_set(reading->evidence, record, "further_addresses", text.data);
    buf_release(&text);
}

static void set_listener(struct reading *reading, struct record *record, const cJSON *listener)
{
    char text[PROTO_ADDRESS_MAX], number[32];
    const char *host = proto_str(listener, "address.socket_address.address");
    bool bind = proto_bool(listener, "bind_to_port", true) &&
                proto_bool(listener, "deprecated_v1.bind_to_port", true);
    evidence_set(reading->evidence, record, "address",
                 host ? host : proto_address(listener, "address", text));
    evidence_set(reading->evidence, record, "port",
                 proto_scalar(listener, "address.socket_address.port_value", number));
    evidence_set(reading->evidence, record, "bind_to_port", bind ? "yes" : "no");
    if (takes_redirected(listener))
        evidence_set(reading->evidence, record, "original_dst", takes_redirected(listener));
    if (proto_at(listener, "filter_chain_matcher"))
        evidence_set(reading->evidence, record, "matcher", "yes");
    set_further(reading, record, listener);
    evidence_set(reading->evidence, record, "direction", proto_str(listener, "traffic_direction"));
}

static void add_listener(struct xds *xds, const cJSON *listener,
                         const struct xds_resource *resource)
{
    struct reading *reading = xds->reading;
    xds_resource(xds, resource);
    if (!evidence_wants(reading->evidence, "xds.listeners", resource->name))
        return;
    struct record *record = reading_add(reading, "xds.listeners", resource->pointer);
    if (!record)
        return;
    evidence_set(reading->evidence, record, "name", resource->name);
    evidence_set(reading->evidence, record, "state", resource->state);
    evidence_set(reading->evidence, record, "error", resource->error);
    set_listener(reading, record, listener);
}

/* ---- entries of a dump ---- */

static const char *entry_name(const cJSON *entry, const cJSON *body)
{
    const char *name = proto_str(entry, "name");
    if (!name)
        name = proto_str(body, "listener.name");
    return name ? name : proto_str(entry, "error_state.failed_configuration.name");
}

/* One state of an entry; ERROR is the entry's error_state or NULL. */
static void add_state(struct xds *xds, const char *name, const cJSON *body, const cJSON *listener,
                      const char *state, const cJSON *error, const char *pointer)
{
    const char *details = proto_str(error, "details");
    char *clean = details ? xds_clean_text(details) : NULL;
    struct xds_resource resource = {.type = "listener",
                                    .name = name,
                                    .state = state,
                                    .version = proto_str(body, "version_info"),
                                    .updated = proto_str(body, "last_updated"),
                                    .error = clean,
                                    .rejected = proto_str(error, "last_update_attempt"),
                                    .pointer = pointer};
    add_listener(xds, listener, &resource);
    free(clean);
}

static void add_rejected(struct xds *xds, const char *name, const cJSON *entry, const char *pointer)
{
    const cJSON *error = proto_at(entry, "error_state");
    add_state(xds, name, error, proto_at(error, "failed_configuration"), "rejected", error,
              pointer);
}

static bool is_known_rejected(const struct xds *xds, const char *name)
{
    for (size_t i = 0; i < xds->rejected_len; i++)
        if (str_equal(xds->rejected[i], name))
            return true;
    return false;
}

static void keep_rejected(struct xds *xds, const char *name)
{
    if (xds->rejected_len == REJECTED_MAX)
        return;
    if (!xds->rejected)
        xds->rejected = xcalloc(REJECTED_MAX, sizeof *xds->rejected);
    xds->rejected[xds->rejected_len++] = xstrdup(name);
}

static void keep_nameless(struct xds *xds, const char *name, const cJSON *entry,
                          const char *pointer)
{
    if (xds->nameless_len == REJECTED_MAX)
        return;
    if (!xds->nameless)
        xds->nameless = xcalloc(REJECTED_MAX, sizeof *xds->nameless);
    xds->nameless[xds->nameless_len++] = (struct xds_error){
        name ? xstrdup(name) : NULL, xstrdup(pointer), cJSON_Duplicate(entry, 1)};
}

/* Entries without a name repeat one that has it, as a rule; those that do not are taken at the end. */
void xds_listener_end(struct xds *xds)
{
    for (size_t i = 0; i < xds->nameless_len; i++) {
        const struct xds_error *error = &xds->nameless[i];
        if (error->name && is_known_rejected(xds, error->name))
            continue;
        add_rejected(xds, error->name, error->entry, error->pointer);
        if (error->name)
            keep_rejected(xds, error->name);
    }
}

/* Older layouts and static listeners: {version_info, listener, last_updated}; and a bare Listener. */
static void take_single(struct xds *xds, const cJSON *entry, const char *state, const char *pointer)
{
    const cJSON *listener = proto_at(entry, "listener");
    char inner[512];
    snprintf(inner, sizeof inner, "%s%s", pointer, listener ? "/listener" : "");
    if (!listener)
        listener = entry;
    const char *name = proto_str(listener, "name");
    add_state(xds, name, entry, listener, state, NULL, pointer);
    if (strcmp(state, "draining") != 0)
        take_chains(xds, listener, name, inner);
}

static void take_error(struct xds *xds, const cJSON *entry, const char *pointer)
{
    const char *name = entry_name(entry, NULL);
    if (!proto_str(entry, "name")) {
        keep_nameless(xds, name, entry, pointer);
        return;
    }
    keep_rejected(xds, name);
    add_rejected(xds, name, entry, pointer);
}

void xds_listener_entry(struct xds *xds, const cJSON *entry, const char *state, const char *pointer)
{
    static const char *const states[][2] = {
        {"active_state", "active"}, {"warming_state", "warming"}, {"draining_state", "draining"}};
    const cJSON *error = proto_at(entry, "error_state");
    bool any = false;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        const cJSON *body = proto_at(entry, states[i][0]);
        bool draining = i == 2;
        if (!body || (draining && any)) /* what drains beside its successor is of no interest */
            continue;
        char inner[512];
        const char *name = entry_name(entry, body);
        snprintf(inner, sizeof inner, "%s/%s/listener", pointer, states[i][0]);
        add_state(xds, name, body, proto_at(body, "listener"), states[i][1], any ? NULL : error,
                  pointer);
        if (!draining && !any)
            take_chains(xds, proto_at(body, "listener"), name, inner);
        any = true;
    }
    const char *refused = any && error ? proto_str(entry, "name") : NULL;
    if (refused) /* and told again without its name */
        keep_rejected(xds, refused);
    if (!any && error)
        take_error(xds, entry, pointer);
    else if (!any)
        take_single(xds, entry, state, pointer);
    xds_forget(xds);
}
