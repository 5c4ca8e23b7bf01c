/* Collect: turns a target into a bundle on disk. Reads what the target names, through the
 * collectors; writes sources and bundle.json. Deliberately has no opinion on content: what could
 * be got is kept. */
#include "collect/collect.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "collect/admin.h"
#include "collect/collection.h"
#include "collect/ecs.h"
#include "collect/files.h"
#include "collect/fleet.h"
#include "collect/host.h"
#include "collect/kube.h"
#include "collect/probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000 };

int64_t collection_left_ms(const struct collection *collection)
{
    int64_t left = (collection->deadline - clock_monotonic()) / (CLOCK_SECOND / 1000);
    return left > 0 ? left : 1;
}

bool collection_is_late(const struct collection *collection)
{
    return clock_monotonic() >= collection->deadline;
}

bool collection_wants(const struct collect_options *options, const char *name)
{
    return !options->wanted || options->wanted(options->user, name);
}

struct source *collection_add(struct collection *collection, const char *name, const char *origin)
{
    struct source *source = sources_add(&collection->bundle.sources, name);
    source->origin = arena_strdup(collection->bundle.sources.arena, origin);
    source->asked = true;
    return source;
}

struct source *collection_missing(struct collection *collection, const char *name,
                                  const char *origin, const char *format, ...)
{
    struct source *source = collection_add(collection, name, origin);
    char why[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    source->missing = true;
    source_problem(&collection->bundle.sources, source, "%s", why);
    return source;
}

char *collection_path(const struct collection *collection, const char *name)
{
    char *path = xasprintf("%s/%s", collection->bundle.dir, name);
    for (char *at = path + strlen(collection->bundle.dir) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(path, 0700); /* a folder that is not there is told by whoever opens the file */
        *at = '/';
    }
    return path;
}

bool collection_write(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return true;
}

const char *collection_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static const char *manner(const struct target *target)
{
    switch (target->kind) {
    case TARGET_ADMIN:
    case TARGET_UNIX:
        return "asked the admin address";
    case TARGET_DIRECTORY:
        return "read a directory";
    case TARGET_ARCHIVE:
        return "read an archive";
    case TARGET_KUBE:
        return "asked the cluster by kubectl";
    case TARGET_ECS:
        return "asked AWS by its client";
    case TARGET_HOST:
        return "read this machine's /proc and /sys";
    case TARGET_FILES:
        break;
    }
    return "read files";
}

/* Which pods' part of what a cluster's files say is this target's. */
static void set_focus(struct collection *collection)
{
    const struct target *target = collection->target;
    struct sources *sources = &collection->bundle.sources;
    if (!target->fleet)
        return;
    bool rest = target->member == FLEET_REST;
    sources->focus.pods = arena_alloc(sources->arena,
                                      target->fleet->len * sizeof *sources->focus.pods);
    sources->focus.except = rest;
    for (size_t i = 0; i < target->fleet->len; i++) {
        const char *pod = target->fleet->members[i].pod;
        if (pod && (rest || i == target->member))
            sources->focus.pods[sources->focus.len++] = arena_strdup(sources->arena, pod);
    }
}

static void collect_all(struct collection *collection)
{
    const struct target *target = collection->target;
    if (target->kind == TARGET_ADMIN || target->kind == TARGET_UNIX)
        admin_collect(collection);
    else if (target->kind == TARGET_KUBE)
        kube_collect(collection, target->address, true);
    else if (target->kind == TARGET_ECS)
        ecs_collect(collection, target->address);
    else if (target->kind == TARGET_HOST)
        host_collect(collection);
    else if (target->kind != TARGET_FILES)
        files_collect_target(collection);
    if (target->kube)
        kube_collect(collection, target->kube, false);
    if (target->aws)
        ecs_collect(collection, target->aws);
    if (target->host)
        host_collect(collection);
    for (size_t i = 0; i < target->evidence_len; i++)
        files_collect(collection, target->evidence[i]);
    if (collection->options->probe)
        probe_collect(collection);
}

int64_t collect_limit_ms(const struct collect_options *options)
{
    return (options->timeout_ms ? options->timeout_ms : TIMEOUT_MS) + options->sample_ms;
}

bool collect_target(const struct target *target, const struct collect_options *options,
                    const char *dir, struct err *err)
{
    int64_t now = clock_now();
    struct collection collection = {
        .target = target,
        .options = options,
        .deadline = clock_monotonic() + collect_limit_ms(options) * (CLOCK_SECOND / 1000),
    };
    struct bundle *bundle = &collection.bundle;
    bundle_init(bundle, dir, target->name);
    bool live = target->kind != TARGET_FILES && target->kind != TARGET_DIRECTORY &&
                target->kind != TARGET_ARCHIVE;
    if (live) {
        bundle->when = now; /* and not the time of a bundle that is given as further evidence */
        bundle->how = xstrdup(manner(target));
    }
    set_focus(&collection);
    collect_all(&collection);
    if (!bundle->when)
        bundle->when = now;
    if (!bundle->how)
        bundle->how = xstrdup(manner(target));
    bool written = bundle_write_index(bundle, err);
    bundle_release(bundle);
    return written;
}
