/* Stage: check, as a service to checks. The first step of a walk: which listener takes the connection.
 * Knows listeners that are bound, those that others hand redirected connections to, and those that were
 * rejected or still wait. */
#include "base/str.h"
#include "reason/walk_steps.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_wildcard(const char *address)
{
    return address && (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0);
}

static bool has_side(const struct record *listener, const char *direction)
{
    const char *side = walk_text(listener, "direction");
    return !direction || !side || strcmp(side, "UNSPECIFIED") == 0 ||
           strcasecmp(side, direction) == 0;
}

static bool has_port(const struct record *listener, int port)
{
    const char *text = walk_text(listener, "port");
    char end[16];
    if (text && atoi(text) == port)
        return true;
    snprintf(end, sizeof end, ":%d", port);
    const char *further = walk_text(listener, "further_addresses");
    for (const char *at = further; at && *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        if (part > strlen(end) && strncmp(at + part - strlen(end), end, strlen(end)) == 0)
            return true;
        at += part;
    }
    return false;
}

/* How well LISTENER suits the request; 0: not at all. */
static int rank(const struct walker *walker, const struct record *listener)
{
    const struct walk_request *request = walker->request;
    const char *address = walk_text(listener, "address");
    int points = walk_is(listener, "bind_to_port", "no") ? 1 : 2;
    if (request->listener)
        return walk_is(listener, "name", request->listener) ? points : 0;
    if (!has_port(listener, walker->port) || !has_side(listener, request->direction))
        return 0;
    if (str_equal(address, request->address) && address)
        return points + 8;
    if (is_wildcard(address))
        return points + 4;
    return request->address ? 0 : points;
}

static bool accepts(const struct record *listener)
{
    return walk_is(listener, "state", "active") || walk_is(listener, "state", "static");
}

struct choice {
    const struct record *best, *late; /* late: warming, draining or rejected */
    int points;
    bool several; /* listeners of different addresses suit as well */
};

static struct choice choose(const struct walker *walker)
{
    struct choice choice = {.points = 0};
    for (const struct record *r = NULL; (r = walk_next(walker, "xds.listeners", r));) {
        int points = rank(walker, r);
        if (!points)
            continue;
        if (!accepts(r)) {
            if (!choice.late)
                choice.late = r;
        } else if (points > choice.points) {
            choice = (struct choice){r, choice.late, points, false};
        } else if (points == choice.points) {
            choice.several |= !walk_is(r, "address", walk_text(choice.best, "address"));
        }
    }
    return choice;
}

/* The listener that connections of the request's side are redirected to. */
static const struct record *capturing(const struct walker *walker)
{
    const struct record *found = NULL;
    const char *side = walker->request->direction ? walker->request->direction : "outbound";
    for (const struct record *r = NULL; (r = walk_next(walker, "xds.listeners", r));) {
        if (!accepts(r) || !walk_text(r, "original_dst") || !has_side(r, side))
            continue;
        if (!found || walk_is(r, "bind_to_port", "yes"))
            found = r;
    }
    return found;
}

static const char *address_of(const struct walker *walker, const struct record *listener)
{
    const char *address = walk_text(listener, "address"), *port = walk_text(listener, "port");
    return port ? walk_printf(walker, "%s:%s", address ? address : "?", port)
                : (address ? address : "no address");
}

static bool take(struct walker *walker, const struct record *listener)
{
    const struct record *capture = NULL;
    walker->listener = listener;
    if (walk_is(listener, "bind_to_port", "no"))
        capture = capturing(walker);
    if (capture && capture != listener)
        walk_hop(walker, "listener", walk_text(capture, "name"), capture,
                 walk_printf(walker,
                             "listens on %s, takes redirected connections and hands them to the "
                             "listener of their destination",
                             address_of(walker, capture)));
    walk_hop(walker, "listener", walk_text(listener, "name"), listener,
             walk_printf(walker, capture ? "is for connections to %s" : "listens on %s",
                         address_of(walker, listener)));
    const char *port = walk_text(listener, "port");
    bool own_port = walk_is(listener, "bind_to_port", "yes") &&
                    !walk_text(listener, "original_dst");
    if (walker->request->listener && port && (own_port || !walker->request->port))
        walker->port = atoi(port);
    return true;
}

static bool refuse(struct walker *walker, const struct record *late)
{
    const char *state = walk_text(late, "state"), *error = walk_text(late, "error");
    const char *why = str_equal(state, "rejected") ? "was rejected and never accepted"
                      : str_equal(state, "draining")
                          ? "is being drained: it takes no new connections"
                          : "still waits for its routes or secrets and does not listen yet";
    if (error)
        why = walk_printf(walker, "%s: %s", why, error);
    walk_hop(walker, "listener", walk_text(late, "name"), late, why);
    return walk_breaks(walker, WALK_REFUSED, 0, NULL);
}

bool walk_listener(struct walker *walker)
{
    const struct walk_request *request = walker->request;
    struct choice choice = choose(walker);
    const char *asked = request->listener ? walk_printf(walker, "named '%s'", request->listener)
                                          : walk_printf(walker, "for port %d", walker->port);
    if (choice.several)
        return walk_gives_up(walker, walk_printf(walker,
                                                 "several listeners have port %d: which one it "
                                                 "is hangs on the address",
                                                 walker->port));
    if (choice.best)
        return take(walker, choice.best);
    if (choice.late)
        return refuse(walker, choice.late);
    const struct record *capture = request->listener ? NULL : capturing(walker);
    if (capture) {
        walker->listener = capture;
        walk_hop(walker, "listener", walk_text(capture, "name"), capture,
                 walk_printf(walker,
                             "listens on %s and takes redirected connections; there is no "
                             "listener of its own for port %d",
                             address_of(walker, capture), walker->port));
        walk_depends(walker, walk_printf(walker,
                                         "whether connections to port %d are redirected to "
                                         "that listener",
                                         walker->port));
        return true;
    }
    if (!walk_complete(walker, "xds.listeners"))
        return walk_gives_up(walker, "the listeners are not in evidence (config_dump)");
    walk_hop(walker, "listener", NULL, NULL, walk_printf(walker, "there is no listener %s", asked));
    return walk_breaks(walker, WALK_REFUSED, 0, NULL);
}
