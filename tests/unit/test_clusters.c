/* /clusters in both layouts gives the same records. */
#include "given.h"

static void assert_row(const struct given *given, const char *table, int n,
                       const char *const (*fields)[2])
{
    for (; (*fields)[0]; fields++) {
        const char *got = given_field(given, table, n, (*fields)[0]);
        if (strcmp(got, (*fields)[1]) != 0)
            fail_msg("%s[%d].%s is '%s', not '%s'", table, n, (*fields)[0], got, (*fields)[1]);
    }
}

static const char *const cluster[][2] = {{"name", "outbound|80||a"},
                                         {"added_via_api", "yes"},
                                         {"hosts", "2"},
                                         {"healthy_hosts", "1"},
                                         {"max_requests", "1024"},
                                         {"max_connections", "7"},
                                         {"eds_service_name", "a"},
                                         {NULL, NULL}};
static const char *const bad_host[][2] = {{"cluster", "outbound|80||a"},
                                          {"address", "10.0.0.3:8080"},
                                          {"health", "/failed_active_hc/failed_eds_health"},
                                          {"cx_connect_fail", "3"},
                                          {"rq_total", "0"},
                                          {"hostname", "h"},
                                          {NULL, NULL}};
static const char *const good_host[][2] = {{"cluster", "outbound|80||a"},
                                           {"address", "[fd00::1]:8080"},
                                           {"health", "healthy"},
                                           {NULL, NULL}};
static const char *const empty[][2] = {
    {"name", "empty"}, {"hosts", "0"}, {"added_via_api", "no"}, {NULL, NULL}};

static void assert_clusters(const struct given *given)
{
    assert_string_equal(given_kind(given), "clusters");
    assert_null(given_problem(given));
    assert_int_equal(given_count(given, "clusters"), 2);
    assert_int_equal(given_count(given, "hosts"), 2);
    assert_row(given, "clusters", 0, cluster);
    assert_row(given, "clusters", 1, empty);
    assert_row(given, "hosts", 0, bad_host);
    assert_row(given, "hosts", 1, good_host);
}

static void json(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "x",
        "{\"cluster_statuses\": [{\"name\": \"outbound|80||a\", \"added_via_api\": true,"
        " \"eds_service_name\": \"a\", \"host_statuses\": [{\"address\": {\"socket_address\":"
        " {\"address\": \"10.0.0.3\", \"port_value\": 8080}}, \"hostname\": \"h\", \"stats\":"
        " [{\"name\": \"cx_connect_fail\", \"value\": \"3\"}, {\"name\": \"rq_total\"}],"
        " \"health_status\": {\"eds_health_status\": \"UNHEALTHY\","
        " \"failed_active_health_check\": true}}, {\"address\": {\"socket_address\":"
        " {\"address\": \"fd00::1\", \"port_value\": 8080}}, \"health_status\":"
        " {\"eds_health_status\": \"HEALTHY\"}}], \"circuit_breakers\": {\"thresholds\": ["
        " {\"max_connections\": 7, \"max_requests\": 1024}, {\"priority\": \"HIGH\","
        " \"max_connections\": 9}]}}, {\"name\": \"empty\"}]}");
    assert_clusters(&given);
    given_release(&given);
}

static void text(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x",
               "outbound|80||a::observability_name::outbound|80||a\n"
               "outbound|80||a::outlier::success_rate_average::-1\n"
               "outbound|80||a::default_priority::max_connections::7\n"
               "outbound|80||a::default_priority::max_requests::1024\n"
               "outbound|80||a::high_priority::max_connections::9\n"
               "outbound|80||a::added_via_api::true\n"
               "outbound|80||a::eds_service_name::a\n"
               "outbound|80||a::10.0.0.3:8080::cx_connect_fail::3\n"
               "outbound|80||a::10.0.0.3:8080::rq_total::0\n"
               "outbound|80||a::10.0.0.3:8080::hostname::h\n"
               "outbound|80||a::10.0.0.3:8080::health_flags::/failed_active_hc/failed_eds_health\n"
               "outbound|80||a::10.0.0.3:8080::zone::\n"
               "outbound|80||a::[fd00::1]:8080::cx_active::0\n"
               "outbound|80||a::[fd00::1]:8080::health_flags::healthy\n"
               "empty::added_via_api::false\n");
    assert_clusters(&given);
    char buf[32];
    assert_string_equal(record_locator(given_record(&given, "hosts", 1), buf), "line 13");
    given_release(&given);
}

/* grep took the health away: nobody knows how many are healthy. */
static void excerpt(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x", "a::10.0.0.3:80::cx_active::3\na::10.0.0.4:80::cx_active::3\n");
    assert_string_equal(given_field(&given, "clusters", 0, "hosts"), "2");
    assert_string_equal(given_field(&given, "clusters", 0, "healthy_hosts"), "(none)");
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(json), cmocka_unit_test(text),
                                       cmocka_unit_test(excerpt)};
    return cmocka_run_group_tests_name("clusters", tests, NULL, NULL);
}
