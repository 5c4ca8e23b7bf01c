/* Events of a cluster, as objects and as the table that kubectl prints. */
#include "given.h"

static void test_objects(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "events.json",
        "{\"kind\":\"EventList\",\"apiVersion\":\"v1\",\"items\":[{\"involvedObject\":{\"kind\":"
        "\"Pod\",\"namespace\":\"n\",\"name\":\"web-1\",\"fieldPath\":\"spec.containers{envoy}\"},"
        "\"reason\":\"Failed\",\"message\":\"Failed to pull image\",\"type\":\"Warning\","
        "\"count\":4,\"firstTimestamp\":\"2026-11-21T08:00:00Z\",\"lastTimestamp\":"
        "\"2026-11-21T08:05:00Z\"}]}");
    assert_string_equal(given_kind(&given), "k8s.events");
    static const char *const cells[][2] = {{"reason", "Failed"},
                                           {"type", "Warning"},
                                           {"kind", "Pod"},
                                           {"object", "n/web-1"},
                                           {"container", "envoy"},
                                           {"count", "4"},
                                           {"message", "Failed to pull image"}};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_string_equal(given_field(&given, "k8s.events", 0, cells[i][0]), cells[i][1]);
    assert_int_equal(given_record(&given, "k8s.events", 0)->time / 1000000000, 1795248300);
    assert_string_equal(given_field(&given, GIVEN_EVENT, 0, "container"), "envoy");
    assert_string_equal(given_field(&given, GIVEN_EVENT, 0, "repeats"), "4");
    given_release(&given);
}

static void test_newer_group(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "events.json",
        "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"regarding\":{\"kind\":\"Pod\","
        "\"name\":\"p\"},\"reason\":\"Unhealthy\",\"note\":\"probe failed\",\"series\":"
        "{\"count\":9,\"lastObservedTime\":\"2026-11-21T08:00:00.5Z\"}}");
    assert_string_equal(given_field(&given, "k8s.events", 0, "message"), "probe failed");
    assert_string_equal(given_field(&given, "k8s.events", 0, "count"), "9");
    given_release(&given);
}

static void test_plain_table(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "events.txt",
               "$ kubectl get events\n"
               "LAST SEEN   TYPE      REASON    OBJECT          MESSAGE\n"
               "5m (x3 over 6m)   Warning   Failed    pod/web-1       Error: ErrImagePull\n"
               "2m          Normal    Pulled    pod/web-2       Image pulled in  3s\n");
    assert_string_equal(given_kind(&given), "k8s.events");
    assert_int_equal(given_count(&given, "k8s.events"), 2);
    assert_string_equal(given_field(&given, "k8s.events", 0, "reason"), "Failed");
    assert_string_equal(given_field(&given, "k8s.events", 0, "kind"), "Pod");
    assert_string_equal(given_field(&given, "k8s.events", 0, "object"), "web-1");
    assert_string_equal(given_field(&given, "k8s.events", 0, "count"), "3");
    assert_string_equal(given_field(&given, "k8s.events", 1, "message"), "Image pulled in  3s");
    assert_int_equal(given_record(&given, "k8s.events", 1)->line, 4);
    given_release(&given);
}

static void test_wide_table(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "events.log",
               "NAMESPACE   LAST SEEN   TYPE      REASON      OBJECT      SUBOBJECT               "
               "SOURCE    MESSAGE            FIRST SEEN   COUNT   NAME\n"
               "shop        18m         Warning   Unhealthy   pod/web-1   spec.containers{envoy}  "
               "kubelet   Readiness failed   18m          14      web-1.179\n"
               "shop        18m         Normal    Scheduled   pod/web-2                           "
               "sched     Assigned \xc3\xbc         18m          1       web-2.180\n");
    assert_int_equal(given_count(&given, "k8s.events"), 2);
    assert_string_equal(given_field(&given, "k8s.events", 0, "object"), "shop/web-1");
    assert_string_equal(given_field(&given, "k8s.events", 0, "container"), "envoy");
    assert_string_equal(given_field(&given, "k8s.events", 0, "message"), "Readiness failed");
    assert_string_equal(given_field(&given, "k8s.events", 0, "count"), "14");
    assert_string_equal(given_field(&given, "k8s.events", 1, "container"), "(none)");
    assert_string_equal(given_field(&given, "k8s.events", 1, "message"), "Assigned \xc3\xbc");
    given_release(&given);
}

/* No events at all: that is an answer. */
static void test_empty_list(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "events.json",
               "{\"kind\":\"EventList\",\"apiVersion\":\"v1\",\"items\":[]}");
    assert_string_equal(given_kind(&given), "k8s.events");
    assert_int_equal(evidence_state(given.evidence, "k8s.events"), EVIDENCE_COMPLETE);
    given_release(&given);
}

static void test_hostile(void **state)
{
    static const char *const texts[] = {
        "LAST SEEN TYPE REASON OBJECT MESSAGE\n\n   \nx\n",
        "LAST SEEN   TYPE   REASON   OBJECT   SUBOBJECT   SOURCE   MESSAGE\n1\n\xff\xfe\n",
        "{\"involvedObject\":{},\"kind\":\"Event\",\"apiVersion\":\"v1\",\"count\":-3}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        given_text(&given, "hostile", texts[i]);
        given_release(&given);
    }
}

/* A line is read as far as its first NUL, and no further. */
static void test_nul(void **state)
{
    static const char text[] =
        "LAST SEEN   TYPE      REASON         OBJECT   \0   MESSAGE\n"
        "10s         Warning   FailedCreate   \0 a text that is far longer than what stands before";
    struct given given;
    (void)state;
    given_bytes(&given, "hostile", text, sizeof text - 1);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),     cmocka_unit_test(test_newer_group),
        cmocka_unit_test(test_plain_table), cmocka_unit_test(test_wide_table),
        cmocka_unit_test(test_empty_list),  cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
