/* Stage: read. Route configurations, virtual hosts and routes. Routes wait for the name of their virtual
 * host, both wait for the name of their route configuration. */
#include "base/buf.h"
#include "read/xds.h"
#include <stdio.h>
#include <string.h>

enum { DOMAINS_MAX = 64, TEXT_MAX = 16 << 10 };

/* ---- routes ---- */

/* The method that a header condition demands, so that it can be judged; NULL for any. One that is
 * turned round, or not exact, stays a condition that is merely counted. */
static const char *method_asked(const cJSON *match)
{
    const cJSON *header;
    cJSON_ArrayForEach (header, proto_at(match, "headers")) {
        const char *exact = proto_str(header, "string_match.exact");
        if (proto_bool(header, "invert_match", false) ||
            proto_bool(header, "string_match.ignore_case", false))
            continue;
        if (strcmp(proto_str(header, "name") ? proto_str(header, "name") : "", ":method") == 0)
            return exact ? exact : proto_str(header, "exact_match");
    }
    return NULL;
}

static void set_match(struct pending *routes, struct pending_row *row, const cJSON *match)
{
    static const char *const kinds[][2] = {{"prefix", "prefix"},
                                           {"path", "path"},
                                           {"safe_regex.regex", "regex"},
                                           {"regex", "regex"},
                                           {"path_separated_prefix", "path_separated_prefix"},
                                           {"connect_matcher", "connect"},
                                           {"path_match_policy", "template"}};
    static const char *const further[] = {"runtime_fraction", "runtime",          "grpc",
                                          "tls_context",      "dynamic_metadata", "filter_state"};
    char number[32];
    int conditions = proto_len(match, "headers") + proto_len(match, "query_parameters") +
                     proto_len(match, "cookies");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const cJSON *at = proto_at(match, kinds[i][0]);
        if (!at)
            continue;
        pending_set(routes, row, "match", kinds[i][1]);
        pending_set(routes, row, "value", proto_scalar(at, "", number));
        break;
    }
    for (size_t i = 0; i < sizeof further / sizeof *further; i++)
        conditions += proto_at(match, further[i]) != NULL;
    snprintf(number, sizeof number, "%d", conditions);
    pending_set(routes, row, "headers", number);
    pending_set(routes, row, "method", method_asked(match));
    if (!proto_bool(match, "case_sensitive", true))
        pending_set(routes, row, "case_sensitive", "no");
}

static void set_action(struct pending *routes, struct pending_row *row, const char *action,
                       const char *target)
{
    pending_set(routes, row, "action", action);
    pending_set(routes, row, "target", target);
}

/* A cluster without weight gets nothing. One that a header names cannot be listed. */
static void set_weighted(struct pending *routes, struct pending_row *row, const cJSON *clusters)
{
    const cJSON *cluster;
    struct buf names;
    char number[32];
    bool by_header = false;
    buf_init(&names, TEXT_MAX);
    cJSON_ArrayForEach (cluster, proto_at(clusters, "clusters")) {
        const char *name = proto_str(cluster, "name");
        const char *weight = proto_scalar(cluster, "weight", number);
        by_header |= proto_at(cluster, "cluster_header") != NULL;
        if (name && !(weight && strcmp(weight, "0") == 0))
            buf_addf(&names, "%s%s", names.len ? "," : "", name);
    }
    if (by_header)
        set_action(routes, row, "cluster_header", NULL);
    else
        set_action(routes, row, "weighted", buf_str(&names));
    buf_release(&names);
}

static const char *redirect_code(const char *word)
{
    static const char *const codes[][2] = {{"FOUND", "302"},
                                           {"SEE_OTHER", "303"},
                                           {"TEMPORARY_REDIRECT", "307"},
                                           {"PERMANENT_REDIRECT", "308"}};
    for (size_t i = 0; word && i < sizeof codes / sizeof *codes; i++)
        if (strcmp(word, codes[i][0]) == 0)
            return codes[i][1];
    return "301";
}

static void set_redirect(struct pending *routes, struct pending_row *row, const cJSON *redirect)
{
    static const char *const fields[] = {"host_redirect", "path_redirect", "prefix_rewrite",
                                         "scheme_redirect"};
    const char *target = NULL;
    for (size_t i = 0; !target && i < sizeof fields / sizeof *fields; i++)
        target = proto_str(redirect, fields[i]);
    if (!target && proto_bool(redirect, "https_redirect", false))
        target = "https";
    set_action(routes, row, "redirect", target);
    pending_set(routes, row, "code", redirect_code(proto_str(redirect, "response_code")));
}

static void set_target(struct pending *routes, struct pending_row *row, const cJSON *route)
{
    char number[32];
    const cJSON *to = proto_at(route, "route"), *redirect = proto_at(route, "redirect");
    const cJSON *direct = proto_at(route, "direct_response");
    const cJSON *weighted = proto_at(to, "weighted_clusters");
    if (weighted)
        set_weighted(routes, row, weighted);
    else if (proto_at(to, "cluster_header"))
        set_action(routes, row, "cluster_header", proto_str(to, "cluster_header"));
    else if (to)
        set_action(routes, row, "cluster", proto_str(to, "cluster"));
    else if (redirect)
        set_redirect(routes, row, redirect);
    else if (direct)
        set_action(routes, row, "direct", proto_scalar(direct, "status", number));
}

/* ---- retry policies ---- */

static void add_names(struct buf *text, const cJSON *array, const char *member)
{
    const cJSON *element;
    int len = 0;
    cJSON_ArrayForEach (element, array) {
        char number[32];
        const char *name = proto_scalar(element, member, number);
        const char *short_name = name ? strrchr(name, '.') : NULL;
        if (name && len < DOMAINS_MAX)
            buf_addf(text, "%s%s", len++ ? "," : "", short_name ? short_name + 1 : name);
    }
}

/* One text per policy, so that two policies are the same when their texts are. */
static const char *retry_text(struct buf *text, const cJSON *policy)
{
    static const char *const fields[][2] = {{"retry_on", "on"},
                                            {"num_retries", "retries"},
                                            {"host_selection_retry_max_attempts", "attempts"}};
    char number[32];
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *value = proto_scalar(policy, fields[i][0], number);
        if (value)
            buf_addf(text, "%s%s=%s", text->len ? " " : "", fields[i][1], value);
    }
    const cJSON *codes = proto_at(policy, "retriable_status_codes");
    const cJSON *predicates = proto_at(policy, "retry_host_predicate");
    if (cJSON_GetArraySize(codes) > 0) {
        buf_adds(text, " codes=");
        add_names(text, codes, "");
    }
    if (cJSON_GetArraySize(predicates) > 0) {
        buf_adds(text, " predicates=");
        add_names(text, predicates, "name");
    }
    return cJSON_IsObject(policy) ? buf_str(text) : NULL;
}

/* Whether the route makes the fault filter delay or abort requests. */
static bool has_fault(const cJSON *route)
{
    const cJSON *filter;
    cJSON_ArrayForEach (filter, proto_at(route, "typed_per_filter_config")) {
        bool named = filter->string && strstr(filter->string, "fault");
        if (named && (proto_at(filter, "abort") || proto_at(filter, "delay")))
            return true;
    }
    return false;
}

void xds_route_route(struct xds *xds, const cJSON *route, const char *pointer)
{
    xds->routes_seen++;
    struct pending_row *row = xds_wants(xds, "xds.routes") ? pending_add(&xds->routes, pointer)
                                                           : NULL;
    if (!row)
        return;
    set_match(&xds->routes, row, proto_at(route, "match"));
    set_target(&xds->routes, row, route);
    if (has_fault(route))
        pending_set(&xds->routes, row, "fault", "yes");
    struct buf retry;
    buf_init(&retry, TEXT_MAX);
    pending_set(&xds->routes, row, "retry",
                retry_text(&retry, proto_at(route, "route.retry_policy")));
    buf_release(&retry);
}

/* ---- virtual hosts ---- */

static void set_domains(struct pending *hosts, struct pending_row *row, const cJSON *host)
{
    const cJSON *domain;
    struct buf text;
    int len = 0;
    buf_init(&text, TEXT_MAX);
    cJSON_ArrayForEach (domain, proto_at(host, "domains")) {
        if (cJSON_IsString(domain) && len++ < DOMAINS_MAX)
            buf_addf(&text, "%s%s", text.len ? "," : "", domain->valuestring);
    }
    pending_set(hosts, row, "domains", buf_str(&text));
    if (len > DOMAINS_MAX)
        pending_set(hosts, row, "domains_cut", "yes");
    buf_release(&text);
}

void xds_route_virtual_host(struct xds *xds, const cJSON *host, const char *pointer)
{
    const cJSON *route;
    int index = 0;
    char text[512];
    cJSON_ArrayForEach (route, proto_at(host, "routes")) {
        snprintf(text, sizeof text, "%s/routes/%d", pointer, index++);
        xds_route_route(xds, route, text);
    }
    size_t len = xds->routes_seen;
    struct buf retry;
    buf_init(&retry, TEXT_MAX);
    pending_set_from(&xds->routes, xds->routes_named, "virtual_host", proto_str(host, "name"));
    pending_default_from(&xds->routes, xds->routes_named, "retry",
                         retry_text(&retry, proto_at(host, "retry_policy")));
    buf_release(&retry);
    xds->routes_named = xds->routes.len;
    xds->routes_seen = 0;
    struct pending_row *row = xds_wants(xds, "xds.virtual_hosts")
                                  ? pending_add(&xds->virtual_hosts, pointer)
                                  : NULL;
    if (!row)
        return;
    pending_set(&xds->virtual_hosts, row, "name", proto_str(host, "name"));
    set_domains(&xds->virtual_hosts, row, host);
    const char *tls = proto_str(host, "require_tls");
    pending_set(&xds->virtual_hosts, row, "require_tls", tls && strcmp(tls, "NONE") ? tls : NULL);
    snprintf(text, sizeof text, "%zu", len);
    pending_set(&xds->virtual_hosts, row, "routes", text);
    if (proto_at(host, "matcher"))
        pending_set(&xds->virtual_hosts, row, "matcher", "yes");
}

/* ---- route configurations ---- */

void xds_route_config(struct xds *xds, const cJSON *node, const char *pointer)
{
    const char *name = proto_str(node, "name");
    const cJSON *host;
    int index = 0;
    cJSON_ArrayForEach (host, proto_at(node, "virtual_hosts")) {
        char inner[512];
        snprintf(inner, sizeof inner, "%s/virtual_hosts/%d", pointer, index++);
        xds_route_virtual_host(xds, host, inner);
    }
    pending_set_from(&xds->virtual_hosts, 0, "route_config", name);
    if (proto_bool(node, "ignore_port_in_host_matching", false))
        pending_set_from(&xds->virtual_hosts, 0, "ignore_port", "yes");
    pending_set_from(&xds->routes, 0, "route_config", name);
    pending_flush(&xds->virtual_hosts, xds->reading, name);
    pending_flush(&xds->routes, xds->reading, name);
    xds->routes_named = xds->routes_seen = 0;
}

void xds_route_entry(struct xds *xds, const cJSON *entry, const char *state, const char *pointer)
{
    const cJSON *config = proto_at(entry, "route_config");
    char inner[512];
    snprintf(inner, sizeof inner, "%s%s", pointer, config ? "/route_config" : "");
    if (!config)
        config = entry;
    struct xds_resource resource = {.type = "route",
                                    .name = proto_str(config, "name"),
                                    .state = state,
                                    .version = proto_str(entry, "version_info"),
                                    .updated = proto_str(entry, "last_updated"),
                                    .pointer = pointer};
    xds_resource(xds, &resource);
    xds_route_config(xds, config, inner);
}
