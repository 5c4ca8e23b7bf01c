/* Collect: one process of this machine, and the clock. Reads /proc/PID, the process's control
 * group and the files of its own root by which it resolves names; writes each as the kernel or the
 * file has it. Deliberately follows no link out of a container's root. */
#include "collect/host.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

enum { TEXT_MAX = 512 << 10 };

#define GROUPS "/sys/fs/cgroup"

static void keep_file(struct collection *collection, const char *name, const char *path)
{
    size_t len;
    char *text = host_slurp(path, &len);
    if (text)
        host_keep(collection, name, path, text, len);
    else
        collection_missing(collection, name, path, "cannot read it: %s", strerror(errno));
    free(text);
}

/* ---- limits ---- */

/* How many descriptors are open; -1: that may not be known. */
static long open_files(const struct host_place *place)
{
    char path[64];
    long count = 0;
    snprintf(path, sizeof path, "%s/fd", place->dir);
    DIR *dir = opendir(path);
    if (!dir)
        return -1;
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += *entry->d_name != '.';
    closedir(dir);
    return count;
}

/* The line by which the reader knows whose limits, or whose group, follow. */
static void add_heading(struct buf *text, const struct host_place *place)
{
    long count = open_files(place);
    if (count >= 0)
        buf_addf(text, "# process %ld has %ld open files\n", (long)place->pid, count);
    else
        buf_addf(text, "# process %ld\n", (long)place->pid);
}

static void collect_limits(struct collection *collection, const struct host_place *place,
                           const char *name)
{
    char path[64];
    struct buf text;
    size_t len;
    snprintf(path, sizeof path, "%s/limits", place->dir);
    char *limits = host_slurp(path, &len);
    if (!limits) {
        collection_missing(collection, name, path, "cannot read it: %s", strerror(errno));
        return;
    }
    buf_init(&text, TEXT_MAX);
    add_heading(&text, place);
    buf_add(&text, limits, len);
    struct source *source = host_keep(collection, name, path, text.data, text.len);
    if (open_files(place) < 0)
        source_problem(&collection->bundle.sources, source,
                       "how many files are open may be read by root and the process's user only");
    buf_release(&text);
    free(limits);
}

/* ---- control group ---- */

static const struct group_file {
    const char *file, *line; /* LINE: the member of a file of several; NULL: all of it */
    const char *name;        /* as control groups of version 2 call it */
} group_files[] = {
    {"memory.max", NULL, "memory.max"},
    {"memory.current", NULL, "memory.current"},
    {"memory.events", "oom_kill", "memory.events.oom_kill"},
    {"memory.events", "max", "memory.events.max"},
    {"memory.limit_in_bytes", NULL, "memory.max"},
    {"memory.usage_in_bytes", NULL, "memory.current"},
    {"memory.oom_control", "oom_kill", "memory.events.oom_kill"},
    {"pids.max", NULL, "pids.max"},
    {"pids.current", NULL, "pids.current"},
};

/* "0::/kubepods/pod1/c2", or of version 1 "9:memory:/docker/c2": the folder of the memory
 * controller; false when it is not to be seen from here. */
static bool group_folder(const char *groups, char out[512])
{
    const char *found = NULL, *mount = "";
    for (const char *at = groups; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
        const char *controllers = strchr(at, ':'),
                   *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            return false;
        if (path == controllers + 1 && !found)
            found = path + 1;
        const char *memory = strstr(controllers, "memory");
        if (memory && memory < path) {
            found = path + 1;
            mount = "/memory";
        }
    }
    if (!found)
        return false;
    int len = (int)strcspn(found, "\n");
    int written = snprintf(out, 512, GROUPS "%s%.*s", mount, len == 1 ? 0 : len, found);
    return written < 512 && !strstr(out, "/..") && access(out, R_OK) == 0;
}

/* The value of ROW in FOLDER, "" when there is none. */
static void group_value(const char *folder, const struct group_file *row, char out[64])
{
    char path[640];
    size_t len;
    *out = '\0';
    snprintf(path, sizeof path, "%s/%s", folder, row->file);
    char *text = host_slurp(path, &len);
    const char *at = text;
    size_t name = row->line ? strlen(row->line) : 0;
    while (at && row->line && !(strncmp(at, row->line, name) == 0 && at[name] == ' ')) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    if (at)
        snprintf(out, 64, "%.*s", (int)strcspn(at + name + (name != 0), "\n"),
                 at + name + (name != 0));
    free(text);
    int64_t number; /* version 1 says "no limit" by a number that no machine has */
    if (strcmp(row->file, "memory.limit_in_bytes") == 0 && str_to_int64(out, &number) &&
        number > INT64_MAX / 2)
        snprintf(out, 64, "max");
}

/* A group obeys the limits of all that it lies in: the lowest counts. */
static void lowest_value(const char *folder, const struct group_file *row, char out[64])
{
    char above[512], value[64];
    int64_t lowest, number;
    group_value(folder, row, out);
    if (!*out || !str_ends(row->name, ".max") || row->line)
        return;
    snprintf(above, sizeof above, "%s", folder);
    for (char *slash; (slash = strrchr(above, '/')) && slash - above > (long)strlen(GROUPS);) {
        *slash = '\0';
        group_value(above, row, value);
        bool limited = str_to_int64(out, &lowest);
        if (str_to_int64(value, &number) && (!limited || number < lowest))
            snprintf(out, 64, "%s", value);
    }
}

static void collect_group(struct collection *collection, const struct host_place *place,
                          const char *name)
{
    char path[64], folder[512], value[64];
    struct buf text;
    size_t len;
    snprintf(path, sizeof path, "%s/cgroup", place->dir);
    char *groups = host_slurp(path, &len);
    if (!groups || !group_folder(groups, folder)) {
        collection_missing(collection, name, path,
                           "the process's control group is not to be seen from here");
        free(groups);
        return;
    }
    buf_init(&text, TEXT_MAX);
    add_heading(&text, place);
    size_t before = text.len;
    for (size_t i = 0; i < ARRAY_LEN(group_files); i++) {
        lowest_value(folder, &group_files[i], value);
        if (*value)
            buf_addf(&text, "%s = %s\n", group_files[i].name, value);
    }
    if (text.len > before) /* the root group has no limits, and no files for them */
        host_keep(collection, name, folder, text.data, text.len);
    buf_release(&text);
    free(groups);
}

/* ---- names ---- */

static void collect_own_file(struct collection *collection, const struct host_place *place,
                             const char *name, const char *file)
{
    char root[64], origin[128];
    size_t len;
    snprintf(root, sizeof root, "%s/root", place->dir);
    snprintf(origin, sizeof origin, "%s/%s", root, file);
    char *text = host_slurp_inside(root, file, &len);
    if (text)
        host_keep(collection, name, origin, text, len);
    else if (errno != ENOENT) /* without the file the resolver has its defaults */
        collection_missing(
            collection, name, origin, "cannot read it: %s%s", strerror(errno),
            errno == EACCES || errno == EPERM ? "; root and the process's own user may" : "");
    free(text);
}

void host_collect_names(struct collection *collection, const struct host_place *place)
{
    collect_own_file(collection, place, "host/resolv.conf", "etc/resolv.conf");
    collect_own_file(collection, place, "host/hosts", "etc/hosts");
}

void host_collect_process(struct collection *collection, const struct host_place *place)
{
    char path[64], name[64];
    snprintf(path, sizeof path, "%s/status", place->dir);
    snprintf(name, sizeof name, "host/%ld/status", (long)place->pid);
    keep_file(collection, name, path);
    snprintf(name, sizeof name, "host/%ld/limits", (long)place->pid);
    collect_limits(collection, place, name);
    snprintf(name, sizeof name, "host/%ld/cgroup", (long)place->pid);
    collect_group(collection, place, name);
}

/* ---- the clock ---- */

void host_collect_clock(struct collection *collection)
{
    struct timex clock = {0}; /* no modes: nothing is set */
    char text[160];
    int state = adjtimex(&clock);
    if (state < 0) {
        collection_missing(collection, "host/clock.txt", "adjtimex", "%s", strerror(errno));
        return;
    }
    double unit = clock.status & STA_NANO ? 1e6 : 1e3;
    bool synchronized = state != TIME_ERROR && !(clock.status & STA_UNSYNC);
    int len = snprintf(
        text, sizeof text, "clock synchronized: %s offset_ms: %.3f max_error_ms: %.3f\n",
        synchronized ? "yes" : "no", (double)clock.offset / unit, (double)clock.maxerror / 1e3);
    host_keep(collection, "host/clock.txt", "adjtimex", text, (size_t)len);
}
