/* scan_view.c: counting lines and finding them again. */
#include "base/alloc.h"
#include "read/scan_view.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT = 20000 };

/* Bytes of every value, line ends on one place in four. */
static char *noise(void)
{
    char *text = xmalloc(TEXT);
    uint32_t state = 1;
    for (size_t i = 0; i < TEXT; i++) {
        state = state * 1103515245u + 12345u;
        text[i] = (char)(state >> 16 & 3 ? state >> 8 : '\n');
    }
    return text;
}

static uint64_t one_by_one(const char *text, size_t len)
{
    uint64_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += text[i] == '\n';
    return count;
}

static void lines_are_counted(void **state)
{
    char *text = noise();
    (void)state;
    for (size_t from = 0; from < 40; from++)
        for (size_t len = 0; len < 300; len++)
            assert_int_equal(scan_count_lines(text + from, len), one_by_one(text + from, len));
    assert_int_equal(scan_count_lines(text, TEXT), one_by_one(text, TEXT));
    memset(text, '\n', TEXT);
    assert_int_equal(scan_count_lines(text, TEXT), TEXT);
    free(text);
}

static void places_are_line_numbers(void **state)
{
    char *text = noise();
    uint64_t line = 7;
    struct scan_view view = {.text = text, .len = TEXT, .line = 7};
    (void)state;
    view.marks = xcalloc(scan_view_blocks(TEXT), sizeof *view.marks);
    assert_int_equal(scan_view_count(&view), one_by_one(text, TEXT));
    for (size_t at = 0; at <= TEXT; at++) {
        assert_int_equal(scan_view_place(&view, at), line);
        line += at < TEXT && text[at] == '\n';
    }
    free(view.marks);
    free(text);
}

static void lines_have_two_ends(void **state)
{
    static const char text[] = "ab\n\nc";
    static const size_t starts[] = {0, 0, 0, 3, 4, 4}, ends[] = {2, 2, 2, 3, 5, 5};
    (void)state;
    for (size_t at = 0; at < sizeof starts / sizeof starts[0]; at++) {
        assert_int_equal(scan_line_start(text, at), starts[at]);
        assert_int_equal(scan_line_end(text, 5, at), ends[at]);
    }
}

static void taken_out_lines_know_their_place(void **state)
{
    static const struct scan_origin origins[] = {
        {0, 0, 0, 10, -1}, {5, 0, 0, 12, -1}, {9, 0, 0, 13, -1}};
    struct scan_view view = {
        .text = "abcd\nefg\nhi\n", .len = 12, .origins = origins, .origins_len = 3};
    (void)state;
    assert_int_equal(scan_view_place(&view, 0), 10);
    assert_int_equal(scan_view_place(&view, 4), 10);
    assert_int_equal(scan_view_place(&view, 5), 12);
    assert_int_equal(scan_view_place(&view, 8), 12);
    assert_int_equal(scan_view_place(&view, 9), 13);
    assert_int_equal(scan_view_place(&view, 12), 13);
    view.origins = NULL;
    assert_null(scan_view_origin(&view, 3));
}

#define HEAD "[2026-11-21 08:00:00.123][12][info][main] "

static void windows_are_cut_before_the_last_record(void **state)
{
    static const struct {
        const char *text;
        size_t cut;
    } views[] = {
        {HEAD "a\n" HEAD "b\nmore\n", sizeof(HEAD "a\n") - 1},
        {HEAD "a\n" HEAD "b\nmore\nhalf", sizeof(HEAD "a\n") - 1},
        {"x\ny\nhalf", 4},
        {"x\ny\n", 4},
        {"half", 0},
        {HEAD "a\n", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        struct scan_view view = {.text = views[i].text, .len = strlen(views[i].text)};
        assert_int_equal(scan_view_cut(&view), views[i].cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_counted),
        cmocka_unit_test(places_are_line_numbers),
        cmocka_unit_test(lines_have_two_ends),
        cmocka_unit_test(taken_out_lines_know_their_place),
        cmocka_unit_test(windows_are_cut_before_the_last_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
