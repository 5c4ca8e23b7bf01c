/* docker-compose: services as containers, in both shapes that each member has. */
#include "given.h"

#define COMPOSE                                                                                    \
    "name: shop\nx-base: &base\n  restart: always\nservices:\n  envoy:\n    <<: *base\n"           \
    "    image: envoyproxy/envoy:${TAG:-v1.31.0}\n    user: ${ENVOY_UID:-1337}\n"                  \
    "    cap_add: [NET_BIND_SERVICE]\n    platform: linux/arm64\n"                                 \
    "    ports: ['127.0.0.1:8080:80/tcp', 9901]\n    sysctls:\n"                                   \
    "      - net.ipv4.ip_unprivileged_port_start=0\n    environment:\n      - A=1=2\n      - B\n"  \
    "    healthcheck: {test: [CMD, true], interval: 1m30s, retries: 5}\n"                          \
    "  app:\n    image: ${APP}\n    network_mode: host\n    environment: {C: 3}\n"                 \
    "    healthcheck: {test: curl x}\n"

static void test_services(void **state)
{
    static const struct {
        const char *name, *column, *value;
        int n;
    } cells[] = {{"containers", "platform", "compose", 0},
                 {"containers", "workload", "shop", 0},
                 {"containers", "name", "envoy", 0},
                 {"containers", "image", "envoyproxy/envoy:v1.31.0", 0},
                 {"containers", "user", "1337", 0},
                 {"containers", "caps_add", "NET_BIND_SERVICE", 0},
                 {"containers", "ports", "80,9901", 0},
                 {"containers", "unprivileged_port_start", "0", 0},
                 {"containers", "cpu_architecture", "ARM64", 0},
                 {"containers", "image", "(none)", 1},
                 {"containers", "host_network", "yes", 1},
                 {"env", "value", "1=2", 0},
                 {"env", "value", "(none)", 1},
                 {"env", "value", "3", 2},
                 {"probes", "period_s", "90", 0},
                 {"probes", "failures", "5", 0},
                 {"probes", "timeout_s", "30", 0},
                 {"probes", "command", "curl x", 1}};
    struct given given;
    (void)state;
    given_text(&given, "x", COMPOSE);
    assert_string_equal(given_kind(&given), "compose");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_string_equal(given_field(&given, cells[i].name, cells[i].n, cells[i].column),
                            cells[i].value);
    assert_non_null(strstr(given_problem(&given), "${APP} (line 19)"));
    assert_null(strstr(given_problem(&given), "TAG"));
    given_release(&given);
}

static void test_nonsense(void **state)
{
    static const char *const texts[] = {
        "services:\n  a: 1\n  b: [image:, x]\n  c: {image: 7, ports: 3, environment: [1, {a: b}], "
        "sysctls: x, healthcheck: []}\n",
        "services: [image:]\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        given_text(&given, "x", texts[i]);
        given_release(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_services),
                                       cmocka_unit_test(test_nonsense)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
