/* The walk of a request: every rule by which Envoy picks a listener, chain, host, route and cluster, as
 * tables of requests over one configuration; and what it says when evidence is missing. */
#include "asked.h"
#include "reason/walk.h"

#include "read/read.h"
#include "read/scan.h"

#define EVERYTHING                                                                                 \
    ",\"needs\":[\"?xds.listeners\",\"?xds.filter_chains\",\"?xds.virtual_hosts\","                \
    "\"?xds.routes\",\"?xds.clusters\",\"?clusters\",\"?hosts\"]"

struct scene {
    struct asked asked;
    struct sources sources;
    struct evidence *evidence;
    struct scan *scan;
    struct view view;
};

static void add_source(struct scene *scene, const char *name, const char *path)
{
    struct source *source = sources_add(&scene->sources, name);
    source->path = arena_strdup(scene->sources.arena, path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    source->size = (uint64_t)ftell(file);
    source->complete = true;
    fclose(file);
}

static void open_scene(struct scene *scene, const char *members, bool clusters)
{
    asked_init(&scene->asked, members);
    sources_init(&scene->sources);
    add_source(scene, "admin/config_dump.json", TEST_DATA "/walk/config_dump.json");
    if (clusters)
        add_source(scene, "admin/clusters.json", TEST_DATA "/walk/clusters.json");
    scene->evidence = evidence_new(&scene->sources, NULL);
    scene->scan = scan_new(NULL, 0, scene->evidence, NULL, NULL);
    read_all(scene->evidence, scene->scan);
    evidence_finish(scene->evidence);
    scene->view = (struct view){
        .check = &scene->asked.check,
        .evidence = scene->evidence,
        .builder = builder_new(&scene->asked.check, scene->evidence, NULL),
        .scratch = scene->asked.arena,
    };
}

static void close_scene(struct scene *scene)
{
    assert_null(builder_fault(scene->view.builder));
    builder_free(scene->view.builder);
    scan_free(scene->scan);
    evidence_free(scene->evidence);
    sources_release(&scene->sources);
    asked_release(&scene->asked);
}

struct row {
    struct walk_request request;
    const char *ends;
    int status;
    const char *flag;
    const char *last; /* "KIND NAME" of the last hop */
    bool broke, depends;
};

static void expect(struct scene *scene, const struct row *row, int at)
{
    char last[256] = "nothing";
    const struct walk *walk = walk_request(&scene->view, &row->request);
    const char *flag = walk->flag ? walk->flag : "";
    if (walk->len)
        snprintf(last, sizeof last, "%s %s", walk->hops[walk->len - 1].kind,
                 walk->hops[walk->len - 1].name);
    if (strcmp(walk_end_word(walk->end), row->ends) != 0 || walk->status != row->status ||
        strcmp(flag, row->flag ? row->flag : "") != 0 || strcmp(last, row->last) != 0)
        fail_msg("row %d: %s %d %s at '%s' (%s), not %s %d %s at '%s'", at,
                 walk_end_word(walk->end), walk->status, flag, last,
                 walk->unknown ? walk->unknown : "", row->ends, row->status,
                 row->flag ? row->flag : "", row->last);
    if ((walk->broke >= 0) != row->broke || (walk->depends != NULL) != row->depends)
        fail_msg("row %d: broke at %d, depends on %s", at, walk->broke,
                 walk->depends ? walk->depends : "nothing");
}

#define REQUEST(...)                                                                               \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void expect_all(const struct row *rows, size_t len)
{
    struct scene scene;
    open_scene(&scene, EVERYTHING, true);
    for (size_t i = 0; i < len; i++)
        expect(&scene, &rows[i], (int)i);
    close_scene(&scene);
}

static void test_listeners(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REQUEST(.port = 1), "forwarded", 0, NULL, "endpoints through", false, true},
        {REQUEST(.port = 1, .direction = "inbound"), "refused", 0, NULL, "listener ", true, false},
        {REQUEST(.listener = "none"), "refused", 0, NULL, "listener ", true, false},
        {REQUEST(.port = 8082), "refused", 0, NULL, "listener late", true, false},
        {REQUEST(.port = 80), "refused", 0, NULL, "listener bad", true, false},
        {REQUEST(.port = 3306), "forwarded", 0, NULL, "endpoints good", false, true},
        {REQUEST(.port = 7000, .host = "shop.example.com", .path = "/exact"), "forwarded", 0, NULL,
         "endpoints good", false, false},
        {REQUEST(.port = 7000, .direction = "inbound"), "refused", 0, NULL, "listener ", true,
         false},
        {REQUEST(.port = 7001), "unknown", 0, NULL, "nothing", false, false},
        {REQUEST(.port = 7001, .address = "10.9.0.1"), "forwarded", 0, NULL, "endpoints good",
         false, false},
        {REQUEST(.port = 7001, .address = "10.9.0.2"), "reset", 0, "UH", "endpoints empty", true,
         false},
        {REQUEST(.listener = "web", .host = "a.example.com"), "answered", 201, NULL,
         "route prefix /", false, false},
    };
    expect_all(rows, sizeof rows / sizeof *rows);
}

static void test_chains(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REQUEST(.port = 8443, .tls = true, .host = "a.example.com"), "answered", 204, NULL,
         "route prefix /", false, false},
        {REQUEST(.port = 8443, .tls = true, .host = "b.example.com"), "forwarded", 0, NULL,
         "endpoints good", false, false},
        {REQUEST(.port = 8443, .tls = true, .host = "c.example.com"), "answered", 404, "NR",
         "virtual-host ", true, false},
        {REQUEST(.port = 8443, .tls = true, .host = "b.example.com", .sni = "b.other"), "reset", 0,
         "NR", "filter-chain ", true, false},
        {REQUEST(.port = 8443, .tls = true), "reset", 0, "NR", "filter-chain ", true, false},
        {REQUEST(.port = 8443, .host = "a.example.com"), "reset", 0, "NR", "filter-chain ", true,
         false},
        {REQUEST(.port = 8080, .tls = true, .host = "shop.example.com"), "answered", 400, "DPE",
         "filter-chain ", true, false},
        {REQUEST(.port = 9000, .tls = true, .address = "10.2.0.1"), "forwarded", 0, NULL,
         "endpoints good", false, false},
        {REQUEST(.port = 9000, .address = "10.1.9.9"), "reset", 0, "UH", "endpoints empty", true,
         false},
        {REQUEST(.port = 9000, .address = "10.1.2.9"), "forwarded", 0, NULL, "endpoints good",
         false, false},
        {REQUEST(.port = 9000, .address = "10.7.2.9"), "reset", 0, "NC", "cluster gone", true,
         false},
        {REQUEST(.port = 9000), "unknown", 0, NULL, "listener mixed", false, true},
        {REQUEST(.port = 6379), "unknown", 0, NULL, "filter-chain ", false, false},
        {REQUEST(.port = 8080, .tcp = true), "forwarded", 0, NULL, "filter-chain ", false, false},
        {REQUEST(.port = 8002, .path = "/healthz"), "answered", 200, NULL,
         "http-filter health_check", false, false},
        {REQUEST(.port = 8002, .path = "/healthz?x=1"), "answered", 404, "NR", "virtual-host ",
         true, false},
    };
    expect_all(rows, sizeof rows / sizeof *rows);
}

#define SHOP(p) .port = 8080, .host = "shop.example.com", .path = p

static void test_routes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REQUEST(SHOP("/exact?a=b")), "forwarded", 0, NULL, "endpoints good", false, false},
        {REQUEST(SHOP("/exact/")), "answered", 404, "NR", "route ", true, false},
        {REQUEST(SHOP("/api")), "forwarded", 0, NULL, "endpoints good", false, false},
        {REQUEST(SHOP("/api/x")), "forwarded", 0, NULL, "endpoints good", false, false},
        {REQUEST(SHOP("/apix")), "answered", 404, "NR", "route ", true, false},
        {REQUEST(SHOP("/v2/x")), "forwarded", 0, NULL, "endpoints good", false, false},
        {REQUEST(SHOP("/a/v2/x")), "answered", 404, "NR", "route ", true, false},
        {REQUEST(SHOP("/old/x")), "answered", 302, NULL, "route prefix /old", false, false},
        {REQUEST(SHOP("/fixed")), "answered", 418, NULL, "route prefix /fixed", false, false},
        {REQUEST(SHOP("/canary")), "forwarded", 0, NULL, "endpoints good", false, true},
        {REQUEST(SHOP("/only")), "forwarded", 0, NULL, "endpoints good", false, true},
        {REQUEST(SHOP("/post")), "answered", 404, "NR", "route ", true, false},
        {REQUEST(SHOP("/post"), .method = "POST"), "forwarded", 0, NULL, "endpoints good", false,
         false},
        {REQUEST(SHOP("/"), .method = "CONNECT"), "forwarded", 0, NULL, "endpoints good", false,
         false},
        {REQUEST(SHOP("/case")), "forwarded", 0, NULL, "endpoints good", false, false},
        {REQUEST(SHOP("/header")), "unknown", 0, NULL, "route prefix /header", false, false},
        {REQUEST(.port = 8080, .host = "SHOP.example.com:8080", .path = "/api"), "forwarded", 0,
         NULL, "endpoints good", false, false},
        {REQUEST(.port = 8080, .host = "shop.example.com:99", .path = "/api"), "answered", 203,
         NULL, "route prefix /", false, false},
        {REQUEST(.port = 8080, .host = "x.example.com"), "answered", 201, NULL, "route prefix /",
         false, false},
        {REQUEST(.port = 8080, .host = "x.shop.example.com"), "answered", 202, NULL,
         "route prefix /", false, false},
        {REQUEST(.port = 8080, .host = "shop.other"), "answered", 203, NULL, "route prefix /",
         false, false},
        {REQUEST(.port = 8080, .host = "10.0.0.9:8080"), "answered", 404, "NR", "virtual-host ",
         true, false},
        {REQUEST(.port = 8080), "unknown", 0, NULL, "filter-chain ", false, false},
        {REQUEST(.port = 8080, .host = "secure.test"), "answered", 301, NULL, "virtual-host tls",
         false, true},
        {REQUEST(.port = 8080, .host = "outside.test"), "answered", 204, NULL, "route prefix /",
         false, true},
        {REQUEST(.port = 8080, .host = "tree.test"), "unknown", 0, NULL, "virtual-host tree", false,
         false},
        {REQUEST(.listener = "web", .port = 80, .host = "shop.example.com:8080", .path = "/api"),
         "forwarded", 0, NULL, "endpoints good", false, false},
        {REQUEST(SHOP("/not-get")), "forwarded", 0, NULL, "endpoints good", false, true},
        {REQUEST(SHOP("/not-get"), .method = "POST"), "forwarded", 0, NULL, "endpoints good", false,
         true},
        {REQUEST(SHOP("/faulty")), "forwarded", 0, NULL, "endpoints good", false, true},
        {REQUEST(SHOP("/some")), "unknown", 0, NULL, "route prefix /some", false, false},
        {REQUEST(.port = 8080, .host = "a.example.com", .method = "CONNECT"), "answered", 404, "NR",
         "route ", true, false},
        {REQUEST(.port = 8081, .host = "x"), "answered", 404, "NR", "route-config never", true,
         false},
        {REQUEST(.port = 8003, .host = "a.x:8003"), "forwarded", 0, NULL, "endpoints good", false,
         false},
    };
    expect_all(rows, sizeof rows / sizeof *rows);
}

static void test_clusters(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REQUEST(SHOP("/empty")), "answered", 503, "UH", "endpoints empty", true, false},
        {REQUEST(SHOP("/dns")), "answered", 503, "UH", "endpoints dns", true, false},
        {REQUEST(SHOP("/gone")), "answered", 503, "NC", "cluster gone", true, false},
        {REQUEST(SHOP("/late")), "answered", 503, "NC", "cluster late", true, false},
        {REQUEST(SHOP("/sick")), "forwarded", 0, NULL, "endpoints sick", false, true},
        {REQUEST(SHOP("/strict")), "answered", 503, "UH", "endpoints strict", true, false},
        {REQUEST(SHOP("/all")), "forwarded", 0, NULL, "endpoints good", false, false},
        {REQUEST(SHOP("/refuses")), "answered", 503, "UH", "endpoints refuses", true, false},
        {REQUEST(SHOP("/subsets")), "forwarded", 0, NULL, "endpoints subsets", false, true},
        {REQUEST(SHOP("/share")), "forwarded", 0, "UH", "endpoints empty", true, true},
    };
    expect_all(rows, sizeof rows / sizeof *rows);
}

/* What was not gathered, or not declared, is never taken for empty. */
static void test_missing(void **state)
{
    (void)state;
    struct scene scene;
    const struct row blind = {REQUEST(SHOP("/exact")), "unknown", 0, NULL, "nothing", false, false};
    const struct row half = {REQUEST(SHOP("/exact")), "unknown", 0,    NULL,
                             "cluster good",          false,     false};
    open_scene(&scene, ",\"needs\":[\"?stats\"]", true);
    expect(&scene, &blind, 0);
    close_scene(&scene);
    open_scene(&scene, EVERYTHING, false);
    expect(&scene, &half, 1);
    close_scene(&scene);
}

/* What a report says of a walk beside its hops. */
static void test_requests(void **state)
{
    (void)state;
    static const struct {
        struct walk_request request;
        const char *text;
    } rows[] = {
        {REQUEST(SHOP("/exact")), "GET http://shop.example.com:8080/exact"},
        {REQUEST(.port = 8443, .tls = true, .host = "a.example.com"),
         "GET https://a.example.com:8443/"},
        {REQUEST(.tls = true, .host = "a.example.com:444", .method = "POST"),
         "POST https://a.example.com:444/"},
        {REQUEST(.port = 3306, .tcp = true, .address = "10.0.0.1"), "connection to 10.0.0.1:3306"},
        {REQUEST(.listener = "web", .path = "/x"), "GET http://web/x"},
        {REQUEST(.port = 1, .host = "[::1]"), "GET http://[::1]:1/"},
    };
    struct scene scene;
    open_scene(&scene, EVERYTHING, true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct walk *walk = walk_request(&scene.view, &rows[i].request);
        assert_int_equal(walk->number, i + 1);
        assert_ptr_equal(walk_find(&scene.view, (int)i + 1), walk);
        assert_string_equal(walk->request, rows[i].text);
    }
    assert_null(walk_find(&scene.view, 99));
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listeners), cmocka_unit_test(test_chains),
        cmocka_unit_test(test_routes),    cmocka_unit_test(test_clusters),
        cmocka_unit_test(test_missing),   cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
