/* Tables and lists that the tools of meshes print: cells by column, and what is said of whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "given.h"

static void endpoints(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "paste.txt",
               "$ istioctl pc endpoint web.shop\n"
               "ENDPOINT             STATUS        OUTLIER CHECK     CLUSTER\n"
               "10.244.0.10:9080     HEALTHY       OK                outbound|80||a\n"
               "10.244.0.11:9080     UNHEALTHY     FAILED            outbound|80||a\n"
               "10.244.0.12:9080     DRAINING      OK                outbound|80||b\n"
               "\n"
               "10.244.0.13:9080     HEALTHY       OK                outbound|80||c\n");
    assert_string_equal(given_kind(&given), "host");
    assert_int_equal(given_count(&given, "hosts"), 3);
    assert_string_equal(given_field(&given, "hosts", 1, "health"), "/failed_outlier_check");
    assert_string_equal(given_field(&given, "hosts", 2, "health"), "/eds_status_draining");
    assert_int_equal(given_count(&given, "clusters"), 2);
    assert_string_equal(given_field(&given, "clusters", 0, "hosts"), "2");
    assert_string_equal(given_field(&given, "clusters", 0, "healthy_hosts"), "1");
    assert_int_equal(given_record(&given, "clusters", 1)->line, 5);
    given_release(&given);
}

/* Of columns that a paste moved only the gaps tell. */
static void moved_columns(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "paste.txt",
        "NAME   CLUSTER   CDS   LDS   EDS   RDS   ECDS   ISTIOD   VERSION\n"
        "a-very-long-name.shop   Kubernetes   SYNCED   STALE (Never Acknowledged)   SYNCED   "
        "NOT SENT   IGNORED   istiod-1   1.24.0\n");
    assert_int_equal(given_count(&given, "xds.sync"), 5);
    assert_string_equal(given_field(&given, "xds.sync", 1, "proxy"), "a-very-long-name.shop");
    assert_string_equal(given_field(&given, "xds.sync", 1, "type"), "listener");
    assert_string_equal(given_field(&given, "xds.sync", 1, "status"), "never acknowledged");
    assert_string_equal(given_field(&given, "xds.sync", 3, "status"), "not sent");
    assert_string_equal(given_field(&given, "xds.sync", 4, "server"), "istiod-1");
    given_release(&given);
}

static void empty_cells(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "paste.txt",
               "MESH      NAME     TAGS     STATUS    LAST CONNECTED AGO   LAST UPDATED AGO   "
               "TOTAL UPDATES   "
               "TOTAL ERRORS   CERT BACKEND   ENVOY VERSION   NOTES\n"
               "default   web.n             Online    2h                   never              30   "
               "           "
               "3                             1.31.2          \n");
    assert_string_equal(given_field(&given, "xds.sync", 0, "proxy"), "web.n");
    assert_string_equal(given_field(&given, "xds.sync", 0, "status"), "online");
    assert_string_equal(given_field(&given, "xds.sync", 0, "rejected"), "3");
    assert_string_equal(given_field(&given, "xds.sync", 0, "version"), "1.31.2");
    given_release(&given);
}

static void secrets_and_listeners(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "paste.txt",
               "RESOURCE NAME     TYPE           STATUS      VALID CERT     SERIAL NUMBER     NOT "
               "AFTER                NOT BEFORE\n"
               "default           Cert Chain     ACTIVE      true           6e43              "
               "2026-11-20T10:11:36Z     2026-11-19T10:09:36Z\n"
               "kubernetes://web  Cert Chain     WARMING     false                            -    "
               "                    -\n"
               "\n"
               "ADDRESSES PORT  MATCH                                DESTINATION\n"
               "0.0.0.0   15001 ALL                                  PassthroughCluster\n"
               "10.0.0.1  80    Trans: raw_buffer; App: http/1.1,h2c Route: 80\n");
    assert_int_equal(given_count(&given, "certs"), 1);
    assert_string_equal(given_field(&given, "certs", 0, "valid"), "yes");
    assert_string_equal(given_field(&given, "xds.resources", 1, "state"), "warming");
    assert_string_equal(given_field(&given, "listeners", 0, "port"), "15001");
    assert_string_equal(given_field(&given, "listeners", 1, "address"), "10.0.0.1");
    given_release(&given);
}

static void dataplanes_as_json(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "inspect.json",
        "{\"items\":[{\"dataplane\":{\"networking\":{\"address\":\"1.2.3.4\"}},\"name\":\"web\","
        "\"dataplaneInsight\":{\"subscriptions\":[{\"id\":\"1\",\"connectTime\":\"2026-11-20T07:00:"
        "00Z\","
        "\"disconnectTime\":\"2026-11-20T08:00:00Z\",\"status\":{\"total\":{\"responsesSent\":"
        "\"4\"}}},"
        "{\"id\":\"2\",\"connectTime\":\"2026-11-20T08:00:01Z\",\"status\":{\"total\":{"
        "\"responsesSent\":\"9\","
        "\"responsesRejected\":\"9\"},\"lds\":{\"responsesSent\":\"9\",\"responsesRejected\":\"9\"}"
        "}}]}},"
        "{\"dataplane\":{\"networking\":{}},\"name\":\"old\",\"dataplaneInsight\":{}}]}");
    assert_string_equal(given_kind(&given), "xds.sync");
    assert_int_equal(given_count(&given, "xds.sync"), 3);
    assert_string_equal(given_field(&given, "xds.sync", 0, "status"), "online");
    assert_string_equal(given_field(&given, "xds.sync", 0, "rejected"), "9");
    assert_string_equal(given_field(&given, "xds.sync", 1, "type"), "listener");
    assert_string_equal(given_field(&given, "xds.sync", 2, "status"), "offline");
    given_release(&given);
}

static void nonces(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "syncz",
               "[{\"proxy\":\"web.n\",\"istio_version\":\"1.24.0\",\"cluster_sent\":\"a\","
               "\"cluster_acked\":\"a\","
               "\"listener_sent\":\"a\",\"listener_acked\":\"b\",\"route_sent\":\"a\"}]");
    assert_string_equal(given_field(&given, "xds.sync", 0, "status"), "synced");
    assert_string_equal(given_field(&given, "xds.sync", 1, "status"), "stale");
    assert_string_equal(given_field(&given, "xds.sync", 2, "status"), "never acknowledged");
    assert_string_equal(given_field(&given, "xds.sync", 3, "status"), "not sent");
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints),          cmocka_unit_test(moved_columns),
        cmocka_unit_test(empty_cells),        cmocka_unit_test(secrets_and_listeners),
        cmocka_unit_test(dataplanes_as_json), cmocka_unit_test(nonces)};
    return cmocka_run_group_tests_name("mesh", tests, NULL, NULL);
}
