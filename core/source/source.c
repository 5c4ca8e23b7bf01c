/* Source: the list of a target's sources. Reads nothing, writes names, problems and report rows.
 * Deliberately never touches the bytes of a source. */
#include "source/source.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART_MAX = 200, NAME_MAX_LEN = 1000, PROBLEMS_MAX = 50 };

void sources_init(struct sources *sources)
{
    *sources = (struct sources){.arena = arena_new()};
}

void sources_release(struct sources *sources)
{
    arena_free(sources->arena);
    free(sources->items);
    free(sources->slots);
    *sources = (struct sources){0};
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* One part of a path, without the parts that lead elsewhere. */
static size_t clean_part(char *out, const char *part, size_t len)
{
    if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0))
        return 0;
    if (len > PART_MAX)
        len = PART_MAX;
    for (size_t i = 0; i < len; i++)
        out[i] = is_plain(part[i]) ? part[i] : '_';
    return len;
}

static void clean_name(char out[NAME_MAX_LEN + 1], const char *name)
{
    size_t used = 0;
    while (*name && used + PART_MAX + 1 < NAME_MAX_LEN) {
        size_t len = strcspn(name, "/");
        size_t before = used;
        if (used)
            out[used++] = '/';
        size_t part = clean_part(out + used, name, len);
        used = part ? used + part : before;
        name += len + (name[len] == '/');
    }
    out[used] = '\0';
    if (used == 0)
        strcpy(out, "source");
}

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

/* The slot that holds NAME, or the free one where it belongs. */
static uint32_t *slot_of(const struct sources *sources, const char *name)
{
    size_t mask = sources->slots_cap - 1, at = hash_of(name) & mask;
    while (sources->slots[at] && strcmp(sources->items[sources->slots[at] - 1].name, name) != 0)
        at = (at + 1) & mask;
    return &sources->slots[at];
}

static void fill_slots(struct sources *sources)
{
    free(sources->slots);
    sources->slots_cap = sources->cap * 4;
    sources->slots = xcalloc(sources->slots_cap, sizeof *sources->slots);
    for (size_t i = 0; i < sources->len; i++)
        *slot_of(sources, sources->items[i].name) = (uint32_t)i + 1;
}

static void grow(struct sources *sources)
{
    sources->cap = sources->cap ? sources->cap * 2 : 32;
    sources->items = xrealloc(sources->items, sources->cap * sizeof *sources->items);
    fill_slots(sources);
}

static bool is_taken(const struct sources *sources, const char *name)
{
    return strcmp(name, "bundle.json") == 0 || *slot_of(sources, name) != 0;
}

static const char *unique_name(const struct sources *sources, const char *name)
{
    char clean[NAME_MAX_LEN + 1], numbered[NAME_MAX_LEN + 24];
    clean_name(clean, name);
    if (!is_taken(sources, clean))
        return arena_strdup(sources->arena, clean);
    const char *slash = strrchr(clean, '/'), *base = slash ? slash + 1 : clean;
    const char *dot = strrchr(base, '.');
    int stem = (int)((dot && dot != base ? dot : clean + strlen(clean)) - clean);
    size_t number = 2;
    do {
        snprintf(numbered, sizeof numbered, "%.*s-%zu%s", stem, clean, number, clean + stem);
        /* Ten thousand equal names must not cost their square. */
        number = number < 10 ? number + 1 : number + sources->len;
    } while (is_taken(sources, numbered));
    return arena_strdup(sources->arena, numbered);
}

struct source *sources_add(struct sources *sources, const char *name)
{
    if (sources->len == sources->cap)
        grow(sources);
    const char *unique = unique_name(sources, name);
    struct source *source = &sources->items[sources->len];
    *source = (struct source){.name = unique, .origin = "", .kind = ""};
    uint32_t *slot = slot_of(sources, unique);
    *slot = (uint32_t)++sources->len;
    return source;
}

void sources_remove(struct sources *sources, size_t index)
{
    sources->len--;
    memmove(&sources->items[index], &sources->items[index + 1],
            (sources->len - index) * sizeof *sources->items);
    fill_slots(sources);
}

const char *sources_namespace(const struct sources *sources, const struct source *source,
                              size_t *len)
{
    const struct source_focus *focus = &sources->focus;
    if (!source->shared || focus->except || focus->len != 1)
        return NULL;
    *len = strcspn(focus->pods[0], "/");
    return focus->pods[0];
}

struct source *sources_find(const struct sources *sources, const char *name)
{
    char clean[NAME_MAX_LEN + 1];
    if (!sources->len)
        return NULL;
    clean_name(clean, name);
    uint32_t index = *slot_of(sources, clean);
    return index ? &sources->items[index - 1] : NULL;
}

void source_problem(struct sources *sources, struct source *source, const char *format, ...)
{
    struct source_problem **tail = &source->problems;
    int count = 0;
    for (; *tail; tail = &(*tail)->next)
        count++;
    if (count > PROBLEMS_MAX)
        return;
    char raw[1024], clean[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    str_to_utf8(clean, sizeof clean, raw, strlen(raw));
    *tail = arena_alloc(sources->arena, sizeof **tail);
    (*tail)->text = count == PROBLEMS_MAX ? "further problems are not listed"
                                          : arena_strdup(sources->arena, clean);
}

bool source_is_manifest(const struct source *source)
{
    static const char *const kinds[] = {"kubernetes", "ecs.task_definition", "cloudformation",
                                        "compose", "bootstrap"};
    static const char *const answers[] = {"admin/", "aws/", "k8s/", "host/", "probe/"};
    bool kind = false, answer = false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        kind |= str_equal(source->kind, kinds[i]);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        answer |= str_starts(source->name, answers[i]);
    return kind && !answer;
}

/* A path that holds wherever the repository is: as it was given, below the directory of the call. */
static bool is_given_path(const char *origin)
{
    return *origin && *origin != '/' && !strstr(origin, "://") && str_is_utf8(origin);
}

cJSON *source_report(const struct source *source)
{
    cJSON *row = cJSON_CreateObject();
    json_put_str(row, "name", source->name);
    json_put_str(row, "kind", source->kind[0] ? source->kind : NULL);
    if (source_is_manifest(source) && is_given_path(source->origin))
        json_put_str(row, "path", source->origin);
    json_put_num(row, "bytes", (double)source->size);
    json_put_str(row, "sha256", source->sha256[0] ? source->sha256 : NULL);
    json_put_num(row, "records", (double)source->records);
    cJSON *problems = json_put_array(row, "problems");
    for (const struct source_problem *problem = source->problems; problem; problem = problem->next)
        cJSON_AddItemToArray(problems, cJSON_CreateString(problem->text));
    return row;
}
