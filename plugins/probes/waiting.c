/* Section probes: names what initialisation waits for. Reads init_dump, the config dump's warming
 * resources and the subscriptions' counters; reports each unanswered request as a finding of its own,
 * with the resource as subject. Deliberately says nothing of why the server does not answer. */
#include "waiting.h"
#include <string.h>

static void note(struct waiting *waiting, const char *what, const char *name)
{
    size_t used = strlen(waiting->text);
    waiting->count++;
    if (used + 8 < sizeof waiting->text)
        snprintf(waiting->text + used, sizeof waiting->text - used, "%s%s '%s'", used ? ", " : "",
                 what, name);
}

static void cite_gauge(struct debrief_ctx *ctx, struct debrief_finding *finding,
                       const struct facts *facts, enum gauge_id id)
{
    if (facts->gauges[id].record)
        debrief_cite(ctx, finding, facts->gauges[id].record);
}

static void advise_unanswered(struct debrief_ctx *ctx, struct debrief_finding *finding,
                              const char *what)
{
    debrief_advise(ctx, finding, what, NULL);
    debrief_advise(
        ctx, finding,
        "look at the management server's own log for this proxy's node id: does it build "
        "the resource, and does it fail to",
        NULL);
    debrief_when(ctx, finding, DEBRIEF_NOW);
}

static const struct debrief_record *find_named(struct debrief_ctx *ctx, const char *evidence,
                                               const char *name)
{
    DEBRIEF_EACH (ctx, evidence, r) {
        const char *other = debrief_text(ctx, r, "name");
        if (other && strcmp(other, name) == 0)
            return r;
    }
    return NULL;
}

static bool is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

/* ---- one finding each ---- */

static void report_endpoints(struct debrief_ctx *ctx, const char *name, const char *type,
                             const struct debrief_record *const proofs[], struct waiting *waiting)
{
    struct debrief_finding *finding = debrief_report(
        ctx, "probes.eds-unanswered", "cluster", name,
        "cluster '%s' waits for its endpoints: the management server has not answered the EDS "
        "request, "
        "and initialisation waits for the cluster",
        name);
    debrief_confidence(ctx, finding, is(type, "EDS") ? DEBRIEF_CERTAIN : DEBRIEF_LIKELY);
    for (size_t i = 0; proofs[i]; i++)
        debrief_cite(ctx, finding, proofs[i]);
    advise_unanswered(ctx, finding,
                      "have the management server answer for this cluster, if only with an empty "
                      "ClusterLoadAssignment; a Service without endpoints must still be answered");
    debrief_advise(ctx, finding, "ask what the proxy has got so far",
                   "curl -s 'http://ADMIN/config_dump?resource=dynamic_warming_clusters'");
    note(waiting, "the endpoints of cluster", name);
}

static void report_secret(struct debrief_ctx *ctx, const char *name,
                          const struct debrief_record *proof, struct waiting *waiting)
{
    struct debrief_finding *finding = debrief_report(
        ctx, "probes.secret-unanswered", "secret", name,
        "secret '%s' was asked for by SDS and has not come; what needs it waits", name);
    debrief_cite(ctx, finding, proof);
    advise_unanswered(
        ctx, finding,
        "see that the secret exists under exactly this name where the SDS server looks, "
        "and that this proxy may read it");
    note(waiting, "secret", name);
}

static void report_routes(struct debrief_ctx *ctx, const char *name,
                          const struct debrief_record *proof, struct waiting *waiting)
{
    struct debrief_finding *finding = debrief_report(
        ctx, "probes.routes-unanswered", "route-config", name,
        "route configuration '%s' was asked for by RDS and has not come; the listener that uses it "
        "does not accept",
        name);
    debrief_cite(ctx, finding, proof);
    advise_unanswered(ctx, finding,
                      "have the management server send a route configuration of exactly this name");
    note(waiting, "route configuration", name);
}

static void report_check(struct debrief_ctx *ctx, const struct wait *wait, struct waiting *waiting)
{
    struct debrief_finding *finding = debrief_report(
        ctx, "probes.health-check-pending", "cluster", wait->name,
        "cluster '%s' waits for its first health check: %.0f sent, none answered, none failed",
        wait->name, wait->checks);
    debrief_cite(ctx, finding, wait->record);
    debrief_advise(
        ctx, finding,
        "see that the host answers its health check at all: a host that refuses ends the "
        "wait, one that is silent does not",
        "curl -s 'http://ADMIN/clusters?format=json'");
    debrief_advise(ctx, finding, "give the check a shorter timeout, or take it off this cluster",
                   NULL);
    debrief_when(ctx, finding, DEBRIEF_NOW);
    note(waiting, "the first health check of cluster", wait->name);
}

/* ---- clusters ---- */

/* A cluster that came by CDS, is no DNS cluster, and whose own subscription has had no answer. */
static bool lacks_endpoints(const struct facts *facts, const struct wait *wait, const char *type)
{
    if (wait->kind != WAIT_CLUSTER || wait->attempts < 1 || wait->warming == 0)
        return false;
    if (type)
        return strcmp(type, "EDS") == 0;
    return facts_value(facts, CDS_OK) > 0;
}

static void waiting_by_counters(struct debrief_ctx *ctx, const struct facts *facts,
                                struct waiting *waiting)
{
    for (size_t i = 0; i < facts->waits_len; i++) {
        const struct wait *wait = &facts->waits[i];
        const struct debrief_record *known = find_named(ctx, "xds.clusters", wait->name);
        const char *type = known ? debrief_text(ctx, known, "type") : NULL;
        bool checks_open = wait->checks > 0 && wait->checks_ok == 0 && wait->checks_failed == 0;
        if (wait->kind == WAIT_CLUSTER && checks_open)
            report_check(ctx, wait, waiting);
        else if (lacks_endpoints(facts, wait, type))
            report_endpoints(ctx, wait->name, type,
                             (const struct debrief_record *const[]){wait->record, known, NULL},
                             waiting);
        else if (wait->kind == WAIT_SECRET && wait->attempts > 0)
            report_secret(ctx, wait->name, wait->record, waiting);
    }
}

/* Without counters: what the dump calls warming. A rejected cluster may stand there too, hence only
 * where the gauge does not deny it. */
static void waiting_by_dump(struct debrief_ctx *ctx, const struct facts *facts,
                            struct waiting *waiting)
{
    if (facts_known(facts, WARMING_CLUSTERS) && facts_value(facts, WARMING_CLUSTERS) == 0)
        return;
    DEBRIEF_EACH (ctx, "xds.clusters", r) {
        const char *name = debrief_text(ctx, r, "name"), *type = debrief_text(ctx, r, "type");
        if (name && is(debrief_text(ctx, r, "state"), "warming") && is(type, "EDS"))
            report_endpoints(ctx, name, type, (const struct debrief_record *const[]){r, NULL},
                             waiting);
    }
}

void waiting_log(struct debrief_ctx *ctx, const struct facts *facts, struct waiting *waiting)
{
    const char *phase = facts->phase ? debrief_text(ctx, facts->phase, "phase") : NULL;
    if (!phase || strstr(phase, "all clusters initialized"))
        return;
    DEBRIEF_EACH (ctx, "event.cluster_added", r) {
        const char *name = debrief_text(ctx, r, "cluster");
        if (name && debrief_time(ctx, r) >= debrief_time(ctx, facts->phase))
            report_endpoints(ctx, name, NULL, (const struct debrief_record *const[]){r, NULL},
                             waiting);
    }
}

void waiting_clusters(struct debrief_ctx *ctx, const struct facts *facts, struct waiting *waiting)
{
    waiting_by_counters(ctx, facts, waiting);
    if (!waiting->count)
        waiting_by_dump(ctx, facts, waiting);
    if (!waiting->count && !facts_known(facts, CDS_OK))
        waiting_log(ctx, facts, waiting);
}

/* ---- listeners ---- */

static void waiting_by_init_dump(struct debrief_ctx *ctx, struct waiting *waiting)
{
    DEBRIEF_EACH (ctx, "init.targets", r) {
        const char *kind = debrief_text(ctx, r, "kind"), *name = debrief_text(ctx, r, "name");
        if (is(kind, "rds") && name)
            report_routes(ctx, name, r, waiting);
        else if (is(kind, "sds") && name)
            report_secret(ctx, name, r, waiting);
        else
            note(waiting, "target", name ? name : "unknown");
    }
}

static void waiting_by_subscriptions(struct debrief_ctx *ctx, const struct facts *facts,
                                     struct waiting *waiting)
{
    for (size_t i = 0; i < facts->waits_len; i++) {
        const struct wait *wait = &facts->waits[i];
        if (wait->attempts < 1)
            continue;
        if (wait->kind == WAIT_ROUTES)
            report_routes(ctx, wait->name, wait->record, waiting);
        else if (wait->kind == WAIT_SECRET)
            report_secret(ctx, wait->name, wait->record, waiting);
    }
}

static void report_listeners(struct debrief_ctx *ctx, const struct facts *facts,
                             struct waiting *waiting)
{
    struct debrief_finding *finding = debrief_report(
        ctx, "probes.listeners-unanswered", "proxy", facts->node,
        "the management server has answered for clusters and never for listeners: %.0f "
        "LDS requests, none answered",
        facts_value(facts, LDS_ATTEMPT));
    cite_gauge(ctx, finding, facts, LDS_ATTEMPT);
    cite_gauge(ctx, finding, facts, LDS_OK);
    cite_gauge(ctx, finding, facts, CDS_OK);
    advise_unanswered(ctx, finding,
                      "have the management server answer LDS, if only with an empty list: a proxy "
                      "without listeners must still be told so");
    note(waiting, "the answer to", "LDS");
}

void waiting_listeners(struct debrief_ctx *ctx, const struct facts *facts, struct waiting *waiting)
{
    waiting_by_init_dump(ctx, waiting);
    if (!waiting->count)
        waiting_by_subscriptions(ctx, facts, waiting);
    bool asked = facts_value(facts, LDS_ATTEMPT) > 0;
    bool unanswered = facts_known(facts, LDS_OK) && facts_value(facts, LDS_OK) == 0 &&
                      facts_value(facts, LDS_REJECTED) == 0;
    if (!waiting->count && asked && unanswered && facts_value(facts, CDS_OK) > 0)
        report_listeners(ctx, facts, waiting);
}
