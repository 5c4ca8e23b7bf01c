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
        {"arn:aws:appmesh:eu-west-1:111122223333:mesh/m@444455556666/virtualNode/n", "appmesh",
         "sidecar", "(none)"},
        {"router~10.0.0.1~gw.ns~ns.svc.cluster.local", "istio", "gateway", "kubernetes"},
        {"host~127.0.0.1~no-id~localdomain", "cilium", "(none)", "kubernetes"},
        {"the-mesh/virtualNode/of-nobody", "(none)", "(none)", "(none)"},
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

/* What is seen of a proxy beside its own pages: objects, images, variables, redirects. */
static void signs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *mesh, *mode, *platform;
    } rows[] = {
        {"kind: Pod\napiVersion: v1\nmetadata: {name: a, annotations: {sidecar.istio.io/status: "
         "'{}'}}\nspec: {containers: [{name: a, image: a}]}\n",
         "istio", "(none)", "kubernetes"},
        {"kind: Pod\napiVersion: v1\nmetadata: {name: a, annotations: {inject.istio.io/templates: "
         "grpc-agent}}\nspec: {containers: [{name: a, image: a}]}\n",
         "istio", "proxyless", "kubernetes"},
        {"kind: Pod\napiVersion: v1\nmetadata: {name: a, labels: {istio: ingressgateway}}\nspec: "
         "{containers: [{name: istio-proxy, image: docker.io/istio/proxyv2:1.20.0}]}\n",
         "istio", "gateway", "kubernetes"},
        {"kind: Deployment\napiVersion: apps/v1\nmetadata: {name: a}\nspec: {template: {metadata: "
         "{annotations: {consul.hashicorp.com/connect-inject-status: injected}}, spec: "
         "{containers: [{name: a, image: a}]}}}\n",
         "consul", "sidecar", "kubernetes"},
        {"kind: Pod\napiVersion: v1\nmetadata: {name: a, annotations: {kuma.io/gateway: enabled}}\n"
         "spec: {containers: [{name: a, image: a}]}\n",
         "kuma", "gateway", "kubernetes"},
        {"kind: Pod\napiVersion: v1\nmetadata: {name: a, annotations: {kuma.io/gateway: "
         "disabled}}\n"
         "spec: {containers: [{name: a, image: a}]}\n",
         "(none)", "(none)", "kubernetes"},
        {"kind: Pod\napiVersion: v1\nmetadata: {name: a, labels: "
         "{gateway.envoyproxy.io/owning-gateway-name: eg}}\nspec: {containers: [{name: envoy, "
         "image: envoyproxy/envoy:v1.31.0}]}\n",
         "envoy-gateway", "gateway", "kubernetes"},
        {"kind: DaemonSet\napiVersion: apps/v1\nmetadata: {name: envoy}\nspec: {template: {spec: "
         "{containers: [{name: shutdown-manager, image: ghcr.io/projectcontour/contour:v1.28.0}, "
         "{name: envoy, image: docker.io/envoyproxy/envoy:v1.29.1}]}}}\n",
         "contour", "gateway", "kubernetes"},
        {"kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: {serviceAccountName: "
         "istio-ingressgateway-service-account, containers: [{name: a, image: a}]}\n",
         "istio", "gateway", "kubernetes"},
        {"{\"family\": \"a\", \"containerDefinitions\": [{\"name\": \"envoy\", \"image\": "
         "\"x/aws-appmesh-envoy:v1.27.2.0-prod\", \"environment\": [{\"name\": "
         "\"APPMESH_VIRTUAL_NODE_NAME\", \"value\": \"mesh/m/virtualGateway/g\"}]}]}",
         "appmesh", "gateway", "ecs"},
        {"{\"family\": \"a\", \"containerDefinitions\": [{\"name\": \"sc\", \"image\": "
         "\"ecs-service-connect-agent:interface-v1\"}]}",
         "service-connect", "sidecar", "ecs"},
        {"services: {envoy: {image: 'envoyproxy/envoy:v1.31.0'}}\n", "(none)", "(none)", "docker"},
        {"node: {id: a, user_agent_name: gRPC Go}\ndynamic_resources: {}\n", "(none)", "proxyless",
         "(none)"},
        {"node: {id: a, metadata: {dataplane.proxyType: ingress}}\ndynamic_resources: {}\n", "kuma",
         "gateway", "(none)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given given;
        given_text(&given, "x", rows[i].text);
        print_message("%s\n", rows[i].text);
        assert_proxy(&given, "mesh", rows[i].mesh);
        assert_proxy(&given, "mode", rows[i].mode);
        assert_proxy(&given, "platform", rows[i].platform);
        given_release(&given);
    }
}

/* What a server says when it ends a stream names its own resources and rights. */
static void words(void **state)
{
    (void)state;
    static const char *const rows[][4] = {
        {"Unauthorized to perform appmesh:StreamAggregatedResources for "
         "arn:aws:appmesh:eu-west-1:111122223333:mesh/m/virtualGateway/g",
         "appmesh", "gateway", "(none)"},
        {"Unauthorized to perform ecs:Poll for arn:aws:ecs:eu-west-1:111122223333:task-set/c/s/1",
         "service-connect", "sidecar", "ecs"},
        {"Resource not found: mesh/m/virtualNode/n", "appmesh", "sidecar", "(none)"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given given;
        memset(&given, 0, sizeof given);
        sources_init(&given.sources);
        struct source *source = sources_add(&given.sources, "s");
        given.evidence = evidence_new(&given.sources, NULL);
        identity_note_words(given.evidence, source, 1, rows[i][0]);
        identity_find(given.evidence);
        assert_proxy(&given, "mesh", rows[i][1]);
        assert_proxy(&given, "mode", rows[i][2]);
        assert_proxy(&given, "platform", rows[i][3]);
        evidence_free(given.evidence);
        sources_release(&given.sources);
    }
}

/* Evidence of two proxies in one target, or of a mesh that is being replaced. */
static void a_disputed_fact_is_unknown(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x",
               "kind: Pod\napiVersion: v1\nmetadata: {name: a, annotations: "
               "{sidecar.istio.io/status: '{}'}}\nspec: {containers: [{name: a, image: a}]}\n"
               "---\nkind: Pod\napiVersion: v1\nmetadata: {name: b, annotations: "
               "{consul.hashicorp.com/connect-inject-status: injected}}\nspec: {containers: "
               "[{name: b, image: b}]}\n");
    assert_proxy(&given, "mesh", "(none)");
    assert_proxy(&given, "platform", "kubernetes");
    given_release(&given);
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
        cmocka_unit_test(signs),
        cmocka_unit_test(words),
        cmocka_unit_test(a_disputed_fact_is_unknown),
        cmocka_unit_test(nothing_known),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
