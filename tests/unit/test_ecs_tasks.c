/* Tasks and services of ECS as the command line client and EventBridge print them. */
#include "given.h"

#define TASK                                                                                       \
    "{\"taskArn\":\"arn:aws:ecs:us-west-2:111122223333:task/c/abc\",\"lastStatus\":\"STOPPED\","   \
    "\"launchType\":\"FARGATE\",\"stopCode\":\"TaskFailedToStart\",\"stoppedReason\":"             \
    "\"ResourceInitializationError: unable to "                                                    \
    "pull\",\"stoppedAt\":1795248300.25,\"healthStatus\":"                                         \
    "\"UNKNOWN\",\"containers\":[{\"name\":\"envoy\",\"image\":\"e:1\",\"imageDigest\":\"sha256:"  \
    "1\","                                                                                         \
    "\"lastStatus\":\"STOPPED\",\"exitCode\":137,\"healthStatus\":\"UNHEALTHY\",\"reason\":"       \
    "\"CannotPullContainerError: no\"}]}"

static void check_task(const struct given *given)
{
    static const char *const cells[][2] = {{"platform", "ecs"},
                                           {"workload", "abc"},
                                           {"name", "envoy"},
                                           {"image", "e:1"},
                                           {"image_digest", "sha256:1"},
                                           {"state", "STOPPED"},
                                           {"reason", "CannotPullContainerError"},
                                           {"message", "CannotPullContainerError: no"},
                                           {"exit_code", "137"},
                                           {"health", "UNHEALTHY"},
                                           {"stop_code", "TaskFailedToStart"},
                                           {"launch_type", "FARGATE"},
                                           {"account", "111122223333"}};
    assert_string_equal(given_kind(given), "ecs.tasks");
    assert_int_equal(given_count(given, "container_status"), 2);
    assert_string_equal(given_field(given, "container_status", 0, "name"), "");
    assert_string_equal(given_field(given, "container_status", 0, "reason"),
                        "ResourceInitializationError");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_string_equal(given_field(given, "container_status", 1, cells[i][0]), cells[i][1]);
    assert_int_equal(given_record(given, "container_status", 1)->time, 1795248300250000000);
}

static void test_describe_tasks(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "tasks.json", "{\"tasks\":[" TASK "],\"failures\":[]}");
    check_task(&given);
    assert_int_equal(given_count(&given, GIVEN_EVENT), 2);
    assert_string_equal(given_field(&given, GIVEN_EVENT, 1, "image"), "e:1");
    assert_string_equal(given_field(&given, GIVEN_EVENT, 1, "workload"), "abc");
    assert_string_equal(given_record(&given, GIVEN_EVENT, 1)->pointer,
                        "/tasks/0/containers/0/reason");
    assert_string_equal(given_field(&given, "proxy", 0, "platform"), "ecs");
    given_release(&given);
}

static void test_wrappers(void **state)
{
    static const char *const texts[] = {
        TASK, "[" TASK "]", "{\"status_code\":200,\"data\":{\"tasks\":[" TASK "]}}",
        "{\"detail-type\":\"ECS Task State Change\",\"source\":\"aws.ecs\",\"detail\":" TASK "}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        given_text(&given, "x.json", texts[i]);
        check_task(&given);
        given_release(&given);
    }
}

/* The second version of the client prints times as text. */
static void test_times_as_text(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "tasks.json",
               "{\"tasks\":[{\"taskArn\":\"t/1\",\"lastStatus\":\"STOPPED\",\"containers\":[],"
               "\"stoppedAt\":\"2026-11-21T09:05:00+01:00\"}]}");
    assert_int_equal(given_record(&given, "container_status", 0)->time, 1795248300000000000);
    given_release(&given);
}

static void test_services(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "services.json",
        "{\"services\":[{\"serviceArn\":\"arn\",\"serviceName\":\"web\",\"events\":[{\"id\":\"1\","
        "\"createdAt\":1795248300,\"message\":\"(service web) was unable to place a task\"}]}]}");
    assert_int_equal(given_count(&given, GIVEN_EVENT), 1);
    assert_string_equal(given_field(&given, GIVEN_EVENT, 0, "workload"), "web");
    assert_int_equal(evidence_state(given.evidence, "container_status"), EVIDENCE_ABSENT);
    given_release(&given);
}

static void test_missing_task(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "tasks.json",
               "{\"tasks\":[],\"failures\":[{\"arn\":\"arn:aws:ecs:r:1:task/containers/lastStatus/"
               "taskArn\",\"reason\":\"MISSING\"}]}");
    assert_non_null(given_problem(&given));
    assert_non_null(strstr(given_problem(&given), "about an hour"));
    given_release(&given);
}

static void test_hostile(void **state)
{
    static const char *const texts[] = {
        "{\"tasks\":[{\"taskArn\":7,\"containers\":{\"lastStatus\":[]},\"stoppedAt\":1e300}]}",
        "{\"tasks\":[null,[],\"taskArn containers lastStatus\"]}",
        "{\"data\":{\"data\":{\"tasks\":[{\"taskArn\":\"\",\"containers\":[3],\"lastStatus\":1}]}}"
        "}",
        "{\"tasks\":[{\"taskArn\":\"a\",\"containers\":[{\"lastStatus\":\"x\""};
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
        cmocka_unit_test(test_describe_tasks), cmocka_unit_test(test_wrappers),
        cmocka_unit_test(test_times_as_text),  cmocka_unit_test(test_services),
        cmocka_unit_test(test_missing_task),   cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
