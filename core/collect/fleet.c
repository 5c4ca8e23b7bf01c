/* Collect: tells one proxy's evidence from that of many. Reads names of files, writes the folders that
 * belong to one proxy each. Deliberately goes by names alone: what a file is, its content decides when it
 * is read; here they only say which files belong together. */
#include "collect/fleet.h"

#include "base/alloc.h"
#include "base/dirscan.h"
#include "base/str.h"
#include "collect/unarchive.h"
#include "source/bundle.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_SAMPLE "sample-2/"

enum { PAGES_ENOUGH = 2 }; /* one page alone may be called anything */

struct folder {
    const char *name;
    unsigned pages; /* a bit for each admin page that lies in it */
};

static const char *const pages[] = {"config_dump", "server_info", "clusters", "certs",
                                    "listeners",   "stats",       "memory",   "runtime",
                                    "init_dump",   "ready"};

bool fleet_below(const char *name, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(name, folder, len) == 0 && name[len] == '/';
}

/* The bit of the page that the file's name speaks of: "config_dump?include_eds", "certs.json". */
static unsigned page_of(const char *base)
{
    size_t len = strcspn(base, ".?");
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (strlen(pages[i]) == len && memcmp(pages[i], base, len) == 0)
            return 1u << i;
    return 0;
}

static const char *without_dot(const char *name)
{
    return str_starts(name, "./") ? name + 2 : name;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct folder *)a)->name, ((const struct folder *)b)->name);
}

/* Folders with pages, each once, in sorted order. */
static size_t page_folders(struct arena *arena, struct folder *out, const char *const *names,
                           size_t len)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < len; i++) {
        const char *name = without_dot(names[i]), *slash = strrchr(name, '/');
        unsigned page = slash && !strstr(name, SECOND_SAMPLE) ? page_of(slash + 1) : 0;
        if (page)
            out[count++] = (struct folder){arena_strndup(arena, name, (size_t)(slash - name)),
                                           page};
    }
    qsort(out, count, sizeof *out, by_name);
    for (size_t i = 0; i < count; i++)
        if (kept && strcmp(out[kept - 1].name, out[i].name) == 0)
            out[kept - 1].pages |= out[i].pages;
        else
            out[kept++] = out[i];
    return kept;
}

/* Pages in a folder below, as in stats/prometheus, belong to the proxy around it. */
static size_t whole_proxies(struct folder *folders, size_t len)
{
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        bool inner = kept && fleet_below(folders[i].name, folders[kept - 1].name);
        if (!inner && __builtin_popcount(folders[i].pages) >= PAGES_ENOUGH)
            folders[kept++] = folders[i];
    }
    return kept;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : NULL;
}

/* When all folders are called alike ("admin"), what tells the proxies apart is the folder around. */
static bool rise(struct arena *arena, struct folder *folders, size_t len)
{
    const char *same = last_part(folders[0].name);
    for (size_t i = 0; i < len; i++)
        if (!same || !str_equal(same, last_part(folders[i].name)))
            return false;
    for (size_t i = 0; i < len; i++)
        folders[i].name = arena_strndup(arena, folders[i].name,
                                        strlen(folders[i].name) - strlen(same) - 1);
    return true;
}

/* Whether any folder lies in the one before it, which risen ones may. */
static bool nested(const struct folder *folders, size_t len)
{
    for (size_t i = 1; i < len; i++)
        if (fleet_below(folders[i].name, folders[i - 1].name))
            return true;
    return false;
}

static size_t count_outside(const struct fleet *fleet, const char *const *names, size_t len)
{
    size_t outside = 0, at = 0;
    for (size_t i = 0; i < len; i++) {
        for (at = 0; at < fleet->len && !fleet_below(without_dot(names[i]), fleet->folders[at]);)
            at++;
        outside += at == fleet->len;
    }
    return outside;
}

void fleet_find(struct fleet *fleet, const char *const *names, size_t len)
{
    *fleet = (struct fleet){.arena = arena_new()};
    struct folder *folders = xcalloc(len + 1, sizeof *folders);
    size_t count = whole_proxies(folders, page_folders(fleet->arena, folders, names, len));
    while (count > 1 && rise(fleet->arena, folders, count))
        ;
    if (count > 1 && !nested(folders, count)) {
        fleet->folders = arena_alloc(fleet->arena, count * sizeof *fleet->folders);
        fleet->len = count;
        for (size_t i = 0; i < count; i++)
            fleet->folders[i] = folders[i].name;
        fleet->files = count_outside(fleet, names, len);
    }
    free(folders);
}

void fleet_of_directory(struct fleet *fleet, const char *path)
{
    struct dirscan scan;
    dirscan_walk(&scan, path, BUNDLE_FILES_MAX, NULL);
    const char **names = xcalloc(scan.len + 1, sizeof *names);
    for (size_t i = 0; i < scan.len; i++)
        names[i] = scan.items[i].name;
    fleet_find(fleet, names, scan.len);
    free(names);
    dirscan_release(&scan);
}

void fleet_of_archive(struct fleet *fleet, const char *path)
{
    struct unarchive *archive = unarchive_open(path, NULL);
    struct arena *arena = arena_new();
    const char **names = xcalloc(BUNDLE_FILES_MAX, sizeof *names);
    struct archive_entry *entry;
    size_t len = 0;
    while (archive && len < BUNDLE_FILES_MAX && (entry = unarchive_next(archive, NULL))) {
        const char *name = archive_entry_pathname(entry);
        if (name && archive_entry_filetype(entry) == AE_IFREG)
            names[len++] = arena_strdup(arena, name);
    }
    fleet_find(fleet, names, len);
    unarchive_close(archive);
    free(names);
    arena_free(arena);
}

void fleet_release(struct fleet *fleet)
{
    arena_free(fleet->arena);
    *fleet = (struct fleet){0};
}
