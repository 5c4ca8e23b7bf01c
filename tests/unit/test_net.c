/* What tools printed of the network, recorded from the real ones (curl 7.88, OpenSSL 3.0, dig 9.18,
 * iptables 1.8, nft) in a namespace with a DNS server, TLS listeners, a dropped and a refused port. */
#include "given.h"

struct expected {
    const char *file, *name;
    int n;
    const char *field, *value;
};

static void given_file(struct given *given, const char *file)
{
    static char text[64 << 10];
    char path[512];
    snprintf(path, sizeof path, "%s/recordings/%s.txt", TEST_DATA, file);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t len = fread(text, 1, sizeof text, in);
    fclose(in);
    given_bytes(given, file, text, len);
}

static void check(const struct expected *rows, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        struct given given;
        given_file(&given, rows[i].file);
        const char *value = given_field(&given, rows[i].name, rows[i].n, rows[i].field);
        if (strcmp(value, rows[i].value) != 0)
            print_error("%s: %s.%s\n", rows[i].file, rows[i].name, rows[i].field);
        assert_string_equal(value, rows[i].value);
        if (strcmp(given_kind(&given), "host") != 0)
            print_error("%s is no host\n", rows[i].file);
        assert_string_equal(given_kind(&given), "host");
        given_release(&given);
    }
}

#define CHECK(rows) check((rows), sizeof(rows) / sizeof *(rows))

static void test_dns(void **state)
{
    static const struct expected rows[] = {
        {"dig-cname", "net.dns", 0, "name", "alias.mesh.internal"},
        {"dig-cname", "net.dns", 0, "addresses", "10.9.0.3"},
        {"dig-cname", "net.dns", 0, "server", "10.9.0.2"},
        {"dig-nodata", "net.dns", 0, "status", "NOERROR"},
        {"dig-nodata", "net.dns", 0, "addresses", "(none)"},
        {"dig-nx", "net.dns", 0, "status", "NXDOMAIN"},
        {"dig-refused", "net.dns", 0, "status", "refused"},
        {"dig-timeout", "net.dns", 0, "server", "10.9.0.77"},
        {"dig-timeout", "net.dns", 0, "name", "xds.mesh.internal"},
        {"dig-short", "net.dns", 0, "addresses", "10.9.0.3"},
        {"nslookup-ok", "net.dns", 0, "addresses", "10.9.0.3"},
        {"nslookup-ok", "net.dns", 0, "status", "NOERROR"},
        {"nslookup-ok", "net.dns", 1, "status", "(none)"},
        {"nslookup-ok", "host.process", 0, "name", "(none)"},
        {"nslookup-nx", "net.dns", 0, "status", "NXDOMAIN"},
        {"nslookup-timeout", "net.dns", 0, "name", "xds.mesh.internal"},
        {"host-ok", "net.dns", 0, "status", "NOERROR"},
        {"host-nx", "net.dns", 0, "name", "nope.mesh.internal"},
        {"getent-ok", "net.dns", 0, "addresses", "10.9.0.3"},
        {"getent-nx", "net.dns", 0, "status", "failed"},
        {"getent-nx", "net.dns", 0, "name", "nope.mesh.internal"},
        {"curl-nx", "net.dns", 0, "status", "failed"},
        {"ssl-nx", "net.dns", 0, "name", "nope.mesh.internal"}};
    (void)state;
    CHECK(rows);
}

static void test_connect(void **state)
{
    static const struct expected rows[] = {
        {"curl-refused", "net.connect", 0, "result", "refused"},
        {"curl-refused", "net.connect", 0, "address", "10.9.0.3"},
        {"curl-refused", "net.connect", 0, "host", "app.mesh.internal"},
        {"curl-refused", "net.http", 0, "result", "(none)"},
        {"curl-plainerr", "net.connect", 0, "result", "failed"},
        {"curl-drop", "net.connect", 0, "result", "timeout"},
        {"curl-prohibited", "net.connect", 0, "result", "unreachable"},
        {"curl-moved", "net.connect", 0, "result", "connected"},
        {"curl-mute", "net.connect", 0, "result", "connected"},
        {"ssl-refused", "net.connect", 0, "result", "refused"},
        {"ssl-refused", "net.connect", 0, "port", "8089"},
        {"ssl-refused", "net.tls", 0, "result", "(none)"},
        {"ssl-ok", "net.connect", 0, "result", "connected"}};
    (void)state;
    CHECK(rows);
}

static void test_tls(void **state)
{
    static const struct expected rows[] = {
        {"ssl-ok", "net.tls", 0, "result", "ok"},
        {"ssl-ok", "net.tls", 0, "verify_code", "0"},
        {"ssl-ok", "net.tls", 0, "names", "xds.mesh.internal,alt.xds.mesh.internal"},
        {"ssl-ok", "net.tls", 0, "expires", "2027-11-21T14:57:24Z"},
        {"ssl-ok", "net.tls", 0, "version", "TLSv1.3"},
        {"ssl-name", "net.tls", 0, "verify_code", "62"},
        {"ssl-name", "net.tls", 0, "host", "app.mesh.internal"},
        {"ssl-showcerts", "net.tls", 0, "verify_code", "20"},
        {"ssl-showcerts", "net.tls", 0, "result", "ok"},
        {"ssl-mtls", "net.tls", 0, "client_certificate", "yes"},
        {"ssl-plain", "net.tls", 0, "result", "failed"},
        {"ssl-plain", "net.tls", 0, "verify_code", "(none)"},
        {"ssl-reset", "net.tls", 0, "result", "failed"},
        {"ssl-x509", "net.tls", 0, "result", "(none)"},
        {"ssl-x509", "net.tls", 0, "names", "xds.mesh.internal,alt.xds.mesh.internal"},
        {"curl-tls-ca", "net.tls", 0, "verify_code", "20"},
        {"curl-tls-ca", "net.tls", 0, "result", "failed"},
        {"curl-tls-name", "net.tls", 0, "verify_code", "62"},
        {"curl-tls-ok", "net.tls", 0, "result", "ok"},
        {"curl-tls-ok", "net.tls", 0, "valid_from", "2026-11-21T14:57:24Z"},
        {"curl-tls-plain", "net.tls", 0, "result", "failed"},
        {"curl-mute-tls", "net.tls", 0, "result", "failed"},
        {"curl-mute-tls", "net.http", 0, "result", "(none)"},
        {"curl-reset-tls", "net.tls", 0, "error", "Recv failure: Connection reset by peer"},
        {"curl-mtls", "net.tls", 0, "client_certificate", "yes"}};
    (void)state;
    CHECK(rows);
}

static void test_http(void **state)
{
    static const struct expected rows[] = {
        {"curl-404", "net.http", 0, "status", "404"},
        {"curl-404", "net.http", 0, "host_header", "10.9.0.3"},
        {"curl-404", "net.http", 0, "server", "envoy"},
        {"curl-moved", "net.http", 0, "location", "https://app.mesh.internal/health"},
        {"curl-mute", "net.http", 0, "result", "timeout"},
        {"curl-plain-tls", "net.http", 0, "result", "empty"},
        {"curl-s", "net.http", 0, "status", "404"},
        {"curl-i", "net.http", 0, "status", "200"}};
    (void)state;
    CHECK(rows);
}

static void test_host(void **state)
{
    static const struct expected rows[] = {
        {"iptables-save", "host.firewall", 3, "action", "DROP"},
        {"iptables-save", "host.firewall", 11, "table", "nat"},
        {"iptables-save", "host.firewall", 11, "action", "REDIRECT"},
        {"iptables-nat", "host.firewall", 3, "chain", "OUTPUT"},
        {"iptables-nat", "host.firewall", 3, "action", "ISTIO_REDIRECT"},
        {"iptables-nat", "host.firewall", 3, "packets", "0"},
        {"iptables-S", "host.firewall", 5, "action", "RETURN"},
        {"nft", "host.firewall", 1, "action", "DROP"},
        {"nft", "host.firewall", 1, "packets", "2"},
        {"nft", "host.firewall", 3, "chain", "ISTIO_REDIRECT"},
        {"capsh", "host.process", 0, "cap_eff", "000001fffeffffff"},
        {"getpcaps", "host.process", 0, "pid", "1"},
        {"limits", "host.limits", 7, "name", "open files"},
        {"limits", "host.limits", 7, "soft", "20000"},
        {"ss", "host.sockets", 6, "port", "8090"},
        {"netstat", "host.sockets", 0, "process", "13473/openssl"}};
    (void)state;
    CHECK(rows);
}

/* Several commands behind each other, with what somebody wrote between them, and a log line. */
static void test_session(void **state)
{
    static const struct expected rows[] = {
        {"session", "net.connect", 0, "result", "refused"},
        {"session", "net.connect", 0, "host", "app.mesh.internal"},
        {"session", "net.dns", 0, "name", "xds.mesh.internal"},
        {"session", "net.connect", 1, "host", "10.9.0.3"},
        {"session", "net.connect", 1, "tool", "openssl"}};
    struct given given;
    (void)state;
    CHECK(rows);
    given_file(&given, "session");
    assert_true(given_count(&given, GIVEN_EVENT) > 0); /* the log reader had it as well */
    given_release(&given);
}

static void test_routes(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "routes",
               "default via 10.0.0.1 dev eth0 proto dhcp src 10.0.0.5 metric 100\n"
               "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.5\n"
               "unreachable 10.1.0.0/16\n");
    assert_string_equal(given_field(&given, "host.routes", 0, "gateway"), "10.0.0.1");
    assert_string_equal(given_field(&given, "host.routes", 1, "device"), "eth0");
    assert_string_equal(given_field(&given, "host.routes", 2, "destination"),
                        "unreachable 10.1.0.0/16");
    given_release(&given);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dns),    cmocka_unit_test(test_connect),
        cmocka_unit_test(test_tls),    cmocka_unit_test(test_http),
        cmocka_unit_test(test_host),   cmocka_unit_test(test_session),
        cmocka_unit_test(test_routes),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
