/* /listeners, /certs, /init_dump, /memory and /runtime. */
#include "given.h"

static void listeners_json(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x",
               "{\"listener_statuses\": [{\"name\": \"in\", \"local_address\": {\"socket_address\":"
               " {\"address\": \"0.0.0.0\", \"port_value\": 80}}, \"additional_local_addresses\":"
               " [{\"pipe\": {\"path\": \"/run/l\"}}]}]}");
    assert_string_equal(given_kind(&given), "listeners");
    assert_int_equal(given_count(&given, "listeners"), 2);
    assert_string_equal(given_field(&given, "listeners", 0, "port"), "80");
    assert_string_equal(given_field(&given, "listeners", 1, "address"), "unix:/run/l");
    assert_string_equal(given_field(&given, "listeners", 1, "name"), "in");
    given_release(&given);
}

static void listeners_text(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x", "a::0.0.0.0:15001\nb c::[::]:15006\nc::/run/l.sock\n");
    assert_string_equal(given_kind(&given), "listeners");
    static const char *const rows[][3] = {
        {"a", "0.0.0.0", "15001"}, {"b c", "::", "15006"}, {"c", "/run/l.sock", "(none)"}};
    for (int i = 0; i < 3; i++) {
        assert_string_equal(given_field(&given, "listeners", i, "name"), rows[i][0]);
        assert_string_equal(given_field(&given, "listeners", i, "address"), rows[i][1]);
        assert_string_equal(given_field(&given, "listeners", i, "port"), rows[i][2]);
    }
    given_release(&given);
}

/* A log line with an address at its end is no list of listeners. */
static void no_listeners(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x",
               "[2019-09-03 14:12:01.434][21][warning][config] listener virtualInbound: IPv6 "
               "addresses are not supported on this machine: [::]:0\n");
    assert_string_not_equal(given_kind(&given), "listeners");
    given_release(&given);
}

/* What begins with a NUL is read past it, and is no list either. */
static void begins_with_nul(void **state)
{
    (void)state;
    struct given given;
    static const char text[] = "\0\n2026-11-20T08:00:01Z warning something: 0.0.0.0\n";
    given_bytes(&given, "x", text, sizeof text - 1);
    assert_string_not_equal(given_kind(&given), "listeners");
    given_release(&given);
}

/* A page without anything says so only under its name. */
static void empty_pages(void **state)
{
    (void)state;
    static const char *const pages[][3] = {{"admin/listeners.json", "listeners", "listeners"},
                                           {"admin/clusters.json", "clusters", "clusters"},
                                           {"admin/certs.json", "certs", "certs"},
                                           {"admin/init_dump.json", "init_dump", "init.targets"}};
    struct given given;
    for (int i = 0; i < 4; i++) {
        given_text(&given, pages[i][0], "{}\n");
        assert_string_equal(given_kind(&given), pages[i][1]);
        assert_int_equal(evidence_state(given.evidence, pages[i][2]), EVIDENCE_COMPLETE);
        given_release(&given);
    }
    given_text(&given, "admin/other.json", "{}\n");
    assert_true(given.sources.items[0].unrecognised);
    given_release(&given);
}

static void certs(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "x",
        "{\"certificates\": [{\"ca_cert\": [{\"path\": \"<inline>\", \"serial_number\": \"1\"}],"
        " \"cert_chain\": [{\"subject_alt_names\": [{\"dns\": \"a\"}, {\"uri\": \"spiffe://b\"}],"
        " \"valid_from\": \"2026-01-01T00:00:00Z\", \"expiration_time\":"
        " \"2026-02-01T00:00:00Z\"}]}]}");
    assert_string_equal(given_kind(&given), "certs");
    assert_string_equal(given_field(&given, "certs", 0, "role"), "ca");
    assert_string_equal(given_field(&given, "certs", 0, "path"), "<inline>");
    assert_string_equal(given_field(&given, "certs", 1, "role"), "leaf");
    assert_string_equal(given_field(&given, "certs", 1, "names"), "a,spiffe://b");
    assert_string_equal(given_field(&given, "certs", 1, "expires"), "2026-02-01T00:00:00Z");
    given_release(&given);
    given_text(&given, "x", "   \"ca_cert\": [{}],\n \"expiration_time\": \"2026\"\n");
    assert_string_equal(given_kind(&given), "certs");
    assert_non_null(strstr(given_problem(&given), "not JSON at byte 3"));
    assert_int_equal(evidence_state(given.evidence, "certs"), EVIDENCE_PARTIAL);
    given_release(&given);
}

static void init_dump(void **state)
{
    (void)state;
    struct given given;
    given_text(
        &given, "x",
        "{\"unready_targets_dumps\": [{\"name\": \"init manager Listener-local-init-manager my "
        "listener 1932023444535403288\", \"target_names\": [\"shared target "
        "RdsRouteConfigSubscription RDS init r1\", \"shared target SdsApi cert\","
        " \"FilterConfigSubscription init f\", \"target X\"]}]}");
    assert_string_equal(given_kind(&given), "init_dump");
    static const char *const rows[][2] = {
        {"rds", "r1"}, {"sds", "cert"}, {"ecds", "f"}, {"other", "(none)"}};
    for (int i = 0; i < 4; i++) {
        assert_string_equal(given_field(&given, "init.targets", i, "listener"), "my listener");
        assert_string_equal(given_field(&given, "init.targets", i, "kind"), rows[i][0]);
        assert_string_equal(given_field(&given, "init.targets", i, "name"), rows[i][1]);
    }
    given_release(&given);
}

static void memory(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "x",
               "{\"allocated\": \"7\", \"heap_size\": \"9\", \"total_physical_bytes\": 8}");
    assert_string_equal(given_kind(&given), "memory");
    assert_string_equal(given_field(&given, "memory", 0, "heap_size"), "9");
    assert_string_equal(given_field(&given, "memory", 0, "physical"), "8");
    given_release(&given);
    given_text(&given, "x",
               "{\"layers\": [\"admin\"], \"entries\": {\"k\": {\"layer_values\": [\"1\"],"
               " \"final_value\": \"1\"}}}");
    assert_string_equal(given_kind(&given), "runtime");
    assert_string_equal(given_field(&given, "runtime", 0, "name"), "k");
    assert_string_equal(given_field(&given, "runtime", 0, "value"), "1");
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_listeners),   cmocka_unit_test(listeners_json),
        cmocka_unit_test(listeners_text), cmocka_unit_test(empty_pages),
        cmocka_unit_test(certs),          cmocka_unit_test(init_dump),
        cmocka_unit_test(memory),         cmocka_unit_test(begins_with_nul),
    };
    return cmocka_run_group_tests_name("listeners", tests, NULL, NULL);
}
