/* Stage: check, as a service to checks. The third step of a walk: what the HTTP connection manager does
 * with a request: filters that answer themselves, the virtual host by its Host, the first route that
 * matches. Conditions on headers are not judged (but for the method): such a route "may" be taken. */
#include "base/regex.h"
#include "base/str.h"
#include "reason/walk_steps.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 256, LISTED_MAX = 400, SCORE_EXACT = 1 << 20, SCORE_SUFFIX = 1 << 10 };

static const char *path_of(const struct walker *walker)
{
    const char *path = walker->request->path;
    return path && *path ? path : "/";
}

/* ---- what stands before the routes ---- */

/* Filters that may answer a request themselves, as far as their names tell. */
static const char *answering_filters(const struct walker *walker, const char *filters)
{
    static const char *const names[] = {"ext_authz",
                                        "jwt_authn",
                                        "rbac",
                                        "oauth2",
                                        "basic_auth",
                                        "api_key_auth",
                                        "ext_proc",
                                        "lua",
                                        "wasm",
                                        "fault",
                                        "ratelimit",
                                        "csrf",
                                        "golang",
                                        "admission_control",
                                        "adaptive_concurrency"};
    const char *found = "";
    for (size_t i = 0; filters && i < sizeof names / sizeof *names; i++)
        if (strstr(filters, names[i]))
            found = walk_printf(walker, "%s%s%s", found, *found ? ", " : "", names[i]);
    return *found ? found : NULL;
}

/* Whether normalising may change PATH. */
static bool is_unusual(const char *path)
{
    return strstr(path, "//") || strstr(path, "/.") || strpbrk(path, "%\\");
}

bool walk_http(struct walker *walker)
{
    const struct record *chain = walker->chain;
    const char *filter = walk_text(chain, "network_filter");
    if (walker->request->tcp || str_equal(filter, "tcp_proxy"))
        return true;
    if (!str_equal(filter, "http_connection_manager"))
        return walk_gives_up(walker, walk_printf(walker, "network filter %s is not followed",
                                                 filter ? filter : "of no name"));
    const char *health = walk_text(chain, "health_path");
    if (str_equal(health, path_of(walker))) { /* with its query, if it has one */
        walk_hop(walker, "http-filter", "health_check", chain,
                 "the health check filter answers this path itself: 200, or 503 while draining");
        return walk_answers(walker, 200);
    }
    if (walk_is(chain, "normalizes_path", "yes") && is_unusual(path_of(walker)))
        walk_depends(walker, "how the path is normalised");
    const char *answering = answering_filters(walker, walk_text(chain, "http_filters"));
    if (answering)
        walk_depends(walker, walk_printf(walker, "HTTP filters before the routes (%s)", answering));
    return true;
}

/* ---- virtual hosts ---- */

static bool is_of(const struct walker *walker, const struct record *host)
{
    const char *config = walk_text(walker->chain, "route_config");
    if (walk_is(walker->chain, "routes_from", "inline"))
        return walk_inside(host, walker->chain);
    return config && walk_is(host, "route_config", config) &&
           !(host->pointer && strstr(host->pointer, "/filters/"));
}

/* The host in lower case, with its port only where the port counts. */
static void set_host(const struct walker *walker, const struct record *virtual_host,
                     char out[HOST_MAX])
{
    const char *strip = walk_text(walker->chain, "strip_port");
    snprintf(out, HOST_MAX, "%s", walker->request->host ? walker->request->host : "");
    for (char *at = out; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    char *end = strrchr(out, ']'), *colon = strchr(end ? end : out, ':');
    if (!colon)
        return;
    bool listening = strip && atoi(colon + 1) == walker->port;
    if (walk_is(virtual_host, "ignore_port", "yes") || str_equal(strip, "any") || listening)
        *colon = '\0';
}

/* Exact, then the longest "*.example.com", then the longest "example.*", then "*"; 0: no match. */
static int domain_score(const char *domain, size_t len, const char *host)
{
    size_t host_len = strlen(host);
    if (len == 1 && *domain == '*')
        return 1;
    if (len > 1 && *domain == '*')
        return host_len >= len && strncasecmp(host + host_len - (len - 1), domain + 1, len - 1) == 0
                   ? 2 * SCORE_SUFFIX + (int)len
                   : 0;
    if (len > 1 && domain[len - 1] == '*')
        return host_len >= len && strncasecmp(host, domain, len - 1) == 0 ? SCORE_SUFFIX + (int)len
                                                                          : 0;
    return len == host_len && strncasecmp(host, domain, len) == 0 ? SCORE_EXACT : 0;
}

static int host_score(const struct walker *walker, const struct record *virtual_host,
                      const char **domain, size_t *domain_len)
{
    char host[HOST_MAX];
    int best = 0;
    set_host(walker, virtual_host, host);
    for (const char *at = walk_text(virtual_host, "domains"); at && *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        int score = part < SCORE_SUFFIX ? domain_score(at, part, host) : 0;
        if (score > best) {
            best = score;
            *domain = at;
            *domain_len = part;
        }
        at += part;
    }
    return best;
}

/* Inline routes are whole when the listeners are, other ones when the dump of routes is. */
static bool routes_complete(const struct walker *walker, const char *name)
{
    if (!walk_is(walker->chain, "routes_from", "inline"))
        return walk_complete(walker, name);
    return view_declares(walker->view, name) && walk_complete(walker, "xds.filter_chains") &&
           view_count(walker->view, name) <= EVIDENCE_ROWS_MAX;
}

static void list(char out[LISTED_MAX], const char *text)
{
    size_t len = strlen(out);
    if (text && *text && len + strlen(text) + 3 < LISTED_MAX)
        snprintf(out + len, LISTED_MAX - len, "%s%s", len ? ", " : "", text);
    else if (text && len && len + 5 < LISTED_MAX && !str_ends(out, "..."))
        snprintf(out + len, LISTED_MAX - len, " ...");
}

static bool without_host(struct walker *walker, const struct record *any, bool cut,
                         const char *domains)
{
    const char *host = walker->request->host;
    const char *config = walk_text(walker->chain, "route_config");
    bool rds = walk_is(walker->chain, "routes_from", "rds");
    if (any && !host)
        return walk_gives_up(walker, "which virtual host it is hangs on the Host of the request");
    if (cut || !routes_complete(walker, "xds.virtual_hosts"))
        return walk_gives_up(walker, cut ? "a virtual host has more domains than were read"
                                         : "the routes are not in evidence (config_dump)");
    if (!any && rds) {
        walk_hop(walker, "route-config", config, walker->chain,
                 walk_printf(walker,
                             "route configuration '%s' is in no dump of the proxy's routes: the "
                             "management server has not answered it, or it is empty",
                             config ? config : ""));
        return walk_breaks(walker, WALK_ANSWERED, 404, "NR");
    }
    const char *why = walk_printf(walker, "no virtual host serves '%s'%s%s%s", host ? host : "",
                                  *domains ? " (there are: " : "", domains, *domains ? ")" : "");
    walk_hop(walker, "virtual-host", NULL, any ? any : walker->chain, why);
    return walk_breaks(walker, WALK_ANSWERED, 404, "NR");
}

static bool find_host(struct walker *walker)
{
    const struct record *any = NULL;
    const char *domain = NULL, *config = walk_text(walker->chain, "route_config");
    size_t len = 0;
    char domains[LISTED_MAX] = "";
    int best = 0;
    bool cut = false;
    for (const struct record *r = NULL; (r = walk_next(walker, "xds.virtual_hosts", r));) {
        const char *matched = NULL;
        size_t matched_len = 0;
        if (!is_of(walker, r))
            continue;
        any = any ? any : r;
        cut |= walk_is(r, "domains_cut", "yes");
        list(domains, walk_text(r, "domains"));
        int score = host_score(walker, r, &matched, &matched_len);
        if (score > best) {
            best = score;
            walker->route_host = r;
            domain = matched;
            len = matched_len;
        }
    }
    if (!best || (!walker->request->host && best == 1 && strchr(domains, ',')))
        return without_host(walker, any, cut, domains);
    walk_hop(walker, "route-config", config, walker->chain,
             walk_is(walker->chain, "routes_from", "rds") ? "by RDS" : "inline");
    walk_hop(walker, "virtual-host", walk_text(walker->route_host, "name"), walker->route_host,
             walk_printf(walker, "domain %.*s serves '%s'", (int)len, domain,
                         walker->request->host ? walker->request->host : "any host"));
    return true;
}

/* ---- routes ---- */

enum match { NO, MAYBE, YES };

static enum match match_regex(const struct walker *walker, const char *pattern, const char *path,
                              size_t len)
{
    struct err err = ERR_INIT;
    struct regex *regex = regex_new(walk_printf(walker, "^(?:%s)$", pattern), 0, &err);
    if (!regex) /* RE2 knows things that PCRE2 does not */
        return MAYBE;
    bool match = regex_match(regex, path, len, 0, NULL, 0);
    regex_free(regex);
    return match ? YES : NO;
}

static enum match match_path(const struct walker *walker, const struct record *route)
{
    const char *kind = walk_text(route, "match"), *value = walk_text(route, "value");
    const char *path = path_of(walker);
    bool caseless = walk_is(route, "case_sensitive", "no");
    int (*compare)(const char *, const char *, size_t) = caseless ? strncasecmp : strncmp;
    size_t path_len = strcspn(path, "?#"), len = value ? strlen(value) : 0;
    bool connect = str_equal(walker->request->method, "CONNECT"); /* which comes without a path */
    if (connect || str_equal(kind, "connect"))
        return connect && str_equal(kind, "connect") ? YES : NO;
    if (!kind || str_equal(kind, "template"))
        return MAYBE;
    if (str_equal(kind, "regex"))
        return value ? match_regex(walker, value, path, path_len) : MAYBE;
    if (len > path_len || (len && compare(path, value, len) != 0))
        return NO;
    if (str_equal(kind, "path"))
        return len == path_len ? YES : NO;
    if (str_equal(kind, "path_separated_prefix"))
        return path_len == len || path[len] == '/' ? YES : NO;
    return YES;
}

static enum match match_route(const struct walker *walker, const struct record *route)
{
    const char *method = walk_text(route, "method"), *count = walk_text(route, "headers");
    const char *asked = walker->request->method ? walker->request->method : "GET";
    enum match match = match_path(walker, route);
    if (match == NO || (method && strcmp(method, asked) != 0))
        return NO;
    return count && atoi(count) > (method ? 1 : 0) ? MAYBE : match;
}

static const char *matcher(const struct walker *walker, const struct record *route)
{
    const char *kind = walk_text(route, "match"), *value = walk_text(route, "value");
    return walk_printf(walker, "%s%s%.200s", kind ? kind : "a condition", value ? " " : "",
                       value ? value : "");
}

struct found {
    const struct record *sure, *may;
    bool any;
    char paths[LISTED_MAX];
};

static void find_routes(struct walker *walker, struct found *found)
{
    const struct record *host = walker->route_host;
    *found = (struct found){.any = false};
    for (const struct record *r = NULL; (r = walk_next(walker, "xds.routes", r));) {
        if (!walk_inside(r, host))
            continue;
        found->any = true;
        enum match match = match_route(walker, r);
        if (match == MAYBE && !found->may)
            found->may = r;
        if (match == YES) {
            found->sure = r;
            return;
        }
        if (match == NO)
            list(found->paths, matcher(walker, r));
    }
}

static bool without_route(struct walker *walker, const struct found *found)
{
    const char *routes = walk_text(walker->route_host, "routes");
    if ((!found->any && routes && atoi(routes)) || !routes_complete(walker, "xds.routes"))
        return walk_gives_up(walker, "the routes are not in evidence (config_dump)");
    walk_hop(walker, "route", NULL, walker->route_host,
             walk_printf(walker, "no route of virtual host '%s' matches %s%s%s%s",
                         walk_text(walker->route_host, "name"), path_of(walker),
                         *found->paths ? " (there are: " : "", found->paths,
                         *found->paths ? ")" : ""));
    return walk_breaks(walker, WALK_ANSWERED, 404, "NR");
}

/* Redirects and direct responses are answers that somebody wanted. */
static bool follow_action(struct walker *walker)
{
    const char *action = walk_text(walker->route, "action");
    const char *target = walk_text(walker->route, "target");
    const char *code = walk_text(walker->route, "code");
    if (str_equal(action, "redirect"))
        return walk_answers(walker, code ? atoi(code) : 301);
    if (str_equal(action, "direct"))
        return walk_answers(walker, target ? atoi(target) : 200);
    if (str_equal(action, "cluster_header"))
        return walk_gives_up(walker, walk_printf(walker, "the cluster stands in header %s",
                                                 target ? target : "of the request"));
    if (!action)
        return walk_gives_up(walker, "what the route does with the request is not followed");
    return true;
}

static const char *action_text(const struct walker *walker, const struct record *route)
{
    const char *action = walk_text(route, "action"), *target = walk_text(route, "target");
    if (str_equal(action, "direct"))
        return walk_printf(walker, "answers %s itself", target ? target : "200");
    if (str_equal(action, "redirect"))
        return walk_printf(walker, "redirects%s%.100s", target ? " to " : "", target ? target : "");
    return str_equal(action, "weighted") ? "shares requests among several clusters" : "leads on";
}

bool walk_route(struct walker *walker)
{
    struct found found;
    if (walker->request->tcp || walk_is(walker->chain, "network_filter", "tcp_proxy"))
        return true;
    if (walk_is(walker->chain, "routes_from", "scoped"))
        return walk_gives_up(walker, "the route configuration is picked by a scope, from headers");
    if (!find_host(walker))
        return false;
    if (walk_is(walker->route_host, "matcher", "yes"))
        return walk_gives_up(walker,
                             "the route is picked by a matching tree, which is not followed");
    const char *require_tls = walk_text(walker->route_host, "require_tls");
    if (require_tls && !walker->request->tls)
        walk_depends(walker, "x-forwarded-proto: plain requests are redirected to https");
    if (str_equal(require_tls, "ALL") && !walker->request->tls)
        return walk_answers(walker, 301);
    find_routes(walker, &found);
    walker->route = found.sure ? found.sure : found.may;
    if (!walker->route)
        return without_route(walker, &found);
    if (found.may)
        walk_depends(walker, walk_printf(walker, "the headers or parameters that route %s asks for",
                                         matcher(walker, found.may)));
    if (walk_is(walker->route, "fault", "yes"))
        walk_depends(walker, "the faults that the route injects");
    walk_hop(walker, "route", matcher(walker, walker->route), walker->route,
             walk_printf(walker, "%s %s; %s", found.sure ? "matches" : "may match", path_of(walker),
                         action_text(walker, walker->route)));
    return follow_action(walker);
}
