/* Prometheus series get back the names that /stats prints. */
#include "given.h"

static const char page[] =
    "# TYPE envoy_cluster_upstream_cx_total counter\n"
    "envoy_cluster_upstream_cx_total{envoy_cluster_name=\"a.b\"} 3\n"
    "envoy_cluster_upstream_cx_total{envoy_cluster_name=\"c\",site=\"x\"} 4 1700000000000\n"
    "# TYPE envoy_cluster_circuit_breakers_default_cx_open gauge\n"
    "envoy_cluster_circuit_breakers_default_cx_open{envoy_cluster_name=\"c\"} 1\n"
    "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"5\",envoy_cluster_name=\"c\"} 2\n"
    "envoy_cluster_upstream_rq{envoy_response_code=\"503\",envoy_cluster_name=\"c\"} 6\n"
    "envoy_cluster_manager_cds_update_rejected{} 0\n"
    "envoy_listener_manager_workers_started{} 1\n"
    "envoy_listener_manager_lds_control_plane_connected_state{} 1\n"
    "envoy_control_plane_connected_state{} 1\n"
    "envoy_server_main_thread_watchdog_miss{} 9\n"
    "envoy_http_no_route{envoy_http_conn_manager_prefix=\"in\"} 7\n"
    "envoy_http_rds_update_success{envoy_http_conn_manager_prefix=\"in\",envoy_rds_route_config="
    "\"r\"} 8\n"
    "envoy_listener_ssl_handshake{envoy_listener_address=\"0.0.0.0_15000\"} 5\n"
    "envoy_listener_http_downstream_rq_xx{envoy_listener_address=\"0.0.0.0_80\","
    "envoy_http_conn_manager_prefix=\"in\",envoy_response_code_class=\"2\"} 5\n"
    "envoy_listener_worker_downstream_cx_active{envoy_listener_address=\"x\",envoy_worker_id=\"1\"}"
    " 5\n"
    "envoy_grpc_streams_closed_7{envoy_google_grpc_client_prefix=\"ads\"} 14\n"
    "envoy_sds_update_rejected{envoy_xds_resource_name=\"cert\"} 1\n"
    "envoy_sds_my_cert_update_success{} 2\n"
    "envoy_cluster_ssl_versions{envoy_cluster_name=\"c\",envoy_ssl_version=\"TLSv1.3\"} 2\n"
    "# TYPE envoy_cluster_upstream_cx_length_ms histogram\n"
    "envoy_cluster_upstream_cx_length_ms_bucket{envoy_cluster_name=\"c\",le=\"0.5\"} 0\n"
    "envoy_cluster_upstream_cx_length_ms_sum{envoy_cluster_name=\"c\"} 0\n"
    "envoy_cluster_upstream_cx_length_ms_count{envoy_cluster_name=\"c\"} 0\n"
    "istio_requests_total{a=\"b\"} 5\n"
    "envoy_broken{envoy_cluster_name=\"x 5\n";

static const char *const expected[][2] = {
    {"cluster.a.b.upstream_cx_total", "3"},
    {"cluster.c.upstream_cx_total", "4"},
    {"cluster.c.circuit_breakers.default.cx_open", "1"},
    {"cluster.c.upstream_rq_5xx", "2"},
    {"cluster.c.upstream_rq_503", "6"},
    {"cluster_manager.cds.update_rejected", "0"},
    {"listener_manager.workers_started", "1"},
    {"listener_manager.lds.control_plane.connected_state", "1"},
    {"control_plane.connected_state", "1"},
    {"server.main_thread.watchdog_miss", "9"},
    {"http.in.no_route", "7"},
    {"http.in.rds.r.update_success", "8"},
    {"listener.0.0.0.0_15000.ssl.handshake", "5"},
    {"listener.0.0.0.0_80.http.in.downstream_rq_2xx", "5"},
    {"listener.x.worker_1.downstream_cx_active", "5"},
    {"grpc.ads.streams_closed_7", "14"},
    {"sds.cert.update_rejected", "1"},
    {"sds.my_cert.update_success", "2"},
    {"envoy_cluster_ssl_versions{envoy_cluster_name=\"c\",envoy_ssl_version=\"TLSv1.3\"}", "2"},
};

static void names(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "metrics", page);
    assert_string_equal(given_kind(&given), "stats");
    int count = (int)(sizeof expected / sizeof *expected);
    for (int i = 0; i < count; i++) {
        assert_string_equal(given_field(&given, "stats", i, "name"), expected[i][0]);
        assert_string_equal(given_field(&given, "stats", i, "value"), expected[i][1]);
    }
    assert_int_equal(given_count(&given, "stats"), count);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names)};
    return cmocka_run_group_tests_name("stats_prometheus", tests, NULL, NULL);
}
