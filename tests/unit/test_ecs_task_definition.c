/* Task definitions, as described and as registered. */
#include "given.h"

#define DEFINITION                                                                                 \
    "{\"family\":\"shop\",\"revision\":3,\"networkMode\":\"awsvpc\",\"taskRoleArn\":\"role/t\","   \
    "\"executionRoleArn\":\"role/e\",\"requiresCompatibilities\":[\"EC2\",\"FARGATE\"],"           \
    "\"runtimePlatform\":{\"cpuArchitecture\":\"ARM64\"},\"containerDefinitions\":[{\"name\":"     \
    "\"envoy\",\"image\":\"e:1\",\"user\":\"1337\",\"linuxParameters\":{\"capabilities\":{"        \
    "\"add\":"                                                                                     \
    "[\"NET_BIND_SERVICE\"]}},\"portMappings\":[{\"containerPort\":80}],\"environment\":[{"        \
    "\"name\":"                                                                                    \
    "\"A\",\"value\":\"1\"}],\"secrets\":[{\"name\":\"S\",\"valueFrom\":\"arn\"}],"                \
    "\"healthCheck\":"                                                                             \
    "{\"command\":[\"CMD-SHELL\",\"curl -s "                                                       \
    "x\"],\"interval\":5,\"startPeriod\":10}},{\"name\":\"app\","                                  \
    "\"systemControls\":[{\"namespace\":\"net.ipv4.ip_unprivileged_port_start\",\"value\":\"0\"}]" \
    "}]}"

static void check_definition(const struct given *given)
{
    static const char *const cells[][2] = {{"platform", "ecs"},
                                           {"kind", "TaskDefinition"},
                                           {"workload", "shop:3"},
                                           {"name", "envoy"},
                                           {"user", "1337"},
                                           {"caps_add", "NET_BIND_SERVICE"},
                                           {"network_mode", "awsvpc"},
                                           {"ports", "80"},
                                           {"launch_type", "EC2,FARGATE"},
                                           {"execution_role", "role/e"},
                                           {"task_role", "role/t"},
                                           {"cpu_architecture", "ARM64"},
                                           /* set by the other container of the same network */
                                           {"unprivileged_port_start", "0"}};
    assert_string_equal(given_kind(given), "ecs.task_definition");
    assert_int_equal(given_count(given, "containers"), 2);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_string_equal(given_field(given, "containers", 0, cells[i][0]), cells[i][1]);
}

static void test_shapes(void **state)
{
    static const char *const texts[] = {DEFINITION,
                                        "{\"taskDefinition\":" DEFINITION ",\"tags\":[]}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        given_text(&given, "definition", texts[i]);
        check_definition(&given);
        given_release(&given);
    }
}

static void test_variables_and_health_check(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "definition.json", DEFINITION);
    assert_int_equal(given_count(&given, "env"), 2);
    assert_string_equal(given_field(&given, "env", 0, "value"), "1");
    assert_string_equal(given_field(&given, "env", 1, "name"), "S");
    assert_string_equal(given_field(&given, "env", 1, "value"), "(none)");
    assert_int_equal(given_count(&given, "probes"), 1);
    assert_string_equal(given_field(&given, "probes", 0, "command"), "CMD-SHELL curl -s x");
    assert_string_equal(given_field(&given, "probes", 0, "period_s"), "5");
    assert_string_equal(given_field(&given, "probes", 0, "timeout_s"), "5");
    assert_string_equal(given_field(&given, "probes", 0, "delay_s"), "10");
    given_release(&given);
}

/* A template before its values were filled in: read as far as it goes, nothing guessed. */
static void test_template(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "definition.json",
               "{\n  \"family\": $NAME,\n  \"containerDefinitions\": [{\"name\": \"app\"}]\n}\n");
    assert_string_equal(given_kind(&given), "ecs.task_definition");
    assert_non_null(given_problem(&given));
    assert_non_null(strstr(given_problem(&given), "line 2"));
    assert_string_equal(given_field(&given, "containers", 0, "name"), "app");
    assert_string_equal(given_field(&given, "containers", 0, "workload"), "");
    given_release(&given);
}

static void test_hostile(void **state)
{
    static const char *const texts[] = {
        "{\"family\":[],\"revision\":\"x\",\"containerDefinitions\":[null,4,{\"environment\":{}}]}",
        "{\"taskDefinition\":{\"containerDefinitions\":{\"a\":1}}}",
        "{\"family\":\"f\",\"containerDefinitions\":[{\"healthCheck\":[],\"secrets\":[1]}]"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        given_text(&given, "hostile", texts[i]);
        given_release(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_variables_and_health_check),
        cmocka_unit_test(test_template),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
