/* Buffers, arenas and error texts keep within their bounds. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/err.h"

static void test_what_fits_is_kept(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 5);
    assert_string_equal(buf_str(&buf), "");
    buf_adds(&buf, "abc");
    assert_false(buf.overflow);
    buf_adds(&buf, "def");
    assert_true(buf.overflow);
    assert_string_equal(buf_str(&buf), "abcde");
    buf_addch(&buf, 'x');
    assert_int_equal(buf.len, 5);
    buf_consume(&buf, 2);
    assert_string_equal(buf_str(&buf), "cde");
    buf_clear(&buf);
    assert_false(buf.overflow);
    assert_string_equal(buf_str(&buf), "");
    buf_release(&buf);
}

static void test_long_formats(void **state)
{
    struct buf buf;
    char word[1000];
    (void)state;
    memset(word, 'w', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    buf_init(&buf, 1 << 20);
    buf_addf(&buf, "<%s>", word);
    assert_int_equal(buf.len, 1001);
    assert_int_equal(buf.data[1000], '>');
    buf_add(&buf, "\0z", 2);
    assert_int_equal(buf.len, 1003);
    char *taken = buf_take(&buf);
    assert_int_equal(taken[1002], 'z');
    free(taken);
    taken = buf_take(&buf);
    assert_string_equal(taken, "");
    free(taken);
}

static void test_arena(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    char *first = arena_strdup(arena, "first");
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *piece = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xAA, size);
        assert_string_equal(arena_printf(arena, "%zu", size), arena_printf(arena, "%zu", size));
    }
    memset(arena_alloc(arena, 1 << 22), 1, 1 << 22);
    assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
    assert_string_equal(arena_strndup(arena, "ab\0cd", 5), "ab");
    assert_string_equal(first, "first");
    assert_true(arena_used(arena) > 1 << 22);
    arena_free(arena);
    arena_free(NULL);
}

static void test_error_chains(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    assert_false(err_set(&err, "cannot open '%s'", "x"));
    assert_false(err_prefix(&err, "line %d", 3));
    assert_string_equal(err.text, "line 3: cannot open 'x'");
    err_set(&err, "again: %s", err.text);
    assert_string_equal(err.text, "again: line 3: cannot open 'x'");
    assert_false(err_set(NULL, "nobody listens"));
}

static void test_errors_are_cut_at_a_character(void **state)
{
    struct err err = ERR_INIT;
    char text[600];
    (void)state;
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 3);
    err_set(&err, "%s", text);
    assert_int_equal(strlen(err.text), 510);
    err_set(&err, "x%s", text);
    assert_int_equal(strlen(err.text), 511);
    err_prefix(&err, "y");
    assert_true(strlen(err.text) <= 511);
    assert_int_equal((unsigned char)err.text[strlen(err.text) - 1], 0xA9);
}

/* What is in quotes is data and may be of any length; what is said of it must be seen. */
static void test_subjects_of_errors_are_cut(void **state)
{
    struct err err = ERR_INIT;
    char *name = xcalloc(1, (1 << 20) + 1), shown[ERR_QUOTED_MAX + 1] = "";
    (void)state;
    memset(name, 'a', 1 << 20);
    memset(shown, 'a', ERR_QUOTED_MAX);
    err_set(&err, "unknown key '%s' here; it's one of '%s'", name, "b");
    char *expected = xasprintf("unknown key '%s...' here; it's one of 'b'", shown);
    assert_string_equal(err.text, expected);
    free(expected);
    err_prefix(&err, "'%s' line %d", name, 3);
    assert_non_null(strstr(err.text, "...' line 3: unknown key 'aaaa"));
    for (size_t i = 1; i + 2 < 1 << 20; i += 2)
        memcpy(name + i, "\xC3\xA9", 2);
    err_set(&err, "no file '%s'", name);
    assert_true(strstr(err.text, "\xC3\xA9...'") != NULL);
    assert_int_equal(strlen(err.text), strlen("no file '...'") + ERR_QUOTED_MAX - 1);
    /* At the limit nothing is cut, nor is it without an end. */
    name[ERR_QUOTED_MAX + 3] = '\0';
    err_set(&err, "'%s'", name);
    assert_null(strstr(err.text, "..."));
    err_set(&err, "it's %s", name);
    assert_null(strstr(err.text, "..."));
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_fits_is_kept),
        cmocka_unit_test(test_long_formats),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_error_chains),
        cmocka_unit_test(test_errors_are_cut_at_a_character),
        cmocka_unit_test(test_subjects_of_errors_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
