/* Section lb-health, sockets: the check met no answer at all. Reads which ports the proxy listens on and
 * what its filter chains expect; reports a missing listener, another port or another protocol. A
 * security group is only ever a candidate here: nothing in the proxy shows a packet that did not come. */
#include "lb-health.h"
#include <stdlib.h>
#include <string.h>

struct ports { /* what the proxy listens on, as far as the evidence tells */
    bool known;
    int len;             /* accepted listeners */
    int other;           /* some port of them */
    const char *refused; /* name of the listener for the checked port that was rejected */
    const char *error;
    const struct debrief_record *record; /* proof: of the refusal, or of another port */
    bool found;                          /* one is on the checked port */
    bool captures;                       /* traffic of other ports is redirected to it */
    char list[160];
};

/* Ports that redirect rules of meshes send inbound traffic to. */
static bool is_capture_port(int port)
{
    static const int ports[] = {15000, 15001, 15006, 20000};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (ports[i] == port)
            return true;
    return false;
}

static void take_port(struct ports *ports, const struct debrief_record *record, int port,
                      int wanted)
{
    char text[16];
    ports->len++;
    ports->captures |= is_capture_port(port);
    if (port == wanted) {
        ports->found = true;
        return;
    }
    snprintf(text, sizeof text, "%s%d", *ports->list ? ", " : "", port);
    if (!strstr(ports->list, text) && strlen(ports->list) + strlen(text) < sizeof ports->list)
        strcat(ports->list, text);
    if (!ports->other) {
        ports->other = port;
        ports->record = record;
    }
}

static bool is_refused(struct lb *lb, const struct debrief_record *record)
{
    return lb_is(debrief_text(lb->ctx, record, "state"), "rejected");
}

static void look_at_accepted(struct lb *lb, struct ports *ports, int wanted)
{
    ports->known |= debrief_state(lb->ctx, "listeners") == DEBRIEF_COMPLETE;
    DEBRIEF_EACH (lb->ctx, "listeners", record)
        take_port(ports, record, (int)debrief_num(lb->ctx, record, "port", 0), wanted);
}

/* Accepted listeners are taken from here only where the page of listeners itself is missing. */
static void look_at_configured(struct lb *lb, struct ports *ports, int wanted)
{
    bool alone = !ports->known;
    ports->known |= debrief_state(lb->ctx, "xds.listeners") == DEBRIEF_COMPLETE;
    DEBRIEF_EACH (lb->ctx, "xds.listeners", record) {
        int port = (int)debrief_num(lb->ctx, record, "port", 0);
        if (is_refused(lb, record) && port == wanted) {
            ports->refused = debrief_text(lb->ctx, record, "name");
            ports->error = debrief_text(lb->ctx, record, "error");
            ports->record = record;
        } else if (alone && !is_refused(lb, record)) {
            take_port(ports, record, port, wanted);
        }
    }
}

static struct ports find_ports(struct lb *lb, int wanted)
{
    struct ports ports = {.known = false};
    look_at_accepted(lb, &ports, wanted);
    look_at_configured(lb, &ports, wanted);
    return ports;
}

/* ---- protocols ---- */

struct chains { /* filter chains of listeners on one port */
    int len, tls, http1, http2, proxy_protocol;
    const struct debrief_record *record;
};

static bool listens_on(struct lb *lb, const char *listener, int port)
{
    DEBRIEF_EACH (lb->ctx, "xds.listeners", record)
        if (lb_is(debrief_text(lb->ctx, record, "name"), listener) && !is_refused(lb, record) &&
            (int)debrief_num(lb->ctx, record, "port", 0) == port)
            return true;
    return false;
}

static struct chains find_chains(struct lb *lb, int port)
{
    struct chains chains = {.len = 0};
    DEBRIEF_EACH (lb->ctx, "xds.filter_chains", record) {
        const char *listener = debrief_text(lb->ctx, record, "listener");
        if (!listener || !listens_on(lb, listener, port))
            continue;
        chains.len++;
        chains.tls += lb_is(debrief_text(lb->ctx, record, "tls"), "yes");
        chains.http1 += lb_is(debrief_text(lb->ctx, record, "codec"), "HTTP1");
        chains.http2 += lb_is(debrief_text(lb->ctx, record, "codec"), "HTTP2");
        chains.proxy_protocol += lb_is(debrief_text(lb->ctx, record, "proxy_protocol"), "yes");
        if (!chains.record)
            chains.record = record;
    }
    return chains;
}

/* What the check does that the listener does not expect, and which protocol would fit; NULL: fits. */
static const char *misfit(struct lb *lb, const struct chains *chains, const char **fitting)
{
    const char *check = lb_group(lb, "check_protocol"), *version = lb_group(lb, "protocol_version");
    bool all_tls = chains->tls == chains->len, no_tls = !chains->tls;
    *fitting = NULL;
    if (lb_is(check, "HTTP") && all_tls) {
        *fitting = "HTTPS";
        return "checks with plain HTTP, and every filter chain of the listener expects TLS";
    }
    if ((lb_is(check, "HTTPS") || lb_is(check, "TLS")) && no_tls) {
        *fitting = lb_is(check, "TLS") ? "TCP" : "HTTP";
        return "checks with TLS, and no filter chain of the listener has TLS";
    }
    if ((lb_is(version, "HTTP2") || lb_is(version, "GRPC")) && chains->http1 == chains->len)
        return "speaks HTTP/2, and the listener accepts HTTP/1 only";
    if (lb_is(version, "HTTP1") && chains->http2 == chains->len)
        return "speaks HTTP/1, and the listener accepts HTTP/2 only";
    return NULL;
}

static bool judge_protocol(struct lb *lb, const struct trouble *t)
{
    struct chains chains = find_chains(lb, t->port);
    const char *fitting, *why = chains.len ? misfit(lb, &chains, &fitting) : NULL;
    char message[400];
    if (!why)
        return false;
    snprintf(message, sizeof message, "on port %d the load balancer %s", t->port, why);
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.protocol-mismatch", message);
    debrief_cite(lb->ctx, finding, chains.record);
    debrief_cite(lb->ctx, finding, lb->group);
    advice_protocol(lb, finding, fitting);
    return true;
}

/* An application load balancer cannot send what the listener waits for. */
static bool judge_proxy_protocol(struct lb *lb, const struct trouble *t)
{
    struct chains chains = find_chains(lb, t->port);
    const char *protocol = lb_group(lb, "protocol");
    if (!chains.len || chains.proxy_protocol != chains.len || !protocol ||
        strncmp(protocol, "HTTP", 4) != 0)
        return false;
    char message[256];
    snprintf(message, sizeof message,
             "the listener on port %d waits for the PROXY protocol, which an application load "
             "balancer does not send",
             t->port);
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.proxy-protocol", message);
    debrief_cite(lb->ctx, finding, chains.record);
    debrief_advise(lb->ctx, finding,
                   "take envoy.filters.listener.proxy_protocol off that listener, or let it pass "
                   "connections without the header (allow_requests_without_proxy_protocol: true)",
                   NULL);
    return true;
}

/* ---- no listener, another port ---- */

static void report_no_listener(struct lb *lb, const struct trouble *t, const struct ports *ports)
{
    char message[900];
    if (ports->refused)
        snprintf(message, sizeof message,
                 "nothing listens on port %d, which the load balancer checks: the proxy rejected "
                 "listener '%s'%s%.400s",
                 t->port, ports->refused, ports->error ? ": " : "",
                 ports->error ? ports->error : "");
    else
        snprintf(message, sizeof message,
                 "nothing listens on port %d, which the load balancer checks: the proxy has no "
                 "listener at all",
                 t->port);
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.no-listener", message);
    if (ports->record)
        debrief_cite(lb->ctx, finding, ports->record);
    advice_listener(lb, finding);
}

/* A packet filter may refuse as well, and who tried may have come another way. */
static void report_refused(struct lb *lb, const struct trouble *t,
                           const struct debrief_record *refused)
{
    char message[300];
    snprintf(message, sizeof message,
             "nothing listens on port %d, which the load balancer checks: a connection that was "
             "tried is refused",
             t->port);
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.no-listener", message);
    debrief_cite(lb->ctx, finding, refused);
    debrief_confidence(lb->ctx, finding, DEBRIEF_LIKELY);
    advice_listener(lb, finding);
    advice_ask_listeners(lb);
}

static void report_port(struct lb *lb, const struct trouble *t, const struct ports *ports)
{
    char message[400];
    snprintf(message, sizeof message,
             "the load balancer checks port %d, and the proxy listens on %s", t->port, ports->list);
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.port-mismatch", message);
    if (ports->record)
        debrief_cite(lb->ctx, finding, ports->record);
    if (t->symptom == SILENT)
        debrief_confidence(lb->ctx, finding, DEBRIEF_LIKELY);
    advice_port(lb, finding, t, ports->other);
}

/* ---- what remains ---- */

static void report_open(struct lb *lb, const struct trouble *t, const struct ports *ports)
{
    char message[300], port[32] = "";
    if (t->port)
        snprintf(port, sizeof port, " on port %d", t->port);
    snprintf(message, sizeof message,
             "the load balancer's check%s %s; the evidence does not tell why", port,
             t->symptom == SILENT ? "gets no answer in time" : "fails");
    struct debrief_finding *finding = lb_report(lb, t, "lb-health.check-failing", message);
    const struct debrief_record *well = tried_well(lb, t);
    debrief_candidate(lb->ctx, finding, "lb-health.security-group-closed",
                      well ? "the same request from elsewhere is answered as it should, so the "
                             "trouble lies between the load balancer and the target"
                      : t->symptom == SILENT
                          ? "packets that a security group drops end as a timeout"
                          : "a network load balancer gives one reason for all",
                      NULL);
    if (well)
        debrief_cite(lb->ctx, finding, well);
    if (!ports->found && !well)
        debrief_candidate(lb->ctx, finding, "lb-health.port-mismatch",
                          "the checked port is not among those that are known to be open", NULL);
    if (!well)
        debrief_candidate(lb->ctx, finding, "lb-health.protocol-mismatch",
                          "TLS against plain text, or HTTP/2 against HTTP/1, fails without a code",
                          NULL);
    if (!ports->known)
        advice_ask_listeners(lb);
    advice_ask_security_groups(lb, t);
    if (!lb->group)
        advice_ask_target_health(lb, t);
    advice_ask_access_log(lb);
}

void sockets_judge(struct lb *lb, const struct trouble *t)
{
    struct ports ports = find_ports(lb, t->port);
    const struct debrief_record *refused = t->symptom == BROKEN ? tried_refused(lb, t) : NULL;
    bool comparable = t->port && ports.known && !ports.captures && !t->by_instance;
    if (ports.refused && !ports.found && t->port)
        report_no_listener(lb, t, &ports);
    else if (ports.known && !ports.len)
        report_no_listener(lb, t, &ports);
    else if (comparable && !ports.found)
        report_port(lb, t, &ports);
    else if (refused && !ports.known)
        report_refused(lb, t, refused);
    else if (!judge_protocol(lb, t) && !judge_proxy_protocol(lb, t))
        report_open(lb, t, &ports);
}
