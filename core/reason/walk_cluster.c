/* Stage: check, as a service to checks. The last step of a walk: the cluster, or each of several, and
 * whether it has a host that takes the request. Follows panic mode: with Envoy's defaults a cluster
 * whose hosts are all unhealthy is used all the same. */
#include "base/str.h"
#include "reason/walk_steps.h"
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 4 };

struct members {
    int all, usable, active, ejected, eds;
    bool known;
    const struct record *record; /* the first host, else the cluster */
    char *shown;
};

static void count_host(const struct walker *walker, struct members *members,
                       const struct record *host)
{
    const char *health = walk_text(host, "health"), *address = walk_text(host, "address");
    bool active = health && strstr(health, "/failed_active_hc");
    bool ejected = health && (strstr(health, "/failed_outlier_check") ||
                              strstr(health, "/excluded_via_immediate_hc_fail"));
    bool eds = health &&
               (strstr(health, "/failed_eds_health") || strstr(health, "/eds_status_draining"));
    members->active += active;
    members->ejected += ejected;
    members->eds += eds;
    members->usable += !(active || ejected || eds);
    if (!members->record)
        members->record = host;
    if (members->all++ < SHOWN_MAX)
        members->shown = walk_printf(walker, "%s%s%s %s", members->shown ? members->shown : "",
                                     members->shown ? ", " : "", address ? address : "?",
                                     health ? health : "of unknown health");
}

static struct members members_of(const struct walker *walker, const char *name,
                                 const struct record *running)
{
    struct members members = {.known = walk_complete(walker, "hosts")};
    for (const struct record *r = NULL; (r = walk_next(walker, "hosts", r));)
        if (walk_is(r, "cluster", name))
            count_host(walker, &members, r);
    const char *all = walk_text(running, "hosts"), *healthy = walk_text(running, "healthy_hosts");
    if (!members.all && all && healthy) {
        members.all = atoi(all);
        members.usable = atoi(healthy);
    }
    members.known |= members.all || (all && healthy);
    if (!members.record)
        members.record = running;
    return members;
}

/* ---- empty and unhealthy ---- */

static const char *empty_text(const char *type)
{
    if (str_equal(type, "EDS"))
        return "has no endpoint: the management server names none";
    if (str_equal(type, "STRICT_DNS") || str_equal(type, "LOGICAL_DNS"))
        return "has no endpoint: its DNS name has given no address";
    if (str_equal(type, "STATIC"))
        return "has no endpoint: it is configured without any";
    return "has no endpoint";
}

/* Clusters that find their hosts request by request, or elsewhere. */
static bool is_open(struct walker *walker, const char *name, const char *type, bool *forwarded)
{
    *forwarded = str_equal(type, "ORIGINAL_DST") || (type && strstr(type, "dynamic_forward_proxy"));
    if (*forwarded) {
        walk_hop(walker, "endpoints", name, NULL,
                 str_equal(type, "ORIGINAL_DST") ? "goes to the connection's original destination"
                                                 : "resolves the Host when asked");
        return true;
    }
    if (!type || strchr(type, '.')) {
        walk_gives_up(walker, walk_printf(walker, "cluster '%s' lists no host, and %s%s", name,
                                          type ? "how it finds them is not followed: "
                                               : "its type is not in evidence (config_dump)",
                                          type ? type : ""));
        return true;
    }
    return false;
}

static bool fails(struct walker *walker, const char *name, const struct record *record,
                  const char *why)
{
    walk_hop(walker, "endpoints", name, record, why);
    walker->ways_broken++;
    if (walker->walk->broke < 0)
        walker->walk->broke = walker->walk->len - 1;
    walker->walk->flag = "UH";
    return false;
}

static bool walk_members(struct walker *walker, const char *name, const struct record *configured,
                         const struct record *running)
{
    struct members members = members_of(walker, name, running);
    const char *type = walk_text(configured, "type");
    const char *panic = walk_text(configured, "panic_threshold");
    const char *shown = members.shown ? members.shown : "";
    bool forwarded = false;
    if (!members.known)
        return walk_gives_up(walker, "the endpoints are not in evidence (/clusters)");
    if (!members.all && is_open(walker, name, type, &forwarded))
        return forwarded;
    if (!members.all)
        return fails(walker, name, members.record ? members.record : configured, empty_text(type));
    const char *why = walk_printf(walker, "%d of %d hosts usable%s%s%s", members.usable,
                                  members.all, *shown ? " (" : "", shown, *shown ? ")" : "");
    double threshold = panic ? atof(panic) : 50;
    bool never_panics = threshold == 0, fails_then = walk_is(configured, "panic", "fails");
    if (walk_is(configured, "subsets", "yes"))
        walk_depends(walker, "which subset of the hosts the route's metadata picks");
    if (!members.usable && (never_panics || fails_then))
        return fails(walker, name, members.record, why);
    if (!members.usable) {
        walk_hop(walker, "endpoints", name, members.record,
                 walk_printf(walker, "%s: panic mode, requests go to unhealthy hosts", why));
        walk_depends(walker, "what hosts that count as unhealthy answer");
        return true;
    }
    if (members.usable * 100.0 < threshold * members.all) {
        why = walk_printf(walker, "%s: less than %.0f %%, panic mode%s", why, threshold,
                          fails_then ? "" : ", requests go to the others too");
        if (fails_then)
            walk_depends(walker, "whether another priority has enough hosts");
    }
    walk_hop(walker, "endpoints", name, members.record, why);
    return true;
}

/* ---- clusters ---- */

static const struct record *configured_as(const struct walker *walker, const char *name)
{
    const struct record *best = NULL;
    for (const struct record *r = NULL; (r = walk_next(walker, "xds.clusters", r));)
        if (walk_is(r, "name", name) && (!best || !walk_is(r, "state", "warming")))
            best = r;
    return best;
}

static const struct record *running_as(const struct walker *walker, const char *name)
{
    return view_declares(walker->view, "clusters") ? view_find(walker->view, "clusters", name)
                                                   : NULL;
}

static bool missing(struct walker *walker, const char *name, const struct record *record,
                    const char *why)
{
    walk_hop(walker, "cluster", name, record, why);
    walker->ways_broken++;
    if (walker->walk->broke < 0)
        walker->walk->broke = walker->walk->len - 1;
    walker->walk->flag = "NC";
    return false;
}

/* False: it fails, or cannot be followed. */
static bool walk_cluster(struct walker *walker, const char *name)
{
    const struct record *configured = configured_as(walker, name);
    const struct record *running = running_as(walker, name);
    bool warming = walk_is(configured, "state", "warming") && !running;
    if (warming && walk_complete(walker, "clusters"))
        return missing(walker, name, configured, "is warming: it is not in use yet");
    if (!configured && !running &&
        (walk_complete(walker, "xds.clusters") || walk_complete(walker, "clusters")))
        return missing(walker, name, walker->route ? walker->route : walker->chain,
                       "does not exist: the proxy has no cluster of that name");
    if (!configured && !running)
        return walk_gives_up(walker, "the clusters are not in evidence (config_dump, /clusters)");
    const char *type = walk_text(configured, "type");
    walk_hop(walker, "cluster", name, configured ? configured : running,
             type ? walk_printf(walker, "type %s", type) : "is in use");
    return walk_members(walker, name, configured, running);
}

static void finish(struct walker *walker, bool forwarded, bool http)
{
    struct walk *walk = walker->walk;
    const char *flag = walk->flag;
    if (walker->ways_broken == walker->ways) {
        walk_breaks(walker, http ? WALK_ANSWERED : WALK_RESET, http ? 503 : 0, flag);
        walk->unknown = NULL;
    } else if (forwarded || walker->ways_broken) {
        walk->end = forwarded ? WALK_FORWARDED : walk->end;
        walk->unknown = forwarded ? NULL : walk->unknown;
    }
    if (walker->ways_broken && walker->ways_broken < walker->ways)
        walk_depends(walker, "which of the clusters a request is given to");
}

void walk_clusters(struct walker *walker)
{
    bool http = walker->route != NULL, forwarded = false;
    const char *names = http ? walk_text(walker->route, "target")
                             : walk_text(walker->chain, "clusters");
    if (walker->request->tcp && !walk_is(walker->chain, "network_filter", "tcp_proxy")) {
        walker->walk->end = WALK_FORWARDED;
        return;
    }
    for (const char *at = names; at && *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        walker->ways++;
        forwarded |= walk_cluster(walker, walk_printf(walker, "%.*s", (int)part, at));
        at += part;
    }
    if (walker->ways)
        finish(walker, forwarded, http);
    else
        walk_gives_up(walker, "no cluster is named");
}
