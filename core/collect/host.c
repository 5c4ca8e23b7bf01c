/* Collect: this machine. Reads /proc to find the running Envoys, and decides which of them the
 * target is; the parts stand in host_process.c and host_net.c. Writes sources of the shapes that
 * an engineer would save by hand. Deliberately never reads a process's memory or environment. */
#include "collect/host.h"

#include "base/alloc.h"
#include "base/str.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILE_MAX = 256 << 10, SHOWN_MAX = 8 };

/* ---- files ---- */

static char *slurp(int fd, size_t *len)
{
    struct stat status;
    if (fd < 0)
        return NULL;
    char *text = xmalloc(FILE_MAX + 1);
    ssize_t got = 0;
    *len = 0;
    errno = EINVAL;
    bool fine = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    while (fine && *len < FILE_MAX && (got = read(fd, text + *len, FILE_MAX - *len)) > 0)
        *len += (size_t)got;
    int error = errno;
    close(fd);
    errno = error;
    text[*len] = '\0';
    if (fine && got >= 0)
        return text;
    free(text);
    return NULL;
}

char *host_slurp(const char *path, size_t *len)
{
    return slurp(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), len);
}

char *host_slurp_inside(const char *root, const char *path, size_t *len)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return NULL;
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how), error = errno;
    close(dir);
    errno = error;
    return slurp(fd, len);
}

struct source *host_keep(struct collection *collection, const char *name, const char *origin,
                         const char *text, size_t len)
{
    struct source *source = collection_add(collection, name, origin);
    char *path = collection_path(collection, source->name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 && collection_write(fd, text, len)) {
        source->path = arena_strdup(collection->bundle.sources.arena, path);
        source->size = len;
        source->complete = true;
    } else {
        source->missing = true;
        source_problem(&collection->bundle.sources, source, "cannot keep it: %s", strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    free(path);
    return source;
}

void host_link(char out[HOST_LINK_MAX], const char *format, ...)
{
    char path[128];
    va_list args;
    va_start(args, format);
    vsnprintf(path, sizeof path, format, args);
    va_end(args);
    ssize_t len = readlink(path, out, HOST_LINK_MAX - 1);
    out[len > 0 ? len : 0] = '\0';
}

/* ---- which process ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* envoy, envoy-static, envoy-1.36.4, envoy-contrib, also when its file was replaced; its siblings
 * (envoy-gateway, envoy-ratelimit) are others. */
static bool is_envoy_name(const char *name)
{
    static const char *const globs[] = {"envoy",         "envoy.*",     "envoy-[0-9]*",
                                        "envoy-static*", "envoy-debug", "envoy-contrib*"};
    for (size_t i = 0; i < ARRAY_LEN(globs); i++)
        if (strcmp(globs[i], "envoy-[0-9]*") == 0
                ? str_starts(name, "envoy-") && isdigit((unsigned char)name[6])
                : str_glob(globs[i], name))
            return true;
    return false;
}

static bool is_envoy(pid_t pid)
{
    char path[64], exe[HOST_LINK_MAX];
    size_t len;
    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
    char *command = host_slurp(path, &len);
    bool envoy = command && len && is_envoy_name(last_part(command));
    host_link(exe, "/proc/%ld/exe", (long)pid);
    exe[strcspn(exe, " ")] = '\0';                            /* "/usr/bin/envoy (deleted)" */
    envoy |= command && len && is_envoy_name(last_part(exe)); /* a zombie has no command line */
    free(command);
    return envoy;
}

static int by_number(const void *a, const void *b)
{
    pid_t one = *(const pid_t *)a, other = *(const pid_t *)b;
    return (one > other) - (one < other);
}

size_t host_envoys(pid_t pids[HOST_ENVOYS_MAX])
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    size_t len = 0;
    while (proc && len < HOST_ENVOYS_MAX && (entry = readdir(proc))) {
        int64_t pid;
        if (str_to_int64(entry->d_name, &pid) && is_envoy((pid_t)pid))
            pids[len++] = (pid_t)pid;
    }
    if (proc)
        closedir(proc);
    qsort(pids, len, sizeof *pids, by_number);
    return len;
}

/* A number of the network namespace that DIR sees: each has tables of its own. The link ns/net
 * would tell, but not to everybody. 0: not known. */
static ino_t net_of(const char *dir)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "%s/net/dev", dir);
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

void host_place_init(struct host_place *place, pid_t pid)
{
    *place = (struct host_place){.pid = pid};
    snprintf(place->dir, sizeof place->dir, "/proc/self");
    ino_t ours = net_of(place->dir);
    if (pid)
        snprintf(place->dir, sizeof place->dir, "/proc/%ld", (long)pid);
    place->apart = pid && (!ours || net_of(place->dir) != ours);
}

/* The port of an admin address on this machine's loopback; 0: it is elsewhere. */
static int admin_port(const struct target *target)
{
    static const char *const here[] = {
        "http://127.", "http://localhost:", "http://[::1]:", "https://127.", "https://localhost:"};
    const char *colon = target->kind == TARGET_ADMIN ? strrchr(target->address, ':') : NULL;
    for (size_t i = 0; colon && i < ARRAY_LEN(here); i++)
        if (str_starts(target->address, here[i]))
            return atoi(colon + 1);
    return 0;
}

/* Those in our own network namespace, by which loopback is meant, in front; says how many. */
static size_t ours_first(pid_t *pids, size_t len)
{
    size_t ours = 0;
    for (size_t i = 0; i < len; i++) {
        struct host_place place;
        host_place_init(&place, pids[i]);
        if (place.apart)
            continue;
        pid_t pid = pids[ours];
        pids[ours++] = pids[i];
        pids[i] = pid;
    }
    return ours;
}

static bool refuse(struct err *err, const pid_t *pids, size_t len)
{
    char list[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < len && i < SHOWN_MAX; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%ld", i ? ", " : "",
                                 (long)pids[i]);
    return err_set(err,
                   "%zu Envoys run on this machine (process %s%s), and nothing says which of them "
                   "is this target; 'debrief check --host' alone looks at each",
                   len, list, len > SHOWN_MAX ? " ..." : "");
}

bool host_place_of(struct host_place *place, const struct target *target, struct err *err)
{
    pid_t pids[HOST_ENVOYS_MAX];
    if (target->kind == TARGET_HOST && *target->address) {
        host_place_init(place, (pid_t)atol(target->address));
        return true;
    }
    size_t len = host_envoys(pids), ours = ours_first(pids, len);
    int port = admin_port(target);
    for (size_t i = 0; port && i < ours; i++) {
        host_place_init(place, pids[i]);
        if (host_listens(pids[i], port))
            return true;
    }
    if (len > 1 && ours != 1)
        return refuse(err, pids, len);
    host_place_init(place, len ? pids[0] : 0);
    return true;
}

/* ---- all of it ---- */

void host_collect(struct collection *collection)
{
    struct host_place place;
    struct err err = ERR_INIT;
    host_collect_clock(collection);
    if (!host_place_of(&place, collection->target, &err)) {
        collection_missing(collection, "host/envoy", "/proc", "%s", err.text);
        return;
    }
    if (place.pid)
        host_collect_process(collection, &place);
    else
        collection_missing(collection, "host/envoy", "/proc",
                           "no Envoy runs on this machine, or none that may be seen from here; "
                           "sockets, settings and rules are those that debrief itself sees");
    host_collect_names(collection, &place);
    host_collect_net(collection, &place);
}

void host_dry_run(void)
{
    static const char *const lines[] = {
        "read /proc/*/cmdline, exe, fd",
        "read /proc/<envoy>/status",
        "read /proc/<envoy>/limits",
        "read /proc/<envoy>/cgroup",
        "read /sys/fs/cgroup/<group>/memory.*",
        "read /proc/<envoy>/root/etc/resolv.conf",
        "read /proc/<envoy>/root/etc/hosts",
        "read /proc/<envoy>/net/tcp, tcp6, route",
        "read /proc/sys/net/ipv4, core, netfilter in the network namespace of <envoy>",
        "ask adjtimex for the state of the clock",
        "iptables-save -c in the network namespace of <envoy>",
        "ip6tables-save -c in the network namespace of <envoy>",
        "nft list ruleset in the network namespace of <envoy>"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        puts(lines[i]);
}
