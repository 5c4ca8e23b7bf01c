/* Collect: local files. Reads the file system, writes sources that refer to files where they
 * stand; only what can be read but once (pipes, standard input) is copied into the bundle.
 * Deliberately does not look at content, but to tell an archive from a file. */
#include "collect/files.h"

#include "base/alloc.h"
#include "base/dirscan.h"
#include "base/slurp.h"
#include "collect/archive.h"
#include "collect/fleet.h"
#include "collect/unarchive.h"
#include "source/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t spool_max = UINT64_C(4) << 30;

struct spool { /* a pipe on its way into the bundle */
    struct collection *collection;
    int from, to;
    struct hash *hash;
    uint64_t size;
    char trouble[128]; /* why it ended before its end */
};

/* False at the end, whether it came in order or not. */
static bool spool_portion(struct spool *spool, char *bytes, size_t cap)
{
    struct pollfd wait = {.fd = spool->from, .events = POLLIN};
    int ready = poll(&wait, 1, (int)collection_left_ms(spool->collection));
    if (ready < 0 && errno == EINTR)
        return true;
    if (ready == 0) {
        snprintf(spool->trouble, sizeof spool->trouble,
                 "no end within the time limit; what came until then was kept");
        return false;
    }
    ssize_t got = read(spool->from, bytes, cap);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (got <= 0) {
        if (got < 0)
            snprintf(spool->trouble, sizeof spool->trouble, "cannot read: %s", strerror(errno));
        return false;
    }
    if (!collection_write(spool->to, bytes, (size_t)got)) {
        snprintf(spool->trouble, sizeof spool->trouble, "cannot keep it: %s", strerror(errno));
        return false;
    }
    hash_add(spool->hash, bytes, (size_t)got);
    spool->size += (uint64_t)got;
    if (spool->size > spool_max)
        snprintf(spool->trouble, sizeof spool->trouble, "longer than 4 GB; the rest was not read");
    return spool->size <= spool_max;
}

static void spool_in(struct collection *collection, int from, const char *name, const char *origin)
{
    struct err err = ERR_INIT;
    if (!slurp_check(from, origin, &err)) {
        collection_missing(collection, name, origin, "%s", err.text);
        return;
    }
    struct source *source = collection_add(collection, name, origin);
    char *path = collection_path(collection, source->name);
    struct spool spool = {.collection = collection, .from = from};
    spool.to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (spool.to < 0) {
        source->missing = true;
        source_problem(&collection->bundle.sources, source, "cannot keep it: %s", strerror(errno));
        free(path);
        return;
    }
    char *bytes = xmalloc(1 << 16);
    spool.hash = hash_new();
    while (spool_portion(&spool, bytes, 1 << 16))
        ;
    hash_end(spool.hash, source->sha256);
    close(spool.to);
    free(bytes);
    source->path = arena_strdup(collection->bundle.sources.arena, path);
    source->size = spool.size;
    source->complete = !spool.trouble[0];
    if (spool.trouble[0])
        source_problem(&collection->bundle.sources, source, "%s", spool.trouble);
    free(path);
}

/* The same file named twice must not count twice. */
static bool is_known(const struct collection *collection, const char *resolved)
{
    const struct sources *sources = &collection->bundle.sources;
    for (size_t i = 0; resolved && i < sources->len; i++)
        if (sources->items[i].path && strcmp(sources->items[i].path, resolved) == 0)
            return true;
    return false;
}

/* NAME is what the source is called; PATH may be NULL, when it cannot be followed. */
static void add_named(struct collection *collection, const char *name, const char *path,
                      uint64_t size)
{
    char *resolved = path ? realpath(path, NULL) : NULL;
    if (is_known(collection, resolved)) {
        free(resolved);
        return;
    }
    if (!resolved || access(resolved, R_OK) < 0) {
        collection_missing(collection, name, path ? path : name, "cannot read '%s': %s", name,
                           path ? strerror(errno) : "it leads nowhere");
    } else {
        struct source *source = collection_add(collection, name, path);
        source->path = arena_strdup(collection->bundle.sources.arena, resolved);
        source->size = size;
        source->complete = true;
    }
    free(resolved);
}

static void add_file(struct collection *collection, const char *path, uint64_t size)
{
    add_named(collection, collection_base_name(path), path, size);
}

static void add_pipe(struct collection *collection, const char *path)
{
    /* Nobody may write to it yet: that is waited for within the time limit, not here. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *name = xasprintf("file/%s", collection_base_name(path));
    if (fd < 0)
        collection_missing(collection, name, path, "cannot read '%s': %s", path, strerror(errno));
    else
        spool_in(collection, fd, name, path);
    if (fd >= 0)
        close(fd);
    free(name);
}

/* Archives among the files are opened: their members stand for them. */
static void open_archives(struct collection *collection, size_t from, const struct target *within)
{
    struct sources *sources = &collection->bundle.sources;
    for (size_t i = from, len = sources->len; i < len; i++) {
        const struct source source = sources->items[i];
        if (!source.path || source.missing || !unarchive_recognise(source.path))
            continue;
        sources_remove(sources, i--);
        len--;
        archive_collect(collection, source.path, source.name, within);
    }
}

static void add_directory(struct collection *collection, const char *path)
{
    struct err err = ERR_INIT;
    size_t before = collection->bundle.sources.len;
    if (!bundle_add_directory(&collection->bundle, path, &err))
        collection_missing(collection, collection_base_name(path), path, "%s", err.text);
    open_archives(collection, before, NULL);
}

static void add_taken(struct collection *collection, const struct dirscan_entry *entry,
                      const char *folder)
{
    const struct target *target = collection->target;
    if (!target_takes(target, entry->name) || (folder && fleet_below(entry->name, folder)))
        return;
    size_t before = collection->bundle.sources.len;
    add_named(collection, entry->name, entry->path, entry->size);
    if (collection->bundle.sources.len > before)
        collection->bundle.sources.items[before].shared = target_shares(target, entry->name);
    open_archives(collection, before, target);
}

/* One of the proxies that live in a directory, or what is nobody's own. A folder of its own may be a
 * bundle. */
static void collect_member(struct collection *collection)
{
    struct dirscan scan;
    struct err err = ERR_INIT;
    struct stat status;
    const struct target *target = collection->target;
    const char *path = target->address;
    const char *folder = target->member == FLEET_REST
                             ? NULL
                             : target->fleet->members[target->member].folder;
    char *below = folder ? xasprintf("%s/%s", path, folder) : NULL;
    bool own = below && stat(below, &status) == 0 && S_ISDIR(status.st_mode);
    if (own)
        add_directory(collection, below);
    if (!dirscan_walk(&scan, path, BUNDLE_FILES_MAX, &err))
        collection_missing(collection, collection_base_name(path), path, "%s", err.text);
    for (size_t i = 0; i < scan.len; i++)
        add_taken(collection, &scan.items[i], own ? folder : NULL);
    dirscan_release(&scan);
    free(below);
}

void files_collect_target(struct collection *collection)
{
    const struct target *target = collection->target;
    if (target->kind == TARGET_ARCHIVE)
        archive_collect(collection, target->address, "", target);
    else if (target->fleet)
        collect_member(collection);
    else
        files_collect(collection, target->address);
}

void files_collect(struct collection *collection, const char *path)
{
    struct stat status;
    if (strcmp(path, "-") == 0)
        spool_in(collection, STDIN_FILENO, "file/stdin.txt", "standard input");
    else if (stat(path, &status) < 0)
        collection_missing(collection, collection_base_name(path), path, "cannot read '%s': %s",
                           path, strerror(errno));
    else if (S_ISDIR(status.st_mode))
        add_directory(collection, path);
    else if (!S_ISREG(status.st_mode))
        add_pipe(collection, path);
    else if (archive_recognise(path))
        archive_collect(collection, path, "", NULL);
    else
        add_file(collection, path, (uint64_t)status.st_size);
}

static void dry_run_directory(const struct target *target, const char *path)
{
    struct dirscan scan;
    struct err err = ERR_INIT;
    if (!dirscan_walk(&scan, path, BUNDLE_FILES_MAX, &err))
        printf("%s\n", err.text);
    for (size_t i = 0; i < scan.len; i++)
        if (target_takes(target, scan.items[i].name))
            printf("read %s/%s\n", path, scan.items[i].name);
    dirscan_release(&scan);
}

void files_dry_run(const char *path, const struct target *within)
{
    struct stat status;
    if (strcmp(path, "-") == 0)
        printf("read standard input\n");
    else if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        dry_run_directory(within, path);
    else
        printf("read %s\n", path);
}
