/* Section lb-health, answers: the checker reached the proxy and was told something else than "healthy".
 * Reads the code, the response flag and the configuration; reports a wrong host, a wrong path or a
 * backend that is not ready, and asks where the code alone does not tell. */
#include "lb-health.h"
#include <string.h>

/* "GET /ping with Host '10.0.0.1:80'" */
static const char *question(const struct trouble *t, char out[900])
{
    snprintf(out, 900, "%s%s%s%s", *t->path ? t->path : "its path", *t->host ? " with Host '" : "",
             t->host, *t->host ? "'" : "");
    return out;
}

/* An address, also one with masked parts (192.168.X.X). */
static bool is_address(const char *host)
{
    size_t digits = strspn(host, "0123456789");
    return *host == '[' || (digits && digits <= 3 && host[digits] == '.' &&
                            strspn(host, "0123456789.:xX*") == strlen(host));
}

static const char *by_flag(const struct trouble *t)
{
    return t->flags && strstr(t->flags, "NR") ? "404 NR" : "404";
}

static void report_wrong_host(struct lb *lb, const struct trouble *t, const struct route *route)
{
    char asked[900], message[1600];
    snprintf(message, sizeof message,
             "the load balancer asks for %s, and %s%s: the proxy answers %s", question(t, asked),
             route->why ? "" : "most likely ",
             route->why ? route->why : "no virtual host serves that host", by_flag(t));
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.wrong-host", message);
    if (route->config) {
        debrief_cite(lb->ctx, finding, route->config);
        debrief_walked(lb->ctx, finding, route->walk);
    } else {
        debrief_confidence(lb->ctx, finding, DEBRIEF_LIKELY);
        debrief_candidate(lb->ctx, finding, "lb-health.wrong-path",
                          "a path without a route is answered in the same way", NULL);
        advice_ask_routes(lb);
    }
    advice_wrong_host(lb, finding, t);
}

static void report_wrong_path(struct lb *lb, const struct trouble *t, const struct route *route)
{
    char asked[900], message[1600];
    bool by_backend = t->upstream && strcmp(t->upstream, "-") != 0 && *t->upstream;
    if (by_backend)
        snprintf(
            message, sizeof message,
            "the load balancer asks for %s, and the application at %s answers 404: it does not "
            "know that path",
            question(t, asked), t->upstream);
    else
        snprintf(message, sizeof message,
                 "the load balancer asks for %s, and %s%s: the proxy answers %s",
                 question(t, asked), route->why ? "" : "most likely ",
                 route->why ? route->why : "no route of that host matches the path", by_flag(t));
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.wrong-path", message);
    if (route->config) {
        debrief_cite(lb->ctx, finding, route->config);
        debrief_walked(lb->ctx, finding, route->walk);
    } else if (!by_backend) {
        debrief_confidence(lb->ctx, finding, DEBRIEF_LIKELY);
        debrief_candidate(lb->ctx, finding, "lb-health.wrong-host",
                          "a host that no virtual host serves is answered in the same way", NULL);
        advice_ask_routes(lb);
    }
    advice_wrong_path(lb, finding, t);
}

/* ---- codes that have several causes ---- */

static void doubt_not_found(struct lb *lb, struct debrief_finding *finding)
{
    debrief_candidate(lb->ctx, finding, "lb-health.wrong-path",
                      "the application, or the proxy without a route for that path, answers 404",
                      NULL);
    debrief_candidate(
        lb->ctx, finding, "lb-health.wrong-host",
        "the check sends the target's address as Host, and a proxy whose virtual hosts "
        "name other hosts answers 404",
        NULL);
    advice_ask_routes(lb);
}

static void doubt_bad_request(struct lb *lb, struct debrief_finding *finding)
{
    debrief_candidate(lb->ctx, finding, "lb-health.protocol-mismatch",
                      "plain HTTP sent to a TLS port is answered with 400", NULL);
    debrief_candidate(lb->ctx, finding, "lb-health.missing-host-header",
                      "HTTP/1.1 without a Host header is answered with 400", NULL);
    debrief_candidate(lb->ctx, finding, "lb-health.proxy-protocol",
                      "bytes of the PROXY protocol before the request are answered with 400", NULL);
    advice_ask_headers(lb);
}

static void judge_other(struct lb *lb, const struct trouble *t)
{
    char asked[900], message[1900], met[600], code[48] = "a code that does not count as healthy";
    struct route route = {.match = MATCH_UNKNOWN};
    if (*t->path)
        route = routes_find(lb, t->port, t->host, t->path);
    if (t->code)
        snprintf(code, sizeof code, "%d", t->code);
    snprintf(message, sizeof message, "the load balancer's check of %s is answered with %s%s",
             question(t, asked), code, routes_text(&route, met));
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.check-failing", message);
    if (route.match == MATCH_FOUND) {
        debrief_cite(lb->ctx, finding, route.config);
        debrief_walked(lb->ctx, finding, route.walk);
    }
    if (t->code == 400)
        doubt_bad_request(lb, finding);
    else if (t->code == 404)
        doubt_not_found(lb, finding);
    else if (t->code == 401 || t->code == 403)
        debrief_advise(lb->ctx, finding,
                       "exempt the check's path from authorisation, or check by TCP", NULL);
    if (!t->code)
        advice_ask_target_health(lb, t);
    else if (!t->flags)
        advice_ask_access_log(lb);
}

/* ---- 3xx: the path leads elsewhere, and where it leads is not asked ---- */

static void judge_redirect(struct lb *lb, const struct trouble *t)
{
    char asked[900], message[1600];
    snprintf(message, sizeof message,
             "the load balancer asks for %s and is answered %d, a redirect: that does not count as "
             "healthy, and load balancers follow none",
             question(t, asked), t->code);
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.wrong-path", message);
    debrief_confidence(lb->ctx, finding, DEBRIEF_LIKELY);
    debrief_candidate(lb->ctx, finding, "lb-health.protocol-mismatch",
                      "whoever sends plain HTTP on to HTTPS answers every path so", NULL);
    advice_redirect(lb, finding, t);
}

/* ---- 404, where somebody tells who said it ---- */

/* Gateway routes of App Mesh say what the gateway serves: another check of this section reads them. */
static bool has_gateway_routes(struct lb *lb)
{
    return debrief_next(lb->ctx, "aws.appmesh", NULL) || debrief_next(lb->ctx, "k8s.appmesh", NULL);
}

static void judge_not_found(struct lb *lb, const struct trouble *t)
{
    char host[256];
    snprintf(host, sizeof host, "%s", *t->host ? t->host : t->target);
    const struct route unknown = {.match = MATCH_UNKNOWN};
    struct route route = routes_find(lb, t->port, host, *t->path ? t->path : "/");
    bool by_backend = t->upstream && *t->upstream && strcmp(t->upstream, "-") != 0;
    if (by_backend || route.match == MATCH_NO_PATH)
        report_wrong_path(lb, t, &route);
    else if (route.match == MATCH_NO_HOST)
        report_wrong_host(lb, t, &route);
    else if (!t->flags || has_gateway_routes(lb))
        judge_other(lb, t);
    else if (is_address(host))
        report_wrong_host(lb, t, &unknown);
    else
        report_wrong_path(lb, t, &unknown);
}

/* ---- 5xx ---- */

static const struct debrief_record *find_empty(struct lb *lb, const char *cluster)
{
    DEBRIEF_EACH (lb->ctx, "clusters", record) {
        const char *name = debrief_text(lb->ctx, record, "name");
        if (cluster && !lb_is(name, cluster))
            continue;
        if (debrief_num(lb->ctx, record, "healthy_hosts", 1) == 0)
            return record;
    }
    return NULL;
}

static void judge_unready(struct lb *lb, const struct trouble *t)
{
    struct route route = routes_find(lb, t->port, t->host, *t->path ? t->path : "/");
    const struct debrief_record *empty = find_empty(lb, route.cluster);
    const char *cluster = empty ? debrief_text(lb->ctx, empty, "name") : route.cluster;
    char asked[900], message[1600];
    snprintf(message, sizeof message, "the load balancer's check of %s is answered %d%s%s: %s%s%s",
             question(t, asked), t->code, t->flags && strcmp(t->flags, "-") != 0 ? " " : "",
             t->flags && strcmp(t->flags, "-") != 0 ? t->flags : "",
             empty ? "no host is healthy in cluster '"
                   : "the backend behind that path is not ready",
             empty ? cluster : "", empty ? "'" : "");
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.backend-unready", message);
    if (empty)
        debrief_cite(lb->ctx, finding, empty);
    else
        debrief_confidence(lb->ctx, finding, DEBRIEF_LIKELY);
    advice_backend(lb, finding, cluster);
}

void answers_judge(struct lb *lb, const struct trouble *t)
{
    if (t->code == 404)
        judge_not_found(lb, t);
    else if (t->code >= 500)
        judge_unready(lb, t);
    else if (t->code >= 300 && t->code < 400)
        judge_redirect(lb, t);
    else
        judge_other(lb, t);
}
