/* Source: bundles in and out of bundle.json. Reads an index (hostile when it came from
 * elsewhere) and the names of files, writes a list of sources, and the index of a working
 * bundle. Copying sources for keeping stands in bundle_pack.c. */
#include "source/bundle.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/dirscan.h"
#include "base/json.h"
#include "base/slurp.h"
#include "base/str.h"
#include "source/bundle_row.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INDEX_MAX = 64 << 20 };

void bundle_init(struct bundle *bundle, const char *dir, const char *target)
{
    *bundle = (struct bundle){.dir = xstrdup(dir), .target = target ? xstrdup(target) : NULL};
    sources_init(&bundle->sources);
}

void bundle_release(struct bundle *bundle)
{
    free(bundle->dir);
    free(bundle->target);
    free(bundle->how);
    sources_release(&bundle->sources);
    *bundle = (struct bundle){0};
}

/* ---- the index ---- */

static cJSON *parse_index(const char *path, struct err *err)
{
    struct buf text;
    buf_init(&text, INDEX_MAX);
    cJSON *index = NULL;
    if (slurp_path(&text, path, err) && !(index = json_parse(buf_str(&text), text.len, err)))
        err_prefix(err, "cannot read '%s'", path);
    buf_release(&text);
    const char *schema = json_str(index, "schema");
    if (index && (!schema || strcmp(schema, BUNDLE_SCHEMA) != 0)) {
        err_set(err, "'%s' is no index of a bundle: its schema is not '%s'", path, BUNDLE_SCHEMA);
        cJSON_Delete(index);
        return NULL;
    }
    return index;
}

/* Whether NAME stays below the bundle, whatever it is joined to. */
static bool is_safe_name(const char *name)
{
    if (*name == '\0' || *name == '/')
        return false;
    while (*name) {
        size_t len = strcspn(name, "/");
        if (len == 2 && memcmp(name, "..", 2) == 0)
            return false;
        name += len + (name[len] == '/');
    }
    return true;
}

static bool check_row(struct sources *seen, const cJSON *row, struct err *err)
{
    const char *name = json_str(row, "name"), *file = json_str(row, "file");
    if (!name)
        return err_set(err, "a row of the index has no name");
    if (!is_safe_name(name) || (file && !is_safe_name(file)))
        return err_set(err, "the index names a file outside of the bundle: '%s'",
                       file ? file : name);
    if (sources_find(seen, name))
        return err_set(err, "the index names '%s' twice", name);
    sources_add(seen, name);
    return true;
}

/* All rows are judged before one is used. */
static bool check_rows(const cJSON *files, int most, struct err *err)
{
    struct sources seen;
    const cJSON *row;
    bool fine = true;
    if (!cJSON_IsArray(files) || cJSON_GetArraySize(files) > most)
        return err_set(err, "the index has no list of files, or more than %d", most);
    sources_init(&seen);
    cJSON_ArrayForEach (row, files)
        fine = fine && check_row(&seen, row, err);
    sources_release(&seen);
    return fine;
}

static void copy_sha256(char out[65], const char *hex)
{
    if (hex && strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64)
        memcpy(out, hex, 65);
}

/* What the bundle's index says was removed from it; of a hostile one the first few kinds. */
static void read_redactions(struct sources *sources, struct source *source, const cJSON *row)
{
    struct source_redaction **tail = &source->redactions;
    const cJSON *kind;
    int kinds = 0;
    cJSON_ArrayForEach (kind, json_at(row, "redactions")) {
        char clean[64];
        double count = cJSON_IsNumber(kind) ? kind->valuedouble : 0;
        if (!(count >= 1 && count < 1e15) || kinds++ == REDACT_KINDS_MAX ||
            !str_to_utf8(clean, sizeof clean, kind->string, strlen(kind->string)))
            continue;
        *tail = arena_alloc(sources->arena, sizeof **tail);
        (*tail)->kind = arena_strdup(sources->arena, clean);
        (*tail)->count = (uint64_t)count;
        tail = &(*tail)->next;
    }
}

static void read_facts(struct sources *sources, struct source *source, const cJSON *row)
{
    const char *origin = json_str(row, "origin"), *sha256 = json_str(row, "original_sha256");
    const cJSON *problem;
    int64_t size;
    char clean[1024];
    if (origin && str_to_utf8(clean, sizeof clean, origin, strlen(origin)))
        source->origin = arena_strdup(sources->arena, clean);
    if (json_int(row, "size", &size) && size >= 0)
        source->size = (uint64_t)size;
    copy_sha256(source->sha256, sha256 ? sha256 : json_str(row, "sha256"));
    source->asked = json_bool(row, "asked");
    source->complete = json_bool(row, "complete");
    source->missing = json_bool(row, "missing");
    source->shared = json_bool(row, "shared");
    source->pseudonyms = json_bool(row, "pseudonyms");
    read_redactions(sources, source, row);
    cJSON_ArrayForEach (problem, json_at(row, "problems")) {
        if (cJSON_IsString(problem))
            source_problem(sources, source, "%s", problem->valuestring);
    }
}

static void read_row(struct bundle *bundle, const cJSON *row, bundle_locate_fn *locate, void *user)
{
    struct stat status;
    struct err why = ERR_INIT;
    struct source *source = sources_add(&bundle->sources, json_str(row, "name"));
    read_facts(&bundle->sources, source, row);
    if (source->missing)
        return;
    const char *path = locate(user, row, &why);
    if (path && stat(path, &status) == 0) {
        source->path = path;
        source->size = (uint64_t)status.st_size;
    } else {
        source->missing = true;
        if (!why.text[0])
            err_set(&why, "the index names it, but it is not there");
    }
    if (why.text[0]) {
        source->complete = false;
        source_problem(&bundle->sources, source, "%s", why.text);
    }
}

/* Of the first bundle that has one: what is read beside it is this target's too. */
static void read_focus(struct sources *sources, const cJSON *json)
{
    const cJSON *pods = json_at(json, "pods"), *pod;
    if (sources->focus.len || !cJSON_IsArray(pods))
        return;
    size_t most = (size_t)cJSON_GetArraySize(pods);
    sources->focus.pods = arena_alloc(sources->arena, (most + 1) * sizeof *sources->focus.pods);
    sources->focus.except = json_bool(json, "except");
    cJSON_ArrayForEach (pod, pods)
        if (cJSON_IsString(pod))
            sources->focus.pods[sources->focus.len++] = arena_strdup(sources->arena,
                                                                     pod->valuestring);
}

static void read_head(struct bundle *bundle, const cJSON *index)
{
    const char *target = json_str(index, "target"), *when = json_str(index, "when");
    const char *how = json_str(index, "how");
    int64_t time = 0;
    if (!bundle->target && target)
        bundle->target = xstrdup(target);
    if (!bundle->how && how)
        bundle->how = xstrdup(how);
    if (!bundle->when && when && clock_parse(when, strlen(when), &time) == strlen(when))
        bundle->when = time;
    read_focus(&bundle->sources, json_at(index, "focus"));
}

static bool read_index(struct bundle *bundle, const char *index_path, int most,
                       bundle_locate_fn *locate, void *user, struct err *err)
{
    cJSON *index = parse_index(index_path, err);
    const cJSON *files = json_at(index, "files"), *row;
    bool fine = index && check_rows(files, most, err);
    if (fine) {
        read_head(bundle, index);
        cJSON_ArrayForEach (row, files)
            read_row(bundle, row, locate, user);
    }
    cJSON_Delete(index);
    return fine;
}

bool bundle_read_index(struct bundle *bundle, const char *index_path, bundle_locate_fn *locate,
                       void *user, struct err *err)
{
    return read_index(bundle, index_path, BUNDLE_FILES_MAX, locate, user, err);
}

/* ---- the working bundle ---- */

/* Several directories and archives, each with as many files as one may hold, and what is wrong with
 * each: the collector's own list is taken as long as it is. */

static const char *locate_working(void *user, const cJSON *row, struct err *err)
{
    struct bundle *bundle = user;
    const char *path = json_str(row, "path");
    (void)err;
    return path ? arena_strdup(bundle->sources.arena, path)
                : arena_printf(bundle->sources.arena, "%s/%s", bundle->dir, json_str(row, "name"));
}

bool bundle_open(struct bundle *bundle, const char *dir, struct err *err)
{
    bundle_init(bundle, dir, NULL);
    char *path = xasprintf("%s/" BUNDLE_INDEX, dir);
    bool read = read_index(bundle, path, INT_MAX, locate_working, bundle, err);
    free(path);
    if (!read)
        bundle_release(bundle);
    return read;
}

/* ---- a directory that came from anywhere ---- */

struct received {
    struct bundle *bundle;
    const char *dir;
};

static const char *locate_received(void *user, const cJSON *row, struct err *err)
{
    struct received *received = user;
    const char *elsewhere = json_str(row, "path"), *file = json_str(row, "file");
    if (elsewhere) {
        err_set(err, "the index refers to a file elsewhere ('%s'), which is not followed",
                elsewhere);
        return NULL;
    }
    char *path = dirscan_inside(received->dir, file ? file : json_str(row, "name"), err);
    const char *kept = path ? arena_strdup(received->bundle->sources.arena, path) : NULL;
    free(path);
    return kept;
}

/* No index is fine; one that is not to be used is a problem, and its files are taken as they
 * are. */
static void read_received_index(struct bundle *bundle, const char *dir)
{
    struct err why = ERR_INIT;
    struct received received = {bundle, dir};
    char *path = dirscan_inside(dir, BUNDLE_INDEX, NULL);
    if (path && !bundle_read_index(bundle, path, locate_received, &received, &why)) {
        struct source *source = sources_add(&bundle->sources, BUNDLE_INDEX);
        source->asked = source->missing = true;
        source->origin = arena_strdup(bundle->sources.arena, path);
        source_problem(&bundle->sources, source, "%s; its files are taken as they are", why.text);
    }
    free(path);
}

static void add_entry(struct bundle *bundle, const char *dir, const struct dirscan_entry *entry)
{
    struct sources *sources = &bundle->sources;
    struct source *source = sources_add(sources, entry->name);
    source->asked = true;
    source->origin = arena_printf(sources->arena, "%s/%s", dir, entry->name);
    source->size = entry->size;
    source->complete = !entry->trouble;
    source->missing = entry->trouble != NULL;
    source->path = entry->path ? arena_strdup(sources->arena, entry->path) : NULL;
    if (entry->trouble)
        source_problem(sources, source, "cannot read it: %s", entry->trouble);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The paths that the index led to, sorted. */
static const char **listed_paths(const struct sources *sources, size_t *len)
{
    const char **paths = xcalloc(sources->len, sizeof *paths);
    *len = 0;
    for (size_t i = 0; i < sources->len; i++)
        if (sources->items[i].path)
            paths[(*len)++] = sources->items[i].path;
    qsort(paths, *len, sizeof *paths, by_text);
    return paths;
}

static void add_unlisted(struct bundle *bundle, const char *dir, const struct dirscan *scan)
{
    size_t known;
    const char **paths = listed_paths(&bundle->sources, &known);
    for (size_t i = 0; i < scan->len; i++) {
        const struct dirscan_entry *entry = &scan->items[i];
        if (strcmp(entry->name, BUNDLE_INDEX) == 0)
            continue;
        if (!entry->path || !bsearch(&entry->path, paths, known, sizeof *paths, by_text))
            add_entry(bundle, dir, entry);
    }
    free(paths);
    if (!scan->cut)
        return;
    struct source *source = sources_add(&bundle->sources, "directory");
    source->origin = arena_strdup(bundle->sources.arena, dir);
    source->asked = source->missing = true;
    source_problem(&bundle->sources, source,
                   "the directory holds more than %d files or very deep folders; the rest was not "
                   "looked at",
                   BUNDLE_FILES_MAX);
}

bool bundle_add_directory(struct bundle *bundle, const char *dir, struct err *err)
{
    struct dirscan scan;
    bool listed = dirscan_walk(&scan, dir, BUNDLE_FILES_MAX, err);
    if (listed) {
        read_received_index(bundle, dir);
        add_unlisted(bundle, dir, &scan);
    }
    dirscan_release(&scan);
    return listed;
}

/* ---- writing ---- */

cJSON *bundle_row(const struct source *source)
{
    cJSON *row = cJSON_CreateObject();
    json_put_str(row, "name", source->name);
    json_put_str(row, "origin", source->origin[0] ? source->origin : NULL);
    json_put_num(row, "size", (double)source->size);
    json_put_str(row, "original_sha256", source->sha256[0] ? source->sha256 : NULL);
    json_put_bool(row, "asked", source->asked);
    json_put_bool(row, "complete", source->complete);
    if (source->missing)
        json_put_bool(row, "missing", true);
    if (source->shared)
        json_put_bool(row, "shared", true);
    if (source->pseudonyms)
        json_put_bool(row, "pseudonyms", true);
    cJSON *redactions = source->redactions ? json_put_object(row, "redactions") : NULL;
    for (const struct source_redaction *each = source->redactions; each; each = each->next)
        json_put_num(redactions, each->kind, (double)each->count);
    cJSON *problems = json_put_array(row, "problems");
    for (const struct source_problem *problem = source->problems; problem; problem = problem->next)
        cJSON_AddItemToArray(problems, cJSON_CreateString(problem->text));
    return row;
}

static void put_focus(cJSON *index, const struct source_focus *focus)
{
    if (!focus->len)
        return;
    cJSON *json = json_put_object(index, "focus");
    cJSON *pods = json_put_array(json, "pods");
    for (size_t i = 0; i < focus->len; i++)
        cJSON_AddItemToArray(pods, cJSON_CreateString(focus->pods[i]));
    if (focus->except)
        json_put_bool(json, "except", true);
}

cJSON *bundle_index(const struct bundle *bundle)
{
    char when[CLOCK_TEXT_MAX];
    cJSON *index = cJSON_CreateObject();
    json_put_str(index, "schema", BUNDLE_SCHEMA);
    cJSON *tool = json_put_object(index, "tool");
    json_put_str(tool, "name", "debrief");
    json_put_str(tool, "version", DEBRIEF_VERSION);
    json_put_str(index, "target", bundle->target);
    json_put_str(index, "when", bundle->when ? clock_text(bundle->when, when) : NULL);
    json_put_str(index, "how", bundle->how);
    put_focus(index, &bundle->sources.focus);
    json_put_array(index, "files");
    return index;
}

static void add_rows(const struct bundle *bundle, cJSON *files)
{
    for (size_t i = 0; i < bundle->sources.len; i++) {
        const struct source *source = &bundle->sources.items[i];
        cJSON *row = bundle_row(source);
        char *here = xasprintf("%s/%s", bundle->dir, source->name);
        if (source->path && strcmp(source->path, here) != 0)
            json_put_str(row, "path", source->path);
        free(here);
        cJSON_AddItemToArray(files, row);
    }
}

/* Beside first and renamed then: whoever opens the index sees a whole one. */
static bool write_file(const char *path, const struct buf *text, struct err *err)
{
    char *fresh = xasprintf("%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool written = file && fwrite(buf_str(text), 1, text->len, file) == text->len;
    written = file && fclose(file) == 0 && written && rename(fresh, path) == 0;
    if (!written)
        err_set(err, "cannot write '%s': %s", path, strerror(errno));
    free(fresh);
    return written;
}

bool bundle_write_index(const struct bundle *bundle, struct err *err)
{
    struct buf text;
    buf_init(&text, INDEX_MAX);
    cJSON *index = bundle_index(bundle);
    add_rows(bundle, cJSON_GetObjectItemCaseSensitive(index, "files"));
    json_write(&text, index, true);
    cJSON_Delete(index);
    char *path = xasprintf("%s/" BUNDLE_INDEX, bundle->dir);
    bool written = text.overflow ? err_set(err, "the index of '%s' is too large", bundle->dir)
                                 : write_file(path, &text, err);
    free(path);
    buf_release(&text);
    return written;
}
