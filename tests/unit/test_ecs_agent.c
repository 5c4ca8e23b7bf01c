/* ECS tasks as the instance tells of them: metadata endpoint, introspection, state file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "given.h"

static void metadata(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "task.json",
        "{\"Cluster\":\"c\",\"TaskARN\":\"arn:aws:ecs:eu-west-2:111122223333:task/c/a22c\","
        "\"KnownStatus\":\"RUNNING\",\"LaunchType\":\"FARGATE\",\"Containers\":[{\"Name\":"
        "\"envoy\","
        "\"Image\":\"i:1\",\"ImageID\":\"sha256:aa\",\"KnownStatus\":\"RUNNING\",\"ExitCode\":137,"
        "\"StartedAt\":\"2026-11-20T07:00:00Z\",\"Health\":{\"status\":\"UNHEALTHY\"}}]}");
    assert_string_equal(given_kind(&given), "ecs.agent");
    assert_int_equal(given_count(&given, "container_status"), 2);
    assert_string_equal(given_field(&given, "container_status", 0, "workload"), "a22c");
    assert_string_equal(given_field(&given, "container_status", 0, "launch_type"), "FARGATE");
    assert_string_equal(given_field(&given, "container_status", 1, "name"), "envoy");
    assert_string_equal(given_field(&given, "container_status", 1, "health"), "UNHEALTHY");
    assert_string_equal(given_field(&given, "container_status", 1, "exit_code"), "137");
    assert_string_equal(given_field(&given, "container_status", 1, "image_digest"), "sha256:aa");
    given_release(&given);
}

static void state_file(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "ecs_agent_data.txt",
        "{\"Data\":{\"Cluster\":\"c\",\"TaskEngine\":{\"Tasks\":[{\"Arn\":\"arn:aws:ecs:us-west-2:"
        "1:task/e4e6\","
        "\"KnownStatus\":\"STOPPED\",\"KnownTime\":\"2026-11-20T07:00:00Z\",\"Containers\":[{"
        "\"Name\":\"envoy\","
        "\"Image\":\"i:1\",\"KnownStatus\":\"NONE\",\"KnownExitCode\":null,\"ApplyingError\":"
        "{\"error\":\"API error (404): not "
        "found\",\"name\":\"CannotPullContainerError\"}}]}]}},\"Version\":10}");
    assert_string_equal(given_field(&given, "container_status", 1, "reason"),
                        "CannotPullContainerError");
    assert_string_equal(given_field(&given, "container_status", 1, "exit_code"), "(none)");
    assert_int_equal(given_count(&given, GIVEN_EVENT), 1);
    given_release(&given);
}

static void introspection(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "agent-running-info.txt",
        "{\"Tasks\":[{\"Arn\":\"arn:aws:ecs:us-west-2:1:task/c/e4\",\"KnownStatus\":\"RUNNING\","
        "\"Containers\":[{\"DockerId\":\"d\",\"DockerName\":\"ecs-d\",\"Name\":\"envoy\"}]}]}");
    assert_int_equal(given_count(&given, "container_status"), 2);
    assert_string_equal(given_field(&given, "container_status", 1, "workload"), "e4");
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(metadata), cmocka_unit_test(state_file),
                                       cmocka_unit_test(introspection)};
    return cmocka_run_group_tests_name("ecs_agent", tests, NULL, NULL);
}
