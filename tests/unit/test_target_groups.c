/* Target groups: what a load balancer asks of its targets. */
#include "given.h"

static void test_groups(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "groups",
        "{\"TargetGroups\":[{\"TargetGroupArn\":\"arn:g\",\"TargetGroupName\":\"gw\",\"Protocol\":"
        "\"HTTP\",\"ProtocolVersion\":\"GRPC\",\"Port\":80,\"HealthCheckProtocol\":\"HTTP\","
        "\"HealthCheckPort\":\"traffic-port\",\"HealthCheckPath\":\"/ping\",\"Matcher\":"
        "{\"GrpcCode\":\"0\"},\"TargetType\":\"ip\"}]}");
    static const char *const cells[][2] = {{"arn", "arn:g"},
                                           {"name", "gw"},
                                           {"protocol", "HTTP"},
                                           {"protocol_version", "GRPC"},
                                           {"port", "80"},
                                           {"check_protocol", "HTTP"},
                                           {"check_port", "traffic-port"},
                                           {"check_path", "/ping"},
                                           {"matcher", "0"},
                                           {"target_type", "ip"}};
    assert_string_equal(given_kind(&given), "aws.target_groups");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_string_equal(given_field(&given, "aws.target_groups", 0, cells[i][0]), cells[i][1]);
    given_release(&given);
}

static void test_odd_shapes(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "groups", "{\"TargetGroups\":[1,null,{\"Matcher\":[]}]}");
    assert_int_equal(given_count(&given, "aws.target_groups"), 3);
    assert_string_equal(given_field(&given, "aws.target_groups", 2, "matcher"), "(none)");
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_odd_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
