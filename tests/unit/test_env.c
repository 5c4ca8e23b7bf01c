/* Environment variables in every shape that people save them in. */
#include "given.h"

static void test_shapes(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "anything",
               "# proxy\nENVOY_LOG_LEVEL=debug\nexport A=\"two words\"\ndeclare -x B='c'\n"
               "EMPTY=\nURL=http://x/?a=b\r\n");
    assert_string_equal(given_kind(&given), "env");
    assert_int_equal(given_count(&given, "env"), 5);
    assert_string_equal(given_field(&given, "env", 0, "name"), "ENVOY_LOG_LEVEL");
    assert_string_equal(given_field(&given, "env", 1, "value"), "two words");
    assert_string_equal(given_field(&given, "env", 2, "value"), "c");
    assert_string_equal(given_field(&given, "env", 3, "value"), "");
    assert_string_equal(given_field(&given, "env", 4, "value"), "http://x/?a=b");
    assert_int_equal(given_record(&given, "env", 0)->line, 2);
    given_release(&given);
}

static void test_environ(void **state)
{
    static const char bytes[] = "PATH=/bin\0AWS_REGION=us-west-2\0HOME=/";
    struct given given;
    (void)state;
    given_bytes(&given, "environ", bytes, sizeof bytes);
    assert_string_equal(given_kind(&given), "env");
    assert_int_equal(given_count(&given, "env"), 3);
    assert_string_equal(given_field(&given, "env", 1, "value"), "us-west-2");
    given_release(&given);
}

/* Lines of NAME=value that are something else. */
static void test_not_variables(void **state)
{
    static const char *const texts[] = {
        "time=\"2018-08-23T03:09:05Z\" level=error msg=\"no\"\ntime=\"x\" level=info msg=\"y\"\n",
        "net.ipv4.ip_unprivileged_port_start = 1024\n", "the answer\nA=1\nis somewhere\nelse\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        given_text(&given, "x.txt", texts[i]);
        assert_string_not_equal(given_kind(&given), "env");
        given_release(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_environ),
        cmocka_unit_test(test_not_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
