/* Collect: the network namespace of one process. Reads its tables in /proc, the settings and the
 * packet filter inside it; writes what ss, ip route, sysctl and iptables-save would print there.
 * Entering another namespace happens in a child, and never in this process. */
#include "collect/host.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "collect/command.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 2 << 20, RULES_MAX = 8 << 20, COMMAND_MS = 10000, NO_ENTRY = 7 };

/* ---- settings ---- */

static const char *const settings[] = {
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",    "net.ipv4.ip_nonlocal_bind",
    "net.ipv4.tcp_max_syn_backlog",        "net.ipv6.bindv6only",
    "net.ipv6.conf.all.disable_ipv6",      "net.core.somaxconn",
    "net.netfilter.nf_conntrack_max",      "net.netfilter.nf_conntrack_count"};
static const char *const machine_settings[] = {"fs.file-max", "fs.inotify.max_user_instances",
                                               "fs.inotify.max_user_watches"};

static void add_setting(struct buf *out, const char *name)
{
    char path[160];
    size_t len;
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    for (char *at = path; *at; at++)
        if (*at == '.')
            *at = '/';
    char *text = host_slurp(path, &len);
    if (text)
        buf_addf(out, "%s = %.*s\n", name, (int)strcspn(text, "\n"), text);
    free(text);
}

bool host_enter(const struct host_place *place)
{
    char path[64];
    if (!place->apart)
        return true;
    snprintf(path, sizeof path, "%s/ns/net", place->dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool entered = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
    if (fd >= 0)
        close(fd);
    return entered;
}

static _Noreturn void tell_settings(const struct host_place *place, int fd)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    if (!host_enter(place))
        _exit(NO_ENTRY);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        add_setting(&text, settings[i]);
    _exit(!collection_write(fd, buf_str(&text), text.len));
}

/* What the settings are where the process is; false when one may not go there. */
static bool read_settings(const struct host_place *place, struct buf *out)
{
    char bytes[4096];
    int fds[2], status = 0;
    ssize_t got;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    pid_t child = fork();
    if (child == 0)
        tell_settings(place, fds[1]);
    close(fds[1]);
    while ((got = read(fds[0], bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR))
        buf_add(out, bytes, got > 0 ? (size_t)got : 0);
    close(fds[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void collect_settings(struct collection *collection, const struct host_place *place)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    bool entered = read_settings(place, &text);
    for (size_t i = 0; i < ARRAY_LEN(machine_settings); i++)
        add_setting(&text, machine_settings[i]);
    struct source *source = host_keep(collection, "host/sysctl.txt", "/proc/sys", buf_str(&text),
                                      text.len);
    if (!entered) {
        source->complete = false;
        source_problem(&collection->bundle.sources, source,
                       "the network namespace of process %ld may not be entered; run as root",
                       (long)place->pid);
    }
    buf_release(&text);
}

/* ---- routes ---- */

enum { ROUTE_UP = 0x1, ROUTE_GATEWAY = 0x2, ROUTE_REJECT = 0x200 };

/* "eth0 00000000 0100000A 0003 0 0 0 00000000 ...", addresses as the machine holds them */
static void add_route(struct buf *out, const char *line)
{
    char device[32], destination[INET_ADDRSTRLEN], gateway[INET_ADDRSTRLEN];
    unsigned to, via, flags, metric, mask;
    if (sscanf(line, "%31s %x %x %x %*d %*d %u %x", device, &to, &via, &flags, &metric, &mask) !=
            6 ||
        !(flags & ROUTE_UP))
        return;
    inet_ntop(AF_INET, &to, destination, sizeof destination);
    inet_ntop(AF_INET, &via, gateway, sizeof gateway);
    if (flags & ROUTE_REJECT)
        buf_adds(out, "unreachable ");
    if (mask)
        buf_addf(out, "%s/%d", destination, __builtin_popcount(mask));
    else
        buf_adds(out, "default");
    if (flags & ROUTE_GATEWAY)
        buf_addf(out, " via %s", gateway);
    if (!(flags & ROUTE_REJECT))
        buf_addf(out, " dev %s", device);
    if (metric)
        buf_addf(out, " metric %u", metric);
    buf_addch(out, '\n');
}

static void collect_routes(struct collection *collection, const struct host_place *place)
{
    char path[64];
    struct buf text;
    size_t len;
    snprintf(path, sizeof path, "%s/net/route", place->dir);
    char *table = host_slurp(path, &len);
    if (!table) {
        collection_missing(collection, "host/routes.txt", path, "cannot read it: %s",
                           strerror(errno));
        return;
    }
    buf_init(&text, TEXT_MAX);
    buf_adds(&text, "# ip route\n");
    for (const char *at = strchr(table, '\n'); at && at[1]; at = strchr(at + 1, '\n'))
        add_route(&text, at + 1);
    host_keep(collection, "host/routes.txt", path, text.data, text.len);
    buf_release(&text);
    free(table);
}

/* ---- the packet filter ---- */

static const struct filter {
    const char *name;
    const char *argv[4];
} filters[] = {
    {"host/iptables.txt", {"iptables-save", "-c", NULL}},
    {"host/ip6tables.txt", {"ip6tables-save", "-c", NULL}},
    {"host/nft.txt", {"nft", "list", "ruleset", NULL}},
};

static void keep_rules(struct collection *collection, const struct filter *filter, const char *path,
                       const struct command_result *result)
{
    char *origin = command_text(filter->argv);
    if (result->outcome != COMMAND_DONE && !result->size) {
        collection_missing(collection, filter->name, origin, "%.*s%s",
                           (int)strcspn(result->said, "\n"), result->said,
                           *result->said ? "" : "failed without a word");
    } else if (!result->size) { /* no rules at all is an answer, and the tool's way of giving it */
        char *none = xasprintf("no rules: %s\n", origin);
        host_keep(collection, filter->name, origin, none, strlen(none));
        free(none);
    } else {
        struct source *source = collection_add(collection, filter->name, origin);
        source->path = arena_strdup(collection->bundle.sources.arena, path);
        source->size = result->size;
        source->complete = result->outcome == COMMAND_DONE;
        if (!source->complete)
            source_problem(&collection->bundle.sources, source, "ended before its end");
    }
    free(origin);
}

/* False when the tool is not there. */
static bool collect_rules(struct collection *collection, const struct host_place *place,
                          const struct filter *filter)
{
    char *path = xasprintf("%s/%s.out", collection->bundle.dir, collection_base_name(filter->name));
    char *space = place->apart ? xasprintf("%s/ns/net", place->dir) : NULL;
    struct err err = ERR_INIT;
    struct command_result result;
    int64_t left = collection_left_ms(collection);
    const struct command_spec spec = {.argv = filter->argv,
                                      .out_path = path,
                                      .out_max = RULES_MAX,
                                      .timeout_ms = left < COMMAND_MS ? left : COMMAND_MS,
                                      .net_namespace = space};
    struct command *command = command_start(&spec, &err);
    if (command) {
        command_wait(&command, 1, INT64_MAX);
        command_finish(command, &result);
        keep_rules(collection, filter, path, &result);
        if (!result.size)
            unlink(path);
    }
    free(space);
    free(path);
    return command;
}

static void collect_filter(struct collection *collection, const struct host_place *place)
{
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        any |= collect_rules(collection, place, &filters[i]);
    if (!any)
        collection_missing(collection, filters[0].name, "iptables-save",
                           "neither iptables-save nor nft can be run here, so the packet filter's "
                           "rules are not known");
}

void host_collect_net(struct collection *collection, const struct host_place *place)
{
    collect_settings(collection, place);
    host_collect_sockets(collection, place);
    collect_routes(collection, place);
    collect_filter(collection, place);
}
