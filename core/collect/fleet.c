/* Collect: tells one proxy's evidence from that of many. Reads names of files, writes which folders and
 * files belong to one proxy each. Deliberately goes by names alone: what a file is, its content decides when
 * it is read; here they only say which files belong together. */
#include "collect/fleet.h"

#include "base/alloc.h"
#include "base/str.h"
#include "collect/fleet_flat.h"
#include "collect/fleet_pods.h"

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
static size_t page_folders(struct arena *arena, struct folder *out, const struct fleet_file *files,
                           size_t len)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < len; i++) {
        const char *name = without_dot(files[i].name), *slash = strrchr(name, '/');
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

/* ---- members ---- */

struct finding { /* the fleet in the making */
    struct fleet *fleet;
    const struct fleet_file *files;
    size_t files_len, members_cap, paths_cap;
};

static size_t add_member(struct finding *finding, const char *name, const char *pod)
{
    struct fleet *fleet = finding->fleet;
    if (fleet->len == finding->members_cap) {
        finding->members_cap = finding->members_cap ? finding->members_cap * 2 : 16;
        fleet->members = xrealloc(fleet->members, finding->members_cap * sizeof *fleet->members);
    }
    fleet->members[fleet->len] = (struct fleet_member){.name = name, .pod = pod};
    return fleet->len++;
}

static void add_path(struct finding *finding, size_t member, const char *path)
{
    struct fleet *fleet = finding->fleet;
    if (fleet->paths_len == finding->paths_cap) {
        finding->paths_cap = finding->paths_cap ? finding->paths_cap * 2 : 16;
        fleet->paths = xrealloc(fleet->paths, finding->paths_cap * sizeof *fleet->paths);
    }
    fleet->paths[fleet->paths_len++] = (struct fleet_path){path, member};
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct fleet_path *)a)->path, ((const struct fleet_path *)b)->path);
}

static void sort_paths(struct fleet *fleet)
{
    if (fleet->paths_len)
        qsort(fleet->paths, fleet->paths_len, sizeof *fleet->paths, by_path);
}

/* ".../NAMESPACE/POD" */
static const char *pod_of_folder(struct arena *arena, const char *folder)
{
    const char *pod = strrchr(folder, '/');
    const char *space = pod;
    while (space && space > folder && space[-1] != '/')
        space--;
    return pod && space < pod ? arena_strdup(arena, space) : NULL;
}

static void find_pages(struct finding *finding)
{
    struct arena *arena = finding->fleet->arena;
    struct folder *folders = xcalloc(finding->files_len + 1, sizeof *folders);
    size_t count = whole_proxies(folders,
                                 page_folders(arena, folders, finding->files, finding->files_len));
    while (count > 1 && rise(arena, folders, count))
        ;
    for (size_t i = 0; i < count && !nested(folders, count); i++) {
        const char *name = folders[i].name;
        add_path(finding, add_member(finding, name, pod_of_folder(arena, name)), name);
    }
    free(folders);
    sort_paths(finding->fleet);
}

/* ---- pods ---- */

static int by_pod(const void *a, const void *b)
{
    const struct fleet_pod *one = a;
    const struct fleet_pod *other = b;
    int order = strcmp(one->pod, other->pod);
    return order ? order : strcmp(one->path, other->path);
}

static size_t member_of_pod(const struct fleet *fleet, size_t len, const char *pod)
{
    for (size_t i = 0; i < len; i++)
        if (str_equal(fleet->members[i].pod, pod))
            return i;
    return FLEET_REST;
}

/* All claims for one pod: with a proxy among them it is a member, unless it is one already. */
static void take_pod(struct finding *finding, const struct fleet_pod *claims, size_t len,
                     size_t known)
{
    bool proxy = false;
    for (size_t i = 0; i < len; i++)
        proxy |= claims[i].proxy;
    size_t member = member_of_pod(finding->fleet, known, claims->pod);
    if (member == FLEET_REST && !proxy)
        return;
    if (member == FLEET_REST) /* istioctl's are called by their folder, like those with pages */
        member = add_member(finding, strstr(claims->path, "proxies/") ? claims->path : claims->pod,
                            claims->pod);
    for (size_t i = 0; i < len; i++)
        if (!i || strcmp(claims[i].path, claims[i - 1].path) != 0)
            add_path(finding, member, claims[i].path);
}

static void find_pods(struct finding *finding)
{
    struct fleet *fleet = finding->fleet;
    struct fleet_pod *claims = xcalloc(finding->files_len + 1, sizeof *claims);
    size_t len = 0, known = fleet->len;
    for (size_t i = 0; i < finding->files_len; i++) {
        const char *name = without_dot(finding->files[i].name);
        if (fleet_owner(fleet, name) != FLEET_REST ||
            !fleet_pod_of(fleet->arena, name, &claims[len]))
            continue;
        claims[len++].proxy |= finding->files[i].proxy;
    }
    qsort(claims, len, sizeof *claims, by_pod);
    for (size_t from = 0, to; from < len; from = to) {
        for (to = from + 1; to < len && strcmp(claims[to].pod, claims[from].pod) == 0;)
            to++;
        take_pod(finding, claims + from, to - from, known);
    }
    free(claims);
    sort_paths(fleet);
}

/* egctl's prometheus-metrics/NAMESPACE-POD.prom: where the one ends and the other begins, only who knows
 * the pod can tell. */
static void find_metrics(struct finding *finding)
{
    struct fleet *fleet = finding->fleet;
    for (size_t i = 0; i < finding->files_len; i++) {
        const char *name = without_dot(finding->files[i].name), *base = last_part(name);
        if (!base || !str_ends(base, ".prom"))
            continue;
        size_t len = strlen(base) - strlen(".prom");
        for (size_t j = 0; j < fleet->len; j++) {
            const char *pod = fleet->members[j].pod;
            const char *slash = pod && strlen(pod) == len ? strchr(pod, '/') : NULL;
            if (slash && memcmp(base, pod, (size_t)(slash - pod)) == 0 &&
                base[slash - pod] == '-' &&
                memcmp(base + (slash - pod) + 1, slash + 1, len - (size_t)(slash - pod) - 1) == 0)
                add_path(finding, j, arena_strdup(fleet->arena, name));
        }
    }
    sort_paths(fleet);
}

/* ---- files side by side in one folder ---- */

static void find_flat(struct finding *finding)
{
    struct fleet *fleet = finding->fleet;
    struct fleet_flat flat;
    fleet_flat_find(&flat, fleet->arena, finding->files, finding->files_len);
    for (size_t i = 0; i < flat.len; i++) {
        if (fleet_owner(fleet, flat.items[i].file) != FLEET_REST)
            continue;
        size_t member = 0;
        while (member < fleet->len && strcmp(fleet->members[member].name, flat.items[i].key) != 0)
            member++;
        if (member == fleet->len)
            add_member(finding, flat.items[i].key, NULL);
        add_path(finding, member, flat.items[i].file);
    }
    free(flat.items);
    sort_paths(fleet);
}

/* ---- the whole ---- */

static int by_member_name(const void *a, const void *b, void *user)
{
    const struct fleet_member *members = user;
    return strcmp(members[*(const size_t *)a].name, members[*(const size_t *)b].name);
}

/* Targets come in the order of their names, whatever found them. */
static void sort_members(struct fleet *fleet)
{
    size_t *order = xcalloc(fleet->len, sizeof *order), *rank = xcalloc(fleet->len, sizeof *rank);
    struct fleet_member *sorted = arena_alloc(fleet->arena, fleet->len * sizeof *sorted);
    for (size_t i = 0; i < fleet->len; i++)
        order[i] = i;
    qsort_r(order, fleet->len, sizeof *order, by_member_name, fleet->members);
    for (size_t i = 0; i < fleet->len; i++) {
        sorted[i] = fleet->members[order[i]];
        rank[order[i]] = i;
    }
    for (size_t i = 0; i < fleet->paths_len; i++)
        fleet->paths[i].member = rank[fleet->paths[i].member];
    free(fleet->members);
    fleet->members = sorted;
    free(order);
    free(rank);
}

/* Members of one folder, and how many files are nobody's. */
static void conclude(struct finding *finding)
{
    struct fleet *fleet = finding->fleet;
    size_t *places = xcalloc(fleet->len, sizeof *places);
    for (size_t i = 0; i < fleet->paths_len; i++)
        if (places[fleet->paths[i].member]++ == 0)
            fleet->members[fleet->paths[i].member].folder = fleet->paths[i].path;
    for (size_t i = 0; i < fleet->len; i++)
        if (places[i] != 1)
            fleet->members[i].folder = NULL;
    for (size_t i = 0; i < finding->files_len; i++) {
        const char *name = without_dot(finding->files[i].name);
        size_t owner = fleet_owner(fleet, name);
        fleet->files += owner == FLEET_REST;
        if (owner != FLEET_REST && str_equal(fleet->members[owner].folder, name))
            fleet->members[owner].folder = NULL; /* it is a file */
    }
    free(places);
}

void fleet_find(struct fleet *fleet, const struct fleet_file *files, size_t len)
{
    *fleet = (struct fleet){.arena = arena_new()};
    struct finding finding = {.fleet = fleet, .files = files, .files_len = len};
    find_pages(&finding);
    find_pods(&finding);
    find_metrics(&finding);
    find_flat(&finding);
    struct fleet_path *paths = fleet->paths;
    /* A proxy's pages without its pod's name and one pod's logs are one proxy's. */
    bool one = fleet->len == 2 && !fleet->members[0].pod != !fleet->members[1].pod;
    if (fleet->len > 1 && !one) {
        fleet->paths = arena_alloc(fleet->arena, fleet->paths_len * sizeof *paths);
        memcpy(fleet->paths, paths, fleet->paths_len * sizeof *paths);
        sort_members(fleet);
        conclude(&finding);
    } else {
        free(fleet->members);
        fleet->members = NULL;
        fleet->paths = NULL;
        fleet->len = fleet->paths_len = 0;
    }
    free(paths);
}

void fleet_release(struct fleet *fleet)
{
    arena_free(fleet->arena);
    *fleet = (struct fleet){0};
}

/* ---- whose is it ---- */

struct prefix {
    const char *text;
    size_t len;
};

static int compare_prefix(const void *key, const void *item)
{
    const struct prefix *prefix = key;
    const char *path = ((const struct fleet_path *)item)->path;
    int order = strncmp(prefix->text, path, prefix->len);
    return order ? order : -(path[prefix->len] != '\0');
}

size_t fleet_owner(const struct fleet *fleet, const char *name)
{
    name = without_dot(name);
    for (size_t len = strcspn(name, "/"); fleet->paths_len;) {
        const struct prefix prefix = {name, len};
        const struct fleet_path *path = bsearch(&prefix, fleet->paths, fleet->paths_len,
                                                sizeof *fleet->paths, compare_prefix);
        if (path)
            return path->member;
        if (!name[len])
            break;
        len += 1 + strcspn(name + len + 1, "/");
    }
    return FLEET_REST;
}

bool fleet_holds(const struct fleet *fleet, size_t member, const char *name)
{
    name = without_dot(name);
    for (size_t i = 0; i < fleet->paths_len; i++)
        if (fleet->paths[i].member == member && fleet_below(fleet->paths[i].path, name))
            return true;
    return false;
}

bool fleet_shared(const char *name)
{
    struct fleet_pod pod;
    struct arena *arena = arena_new();
    bool shared = !fleet_pod_of(arena, without_dot(name), &pod) && !pod.log;
    arena_free(arena);
    return shared;
}
