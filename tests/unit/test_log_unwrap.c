/* log_unwrap.c: every wrapper around a log line, alone and nested. */
#include "base/clock.h"
#include "read/log_unwrap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ENVOY "[2026-11-21 08:00:00.123][12][warning][config] [./a/b.h:163] "
#define TEXT  "gRPC config stream closed: 7, permission denied"

struct row {
    const char *line;
    enum log_kind kind;
    const char *message, *container, *workload, *time;
};

static const struct row rows[] = {
    {ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    {TEXT, LOG_NONE, TEXT, "", "", ""},
    /* CRI */
    {"2026-11-21T08:00:01.509632542Z stderr F " ENVOY TEXT, LOG_ENVOY, TEXT, "", "",
     "2026-11-21T08:00:00.123Z"},
    {"2026-11-21T08:00:01.5Z stdout F " TEXT, LOG_NONE, TEXT, "", "", "2026-11-21T08:00:01.500Z"},
    {"2026-11-21T08:00:01.5Z stdout P " TEXT, LOG_NONE, TEXT, "", "", "2026-11-21T08:00:01.500Z"},
    /* docker logs -t, a console's columns */
    {"2026-11-21T08:00:01.509632542Z " ENVOY TEXT, LOG_ENVOY, TEXT, "", "",
     "2026-11-21T08:00:00.123Z"},
    {"2026-11-21T08:00:01.509Z\t" ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    {"1795248001509,\"" ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    {"1795248001509 " ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    /* docker compose */
    {"envoy-debugging-envoy_downstream-1  | " ENVOY TEXT, LOG_ENVOY, TEXT,
     "envoy-debugging-envoy_downstream-1", "", "2026-11-21T08:00:00.123Z"},
    {"front-envoy | " TEXT, LOG_NONE, TEXT, "front-envoy", "", ""},
    /* kubectl logs --prefix */
    {"[pod/web-7d9/envoy] " ENVOY TEXT, LOG_ENVOY, TEXT, "envoy", "web-7d9",
     "2026-11-21T08:00:00.123Z"},
    {"[pod/web-7d9/envoy] 2026-11-21T08:00:01.5Z " ENVOY TEXT, LOG_ENVOY, TEXT, "envoy", "web-7d9",
     "2026-11-21T08:00:00.123Z"},
    /* syslog and journald */
    {"Nov 21 08:00:00 host envoy[12]: " ENVOY TEXT, LOG_ENVOY, TEXT, "envoy", "",
     "2026-11-21T08:00:00.123Z"},
    {"Nov 21 08:00:00 host envoy[12]: " TEXT, LOG_NONE, TEXT, "envoy", "", "2026-11-21T08:00:00Z"},
    {"2026-11-21T08:00:00.5+00:00 host envoy[12]: " TEXT, LOG_NONE, TEXT, "envoy", "",
     "2026-11-21T08:00:00.500Z"},
    {"Aug 23 03:09:05 ip-172-31-72-199 dockerd[1251]: time=\"2018-08-23T03:09:05.925621539Z\" "
     "level=error msg=\"denied\"",
     LOG_OTHER, "denied\"", "dockerd", "", "2018-08-23T03:09:05.925Z"},
    {"Aug 22 15:31:12 ip-172-31-72-199 kubelet[1018]: I0822 15:31:12.600432    1018 "
     "provider.go:119] x",
     LOG_OTHER, "x", "kubelet", "", "2026-08-22T15:31:12.600Z"},
    /* aws logs tail */
    {"2026-11-21T08:00:01.000000+00:00 ecs/envoy/0123abcd " ENVOY TEXT, LOG_ENVOY, TEXT, "envoy",
     "0123abcd", "2026-11-21T08:00:00.123Z"},
    {"2026-11-21T08:00:01.000000+00:00 ecs/envoy/0123abcd " TEXT, LOG_NONE, TEXT, "envoy",
     "0123abcd", "2026-11-21T08:00:01Z"},
    {"2026-11-21T08:00:01.000000+00:00 my-stream " ENVOY TEXT, LOG_ENVOY, TEXT, "", "",
     "2026-11-21T08:00:00.123Z"},
    {"2026-11-21T08:00:01 " ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    /* old Istio */
    {"[Envoy (Epoch 0)] " ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    /* what people put in front */
    {"> " ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    {"> > " ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    {">>" TEXT, LOG_NONE, ">>" TEXT, "", "", ""},
    {"118:" ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    {"   118\t" ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    {"    " ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    {"$ docker logs envoy", LOG_OTHER, "docker logs envoy", "", "", ""},
    {"web-7d9 envoy " ENVOY TEXT, LOG_ENVOY, TEXT, "", "", "2026-11-21T08:00:00.123Z"},
    /* several at once */
    {"> envoy-1  | 2026-11-21T08:00:01.5Z stderr F " ENVOY TEXT, LOG_ENVOY, TEXT, "envoy-1", "",
     "2026-11-21T08:00:00.123Z"},
    /* no wrappers, though they look a little like some */
    {"2026-11-21T08:00:00Z error upstream: refused", LOG_OTHER, "upstream: refused", "", "",
     "2026-11-21T08:00:00Z"},
    {"12 errors", LOG_NONE, "12 errors", "", "", ""},
    {"a | b", LOG_NONE, "b", "a", "", ""},
};

static bool span_is(const struct log_span *span, const char *text)
{
    return span->len == strlen(text) && memcmp(span->text ? span->text : "", text, span->len) == 0;
}

static void wrappers_are_peeled(void **state)
{
    (void)state;
    setenv("DEBRIEF_NOW", "2026-11-28T00:00:00Z", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct log_line line;
        char time[CLOCK_TEXT_MAX];
        print_message("%s\n", row->line);
        log_unwrap_line(row->line, strlen(row->line), &line);
        assert_int_equal(line.header.kind, row->kind);
        assert_string_equal(row->line + line.header.message, row->message);
        assert_true(span_is(&line.container, row->container));
        assert_true(span_is(&line.workload, row->workload));
        assert_string_equal(clock_text(line.time, time), row->time);
    }
}

static void cut_lines_are_peeled(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].line);
        for (size_t cut = 1; cut <= len; cut++) {
            struct log_line line;
            char *exact = malloc(cut);
            memcpy(exact, rows[i].line, cut);
            log_unwrap_line(exact, cut, &line);
            assert_in_range(line.header.message, 0, cut);
            free(exact);
        }
    }
}

static uint64_t stream_of(const char *text)
{
    struct log_line line;
    log_unwrap_line(text, strlen(text), &line);
    return line.stream;
}

static void streams_tell_writers_apart(void **state)
{
    (void)state;
    assert_int_equal(stream_of("2026-11-21T08:00:01Z stderr F " ENVOY TEXT),
                     stream_of("2026-11-21T08:00:02Z stderr F 0.0.0.0_443: cannot bind"));
    assert_int_not_equal(stream_of("2026-11-21T08:00:01Z stderr F " TEXT),
                         stream_of("2026-11-21T08:00:01Z stdout F " TEXT));
    assert_int_not_equal(stream_of("[pod/a/envoy] x"), stream_of("[pod/b/envoy] x"));
    assert_int_not_equal(stream_of("x"), stream_of("[pod/b/envoy] x"));
    assert_int_equal(stream_of(ENVOY TEXT), stream_of("0.0.0.0_443: cannot bind"));
}

static void blank_lines_are_known(void **state)
{
    static const char *const blank[] = {
        "", " ", "\r", "\t \r", "2026-11-21T08:00:01Z stderr F ", "envoy-1  | ", "> "};
    struct log_line line;
    (void)state;
    for (size_t i = 0; i < sizeof blank / sizeof blank[0]; i++) {
        log_unwrap_line(blank[i], strlen(blank[i]), &line);
        assert_true(line.blank);
    }
    log_unwrap_line("x", 1, &line);
    assert_false(line.blank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrappers_are_peeled),
        cmocka_unit_test(cut_lines_are_peeled),
        cmocka_unit_test(streams_tell_writers_apart),
        cmocka_unit_test(blank_lines_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
