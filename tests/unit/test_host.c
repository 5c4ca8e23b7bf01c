/* What a host says of processes, kernel settings and sockets. */
#include "given.h"

static const char status[] = "Name:\tenvoy\nUmask:\t0022\nPid:\t12\nUid:\t1000\t1337\t1337\t1337\n"
                             "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                             "CapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\n"
                             "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n";

static void check_process(const struct given *given)
{
    static const char *const cells[][2] = {{"name", "envoy"},
                                           {"pid", "12"},
                                           {"uid", "1337"},
                                           {"cap_eff", "0000000000000000"},
                                           {"cap_bnd", "00000000a80425fb"},
                                           {"no_new_privs", "1"}};
    assert_string_equal(given_kind(given), "host");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_string_equal(given_field(given, "host.process", 0, cells[i][0]), cells[i][1]);
}

static void test_status(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "status", status);
    assert_int_equal(given_count(&given, "host.process"), 1);
    check_process(&given);
    assert_int_equal(evidence_state(given.evidence, "host.sockets"), EVIDENCE_ABSENT);
    assert_int_equal(evidence_state(given.evidence, "host.sysctl"), EVIDENCE_ABSENT);
    given_release(&given);
}

static void test_sysctl(void **state)
{
    static const char *const given_as[][2] = {
        {"x", "net.ipv4.ip_unprivileged_port_start = 80\nvm.swappiness = 60\n"},
        {"host/ip_unprivileged_port_start", "80\n"}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct given given;
        given_text(&given, given_as[i][0], given_as[i][1]);
        assert_string_equal(given_kind(&given), "host");
        assert_string_equal(given_field(&given, "host.sysctl", 0, "name"),
                            "net.ipv4.ip_unprivileged_port_start");
        assert_string_equal(given_field(&given, "host.sysctl", 0, "value"), "80");
        given_release(&given);
    }
}

/* `cat /proc/1/status /proc/sys/net/ipv4/ip_unprivileged_port_start`, as the manual asks for it. */
static void test_both_in_one(void **state)
{
    struct given given;
    char text[1024];
    (void)state;
    snprintf(text, sizeof text, "%s1024\n", status);
    given_text(&given, "facts.txt", text);
    check_process(&given);
    assert_string_equal(given_field(&given, "host.sysctl", 0, "value"), "1024");
    given_release(&given);
}

static void test_ss(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "sockets.txt",
               "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
               "LISTEN 0      128    0.0.0.0:10000      0.0.0.0:*         "
               "users:((\"python3\",pid=77,fd=3))\n"
               "LISTEN 0      128    [::1]:9901         [::]:*\n");
    assert_string_equal(given_kind(&given), "host");
    assert_int_equal(given_count(&given, "host.sockets"), 2);
    assert_string_equal(given_field(&given, "host.sockets", 0, "address"), "0.0.0.0");
    assert_string_equal(given_field(&given, "host.sockets", 0, "port"), "10000");
    assert_string_equal(given_field(&given, "host.sockets", 0, "pid"), "77");
    assert_string_equal(given_field(&given, "host.sockets", 1, "address"), "[::1]");
    assert_string_equal(given_field(&given, "host.sockets", 1, "process"), "(none)");
    given_release(&given);
}

static void test_netstat(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "sockets.txt",
               "Active Internet connections (only servers)\n"
               "Proto Recv-Q Send-Q Local Address     Foreign Address   State    PID/Program name\n"
               "tcp        0      0 127.0.0.1:15000   0.0.0.0:*         LISTEN   12/envoy\n"
               "tcp6       0      0 :::22             :::*              LISTEN   -\n");
    assert_int_equal(given_count(&given, "host.sockets"), 2);
    assert_string_equal(given_field(&given, "host.sockets", 0, "process"), "12/envoy");
    assert_string_equal(given_field(&given, "host.sockets", 0, "pid"), "12");
    assert_string_equal(given_field(&given, "host.sockets", 1, "port"), "22");
    assert_string_equal(given_field(&given, "host.sockets", 1, "process"), "(none)");
    given_release(&given);
}

/* Nobody listens: that is an answer. */
static void test_empty_table(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "sockets.txt",
               "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n");
    assert_int_equal(evidence_state(given.evidence, "host.sockets"), EVIDENCE_COMPLETE);
    given_release(&given);
}

/* iptables-save without its remarks, as people paste it. */
static void test_bare_rules(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "rules.txt",
               "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j MESH_EGRESS\nCOMMIT\n");
    assert_string_equal(given_kind(&given), "host");
    assert_int_equal(given_count(&given, "host.firewall"), 2);
    assert_string_equal(given_field(&given, "host.firewall", 1, "table"), "nat");
    assert_string_equal(given_field(&given, "host.firewall", 1, "action"), "MESH_EGRESS");
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),      cmocka_unit_test(test_sysctl),
        cmocka_unit_test(test_both_in_one), cmocka_unit_test(test_bare_rules),
        cmocka_unit_test(test_ss),          cmocka_unit_test(test_netstat),
        cmocka_unit_test(test_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
