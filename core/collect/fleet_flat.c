/* Collect: admin pages of several proxies side by side in one folder. Reads paths; writes which word of a
 * name tells its proxy. Deliberately asks for the same page twice in one folder, and for one that tells the
 * proxy (its dump, its server_info): two samples of counters are one proxy's. */
#include "collect/fleet_flat.h"

#include "base/alloc.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define SEPARATORS "-_. "

struct file {
    const char *path, *base; /* BASE is behind the folder */
    const char *page;        /* the page that the name speaks of; NULL: none */
    const char *key;         /* what else it says, with the folder; NULL: nothing */
};

static const char *const told_by[] = {"config_dump", "config-dump", "configdump", "server_info",
                                      "server-info"};
static const char *const others[] = {"clusters", "listeners", "certs",     "stats",
                                     "memory",   "runtime",   "init_dump", "ready"};

static bool at_edge(const char *base, const char *at)
{
    return at == base || strchr(SEPARATORS, at[-1]);
}

/* WORD as a word of BASE. */
static const char *find_word(const char *base, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = base; (at = strstr(at, word)); at++)
        if (at_edge(base, at) && (!at[len] || strchr(SEPARATORS "?", at[len])))
            return at;
    return NULL;
}

/* What remains of a name without its page, its ending and its separators. */
static char *remains(const char *base, const char *page, size_t page_len)
{
    const char *behind = page + page_len, *end = behind + strcspn(behind, "?");
    const char *dot = NULL;
    for (const char *at = behind; at < end; at++)
        if (*at == '.')
            dot = at;
    if (dot)
        end = dot;
    const char *before = page;
    while (before > base && strchr(SEPARATORS, before[-1]))
        before--;
    behind += strspn(behind, SEPARATORS);
    if (behind > end)
        behind = end;
    bool both = before > base && end > behind;
    return xasprintf("%.*s%s%.*s", (int)(before - base), base, both ? "-" : "", (int)(end - behind),
                     behind);
}

static void set_key(struct file *file, struct arena *arena, const char *word)
{
    const char *page = find_word(file->base, word);
    char *rest = page ? remains(file->base, page, strlen(word)) : NULL;
    if (page)
        file->page = word;
    if (rest && *rest)
        file->key = arena_printf(arena, "%.*s%s", (int)(file->base - file->path), file->path, rest);
    free(rest);
}

static void describe(struct file *file, struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    *file = (struct file){.path = path, .base = slash ? slash + 1 : path};
    for (size_t i = 0; i < ARRAY_LEN(told_by) && !file->page; i++)
        set_key(file, arena, told_by[i]);
    for (size_t i = 0; i < ARRAY_LEN(others) && !file->page; i++)
        set_key(file, arena, others[i]);
}

static int by_folder(const void *a, const void *b)
{
    const struct file *one = a, *other = b;
    size_t len = (size_t)(one->base - one->path), other_len = (size_t)(other->base - other->path);
    int order = memcmp(one->path, other->path, len < other_len ? len : other_len);
    if (!order && len != other_len)
        order = len < other_len ? -1 : 1;
    return order ? order : strcmp(one->path, other->path);
}

static bool same_folder(const struct file *one, const struct file *other)
{
    size_t len = (size_t)(one->base - one->path);
    return len == (size_t)(other->base - other->path) && memcmp(one->path, other->path, len) == 0;
}

static bool tells_proxy(const struct file *file)
{
    for (size_t i = 0; file->key && i < ARRAY_LEN(told_by); i++)
        if (file->page == told_by[i])
            return true;
    return false;
}

/* Whether some page that tells a proxy is there twice, under names that differ. */
static bool is_flat(const struct file *files, size_t len)
{
    for (size_t i = 0; i < len; i++)
        for (size_t j = i + 1; tells_proxy(&files[i]) && j < len; j++)
            if (files[j].page == files[i].page && files[j].key &&
                strcmp(files[j].key, files[i].key) != 0)
                return true;
    return false;
}

/* The proxy of a file that is no page: "api.log" beside "api-config_dump.json". */
static const char *key_beside(const struct file *files, size_t len, const struct file *file)
{
    for (size_t i = 0; i < len; i++)
        if (tells_proxy(&files[i]) &&
            find_word(file->base, files[i].key + (files[i].base - files[i].path)))
            return files[i].key;
    return NULL;
}

static void take_folder(struct fleet_flat *flat, const struct file *files, size_t len)
{
    enum { FILES_MAX = 2000 }; /* of one folder; what is more is no hand's work */
    if (len > FILES_MAX || !is_flat(files, len))
        return;
    for (size_t i = 0; i < len; i++) {
        const char *key = files[i].page ? files[i].key : key_beside(files, len, &files[i]);
        if (key)
            flat->items[flat->len++] = (struct fleet_flat_item){key, files[i].path};
    }
}

void fleet_flat_find(struct fleet_flat *flat, struct arena *arena, const struct fleet_file *files,
                     size_t len)
{
    struct file *all = xcalloc(len + 1, sizeof *all);
    *flat = (struct fleet_flat){.items = xcalloc(len + 1, sizeof *flat->items)};
    for (size_t i = 0; i < len; i++) {
        const char *name = files[i].name;
        describe(&all[i], arena, arena_strdup(arena, str_starts(name, "./") ? name + 2 : name));
    }
    qsort(all, len, sizeof *all, by_folder);
    for (size_t from = 0, to; from < len; from = to) {
        for (to = from + 1; to < len && same_folder(&all[from], &all[to]);)
            to++;
        take_folder(flat, all + from, to - from);
    }
    free(all);
}
