/* docker inspect and crictl inspect: the same facts in two shapes. */
#include "given.h"

#define DOCKER                                                                                     \
    "[{\"Name\":\"/"                                                                               \
    "envoy\",\"RestartCount\":2,\"State\":{\"Status\":\"exited\",\"OOMKilled\":true,"              \
    "\"ExitCode\":137,\"Error\":\"\",\"StartedAt\":\"2026-11-21T08:00:00Z\","                      \
    "\"FinishedAt\":\"2026-11-21T08:05:00.5Z\",\"Health\":{\"Status\":\"unhealthy\",\"Log\":["     \
    "{\"End\":\"2026-11-21T08:04:00Z\",\"Output\":\"curl: not found\"}]}},"                        \
    "\"HostConfig\":{\"NetworkMode\":\"host\",\"CapAdd\":[\"CAP_NET_ADMIN\"],\"Privileged\":"      \
    "false,"                                                                                       \
    "\"Sysctls\":{\"net.ipv4.ip_unprivileged_port_start\":\"0\"}},"                                \
    "\"Config\":{\"Image\":\"envoyproxy/"                                                          \
    "envoy:v1.34.1\",\"User\":\"101\",\"Env\":[\"A=1=2\",\"B\"],"                                  \
    "\"Labels\":{\"com.docker.compose.service\":\"edge\",\"com.docker.compose.project\":\"shop\"}" \
    ","                                                                                            \
    "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl x\"],\"Interval\":5000000000}}},"             \
    "{\"Name\":\"/app\",\"State\":{\"Status\":\"running\",\"ExitCode\":0,"                         \
    "\"FinishedAt\":\"0001-01-01T00:00:00Z\"},\"HostConfig\":{},\"Config\":{\"User\":\"\"}}]"

#define CRICTL                                                                                     \
    "{\"status\":{\"metadata\":{\"attempt\":3,\"name\":\"istio-proxy\"},"                          \
    "\"state\":\"CONTAINER_EXITED\",\"finishedAt\":\"2026-11-21T08:05:00Z\",\"exitCode\":255,"     \
    "\"reason\":\"Error\",\"message\":\"\",\"image\":{\"image\":\"docker.io/istio/"                \
    "proxyv2:1.24\"},"                                                                             \
    "\"labels\":{\"io.kubernetes.pod.name\":\"web-1\",\"io.kubernetes.pod.namespace\":\"shop\","   \
    "\"io.kubernetes.container.name\":\"istio-proxy\"}},\"info\":{\"runtimeSpec\":{\"process\":"   \
    "{\"user\":{\"uid\":1337},\"env\":[\"ISTIO_META_MESH_ID=m\"]}}}}"

struct cell {
    const char *name, *column, *value;
    int n;
};

static void expect_cells(const char *text, const struct cell *cells, size_t len)
{
    struct given given;
    given_text(&given, "x", text);
    assert_string_equal(given_kind(&given), "container.inspect");
    for (size_t i = 0; i < len; i++)
        assert_string_equal(given_field(&given, cells[i].name, cells[i].n, cells[i].column),
                            cells[i].value);
    given_release(&given);
}

static void test_docker(void **state)
{
    static const struct cell cells[] = {{"container_status", "platform", "docker", 0},
                                        {"container_status", "name", "edge", 0},
                                        {"container_status", "workload", "shop", 0},
                                        {"container_status", "state", "terminated", 0},
                                        {"container_status", "reason", "OOMKilled", 0},
                                        {"container_status", "message", "(none)", 0},
                                        {"container_status", "exit_code", "137", 0},
                                        {"container_status", "restarts", "2", 0},
                                        {"container_status", "health", "UNHEALTHY", 0},
                                        {"container_status", "name", "app", 1},
                                        {"container_status", "state", "running", 1},
                                        {"container_status", "exit_code", "(none)", 1},
                                        {"containers", "user", "101", 0},
                                        {"containers", "user", "(none)", 1},
                                        {"containers", "caps_add", "CAP_NET_ADMIN", 0},
                                        {"containers", "privileged", "no", 0},
                                        {"containers", "host_network", "yes", 0},
                                        {"containers", "unprivileged_port_start", "0", 0},
                                        {"env", "name", "A", 0},
                                        {"env", "value", "1=2", 0},
                                        {"env", "workload", "shop", 0},
                                        {"probes", "command", "CMD-SHELL curl x", 0},
                                        {"probes", "period_s", "5", 0},
                                        {"probes", "timeout_s", "30", 0},
                                        {"probes", "failures", "3", 0}};
    (void)state;
    expect_cells(DOCKER, cells, sizeof cells / sizeof *cells);
}

static void test_crictl(void **state)
{
    static const struct cell cells[] = {{"container_status", "platform", "kubernetes", 0},
                                        {"container_status", "workload", "shop/web-1", 0},
                                        {"container_status", "name", "istio-proxy", 0},
                                        {"container_status", "state", "terminated", 0},
                                        {"container_status", "reason", "Error", 0},
                                        {"container_status", "exit_code", "255", 0},
                                        {"container_status", "restarts", "3", 0},
                                        {"containers", "user", "1337", 0},
                                        {"env", "value", "m", 0}};
    (void)state;
    expect_cells(CRICTL, cells, sizeof cells / sizeof *cells);
}

static void test_nonsense(void **state)
{
    static const char *const texts[] = {
        "[{\"State\":1,\"HostConfig\":[],\"Config\":{\"Env\":7,\"Labels\":[1]}},3,null,[]]",
        "[{\"State\":{\"Status\":\"exited\",\"Health\":{\"Log\":[1]}},\"HostConfig\":{\"CapAdd\":{}"
        "},"
        "\"Config\":{\"Env\":[1,\"=\",\"x\"],\"Healthcheck\":{\"Test\":[1,{}],\"Interval\":-1}}}]",
        "{\"status\":{\"state\":\"CONTAINER_\"},\"info\":3}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        given_text(&given, "x", texts[i]);
        given_release(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_docker),
        cmocka_unit_test(test_crictl),
        cmocka_unit_test(test_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
