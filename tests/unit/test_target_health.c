/* Health of targets, and the target groups that ask for it. */
#include "given.h"

static void test_targets(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "health",
        "{\"TargetHealthDescriptions\":[{\"Target\":{\"Id\":\"10.0.3.7\",\"Port\":8080,"
        "\"AvailabilityZone\":\"us-west-2a\"},\"HealthCheckPort\":\"8081\",\"TargetHealth\":"
        "{\"State\":\"unhealthy\",\"Reason\":\"Target.ResponseCodeMismatch\",\"Description\":"
        "\"Health checks failed with these codes: [404]\"}},{\"Target\":{\"Id\":\"i-1\"},"
        "\"TargetHealth\":{\"State\":\"healthy\"}}]}");
    static const char *const cells[][2] = {
        {"target", "10.0.3.7"},
        {"port", "8080"},
        {"check_port", "8081"},
        {"zone", "us-west-2a"},
        {"state", "unhealthy"},
        {"reason", "Target.ResponseCodeMismatch"},
        {"description", "Health checks failed with these codes: [404]"}};
    assert_string_equal(given_kind(&given), "aws.target_health");
    assert_int_equal(given_count(&given, "aws.target_health"), 2);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_string_equal(given_field(&given, "aws.target_health", 0, cells[i][0]), cells[i][1]);
    assert_string_equal(given_field(&given, "aws.target_health", 1, "reason"), "(none)");
    assert_int_equal(evidence_state(given.evidence, "aws.target_health"), EVIDENCE_COMPLETE);
    given_release(&given);
}

static void test_cut_short(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "health", "{\"TargetHealthDescriptions\":[{\"Target\":{\"Id\":\"10.0");
    assert_string_equal(given_kind(&given), "aws.target_health");
    assert_non_null(given_problem(&given));
    assert_int_equal(evidence_state(given.evidence, "aws.target_health"), EVIDENCE_PARTIAL);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
