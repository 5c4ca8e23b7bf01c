/* Base: the sorted directory walk. Reads directories, writes a list of files. Deliberately opens no
 * file and never leaves the root it was given, whatever links say. */
#include "base/dirscan.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 32 };

struct walk {
    struct dirscan *scan;
    const char *root; /* resolved */
    size_t max;
};

static void add(struct walk *walk, const char *name, const char *path, const char *trouble,
                uint64_t size)
{
    struct dirscan *scan = walk->scan;
    if (scan->len == walk->max) {
        scan->cut = true;
        return;
    }
    if (scan->len == scan->cap) {
        scan->cap = scan->cap ? scan->cap * 2 : 64;
        scan->items = xrealloc(scan->items, scan->cap * sizeof *scan->items);
    }
    scan->items[scan->len++] = (struct dirscan_entry){
        .name = arena_strdup(scan->arena, name),
        .path = path ? arena_strdup(scan->arena, path) : NULL,
        .trouble = trouble ? arena_strdup(scan->arena, trouble) : NULL,
        .size = size,
    };
}

static bool is_below(const char *path, const char *root)
{
    size_t len = strlen(root);
    if (len == 1)
        return true;
    return strncmp(path, root, len) == 0 && path[len] == '/';
}

/* A link to a file inside says nothing new: the walk comes by that file anyway. */
static void visit_link(struct walk *walk, const char *path, const char *name)
{
    char resolved[PATH_MAX];
    struct stat status;
    if (!realpath(path, resolved) || stat(resolved, &status) < 0)
        add(walk, name, NULL, strerror(errno), 0);
    else if (!S_ISDIR(status.st_mode) && !is_below(resolved, walk->root))
        add(walk, name, NULL, "a link that leaves the directory", 0);
}

static bool walk_folder(struct walk *walk, const char *folder, const char *prefix, int depth);

static void visit(struct walk *walk, const char *path, const char *name, int depth)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        add(walk, name, NULL, strerror(errno), 0);
    else if (S_ISLNK(status.st_mode))
        visit_link(walk, path, name);
    else if (S_ISREG(status.st_mode) && access(path, R_OK) < 0)
        add(walk, name, NULL, strerror(errno), 0);
    else if (S_ISREG(status.st_mode))
        add(walk, name, path, NULL, (uint64_t)status.st_size);
    else if (S_ISDIR(status.st_mode) && !walk_folder(walk, path, name, depth + 1))
        add(walk, name, NULL, strerror(errno), 0);
}

static int only_real_names(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* scandir and not readdir, so that no descriptor stays open per level, and in order, so that a cut
 * falls at the same place every time. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool walk_folder(struct walk *walk, const char *folder, const char *prefix, int depth)
{
    struct dirent **names;
    if (depth > DEPTH_MAX) {
        walk->scan->cut = true;
        return true;
    }
    int count = scandir(folder, &names, only_real_names, by_name);
    if (count < 0)
        return false;
    for (int i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, names[i]->d_name);
        char *name = xasprintf("%s%s%s", prefix, *prefix ? "/" : "", names[i]->d_name);
        if (!walk->scan->cut)
            visit(walk, path, name, depth);
        free(path);
        free(name);
        free(names[i]);
    }
    free(names);
    return true;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct dirscan_entry *)a)->name, ((const struct dirscan_entry *)b)->name);
}

bool dirscan_walk(struct dirscan *scan, const char *root, size_t max, struct err *err)
{
    char resolved[PATH_MAX];
    *scan = (struct dirscan){.arena = arena_new()};
    struct walk walk = {scan, resolved, max};
    if (!realpath(root, resolved) || !walk_folder(&walk, resolved, "", 0))
        return err_set(err, "cannot list directory '%s': %s", root, strerror(errno));
    if (scan->len)
        qsort(scan->items, scan->len, sizeof *scan->items, by_path);
    return true;
}

void dirscan_release(struct dirscan *scan)
{
    arena_free(scan->arena);
    free(scan->items);
    *scan = (struct dirscan){0};
}

char *dirscan_inside(const char *root, const char *name, struct err *err)
{
    char *real_root = realpath(root, NULL);
    char *joined = xasprintf("%s/%s", root, name);
    char *resolved = realpath(joined, NULL);
    struct stat status;
    const char *trouble = NULL;
    if (!real_root || !resolved || stat(resolved, &status) < 0)
        trouble = strerror(errno);
    else if (!is_below(resolved, real_root))
        trouble = "it lies outside the directory";
    else if (!S_ISREG(status.st_mode))
        trouble = "not a regular file";
    if (trouble)
        err_set(err, "cannot use '%s': %s", name, trouble);
    free(real_root);
    free(joined);
    if (trouble) {
        free(resolved);
        resolved = NULL;
    }
    return resolved;
}
