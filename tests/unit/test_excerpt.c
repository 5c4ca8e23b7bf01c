/* Which parts of a long proof are shown: its beginning, and where it tells why. */
#include "report/excerpt.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 400 };

static char text[4096];

/* FRONT bytes of filling, WORD, BEHIND bytes of filling. */
static const char *filled(size_t front, const char *word, size_t behind)
{
    size_t len = strlen(word);
    memset(text, 'x', front);
    memcpy(text + front, word, len);
    memset(text + front + len, 'y', behind);
    text[front + len + behind] = '\0';
    return text;
}

static bool shows(struct excerpt shown, const char *word)
{
    size_t at = (size_t)(strstr(text, word) - text), end = at + strlen(word);
    return end <= shown.head || (at >= shown.from && end <= shown.to);
}

static void test_short_text_is_whole(void **state)
{
    (void)state;
    struct excerpt shown = excerpt_of(filled(MAX - 6, "denied", 0), MAX);
    assert_int_equal(shown.head, 0);
    assert_int_equal(shown.from, 0);
    assert_int_equal(shown.to, MAX);
    assert_int_equal(excerpt_of("", MAX).to, 0);
}

static void test_what_tells_why_is_shown(void **state)
{
    (void)state;
    for (size_t front = 0; front < 2000; front += 7)
        for (size_t behind = 0; behind < 1500; behind += 499) {
            struct excerpt shown = excerpt_of(filled(front, "connection refused by", behind), MAX);
            if (strlen(text) > MAX) {
                assert_true(shows(shown, "refused"));
                assert_true(shown.head + (shown.to - shown.from) <= MAX + 4);
                assert_true(shown.head <= shown.from);
            }
        }
}

static void test_else_its_end(void **state)
{
    (void)state;
    struct excerpt shown = excerpt_of(filled(900, "401 Unauthorized", 0), MAX);
    assert_int_equal(shown.head, 120);
    assert_int_equal(shown.to, strlen(text));
    assert_true(shows(shown, "401 Unauthorized"));
}

static void test_characters_stay_whole(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        size_t len = shift;
        memset(text, 'x', shift);
        while (len < 1200)
            len += (size_t)sprintf(text + len, "\xE2\x82\xAC");
        struct excerpt shown = excerpt_of(text, MAX);
        assert_int_not_equal((unsigned char)text[shown.head] & 0xC0, 0x80);
        assert_int_not_equal((unsigned char)text[shown.from] & 0xC0, 0x80);
        assert_int_not_equal((unsigned char)text[shown.to] & 0xC0, 0x80);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_text_is_whole),
        cmocka_unit_test(test_what_tells_why_is_shown),
        cmocka_unit_test(test_else_its_end),
        cmocka_unit_test(test_characters_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
