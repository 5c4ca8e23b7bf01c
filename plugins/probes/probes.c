/* Section probes: what the server's state says, and what keeps it from LIVE. Reads the facts that
 * facts.c gathers; writes one finding on the state and, through waiting.c, one for each thing that is
 * waited for. Deliberately does not judge the link to the management server: that is ems-connection's
 * and grpc-codes', which explain what is found here. */
#include "facts.h"
#include "waiting.h"
#include <stdlib.h>
#include <string.h>

static const char init_docs[] =
    "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/operations/init";
static const char admin_docs[] = "https://www.envoyproxy.io/docs/envoy/latest/operations/admin";

static double patience(struct debrief_ctx *ctx)
{
    const char *text = debrief_param(ctx, "patience");
    return text ? strtod(text, NULL) : 10;
}

static bool is_young(struct debrief_ctx *ctx, const struct facts *facts)
{
    return facts->uptime >= 0 && facts->uptime < patience(ctx);
}

static struct debrief_finding *report_state(struct debrief_ctx *ctx, const struct facts *facts,
                                            const char *id, const char *message)
{
    struct debrief_finding *finding = debrief_report(ctx, id, "proxy", facts->node, "%s", message);
    debrief_cite(ctx, finding, facts->state_record);
    if (facts->from_log) {
        debrief_confidence(ctx, finding, DEBRIEF_LIKELY);
        debrief_span(ctx, finding, 0, facts->log_end, 0); /* the log's last word on it */
    } else {
        debrief_when(ctx, finding, DEBRIEF_NOW);
    }
    debrief_reference(ctx, finding, init_docs);
    return finding;
}

static void ask_server(struct debrief_ctx *ctx, const char *evidence, const char *why)
{
    debrief_ask(ctx, evidence, why, "@debrief@");
}

static void ask_log(struct debrief_ctx *ctx)
{
    debrief_ask(ctx, "log/envoy.log", "the log tells how the stream to the management server ended",
                "@log@");
}

/* ---- PRE_INITIALIZING ---- */

static void pre_init_message(const struct facts *facts, const struct waiting *waiting, char *out,
                             size_t cap)
{
    if (waiting->count)
        snprintf(out, cap, "PRE_INITIALIZING: initialisation waits for %s", waiting->text);
    else if (facts_known(facts, CDS_OK) && facts_value(facts, CDS_OK) > 0)
        snprintf(out, cap, "PRE_INITIALIZING: clusters have come and are not ready yet%s",
                 facts->from_log ? ", or listeners were asked for and have not come" : "");
    else if (facts_known(facts, CDS_ATTEMPT) && facts_value(facts, CDS_ATTEMPT) == 0)
        snprintf(
            out, cap,
            "PRE_INITIALIZING: a static cluster is not ready (its name is looked up, or its first "
            "health check is open), so the management server was not asked yet");
    else if (facts_known(facts, CDS_OK))
        snprintf(
            out, cap,
            "PRE_INITIALIZING: the management server has not sent the clusters (%.0f requests)",
            facts_value(facts, CDS_ATTEMPT));
    else
        snprintf(out, cap,
                 "PRE_INITIALIZING: the proxy has not got its clusters, and no listener "
                 "accepts");
}

static void add_candidates(struct debrief_ctx *ctx, struct debrief_finding *finding)
{
    debrief_candidate(ctx, finding, "ems-connection.not-connected",
                      "a proxy that cannot reach its management server waits like this", NULL);
    debrief_candidate(ctx, finding, "ems-connection.no-answer",
                      "so does one whose server accepts and never answers", NULL);
    debrief_candidate(ctx, finding, "grpc-codes.permission-denied",
                      "so does one whose stream is refused", NULL);
    debrief_candidate(ctx, finding, "probes.eds-unanswered",
                      "so does one that got clusters and no endpoints", NULL);
}

/* Clusters came; which of them waits, and for what, only the proxy's own pages tell. */
static void doubt_clusters(struct debrief_ctx *ctx, struct debrief_finding *finding)
{
    debrief_candidate(ctx, finding, "probes.eds-unanswered",
                      "a cluster whose endpoints are not sent holds back all listeners", NULL);
    debrief_candidate(ctx, finding, "probes.secret-unanswered",
                      "so does one whose certificate is not sent", NULL);
    debrief_candidate(ctx, finding, "probes.listeners-unanswered",
                      "listeners that are asked for and not sent look the same", NULL);
    ask_server(ctx, "admin/config_dump.json, admin/stats.txt",
               "dynamic_warming_clusters, and update_attempt beside update_success, name what is "
               "waited for");
}

static void judge_pre_init(struct debrief_ctx *ctx, const struct facts *facts)
{
    struct waiting waiting = {0};
    char message[768];
    bool young = is_young(ctx, facts);
    if (!young)
        waiting_clusters(ctx, facts, &waiting);
    pre_init_message(facts, &waiting, message, sizeof message);
    struct debrief_finding *finding = report_state(ctx, facts, "probes.pre-initializing", message);
    if (facts->gauges[CDS_OK].record)
        debrief_cite(ctx, finding, facts->gauges[CDS_OK].record);
    if (young)
        debrief_severity(ctx, finding, DEBRIEF_INFO);
    debrief_advise(
        ctx, finding,
        "find what the proxy waits for: no listener accepts before its clusters are there",
        "curl -s 'http://ADMIN/stats?filter=cluster_manager|control_plane'");
    if (!facts_known(facts, CDS_OK) && !waiting.count && !young) {
        add_candidates(ctx, finding);
        ask_server(ctx, "admin/stats.txt",
                   "update_attempt, update_success and connected_state tell what is waited for");
        if (debrief_state(ctx, "log.xds_closed") == DEBRIEF_ABSENT)
            ask_log(ctx);
    } else if (facts->from_log && facts_value(facts, CDS_OK) > 0 && !waiting.count && !young) {
        doubt_clusters(ctx, finding);
    }
}

/* ---- INITIALIZING ---- */

static void judge_init(struct debrief_ctx *ctx, const struct facts *facts)
{
    struct waiting waiting = {0};
    char message[768] = "INITIALIZING: clusters are there, listeners wait and do not accept";
    bool young = is_young(ctx, facts);
    if (!young)
        waiting_listeners(ctx, facts, &waiting);
    if (waiting.count)
        snprintf(message, sizeof message, "INITIALIZING: listeners wait for %s", waiting.text);
    struct debrief_finding *finding = report_state(ctx, facts, "probes.initializing", message);
    if (young)
        debrief_severity(ctx, finding, DEBRIEF_INFO);
    debrief_advise(ctx, finding, "see what each listener waits for",
                   "curl -s http://ADMIN/init_dump");
    if (waiting.count || young)
        return;
    if (debrief_state(ctx, "init.targets") == DEBRIEF_ABSENT)
        ask_server(ctx, "admin/init_dump.json",
                   "it names the routes and secrets that listeners wait for");
    if (!facts_known(facts, LDS_OK))
        ask_server(ctx, "admin/stats.txt",
                   "listener_manager.lds.update_success tells whether listeners have come");
}

/* ---- DRAINING, and closed though LIVE ---- */

static void judge_draining(struct debrief_ctx *ctx, const struct facts *facts)
{
    struct debrief_finding *finding = report_state(
        ctx, facts, "probes.draining",
        "DRAINING: the health check of this proxy was failed on purpose, so probes and load "
        "balancers "
        "take it out of service");
    debrief_advise(
        ctx, finding,
        "find who called /healthcheck/fail (preStop hook, shutdown manager, an operator), or "
        "whether a drain flag file was there at the start",
        NULL);
    debrief_advise(ctx, finding, "if it should serve again",
                   "curl -s -X POST http://ADMIN/healthcheck/ok");
    debrief_reference(ctx, finding, admin_docs);
}

static void judge_stopped(struct debrief_ctx *ctx, const struct facts *facts)
{
    char message[256];
    double closed = facts_value(facts, LISTENERS_STOPPED);
    snprintf(message, sizeof message,
             "LIVE, yet %.0f of its listeners %s closed by /drain_listeners: new connections are "
             "refused while /ready goes on to answer 200",
             closed, closed == 1 ? "was" : "were");
    struct debrief_finding *finding = report_state(ctx, facts, "probes.listener-drained", message);
    debrief_cite(ctx, finding, facts->gauges[LISTENERS_STOPPED].record);
    debrief_advise(
        ctx, finding,
        "start the proxy anew: closed listeners do not open again, /healthcheck/ok does not "
        "help",
        NULL);
    debrief_advise(ctx, finding,
                   "find who called /drain_listeners (preStop hook, agent, deployment script)",
                   NULL);
    debrief_reference(ctx, finding, admin_docs);
    debrief_ask(ctx, "manifest/pod.yaml", "who called /drain_listeners: a preStop hook or an agent",
                "@definition@");
}

/* ---- LIVE without configuration ---- */

static bool unanswered(const struct facts *facts, enum gauge_id attempt, enum gauge_id ok,
                       enum gauge_id rejected)
{
    return facts_value(facts, attempt) > 0 && facts_known(facts, ok) &&
           facts_value(facts, ok) == 0 && facts_value(facts, rejected) == 0;
}

/* All listeners that came were refused, and none is there: what refused them explains this. */
static void judge_all_rejected(struct debrief_ctx *ctx, const struct facts *facts)
{
    bool none_active = facts_known(facts, LISTENERS_ACTIVE) &&
                       facts_value(facts, LISTENERS_ACTIVE) == 0;
    bool none_accepted = facts_known(facts, LDS_OK) && facts_value(facts, LDS_OK) == 0;
    if (!none_active || !none_accepted || facts_value(facts, LDS_REJECTED) == 0)
        return;
    struct debrief_finding *finding = report_state(
        ctx, facts, "probes.live-unconfigured",
        "LIVE, yet no listener is active: every update of the listeners was rejected");
    debrief_cite(ctx, finding, facts->gauges[LDS_REJECTED].record);
    debrief_cite(ctx, finding, facts->gauges[LISTENERS_ACTIVE].record);
    debrief_advise(ctx, finding,
                   "find in the proxy's log why the listeners were rejected, and correct them",
                   "grep -E 'config for .* rejected' envoy.log");
}

static void judge_unconfigured(struct debrief_ctx *ctx, const struct facts *facts)
{
    bool no_listeners = unanswered(facts, LDS_ATTEMPT, LDS_OK, LDS_REJECTED);
    bool no_clusters = unanswered(facts, CDS_ATTEMPT, CDS_OK, CDS_REJECTED);
    if (!no_listeners && !no_clusters)
        return;
    char message[320];
    bool serves = facts_value(facts, LISTENERS_ACTIVE) > 0;
    snprintf(
        message, sizeof message,
        "LIVE, yet the management server has never sent %s%s: the first wait is over and the proxy "
        "%s",
        no_listeners ? "listeners" : "clusters", no_listeners && no_clusters ? " or clusters" : "",
        serves ? "serves its static listeners alone" : "serves nothing");
    struct debrief_finding *finding = report_state(ctx, facts, "probes.live-unconfigured", message);
    debrief_cite(ctx, finding, facts->gauges[no_listeners ? LDS_OK : CDS_OK].record);
    if (facts_value(facts, LDS_TIMED_OUT) > 0)
        debrief_cite(ctx, finding, facts->gauges[LDS_TIMED_OUT].record);
    if (serves)
        debrief_severity(ctx, finding, DEBRIEF_WARNING);
    debrief_advise(ctx, finding,
                   "mend the link to the management server; LIVE does not mean configured", NULL);
    debrief_advise(
        ctx, finding,
        "set initial_fetch_timeout to 0s, so that the proxy is not ready before it has its "
        "configuration",
        NULL);
}

static bool is_listener_type(const char *type_url)
{
    return type_url && (strstr(type_url, "Listener") || strstr(type_url, "Cluster")) &&
           !strstr(type_url, "LoadAssignment");
}

/* Log alone: the wait for listeners or clusters ran out and none has come since. */
static void judge_unconfigured_log(struct debrief_ctx *ctx, const struct facts *facts)
{
    const struct debrief_record *timed_out = NULL;
    DEBRIEF_EACH (ctx, "log.fetch_timeout", r) {
        if (is_listener_type(debrief_text(ctx, r, "type_url")))
            timed_out = r;
    }
    if (!timed_out || facts_known(facts, LDS_OK))
        return;
    DEBRIEF_EACH (ctx, "log.xds_answered", r) {
        bool update = debrief_text(ctx, r, "type") != NULL;
        if (update && debrief_time(ctx, r) >= debrief_time(ctx, timed_out))
            return;
    }
    struct debrief_finding *finding = report_state(
        ctx, facts, "probes.live-unconfigured",
        "LIVE, yet the first wait for the management server's answer ran out and nothing has come "
        "since");
    debrief_cite(ctx, finding, timed_out);
    debrief_confidence(ctx, finding, DEBRIEF_LIKELY);
    debrief_advise(ctx, finding, "mend the link to the management server", NULL);
    ask_server(ctx, "admin/stats.txt",
               "cds.update_success and lds.update_success tell whether it was configured since");
}

static void judge_live(struct debrief_ctx *ctx, const struct facts *facts)
{
    if (facts_value(facts, LISTENERS_STOPPED) > 0)
        judge_stopped(ctx, facts);
    judge_all_rejected(ctx, facts);
    judge_unconfigured(ctx, facts);
    judge_unconfigured_log(ctx, facts);
}

/* ---- beside the state ---- */

/* Why the platform stopped the task, where it says so; NULL otherwise. */
static const char *stop_reason(struct debrief_ctx *ctx, const struct debrief_record **proof)
{
    DEBRIEF_EACH (ctx, "aws.tasks", r) {
        *proof = r;
        if (debrief_text(ctx, r, "stoppedReason"))
            return debrief_text(ctx, r, "stoppedReason");
    }
    *proof = debrief_next(ctx, "event.stop_reason", NULL);
    return *proof ? debrief_text(ctx, *proof, "why") : NULL;
}

static void judge_terminating(struct debrief_ctx *ctx, const struct facts *facts)
{
    const struct debrief_record *proof = NULL;
    const char *why = stop_reason(ctx, &proof);
    struct debrief_finding *finding = debrief_report(
        ctx, "probes.terminating", "proxy", facts->node,
        "the proxy was told to stop (%s)%s%s; what probes and streams say afterwards "
        "belongs to that",
        debrief_text(ctx, facts->terminating, "step"), why ? ", and the platform says why: " : "",
        why ? why : "");
    debrief_cite(ctx, finding, facts->terminating);
    if (why)
        debrief_cite(ctx, finding, proof);
}

/* Up to 1.8 /server_info was a line of text, since 1.9 it is JSON: commands that read it broke. */
static void ask_old_command(struct debrief_ctx *ctx)
{
    const struct debrief_record *proxy = debrief_next(ctx, "proxy", NULL);
    const char *version = proxy ? debrief_text(ctx, proxy, "version") : NULL;
    int major = 0, minor = 0;
    if (!version || sscanf(version, "%d.%d", &major, &minor) != 2 || major != 1 || minor > 9)
        return;
    if (debrief_state(ctx, "probes") == DEBRIEF_ABSENT)
        debrief_ask(
            ctx, "manifest/task-definition.json, or the pod's YAML",
            "up to Envoy 1.8 /server_info is one line of text, from 1.9 JSON: a health check "
            "command that reads the other form fails on a proxy that is LIVE",
            "@definition@ (the container's health check command)");
}

static void ask_for_state(struct debrief_ctx *ctx)
{
    bool failed = debrief_next(ctx, "event.probe_failed", NULL) != NULL;
    ask_server(
        ctx, "admin/server_info.json",
        failed ? "a probe failed, which is a symptom: the server's state tells whether it waits, "
                 "drains or is LIVE"
               : "the server's state tells whether it waits, drains or is LIVE");
}

static void judge_unknown(struct debrief_ctx *ctx, const struct facts *facts)
{
    struct waiting waiting = {0};
    waiting_log(ctx, facts, &waiting);
    if (waiting.count || !facts->terminating)
        ask_for_state(ctx);
    if (waiting.count)
        ask_server(ctx, "admin/stats.txt",
                   "update_attempt and update_success of the cluster tell whether it still waits");
}

static void run(struct debrief_ctx *ctx)
{
    struct facts facts;
    facts_read(ctx, &facts);
    if (facts.terminating)
        judge_terminating(ctx, &facts);
    switch (facts.state) {
    case STATE_LIVE:
        judge_live(ctx, &facts);
        break;
    case STATE_DRAINING:
        judge_draining(ctx, &facts);
        break;
    case STATE_PRE_INITIALIZING:
        judge_pre_init(ctx, &facts);
        break;
    case STATE_INITIALIZING:
        judge_init(ctx, &facts);
        break;
    case STATE_NONE:
        judge_unknown(ctx, &facts);
        break;
    }
    ask_old_command(ctx);
    facts_release(&facts);
}

/* ---- what the host reads ---- */

static const char *const tags[] = {"xds", "appmesh", "istio", "consul", "gateway", NULL};

static const char *const needs[] = {
    "ready | proxy | stats{server.state} | log.cm_init | event.probe_failed",
    "?stats{cluster_manager.cds.*}",
    "?stats{listener_manager.lds.*}",
    "?stats{cluster_manager.warming_clusters}",
    "?stats{listener_manager.listener_stopped}",
    "?stats{listener_manager.total_listeners_active}",
    "?stats{server.uptime}",
    "?stats{cluster.*.update_attempt}",
    "?stats{cluster.*.update_success}",
    "?stats{cluster.*.warming_state}",
    "?stats{cluster.*.health_check.*}",
    "?stats{sds.*.update_*}",
    "?stats{http.*.rds.*.update_*}",
    "?init.targets",
    "?xds.clusters",
    "?log",
    "?log.start",
    "?log.stop",
    "?log.workers_started",
    "?aws.tasks",
    "?log.fetch_timeout",
    "?log.not_ready",
    "?log.xds_answered",
    "?log.xds_closed",
    "?probes",
    NULL,
};

static const struct debrief_event events[] = {
    {"cluster_added", "add/update cluster (?<cluster>\\S+) during init", 0, 0},
    {"agent_ready", "Envoy proxy is ready", 0, 0},
    {"stop_reason", "\"stoppedReason\": ?\"(?<why>[^\"\\n]{1,200})\"", 0, 0},
    {"probe_failed", "(?<kind>Readiness|Liveness|Startup) probe failed", 0, 0},
    {0},
};

static const char *const explains_init[] = {"lb-health.no-listener", "lb-health.backend-unready",
                                            NULL};
static const char *const explains_wait[] = {"probes.pre-initializing",   "probes.initializing",
                                            "probes.live-unconfigured",  "lb-health.no-listener",
                                            "lb-health.backend-unready", NULL};
static const char *const explains_stop[] = {"probes.draining",           "probes.listener-drained",
                                            "probes.pre-initializing",   "probes.initializing",
                                            "grpc-codes.graceful-close", "lb-health.no-listener",
                                            "lb-health.backend-unready", NULL};

static const struct debrief_finding_type findings[] = {
    {"probes.pre-initializing", "PRE_INITIALIZING: no clusters yet", DEBRIEF_ERROR, 0,
     explains_init},
    {"probes.initializing", "INITIALIZING: no listeners yet", DEBRIEF_ERROR, 0, explains_init},
    {"probes.draining", "the proxy drains", DEBRIEF_ERROR, 0, explains_init},
    {"probes.listener-drained", "LIVE, yet its listeners are closed", DEBRIEF_ERROR, 0,
     explains_init},
    {"probes.live-unconfigured", "LIVE without configuration", DEBRIEF_ERROR, 0, explains_init},
    {"probes.eds-unanswered", "a cluster waits for its endpoints", DEBRIEF_ERROR, 0, explains_wait},
    {"probes.secret-unanswered", "a secret has not come", DEBRIEF_ERROR, 0, explains_wait},
    {"probes.listeners-unanswered", "listeners were asked for and have not come", DEBRIEF_ERROR, 0,
     explains_wait},
    {"probes.routes-unanswered", "routes were asked for and have not come", DEBRIEF_ERROR, 0,
     explains_wait},
    {"probes.health-check-pending", "a first health check has no answer yet", DEBRIEF_ERROR, 0,
     explains_wait},
    {"probes.terminating", "the proxy was told to stop", DEBRIEF_INFO, 0, explains_stop},
    {0},
};

static const struct debrief_param params[] = {
    {"patience", DEBRIEF_NUMBER, 0, "10",
     "seconds of uptime before a proxy that is still initialising counts as stuck"},
    {0},
};

static const struct debrief_check checks[] = {
    {.id = "probes",
     .title = "is the proxy ready, and if not what does it wait for?",
     .tags = tags,
     .applies = "mode != proxyless",
     .needs = needs,
     .events = events,
     .findings = findings,
     .params = params,
     .run = run},
};

DEBRIEF_PLUGIN("probes", "0.1.0", checks)
