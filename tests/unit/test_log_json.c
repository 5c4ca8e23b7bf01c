/* log_json.c: lines taken out of JSON, in the shapes of collectors and of JSON logs themselves. */
#include "read/log_json.h"
#include "read/log_unwrap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ENVOY "[2026-11-21 08:00:00.123][12][warning][config] [./a/b.h:163] "

struct row {
    const char *line, *plain; /* plain NULL: not taken out */
};

static const struct row rows[] = {
    /* docker */
    {"{\"log\":\"" ENVOY
     "x \\\"q\\\"\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01.5Z\"}",
     "2026-11-21T08:00:01.5Z stderr F " ENVOY "x \"q\""},
    {"{\"log\":\"a\\tb\\\\c\\/d\\r\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-21T08:00:01Z\"}",
     "2026-11-21T08:00:01Z stdout F a\tb\\c/d"},
    {"{\"log\":\"\\u00fc\\u4e2d\\ud83d\\ude00\\ud83d\"}",
     "\xC3\xBC\xE4\xB8\xAD\xF0\x9F\x98\x80\xEF\xBF\xBD"},
    /* FireLens and fluent-bit */
    {"{\"container_id\":\"1\",\"container_name\":\"/"
     "ecs-web-1-envoy-d8\",\"source\":\"stderr\",\"log\":"
     "\"" ENVOY "x\",\"ecs_task_arn\":\"arn:aws:ecs:r:1:task/c/0123\"}",
     "[pod/0123/ecs-web-1-envoy-d8] " ENVOY "x"},
    {"{\"log\":\"x\",\"kubernetes\":{\"pod_name\":\"web-1\",\"container_name\":\"envoy\","
     "\"labels\":{\"a\":"
     "\"}\"}}}",
     "[pod/web-1/envoy] x"},
    /* journald */
    {"{\"MESSAGE\":\"x\",\"__REALTIME_TIMESTAMP\":\"1795248000500000\",\"SYSLOG_IDENTIFIER\":"
     "\"envoy\"}",
     "[pod/-/envoy] 2026-11-21T08:00:00.500Z x"},
    /* logs that are JSON themselves */
    {"{\"level\":\"warning\",\"time\":\"2026-11-21T08:00:00.1Z\",\"scope\":\"envoy "
     "config\",\"msg\":\"closed: "
     "7\",\"caller\":\"a.h:1\",\"thread\":\"20\"}",
     "2026-11-21T08:00:00.1Z\twarning\tenvoy config\tclosed: 7"},
    {"{\"Timestamp\":\"2026-11-21 "
     "08:00:00.123\",\"ThreadId\":\"12\",\"Level\":\"warning\",\"Logger\":"
     "\"config\",\"Message\":\"closed: 7\"}",
     "[2026-11-21T08:00:00.123][0][warning][config] closed: 7"},
    {"{\"@level\":\"info\",\"@message\":\"x\",\"@module\":\"envoy.main\",\"@timestamp\":\"2026-11-"
     "21T08:00:00Z\"}",
     "2026-11-21T08:00:00Z [info] envoy.main: x"},
    {"{\"level\":\"error\",\"ts\":1795248000.5,\"logger\":\"controller\",\"msg\":\"Reconciler "
     "error\","
     "\"error\":\"BadRequestException: x\"}",
     "2026-11-21T08:00:00.500Z [error] controller: Reconciler error\terror=BadRequestException: x"},
    /* one inside the other, and behind a prefix */
    {"{\"log\":\"{\\\"level\\\":\\\"info\\\",\\\"scope\\\":\\\"ads\\\",\\\"msg\\\":\\\"x\\\"}\\n\","
     "\"stream\":"
     "\"stdout\",\"time\":\"2026-11-21T08:00:01Z\"}",
     "2026-11-21T08:00:01Z stdout F info\tads\tx"},
    {"envoy-1  | {\"level\":\"info\",\"scope\":\"ads\",\"msg\":\"x\"}", "envoy-1  | info\tads\tx"},
    /* not ours */
    {"{\"a\":1}", NULL},
    {"{\"message\":{\"a\":1}}", NULL},
    {"{\"log\":\"x\"", NULL},
    {"{\"log\":\"x", NULL},
    {"{\"log\" \"x\"}", NULL},
    {"{", NULL},
    {"{}", NULL},
    {"", NULL},
    {ENVOY "runtime: {}", NULL},
    {"{\"response_code\":404}", NULL},
};

static void lines_are_taken_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        bool part = false;
        buf_init(&out, 4096);
        buf_adds(&out, "before");
        print_message("%s\n", rows[i].line);
        bool taken = log_json_line(rows[i].line, strlen(rows[i].line), &out, &part);
        assert_int_equal(taken, rows[i].plain != NULL);
        buf_addch(&out, '\0');
        assert_string_equal(out.data + strlen("before"), rows[i].plain ? rows[i].plain : "");
        buf_release(&out);
    }
}

static void cut_lines_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].line);
        for (size_t cut = 1; cut < len; cut++) {
            struct buf out;
            bool part = false;
            char *exact = malloc(cut);
            memcpy(exact, rows[i].line, cut);
            buf_init(&out, 4096);
            if (!log_json_line(exact, cut, &out, &part))
                assert_int_equal(out.len, 0);
            buf_release(&out);
            free(exact);
        }
    }
}

static bool is_part(const char *line)
{
    struct buf out;
    bool part = false;
    buf_init(&out, 4096);
    assert_true(log_json_line(line, strlen(line), &out, &part));
    buf_release(&out);
    return part;
}

static void docker_splits_long_lines(void **state)
{
    (void)state;
    assert_true(
        is_part("{\"log\":\"x\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01.5Z\"}"));
    assert_false(
        is_part("{\"log\":\"x\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01.5Z\"}"));
    assert_false(is_part("{\"log\":\"x\",\"source\":\"stderr\",\"container_name\":\"a\"}"));
}

/* What was taken out is read by the shapes, so nothing is lost on the way. */
static void plain_lines_keep_level_and_logger(void **state)
{
    static const struct {
        const char *line, *origin, *level, *logger;
    } logs[] = {
        {"{\"level\":\"warning\",\"time\":\"2026-11-21T08:00:00.1Z\",\"scope\":\"envoy "
         "config\",\"msg\":\"x\"}",
         "envoy", "warning", "config"},
        {"{\"level\":\"error\",\"time\":\"2026-11-21T08:00:00.1Z\",\"scope\":\"xdsproxy\",\"msg\":"
         "\"x\"}",
         "istio", "error", "xdsproxy"},
        {"{\"Timestamp\":\"2026-11-21 "
         "08:00:00.123\",\"ThreadId\":\"12\",\"Level\":\"warning\",\"Logger\":"
         "\"config\",\"Message\":\"x\"}",
         "envoy", "warning", "config"},
        {"{\"level\":\"error\",\"ts\":1795248000.5,\"logger\":\"controller\",\"msg\":\"x\"}",
         "text", "error", "controller"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        struct buf out;
        struct log_line line;
        bool part = false;
        buf_init(&out, 4096);
        assert_true(log_json_line(logs[i].line, strlen(logs[i].line), &out, &part));
        log_unwrap_line(out.data, out.len, &line);
        assert_string_equal(line.header.origin, logs[i].origin);
        assert_string_equal(line.header.level, logs[i].level);
        assert_string_equal(line.header.logger, logs[i].logger);
        assert_true(line.time != 0);
        assert_memory_equal(out.data + line.header.message, "x", 1);
        buf_release(&out);
    }
}

static bool seen(const char *text)
{
    return log_json_seen(text, strlen(text));
}

static void windows_with_json_are_noticed(void **state)
{
    (void)state;
    assert_true(seen("a\n{\"log\":\"x\"}\n"));
    assert_true(seen("a {b\n2026-11-21T08:00:01Z stdout F {\"log\":\"x\"}\n"));
    assert_true(seen("{ \"log\" : 1 }"));
    assert_false(seen(ENVOY "x{via_upstream}\n" ENVOY "y {\"a\":1} {\"b\":2}\n"));
    assert_false(seen("{\n"));
    assert_false(seen(""));
}

static void streams_stand_where_aws_logs_tail_has_them(void **state)
{
    static const struct {
        const char *time, *stream, *place;
    } places[] = {
        {"1795248001509", "ecs/envoy/0123", "2026-11-21T08:00:01.509Z ecs/envoy/0123 "},
        {"2026-11-21 08:00:01.509", "my-stream", "2026-11-21T08:00:01.509 -/-/my-stream "},
        {"1795248001509", "", "2026-11-21T08:00:01.509Z -/-/- "},
        {"", "my-stream", ""},
        {"never", "my-stream", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct buf out;
        buf_init(&out, 4096);
        log_json_place(places[i].time, strlen(places[i].time), places[i].stream,
                       strlen(places[i].stream), &out);
        assert_string_equal(buf_str(&out), places[i].place);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_taken_out),
        cmocka_unit_test(cut_lines_do_no_harm),
        cmocka_unit_test(docker_splits_long_lines),
        cmocka_unit_test(plain_lines_keep_level_and_logger),
        cmocka_unit_test(windows_with_json_are_noticed),
        cmocka_unit_test(streams_stand_where_aws_logs_tail_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
