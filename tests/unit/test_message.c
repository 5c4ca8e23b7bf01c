/* Messages between processes: whole, in pieces, after a writer was killed in mid-line, too long. */
#include "base/json.h"
#include "check/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct pipe_test {
    int in, out;
    struct message_reader reader;
};

static void begin(struct pipe_test *test)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    test->out = fds[0];
    test->in = fds[1];
    message_reader_init(&test->reader, test->out);
}

static void end(struct pipe_test *test)
{
    message_reader_release(&test->reader);
    close(test->out);
    if (test->in >= 0)
        close(test->in);
}

static void say(struct pipe_test *test, const char *text)
{
    assert_int_equal(write(test->in, text, strlen(text)), (ssize_t)strlen(text));
    assert_true(message_reader_fill(&test->reader));
}

static void expect_begin(struct pipe_test *test, double wanted)
{
    double index = -1;
    cJSON *message = message_reader_next(&test->reader);
    assert_non_null(message);
    assert_true(json_num(message, "begin", &index));
    assert_true(index == wanted);
    cJSON_Delete(message);
}

static void test_round_trip(void **state)
{
    struct pipe_test test;
    (void)state;
    begin(&test);
    cJSON *message = cJSON_CreateObject();
    json_put_str(message, "text", "two\nlines");
    assert_true(message_send(test.in, message));
    assert_true(message_reader_fill(&test.reader));
    cJSON *got = message_reader_next(&test.reader);
    assert_true(cJSON_Compare(message, got, true));
    assert_null(message_reader_next(&test.reader));
    cJSON_Delete(message);
    cJSON_Delete(got);
    end(&test);
}

static void test_pieces(void **state)
{
    struct pipe_test test;
    (void)state;
    begin(&test);
    say(&test, "\n{\"beg");
    assert_null(message_reader_next(&test.reader));
    say(&test, "in\":3}");
    assert_null(message_reader_next(&test.reader));
    say(&test, "\n\n{\"begin\":4}\n{\"begin\":5}\n");
    expect_begin(&test, 3);
    expect_begin(&test, 4);
    expect_begin(&test, 5);
    assert_null(message_reader_next(&test.reader));
    end(&test);
}

/* What a killed runner began is ended by the line end that every message begins with. */
static void test_torn_line(void **state)
{
    struct pipe_test test;
    (void)state;
    begin(&test);
    say(&test, "\n{\"end\":1,\"record\":{\"id\":\"a");
    cJSON *message = cJSON_CreateObject();
    json_put_num(message, "begin", 2);
    assert_true(message_send(test.in, message));
    cJSON_Delete(message);
    say(&test, "[1,2]\nnoise\n\"text\"\n{\"begin\":3}\n");
    expect_begin(&test, 2);
    expect_begin(&test, 3);
    assert_null(message_reader_next(&test.reader));
    end(&test);
}

static void test_end(void **state)
{
    struct pipe_test test;
    (void)state;
    begin(&test);
    assert_true(message_reader_fill(&test.reader)); /* nothing there: comes back at once */
    assert_false(test.reader.eof);
    say(&test, "{\"begin\":1}\n{\"begin\":2}");
    close(test.in);
    test.in = -1;
    assert_true(message_reader_fill(&test.reader));
    assert_true(test.reader.eof);
    expect_begin(&test, 1);
    assert_null(message_reader_next(&test.reader)); /* no line end, no message */
    end(&test);
}

static void test_too_long(void **state)
{
    struct pipe_test test;
    static char bytes[1 << 16];
    (void)state;
    begin(&test);
    memset(bytes, 'x', sizeof bytes);
    bool sound = true;
    for (size_t sent = 0; sent <= MESSAGE_MAX && sound; sent += sizeof bytes) {
        assert_int_equal(write(test.in, bytes, sizeof bytes), (ssize_t)sizeof bytes);
        sound = message_reader_fill(&test.reader);
    }
    assert_false(sound);
    end(&test);
}

static void test_too_long_to_send(void **state)
{
    struct pipe_test test;
    (void)state;
    begin(&test);
    char *text = malloc(MESSAGE_MAX + 1);
    memset(text, 'x', MESSAGE_MAX);
    text[MESSAGE_MAX] = '\0';
    cJSON *message = cJSON_CreateObject();
    json_put_str(message, "text", text);
    assert_false(message_send(test.in, message));
    assert_true(message_reader_fill(&test.reader));
    assert_null(message_reader_next(&test.reader)); /* nothing of it was written */
    cJSON_Delete(message);
    free(text);
    end(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_torn_line),  cmocka_unit_test(test_end),
        cmocka_unit_test(test_too_long),   cmocka_unit_test(test_too_long_to_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
