/* Stage: check, as a service to checks. The second step of a walk: which filter chain of the listener
 * takes the connection. Goes through Envoy's criteria in its order (port, address, server name,
 * transport, application protocol, source); each picks the most specific group and never turns back. */
#include "base/str.h"
#include "reason/walk_steps.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct chains {
    const struct record **items;
    int len;
    const struct record *fallback; /* the default filter chain */
};

typedef int score_fn(struct walker *walker, const struct record *chain); /* below 0: no match */

/* Keeps the chains with the highest score. */
static void keep_best(struct walker *walker, struct chains *chains, score_fn *score)
{
    int best = -1, kept = 0;
    for (int i = 0; i < chains->len; i++) {
        int points = score(walker, chains->items[i]);
        best = points > best ? points : best;
    }
    for (int i = 0; best >= 0 && i < chains->len; i++)
        if (score(walker, chains->items[i]) == best)
            chains->items[kept++] = chains->items[i];
    chains->len = kept;
}

static int by_port(struct walker *walker, const struct record *chain)
{
    const char *port = walk_text(chain, "port");
    return !port ? 0 : atoi(port) == walker->port ? 1 : -1;
}

/* ---- address ranges ---- */

static bool in_range(const char *range, size_t len, const char *address, int *bits)
{
    unsigned char net[16], ip[16];
    char text[80];
    int family = strchr(address, ':') ? AF_INET6 : AF_INET;
    if (len >= sizeof text)
        return false;
    memcpy(text, range, len);
    text[len] = '\0';
    char *slash = strchr(text, '/');
    *bits = slash ? atoi(slash + 1) : 0;
    if (slash)
        *slash = '\0';
    if (inet_pton(family, text, net) != 1 || inet_pton(family, address, ip) != 1 || *bits < 0 ||
        *bits > (family == AF_INET ? 32 : 128))
        return false;
    int rest = *bits % 8, whole = *bits / 8;
    return memcmp(net, ip, (size_t)whole) == 0 &&
           (!rest || (net[whole] ^ ip[whole]) >> (8 - rest) == 0);
}

/* "0.0.0.0/0" and "::/0". */
static bool is_any(const char *range, size_t len)
{
    return len > 2 && memcmp(range + len - 2, "/0", 2) == 0;
}

/* A chain without ranges is one for all addresses. */
static int by_address(struct walker *walker, const struct record *chain)
{
    const char *ranges = walk_text(chain, "prefixes"), *address = walker->request->address;
    int best = ranges ? -1 : 0, bits = 0;
    for (const char *at = ranges; at && *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        if (!address && is_any(at, part))
            best = best < 0 ? 0 : best;
        else if (!address)
            walk_depends(walker, "the address that the connection goes to");
        else if (in_range(at, part, address, &bits) && bits > best)
            best = bits;
        at += part;
    }
    return best;
}

/* ---- names and protocols ---- */

/* Exact before the longest "*.example.com" before any. */
static int by_server_name(struct walker *walker, const struct record *chain)
{
    const struct walk_request *request = walker->request;
    const char *names = walk_text(chain, "server_names");
    char host[256];
    if (!names)
        return 0;
    if (!request->tls)
        return -1;
    snprintf(host, sizeof host, "%s", request->host ? request->host : "");
    host[strcspn(host, ":")] = '\0';
    const char *sni = request->sni ? request->sni : host;
    size_t len = strlen(sni);
    int best = -1;
    for (const char *at = names; *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        bool wild = part > 1 && at[0] == '*';
        if (part == len && strncasecmp(at, sni, len) == 0)
            return 10000;
        if (wild && len >= part && strncasecmp(sni + len - (part - 1), at + 1, part - 1) == 0 &&
            (int)part > best)
            best = (int)part;
        at += part;
    }
    return best;
}

static int by_transport(struct walker *walker, const struct record *chain)
{
    const char *transport = walk_text(chain, "transport");
    const char *used = walker->request->tls ? "tls" : "raw_buffer";
    return !transport ? 0 : strcmp(transport, used) == 0 ? 1 : -1;
}

static int by_alpn(struct walker *walker, const struct record *chain)
{
    const struct walk_request *request = walker->request;
    const char *protocols = walk_text(chain, "alpn");
    if (!protocols)
        return 0;
    if (request->tcp)
        return -1;
    if (request->tls && !request->alpn)
        walk_depends(walker, "the protocols that the client offers (ALPN)");
    return walk_holds(protocols, request->alpn ? request->alpn : "http/1.1") ? 1 : -1;
}

static int by_source(struct walker *walker, const struct record *chain)
{
    if (!walk_text(chain, "source_conditions"))
        return 1;
    walk_depends(walker, "where the connection comes from");
    return 0;
}

/* ---- the step ---- */

static struct chains chains_of(const struct walker *walker)
{
    struct chains chains = {.len = 0};
    int count = 0;
    for (const struct record *r = NULL; (r = walk_next(walker, "xds.filter_chains", r));)
        count++;
    chains.items = arena_alloc(walker->view->scratch, (size_t)(count + 1) * sizeof *chains.items);
    for (const struct record *r = NULL; (r = walk_next(walker, "xds.filter_chains", r));) {
        if (!walk_inside(r, walker->listener))
            continue;
        if (walk_is(r, "default", "yes"))
            chains.fallback = r;
        else
            chains.items[chains.len++] = r;
    }
    return chains;
}

static const char *describe(const struct walker *walker, const struct record *chain)
{
    static const char *const columns[][2] = {{"port", "port"},
                                             {"prefixes", "address"},
                                             {"server_names", "server name"},
                                             {"transport", "transport"},
                                             {"alpn", "protocol"}};
    char *text = walk_printf(walker, "%s", "");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const char *value = walk_text(chain, columns[i][0]);
        if (value)
            text = walk_printf(walker, "%s%s%s %.80s", text, *text ? ", " : "", columns[i][1],
                               value);
    }
    return *text ? walk_printf(walker, "matches %s", text) : "matches any connection";
}

static const char *connection(const struct walker *walker)
{
    const struct walk_request *request = walker->request;
    const char *name = request->sni ? request->sni : request->host;
    return request->tls ? walk_printf(walker, "a TLS connection to port %d with server name '%s'",
                                      walker->port, name ? name : "")
                        : walk_printf(walker, "a plain connection to port %d", walker->port);
}

/* TLS to a plain chain is no HTTP, and plain HTTP to a TLS chain no handshake. */
static bool check_tls(struct walker *walker, const struct record *chain)
{
    const struct walk_request *request = walker->request;
    bool wants = walk_is(chain, "tls", "yes"), http = walk_text(chain, "codec") != NULL;
    const char *name = walk_text(chain, "name");
    if (wants && !request->tls && !request->tcp) {
        walk_hop(walker, "filter-chain", name, chain,
                 "expects TLS, and the request comes in plain text: the handshake fails");
        return walk_breaks(walker, WALK_RESET, 0, NULL);
    }
    if (!wants && request->tls && http) {
        walk_hop(walker, "filter-chain", name, chain,
                 "expects plain HTTP, and the request comes by TLS: these bytes are no request");
        return walk_breaks(walker, WALK_ANSWERED, 400, "DPE");
    }
    return true;
}

bool walk_chain(struct walker *walker)
{
    static score_fn *const criteria[] = {by_port,      by_address, by_server_name,
                                         by_transport, by_alpn,    by_source};
    struct chains chains = chains_of(walker);
    const char *before = walker->walk->depends;
    int all = chains.len;
    if (walk_is(walker->listener, "matcher", "yes"))
        return walk_gives_up(walker, "the listener picks its filter chain by a matching tree, "
                                     "which is not followed");
    for (size_t i = 0; i < sizeof criteria / sizeof *criteria; i++)
        keep_best(walker, &chains, criteria[i]);
    walker->chain = chains.len ? chains.items[0] : chains.fallback;
    if (!chains.len && walker->walk->depends != before)
        return walk_gives_up(
            walker, walk_printf(walker, "the filter chain hangs on %s", walker->walk->depends));
    if (!walker->chain && !all && !walk_complete(walker, "xds.filter_chains"))
        return walk_gives_up(walker, "the filter chains are not in evidence (config_dump)");
    if (!walker->chain) {
        walk_hop(walker, "filter-chain", NULL, walker->listener,
                 walk_printf(walker,
                             "none of %d filter chains matches %s: the connection is closed", all,
                             connection(walker)));
        return walk_breaks(walker, WALK_RESET, 0, "NR");
    }
    if (!check_tls(walker, walker->chain))
        return false;
    walk_hop(walker, "filter-chain", walk_text(walker->chain, "name"), walker->chain,
             chains.len ? describe(walker, walker->chain)
                        : "is the default filter chain, as no other matches");
    return true;
}
