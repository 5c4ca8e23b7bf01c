/* Collect: the admin pages of a running Envoy. Asks by GET what the table below lists and
 * nothing else, writes each answer to a file of the bundle as it comes. Deliberately leaves
 * alone what changes the proxy, what never ends, and /config_dump where printing it would hold
 * up the proxy. */
#include "collect/admin.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "collect/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_MS = 15000, HEAD_MAX = 1 << 16, SMALL_MB = 64, DUMP_MB = 256 };

enum when {
    ONCE,
    TWICE,      /* it moves: once more for a second sample; read/read.c reads these twice */
    ON_REQUEST, /* only when a check names it */
};

static const struct page {
    const char *name, *path;
    unsigned max_mb;
    enum when when;
} pages[] = {
    {"admin/server_info.json", "/server_info", SMALL_MB, TWICE}, /* asked always, and first */
    {"admin/ready.txt", "/ready", SMALL_MB, TWICE},
    {"admin/stats.txt", "/stats", SMALL_MB, TWICE},
    {"admin/clusters.json", "/clusters?format=json", SMALL_MB, ONCE},
    {"admin/listeners.json", "/listeners?format=json", SMALL_MB, ONCE},
    {"admin/certs.json", "/certs", SMALL_MB, ONCE},
    {"admin/init_dump.json", "/init_dump", SMALL_MB, ONCE},
    {"admin/memory.json", "/memory", SMALL_MB, ONCE},
    {"admin/runtime.json", "/runtime", SMALL_MB, ON_REQUEST},
    {"admin/config_dump.json", "/config_dump", DUMP_MB, ONCE}, /* last: it is the heaviest */
};

/* What to ask when one resource makes the whole dump unreadable (a type that this Envoy lacks). */
static const struct page dump_parts[] = {
    {"admin/config_dump_listeners.json",
     "/config_dump?resource=dynamic_listeners&mask=name,error_state.details", DUMP_MB, ONCE},
    {"admin/config_dump_bootstrap.json", "/config_dump?mask=bootstrap", DUMP_MB, ONCE},
    {"admin/config_dump_static_listeners.json", "/config_dump?resource=static_listeners", DUMP_MB,
     ONCE},
    {"admin/config_dump_static_clusters.json", "/config_dump?resource=static_clusters", DUMP_MB,
     ONCE},
    {"admin/config_dump_clusters.json", "/config_dump?resource=dynamic_active_clusters", DUMP_MB,
     ONCE},
    {"admin/config_dump_warming_clusters.json", "/config_dump?resource=dynamic_warming_clusters",
     DUMP_MB, ONCE},
    {"admin/config_dump_routes.json", "/config_dump?resource=dynamic_route_configs", DUMP_MB, ONCE},
    {"admin/config_dump_secrets.json", "/config_dump?resource=dynamic_active_secrets", DUMP_MB,
     ONCE},
    {"admin/config_dump_warming_secrets.json", "/config_dump?resource=dynamic_warming_secrets",
     DUMP_MB, ONCE},
};

struct asking {
    struct collection *collection;
    struct fetch *fetch;
    char stop[256];     /* why nothing further is asked; "" while it goes on */
    int64_t counted_at; /* by clock_monotonic(): when the counters were asked for */
};

/* The clusters are asked for with the dump, to know how large it would be. */
static bool is_wanted(const struct collect_options *options, const struct page *page)
{
    bool first = page == &pages[0], clusters = strcmp(page->name, "admin/clusters.json") == 0;
    if (page->when == ON_REQUEST)
        return options->wanted && collection_wants(options, page->name);
    return first || collection_wants(options, page->name) ||
           (clusters && collection_wants(options, "admin/config_dump.json"));
}

bool admin_is_envoy(long status, const char *head, size_t len)
{
    bool version = memmem(head, len, "\"version\"", 9) != NULL;
    bool state = memmem(head, len, "\"state\"", 7) || memmem(head, len, "\"uptime", 7) ||
                 memmem(head, len, "\"command_line_options\"", 22);
    if (status == 403)
        return memmem(head, len, "not allowed", 11) != NULL;
    if (status != 200)
        return false;
    return (len > 6 && memcmp(head, "envoy ", 6) == 0) || (version && state);
}

static const char *look_of(const char *head, size_t len)
{
    while (len && strchr(" \t\r\n", *head)) {
        head++;
        len--;
    }
    if (len == 0)
        return "an empty answer";
    if (*head == '<')
        return "an HTML or XML page";
    return *head == '{' || *head == '[' ? "JSON of another program" : "text of another program";
}

static const char *shown_address(const struct collection *collection)
{
    const struct target *target = collection->target;
    return target->via ? target->via : target->address;
}

/* ---- one answer ---- */

static struct source *keep(struct asking *asking, const struct page *page, const char *path,
                           const char *origin, const struct fetch_result *result)
{
    struct source *source = collection_add(asking->collection, page->name, origin);
    source->path = arena_strdup(asking->collection->bundle.sources.arena, path);
    source->size = result->size;
    memcpy(source->sha256, result->sha256, sizeof source->sha256);
    source->complete = result->outcome == FETCH_DONE;
    return source;
}

static void judge_cut(struct asking *asking, const struct page *page, const char *path,
                      const char *origin, const struct fetch_result *result)
{
    struct collection *collection = asking->collection;
    if (result->outcome == FETCH_UNREACHABLE) {
        snprintf(asking->stop, sizeof asking->stop, "not asked: the address cannot be reached");
        collection_missing(collection, page->name, origin, "cannot reach '%s': %s",
                           shown_address(collection), result->why);
    } else if (result->size == 0) {
        if (page == &pages[0])
            snprintf(asking->stop, sizeof asking->stop, "not asked: the address does not answer");
        collection_missing(collection, page->name, origin, "'%s' does not answer: %s",
                           shown_address(collection), result->why);
    } else {
        struct source *source = keep(asking, page, path, origin, result);
        source_problem(&collection->bundle.sources, source,
                       "the answer ends early, after %llu bytes: %s",
                       (unsigned long long)result->size, result->why);
    }
}

/* A page that is younger than this Envoy, or a part that its dump does not have: nothing is
 * amiss. */
static bool is_unknown(const struct page *page, long status)
{
    bool part = page >= dump_parts && page < dump_parts + ARRAY_LEN(dump_parts);
    return status == 404 || (part && status == 400);
}

static void judge_status(struct asking *asking, const struct page *page, const char *path,
                         const char *origin, const struct fetch_result *result)
{
    bool ready = strcmp(page->path, "/ready") == 0 && result->status == 503;
    if (result->status == 200 || ready)
        keep(asking, page, path, origin, result);
    else if (result->status == 403)
        collection_missing(asking->collection, page->name, origin,
                           "this proxy does not allow the path (403; bootstrap admin.allow_paths)");
    else if (!is_unknown(page, result->status))
        collection_missing(asking->collection, page->name, origin, "answered with HTTP %ld",
                           result->status);
}

static size_t read_head(const char *path, char head[HEAD_MAX])
{
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(head, 1, HEAD_MAX, file) : 0;
    if (file)
        fclose(file);
    return len;
}

/* Whether PATH holds what an Envoy answers to the first question; if not, that is said. */
static bool judge_first(struct asking *asking, const struct page *page, const char *path,
                        const char *origin, const struct fetch_result *result)
{
    char *head = xmalloc(HEAD_MAX);
    size_t len = read_head(path, head);
    bool envoy = admin_is_envoy(result->status, head, len);
    if (!envoy) {
        snprintf(asking->stop, sizeof asking->stop, "not asked: this is no Envoy admin address");
        collection_missing(asking->collection, page->name, origin,
                           "'%s' answers, but not as an Envoy admin address does (HTTP %ld, %s); "
                           "another program listens there, try another port",
                           shown_address(asking->collection), result->status, look_of(head, len));
    }
    free(head);
    return envoy;
}

static void judge(struct asking *asking, const struct page *page, const char *path,
                  const char *origin, const struct fetch_result *result)
{
    if (result->outcome != FETCH_DONE)
        judge_cut(asking, page, path, origin, result);
    else if (page != &pages[0] || judge_first(asking, page, path, origin, result))
        judge_status(asking, page, path, origin, result);
}

static void ask(struct asking *asking, const struct page *page)
{
    struct collection *collection = asking->collection;
    struct fetch_result result;
    int64_t left = collection_left_ms(collection);
    char *origin = fetch_origin(collection->target, page->path);
    char *path = collection_path(collection, page->name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (collection_is_late(collection))
        snprintf(asking->stop, sizeof asking->stop, "not asked: the time limit was reached");
    if (fd < 0) {
        collection_missing(collection, page->name, origin, "cannot keep the answer: %s",
                           strerror(errno));
    } else if (asking->stop[0]) {
        collection_missing(collection, page->name, origin, "%s", asking->stop);
    } else {
        if (page->max_mb == SMALL_MB && left > PAGE_MS)
            left = PAGE_MS;
        fetch_get(asking->fetch, page->path, fd, (uint64_t)page->max_mb << 20, left, &result);
        judge(asking, page, path, origin, &result);
    }
    if (fd >= 0)
        close(fd);
    struct source *source = sources_find(&collection->bundle.sources, page->name);
    if (!source || !source->path)
        unlink(path);
    free(path);
    free(origin);
}

/* ---- the dump ---- */

static size_t count_in_file(const char *path, const char *needle)
{
    char bytes[1 << 14];
    size_t kept = 0, got, count = 0, len = strlen(needle);
    FILE *file = fopen(path, "re");
    while (file && (got = fread(bytes + kept, 1, sizeof bytes - kept, file)) > 0) {
        const char *at = bytes, *end = bytes + kept + got, *found;
        while ((found = memmem(at, (size_t)(end - at), needle, len))) {
            count++;
            at = found + len;
        }
        kept = (size_t)(end - at) < len ? (size_t)(end - at) : len - 1;
        memmove(bytes, end - kept, kept);
    }
    if (file)
        fclose(file);
    return count;
}

/* Each of these stands once per cluster; which of them, depends on the age of Envoy. */
static size_t count_clusters(const struct collection *collection)
{
    static const char *const marks[] = {"\"observability_name\"", "\"circuit_breakers\"",
                                        "\"host_statuses\""};
    const struct source *source = sources_find(&collection->bundle.sources, "admin/clusters.json");
    size_t most = 0;
    for (size_t i = 0; source && source->path && i < ARRAY_LEN(marks); i++) {
        size_t count = count_in_file(source->path, marks[i]);
        most = count > most ? count : most;
    }
    return most;
}

static bool dump_failed(const struct collection *collection)
{
    const struct source *source = sources_find(&collection->bundle.sources,
                                               "admin/config_dump.json");
    char head[64] = "";
    FILE *file = source && source->path ? fopen(source->path, "re") : NULL;
    if (file && !fgets(head, sizeof head, file))
        head[0] = '\0';
    if (file)
        fclose(file);
    return str_starts(head, "Failed to convert protobuf message");
}

static void ask_dump(struct asking *asking, const struct page *page)
{
    struct collection *collection = asking->collection;
    size_t clusters = count_clusters(collection);
    if (clusters > ADMIN_CLUSTERS_MAX && !asking->stop[0]) {
        char *origin = fetch_origin(collection->target, page->path);
        struct source *source = collection_missing(
            collection, page->name, origin,
            "not asked: with %zu clusters it would hold up the proxy's main thread; when that is "
            "acceptable, save %s to a file and give it with --evidence",
            clusters, origin);
        source->asked = false;
        free(origin);
        return;
    }
    ask(asking, page);
    if (!dump_failed(collection))
        return;
    for (size_t i = 0; i < ARRAY_LEN(dump_parts); i++)
        ask(asking, &dump_parts[i]);
}

/* ---- the second sample ---- */

static void wait_until(int64_t time)
{
    int64_t left = time - clock_monotonic();
    struct timespec rest = {left / CLOCK_SECOND, left % CLOCK_SECOND};
    while (left > 0 && nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
}

static void ask_again(struct asking *asking)
{
    const struct collect_options *options = asking->collection->options;
    if (!options->sample_ms || asking->stop[0])
        return;
    wait_until(asking->counted_at + options->sample_ms * (CLOCK_SECOND / 1000));
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (pages[i].when != TWICE || !is_wanted(options, &pages[i]))
            continue;
        struct page again = pages[i];
        char *name = xasprintf("sample-2/%s", pages[i].name);
        again.name = name;
        ask(asking, &again);
        free(name);
    }
}

void admin_collect(struct collection *collection)
{
    struct asking asking = {
        .collection = collection,
        .fetch = fetch_new(collection->target, collection->options),
        .counted_at = clock_monotonic(),
    };
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (!is_wanted(collection->options, &pages[i]))
            continue;
        if (pages[i].max_mb == DUMP_MB)
            ask_dump(&asking, &pages[i]);
        else
            ask(&asking, &pages[i]);
        if (strcmp(pages[i].path, "/stats") == 0)
            asking.counted_at = clock_monotonic();
    }
    ask_again(&asking);
    fetch_free(asking.fetch);
}

void admin_dry_run(const struct target *target, const struct collect_options *options)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (!is_wanted(options, &pages[i]))
            continue;
        char *origin = fetch_origin(target, pages[i].path);
        printf("GET %s\n", origin);
        if (pages[i].when == TWICE && options->sample_ms)
            printf("GET %s  (again after %g s)\n", origin, (double)options->sample_ms / 1000);
        free(origin);
    }
}
