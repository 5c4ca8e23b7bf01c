/* Bootstrap files: xDS servers of every kind, where they are, and what is static. */
#include "given.h"

static void assert_servers(const struct given *given, const char *const (*rows)[6], int len)
{
    static const char *const columns[] = {"xds", "api_type", "client", "target", "address", "tls"};
    assert_string_equal(given_kind(given), "bootstrap");
    assert_int_equal(given_count(given, "bootstrap"), len);
    for (int i = 0; i < len; i++)
        for (int j = 0; j < 6; j++) {
            const char *got = given_field(given, "bootstrap", i, columns[j]);
            if (strcmp(got, rows[i][j]) != 0)
                fail_msg("[%d].%s is '%s', not '%s'", i, columns[j], got, rows[i][j]);
        }
}

static void app_mesh(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "envoy.yaml",
        "admin:\n  address:\n    socket_address: {address: 0.0.0.0, port_value: 9901}\n"
        "node: {id: mesh/m/virtualNode/n, cluster: mesh/m/virtualNode/n}\n"
        "dynamic_resources:\n"
        "  ads_config:\n    api_type: GRPC\n    grpc_services:\n    - google_grpc:\n"
        "        target_uri: appmesh-envoy-management.us-west-2.amazonaws.com:443\n"
        "        stat_prefix: ads\n        channel_credentials:\n          ssl_credentials: {}\n"
        "  cds_config: {ads: {}, initial_fetch_timeout: 0s}\n  lds_config: {ads: {}}\n");
    static const char *const rows[][6] = {
        {"ads", "GRPC", "google_grpc", "appmesh-envoy-management.us-west-2.amazonaws.com:443",
         "appmesh-envoy-management.us-west-2.amazonaws.com:443", "yes"}};
    assert_servers(&given, rows, 1);
    assert_string_equal(given_field(&given, "bootstrap", 0, "admin_address"), "0.0.0.0:9901");
    assert_string_equal(given_field(&given, "bootstrap", 0, "stat_prefix"), "ads");
    assert_string_equal(given_field(&given, "bootstrap", 0, "fetch_timeout_s"), "0");
    assert_string_equal(given_field(&given, "proxy", 0, "mesh"), "appmesh");
    assert_string_equal(given_field(&given, "proxy", 0, "mode"), "sidecar");
    assert_int_equal(evidence_state(given.evidence, "xds.listeners"), EVIDENCE_PARTIAL);
    given_release(&given);
}

static void separate_servers(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "b.json",
        "{\"static_resources\": {\"clusters\": [{\"name\": \"x\", \"hosts\": [{\"socket_address\":"
        " {\"address\": \"xds.local\", \"port_value\": 18000}}], \"tls_context\": {}}]},"
        " \"dynamic_resources\": {\"cds_config\": {\"api_config_source\": {\"api_type\": \"REST\","
        " \"cluster_names\": [\"x\"]}}, \"lds_config\": {\"path_config_source\": {\"path\":"
        " \"/etc/lds.yaml\"}}}}");
    static const char *const rows[][6] = {
        {"cds", "REST", "rest", "x", "xds.local:18000", "yes"},
        {"lds", "path", "path", "/etc/lds.yaml", "(none)", "(none)"}};
    assert_servers(&given, rows, 2);
    given_release(&given);
}

static void relay(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "b.json",
               "{\"dynamic_resources\": {\"ads_config\": {\"grpc_services\": [{\"google_grpc\":"
               " {\"target_uri\": \"unix:///var/run/ecs/relay/envoy_xds.sock\"}}, {\"envoy_grpc\":"
               " {\"cluster_name\": \"missing\"}}, {\"google_grpc\": {\"target_uri\":"
               " \"dns:///xds.example:443\"}}]}}}");
    static const char *const rows[][6] = {
        {"ads", "GRPC", "google_grpc", "unix:///var/run/ecs/relay/envoy_xds.sock",
         "unix:/var/run/ecs/relay/envoy_xds.sock", "no"},
        {"ads", "GRPC", "envoy_grpc", "missing", "(none)", "(none)"},
        {"ads", "GRPC", "google_grpc", "dns:///xds.example:443", "xds.example:443", "no"}};
    assert_servers(&given, rows, 3);
    assert_string_equal(given_field(&given, "proxy", 0, "mesh"), "service-connect");
    given_release(&given);
}

static void proxyless(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "b.json",
               "{\"xds_servers\": [{\"server_uri\": \"trafficdirector.googleapis.com:443\","
               " \"channel_creds\": [{\"type\": \"google_default\"}]}], \"node\": {\"id\":"
               " \"projects/1/networks/default/nodes/a\"}}");
    static const char *const rows[][6] = {{"ads", "GRPC", "grpc",
                                           "trafficdirector.googleapis.com:443",
                                           "trafficdirector.googleapis.com:443", "yes"}};
    assert_servers(&given, rows, 1);
    assert_string_equal(given_field(&given, "proxy", 0, "mode"), "proxyless");
    assert_string_equal(given_field(&given, "proxy", 0, "mesh"), "traffic-director");
    given_release(&given);
}

static void static_only(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "envoy.yaml",
        "static_resources:\n  listeners:\n  - name: web\n    address:\n      socket_address:\n"
        "        address: 0.0.0.0\n        port_value: 80\n    filter_chains:\n    - filters:\n"
        "      - name: envoy.filters.network.http_connection_manager\n        typed_config:\n"
        "          route_config:\n            name: local\n            virtual_hosts:\n"
        "            - name: all\n              domains: ['*']\n              routes:\n"
        "              - match: {prefix: /}\n                route: {cluster: app}\n"
        "  clusters:\n  - name: app\n    type: STRICT_DNS\n");
    static const char *const rows[][6] = {
        {"(none)", "(none)", "(none)", "(none)", "(none)", "(none)"}};
    assert_servers(&given, rows, 1);
    assert_string_equal(given_field(&given, "xds.listeners", 0, "state"), "static");
    assert_string_equal(given_field(&given, "xds.clusters", 0, "type"), "STRICT_DNS");
    assert_string_equal(given_field(&given, "xds.filter_chains", 0, "route_config"), "local");
    assert_string_equal(given_field(&given, "xds.routes", 0, "virtual_host"), "all");
    assert_string_equal(given_field(&given, "xds.routes", 0, "target"), "app");
    assert_int_equal(evidence_state(given.evidence, "xds.listeners"), EVIDENCE_COMPLETE);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(app_mesh),
                                       cmocka_unit_test(separate_servers), cmocka_unit_test(relay),
                                       cmocka_unit_test(proxyless), cmocka_unit_test(static_only)};
    return cmocka_run_group_tests_name("bootstrap", tests, NULL, NULL);
}
