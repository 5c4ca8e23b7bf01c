/* Collect: what is to be probed. Reads the sources that were collected so far, through the readers
 * that checks see them by, and picks the places that the proxy or somebody who checks its health
 * connects to. Asks nobody. */
#include "collect/probe.h"

#include "base/alloc.h"
#include "base/str.h"
#include "evidence/evidence.h"
#include "read/read.h"
#include "read/scan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELB_AGENT  "ELB-HealthChecker/2.0"
#define KUBE_AGENT "kube-probe/debrief"
#define OWN_AGENT  "debrief"

/* ---- the plan ---- */

static bool is_host(const char *host)
{
    return *host && *host != '-' &&
           host[strspn(
               host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:")] == '\0';
}

/* A path that is safe to stand in a request as it is. */
static bool is_path(const char *path)
{
    for (const char *at = path; *at; at++)
        if (!isgraph((unsigned char)*at))
            return false;
    return *path == '/' && strlen(path) < PROBE_TEXT_MAX;
}

/* Addresses that mean another machine where they are asked from another one. */
static bool is_local(const char *host)
{
    return str_starts(host, "127.") || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
}

static void add(struct probe_plan *plan, const struct probe *probe, bool local)
{
    if (!is_host(probe->host) || probe->port < 1 || probe->port > 65535 ||
        (is_local(probe->host) && !local))
        return;
    for (size_t i = 0; i < plan->len; i++) {
        struct probe *other = &plan->items[i];
        if (strcasecmp(other->host, probe->host) != 0 || other->port != probe->port)
            continue;
        if (!*other->path && *probe->path) /* the same place, asked for more */
            *other = *probe;
        return;
    }
    if (plan->len == PROBES_MAX) {
        plan->left_out++;
        return;
    }
    plan->items[plan->len++] = *probe;
}

/* "HOST:PORT" or "[::1]:PORT" into PROBE; any address becomes this machine's own. */
static bool set_address(struct probe *probe, const char *text)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    int64_t port;
    if (!colon || !str_to_int64(colon + 1, &port) || port < 1 || port > 65535)
        return false;
    size_t len = (size_t)(colon - text), bracket = *text == '[';
    if (len <= 2 * bracket || len >= PROBE_HOST_MAX)
        return false;
    snprintf(probe->host, sizeof probe->host, "%.*s", (int)(len - 2 * bracket), text + bracket);
    if (strcmp(probe->host, "0.0.0.0") == 0 || strcmp(probe->host, "::") == 0)
        snprintf(probe->host, sizeof probe->host, "127.0.0.1");
    probe->port = (int)port;
    return true;
}

static void set_get(struct probe *probe, const char *path, const char *agent)
{
    if (!path || !is_path(path))
        return;
    snprintf(probe->path, sizeof probe->path, "%s", path);
    snprintf(probe->agent, sizeof probe->agent, "%s", agent);
}

/* ---- the management server ---- */

static const char *variable(const struct evidence *evidence, const char *name)
{
    char buf[32];
    const struct record *record = evidence_find((struct evidence *)evidence, "env", name);
    return record ? record_text(record, "value", buf) : NULL;
}

/* The region in an ARN; false when it names none. */
static bool region_of(const char *arn, char out[32])
{
    return arn && sscanf(arn, "arn:%*[^:]:%*[^:]:%31[a-z0-9-]:", out) == 1;
}

static void add_app_mesh(struct probe_plan *plan, const struct evidence *evidence)
{
    struct probe probe = {.tls = true, .port = 443};
    const char *given = variable(evidence, "APPMESH_XDS_ENDPOINT");
    const char *arn = variable(evidence, "APPMESH_RESOURCE_ARN");
    const char *node = variable(evidence, "APPMESH_VIRTUAL_NODE_NAME");
    const char *region = variable(evidence, "AWS_REGION");
    char from_arn[32];
    snprintf(probe.why, sizeof probe.why, "management server of App Mesh (environment)");
    if (given && set_address(&probe, given)) {
        add(plan, &probe, false);
        return;
    }
    if (!region && (region_of(arn, from_arn) || region_of(node, from_arn)))
        region = from_arn;
    if ((!arn && !node) || !region)
        return;
    bool dual = str_equal(variable(evidence, "APPMESH_DUALSTACK_ENDPOINT"), "1");
    snprintf(probe.host, sizeof probe.host, "appmesh-envoy-management.%.31s.%s", region,
             dual ? "api.aws" : "amazonaws.com");
    add(plan, &probe, false);
}

static void add_servers(struct probe_plan *plan, const struct evidence *evidence, bool local)
{
    char buf[32];
    for (const struct record *record = NULL;
         (record = evidence_next(evidence, "bootstrap", record));) {
        struct probe probe = {.tls = str_equal(record_text(record, "tls", buf), "yes")};
        const char *use = record_text(record, "xds", buf);
        snprintf(probe.why, sizeof probe.why, "management server for %s (bootstrap)",
                 use ? use : "xDS");
        if (set_address(&probe, record_text(record, "address", buf)))
            add(plan, &probe, local);
    }
    if (!plan->len)
        add_app_mesh(plan, evidence);
}

/* ---- the admin page ---- */

static void add_admin(struct probe_plan *plan, const struct evidence *evidence,
                      const struct target *target, bool local)
{
    struct probe probe = {0};
    char buf[32];
    const struct record *record = evidence_next(evidence, "bootstrap", NULL);
    const char *address = record ? record_text(record, "admin_address", buf) : NULL;
    const char *scheme = target->kind == TARGET_ADMIN ? strstr(target->address, "://") : NULL;
    snprintf(probe.why, sizeof probe.why, "admin page (%s)", scheme ? "target" : "bootstrap");
    set_get(&probe, "/ready", OWN_AGENT);
    probe.tls = scheme && str_starts(target->address, "https");
    if (set_address(&probe, scheme ? scheme + 3 : address) && (scheme || is_local(probe.host)))
        add(plan, &probe, scheme || local);
}

/* ---- who checks its health ---- */

/* The group that a target's check belongs to: the only one, or the only one with the target's
 * port. */
static const struct record *group_of(const struct evidence *evidence, const char *port)
{
    const struct record *found = NULL;
    size_t groups = 0, fitting = 0;
    char buf[32];
    for (const struct record *record = NULL;
         (record = evidence_next(evidence, "aws.target_groups", record));) {
        bool fits = str_equal(record_text(record, "port", buf), port);
        groups++;
        fitting += fits;
        if (fits || !found)
            found = record;
    }
    return groups == 1 || fitting == 1 ? found : NULL;
}

static void add_targets(struct probe_plan *plan, const struct evidence *evidence)
{
    char buf[32], port[32];
    for (const struct record *record = NULL;
         (record = evidence_next(evidence, "aws.target_health", record));) {
        struct probe probe = {0};
        const char *host = record_text(record, "target", buf);
        if (!host || !probe_is_address(host))
            continue; /* an instance's id, which has no address of its own */
        snprintf(probe.host, sizeof probe.host, "%s", host);
        const char *traffic = record_text(record, "port", buf);
        snprintf(port, sizeof port, "%s", traffic ? traffic : "");
        const struct record *group = group_of(evidence, port);
        const char *asked = record_text(record, "check_port", buf);
        probe.port = atoi(asked && isdigit((unsigned char)*asked) ? asked : port);
        const char *protocol = group ? record_text(group, "check_protocol", buf) : NULL;
        const char *kind = group ? record_text(group, "protocol_version", buf) : NULL;
        bool http = protocol && str_starts(protocol, "HTTP") && !str_equal(kind, "GRPC");
        probe.tls = str_equal(protocol, "HTTPS") || str_equal(protocol, "TLS");
        const char *path = http ? record_text(group, "check_path", buf) : NULL;
        set_get(&probe, http && !path ? "/" : path, ELB_AGENT);
        snprintf(probe.why, sizeof probe.why, "load balancer's health check (target group)");
        add(plan, &probe, false);
    }
}

static void add_pods(struct probe_plan *plan, const struct evidence *evidence)
{
    char buf[32], own[32];
    for (const struct record *pod = NULL; (pod = evidence_next(evidence, "k8s.pods", pod));) {
        const char *ip = record_text(pod, "status.podIP", buf), *id = record_text(pod, "id", buf);
        for (const struct record *record = NULL;
             ip && id && (record = evidence_next(evidence, "probes", record));) {
            struct probe probe = {0};
            const char *type = record_text(record, "type", buf);
            const char *kind = record_text(record, "kind", buf);
            bool http = str_equal(type, "http");
            if (!str_equal(record_text(record, "workload", own), id) ||
                !str_equal(kind, "readiness") || !(http || str_equal(type, "tcp")))
                continue;
            const char *port = record_text(record, "port", own);
            probe.port = port ? atoi(port) : 0;
            snprintf(probe.host, sizeof probe.host, "%s", ip);
            snprintf(probe.why, sizeof probe.why, "readiness probe of pod %.100s", id);
            const char *path = http ? record_text(record, "path", own) : NULL;
            set_get(&probe, http && !path ? "/" : path, KUBE_AGENT);
            add(plan, &probe, false);
        }
    }
}

/* ---- reading ---- */

/* Of their own: what reading notes at a source belongs to the reader that comes later. */
static void copy_sources(struct sources *out, const struct sources *sources)
{
    sources_init(out);
    for (size_t i = 0; i < sources->len; i++) {
        const struct source *from = &sources->items[i];
        if (from->missing || !from->path)
            continue;
        struct source *to = sources_add(out, from->name);
        to->path = from->path;
        to->size = from->size;
        to->complete = from->complete;
        memset(to->sha256, '0', sizeof to->sha256 - 1); /* nobody asks for it here */
    }
}

static void read_sources(struct probe_plan *plan, const struct target *target,
                         struct sources *sources, const struct need_set *needs, bool local)
{
    struct evidence *evidence = evidence_new(sources, needs);
    struct scan *scan = scan_new(NULL, 0, evidence, NULL, NULL);
    read_all(evidence, scan);
    scan_free(scan);
    evidence_finish(evidence);
    add_servers(plan, evidence, local);
    add_admin(plan, evidence, target, local);
    add_targets(plan, evidence);
    add_pods(plan, evidence);
    evidence_free(evidence);
}

void probe_plan_make(struct probe_plan *plan, const struct target *target,
                     const struct sources *sources, bool local)
{
    static const char *const texts[] = {
        "?bootstrap", "?env{APPMESH_*}",    "?env{AWS_REGION}",   "?probes",
        "?k8s.pods",  "?aws.target_groups", "?aws.target_health",
    };
    struct arena *arena = arena_new();
    struct need_set needs;
    struct sources copy;
    struct need need;
    struct err err = ERR_INIT;
    *plan = (struct probe_plan){0};
    need_set_init(&needs);
    need_set_begin(&needs);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!need_parse(arena, texts[i], &need, &err))
            BUG("need '%s': %s", texts[i], err.text);
        need_set_add(&needs, &need);
    }
    copy_sources(&copy, sources);
    read_sources(plan, target, &copy, &needs, local);
    sources_release(&copy);
    need_set_release(&needs);
    arena_free(arena);
}
