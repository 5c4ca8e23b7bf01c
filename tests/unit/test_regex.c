/* Named fields of a matching line, and patterns that would eat a CPU. */
#include "base/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_fields(void **state)
{
    struct err err = ERR_INIT;
    struct regex_span spans[5];
    static const char text[] = "skip code=7 rest";
    (void)state;
    struct regex *regex = regex_new("(?<key>code|status)=(?<value>\\d+)(x)?", 0, &err);
    assert_non_null(regex);
    assert_int_equal(regex_groups(regex), 3);
    assert_string_equal(regex_group_name(regex, 1), "key");
    assert_string_equal(regex_group_name(regex, 2), "value");
    assert_null(regex_group_name(regex, 3));
    assert_null(regex_group_name(regex, 9));
    /* Often enough that the translated pattern is used too. */
    for (int i = 0; i < 100; i++) {
        assert_true(regex_match(regex, text, strlen(text), 0, spans, 5));
        assert_int_equal(spans[0].start, 5);
        assert_int_equal(spans[2].start, 10);
        assert_int_equal(spans[2].end, 11);
        assert_true(spans[3].start == (size_t)-1);
        assert_true(spans[4].start == (size_t)-1);
    }
    assert_false(regex_match(regex, text, strlen(text), 6, spans, 5));
    assert_false(regex_match(regex, NULL, 0, 0, spans, 5));
    regex_free(regex);
    regex_free(NULL);
}

static void test_flags_and_bytes(void **state)
{
    struct regex_span span;
    (void)state;
    struct regex *regex = regex_new("^DENIED.x", REGEX_CASELESS | REGEX_MULTILINE, NULL);
    assert_true(regex_match(regex, "a\ndenied\xFFx", 10, 0, &span, 1));
    assert_false(regex_match(regex, "a\ndenied\nx", 10, 0, &span, 1));
    regex_free(regex);
    regex = regex_new("a.b", REGEX_DOTALL, NULL);
    assert_true(regex_match(regex, "a\nb", 3, 0, &span, 1));
    assert_true(regex_match(regex, "a\0b", 3, 0, &span, 1));
    regex_free(regex);
}

static void test_a_hostile_line_fails(void **state)
{
    struct regex_span span;
    char text[64];
    (void)state;
    memset(text, 'a', sizeof text);
    struct regex *regex = regex_new("(a+)+$x", 0, NULL);
    int64_t start = clock_monotonic();
    for (int i = 0; i < 40; i++)
        assert_false(regex_match(regex, text, sizeof text, 0, &span, 1));
    assert_true(clock_monotonic() - start < 20 * CLOCK_SECOND);
    regex_free(regex);
}

static void test_bad_patterns(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    assert_null(regex_new("a(b", 0, &err));
    assert_string_equal(err.text, "pattern 'a(b' is not valid at character 4: missing closing "
                                  "parenthesis");
    assert_null(regex_new("(*UTF)a", 0, &err));
    assert_null(regex_new("a\\Cb", 0, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_flags_and_bytes),
        cmocka_unit_test(test_a_hostile_line_fails),
        cmocka_unit_test(test_bad_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
