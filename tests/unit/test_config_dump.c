/* Configuration dumps: every shape that exists, the traps of rejected listeners, names that come after
 * what they name, and dumps that are cut or no dumps. */
#include "given.h"

#define ADMIN "\"@type\": \"type.googleapis.com/envoy.admin.v3."
#define HCM                                                                                        \
    "\"@type\": \"type.googleapis.com/envoy.extensions.filters.network."                           \
    "http_connection_manager.v3.HttpConnectionManager\""

static void assert_field(const struct given *given, const char *table, int n, const char *field,
                         const char *value)
{
    const char *got = given_field(given, table, n, field);
    if (strcmp(got, value) != 0)
        fail_msg("%s[%d].%s is '%s', not '%s'", table, n, field, got, value);
}

static void assert_state(const struct given *given, const char *name, enum evidence_state state)
{
    if (evidence_state(given->evidence, name) != state)
        fail_msg("%s has state %d", name, (int)evidence_state(given->evidence, name));
}

static const char healthy[] =
    "{\"configs\": ["
    "{" ADMIN
    "BootstrapConfigDump\", \"bootstrap\": {\"node\": {\"id\": \"n1\", \"cluster\": \"c1\"},"
    " \"static_resources\": {\"clusters\": [{\"name\": \"xds\", \"load_assignment\": "
    "{\"endpoints\": ["
    "  {\"lb_endpoints\": [{\"endpoint\": {\"address\": {\"socket_address\": {\"address\":"
    "  \"10.0.0.9\", \"port_value\": 18000}}}}]}]}}],"
    "  \"listeners\": [{\"name\": \"s\", \"filter_chains\": [{\"name\": \"boot\"}]}]},"
    " \"dynamic_resources\": {\"ads_config\": {\"api_type\": \"DELTA_GRPC\", \"grpc_services\":"
    "  [{\"envoy_grpc\": {\"cluster_name\": \"xds\"}}]}}}},"
    "{" ADMIN "ClustersConfigDump\", \"version_info\": \"9\","
    " \"static_clusters\": [{\"cluster\": {\"name\": \"xds\", \"http2_protocol_options\": {}},"
    "  \"last_updated\": \"2026-11-21T08:00:00Z\"}],"
    " \"dynamic_active_clusters\": [{\"version_info\": \"9\", \"cluster\": {\"name\": \"orders\","
    "  \"type\": \"EDS\", \"transport_socket\": {\"name\": \"envoy.transport_sockets.tls\"},"
    "  \"health_checks\": [{}, {}]}}],"
    " \"dynamic_warming_clusters\": [{\"cluster\": {\"name\": \"late\", \"type\": \"EDS\"}}]},"
    "{" ADMIN "EndpointsConfigDump\", \"dynamic_endpoint_configs\": [{\"endpoint_config\":"
    " {\"cluster_name\": \"orders\", \"endpoints\": [{\"lb_endpoints\": [{}, {}]}]}}]},"
    "{" ADMIN "ListenersConfigDump\", \"static_listeners\": [{\"listener\": {\"name\": \"s\","
    "  \"address\": {\"pipe\": {\"path\": \"/run/s.sock\"}}}}],"
    " \"dynamic_listeners\": [{\"name\": \"in\", \"active_state\": {\"version_info\": \"7\","
    "  \"last_updated\": \"2026-11-21T08:00:01Z\", \"listener\": {"
    "  \"address\": {\"socket_address\": {\"address\": \"::\", \"port_value\": 80}},"
    "  \"filter_chains\": [{\"filter_chain_match\": {\"server_names\": [\"a.x\", \"b.x\"]},"
    "   \"filters\": [{\"name\": \"f\", \"typed_config\": {" HCM ", \"codec_type\": \"HTTP2\","
    "   \"rds\": {\"route_config_name\": \"r1\"}}}], \"name\": \"one\", \"transport_socket\":"
    "   {\"name\": \"envoy.transport_sockets.tls\"}},"
    "   {\"filters\": [{\"name\": \"f\", \"typed_config\": {" HCM ", \"route_config\":"
    "   {\"name\": \"inline\", \"virtual_hosts\": [{\"name\": \"v\", \"domains\": [\"*\"], "
    "\"routes\":"
    "   [{\"match\": {\"prefix\": \"/\"}, \"direct_response\": {\"status\": 404}}]}]}}}]}],"
    "  \"default_filter_chain\": {\"filters\": [{\"name\": \"envoy.filters.network.tcp_proxy\"}]},"
    "  \"listener_filters\": [{\"name\": \"envoy.filters.listener.proxy_protocol\"}],"
    "  \"name\": \"in\", \"traffic_direction\": \"INBOUND\"}}}]},"
    "{" ADMIN "RoutesConfigDump\", \"dynamic_route_configs\": [{\"version_info\": \"5\","
    " \"route_config\": {\"virtual_hosts\": ["
    "  {\"domains\": [\"a\", \"b\"], \"routes\": ["
    "   {\"match\": {\"path\": \"/p\", \"headers\": [{}, {}]}, \"route\": {\"cluster\": "
    "\"orders\"}},"
    "   {\"match\": {\"safe_regex\": {\"regex\": \"/x.*\"}}, \"route\": {\"weighted_clusters\":"
    "    {\"clusters\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}}}], \"name\": \"v1\"},"
    "  {\"name\": \"v2\", \"domains\": [\"c\"], \"routes\": [{\"match\": {\"prefix\": \"/\"},"
    "   \"redirect\": {\"https_redirect\": true}}]}], \"name\": \"r1\"}}]},"
    "{" ADMIN "SecretsConfigDump\", \"dynamic_warming_secrets\": [{\"name\": \"cert\","
    " \"version_info\": \"uninitialized\", \"secret\": {}}]}"
    "]}";

static void resources(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "dump.log", healthy);
    assert_string_equal(given_kind(&given), "config_dump");
    assert_null(given_problem(&given));
    assert_int_equal(given_count(&given, "xds.resources"), 8);
    static const char *const rows[][3] = {
        {"cluster", "xds", "static"},   {"cluster", "orders", "active"},
        {"cluster", "late", "warming"}, {"endpoint", "orders", "active"},
        {"listener", "s", "static"},    {"listener", "in", "active"},
        {"route", "r1", "active"},      {"secret", "cert", "warming"}};
    for (int i = 0; i < 8; i++) {
        assert_field(&given, "xds.resources", i, "type", rows[i][0]);
        assert_field(&given, "xds.resources", i, "name", rows[i][1]);
        assert_field(&given, "xds.resources", i, "state", rows[i][2]);
    }
    assert_field(&given, "xds.resources", 7, "version", "uninitialized");
    assert_field(&given, "xds.resources", 0, "updated", "2026-11-21T08:00:00Z");
    char buf[32];
    assert_string_equal(record_locator(given_record(&given, "xds.resources", 5), buf),
                        "/configs/3/dynamic_listeners/0");
    assert_state(&given, "xds.resources", EVIDENCE_COMPLETE);
    given_release(&given);
}

static void clusters(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "dump.json", healthy);
    assert_field(&given, "xds.clusters", 0, "http2", "yes");
    assert_field(&given, "xds.clusters", 0, "type", "STATIC");
    assert_field(&given, "xds.clusters", 0, "tls", "no");
    assert_field(&given, "xds.clusters", 1, "tls", "yes");
    assert_field(&given, "xds.clusters", 1, "health_checks", "2");
    assert_field(&given, "bootstrap", 0, "target", "xds");
    assert_field(&given, "bootstrap", 0, "address", "10.0.0.9:18000");
    assert_field(&given, "bootstrap", 0, "api_type", "DELTA_GRPC");
    assert_field(&given, "proxy", 0, "node_id", "n1");
    given_release(&given);
}

static void listeners(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "dump.json", healthy);
    assert_int_equal(given_count(&given, "xds.listeners"), 2);
    assert_field(&given, "xds.listeners", 0, "address", "unix:/run/s.sock");
    assert_field(&given, "xds.listeners", 1, "address", "::");
    assert_field(&given, "xds.listeners", 1, "port", "80");
    assert_field(&given, "xds.listeners", 1, "bind_to_port", "yes");
    assert_field(&given, "xds.listeners", 1, "direction", "INBOUND");
    assert_int_equal(given_count(&given, "xds.filter_chains"), 3); /* not the bootstrap's */
    assert_field(&given, "xds.filter_chains", 0, "listener", "in");
    assert_field(&given, "xds.filter_chains", 0, "name", "one");
    assert_field(&given, "xds.filter_chains", 0, "tls", "yes");
    assert_field(&given, "xds.filter_chains", 0, "server_names", "a.x,b.x");
    assert_field(&given, "xds.filter_chains", 0, "codec", "HTTP2");
    assert_field(&given, "xds.filter_chains", 0, "route_config", "r1");
    assert_field(&given, "xds.filter_chains", 0, "proxy_protocol", "yes");
    assert_field(&given, "xds.filter_chains", 1, "network_filter", "http_connection_manager");
    assert_field(&given, "xds.filter_chains", 1, "route_config", "inline");
    assert_field(&given, "xds.filter_chains", 1, "codec", "AUTO");
    assert_field(&given, "xds.filter_chains", 2, "network_filter", "tcp_proxy");
    assert_field(&given, "xds.filter_chains", 2, "tls", "no");
    given_release(&given);
}

static void routes(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "dump.json", healthy);
    static const char *const hosts[][4] = {
        {"inline", "v", "*", "1"}, {"r1", "v1", "a,b", "2"}, {"r1", "v2", "c", "1"}};
    static const char *const rows[][7] = {{"inline", "v", "prefix", "/", "0", "direct", "404"},
                                          {"r1", "v1", "path", "/p", "2", "cluster", "orders"},
                                          {"r1", "v1", "regex", "/x.*", "0", "weighted", "a,b"},
                                          {"r1", "v2", "prefix", "/", "0", "redirect", "https"}};
    static const char *const host_columns[] = {"route_config", "name", "domains", "routes"};
    static const char *const columns[] = {"route_config", "virtual_host", "match", "value",
                                          "headers",      "action",       "target"};
    assert_int_equal(given_count(&given, "xds.virtual_hosts"), 3);
    assert_int_equal(given_count(&given, "xds.routes"), 4);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++)
            assert_field(&given, "xds.virtual_hosts", i, host_columns[j], hosts[i][j]);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 7; j++)
            assert_field(&given, "xds.routes", i, columns[j], rows[i][j]);
    given_release(&given);
}

#define FAILED(name, port)                                                                         \
    "\"failed_configuration\": {\"name\": \"" name "\", \"address\": {\"socket_address\":"         \
    " {\"address\": \"0.0.0.0\", \"port_value\": " port "}}, \"filter_chains\": [{}]}"

static void rejected_listeners(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "dump.json",
        "{\"configs\": [{" ADMIN "ListenersConfigDump\", \"dynamic_listeners\": ["
        "{\"error_state\": {" FAILED(
            "low", "80") ", \"details\": \"d\"}},"
                         "{\"name\": \"low\", \"error_state\": {" FAILED(
                             "low",
                             "80") ","
                                   " \"last_update_attempt\": \"2026-11-21T08:00:00Z\", "
                                   "\"version_info\": \"3\","
                                   " \"details\": \"goo.gle/debugproto   \\ncannot bind "
                                   "'0.0.0.0:80': Permission denied\\n\"}},"
                                   "{\"name\": \"ok\", \"active_state\": {\"version_info\": \"2\", "
                                   "\"listener\":"
                                   " {\"name\": \"ok\"}}, \"warming_state\": {\"version_info\": "
                                   "\"3\", \"listener\": {}},"
                                   " \"draining_state\": {\"listener\": {}},"
                                   " \"error_state\": {" FAILED(
                                       "ok",
                                       "81") ", \"details\": \"bad\"}},"
                                             "{\"error_state\": {" FAILED(
                                                 "only",
                                                 "82") ", \"details\": \"alone\"}},"
                                                       "{\"name\": \"old\", \"draining_state\": "
                                                       "{\"listener\": {\"filter_chains\": [{}]}}}"
                                                       "]}]}");
    static const char *const rows[][3] = {
        {"low", "rejected", "cannot bind '0.0.0.0:80': Permission denied"},
        {"ok", "active", "bad"},
        {"ok", "warming", "(none)"},
        {"old", "draining", "(none)"},
        {"only", "rejected", "alone"}};
    assert_int_equal(given_count(&given, "xds.resources"), 5);
    for (int i = 0; i < 5; i++) {
        assert_field(&given, "xds.resources", i, "name", rows[i][0]);
        assert_field(&given, "xds.resources", i, "state", rows[i][1]);
        assert_field(&given, "xds.resources", i, "error", rows[i][2]);
    }
    assert_field(&given, "xds.resources", 0, "rejected", "2026-11-21T08:00:00Z");
    assert_field(&given, "xds.listeners", 0, "port", "80");
    assert_field(&given, "xds.listeners", 4, "port", "82");
    assert_int_equal(given_count(&given, "xds.filter_chains"), 0);
    assert_state(&given, "xds.resources", EVIDENCE_PARTIAL); /* one section only */
    assert_state(&given, "xds.listeners", EVIDENCE_COMPLETE);
    assert_state(&given, "xds.clusters", EVIDENCE_ABSENT);
    given_release(&given);
}

static void old_layout(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "dump.txt",
        "{\"configs\": [{\"@type\": \"type.googleapis.com/envoy.admin.v2alpha."
        "ListenersConfigDump\", \"dynamic_active_listeners\": [{\"version_info\": \"1\","
        " \"listener\": {\"name\": \"l\", \"deprecated_v1\": {\"bind_to_port\": false},"
        " \"filter_chains\": [{\"tls_context\": {}, \"filters\": [{\"name\":"
        " \"envoy.http_connection_manager\", \"config\": {\"rds\": {\"route_config_name\":"
        " \"80\"}}}]}]}}], \"dynamic_draining_listeners\": [{\"listener\": {\"name\": \"gone\","
        " \"filter_chains\": [{}]}}]}]}");
    assert_field(&given, "xds.listeners", 0, "bind_to_port", "no");
    assert_field(&given, "xds.listeners", 1, "state", "draining");
    assert_int_equal(given_count(&given, "xds.filter_chains"), 1);
    assert_field(&given, "xds.filter_chains", 0, "tls", "yes");
    assert_field(&given, "xds.filter_chains", 0, "route_config", "80");
    given_release(&given);
}

static void go_spelling_in_yaml(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "all.yaml",
        "default:\n  eg:\n    configs:\n"
        "    - '@type': type.googleapis.com/envoy.admin.v3.ListenersConfigDump\n"
        "      dynamicListeners:\n"
        "      - name: web\n        activeState:\n          versionInfo: \"4\"\n"
        "          listener:\n            name: web\n            address:\n"
        "              socketAddress: {address: 0.0.0.0, portValue: 10080}\n"
        "            filterChains:\n            - name: fc\n"
        "    - '@type': type.googleapis.com/envoy.admin.v3.RoutesConfigDump\n"
        "      dynamicRouteConfigs:\n"
        "      - routeConfig:\n          name: r\n          virtualHosts:\n"
        "          - name: v\n            domains: ['*']\n            routes:\n"
        "            - match: {pathSeparatedPrefix: /a}\n              route: {cluster: c}\n");
    assert_null(given_problem(&given));
    assert_field(&given, "xds.listeners", 0, "port", "10080");
    assert_field(&given, "xds.resources", 0, "version", "4");
    assert_field(&given, "xds.filter_chains", 0, "listener", "web");
    assert_field(&given, "xds.routes", 0, "route_config", "r");
    assert_field(&given, "xds.routes", 0, "virtual_host", "v");
    assert_field(&given, "xds.routes", 0, "match", "path_separated_prefix");
    char buf[64];
    assert_string_equal(record_locator(given_record(&given, "xds.resources", 0), buf),
                        "/default/eg/configs/0/dynamicListeners/0");
    given_release(&given);
}

static void one_list_asked_for(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x",
               "{\"configs\": [{" ADMIN "ListenersConfigDump.DynamicListener\", \"name\": \"in\","
               " \"error_state\": {\"details\": \"no\"}}, {" ADMIN "ClustersConfigDump."
               "DynamicCluster\", \"cluster\": {\"name\": \"c\"}}]}");
    assert_field(&given, "xds.resources", 0, "name", "in");
    assert_field(&given, "xds.resources", 0, "state", "rejected");
    assert_field(&given, "xds.resources", 1, "name", "c");
    given_release(&given);
    given_text(&given, "x",
               "[{\"name\": \"0.0.0.0_80\", \"address\": {\"socketAddress\": {\"address\":"
               " \"0.0.0.0\", \"portValue\": 80}}, \"filterChains\": [{\"name\": \"f\"}]}]");
    assert_string_equal(given_kind(&given), "config_dump");
    assert_field(&given, "xds.listeners", 0, "port", "80");
    assert_field(&given, "xds.filter_chains", 0, "listener", "0.0.0.0_80");
    given_release(&given);
}

/* One cluster, cut out of its dump: what it says is known, what it does not say is not. */
static void excerpt(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "config_dump.json",
        "{\"circuit_breakers\": {\"thresholds\": [{\"priority\": \"HIGH\", \"max_requests\": 1},"
        " {\"priority\": \"DEFAULT\", \"max_connections\": 32768}]}}");
    assert_string_equal(given_kind(&given), "config_dump");
    assert_field(&given, "xds.clusters", 0, "max_connections", "32768");
    assert_field(&given, "xds.clusters", 0, "max_requests", "(none)");
    assert_field(&given, "xds.clusters", 0, "thresholds",
                 "HIGH max_requests=1; DEFAULT max_connections=32768");
    assert_state(&given, "xds.clusters", EVIDENCE_PARTIAL);
    assert_state(&given, "xds.listeners", EVIDENCE_ABSENT);
    given_release(&given);
}

/* A route without a retry policy has its virtual host's; a policy is one text. */
static void retry_policies(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "config_dump.json",
        "{\"configs\": [{" ADMIN "RoutesConfigDump\", \"dynamic_route_configs\": [{"
        "\"route_config\": {\"name\": \"r\", \"virtual_hosts\": [{\"name\": \"v\", "
        "\"retry_policy\": "
        "{\"retry_on\": \"5xx\"}, \"routes\": [{\"match\": {\"prefix\": \"/\"}, \"route\": {"
        "\"cluster\": \"a\", \"retry_policy\": {\"retry_on\": \"reset\", \"num_retries\": 2, "
        "\"retriable_status_codes\": [503], \"host_selection_retry_max_attempts\": \"5\", "
        "\"retry_host_predicate\": [{\"name\": \"envoy.retry_host_predicates.previous_hosts\"}]}}},"
        "{\"match\": {\"prefix\": \"/b\"}, \"route\": {\"cluster\": \"b\"}}]}, {\"name\": \"w\", "
        "\"routes\": [{\"route\": {\"cluster\": \"c\"}}]}]}}]}]}");
    assert_field(&given, "xds.routes", 0, "retry",
                 "on=reset retries=2 attempts=5 codes=503 predicates=previous_hosts");
    assert_field(&given, "xds.routes", 1, "retry", "on=5xx");
    assert_field(&given, "xds.routes", 2, "retry", "(none)");
    given_release(&given);
}

/* Very many clusters do not hide the listener that was rejected. */
static void very_many_clusters(void **state)
{
    (void)state;
    struct given given;
    struct buf text;
    buf_init(&text, 64 << 20);
    buf_adds(&text,
             "{\"configs\": [{" ADMIN "ClustersConfigDump\", \"dynamic_active_clusters\": [{}");
    for (int i = 0; i < EVIDENCE_ROWS_MAX; i++)
        buf_addf(&text, ",\n{\"cluster\": {\"name\": \"c%d\"}}", i);
    buf_adds(&text,
             "]}, {" ADMIN "ListenersConfigDump\", \"dynamic_listeners\": [{\"name\": \"bad\","
             " \"error_state\": {\"details\": \"no\"}}]}]}");
    given_text(&given, "x", text.data);
    uint64_t last = given_count(&given, "xds.resources") - 1;
    assert_field(&given, "xds.resources", (int)last, "name", "bad");
    assert_non_null(strstr(given_problem(&given), "more than 40000 resources"));
    assert_state(&given, "xds.resources", EVIDENCE_PARTIAL);
    buf_release(&text);
    given_release(&given);
}

static void unreadable(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "admin/config_dump.json",
        "Failed to convert protobuf message to JSON string: INVALID_ARGUMENT: could not find "
        "@type 'type.googleapis.com/example.Unknown'");
    assert_string_equal(given_kind(&given), "config_dump");
    assert_non_null(strstr(given_problem(&given), "could not find @type"));
    assert_field(&given, "xds.resources", 0, "state", "rejected");
    assert_non_null(strstr(given_field(&given, "xds.resources", 0, "error"), "example.Unknown"));
    assert_state(&given, "xds.resources", EVIDENCE_PARTIAL);
    given_release(&given);
}

static void other_programs(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "d", "{\"workloads\": {\"a\": {\"workloadIps\": []}}, \"services\": {}}");
    assert_string_equal(given_kind(&given), "ztunnel");
    assert_non_null(strstr(given_problem(&given), "ztunnel"));
    assert_state(&given, "xds.resources", EVIDENCE_ABSENT);
    given_release(&given);
    given_text(&given, "d", "{'configs': [{'@type': 'x.BootstrapConfigDump', 'a': None}]}");
    assert_non_null(strstr(given_problem(&given), "Python's printing"));
    given_release(&given);
}

/* What a terminal showed around it is no part of it. */
static void pasted(void **state)
{
    (void)state;
    char text[sizeof healthy + 200];
    struct given given;
    snprintf(text, sizeof text, "Starting session with SessionId: ecs-1\n\n%s\nExiting session\n",
             healthy);
    given_text(&given, "d.txt", text);
    assert_string_equal(given_kind(&given), "paste");
    assert_int_equal(given_count(&given, "xds.resources"), 8);
    assert_state(&given, "xds.resources", EVIDENCE_COMPLETE);
    assert_null(given.sources.items[0].problems);
    given_release(&given);
}

static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t len = 20; len < sizeof healthy - 1; len += 37) {
        struct given given;
        char *text = strndup(healthy, len);
        given_text(&given, "d", text);
        if (strcmp(given_kind(&given), "config_dump") == 0) {
            assert_non_null(given_problem(&given));
            assert_int_not_equal(evidence_state(given.evidence, "xds.resources"),
                                 EVIDENCE_COMPLETE);
        }
        given_release(&given);
        free(text);
    }
}

/* Only what a need names is built; children of what it names keep their parent's name. */
static void only_what_is_wanted(void **state)
{
    (void)state;
    struct given given;
    struct arena *arena = arena_new();
    struct need_set needs;
    struct need need;
    memset(&given, 0, sizeof given);
    need_set_init(&needs);
    assert_true(need_parse(arena, "xds.routes{r1} | xds.resources{type=cluster}", &need, NULL));
    need_set_add(&needs, &need);
    given_write(&given, healthy, sizeof healthy - 1);
    sources_init(&given.sources);
    struct source *source = sources_add(&given.sources, "admin/config_dump.json");
    source->path = given.path;
    source->complete = true;
    given.evidence = evidence_new(&given.sources, &needs);
    read_all(given.evidence, NULL);
    assert_int_equal(given_count(&given, "xds.routes"), 3);
    assert_field(&given, "xds.routes", 0, "virtual_host", "v1");
    assert_int_equal(given_count(&given, "xds.resources"), 3);
    assert_int_equal(given_count(&given, "xds.virtual_hosts"), 0);
    assert_int_equal(given_count(&given, "xds.listeners"), 0);
    given_release(&given);
    need_set_release(&needs);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resources),
        cmocka_unit_test(clusters),
        cmocka_unit_test(listeners),
        cmocka_unit_test(routes),
        cmocka_unit_test(rejected_listeners),
        cmocka_unit_test(old_layout),
        cmocka_unit_test(go_spelling_in_yaml),
        cmocka_unit_test(one_list_asked_for),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(other_programs),
        cmocka_unit_test(pasted),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(only_what_is_wanted),
        cmocka_unit_test(excerpt),
        cmocka_unit_test(retry_policies),
        cmocka_unit_test(very_many_clusters),
    };
    return cmocka_run_group_tests_name("config_dump", tests, NULL, NULL);
}
