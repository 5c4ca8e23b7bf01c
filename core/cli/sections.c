/* Commands: lint and test. Finds section folders and their cases on disk. Reads directories; runs make in
 * a section that brings a Makefile, and writes nothing else. */
#include "cli/sections.h"
#include "base/alloc.h"
#include "base/str.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool is_dir(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static bool is_there(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static bool is_code(const char *name)
{
    return name[0] != '.' &&
           (str_ends(name, ".lua") || str_ends(name, ".so") || str_ends(name, ".c"));
}

static bool is_section(const char *dir)
{
    struct dirent *entry;
    bool code = false;
    DIR *stream = opendir(dir);
    while (stream && !code && (entry = readdir(stream)))
        code = is_code(entry->d_name);
    if (stream)
        closedir(stream);
    return code;
}

/* Names in DIR, sorted, without those that begin with '.' or '_'. */
static const char **names_in(struct arena *arena, const char *dir, size_t *len)
{
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort);
    const char **names = arena_alloc(arena, (size_t)(count > 0 ? count : 1) * sizeof *names);
    *len = 0;
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.' && entries[i]->d_name[0] != '_')
            names[(*len)++] = arena_strdup(arena, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return names;
}

static const char *parent_of(struct arena *arena, const char *path)
{
    return arena_printf(arena, "%s/..", path);
}

static const char *real_of(struct arena *arena, const char *path)
{
    char *real = realpath(path, NULL);
    const char *kept = arena_strdup(arena, real ? real : path);
    free(real);
    return kept;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static struct section *add(struct sections *sections, const char *dir)
{
    const char *real = real_of(sections->arena, dir);
    for (size_t i = 0; i < sections->len; i++)
        if (strcmp(sections->items[i].real, real) == 0)
            return &sections->items[i];
    if (sections->len == sections->cap) {
        sections->cap = sections->cap ? 2 * sections->cap : 8;
        sections->items = xrealloc(sections->items, sections->cap * sizeof *sections->items);
    }
    struct section *section = &sections->items[sections->len++];
    *section = (struct section){
        .dir = arena_strdup(sections->arena, dir), .real = real, .name = last_part(real)};
    return section;
}

static void add_case(struct sections *sections, struct section *section, const char *dir)
{
    const char **grown = arena_alloc(sections->arena,
                                     (section->cases_len + 1) * sizeof *section->cases);
    if (section->cases_len)
        memcpy(grown, section->cases, section->cases_len * sizeof *grown);
    grown[section->cases_len++] = dir;
    section->cases = grown;
}

static void add_whole(struct sections *sections, const char *dir)
{
    size_t len, at = sections->len;
    struct section *section = add(sections, dir);
    const char *cases = arena_printf(sections->arena, "%s/cases", dir);
    if (sections->len == at)
        return; /* named before */
    const char **names = names_in(sections->arena, cases, &len);
    for (size_t i = 0; i < len; i++) {
        const char *path = arena_printf(sections->arena, "%s/%s", cases, names[i]);
        if (is_dir(path))
            add_case(sections, section, path);
    }
}

static bool add_path(struct sections *sections, const char *path, struct err *err)
{
    struct arena *arena = sections->arena;
    const char *up = parent_of(arena, path), *top = parent_of(arena, up);
    size_t len, before = sections->len;
    if (!is_dir(path))
        return err_set(err, "no directory '%s'", path);
    if (is_there(path, "expect.json") && is_section(top)) {
        add_case(sections, add(sections, real_of(arena, top)), arena_strdup(arena, path));
        return true;
    }
    if (strcmp(last_part(real_of(arena, path)), "cases") == 0 && is_section(up)) {
        add_whole(sections, real_of(arena, up));
        return true;
    }
    if (is_section(path)) {
        add_whole(sections, path);
        return true;
    }
    const char **names = names_in(arena, path, &len);
    for (size_t i = 0; i < len; i++) {
        const char *inner = arena_printf(arena, "%s/%s", path, names[i]);
        if (is_dir(inner) && is_section(inner))
            add_whole(sections, inner);
    }
    return sections->len > before || err_set(err, "no section in '%s'", path);
}

bool sections_find(struct sections *sections, char *const *paths, size_t len, struct err *err)
{
    bool ok = true;
    *sections = (struct sections){.arena = arena_new()};
    if (!len)
        ok = add_path(sections, ".", err);
    for (size_t i = 0; i < len && ok; i++) {
        size_t end = strlen(paths[i]);
        while (end > 1 && paths[i][end - 1] == '/')
            end--;
        ok = add_path(sections, arena_strndup(sections->arena, paths[i], end), err);
    }
    if (!ok)
        sections_release(sections);
    return ok;
}

void sections_release(struct sections *sections)
{
    free(sections->items);
    arena_free(sections->arena);
    *sections = (struct sections){0};
}

/* The time of the newest file in DIR with this ENDING, 0 when there is none. */
static struct timespec newest(const char *dir, const char *ending)
{
    struct timespec latest = {0, 0};
    struct dirent *entry;
    DIR *stream = opendir(dir);
    while (stream && (entry = readdir(stream))) {
        struct stat facts;
        if (!str_ends(entry->d_name, ending) ||
            fstatat(dirfd(stream), entry->d_name, &facts, 0) != 0)
            continue;
        bool later = facts.st_mtim.tv_sec > latest.tv_sec ||
                     (facts.st_mtim.tv_sec == latest.tv_sec &&
                      facts.st_mtim.tv_nsec > latest.tv_nsec);
        latest = later ? facts.st_mtim : latest;
    }
    if (stream)
        closedir(stream);
    return latest;
}

static bool run_make(const struct section *section, struct err *err)
{
    const char *const arguments[] = {"make", "-s", "-C", section->real, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    int failed = posix_spawnp(&pid, "make", &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return err_set(err, "cannot run make in '%s': %s", section->dir, strerror(failed));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status == 0 || err_set(err, "make fails in '%s'", section->dir);
}

bool sections_build(const struct section *section, struct err *err)
{
    struct timespec code = newest(section->real, ".c"), made = newest(section->real, ".so");
    bool stale = code.tv_sec > made.tv_sec ||
                 (code.tv_sec == made.tv_sec && code.tv_nsec > made.tv_nsec);
    if (!stale || !is_there(section->real, "Makefile"))
        return true;
    return run_make(section, err);
}
