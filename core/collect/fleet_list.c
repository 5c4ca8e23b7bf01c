/* Collect: the files that a directory or an archive holds, for finding proxies among them. Reads names,
 * opens archives within archives, and looks into logs of pods whose path does not tell their containers;
 * writes a fleet. Deliberately unpacks nothing for keeping. */
#include "base/alloc.h"
#include "base/dirscan.h"
#include "base/str.h"
#include "collect/fleet.h"
#include "collect/fleet_pods.h"
#include "collect/unarchive.h"
#include "source/bundle.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORTION = 1 << 16, CONTAINER_MAX = 256 };

static const uint64_t nested_max = UINT64_C(1) << 30;

struct list {
    struct arena *arena;
    struct fleet_file *files;
    size_t len;
    uint64_t nested; /* bytes of archives within, so far */
};

/* ---- who speaks in a log ---- */

struct speakers { /* a text that comes in portions */
    char tail[CONTAINER_MAX * 2];
    size_t len;
    bool proxy;
};

/* "==== START logs for container istio-proxy of pod default/web ====" */
static void find_speaker(struct speakers *speakers, const char *text, size_t len)
{
    static const char begin[] = "==== START logs for container ";
    const char *at = text, *end = text + len;
    while ((at = memmem(at, (size_t)(end - at), begin, sizeof begin - 1))) {
        at += sizeof begin - 1;
        const char *stop = memchr(at, ' ', (size_t)(end - at));
        if (stop && stop - at < CONTAINER_MAX)
            speakers->proxy |= fleet_proxy_container(at, (size_t)(stop - at));
    }
}

static void hear(struct speakers *speakers, const char *bytes, size_t len)
{
    char seam[sizeof speakers->tail * 2];
    size_t head = len < sizeof speakers->tail ? len : sizeof speakers->tail;
    memcpy(seam, speakers->tail, speakers->len);
    memcpy(seam + speakers->len, bytes, head);
    find_speaker(speakers, seam, speakers->len + head);
    find_speaker(speakers, bytes, len);
    size_t kept = len < sizeof speakers->tail ? len : sizeof speakers->tail;
    memcpy(speakers->tail, bytes + len - kept, kept);
    speakers->len = kept;
}

static bool is_logs(const char *name)
{
    return str_ends(name, "/logs.txt");
}

static void add(struct list *list, const char *name, bool proxy)
{
    if (list->len < BUNDLE_FILES_MAX)
        list->files[list->len++] = (struct fleet_file){arena_strdup(list->arena, name), proxy};
}

/* ---- archives ---- */

static void list_archive(struct list *list, const char *path, const char *prefix, int depth);

/* An archive within: copied to a file without a name, so that it can be opened like any other. */
static void list_nested(struct list *list, struct unarchive *archive, const char *name, int depth,
                        char *bytes, size_t got)
{
    FILE *file = tmpfile();
    bool fine = file != NULL;
    while (fine && got) {
        fine = fwrite(bytes, 1, got, file) == got;
        list->nested += got;
        fine = fine && list->nested <= nested_max &&
               unarchive_read(archive, bytes, PORTION, &got, NULL);
    }
    if (fine && fflush(file) == 0) {
        char *inner = xasprintf("/proc/self/fd/%d", fileno(file));
        char *below = xasprintf("%s/", name);
        list_archive(list, inner, below, depth + 1);
        free(below);
        free(inner);
    }
    if (file)
        fclose(file);
}

static bool log_of_proxy(struct unarchive *archive, char *bytes, size_t got)
{
    struct speakers speakers = {.len = 0};
    while (got && !speakers.proxy) {
        hear(&speakers, bytes, got);
        if (!unarchive_read(archive, bytes, PORTION, &got, NULL))
            break;
    }
    return speakers.proxy;
}

static void list_member(struct list *list, struct unarchive *archive, const char *name, int depth)
{
    char *bytes = xmalloc(PORTION);
    size_t got = 0;
    bool read = unarchive_read(archive, bytes, PORTION, &got, NULL), proxy = false;
    if (read && depth < UNARCHIVE_DEPTH_MAX && unarchive_magic(bytes, got))
        list_nested(list, archive, name, depth, bytes, got);
    else if (read && is_logs(name))
        proxy = log_of_proxy(archive, bytes, got);
    add(list, name, proxy);
    free(bytes);
}

static void list_archive(struct list *list, const char *path, const char *prefix, int depth)
{
    struct unarchive *archive = unarchive_open(path, NULL);
    struct archive_entry *entry;
    while (archive && list->len < BUNDLE_FILES_MAX && (entry = unarchive_next(archive, NULL))) {
        const char *name = archive_entry_pathname(entry);
        if (!name || archive_entry_filetype(entry) != AE_IFREG)
            continue;
        char *whole = xasprintf("%s%s", prefix, str_starts(name, "./") ? name + 2 : name);
        list_member(list, archive, whole, depth);
        free(whole);
    }
    unarchive_close(archive);
}

static void find(struct fleet *fleet, struct list *list)
{
    fleet_find(fleet, list->files, list->len);
    free(list->files);
    arena_free(list->arena);
}

static struct list new_list(void)
{
    return (struct list){.arena = arena_new(),
                         .files = xcalloc(BUNDLE_FILES_MAX, sizeof(struct fleet_file))};
}

void fleet_of_archive(struct fleet *fleet, const char *path)
{
    struct list list = new_list();
    list_archive(&list, path, "", 0);
    find(fleet, &list);
}

/* ---- directories ---- */

static bool file_of_proxy(const char *path)
{
    struct speakers speakers = {.len = 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = xmalloc(PORTION);
    ssize_t got = 0;
    while (fd >= 0 && !speakers.proxy && (got = read(fd, bytes, PORTION)) > 0)
        hear(&speakers, bytes, (size_t)got);
    free(bytes);
    if (fd >= 0)
        close(fd);
    return speakers.proxy;
}

void fleet_of_directory(struct fleet *fleet, const char *path)
{
    struct dirscan scan;
    struct list list = new_list();
    dirscan_walk(&scan, path, BUNDLE_FILES_MAX, NULL);
    for (size_t i = 0; i < scan.len; i++) {
        const struct dirscan_entry *entry = &scan.items[i];
        if (entry->path && unarchive_recognise(entry->path)) {
            char *below = xasprintf("%s/", entry->name);
            list_archive(&list, entry->path, below, 1);
            free(below);
        }
        add(&list, entry->name, entry->path && is_logs(entry->name) && file_of_proxy(entry->path));
    }
    dirscan_release(&scan);
    find(fleet, &list);
}
