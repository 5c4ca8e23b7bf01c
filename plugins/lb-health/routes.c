/* Section lb-health, routing: what the proxy would do with the checker's request. Asks the host's walk
 * through the configuration; writes nothing. Where the port is not known, or traffic is redirected to
 * another one, every listener is asked, and only what all of them say counts. */
#include "lb-health.h"
#include <string.h>

static struct route read_walk(const struct debrief_walk *walk)
{
    struct route route = {.match = MATCH_UNKNOWN, .status = (int)walk->status, .walk = walk};
    for (uint32_t i = 0; i < walk->hops_len; i++) {
        const struct debrief_hop *hop = walk->hops[i];
        if (lb_is(hop->kind, "virtual-host"))
            route.host = hop->name;
        if (lb_is(hop->kind, "route")) {
            route.match = MATCH_FOUND;
            route.config = hop->record;
            route.path = hop->name;
        }
        if (lb_is(hop->kind, "cluster") && !route.cluster)
            route.cluster = hop->name;
    }
    if (walk->broke && lb_is(walk->broke->kind, "virtual-host"))
        route.match = MATCH_NO_HOST;
    if (walk->broke && lb_is(walk->broke->kind, "route"))
        route.match = MATCH_NO_PATH;
    if (walk->broke) {
        route.config = walk->broke->record;
        route.why = walk->broke->why;
    }
    return route;
}

static bool by_tls(struct lb *lb)
{
    return lb_is(lb_group(lb, "check_protocol"), "HTTPS");
}

/* Through LISTENER, or through whatever is on the port; the check was answered, so if the chain that
 * the assumed protocol leads to is none for HTTP, the other one is meant. */
static struct route ask(struct lb *lb, const struct debrief_request *request)
{
    struct debrief_request other = *request;
    struct route route = read_walk(debrief_walk(lb->ctx, *request));
    if (route.match != MATCH_UNKNOWN)
        return route;
    other.tls = !request->tls;
    return read_walk(debrief_walk(lb->ctx, other));
}

static bool is_accepted(struct lb *lb, const struct debrief_record *listener)
{
    const char *state = debrief_text(lb->ctx, listener, "state");
    const char *side = debrief_text(lb->ctx, listener, "direction");
    return (lb_is(state, "active") || lb_is(state, "static")) && !lb_is(side, "OUTBOUND");
}

static struct route ask_all(struct lb *lb, struct debrief_request request)
{
    struct route all = {.match = MATCH_UNKNOWN};
    DEBRIEF_EACH (lb->ctx, "xds.listeners", listener) {
        request.listener = debrief_text(lb->ctx, listener, "name");
        if (!request.listener || !is_accepted(lb, listener))
            continue;
        struct route route = ask(lb, &request);
        if (route.match == MATCH_FOUND)
            return route;
        if (all.match == MATCH_UNKNOWN || route.match == MATCH_NO_PATH)
            all = route;
    }
    return all;
}

/* A route configuration alone, without a listener that would use it, has nothing to walk through. */
struct route routes_find(struct lb *lb, int port, const char *host, const char *path)
{
    struct debrief_request request = {.port = (uint32_t)port,
                                      .direction = "inbound",
                                      .host = *host ? host : NULL,
                                      .path = path,
                                      .tls = by_tls(lb)};
    struct route route = {.match = MATCH_UNKNOWN};
    if (port)
        route = ask(lb, &request);
    if (route.match != MATCH_UNKNOWN)
        return route;
    request.port = 0;
    return ask_all(lb, request);
}

const char *routes_text(const struct route *route, char out[600])
{
    *out = '\0';
    if (route->match == MATCH_FOUND)
        snprintf(out, 600, " (it meets virtual host '%.120s', route %.200s%s%.120s%s)",
                 route->host ? route->host : "", route->path ? route->path : "",
                 route->cluster ? ", cluster '" : "", route->cluster ? route->cluster : "",
                 route->cluster ? "'" : "");
    return out;
}
