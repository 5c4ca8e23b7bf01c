/* Section low-ports: sockets that the proxy could not bind, and why. Reads judged failures, what is
 * known of the process and what manifests rely on; writes one finding per address. Does not judge
 * listeners that were refused for other reasons. */
#include "failures.h"
#include "fixes.h"
#include <stdlib.h>
#include <string.h>

#define CAP_BIND_BIT 0x400

/* ---- reporting ---- */

static struct debrief_finding *begin(struct debrief_ctx *ctx, const struct failure *failure,
                                     const char *id, const char *message)
{
    struct debrief_finding *finding = debrief_report(ctx, id, "address", failure->address, "%s",
                                                     message);
    debrief_when(ctx, finding, failure->over ? DEBRIEF_BEFORE : DEBRIEF_NOW);
    if (failure->over)
        debrief_severity(ctx, finding, DEBRIEF_INFO);
    if (failure->likely)
        debrief_confidence(ctx, finding, DEBRIEF_LIKELY);
    for (int i = 0; i < failure->cites_len; i++)
        debrief_cite(ctx, finding, failure->cites[i]);
    return finding;
}

/* "listener 'ingress'", or "the socket" when nobody names it */
static const char *who(const struct failure *failure, char out[160])
{
    if (*failure->listener)
        snprintf(out, 160, "listener '%s'", failure->listener);
    else
        snprintf(out, 160, "the proxy");
    return out;
}

static const struct debrief_record *find_process(struct debrief_ctx *ctx)
{
    const struct debrief_record *first = debrief_next(ctx, "host.process", NULL);
    DEBRIEF_EACH (ctx, "host.process", record) {
        const char *name = debrief_text(ctx, record, "name");
        if (name && strstr(name, "envoy"))
            return record;
    }
    return first;
}

/* What /proc/PID/status adds, as the end of a sentence. */
static const char *process_says(struct debrief_ctx *ctx, const struct debrief_record *process)
{
    const char *effective = process ? debrief_text(ctx, process, "cap_eff") : NULL;
    const char *bounding = process ? debrief_text(ctx, process, "cap_bnd") : NULL;
    const char *uid = process ? debrief_text(ctx, process, "uid") : NULL;
    if (!effective || !uid || strtoull(effective, NULL, 16) & CAP_BIND_BIT)
        return "";
    if (failures_is_root(uid))
        return "; it runs as root, but CAP_NET_BIND_SERVICE was dropped";
    if (bounding && strtoull(bounding, NULL, 16) & CAP_BIND_BIT)
        return "; CAP_NET_BIND_SERVICE is in its bounding set only, where it grants nothing";
    return "; it is not root and has no CAP_NET_BIND_SERVICE";
}

/* A Unix socket is a file: who may write its directory decides, no port and no capability does. */
static void report_socket_denied(struct debrief_ctx *ctx, struct failure *failure)
{
    char name[160], message[512];
    snprintf(message, sizeof message,
             "%s may not create the Unix socket %s: its user may not write that directory, or the "
             "file is another user's",
             who(failure, name), failure->address);
    struct debrief_finding *finding = begin(ctx, failure, "low-ports.bind-denied", message);
    debrief_advise(ctx, finding,
                   "let the proxy's user write the directory (owner or mode of the volume, "
                   "Kubernetes fsGroup), remove a socket that another user left there, or name a "
                   "path that it may write",
                   "ls -ldn DIRECTORY; ls -ln DIRECTORY; id");
}

static void report_denied(struct debrief_ctx *ctx, struct failure *failure)
{
    if (*failure->address == '/')
        return report_socket_denied(ctx, failure);
    const struct debrief_record *setting, *process = find_process(ctx);
    char name[160], message[512];
    int start = failures_port_start(ctx, &setting);
    bool low = failure->port < start;
    failure->likely = !low;
    if (low)
        snprintf(
            message, sizeof message,
            "%s may not bind %s: ports below %d need CAP_NET_BIND_SERVICE in the effective set "
            "of the process%s",
            who(failure, name), failure->address, start, process_says(ctx, process));
    else
        snprintf(message, sizeof message,
                 "%s may not bind %s, although ports from %d on need no capability: a security "
                 "module or another network namespace's limit forbids it",
                 who(failure, name), failure->address, start);
    struct debrief_finding *finding = begin(ctx, failure, "low-ports.bind-denied", message);
    if (setting)
        debrief_cite(ctx, finding, setting);
    if (process)
        debrief_cite(ctx, finding, process);
    else
        fixes_ask_process(ctx);
    fixes_privilege(ctx, finding, failure->port);
}

static void report_ineffective(struct debrief_ctx *ctx, struct failure *failure)
{
    const struct debrief_record *grant = failure->grant;
    const char *user = grant ? debrief_text(ctx, grant, "user") : NULL;
    const char *container = grant ? debrief_text(ctx, grant, "name") : NULL;
    char name[160], message[512], whose[200] = "";
    if (container)
        snprintf(whose, sizeof whose, " by container '%s'", container);
    snprintf(
        message, sizeof message,
        "%s may not bind %s although CAP_NET_BIND_SERVICE is added%s: it runs as user %s, and a "
        "capability that a container adds reaches a non-root user's bounding set only",
        who(failure, name), failure->address, whose,
        user && strcmp(user, "non-root") != 0 ? user : "other than root");
    struct debrief_finding *finding = begin(ctx, failure, "low-ports.capability-ineffective",
                                            message);
    debrief_cite(ctx, finding, grant ? grant : failure->command);
    fixes_privilege(ctx, finding, failure->port);
}

static const struct debrief_record *find_holder(struct debrief_ctx *ctx, int port)
{
    DEBRIEF_EACH (ctx, "host.sockets", record)
        if ((int)debrief_num(ctx, record, "port", 0) == port)
            return record;
    return NULL;
}

static void report_in_use(struct debrief_ctx *ctx, struct failure *failure)
{
    bool admin = failure->cause == ADMIN_IN_USE;
    const struct debrief_record *holder = find_holder(ctx, failure->port);
    const char *process = holder ? debrief_text(ctx, holder, "process") : NULL;
    char name[160], message[512];
    snprintf(message, sizeof message, "%s cannot bind %s%s: %s%s holds that address",
             admin ? "the proxy" : who(failure, name), failure->address,
             admin ? " for its admin page and exits" : "", process ? "" : "another process",
             process ? process : "");
    struct debrief_finding *finding = begin(
        ctx, failure, admin ? "low-ports.admin-port-in-use" : "low-ports.address-in-use", message);
    if (holder)
        debrief_cite(ctx, finding, holder);
    else
        fixes_ask_sockets(ctx, failure->port);
    fixes_in_use(ctx, finding, failure->port, admin);
}

static void report_unavailable(struct debrief_ctx *ctx, struct failure *failure)
{
    bool v6 = *failure->address == '[';
    char name[160], message[512];
    snprintf(message, sizeof message,
             "%s cannot bind %s: no interface of this host has that address%s", who(failure, name),
             failure->address, v6 ? ", or IPv6 is switched off here" : "");
    struct debrief_finding *finding = begin(ctx, failure, "low-ports.address-unavailable", message);
    fixes_unavailable(ctx, finding, v6);
}

static void report(struct debrief_ctx *ctx, struct failure *failure)
{
    if (failure->cause == DENIED)
        report_denied(ctx, failure);
    else if (failure->cause == INEFFECTIVE)
        report_ineffective(ctx, failure);
    else if (failure->cause == UNAVAILABLE)
        report_unavailable(ctx, failure);
    else
        report_in_use(ctx, failure);
}

/* ---- before anything failed ---- */

/* The lowest port of LIST that needs the capability, 0 when none does. */
static int low_port(const char *list, int start)
{
    int lowest = 0;
    for (const char *at = list; at && *at; at += strspn(at, ",")) {
        int port = atoi(at);
        if (port > 0 && port < start && (!lowest || port < lowest))
            lowest = port;
        at += strcspn(at, ",");
    }
    return lowest;
}

/* A manifest that relies on the capability will fail wherever the runtime leaves the limit at 1024. */
static void foresee(struct debrief_ctx *ctx)
{
    const struct debrief_record *setting;
    int fallback = failures_port_start(ctx, &setting);
    DEBRIEF_EACH (ctx, "containers", container) {
        const char *name = debrief_text(ctx, container, "name");
        int start = (int)debrief_num(ctx, container, "unprivileged_port_start", fallback);
        int port = low_port(debrief_text(ctx, container, "ports"), start);
        if (!port || !failures_grants_in_vain(ctx, container))
            continue;
        struct debrief_finding *finding = debrief_report(
            ctx, "low-ports.capability-ineffective", "container", name ? name : "?",
            "container '%s' runs as user %s and adds NET_BIND_SERVICE to bind port %d: unless its "
            "binary carries the file capability, the added one reaches the bounding set only",
            name ? name : "?", debrief_text(ctx, container, "user"), port);
        debrief_severity(ctx, finding, DEBRIEF_WARNING);
        debrief_confidence(ctx, finding, DEBRIEF_LIKELY);
        debrief_cite(ctx, finding, container);
        fixes_privilege(ctx, finding, port);
    }
}

/* Counters say that a listener could not be made, and nothing says why. */
static void ask_for_reason(struct debrief_ctx *ctx)
{
    DEBRIEF_EACH (ctx, "stats", record)
        if (debrief_num(ctx, record, "value", 0) > 0)
            fixes_ask_reason(ctx);
    if (!debrief_state(ctx, "text") && !debrief_state(ctx, "xds.listeners") &&
        !debrief_state(ctx, "stats"))
        fixes_ask_log(ctx);
}

static void run(struct debrief_ctx *ctx)
{
    struct failures failures;
    failures_find(ctx, &failures);
    for (int i = 0; i < failures.len; i++)
        report(ctx, &failures.items[i]);
    if (failures.len)
        return;
    foresee(ctx);
    ask_for_reason(ctx);
}

/* ---- what the section says of itself ---- */

static const char *const needs[] = {
    "text | xds.listeners | stats{listener_manager.listener_create_failure} | containers",
    "?log.bind_failed",
    "?log.start",
    "?log.workers_started",
    "?listeners",
    "?bootstrap",
    "?container_status",
    "?host.process",
    "?host.sysctl",
    "?host.sockets",
    "?proxy",
    NULL};

static const struct debrief_event events[] = {
    {"admin_start", "Starting admin HTTP server at (?<address>\\S+)", 0, 0},
    {"apache",
     "\\([0-9]+\\)(?<why>[A-Z][A-Za-z ]+): AH00072: make_sock: could not bind to address "
     "(?<address>\\S+)",
     0, 0},
    {"nginx", "bind\\(\\) to (?<address>\\S+) failed \\([0-9]+: (?<why>[A-Za-z ]+)", 0, 0},
    {"go",
     "listen tcp[46]? (?<address>\\S+): bind: (?<why>permission denied|address already in use|"
     "cannot assign requested address)",
     0, 0},
    {"haproxy", "cannot bind socket \\((?<why>[A-Za-z ]+)\\) (?:for )?\\[(?<address>[^\\]]+)", 0,
     0},
    {"run", "(?:docker|podman|nerdctl) run (?<options>.*)", 0, 0},
    {0}};

/* A listener that was not made is a rejected update, an empty proxy and a closed port for checkers. */
static const char *const explains[] = {
    "config-rejected.rejected", "config-rejected.last-good-config",
    "probes.live-unconfigured", "probes.listeners-unanswered",
    "probes.initializing",      "lb-health.no-listener",
    "lb-health.check-failing",  NULL};
/* Without its admin page the process ends. */
static const char *const explains_admin[] = {"probes.wrong-address", "probes.initializing",
                                             "lb-health.no-listener", "lb-health.check-failing",
                                             NULL};

static const struct debrief_finding_type findings[] = {
    {"low-ports.bind-denied", "the proxy may not bind a port", DEBRIEF_ERROR, 0, explains},
    {"low-ports.capability-ineffective", "an added capability does not reach a non-root user",
     DEBRIEF_ERROR, 0, explains},
    {"low-ports.address-in-use", "another process holds the listener's address", DEBRIEF_ERROR, 0,
     explains},
    {"low-ports.admin-port-in-use", "another process holds the admin port", DEBRIEF_ERROR, 0,
     explains_admin},
    {"low-ports.address-unavailable", "the listener's address is not on this host", DEBRIEF_ERROR,
     0, explains},
    {0}};

static const char *const tags[] = {"gateway", "ecs", "kubernetes", NULL};

static const struct debrief_check checks[] = {
    {.id = "low-ports",
     .title = "can the proxy bind the ports that it should?",
     .tags = tags,
     .applies = "mode != proxyless",
     .needs = needs,
     .events = events,
     .findings = findings,
     .run = run}};

DEBRIEF_PLUGIN("low-ports", "0.1.0", checks)
