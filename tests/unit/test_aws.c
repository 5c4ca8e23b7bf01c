/* Objects of the AWS CLI's answers, kept whole under the name that the answer's top member gives. */
#include "given.h"

static void objects(void **state)
{
    static const char *const answers[][4] = {
        {"{\"SecurityGroups\":[{\"GroupId\":\"sg-1\",\"IpPermissions\":[]}]}",
         "aws.security_groups", "sg-1", "/SecurityGroups/0"},
        {"{\"Role\":{\"RoleName\":\"r\",\"AssumeRolePolicyDocument\":{}}}", "aws.roles", "r",
         "/Role"},
        {"{\"RoleName\":\"r\",\"PolicyName\":\"p\",\"PolicyDocument\":{\"Statement\":[]}}",
         "aws.policies", "p", NULL},
        {"{\"Reservations\":[{\"Instances\":[{\"InstanceId\":\"i-1\"}]}]}", "aws.instances", "i-1",
         "/Reservations/0/Instances/0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct given given;
        given_text(&given, "answer.json", answers[i][0]);
        assert_string_equal(given_kind(&given), "aws");
        assert_int_equal(given_count(&given, answers[i][1]), 1);
        assert_string_equal(given_field(&given, answers[i][1], 0, "id"), answers[i][2]);
        if (answers[i][3])
            assert_string_equal(given_record(&given, answers[i][1], 0)->pointer, answers[i][3]);
        given_release(&given);
    }
}

static void empty_is_an_answer(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "answer.json", "{\"VpcEndpoints\": []}");
    assert_int_equal(evidence_state(given.evidence, "aws.vpc_endpoints"), EVIDENCE_COMPLETE);
    assert_int_equal(given_count(&given, "aws.vpc_endpoints"), 0);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(objects),
                                       cmocka_unit_test(empty_is_an_answer)};
    return cmocka_run_group_tests_name("aws", tests, NULL, NULL);
}
