/* Section lb-health: why a load balancer holds the proxy for sick. Reads the health checks in the access
 * log, the health of targets, listeners and routes; writes one finding per way in which the check fails.
 * The checker's own request is more often wrong than the network, so that is judged first. */
#include "lb-health.h"
#include <string.h>

#define GUIDE "https://docs.aws.amazon.com/elasticloadbalancing/latest/"

bool lb_is(const char *value, const char *word)
{
    return value && strcmp(value, word) == 0;
}

const char *lb_group(struct lb *lb, const char *column)
{
    return lb->group ? debrief_text(lb->ctx, lb->group, column) : NULL;
}

static const char *proxy_name(struct lb *lb)
{
    const struct debrief_record *proxy = debrief_next(lb->ctx, "proxy", NULL);
    const char *id = proxy ? debrief_text(lb->ctx, proxy, "node_id") : NULL;
    return id ? id : "envoy";
}

/* The last part of an ARN's resource, "targetgroup/web/73e2d6bc24d8a067" -> "web". */
static const char *group_name(const char *arn, char out[128])
{
    const char *name = strstr(arn, "targetgroup/");
    name = name ? name + strlen("targetgroup/") : arn;
    snprintf(out, 128, "%.*s", (int)strcspn(name, "/"), name);
    return out;
}

struct debrief_finding *lb_report(struct lb *lb, const struct trouble *t, const char *id,
                                  const char *message)
{
    char name[128];
    const char *kind = "proxy", *subject = proxy_name(lb);
    if (*t->target) {
        kind = "target";
        subject = t->target;
    } else if (*t->arn) {
        kind = "target-group";
        subject = group_name(t->arn, name);
    }
    struct debrief_finding *finding = debrief_report(lb->ctx, id, kind, subject, "%s", message);
    debrief_when(lb->ctx, finding, DEBRIEF_NOW);
    for (int i = 0; i < t->cites_len; i++)
        debrief_cite(lb->ctx, finding, t->cites[i]);
    debrief_span(lb->ctx, finding, t->first, t->last, t->count);
    debrief_reference(lb->ctx, finding, GUIDE "application/target-group-health-checks.html");
    return finding;
}

/* ---- requests without a host, from the debug log ---- */

/* Envoy prints the headers of a request below this line; the pseudo header is there or it is not. */
static bool lacks_host(struct lb *lb, const struct debrief_record *record)
{
    const char *text = debrief_text(lb->ctx, record, "message");
    return text && strstr(text, "':path'") && !strstr(text, "':authority'") &&
           !strstr(text, "'host'");
}

static void judge_headers(struct lb *lb)
{
    struct debrief_finding *finding = NULL;
    static const char *const names[] = {"event.request", "event.missing_host"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        DEBRIEF_EACH (lb->ctx, names[i], record) {
            if (i == 0 && !lacks_host(lb, record))
                continue;
            bool first = !finding;
            if (first)
                finding = debrief_report(lb->ctx, "lb-health.missing-host-header", "proxy",
                                         proxy_name(lb),
                                         "requests arrive without a Host header, which HTTP/1.1 "
                                         "demands: the proxy answers 400");
            debrief_cite(lb->ctx, finding, record);
            if (first)
                advice_host_header(lb, finding);
        }
    }
}

/* ---- a gateway that is checked by HTTP ---- */

static void judge_gateway(struct lb *lb, const struct troubles *troubles)
{
    const struct debrief_record *proxy = debrief_next(lb->ctx, "proxy", NULL);
    const char *mode = proxy ? debrief_text(lb->ctx, proxy, "mode") : NULL;
    const char *check = lb_group(lb, "check_protocol"), *protocol = lb_group(lb, "protocol");
    bool by_http = check && strncmp(check, "HTTP", 4) == 0;
    bool network = protocol && strncmp(protocol, "HTTP", 4) != 0;
    if (!troubles->len || !lb_is(mode, "gateway") || !by_http || !network)
        return;
    struct debrief_finding *finding = debrief_report(
        lb->ctx, "lb-health.gateway-http-check", "target-group", lb_group(lb, "name"),
        "the gateway is checked by %s, so its health depends on routes and hosts; a network load "
        "balancer checks a gateway by TCP or TLS on the listener's port",
        check);
    debrief_cite(lb->ctx, finding, lb->group);
    debrief_reference(lb->ctx, finding, GUIDE "network/target-group-health-checks.html");
    advice_gateway(lb, finding);
}

/* ---- the check ---- */

/* The only target group of the evidence; with several, nobody says which one a target belongs to. */
static const struct debrief_record *only_group(struct debrief_ctx *ctx)
{
    const struct debrief_record *first = debrief_next(ctx, "aws.target_groups", NULL);
    return first && !debrief_next(ctx, "aws.target_groups", first) ? first : NULL;
}

/* Requests that the proxy logged tell more than the load balancer's summary of the same answers. */
static bool told_better(const struct troubles *troubles, const struct trouble *t)
{
    if (t->symptom != ANSWERED || t->flags)
        return false;
    for (int i = 0; i < troubles->len; i++)
        if (troubles->items[i].flags)
            return true;
    return false;
}

/* ECS says that a task was stopped for its checks, and no more than that. */
static void ask_about_stopped_tasks(struct lb *lb)
{
    const struct debrief_record *record = debrief_next(lb->ctx, "event.stopped", NULL);
    const char *arn = record ? debrief_text(lb->ctx, record, "arn") : NULL;
    if (!record)
        return;
    struct trouble t = {.symptom = BROKEN};
    snprintf(t.arn, sizeof t.arn, "%s", arn ? arn : "");
    t.cites[t.cites_len++] = record;
    lb_report(lb, &t, "lb-health.check-failing",
              "ECS stopped a task because the load balancer's checks of it failed; why they failed "
              "is not in the evidence");
    advice_ask_target_health(lb, &t);
    advice_ask_access_log(lb);
}

static bool is_concerned(struct lb *lb, const struct troubles *troubles)
{
    static const char *const names[] = {"aws.target_groups", "event.request", "event.missing_host",
                                        "event.stopped"};
    bool concerned = troubles->checker_seen;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        concerned |= debrief_next(lb->ctx, names[i], NULL) != NULL;
    return concerned;
}

static void run(struct debrief_ctx *ctx)
{
    struct lb lb = {.ctx = ctx, .group = only_group(ctx)};
    struct troubles troubles = {.len = 0};
    gather(&lb, &troubles);
    if (!is_concerned(&lb, &troubles)) {
        debrief_not_applicable(ctx, "no load balancer's check appears in the evidence");
        return;
    }
    for (int i = 0; i < troubles.len; i++) {
        if (told_better(&troubles, &troubles.items[i]))
            continue;
        if (troubles.items[i].symptom == ANSWERED)
            answers_judge(&lb, &troubles.items[i]);
        else
            sockets_judge(&lb, &troubles.items[i]);
    }
    judge_headers(&lb);
    judge_gateway(&lb, &troubles);
    if (!troubles.len)
        ask_about_stopped_tasks(&lb);
}

static const char *const needs[] = {
    "aws.target_health | aws.target_groups | access.health_check | text",
    "?aws.target_health",
    "?aws.target_groups",
    "?access.health_check",
    "?listeners",
    "?clusters",
    "?xds.listeners",
    "?xds.filter_chains",
    "?xds.virtual_hosts",
    "?xds.routes",
    "?xds.clusters",
    "?hosts",
    "?proxy",
    "?net.http",
    "?net.connect",
    "?aws.appmesh{gatewayRoute}",
    "?k8s.appmesh{GatewayRoute}",
    NULL};

static const struct debrief_event events[] = {
    {"request", "request headers complete \\(end_stream=", 0, 0},
    {"missing_host", "missing_host_header", 0, 0},
    {"unhealthy",
     "\\(port (?<port>[0-9]+)\\) is unhealthy in \\(?target-group (?<arn>[^ )]+)\\)? due to "
     "\\(reason "
     "(?<why>[^)]+)",
     0, 0},
    {"sentence", "Health checks failed with these codes: \\[(?<code>[0-9]{3})", 0, 0},
    {"stopped", "failed ELB health checks in \\(target-group (?<arn>[^ )]+)", 0, 0},
    {0}};

static const char *const explains_failing[] = {"lb-health.check-failing", NULL};
static const char *const explains_bytes[] = {"lb-health.check-failing", "upstreams.protocol-error",
                                             NULL};

static const struct debrief_finding_type findings[] = {
    {"lb-health.wrong-host", "no virtual host serves the Host of the check", DEBRIEF_ERROR, 0,
     explains_failing},
    {"lb-health.wrong-path", "the path of the check is not served as the check wants it",
     DEBRIEF_ERROR, 0, NULL},
    {"lb-health.missing-host-header", "requests come without a Host header", DEBRIEF_ERROR, 0,
     NULL},
    {"lb-health.port-mismatch", "the check asks a port on which the proxy does not listen",
     DEBRIEF_ERROR, 0, NULL},
    {"lb-health.no-listener", "nothing listens on the checked port", DEBRIEF_ERROR, 0, NULL},
    {"lb-health.protocol-mismatch", "check and listener speak different protocols", DEBRIEF_ERROR,
     0, NULL},
    {"lb-health.proxy-protocol", "load balancer and listener disagree on the PROXY protocol",
     DEBRIEF_ERROR, 0, explains_bytes},
    {"lb-health.backend-unready", "the backend behind the check is not ready", DEBRIEF_ERROR, 0,
     NULL},
    {"lb-health.gateway-http-check", "a gateway is checked by HTTP", DEBRIEF_WARNING, 0, NULL},
    {"lb-health.check-failing", "the check fails, the cause is not in evidence", DEBRIEF_WARNING, 0,
     NULL},
    {0}};

static const char *const tags[] = {"gateway", "ecs", "kubernetes", NULL};

static const struct debrief_check checks[] = {
    {.id = "lb-health",
     .title = "does the load balancer's check reach what it should?",
     .tags = tags,
     .applies = "mode != proxyless",
     .needs = needs,
     .events = events,
     .findings = findings,
     .run = run}};

DEBRIEF_PLUGIN("lb-health", "0.1.0", checks)
