/* Stage: check. Reads plugin directories, has the scout look into each file and writes the registry:
 * all checks by id. Deliberately treats an unusable file as a refused plugin, never as an error. */
#include "check/registry.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "check/metadata.h"
#include "check/scout.h"
#include "config.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct found_file {
    const char *path, *name; /* name: "section", "section/file" or "file" */
    dev_t device;
    ino_t inode;
};

struct finder {
    struct arena *arena;
    struct found_file *files;
    size_t len, cap;
};

static bool is_plugin(const char *name)
{
    return name[0] != '.' && (str_ends(name, ".so") || str_ends(name, ".lua"));
}

static void add_file(struct finder *finder, const char *path, const char *folder, const char *file,
                     const struct stat *facts)
{
    for (size_t i = 0; i < finder->len; i++)
        if (finder->files[i].inode == facts->st_ino && finder->files[i].device == facts->st_dev)
            return; /* two directories lead to the same file */
    if (finder->len == finder->cap) {
        finder->cap = finder->cap ? 2 * finder->cap : 32;
        finder->files = xrealloc(finder->files, finder->cap * sizeof *finder->files);
    }
    const char *stem = arena_strndup(finder->arena, file, (size_t)(strrchr(file, '.') - file));
    const char *name = !folder || strcmp(folder, stem) == 0
                           ? stem
                           : arena_printf(finder->arena, "%s/%s", folder, stem);
    finder->files[finder->len++] = (struct found_file){arena_strdup(finder->arena, path), name,
                                                       facts->st_dev, facts->st_ino};
}

/* Looks into DIR; FOLDER is its name when it lies in a plugin directory, NULL for that itself. */
static bool look(struct finder *finder, const char *dir, const char *folder)
{
    struct dirent **entries;
    int len = scandir(dir, &entries, NULL, alphasort);
    if (len < 0)
        return false;
    for (int i = 0; i < len; i++) {
        const char *name = entries[i]->d_name;
        char *path = xasprintf("%s/%s", dir, name);
        struct stat facts;
        if (stat(path, &facts) != 0)
            facts.st_mode = 0;
        if (S_ISREG(facts.st_mode) && is_plugin(name))
            add_file(finder, path, folder, name, &facts);
        else if (S_ISDIR(facts.st_mode) && !folder && name[0] != '.')
            look(finder, path, name);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return true;
}

static const char *clean_version(struct arena *arena, const cJSON *json)
{
    const char *version = json_str(json, "version");
    return arena_strdup(arena, version ? version : "");
}

static bool claimed(const struct registry *registry, const struct check_meta *checks, size_t len,
                    struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        for (size_t j = 0; j < registry->checks_len; j++) {
            if (strcmp(registry->checks[j].id, checks[i].id) == 0)
                return !err_set(err, "its check '%s' is in '%s' already: remove one of the two",
                                checks[i].id, registry->checks[j].plugin->path);
        }
    }
    return false;
}

static void add_checks(struct registry *registry, const struct check_meta *checks, size_t len,
                       size_t *cap)
{
    if (registry->checks_len + len > *cap) {
        *cap = 2 * (registry->checks_len + len);
        struct check_meta *grown = arena_alloc(registry->arena, *cap * sizeof *grown);
        if (registry->checks_len)
            memcpy(grown, registry->checks, registry->checks_len * sizeof *grown);
        registry->checks = grown;
    }
    memcpy(registry->checks + registry->checks_len, checks, len * sizeof *checks);
    registry->checks_len += len;
}

static void add_plugin(struct registry *registry, const struct found_file *found,
                       struct scout_file *scouted, size_t *cap)
{
    struct plugin *plugin = &registry->plugins[registry->plugins_len++];
    struct check_meta *checks;
    struct err err = ERR_INIT;
    size_t len;
    const char *name = scouted->plugin ? json_str(scouted->plugin, "name") : scouted->name;
    plugin->name = name && metadata_is_check_id(name) ? arena_strdup(registry->arena, name)
                                                      : found->name;
    plugin->version = clean_version(registry->arena, scouted->plugin);
    plugin->kind = scouted->lua ? "lua" : "so";
    plugin->path = found->path;
    plugin->refused = scouted->refused;
    if (!scouted->plugin)
        return;
    bool sound = metadata_read(registry->arena, scouted->plugin, plugin, &checks, &len, &err);
    plugin->redundant = sound && claimed(registry, checks, len, &err);
    if (sound && !plugin->redundant)
        add_checks(registry, checks, len, cap);
    else
        plugin->refused = arena_printf(registry->arena, "'%s': %s", found->path, err.text);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct check_meta *)a)->id, ((const struct check_meta *)b)->id);
}

static void fill(struct registry *registry, const struct finder *finder)
{
    size_t cap = 0;
    struct scout_file *scouted = xcalloc(finder->len, sizeof *scouted);
    for (size_t i = 0; i < finder->len; i++)
        scouted[i] = (struct scout_file){.path = finder->files[i].path,
                                         .lua = str_ends(finder->files[i].path, ".lua")};
    scout_files(scouted, finder->len, registry->arena);
    registry->plugins = arena_alloc(registry->arena, (finder->len + 1) * sizeof *registry->plugins);
    for (size_t i = 0; i < finder->len; i++) {
        add_plugin(registry, &finder->files[i], &scouted[i], &cap);
        cJSON_Delete(scouted[i].plugin);
    }
    free(scouted);
    if (registry->checks_len)
        qsort(registry->checks, registry->checks_len, sizeof *registry->checks, by_id);
}

bool registry_load(struct registry *registry, const char *const *dirs, size_t len, struct err *err)
{
    *registry = (struct registry){.arena = arena_new()};
    struct finder finder = {.arena = registry->arena};
    bool readable = true;
    for (size_t i = 0; i < len && readable; i++)
        readable = look(&finder, dirs[i], NULL) ||
                   err_set(err, "plugin directory '%s' cannot be read: %m", dirs[i]);
    if (readable)
        fill(registry, &finder);
    free(finder.files);
    if (!readable)
        registry_release(registry);
    return readable;
}

void registry_release(struct registry *registry)
{
    arena_free(registry->arena);
    *registry = (struct registry){0};
}

/* PATH when it is a directory. */
static const char *if_directory(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode) ? path : NULL;
}

/* The sections that belong to this program: those of the build tree it lies in, else the installed
 * ones, found from where the program stands, so that an installed tree can be moved. */
static const char *own_dir(struct arena *arena)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (len <= 0)
        return NULL;
    exe[len] = '\0';
    *strrchr(exe, '/') = '\0';
    const char *beside = if_directory(arena_printf(arena, "%s/plugins", exe));
    if (beside)
        return beside;
    if (str_ends(exe, "/" DEBRIEF_BIN_DIR))
        exe[strlen(exe) - strlen("/" DEBRIEF_BIN_DIR)] = '\0';
    return if_directory(arena_printf(arena, "%s/%s", exe, DEBRIEF_PLUGIN_DIR));
}

const char *const *registry_dirs(struct arena *arena, char *const *extra, size_t extra_len,
                                 size_t *len)
{
    const char *path = getenv("DEBRIEF_PLUGIN_PATH");
    size_t most = extra_len + 2;
    for (const char *c = path; c && *c; c++)
        most += *c == ':';
    const char **dirs = arena_alloc(arena, most * sizeof *dirs);
    const char *own = own_dir(arena);
    *len = 0;
    for (size_t i = 0; i < extra_len; i++)
        dirs[(*len)++] = arena_strdup(arena, extra[i]);
    while (path && *path) {
        size_t part = strcspn(path, ":");
        if (part)
            dirs[(*len)++] = arena_strndup(arena, path, part);
        path += part + (path[part] == ':');
    }
    if (own)
        dirs[(*len)++] = own;
    return dirs;
}

const struct check_meta *registry_check(const struct registry *registry, const char *id)
{
    struct check_meta key = {.id = id};
    return registry->checks_len ? bsearch(&key, registry->checks, registry->checks_len,
                                          sizeof *registry->checks, by_id)
                                : NULL;
}

const struct check_meta *registry_finding(const struct registry *registry, const char *id,
                                          const struct check_finding **finding)
{
    for (size_t i = 0; i < registry->checks_len; i++) {
        const struct check_meta *meta = &registry->checks[i];
        for (size_t j = 0; j < meta->findings_len; j++) {
            if (strcmp(meta->findings[j].id, id) != 0)
                continue;
            if (finding)
                *finding = &meta->findings[j];
            return meta;
        }
    }
    return NULL;
}
