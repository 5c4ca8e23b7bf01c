/* What debrief keeps of its own look at a machine and of its probes is read like what engineers save. */
#include "given.h"

static const char dns_failed[] =
    "{\"schema\": \"debrief.probe/1\", \"host\": \"xds.test\", \"port\": 443, \"dns\": {\"name\": "
    "\"xds.test\", \"server\": \"10.0.0.2\", \"status\": \"NXDOMAIN\", \"addresses\": [], \"ms\": "
    "3}, "
    "\"failed\": \"dns\"}";

static const char refused[] =
    "{\"schema\": \"debrief.probe/1\", \"host\": \"xds.test\", \"port\": 443, \"dns\": {\"name\": "
    "\"xds.test\", \"status\": \"NOERROR\", \"addresses\": [\"10.0.0.7\", \"10.0.0.8\", 3], "
    "\"ttl\": "
    "60}, \"connect\": [{\"address\": \"10.0.0.7\", \"result\": \"timeout\", \"error\": "
    "\"Connection "
    "timed out\"}, {\"address\": \"10.0.0.8\", \"result\": \"refused\"}], \"failed\": \"connect\"}";

static const char answered[] =
    "{\"schema\": \"debrief.probe/1\", \"host\": \"10.0.0.7\", \"port\": 8080, \"connect\": "
    "[{\"address\": \"10.0.0.7\", \"result\": \"connected\"}], \"tls\": {\"result\": \"failed\", "
    "\"error\": \"wrong version number\", \"client_certificate\": true, \"chain\": \"-----BEGIN "
    "CERTIFICATE-----\\nbroken\\n\"}, \"http\": {\"url\": \"http://10.0.0.7:8080/ping\", "
    "\"method\": \"GET\", \"host_header\": \"10.0.0.7:8080\", \"result\": \"ok\", \"status\": "
    "404}}";

static const struct row {
    const char *source, *text, *name;
    int n;
    const char *field, *value;
} rows[] = {
    {"probe/a.json", dns_failed, "net.dns", 0, "status", "NXDOMAIN"},
    {"probe/a.json", dns_failed, "net.dns", 0, "server", "10.0.0.2"},
    {"probe/a.json", dns_failed, "net.dns", 0, "tool", "probe"},
    {"probe/a.json", dns_failed, "net.connect", 0, "host", "(none)"},
    {"probe/a.json", refused, "net.dns", 0, "addresses", "10.0.0.7,10.0.0.8"},
    {"probe/a.json", refused, "net.dns", 0, "ttl", "60"},
    {"probe/a.json", refused, "net.connect", 0, "result", "timeout"},
    {"probe/a.json", refused, "net.connect", 1, "result", "refused"},
    {"probe/a.json", refused, "net.connect", 1, "host", "xds.test"},
    {"probe/a.json", refused, "net.connect", 1, "port", "443"},
    {"probe/a.json", answered, "net.tls", 0, "error", "wrong version number"},
    {"probe/a.json", answered, "net.tls", 0, "client_certificate", "yes"},
    {"probe/a.json", answered, "net.tls", 0, "expires", "(none)"},
    {"probe/a.json", answered, "net.http", 0, "status", "404"},
    {"probe/a.json", answered, "net.http", 0, "host_header", "10.0.0.7:8080"},
    {"host/12/limits",
     "# process 12 has 7 open files\nMax open files            1024                 "
     "4096                 files     \n",
     "host.limits", 0, "open", "7"},
    {"host/12/limits",
     "# process 12\nMax open files            1024                 4096             "
     "    files     \n",
     "host.limits", 0, "pid", "12"},
    {"host/12/cgroup",
     "# process 12 has 7 open files\nmemory.max = 1000\nmemory.events.oom_kill = 2\n",
     "host.cgroup", 1, "value", "2"},
    {"host/sockets.txt",
     "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
     "LISTEN 3 - [::]:8080 [::]:* users:((\"envoy\",pid=12,fd=9))\nLISTEN 0 - 0.0.0.0:80 "
     "0.0.0.0:*\n",
     "host.sockets", 0, "pid", "12"},
    {"host/sockets.txt",
     "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
     "LISTEN 3 - [::]:8080 [::]:* users:((\"envoy\",pid=12,fd=9))\nLISTEN 0 - 0.0.0.0:80 "
     "0.0.0.0:*\n",
     "host.sockets", 1, "port", "80"},
    {"host/routes.txt", "# ip route\n10.0.0.0/24 dev eth0\n", "host.routes", 0, "device", "eth0"},
    {"host/hosts", "127.0.0.1 localhost\n10.0.0.7 app.internal app\n", "host.hosts_file", 1,
     "names", "app.internal,app"},
};

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given given;
        given_text(&given, rows[i].source, rows[i].text);
        const char *value = given_field(&given, rows[i].name, rows[i].n, rows[i].field);
        if (strcmp(value, rows[i].value) != 0)
            print_error("row %zu: %s.%s\n", i, rows[i].name, rows[i].field);
        assert_string_equal(value, rows[i].value);
        given_release(&given);
    }
}

/* No rules at all is an answer; a tool that was not let in gives none. */
static void test_no_rules(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "host/nft.txt", "no rules: nft list ruleset\n");
    assert_int_equal(evidence_state(given.evidence, "host.firewall"), EVIDENCE_COMPLETE);
    given_release(&given);
    given_text(&given, "host/iptables.txt", "# Table `nat' is incompatible, use 'nft' tool.\n");
    assert_int_equal(evidence_state(given.evidence, "host.firewall"), EVIDENCE_ABSENT);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fields),
                                       cmocka_unit_test(test_no_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
