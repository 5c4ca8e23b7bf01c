/* Times in every shape that logs print, and nothing that only looks like one. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 2026-11-21T08:00:00Z */
#define EIGHT (INT64_C(1795248000) * CLOCK_SECOND)
#define MS    (CLOCK_SECOND / 1000)

static void assert_time(const char *text, size_t used, int64_t expected)
{
    int64_t ns = -1;
    assert_int_equal(clock_parse(text, strlen(text), &ns), used);
    if (used)
        assert_int_equal(ns, expected);
}

static void test_full_dates(void **state)
{
    (void)state;
    assert_time("2026-11-21T08:00:00Z", 20, EIGHT);
    assert_time("2026-11-21 08:00:00.123][1][info]", 23, EIGHT + 123 * MS);
    assert_time("2026-11-21 08:00:00,5 x", 21, EIGHT + 500 * MS);
    assert_time("2026-11-21T08:00:00.123456789Z stdout F", 30, EIGHT + 123456789);
    assert_time("2026-11-21T08:00:00.1234567891Z", 31, EIGHT + 123456789);
    assert_time("2026-11-21T09:00:00+01:00", 25, EIGHT);
    assert_time("2026-11-21T03:00:00.5-0500", 26, EIGHT + 500 * MS);
    assert_time("2026-11-21T08:00:00.000000+00:00", 32, EIGHT);
    assert_time("2026-11-21 09:00:00 +0100 CET", 25, EIGHT);
    assert_time("2026-11-21 08:00:00 -12 apples", 19, EIGHT);
    assert_time("2026/11/21 08:00:00 [INFO]", 19, EIGHT);
    assert_time("2024-02-29T00:00:00Z", 20, INT64_C(1709164800) * CLOCK_SECOND);
}

static void test_no_dates(void **state)
{
    (void)state;
    assert_time("", 0, 0);
    assert_time("2026-11-21", 0, 0);
    assert_time("2026-13-21T08:00:00Z", 0, 0);
    assert_time("2026-02-29T08:00:00Z", 0, 0);
    assert_time("2026-11-21T24:00:00Z", 0, 0);
    assert_time("2026-11/21T08:00:00Z", 0, 0);
    assert_time("9999-11-21T08:00:00Z", 0, 0);
    assert_time("[2026-11-21T08:00:00Z", 0, 0);
    assert_time("Nov 32 08:00:00", 0, 0);
    assert_time("Nix 21 08:00:00", 0, 0);
    assert_time("123456789012", 0, 0);
    assert_time("1795248000abc", 0, 0);
    assert_time("179524800", 0, 0);
}

static void test_a_cut_text(void **state)
{
    static const char text[] = "2026-11-21T08:00:00.123Z";
    int64_t ns;
    (void)state;
    for (size_t len = 0; len < 19; len++)
        assert_int_equal(clock_parse(text, len, &ns), 0);
    assert_int_equal(clock_parse(text, 19, &ns), 19);
    assert_int_equal(ns, EIGHT);
}

static void test_epochs(void **state)
{
    (void)state;
    assert_time("1795248000", 10, EIGHT);
    assert_time("1795248000.25 x", 13, EIGHT + 250 * MS);
    assert_time("1795248000123,", 13, EIGHT + 123 * MS);
}

static void test_without_year(void **state)
{
    (void)state;
    setenv("DEBRIEF_NOW", "2026-11-21T09:00:00Z", 1);
    assert_time("Nov 21 08:00:00 host envoy", 15, EIGHT);
    assert_time("Nov  1 08:00:00.5", 17, EIGHT - 20 * 86400 * CLOCK_SECOND + 500 * MS);
    /* In December of which year? Of the one that is over. */
    assert_time("Dec 31 23:59:59", 15, INT64_C(1767225599) * CLOCK_SECOND);
    /* Ahead of us by a zone, not behind by a year. */
    assert_time("Nov 21 19:00:00", 15, EIGHT + 11 * 3600 * CLOCK_SECOND);
    assert_time("Feb 29 00:00:00", 15, INT64_C(1709164800) * CLOCK_SECOND);
    unsetenv("DEBRIEF_NOW");
}

static void test_now_can_be_fixed(void **state)
{
    (void)state;
    setenv("DEBRIEF_NOW", "2026-11-21T08:00:00Z", 1);
    assert_int_equal(clock_now(), EIGHT);
    setenv("DEBRIEF_NOW", "Nov 21 08:00:00", 1); /* would need to know the present */
    assert_true(clock_now() > 0);
    unsetenv("DEBRIEF_NOW");
}

static void test_text(void **state)
{
    char out[CLOCK_TEXT_MAX];
    (void)state;
    assert_string_equal(clock_text(EIGHT, out), "2026-11-21T08:00:00Z");
    assert_string_equal(clock_text(EIGHT + 7 * MS, out), "2026-11-21T08:00:00.007Z");
    assert_string_equal(clock_text(-MS, out), "1969-12-31T23:59:59.999Z");
    assert_string_equal(clock_text(0, out), "");
}

static void test_zones(void **state)
{
    (void)state;
    assert_true(clock_zoned("2026-11-21T08:00:00Z", 20));
    assert_true(clock_zoned("2026-11-21T08:00:00+02:00", 25));
    assert_true(clock_zoned("2026-11-21T08:00:00.5-0500", 26));
    assert_false(clock_zoned("2026-11-21 08:00:00.123", 23));
    assert_false(clock_zoned("2026-11-21 08:00:00", 19));
    assert_false(clock_zoned("Nov 21 08:00:00", 15));
    assert_false(clock_zoned("1795248000", 10));
    assert_false(clock_zoned("", 0));
}

static void test_bounds(void **state)
{
    struct clock_bound bound;
    (void)state;
    assert_true(clock_bound_parse("2026-11-21T08:00:00Z", &bound));
    assert_int_equal(clock_bound_at(bound, 1), EIGHT);
    assert_true(clock_bound_parse("2026-11-21", &bound));
    assert_int_equal(clock_bound_at(bound, 1), EIGHT - 8 * 3600 * CLOCK_SECOND);
    assert_true(clock_bound_parse("1h30m", &bound));
    assert_int_equal(clock_bound_at(bound, EIGHT), EIGHT - 5400 * CLOCK_SECOND);
    assert_false(clock_bound_parse("2026-11-21T08:00:00Z or so", &bound));
    assert_false(clock_bound_parse("2026-11-2x", &bound));
    assert_false(clock_bound_parse("0s", &bound));
    assert_false(clock_bound_parse("", &bound));
    assert_int_equal(clock_bound_at((struct clock_bound){0}, EIGHT), 0);
}

static void test_spans(void **state)
{
    char out[CLOCK_TEXT_MAX];
    (void)state;
    assert_string_equal(clock_span(125 * CLOCK_SECOND, out), "2 min 5 s");
    assert_string_equal(clock_span(18 * 86400 * CLOCK_SECOND + 5, out), "18 d");
    assert_string_equal(clock_span(27 * 3600 * CLOCK_SECOND, out), "1 d 3 h");
    assert_string_equal(clock_span(3600 * CLOCK_SECOND, out), "1 h");
    assert_string_equal(clock_span(350 * MS, out), "350 ms");
    assert_string_equal(clock_span(5 * CLOCK_SECOND + 3 * MS, out), "5 s");
    assert_string_equal(clock_span(-65 * CLOCK_SECOND, out), "-1 min 5 s");
    assert_string_equal(clock_span(0, out), "0 ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_dates),   cmocka_unit_test(test_no_dates),
        cmocka_unit_test(test_a_cut_text),   cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_without_year), cmocka_unit_test(test_now_can_be_fixed),
        cmocka_unit_test(test_text),         cmocka_unit_test(test_spans),
        cmocka_unit_test(test_zones),        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
