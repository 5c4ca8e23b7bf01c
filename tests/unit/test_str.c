/* Text helpers: the edges, because everything hostile passes through them. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MARK "\xEF\xBF\xBD"

static void test_globs(void **state)
{
    (void)state;
    assert_true(str_glob("", ""));
    assert_true(str_glob("*", ""));
    assert_true(str_glob("cluster.*.cx_*", "cluster.a.b.cx_total"));
    assert_true(str_glob("a*b*c", "a__b__b__c"));
    assert_true(str_glob("?x", "ax"));
    assert_false(str_glob("?x", "x"));
    assert_false(str_glob("a*b", "a__c"));
    assert_false(str_glob("abc", "abcd"));
    assert_false(str_glob("*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void test_integers(void **state)
{
    int64_t value = 7;
    (void)state;
    assert_true(str_to_int64("9223372036854775807", &value));
    assert_int_equal(value, INT64_MAX);
    assert_true(str_to_int64("-9223372036854775808", &value));
    assert_int_equal(value, INT64_MIN);
    assert_false(str_to_int64("9223372036854775808", &value));
    assert_false(str_to_int64("-9223372036854775809", &value));
    assert_false(str_to_int64("", &value));
    assert_false(str_to_int64("-", &value));
    assert_false(str_to_int64("1 ", &value));
    assert_false(str_to_int64("0x1", &value));
    assert_int_equal(value, INT64_MIN);
}

static void test_doubles(void **state)
{
    double value = 0;
    (void)state;
    assert_true(str_to_double("-1.5e3", &value));
    assert_true(value == -1500.0);
    assert_false(str_to_double("nan", &value));
    assert_false(str_to_double("inf", &value));
    assert_false(str_to_double("0x10", &value));
    assert_false(str_to_double("1e999", &value));
    assert_false(str_to_double("", &value));
    assert_false(str_to_double("1,5", &value));
}

static void test_durations(void **state)
{
    int64_t ms = 0;
    (void)state;
    assert_true(str_to_duration("500ms", &ms));
    assert_int_equal(ms, 500);
    assert_true(str_to_duration("1m30s", &ms));
    assert_int_equal(ms, 90000);
    assert_true(str_to_duration("2h", &ms));
    assert_int_equal(ms, 7200000);
    assert_true(str_to_duration("0.25s", &ms));
    assert_int_equal(ms, 250);
    assert_false(str_to_duration("10", &ms));
    assert_false(str_to_duration("", &ms));
    assert_false(str_to_duration("-1s", &ms));
    assert_false(str_to_duration("s", &ms));
    assert_false(str_to_duration("1..2s", &ms));
    assert_false(str_to_duration("999999999999999999d", &ms));
}

static void assert_utf8(const char *bytes, size_t len, const char *expected)
{
    char out[64];
    size_t used = str_to_utf8(out, sizeof out, bytes, len);
    assert_int_equal(used, strlen(expected));
    assert_string_equal(out, expected);
}

static void test_utf8(void **state)
{
    (void)state;
    assert_utf8("a\tb\n\xC3\xA9\xF0\x9F\x98\x80", 10, "a\tb\n\xC3\xA9\xF0\x9F\x98\x80");
    assert_utf8("a\0b", 3, "a" MARK "b");
    assert_utf8("\x1B[0m", 4, MARK "[0m");
    assert_utf8("\x7F", 1, MARK);
    assert_utf8("\xC2\x85", 2, MARK);                        /* a control character of two bytes */
    assert_utf8("\xC0\xAF", 2, MARK MARK);                   /* overlong */
    assert_utf8("\xED\xA0\x80", 3, MARK MARK MARK);          /* a surrogate */
    assert_utf8("\xF4\x90\x80\x80", 4, MARK MARK MARK MARK); /* above U+10FFFF */
    assert_utf8("\xE2\x82", 2, MARK);                        /* cut: one mark for what is there */
    assert_utf8("\xE2\x82x", 3, MARK "x");
    assert_utf8("\xFF\xFE", 2, MARK MARK);
}

static void test_utf8_ends_at_a_character(void **state)
{
    char out[5];
    (void)state;
    assert_int_equal(str_to_utf8(out, sizeof out, "abc\xC3\xA9", 5), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(str_to_utf8(out, 1, "abc", 3), 0);
    assert_string_equal(out, "");
    assert_int_equal(str_to_utf8(out, 0, "abc", 3), 0);
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    assert_true(str_is_utf8(""));
    assert_true(str_is_utf8("a\x1b\xC3\xA9\xF0\x9F\x98\x80"));
    assert_false(str_is_utf8("a\xFF"));
    assert_false(str_is_utf8("\xED\xA0\x80")); /* a surrogate */
    assert_false(str_is_utf8("cut \xE2\x82"));
}

static void test_ends(void **state)
{
    (void)state;
    assert_true(str_starts("envoy.log", "envoy"));
    assert_false(str_starts("en", "envoy"));
    assert_true(str_ends("envoy.log", ".log"));
    assert_false(str_ends("log", ".log"));
    assert_true(str_equal(NULL, NULL));
    assert_false(str_equal(NULL, ""));
    assert_true(str_equal("a", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_globs),   cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles), cmocka_unit_test(test_durations),
        cmocka_unit_test(test_utf8),    cmocka_unit_test(test_utf8_ends_at_a_character),
        cmocka_unit_test(test_ends),    cmocka_unit_test(utf8_is_told_from_other_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
