/* The way of one request through the proxy as it is configured: listener, filter chain, route
 * configuration, virtual host, route, cluster, endpoints. Follows the rules by which Envoy picks each of
 * them, over whatever of xds.listeners, xds.filter_chains, xds.virtual_hosts, xds.routes, xds.clusters,
 * clusters and hosts the check declares and the evidence holds. Where that does not reach, the walk says
 * so: it never guesses. */
#ifndef DEBRIEF_REASON_WALK_H
#define DEBRIEF_REASON_WALK_H

#include "check/view.h"
#include <stdbool.h>

enum { WALK_HOPS_MAX = 32 };

struct walk_request {      /* NULL and 0: not known */
    const char *listener;  /* by name; else it is found by address and port */
    const char *address;   /* IP that the connection goes to */
    int port;              /* port that the connection goes to */
    const char *direction; /* "inbound" or "outbound": only listeners of that side */
    const char *method;    /* NULL: GET */
    const char *host;      /* as sent, with its port if it has one */
    const char *path;      /* NULL: "/" */
    bool tls;
    const char *sni;  /* NULL: the host */
    const char *alpn; /* NULL: http/1.1 */
    bool tcp;         /* a bare connection: no request is sent */
};

struct walk_hop {
    const char *kind; /* listener, filter-chain, http-filter, route-config, virtual-host, route,
                         cluster, endpoints */
    const char *name; /* "" when it has none */
    const char *why;  /* why this one was taken, or why it breaks here */
    const struct record *record; /* to cite; NULL when nothing is there to cite */
};

enum walk_end {
    WALK_UNKNOWN,   /* cannot tell beyond the last hop: `unknown` says why */
    WALK_FORWARDED, /* reaches hosts that may take traffic */
    WALK_ANSWERED,  /* the proxy answers itself, with `status` */
    WALK_REFUSED,   /* nothing accepts the connection */
    WALK_RESET,     /* the connection is accepted and closed */
};

struct walk {
    const struct walk *before; /* the walk that the same check made before this one; NULL */
    int number;                /* of the check's walks, from 1 on */
    const char *request;       /* what was asked for: "GET http://shop.example.com:8080/cart" */
    const char *direction;     /* as in the request */
    struct walk_hop hops[WALK_HOPS_MAX];
    int len;
    int broke; /* the hop at which it breaks; -1 */
    enum walk_end end;
    int status;          /* 0: the upstream decides, or not known */
    const char *flag;    /* response flag in the access log: NR, NC, UH; NULL */
    const char *unknown; /* why the walk ends early; NULL */
    const char *depends; /* what else may decide (a header, the source address); NULL */
};

/* The walk and its texts live as long as the check runs. */
const struct walk *walk_request(struct view *view, const struct walk_request *request);

/* One of the walks that this check made before; NULL: it made no walk of this NUMBER. */
const struct walk *walk_find(const struct view *view, int number);

/* "forwarded", "answered" ... */
const char *walk_end_word(enum walk_end end);

#endif
