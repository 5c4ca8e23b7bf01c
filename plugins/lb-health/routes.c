/* Section lb-health, routing: what the configuration does with a host and a path. Reads listeners,
 * filter chains, virtual hosts and routes; answers questions of the other files. Follows Envoy's rules
 * for domains; route conditions beyond the path are not followed but make the answer "found". */
#define _POSIX_C_SOURCE 200809L
#include "lb-health.h"
#include <string.h>
#include <strings.h>

static bool ends_with(const char *text, size_t len, const char *end, size_t end_len)
{
    return len > end_len && strncasecmp(text + len - end_len, end, end_len) == 0;
}

/* Exact, "*", "*.example.com" or "example.*". */
static bool domain_matches(const char *domain, size_t domain_len, const char *host, size_t len)
{
    if (domain_len == 1 && *domain == '*')
        return true;
    if (*domain == '*')
        return ends_with(host, len, domain + 1, domain_len - 1);
    if (domain[domain_len - 1] == '*')
        return len > domain_len - 1 && strncasecmp(domain, host, domain_len - 1) == 0;
    return domain_len == len && strncasecmp(domain, host, len) == 0;
}

/* With its port, and without it for gateways that ignore ports. */
static bool host_matches(const char *domains, const char *host)
{
    const char *colon = strrchr(host, ':');
    size_t len = strlen(host), bare = colon ? (size_t)(colon - host) : len;
    for (const char *at = domains; at && *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        if (part && (domain_matches(at, part, host, len) || domain_matches(at, part, host, bare)))
            return true;
        at += part;
    }
    return false;
}

static bool path_matches(const char *kind, const char *value, const char *path)
{
    size_t len = strlen(value), path_len = strcspn(path, "?");
    if (lb_is(kind, "prefix"))
        return strncmp(path, value, len) == 0;
    if (lb_is(kind, "path"))
        return len == path_len && strncmp(path, value, len) == 0;
    if (lb_is(kind, "path_separated_prefix"))
        return strncmp(path, value, len) == 0 && (path_len == len || path[len] == '/');
    return true; /* an expression: not for us to say no */
}

static void join(char *out, size_t cap, const char *text)
{
    size_t len = strlen(out);
    if (len + strlen(text) + 3 < cap)
        snprintf(out + len, cap - len, "%s%s", len ? ", " : "", text);
}

/* Whether a listener on PORT uses route configuration NAME; without knowledge, any may. */
static bool serves(struct lb *lb, int port, const char *name)
{
    bool known = false;
    DEBRIEF_EACH (lb->ctx, "xds.listeners", listener) {
        const char *called = debrief_text(lb->ctx, listener, "name");
        if (!port || (int)debrief_num(lb->ctx, listener, "port", 0) != port || !called)
            continue;
        DEBRIEF_EACH (lb->ctx, "xds.filter_chains", chain) {
            const char *config = debrief_text(lb->ctx, chain, "route_config");
            if (!config || !lb_is(debrief_text(lb->ctx, chain, "listener"), called))
                continue;
            known = true;
            if (lb_is(name, config))
                return true;
        }
    }
    return !known;
}

/* Looks through the routes of one virtual host. */
static void find_path(struct lb *lb, struct route *route, const struct debrief_record *host,
                      const char *path)
{
    const char *config = debrief_text(lb->ctx, host, "route_config");
    const char *name = debrief_text(lb->ctx, host, "name");
    DEBRIEF_EACH (lb->ctx, "xds.routes", record) {
        const char *value = debrief_text(lb->ctx, record, "value");
        if (!lb_is(debrief_text(lb->ctx, record, "route_config"), config) ||
            !lb_is(debrief_text(lb->ctx, record, "virtual_host"), name) || !value)
            continue;
        if (path_matches(debrief_text(lb->ctx, record, "match"), value, path)) {
            *route = (struct route){.match = MATCH_FOUND, .config = record};
            if (lb_is(debrief_text(lb->ctx, record, "action"), "cluster"))
                route->cluster = debrief_text(lb->ctx, record, "target");
            return;
        }
        join(route->paths, sizeof route->paths, value);
    }
    route->match = MATCH_NO_PATH;
    route->config = host;
}

struct route routes_find(struct lb *lb, int port, const char *host, const char *path)
{
    struct route route = {.match = MATCH_UNKNOWN};
    DEBRIEF_EACH (lb->ctx, "xds.virtual_hosts", record) {
        const char *domains = debrief_text(lb->ctx, record, "domains");
        if (!domains || !serves(lb, port, debrief_text(lb->ctx, record, "route_config")))
            continue;
        if (!host_matches(domains, host)) {
            join(route.domains, sizeof route.domains, domains);
            if (route.match == MATCH_UNKNOWN) {
                route.match = MATCH_NO_HOST;
                route.config = record;
            }
            continue;
        }
        find_path(lb, &route, record, path);
        if (route.match == MATCH_FOUND)
            return route;
    }
    return route;
}
