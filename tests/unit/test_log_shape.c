/* log_shape.c: the header of every shape of log line, from real lines. */
#include "base/clock.h"
#include "read/log_shape.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *line;
    enum log_kind kind;
    const char *origin, *time, *level, *logger, *message;
};

#define CLOSED "gRPC config stream closed: 13,"

static const struct row rows[] = {
    /* Envoy up to 1.9: no bracket before the file */
    {"[2019-02-01 17:37:09.690][1][warning][upstream] "
     "source/common/config/grpc_mux_impl.cc:243] " CLOSED,
     LOG_ENVOY, "envoy", "2019-02-01T17:37:09.690Z", "warning", "upstream", CLOSED},
    /* 1.10 to 1.15 */
    {"[2020-06-01 10:00:00.001][000001][info][main] [source/server/server.cc:206] starting main "
     "dispatch "
     "loop",
     LOG_ENVOY, "envoy", "2020-06-01T10:00:00.001Z", "info", "main", "starting main dispatch loop"},
    {"[2020-06-01 10:00:00.001][1][info][main] starting main dispatch loop", LOG_ENVOY, "envoy",
     "2020-06-01T10:00:00.001Z", "info", "main", "starting main dispatch loop"},
    {"[2020-10-12 02:27:53.661][1][warning][config] "
     "[bazel-out/k8-opt/bin/source/common/config/_virtual_includes/grpc_stream_lib/common/config/"
     "grpc_stream.h:93] StreamAggregatedResources gRPC config stream closed: 0,",
     LOG_ENVOY, "envoy", "2020-10-12T02:27:53.661Z", "warning", "config",
     "StreamAggregatedResources gRPC config stream closed: 0,"},
    {"[2022-11-09 05:59:24.941][15][warning][config] [./source/common/config/grpc_stream.h:163] x",
     LOG_ENVOY, "envoy", "2022-11-09T05:59:24.941Z", "warning", "config", "x"},
    {"[2024-12-05 21:38:28.509][1][info][main] [external/envoy/source/server/server.cc:426] x\r",
     LOG_ENVOY, "envoy", "2024-12-05T21:38:28.509Z", "info", "main", "x\r"},
    /* the fine-grain logger names no logger */
    {"[2026-11-21 08:00:00.123][12][info] [source/server/server.cc:206] x", LOG_ENVOY, "envoy",
     "2026-11-21T08:00:00.123Z", "info", "", "x"},
    /* what follows the header in brackets belongs to the message */
    {"[2018-10-22 23:17:29.106][22452][debug][http] source/common/http/conn_manager_impl.cc:513] "
     "[C282][S16084328534955463780] request headers complete",
     LOG_ENVOY, "envoy", "2018-10-22T23:17:29.106Z", "debug", "http",
     "[C282][S16084328534955463780] request headers complete"},
    {"[2025-03-26 13:08:54.697][15][debug][connection] [source/common/tls/ssl_socket.cc:251] "
     "[Tags: "
     "\"ConnectionId\":\"693\"] x",
     LOG_ENVOY, "envoy", "2025-03-26T13:08:54.697Z", "debug", "connection",
     "[Tags: \"ConnectionId\":\"693\"] x"},
    /* the agent around Envoy */
    {"[2021-10-20 16:25:59.915][72][info] [AppNet Agent] Envoy is ready", LOG_ENVOY, "agent",
     "2021-10-20T16:25:59.915Z", "info", "", "Envoy is ready"},
    /* fragments: no time, a lost bracket, nothing but a level */
    {"[24][config]StreamAggregatedResources gRPC config stream to @espv2-ads-cluster closed",
     LOG_ENVOY, "envoy", "", "", "config",
     "StreamAggregatedResources gRPC config stream to @espv2-ads-cluster closed"},
    {"2019-02-01 17:37:09.690][1][warning][upstream] source/common/config/grpc_mux_impl.cc:243] x",
     LOG_ENVOY, "envoy", "2019-02-01T17:37:09.690Z", "warning", "upstream", "x"},
    {"[warning][config] [source/a.cc:1] x", LOG_ENVOY, "envoy", "", "warning", "config", "x"},
    {"[ERROR] x", LOG_OTHER, "text", "", "error", "", "x"},
    {"   [2022-11-09 05:59:24.941][15][warn][config] x", LOG_ENVOY, "envoy",
     "2022-11-09T05:59:24.941Z", "warning", "config", "x"},
    /* Istio */
    {"2022-03-11T16:01:43.221304Z\twarning\tenvoy config\t" CLOSED, LOG_ISTIO, "envoy",
     "2022-03-11T16:01:43.221Z", "warning", "config", CLOSED},
    {"2024-08-23T22:48:11.573554Z\twarning\tenvoy config "
     "external/envoy/source/extensions/config_subscription/grpc/grpc_stream.h:155\t" CLOSED
     "\tthread=19",
     LOG_ISTIO, "envoy", "2024-08-23T22:48:11.573Z", "warning", "config", CLOSED "\tthread=19"},
    {"2021-05-20T02:46:24.299533Z     warning envoy config    " CLOSED, LOG_ISTIO, "envoy",
     "2021-05-20T02:46:24.299Z", "warning", "config", CLOSED},
    {"2023-04-25T12:19:07.664759Z warning envoy config " CLOSED, LOG_ISTIO, "envoy",
     "2023-04-25T12:19:07.664Z", "warning", "config", CLOSED},
    {"warning envoy config external/envoy/source/common/config/grpc_stream.h:153 " CLOSED,
     LOG_ISTIO, "envoy", "", "warning", "config", CLOSED},
    {"warn    xdsproxy        upstream terminated with unexpected error", LOG_ISTIO, "istio", "",
     "warning", "xdsproxy", "upstream terminated with unexpected error"},
    {"2021-03-01T06:20:40.597597Z\terror\txdsproxy\tupstream send error", LOG_ISTIO, "istio",
     "2021-03-01T06:20:40.597Z", "error", "xdsproxy", "upstream send error"},
    {"2023-07-31T05:19:08.619419Z\tinfo\tFLAG: --concurrency=\"0\"", LOG_ISTIO, "istio",
     "2023-07-31T05:19:08.619Z", "info", "", "FLAG: --concurrency=\"0\""},
    {"2025-07-25T19:37:48.870462Z    error    iptables binary ip6tables has no loaded kernel "
     "support",
     LOG_ISTIO, "istio", "2025-07-25T19:37:48.870Z", "error", "",
     "iptables binary ip6tables has no loaded kernel support"},
    /* Consul */
    {"2022-12-16T16:42:39.036Z+00:00 [warning] envoy.main(15) x", LOG_CONSUL, "envoy",
     "2022-12-16T16:42:39.036Z", "warning", "main", "x"},
    {"2022-12-16T16:42:39.036Z [INFO]  consul-dataplane.server-connection-manager: trying to "
     "connect",
     LOG_CONSUL, "consul", "2022-12-16T16:42:39.036Z", "info",
     "consul-dataplane.server-connection-manager", "trying to connect"},
    /* access logs */
    {"[2026-11-21T10:05:26.922Z] \"GET /ping HTTP/1.1\" 404 NR 0 0 0 - \"-\" \"curl/8.5.0\" \"i\" "
     "\"a\" "
     "\"-\"",
     LOG_ACCESS, "access", "2026-11-21T10:05:26.922Z", "", "",
     "\"GET /ping HTTP/1.1\" 404 NR 0 0 0 - \"-\" \"curl/8.5.0\" \"i\" \"a\" \"-\""},
    {"\"GET /healthz HTTP/1.1\" 404 NR 0 0 0 -", LOG_ACCESS, "access", "", "", "",
     "\"GET /healthz HTTP/1.1\" 404 NR 0 0 0 -"},
    {"{\"response_code\":404,\"path\":\"/\"}", LOG_ACCESS, "access", "", "", "",
     "{\"response_code\":404,\"path\":\"/\"}"},
    /* other programs */
    {"I1127 20:08:07.746641       1 virtualnode.go:338] mesh doesn't exist", LOG_OTHER, "text",
     "2026-11-27T20:08:07.746Z", "info", "", "mesh doesn't exist"},
    {"E0823 03:09:05.926097    1018 remote_image.go:108] PullImage", LOG_OTHER, "text",
     "2026-08-23T03:09:05.926Z", "error", "", "PullImage"},
    {"time=\"2018-08-23T03:09:05.925621539Z\" level=error msg=\"Not continuing\"", LOG_OTHER,
     "text", "2018-08-23T03:09:05.925Z", "error", "", "Not continuing\""},
    {"2015-06-22T15:15:14Z [CRITICAL] Unable to communicate", LOG_OTHER, "text",
     "2015-06-22T15:15:14Z", "critical", "", "Unable to communicate"},
    {"2025-07-03T08:46:52.548Z  INFO  xds.nack-backoff  config was previously rejected", LOG_OTHER,
     "text", "2025-07-03T08:46:52.548Z", "info", "xds.nack-backoff",
     "config was previously rejected"},
    {"2023/07/31 05:19:08 internal_logging.go:58: x", LOG_OTHER, "text", "2023-07-31T05:19:08Z", "",
     "", "internal_logging.go:58: x"},
    /* no header at all */
    {"gRPC config stream closed: 7", LOG_NONE, "text", "", "", "", "gRPC config stream closed: 7"},
    {"0.0.0.0_443: cannot bind '0.0.0.0:443': Permission denied", LOG_NONE, "text", "", "", "",
     "0.0.0.0_443: cannot bind '0.0.0.0:443': Permission denied"},
    {"[symbolize_elf.inc : 379] RAW: /proc/self/task/1/maps: errno=24", LOG_NONE, "text", "", "",
     "", "[symbolize_elf.inc : 379] RAW: /proc/self/task/1/maps: errno=24"},
    {"':path', '/apps/newlogin.do'", LOG_NONE, "text", "", "", "", "':path', '/apps/newlogin.do'"},
    {"error something went  wrong", LOG_NONE, "text", "", "", "", "error something went  wrong"},
    {"warning: something", LOG_NONE, "text", "", "", "", "warning: something"},
    {"", LOG_NONE, "text", "", "", "", ""},
    {"[", LOG_NONE, "text", "", "", "", "["},
    {"[[[[[[[[[[[[[[", LOG_NONE, "text", "", "", "", "[[[[[[[[[[[[[["},
    {"2026-11-21", LOG_NONE, "text", "", "", "", "2026-11-21"},
};

static void headers_are_read(void **state)
{
    (void)state;
    setenv("DEBRIEF_NOW", "2026-11-28T00:00:00Z", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct log_header header;
        char time[CLOCK_TEXT_MAX];
        size_t len = strlen(row->line);
        print_message("%s\n", row->line);
        assert_int_equal(log_shape_header(row->line, len, &header), row->kind != LOG_NONE);
        assert_int_equal(header.kind, row->kind);
        assert_string_equal(header.origin, row->origin);
        assert_string_equal(clock_text(header.time, time), row->time);
        assert_string_equal(header.level, row->level);
        assert_string_equal(header.logger, row->logger);
        assert_in_range(header.message, 0, len);
        assert_string_equal(row->line + header.message, row->message);
    }
}

/* Hostile lines: every cut of every line above is read without touching what is behind it. */
static void cut_lines_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].line);
        for (size_t cut = 0; cut <= len; cut++) {
            struct log_header header;
            char *copy = malloc(cut + 1);
            memcpy(copy, rows[i].line, cut);
            char *exact = realloc(copy, cut ? cut : 1); /* the sanitizer guards the byte behind */
            log_shape_header(exact, cut, &header);
            assert_in_range(header.message, 0, cut);
            free(exact);
        }
    }
}

static void message_ends_are_trimmed(void **state)
{
    static const struct {
        const char *line, *trimmed;
    } lines[] = {
        {"closed: 13,", "closed: 13,"},
        {"closed: 13, \r", "closed: 13,"},
        {"closed: 2, EOF\tthread=19", "closed: 2, EOF"},
        {"closed: 2, EOF     thread=20\r", "closed: 2, EOF"},
        {"\tthread=14", ""},
        {"thread=", "thread="},
        {"athread=14", "athread=14"},
        {"   ", ""},
        {"1", "1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(log_shape_trim(lines[i].line, strlen(lines[i].line)),
                         strlen(lines[i].trimmed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read),
        cmocka_unit_test(cut_lines_are_read),
        cmocka_unit_test(message_ends_are_trimmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
