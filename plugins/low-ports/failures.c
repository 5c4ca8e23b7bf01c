/* Section low-ports, gathering and judging: reads bind errors wherever they stand (logs, rejected
 * listeners, other programs' words) and who was granted what; writes failures, one per address. Reports
 * nothing itself. */
#define _POSIX_C_SOURCE 200809L
#include "failures.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_START 1024 /* the kernel's default: ports below it need a capability */

static const struct {
    const char *text;
    enum cause cause;
} words[] = {{"permission denied", DENIED},
             {"address already in use", IN_USE},
             {"cannot assign requested address", UNAVAILABLE}};

/* ---- gathering ---- */

static int port_of(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon ? atoi(colon + 1) : 0;
}

static struct failure *failure_at(struct failures *failures, const char *address, size_t len)
{
    for (int i = 0; i < failures->len; i++)
        if (strlen(failures->items[i].address) == len &&
            memcmp(failures->items[i].address, address, len) == 0)
            return &failures->items[i];
    if (failures->len == FAILURES_MAX || !len || len >= sizeof failures->items[0].address)
        return NULL;
    struct failure *failure = &failures->items[failures->len++];
    memset(failure, 0, sizeof *failure);
    memcpy(failure->address, address, len);
    failure->port = port_of(failure->address);
    return failure;
}

static bool cites(const struct failure *failure, const struct debrief_record *record)
{
    for (int i = 0; i < failure->cites_len; i++)
        if (failure->cites[i] == record)
            return true;
    return false;
}

/* The later word counts: a port that was taken first and denied afterwards is denied. */
static struct failure *add(struct debrief_ctx *ctx, struct failures *failures, const char *address,
                           size_t len, const char *why, const struct debrief_record *record)
{
    size_t word = 0, count = sizeof words / sizeof *words;
    while (word < count && strncasecmp(why, words[word].text, strlen(words[word].text)) != 0)
        word++;
    struct failure *failure = word < count ? failure_at(failures, address, len) : NULL;
    if (!failure)
        return NULL;
    failure->cause = words[word].cause;
    if (failure->cites_len < FAILURES_CITES_MAX && !cites(failure, record))
        failure->cites[failure->cites_len++] = record;
    if (debrief_time(ctx, record) > failure->last)
        failure->last = debrief_time(ctx, record);
    return failure;
}

/* "listener 'ingress' failed to bind ...", "lds: listener 'ingress' config rejected: ..." */
static void take_listener(struct failure *failure, const char *text)
{
    const char *name = strstr(text, "listener '");
    const char *end = name ? strchr(name + 10, '\'') : NULL;
    if (end && !*failure->listener)
        snprintf(failure->listener, sizeof failure->listener, "%.*s", (int)(end - name - 10),
                 name + 10);
}

/* Every "cannot bind 'ADDRESS': WHY" of TEXT: one rejection may list several listeners. */
static void take_all(struct debrief_ctx *ctx, struct failures *failures, const char *text,
                     const char *listener, const struct debrief_record *record)
{
    const char *container = listener ? NULL : debrief_text(ctx, record, "container");
    static const char opening[] = "cannot bind '";
    bool single = text && !strchr(text, '\n');
    for (const char *at = text; at && (at = strstr(at, opening));) {
        const char *address = at + strlen(opening), *end = strchr(address, '\'');
        if (!end)
            return;
        const char *why = end[1] == ':' ? end + 2 + strspn(end + 2, " ") : "";
        struct failure *failure = add(ctx, failures, address, (size_t)(end - address), why, record);
        if (failure && single)
            take_listener(failure, text);
        if (failure && listener && !*failure->listener)
            snprintf(failure->listener, sizeof failure->listener, "%s", listener);
        if (failure && container)
            failure->container = container;
        at = end;
    }
}

/* Programs other than Envoy say it in their own words. */
static void gather_others(struct debrief_ctx *ctx, struct failures *failures)
{
    static const char *const names[] = {"event.apache", "event.nginx", "event.haproxy", "event.go"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        DEBRIEF_EACH (ctx, names[i], record) {
            const char *address = debrief_text(ctx, record, "address");
            const char *why = debrief_text(ctx, record, "why");
            struct failure *failure = NULL;
            if (address && why)
                failure = add(ctx, failures, address, strlen(address), why, record);
            if (failure)
                failure->container = debrief_text(ctx, record, "container");
        }
    }
}

static const char *listener_name(struct debrief_ctx *ctx, const struct debrief_record *record)
{
    const char *name = debrief_text(ctx, record, "name");
    return name ? name : "";
}

static void gather(struct debrief_ctx *ctx, struct failures *failures)
{
    DEBRIEF_EACH (ctx, "log.bind_failed", record)
        take_all(ctx, failures, debrief_text(ctx, record, "message"), NULL, record);
    DEBRIEF_EACH (ctx, "xds.listeners", record)
        take_all(ctx, failures, debrief_text(ctx, record, "error"), listener_name(ctx, record),
                 record);
    gather_others(ctx, failures);
}

/* ---- who may bind what ---- */

static bool in_list(const char *list, const char *item)
{
    size_t len = strlen(item);
    for (const char *at = list; at && *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        if (part == len && strncasecmp(at, item, len) == 0)
            return true;
        at += part;
    }
    return false;
}

bool failures_is_root(const char *user)
{
    return strcmp(user, "root") == 0 || strcmp(user, "0") == 0 || strncmp(user, "0:", 2) == 0 ||
           strncmp(user, "root:", 5) == 0;
}

/* The capability is added, and to a user who loses it at exec. */
bool failures_grants_in_vain(struct debrief_ctx *ctx, const struct debrief_record *container)
{
    const char *added = debrief_text(ctx, container, "caps_add");
    const char *user = debrief_text(ctx, container, "user");
    bool granted = in_list(added, "NET_BIND_SERVICE") || in_list(added, "CAP_NET_BIND_SERVICE") ||
                   in_list(added, "ALL");
    return granted && user && !failures_is_root(user);
}

static bool has_port(struct debrief_ctx *ctx, const struct debrief_record *container, int port)
{
    char text[16];
    snprintf(text, sizeof text, "%d", port);
    return in_list(debrief_text(ctx, container, "ports"), text);
}

static bool looks_like_proxy(struct debrief_ctx *ctx, const struct debrief_record *container)
{
    const char *image = debrief_text(ctx, container, "image");
    return image &&
           (strstr(image, "envoy") || strstr(image, "proxyv2") || strstr(image, "gateway"));
}

static const struct debrief_record *find_grant(struct debrief_ctx *ctx,
                                               const struct failure *failure)
{
    const char *named = failure->container;
    DEBRIEF_EACH (ctx, "containers", container) {
        const char *name = debrief_text(ctx, container, "name");
        bool about = named && name ? strcmp(named, name) == 0
                                   : has_port(ctx, container, failure->port) ||
                                         looks_like_proxy(ctx, container);
        if (about && failures_grants_in_vain(ctx, container))
            return container;
    }
    return NULL;
}

/* Whether OPTIONS of a docker run name a user other than root. */
static bool runs_as_user(const char *options)
{
    static const char *const flags[] = {"-u ", "--user ", "--user=", "-u="};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        const char *at = strstr(options, flags[i]);
        if (!at || (at > options && at[-1] != ' '))
            continue;
        char user[64];
        snprintf(user, sizeof user, "%.*s", (int)strcspn(at + strlen(flags[i]), " "),
                 at + strlen(flags[i]));
        return !failures_is_root(user);
    }
    return false;
}

static const struct debrief_record *find_command(struct debrief_ctx *ctx)
{
    DEBRIEF_EACH (ctx, "event.run", record) {
        const char *options = debrief_text(ctx, record, "options");
        const char *added = options ? strstr(options, "--cap-add") : NULL;
        if (added && strstr(added, "NET_BIND_SERVICE") && runs_as_user(options))
            return record;
    }
    return NULL;
}

/* The first port that needs no capability; *record tells who says so. */
int failures_port_start(struct debrief_ctx *ctx, const struct debrief_record **record)
{
    *record = NULL;
    DEBRIEF_EACH (ctx, "host.sysctl", setting) {
        const char *name = debrief_text(ctx, setting, "name");
        double value = debrief_num(ctx, setting, "value", -1);
        if (!name || !strstr(name, "ip_unprivileged_port_start") || value < 0)
            continue;
        *record = setting;
        return (int)value;
    }
    return PORT_START;
}

/* ---- judging ---- */

/* Among the accepted listeners, or among the configured ones without an error. */
static bool is_served(struct debrief_ctx *ctx, int port)
{
    DEBRIEF_EACH (ctx, "listeners", record)
        if ((int)debrief_num(ctx, record, "port", 0) == port)
            return true;
    DEBRIEF_EACH (ctx, "xds.listeners", record) {
        const char *state = debrief_text(ctx, record, "state");
        bool refused = debrief_text(ctx, record, "error") || !state ||
                       strcmp(state, "rejected") == 0;
        if (!refused && (int)debrief_num(ctx, record, "port", 0) == port)
            return true;
    }
    return false;
}

static const char *admin_address(struct debrief_ctx *ctx)
{
    const struct debrief_record *record = debrief_next(ctx, "bootstrap", NULL);
    const char *address = record ? debrief_text(ctx, record, "admin_address") : NULL;
    record = address ? NULL : debrief_next(ctx, "event.admin_start", NULL);
    return record ? debrief_text(ctx, record, "address") : address;
}

static bool is_admin(struct debrief_ctx *ctx, struct failure *failure)
{
    static const int usual[] = {9901, 15000, 19000};
    const char *address = admin_address(ctx);
    if (address)
        return port_of(address) == failure->port;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (usual[i] == failure->port && !*failure->listener) {
            failure->likely = true;
            return true;
        }
    return false;
}

/* Bound since: the port is among those that the proxy serves, or a later start met no such error. */
static bool is_over(struct debrief_ctx *ctx, const struct failure *failure)
{
    if (is_served(ctx, failure->port))
        return true;
    int64_t restart = 0;
    DEBRIEF_EACH (ctx, "log.start", record)
        if (debrief_time(ctx, record) > failure->last)
            restart = debrief_time(ctx, record);
    DEBRIEF_EACH (ctx, "log.workers_started", record)
        if (failure->last && restart && debrief_time(ctx, record) > restart)
            return true;
    return false;
}

static void judge(struct debrief_ctx *ctx, struct failure *failure)
{
    failure->over = is_over(ctx, failure);
    if (failure->cause == IN_USE && is_admin(ctx, failure))
        failure->cause = ADMIN_IN_USE;
    if (failure->cause != DENIED)
        return;
    failure->grant = find_grant(ctx, failure);
    failure->command = failure->grant ? NULL : find_command(ctx);
    if (failure->grant || failure->command)
        failure->cause = INEFFECTIVE;
}

void failures_find(struct debrief_ctx *ctx, struct failures *failures)
{
    failures->len = 0;
    gather(ctx, failures);
    for (int i = 0; i < failures->len; i++)
        judge(ctx, &failures->items[i]);
}
