/* Templates and halves of manifests: what is there is read, what is not is named. */
#include "given.h"

static void test_bare_names(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "t.json",
               "{\"family\": $NAME,\n \"networkMode\": \"awsvpc\",\n \"containerDefinitions\": [\n"
               "  {\"name\": \"app\", \"image\": ${IMAGE},\n   \"user\": {{ user }},\n"
               "   \"command\": [\"echo ${HOME}\"],\n   \"portMappings\": [{\"containerPort\": "
               "80}]},\n  $ENVOY\n ]}\n");
    assert_int_equal(given_count(&given, "containers"), 1);
    assert_string_equal(given_field(&given, "containers", 0, "ports"), "80");
    assert_string_equal(given_field(&given, "containers", 0, "image"), "(none)");
    assert_string_equal(given_field(&given, "containers", 0, "user"), "(none)");
    assert_non_null(strstr(given_problem(&given), "$NAME (line 1)"));
    assert_non_null(strstr(given_problem(&given), "{{ user }} (line 5)"));
    assert_int_equal(evidence_state(given.evidence, "containers"), EVIDENCE_COMPLETE);
    given_release(&given);
}

static void test_inside_texts(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "t.json",
               "{\"family\":\"f\",\"proxyConfiguration\":{\"type\":\"APPMESH\",\"properties\":[{"
               "\"name\":\"AppPorts\",\"value\":\"${PORT}\"},{\"name\":\"IgnoredUID\",\"value\":"
               "\"1337\"}]},\"containerDefinitions\":[]}");
    assert_string_equal(given_field(&given, "capture", 0, "app_ports"), "(none)");
    assert_string_equal(given_field(&given, "capture", 0, "unknown"), "app_ports");
    assert_string_equal(given_field(&given, "capture", 0, "uid"), "1337");
    given_release(&given);
}

static void test_half(void **state)
{
    static const char *const halves[] = {
        "{\"networkMode\":\"awsvpc\",\"containerDefinitions\":[{\"name\":\"app\"},{\"name\":\"en",
        "networkMode: awsvpc\ncontainerDefinitions:\n- name: app\n- {name: [x\n"};
    (void)state;
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        struct given given;
        given_text(&given, "t", halves[i]);
        assert_string_equal(given_field(&given, "containers", 0, "name"), "app");
        assert_int_equal(evidence_state(given.evidence, "containers"), EVIDENCE_PARTIAL);
        given_release(&given);
    }
}

static void test_kubernetes(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "t.yaml",
               "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"
               "  - {name: a, image: \"${IMAGE}\", args: [\"$(X) ${HOME}\"]}\n");
    assert_string_equal(given_field(&given, "containers", 0, "image"), "(none)");
    assert_non_null(strstr(given_problem(&given), "${IMAGE} (line 6)"));
    given_release(&given);
    /* an answer of the cluster is what it is */
    given_text(
        &given, "t.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"uid\":\"1\"},"
        "\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"${IMAGE}\"}]}}");
    assert_string_equal(given_field(&given, "containers", 0, "image"), "${IMAGE}");
    given_release(&given);
}

static void test_helm_source(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "t.yaml",
               "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n"
               "  {{- include \"x\" . | nindent 2 }}\n");
    assert_non_null(strstr(given_problem(&given), "render it first"));
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bare_names),  cmocka_unit_test(test_inside_texts),
        cmocka_unit_test(test_half),        cmocka_unit_test(test_kubernetes),
        cmocka_unit_test(test_helm_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
