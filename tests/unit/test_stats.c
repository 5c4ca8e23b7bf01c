/* Statistics as text and JSON, excerpts of them, and the second sample. */
#include "given.h"

static const char *value_of(const struct given *given, const char *name)
{
    static char buf[32];
    const struct record *record = evidence_find(given->evidence, "stats", name);
    const char *value = record ? record_text(record, "value", buf) : NULL;
    return value ? value : "(none)";
}

static void text(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x.log",
               "control_plane.identifier: \"{\"a\": 1}\"\r\n"
               "cluster.outbound|80||a.b.upstream_cx_total: 3\r\n"
               "cluster.a.lb_healthy_panic: 0 \r\n"
               "listener.[__]_15000.downstream_cx_active: 18446744073709551615\n"
               "http.admin.downstream_rq_time: P0(nan,1) P25(nan,1.02) P100(1,2)\n"
               "server.initialization_time_ms: No recorded values\n"
               "server.state: 2\nserver.uptime: 17\n");
    assert_string_equal(given_kind(&given), "stats");
    assert_int_equal(given_count(&given, "stats"), 6);
    assert_string_equal(value_of(&given, "control_plane.identifier"), "{\"a\": 1}");
    assert_string_equal(value_of(&given, "cluster.outbound|80||a.b.upstream_cx_total"), "3");
    assert_string_equal(value_of(&given, "cluster.a.lb_healthy_panic"), "0");
    assert_string_equal(value_of(&given, "listener.[__]_15000.downstream_cx_active"),
                        "18446744073709551615");
    char buf[32];
    assert_string_equal(record_locator(given_record(&given, "stats", 4), buf), "server.state");
    assert_string_equal(given_field(&given, "proxy", 0, "state"), "PRE_INITIALIZING");
    assert_string_equal(given_field(&given, "proxy", 0, "uptime_s"), "17");
    assert_int_equal(evidence_state(given.evidence, "stats"), EVIDENCE_COMPLETE);
    given_release(&given);
}

static void excerpt(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "pasted.txt",
               "$ curl -s localhost:9901/stats | grep update\n"
               "cluster_manager.cds.update_attempt: 1\ncluster_manager.cds.update_success: 0\n"
               "listener_manager.lds.update_attempt: 0\n");
    assert_string_equal(given_kind(&given), "stats");
    assert_string_equal(value_of(&given, "cluster_manager.cds.update_attempt"), "1");
    given_release(&given);
}

static void no_stats(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "headers.txt", "content-length: 12\nserver: envoy\nage: 3\n");
    assert_string_not_equal(given_kind(&given), "stats");
    given_release(&given);
    given_text(&given, "pod.yaml",
               "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  n: 1\n");
    assert_string_not_equal(given_kind(&given), "stats");
    given_release(&given);
}

static void json(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "s",
        "{\"stats\":[{\"name\":\"control_plane.identifier\",\"value\":\"x\"},"
        "{\"name\":\"server.live\",\"value\":1},{\"histograms\":{\"supported_quantiles\":[0],"
        "\"computed_quantiles\":[{\"name\":\"h\",\"values\":[]}]}}]}");
    assert_string_equal(given_kind(&given), "stats");
    assert_int_equal(given_count(&given, "stats"), 2);
    assert_string_equal(value_of(&given, "server.live"), "1");
    given_release(&given);
}

static struct source *add_source(struct sources *sources, const char *name, const char *path)
{
    struct source *source = sources_add(sources, name);
    source->path = path;
    source->complete = true;
    return source;
}

static void second_sample(void **state)
{
    (void)state;
    static const char first[] = "server.uptime: 10\ncluster.a.cx: 5\ncluster.a.gone: 5\n";
    static const char second[] = "server.uptime: 20\ncluster.a.cx: 7\ncluster.a.fresh: 1\n";
    struct given given, other;
    memset(&given, 0, sizeof given);
    given_write(&given, first, sizeof first - 1);
    given_write(&other, second, sizeof second - 1);
    sources_init(&given.sources);
    add_source(&given.sources, "admin/stats.txt", given.path);
    add_source(&given.sources, "sample-2/admin/stats.txt", other.path);
    given.evidence = evidence_new(&given.sources, NULL);
    read_all(given.evidence, NULL);
    identity_find(given.evidence);
    assert_int_equal(given_count(&given, "stats"), 4);
    assert_string_equal(value_of(&given, "cluster.a.cx"), "7");
    assert_string_equal(given_field(&given, "stats", 1, "change"), "2");
    assert_string_equal(given_record(&given, "stats", 1)->source->name, "sample-2/admin/stats.txt");
    assert_string_equal(given_field(&given, "stats", 2, "change"), "(none)");
    assert_string_equal(value_of(&given, "cluster.a.fresh"), "1");
    assert_string_equal(given_field(&given, "proxy", 0, "uptime_s"), "20");
    unlink(other.path);
    given_release(&given);
}

/* The same statistic in two sources of one look: no growth can be told from that. */
static void twice_is_no_second_sample(void **state)
{
    (void)state;
    struct given given;
    memset(&given, 0, sizeof given);
    given_write(&given, "server.live: 1\n", 15);
    sources_init(&given.sources);
    add_source(&given.sources, "a.txt", given.path);
    add_source(&given.sources, "b.txt", given.path);
    given.evidence = evidence_new(&given.sources, NULL);
    read_all(given.evidence, NULL);
    assert_int_equal(given_count(&given, "stats"), 1);
    assert_string_equal(given_field(&given, "stats", 0, "change"), "(none)");
    assert_string_equal(given_record(&given, "stats", 0)->source->name, "a.txt");
    given_release(&given);
}

/* A hundred thousand clusters do not hide what the proxy says of itself. */
static void very_many_clusters(void **state)
{
    (void)state;
    struct given given;
    struct buf text;
    buf_init(&text, 64 << 20);
    for (int i = 0; i < 60000; i++)
        buf_addf(&text, "cluster.c%d.upstream_cx_overflow: %d\n", i, i == 45000 ? 7 : 0);
    buf_adds(&text, "server.live: 1\n");
    given_text(&given, "x", text.data);
    assert_string_equal(value_of(&given, "server.live"), "1");
    assert_string_equal(value_of(&given, "cluster.c45000.upstream_cx_overflow"), "7");
    assert_string_equal(value_of(&given, "cluster.c44999.upstream_cx_overflow"), "(none)");
    assert_int_equal(evidence_state(given.evidence, "stats"), EVIDENCE_PARTIAL);
    assert_non_null(strstr(given_problem(&given), "more than 40000 statistics"));
    buf_release(&text);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(excerpt),
        cmocka_unit_test(no_stats),
        cmocka_unit_test(json),
        cmocka_unit_test(second_sample),
        cmocka_unit_test(twice_is_no_second_sample),
        cmocka_unit_test(very_many_clusters),
    };
    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
