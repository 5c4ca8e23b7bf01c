/* The xDS truth table: what dumps, counters and logs tell of one resource becomes one row, and the last word
 * counts. */
#include "evidence/resources.h"
#include "given.h"

static struct evidence *evidence;
static struct sources sources;
static struct source *source;

static int set_up(void **state)
{
    (void)state;
    sources_init(&sources);
    source = sources_add(&sources, "file");
    evidence = evidence_new(&sources, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    evidence_free(evidence);
    sources_release(&sources);
    return 0;
}

/* A record of NAME from "column=value" pairs, NULL at the end. */
static struct record *have(const char *name, int64_t second, const char *const *pairs)
{
    struct record *record = evidence_add(evidence, name, source);
    record->time = second * 1000000000;
    for (; *pairs; pairs += 2)
        evidence_set(evidence, record, pairs[0], pairs[1]);
    return record;
}
#define HAVE(name, second, ...) have(name, second, (const char *const[]){__VA_ARGS__, NULL})

static const struct record *row_of(const char *type, const char *name)
{
    char buf[32];
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, "xds.resources", record))) {
        const char *found = record_text(record, "name", buf);
        if (strcmp(record_text(record, "type", buf), type) == 0 &&
            strcmp(found ? found : "", name) == 0)
            return record;
    }
    return NULL;
}

static void expect(const char *type, const char *name, const char *column, const char *value)
{
    char buf[32];
    const struct record *record = row_of(type, name);
    if (!record)
        fail_msg("no row for %s '%s'", type, name);
    const char *got = record_text(record, column, buf);
    if (!value ? got != NULL : !got || strcmp(got, value) != 0)
        fail_msg("%s '%s': %s is '%s', not '%s'", type, name, column, got ? got : "(none)",
                 value ? value : "(none)");
}

#define REFUSED "log.config_rejected"
#define URL     "type.googleapis.com/envoy.config."

static void have_whole_dump(void)
{
    static const char *const tables[] = {"xds.listeners", "xds.clusters", "xds.routes"};
    for (size_t i = 0; i < 3; i++)
        evidence_supplied(evidence, tables[i], true);
}

static void test_references(void **state)
{
    (void)state;
    HAVE("xds.resources", 0, "type", "listener", "name", "in", "state", "active", "version", "7");
    HAVE("xds.resources", 0, "type", "route", "name", "r1", "state", "active", "version", "5");
    HAVE("xds.filter_chains", 0, "listener", "in", "routes_from", "rds", "route_config", "r1");
    HAVE("xds.filter_chains", 0, "listener", "in", "routes_from", "inline", "route_config", "x");
    HAVE("xds.filter_chains", 0, "listener", "in", "routes_from", "rds", "route_config", "r2",
         "secrets", "a,b");
    HAVE("xds.clusters", 0, "name", "orders", "type", "EDS");
    have_whole_dump();
    resources_find(evidence);
    expect("route", "r1", "referenced", "listener in");
    expect("route", "r2", "state", "named");
    expect("route", "r2", "sent", "no");
    expect("secret", "b", "referenced", "listener in");
    expect("listener", "in", "accepted", "7");
    assert_null(row_of("route", "x"));
    assert_null(row_of("endpoint", "orders")); /* this dump holds no endpoints at all */
}

static void test_routes_name_clusters(void **state)
{
    (void)state;
    HAVE("xds.resources", 0, "type", "cluster", "name", "a", "state", "active", "version", "1");
    HAVE("xds.routes", 0, "route_config", "shop", "action", "weighted", "target", "a,gone");
    HAVE("xds.routes", 0, "route_config", "shop", "action", "cluster", "target", "a");
    HAVE("xds.routes", 0, "route_config", "shop", "action", "redirect", "target", "elsewhere");
    have_whole_dump();
    resources_find(evidence);
    expect("cluster", "a", "referenced", "route shop");
    expect("cluster", "gone", "state", "named");
    expect("cluster", "gone", "sent", "no");
    assert_null(row_of("cluster", "elsewhere"));
}

/* Only the listeners of a dump: what they name may well be there. */
static void test_part_of_a_dump(void **state)
{
    (void)state;
    HAVE("xds.filter_chains", 0, "listener", "in", "routes_from", "rds", "route_config", "r1",
         "secrets", "s", "clusters", "c");
    HAVE("xds.filter_chains", 0, "listener", "in", "routes_from", "rds", "route_config", "r2");
    HAVE("stats", 0, "name", "http.in.rds.r2.update_attempt", "value", "1");
    HAVE("stats", 0, "name", "http.in.rds.r2.update_success", "value", "0");
    HAVE("stats", 0, "name", "http.in.rds.r2.update_rejected", "value", "0");
    resources_find(evidence);
    expect("route", "r1", "state", "named");
    expect("route", "r1", "sent", NULL);
    expect("route", "r2", "sent", "no"); /* its counters tell */
    expect("secret", "s", "sent", NULL);
    assert_null(row_of("cluster", "c"));
}

/* Envoy 1.22 lists endpoints of EDS clusters without a name. */
static void test_nameless_endpoints(void **state)
{
    (void)state;
    HAVE("xds.resources", 0, "type", "endpoint", "name", "local", "state", "static");
    HAVE("xds.resources", 0, "type", "endpoint", "state", "active");
    HAVE("xds.clusters", 0, "name", "orders", "type", "EDS");
    resources_find(evidence);
    assert_null(row_of("endpoint", "orders"));
}

static void test_counters(void **state)
{
    (void)state;
    HAVE("stats", 0, "name", "listener_manager.lds.update_attempt", "value", "4");
    HAVE("stats", 0, "name", "listener_manager.lds.update_success", "value", "2");
    HAVE("stats", 0, "name", "listener_manager.lds.update_rejected", "value", "1", "change", "1");
    HAVE("stats", 0, "name", "listener_manager.lds.version_text", "value", "v3");
    HAVE("stats", 0, "name", "sds.cert.update_attempt", "value", "1");
    HAVE("stats", 0, "name", "sds.cert.update_success", "value", "0");
    HAVE("stats", 0, "name", "http.in.rds.shop.routes.update_attempt", "value", "1");
    HAVE("stats", 0, "name", "http.in.rds.shop.routes.update_success", "value", "1");
    HAVE("stats", 0, "name", "cluster.dns.update_attempt", "value", "1");
    HAVE("stats", 0, "name", "cluster.dns.update_success", "value", "0");
    HAVE("stats", 0, "name", "cluster.bad.update_rejected", "value", "2");
    resources_find(evidence);
    expect("listener", "", "state", "accepted");
    expect("listener", "", "accepted", "v3");
    expect("listener", "", "stale", "yes");
    expect("secret", "cert", "state", "requested");
    expect("endpoint", "bad", "updates_rejected", "2");
    assert_null(row_of("route", "shop.routes")); /* in order, and no dump: of no interest */
    assert_null(row_of("endpoint", "dns"));
}

static void test_log(void **state)
{
    (void)state;
    HAVE("log.xds_answered", 1, "type", "lds", "listener", "old");
    HAVE(REFUSED, 2, "type_url", URL "listener.v3.Listener", "rest",
         "Error adding/updating listener(s) old: no\nnew:8080: not either\n  name: x");
    HAVE(REFUSED, 3, "type_url", URL "listener.v3.Listener", "rest",
         "Error adding/updating listener(s) mended: no");
    HAVE("log.xds_answered", 4, "type", "lds", "listener", "mended");
    HAVE(REFUSED, 5, "type_url", URL "cluster.v3.Cluster", "rest", ": bad message");
    HAVE(REFUSED, 6, "rest", "without a type");
    resources_find(evidence);
    expect("listener", "old", "state", "accepted");
    expect("listener", "old", "stale", "yes");
    expect("listener", "old", "error", "no");
    expect("listener", "new:8080", "state", "rejected");
    expect("listener", "new:8080", "origin", "log");
    expect("listener", "mended", "state", "accepted");
    expect("listener", "mended", "stale", "no");
    expect("cluster", "", "error", "bad message");
}

static void test_dump_knows_better(void **state)
{
    (void)state;
    HAVE("xds.resources", 0, "type", "listener", "name", "in", "state", "active", "version", "8");
    HAVE("xds.resources", 0, "type", "cluster", "name", "c", "state", "active", "version", "8",
         "updated", "2026-11-21T08:00:00Z");
    HAVE("xds.resources", 0, "type", "secret", "name", "s", "state", "active", "version", "1");
    HAVE("stats", 0, "name", "sds.s.update_attempt", "value", "2");
    HAVE("stats", 0, "name", "sds.s.update_success", "value", "0");
    HAVE("stats", 0, "name", "sds.s.update_rejected", "value", "1");
    HAVE(REFUSED, 100, "type_url", URL "listener.v3.Listener", "rest",
         "Error adding/updating listener(s) in: once");
    HAVE(REFUSED, 100, "type_url", URL "cluster.v3.Cluster", "rest",
         "Error adding/updating cluster(s) c: once");
    HAVE(REFUSED, 100, "type_url", "type.googleapis.com/envoy.x.Secret", "rest", "no certificate");
    resources_find(evidence);
    expect("listener", "in", "error", NULL);
    expect("cluster", "c", "error", NULL); /* updated since */
    expect("cluster", "c", "accepted", "8");
    expect("secret", "s", "error", "no certificate"); /* the only one that was refused */
    expect("secret", "s", "state", "rejected");       /* whatever the dump calls it */
    expect("secret", "s", "accepted", NULL);
}

static void test_hostile(void **state)
{
    (void)state;
    char *names = malloc(100000);
    memset(names, ',', 99999);
    names[99999] = '\0';
    memset(names + 10, 'x', 5000);
    HAVE("xds.filter_chains", 0, "listener", "in", "secrets", names);
    HAVE("xds.resources", 0, "name", "no type", "state", "active");
    HAVE("stats", 0, "name", "cluster..update_rejected", "value", "1");
    HAVE("stats", 0, "name", ".rds.update_rejected", "value", "1");
    HAVE(REFUSED, 1, "type_url", ".Listener", "rest", "Error adding/updating ");
    HAVE(REFUSED, 1, "type_url", ".Listener", "rest", "Error adding/updating listener(s) ");
    HAVE(REFUSED, 1, "type_url", ".Listener", "rest", "Error adding/updating listener(s) : x");
    free(names);
    resources_find(evidence);
    assert_non_null(evidence_next(evidence, "xds.resources", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_references, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_routes_name_clusters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_part_of_a_dump, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nameless_endpoints, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dump_knows_better, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
