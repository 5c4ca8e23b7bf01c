/* Pods, pod templates and lists of them, from JSON and YAML. */
#include "given.h"

static const char deployment[] =
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata:\n"
    "  name: gateway\n"
    "  namespace: edge\n"
    "spec:\n"
    "  template:\n"
    "    spec:\n"
    "      hostNetwork: true\n"
    "      serviceAccountName: gw\n"
    "      nodeSelector: {kubernetes.io/arch: arm64}\n"
    "      securityContext:\n"
    "        runAsUser: 1337\n"
    "        sysctls:\n"
    "        - {name: net.ipv4.ip_unprivileged_port_start, value: \"0\"}\n"
    "      initContainers:\n"
    "      - {name: proxyinit, image: init:1}\n"
    "      - {name: early, image: side:1, restartPolicy: Always}\n"
    "      containers:\n"
    "      - name: envoy\n"
    "        image: envoy:v1.36.4\n"
    "        securityContext:\n"
    "          runAsUser: 101\n"
    "          allowPrivilegeEscalation: false\n"
    "          capabilities: {add: [NET_BIND_SERVICE, NET_ADMIN], drop: [ALL]}\n"
    "        ports: [{containerPort: 80}, {containerPort: 443}]\n"
    "        env:\n"
    "        - {name: ENVOY_LOG_LEVEL, value: debug}\n"
    "        - {name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n"
    "        readinessProbe:\n"
    "          httpGet: {path: /ready, port: 9901}\n"
    "          timeoutSeconds: 2\n"
    "        livenessProbe:\n"
    "          exec: {command: [curl, -s, localhost]}\n";

static void test_template(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "gateway.txt", deployment);
    assert_string_equal(given_kind(&given), "kubernetes");
    assert_int_equal(given_count(&given, "containers"), 3);
    assert_string_equal(given_field(&given, "containers", 0, "name"), "proxyinit");
    assert_string_equal(given_field(&given, "containers", 0, "init"), "yes");
    assert_string_equal(given_field(&given, "containers", 0, "user"), "1337");
    assert_string_equal(given_field(&given, "containers", 1, "init"), "(none)");
    static const char *const cells[][2] = {{"platform", "kubernetes"},
                                           {"kind", "Deployment"},
                                           {"workload", "edge/gateway"},
                                           {"image", "envoy:v1.36.4"},
                                           {"user", "101"},
                                           {"caps_add", "NET_BIND_SERVICE,NET_ADMIN"},
                                           {"caps_drop", "ALL"},
                                           {"allow_privilege_escalation", "no"},
                                           {"host_network", "yes"},
                                           {"unprivileged_port_start", "0"},
                                           {"ports", "80,443"},
                                           {"service_account", "gw"},
                                           {"cpu_architecture", "ARM64"}};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_string_equal(given_field(&given, "containers", 2, cells[i][0]), cells[i][1]);
    assert_string_equal(given_record(&given, "containers", 2)->pointer,
                        "/spec/template/spec/containers/0");
    given_release(&given);
}

static void test_variables_and_probes(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "gateway.yaml", deployment);
    assert_int_equal(given_count(&given, "env"), 2);
    assert_string_equal(given_field(&given, "env", 0, "name"), "ENVOY_LOG_LEVEL");
    assert_string_equal(given_field(&given, "env", 0, "value"), "debug");
    assert_string_equal(given_field(&given, "env", 0, "container"), "envoy");
    assert_string_equal(given_field(&given, "env", 1, "value"), "(none)");
    assert_int_equal(given_count(&given, "probes"), 2);
    assert_string_equal(given_field(&given, "probes", 0, "type"), "http");
    assert_string_equal(given_field(&given, "probes", 0, "port"), "9901");
    assert_string_equal(given_field(&given, "probes", 0, "timeout_s"), "2");
    assert_string_equal(given_field(&given, "probes", 0, "period_s"), "10");
    assert_string_equal(given_field(&given, "probes", 1, "kind"), "liveness");
    assert_string_equal(given_field(&given, "probes", 1, "command"), "curl -s localhost");
    given_release(&given);
}

/* A manifest says nothing about how its containers fare, and must not look as if it did. */
static void test_manifest_has_no_status(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "gateway.yaml", deployment);
    assert_int_equal(evidence_state(given.evidence, "containers"), EVIDENCE_COMPLETE);
    assert_int_equal(evidence_state(given.evidence, "container_status"), EVIDENCE_ABSENT);
    assert_int_equal(evidence_state(given.evidence, "text"), EVIDENCE_ABSENT);
    given_release(&given);
}

static void test_non_root_without_a_number(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "pod.json",
               "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},"
               "\"spec\":{\"securityContext\":{\"runAsNonRoot\":true},"
               "\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"N\",\"value\":7}]}]}}");
    assert_string_equal(given_field(&given, "containers", 0, "user"), "non-root");
    assert_string_equal(given_field(&given, "containers", 0, "workload"), "p");
    assert_string_equal(given_field(&given, "env", 0, "value"), "7");
    given_release(&given);
}

static void test_documents_in_a_row(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "all.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n---\n"
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\n"
        "spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: job}]}}}}}\n---\n"
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Pod, metadata: {name: q}, spec: {containers: [{name: x}]}}\n");
    assert_int_equal(given_count(&given, "containers"), 2);
    assert_string_equal(given_field(&given, "containers", 0, "kind"), "CronJob");
    assert_string_equal(given_record(&given, "containers", 1)->pointer,
                        "/2/items/0/spec/containers/0");
    given_release(&given);
}

static const char pods[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"metadata\":{},\"items\":[{\"metadata\":{"
    "\"name\":"
    "\"web-1\",\"namespace\":\"default\"},\"spec\":{\"containers\":[{\"name\":\"app\",\"image\":"
    "\"a:1\"}]"
    "},\"status\":{\"phase\":\"Pending\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]"
    ","
    "\"initContainerStatuses\":[{\"name\":\"init\",\"image\":\"i:1\",\"restartCount\":0,\"state\":"
    "{\"terminated\":{\"reason\":\"Completed\",\"exitCode\":0,\"finishedAt\":\"2026-11-21T08:00:"
    "00Z\"}}}],"
    "\"containerStatuses\":[{\"name\":\"app\",\"image\":\"a:1\",\"imageID\":\"docker.io/"
    "a@sha256:abc\","
    "\"ready\":false,\"restartCount\":4,\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\","
    "\"message\":\"back-off restarting\"}},\"lastState\":{\"terminated\":{\"reason\":\"OOMKilled\","
    "\"exitCode\":137,\"message\":\"last words\",\"finishedAt\":\"2026-11-21T09:00:00Z\"}}}]}}]}";

static void test_status(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "pods.json", pods);
    assert_string_equal(given_field(&given, "containers", 0, "kind"), "Pod");
    assert_int_equal(given_count(&given, "container_status"), 3);
    assert_string_equal(given_field(&given, "container_status", 0, "name"), "");
    assert_string_equal(given_field(&given, "container_status", 0, "state"), "Pending");
    assert_string_equal(given_field(&given, "container_status", 0, "health"), "unready");
    assert_string_equal(given_field(&given, "container_status", 1, "init"), "yes");
    assert_string_equal(given_field(&given, "container_status", 1, "exit_code"), "0");
    static const char *const cells[][2] = {
        {"workload", "default/web-1"},  {"state", "waiting"},
        {"reason", "CrashLoopBackOff"}, {"restarts", "4"},
        {"exit_code", "137"},           {"last_reason", "OOMKilled"},
        {"health", "unready"},          {"image_digest", "sha256:abc"}};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_string_equal(given_field(&given, "container_status", 2, cells[i][0]), cells[i][1]);
    assert_int_equal(given_record(&given, "container_status", 2)->time / 1000000000, 1795251600);
    given_release(&given);
}

static void test_messages_are_scanned(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "pods.json", pods);
    assert_int_equal(given_count(&given, GIVEN_EVENT), 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(given_field(&given, GIVEN_EVENT, i, "origin"), "kubernetes");
        assert_string_equal(given_field(&given, GIVEN_EVENT, i, "container"), "app");
        assert_string_equal(given_field(&given, GIVEN_EVENT, i, "image"), "a:1");
        assert_string_equal(given_field(&given, GIVEN_EVENT, i, "workload"), "default/web-1");
    }
    given_release(&given);
}

/* Two answers of kubectl in one file. */
static void test_objects_in_a_row(void **state)
{
#define POD(name)                                                                                  \
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"name\":\"" name "\"}]}}" \
    "\n"
    struct given given;
    (void)state;
    given_text(&given, "pods.json", POD("a") POD("b"));
    assert_int_equal(given_count(&given, "containers"), 2);
    assert_string_equal(given_field(&given, "containers", 1, "name"), "b");
    given_release(&given);
}

/* The kind of a list stands at its end, where recognition does not look. */
static void test_long_list(void **state)
{
    static const char head[] =
        "{\"apiVersion\":\"v1\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
        "\"metadata\":{\"name\":\"p\",\"annotations\":{\"long\":\"";
    static const char tail[] =
        "\"}},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}],\"kind\":\"List\"}";
    struct given given;
    char *text = malloc(200000);
    (void)state;
    memset(text, 'x', 200000);
    memcpy(text, head, strlen(head));
    memcpy(text + 199999 - strlen(tail), tail, sizeof tail);
    given_text(&given, "pods.json", text);
    assert_string_equal(given_kind(&given), "kubernetes");
    assert_string_equal(given_field(&given, "containers", 0, "name"), "a");
    given_release(&given);
    free(text);
}

/* Broken shapes are problems or nothing, never a crash. */
/* What came before a broken document is not all there is. */
static void test_broken_document_behind(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "all.yaml",
               "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n"
               "  - {name: c}\n---\na: b\n c: d\n");
    assert_int_equal(evidence_count(given.evidence, "containers"), 1);
    assert_int_equal(evidence_state(given.evidence, "containers"), EVIDENCE_PARTIAL);
    assert_int_equal(evidence_state(given.evidence, "k8s.pods"), EVIDENCE_PARTIAL);
    assert_string_equal(given_problem(&given),
                        "not YAML at line 9: mapping values are not allowed in this context");
    given_release(&given);
}

static void test_hostile(void **state)
{
    static const char *const texts[] = {
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[",
        "{\"apiVersion\":1,\"kind\":[],\"metadata\":3,\"spec\":{\"containers\":[1,null,{\"env\":7}]"
        "},"
        "\"status\":{\"containerStatuses\":[{\"state\":[]},4]}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[[],{},\"x\"]}",
        "apiVersion: v1\nkind: Pod\nspec:\n  containers: {a: b}\n",
        "apiVersion: v1\nkind: Pod\nspec: &a\n  containers: *a\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        given_text(&given, "hostile", texts[i]);
        if (i == 0)
            assert_non_null(given_problem(&given));
        given_release(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_template),
        cmocka_unit_test(test_variables_and_probes),
        cmocka_unit_test(test_manifest_has_no_status),
        cmocka_unit_test(test_non_root_without_a_number),
        cmocka_unit_test(test_documents_in_a_row),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_messages_are_scanned),
        cmocka_unit_test(test_objects_in_a_row),
        cmocka_unit_test(test_long_list),
        cmocka_unit_test(test_broken_document_behind),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
