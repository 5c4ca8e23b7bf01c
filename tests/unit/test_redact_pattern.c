/* The user's own patterns: judged one by one before anything is read, applied line by line behind the
 * built-in shapes, whatever the portions. */
#include "source/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct redact_pattern patterns[] = {
    {"ticket", "TICKET-[0-9]+"},
    {"customer", "customer=([a-z]+)"},
    {"anything", "x*"},
    {"long", "L{2,}"},
};

static struct redact_policy *policy_of(const struct redact_pattern *some, size_t len)
{
    const struct redact_options options = {.patterns = some, .patterns_len = len};
    struct err err = ERR_INIT;
    struct redact_policy *policy = redact_policy_new(&options, &err);
    assert_string_equal(err.text, "");
    assert_non_null(policy);
    return policy;
}

static void assert_redacts(const struct redact_policy *policy, const char *text,
                           const char *expected)
{
    struct buf once, twice;
    buf_init(&once, 1 << 20);
    buf_init(&twice, 1 << 20);
    redact_text(&once, text, strlen(text), policy, NULL);
    assert_string_equal(buf_str(&once), expected);
    redact_text(&twice, buf_str(&once), once.len, policy, NULL);
    assert_string_equal(buf_str(&twice), expected);
    buf_release(&once);
    buf_release(&twice);
}

static void test_matches(void **state)
{
    struct redact_policy *policy = policy_of(patterns, 2);
    (void)state;
    assert_redacts(policy, "see TICKET-12 and TICKET-3\nTICKET-4",
                   "see [redacted:ticket] and [redacted:ticket]\n[redacted:ticket]");
    assert_redacts(policy, "customer=acme, customer=7", "customer=[redacted:customer], customer=7");
    assert_redacts(policy, "DB_PASSWORD=TICKET-1\nTICKET-2\n",
                   "DB_PASSWORD=[redacted:password]\n[redacted:ticket]\n");
    assert_redacts(policy, "", "");
    assert_redacts(policy, "\n\nTICKET\n-1", "\n\nTICKET\n-1");
    redact_policy_free(policy);
}

static void test_nothing_is_replaced_by_a_match_of_nothing(void **state)
{
    struct redact_policy *policy = policy_of(patterns + 2, 1);
    (void)state;
    assert_redacts(policy, "abc [redacted:xx] y", "abc [redacted:xx] y");
    assert_redacts(policy, "axxc", "a[redacted:anything]c");
    redact_policy_free(policy);
}

static void test_refusals(void **state)
{
    static const struct {
        struct redact_pattern pattern;
        const char *says;
    } rows[] = {
        {{"broken", "a("}, "pattern 'broken' of redaction cannot be used: pattern 'a('"},
        {{"Upper", "a"}, "cannot be called 'Upper'"},
        {{"", "a"}, "cannot be called ''"},
        {{"password", "a"}, "there is a kind of redaction called 'password' already"},
        {{"ticket", "b"}, "there is a kind of redaction called 'ticket' already"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct redact_pattern both[] = {patterns[0], rows[i].pattern};
        const struct redact_options options = {.patterns = both, .patterns_len = 2};
        struct err err = ERR_INIT;
        assert_null(redact_policy_new(&options, &err));
        assert_non_null(strstr(err.text, rows[i].says));
    }
}

static bool collect(void *user, const char *bytes, size_t len)
{
    buf_add(user, bytes, len);
    return true;
}

/* A line of many windows: a match is found wherever it stands, in any portions. */
static void test_endless_line(void **state)
{
    struct redact_policy *policy = policy_of(patterns, 2);
    struct buf text, first, out;
    struct redact_counts counts;
    (void)state;
    buf_init(&text, 1 << 22);
    buf_init(&first, 1 << 22);
    for (int i = 0; i < 20000; i++)
        buf_addf(&text, "%.*sTICKET-%d, ", i % 61,
                 "fill fill fill fill fill fill fill fill fill "
                 "fill fill fill ",
                 i);
    static const size_t portions[] = {1 << 20, 4096, 61, 7};
    for (size_t i = 0; i < 4; i++) {
        buf_init(&out, 1 << 22);
        struct redact_stream *stream = redact_stream_new(policy, collect, &out);
        for (size_t at = 0; at < text.len; at += portions[i])
            redact_stream_feed(stream, text.data + at,
                               text.len - at < portions[i] ? text.len - at : portions[i]);
        assert_true(redact_stream_end(stream, &counts));
        redact_stream_free(stream);
        assert_int_equal(counts.total, 20000);
        assert_null(strstr(buf_str(&out), "TICKET"));
        if (i == 0)
            buf_add(&first, out.data, out.len);
        assert_string_equal(out.data, first.data);
        buf_release(&out);
    }
    buf_release(&first);
    buf_release(&text);
    redact_policy_free(policy);
}

static void test_kinds(void **state)
{
    struct redact_policy *policy = policy_of(patterns, 2);
    struct redact_counts counts;
    struct buf out;
    size_t len = 0;
    (void)state;
    while (redact_kind(policy, len))
        len++;
    assert_string_equal(redact_kind(policy, len - 2), "ticket");
    assert_string_equal(redact_kind(policy, len - 1), "customer");
    assert_null(redact_kind(NULL, 0));
    buf_init(&out, 100);
    redact_text(&out, "customer=a TICKET-1", 19, policy, &counts);
    assert_int_equal(counts.by_kind[len - 2], 1);
    assert_int_equal(counts.by_kind[len - 1], 1);
    buf_clear(&out);
    redact_text(&out, "customer=a", 10, NULL, &counts);
    assert_string_equal(buf_str(&out), "customer=a");
    assert_int_equal(counts.total, 0);
    buf_release(&out);
    redact_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_nothing_is_replaced_by_a_match_of_nothing),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_endless_line),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
