/* Who the proxy is: server_info in its layouts, /ready, shapes of node ids, and which note wins. */
#include "given.h"

static void assert_proxy(const struct given *given, const char *column, const char *value)
{
    const char *got = given_field(given, "proxy", 0, column);
    if (strcmp(got, value) != 0)
        fail_msg("%s is '%s', not '%s'", column, got, value);
}

static void full(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "x",
        "{\"version\": \"0123abc/1.36.4-appmesh.1/Clean/RELEASE/BoringSSL\", \"state\":"
        " \"PRE_INITIALIZING\", \"hot_restart_version\": \"disabled\","
        " \"command_line_options\": {\"log_level\": \"debug\", \"concurrency\": 2},"
        " \"node\": {\"id\": \"router~10.0.0.1~gw.ns~ns.svc.cluster.local\", \"cluster\": \"gw\","
        " \"metadata\": {\"ISTIO_VERSION\": \"1.20\"}}, \"uptime_current_epoch\": \"93.5s\"}");
    assert_string_equal(given_kind(&given), "server_info");
    assert_proxy(&given, "version", "1.36.4");
    assert_proxy(&given, "state", "PRE_INITIALIZING");
    assert_proxy(&given, "hot_restart", "disabled");
    assert_proxy(&given, "log_level", "debug");
    assert_proxy(&given, "concurrency", "2");
    assert_proxy(&given, "node_cluster", "gw");
    assert_proxy(&given, "uptime_s", "94");
    assert_proxy(&given, "mesh", "istio");
    assert_proxy(&given, "mode", "gateway");
    assert_proxy(&given, "platform", "kubernetes");
    assert_int_equal(evidence_state(given.evidence, "proxy"), EVIDENCE_COMPLETE);
    given_release(&given);
}

static void small(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x", "{\"version\": \"a/1.9.0/Clean/RELEASE\", \"state\": \"LIVE\"}");
    assert_proxy(&given, "version", "1.9.0");
    assert_proxy(&given, "mesh", "(none)");
    given_release(&given);
    given_text(&given, "x", "envoy 0123abcd/1.8.0/Clean/DEBUG live 12 13 0\n");
    assert_string_equal(given_kind(&given), "server_info");
    assert_proxy(&given, "version", "1.8.0");
    assert_proxy(&given, "state", "LIVE");
    assert_proxy(&given, "uptime_s", "12");
    given_release(&given);
    given_text(&given, "x", "{\"state\": \"Running\", \"version\": 3}");
    assert_string_not_equal(given_kind(&given), "server_info");
    given_release(&given);
}

static void ready(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x", "INITIALIZING\n");
    assert_string_equal(given_kind(&given), "ready");
    assert_string_equal(given_field(&given, "ready", 0, "state"), "INITIALIZING");
    assert_proxy(&given, "state", "INITIALIZING");
    given_release(&given);
    given_text(&given, "x", "LIVE or not\n");
    assert_string_not_equal(given_kind(&given), "ready");
    given_release(&given);
}

static const char *mesh_of(const char *id, const char **mode, const char **platform)
{
    struct given given;
    static char kept[3][64];
    memset(&given, 0, sizeof given);
    sources_init(&given.sources);
    struct source *source = sources_add(&given.sources, "s");
    given.evidence = evidence_new(&given.sources, NULL);
    identity_note_node(given.evidence, source, "/node/id", IDENTITY_CERTAIN, id);
    identity_find(given.evidence);
    snprintf(kept[0], 64, "%s", given_field(&given, "proxy", 0, "mesh"));
    snprintf(kept[1], 64, "%s", given_field(&given, "proxy", 0, "mode"));
    snprintf(kept[2], 64, "%s", given_field(&given, "proxy", 0, "platform"));
    evidence_free(given.evidence);
    sources_release(&given.sources);
    *mode = kept[1];
    *platform = kept[2];
    return kept[0];
}

static void node_ids(void **state)
{
    (void)state;
    static const char *const rows[][4] = {
        {"mesh/m/virtualNode/n", "appmesh", "sidecar", "(none)"},
        {"arn:aws:appmesh:eu-west-1:111122223333:mesh/m/virtualGateway/g", "appmesh", "gateway",
         "(none)"},
        {"arn:aws:ecs:eu-west-1:111122223333:task-set/c/s/1", "service-connect", "sidecar", "ecs"},
        {"sidecar~10.0.0.1~p.n~n.svc.cluster.local", "istio", "sidecar", "kubernetes"},
        {"backend-sidecar-proxy-0", "consul", "sidecar", "(none)"},
        {"mesh/but-nothing-more", "(none)", "(none)", "(none)"},
        {"web-1", "(none)", "(none)", "(none)"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *mode, *platform;
        assert_string_equal(mesh_of(rows[i][0], &mode, &platform), rows[i][1]);
        assert_string_equal(mode, rows[i][2]);
        assert_string_equal(platform, rows[i][3]);
    }
}

static void the_best_note_wins(void **state)
{
    (void)state;
    struct given given;
    memset(&given, 0, sizeof given);
    sources_init(&given.sources);
    sources_add(&given.sources, "a");
    sources_add(&given.sources, "b");
    const struct source *a = &given.sources.items[0], *b = &given.sources.items[1];
    given.evidence = evidence_new(&given.sources, NULL);
    identity_note(given.evidence, a, 0, "/x", IDENTITY_GUESS, "version", "1.20.0");
    identity_note(given.evidence, b, 0, "/y", IDENTITY_STATED, "version", "v1.36.4");
    identity_note(given.evidence, a, 7, NULL, IDENTITY_STATED, "version", "1.1.1");
    identity_note(given.evidence, a, 0, "/z", IDENTITY_CERTAIN, "version", "no version at all");
    identity_note(given.evidence, a, 0, "/z", IDENTITY_CERTAIN, "mesh", "");
    identity_find(given.evidence);
    assert_proxy(&given, "version", "1.36.4");
    assert_proxy(&given, "mesh", "(none)");
    assert_ptr_equal(given_record(&given, "proxy", 0)->source, b);
    assert_string_equal(given_record(&given, "proxy", 0)->pointer, "/y");
    evidence_free(given.evidence);
    sources_release(&given.sources);
}

static void nothing_known(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x", "nothing to see\n");
    assert_int_equal(evidence_state(given.evidence, "proxy"), EVIDENCE_ABSENT);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full),
        cmocka_unit_test(small),
        cmocka_unit_test(ready),
        cmocka_unit_test(node_ids),
        cmocka_unit_test(the_best_note_wins),
        cmocka_unit_test(nothing_known),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
