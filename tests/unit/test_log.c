/* log.c and log_cloudwatch.c: what is taken for a log, and logs that come wrapped. */
#include "scanned.h"

#define ENVOY "[2026-11-21 08:00:00.123][12][warning][config] [./a/b.h:163] "
#define BIND                                                                                       \
    "gRPC config for x rejected: Error adding/updating listener(s) a: cannot bind '0.0.0.0:80': "  \
    "Permission denied"
#define BIND2 "b: cannot bind '0.0.0.0:443': Permission denied"

static void logs_are_recognised(void **state)
{
    static const struct {
        const char *text;
        int least, most;
    } sources[] = {
        {ENVOY "x\n", 50, 50},
        {"notes\n\n" ENVOY "x\n", 50, 50},
        {"2026-11-21T08:00:01Z stderr F " ENVOY "x\n", 50, 50},
        {"And the service failed\n", 1, 10},
        {"2.3.4 some\ntext\n", 1, 10},
        {"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n", 1, 10},
        {"{\"log\":\"x\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01Z\"}\n{\"log\":1}"
         "\n",
         40, 50},
        {"{\"level\":\"info\",\"msg\":\"x\",\"time\":\"2026-11-21T08:00:01Z\"}", 40, 50},
        {"{\"response_code\":404,\"path\":\"/\"}\n", 40, 50},
        {"{\"events\":[{\"timestamp\":1,\"message\":\"x\"}],\"searchedLogStreams\":[]}", 60, 60},
        {"{\"results\":[[{\"field\":\"@message\",\"value\":\"x\"}]],\"status\":\"Complete\"}", 60,
         60},
        /* documents are others' */
        {"{\"kind\":\"Status\",\"message\":\"x\",\"code\":404}", 0, 0},
        {"{\"level\":\"info\",\n\"msg\":\"x\"}", 0, 0},
        {"{\"tasks\":[]}", 0, 0},
        {"[{\"log\":\"x\",\"time\":\"1\"}]", 0, 0},
        {"\1\2\3\4\5\6\7\1\2\3\4\5\6\7", 0, 0},
        {"{\"log\":\"x\",\"stream\":\"stderr\"", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct scanned scanned;
        print_message("%s\n", sources[i].text);
        scanned_text(&scanned, sources[i].text);
        assert_in_range(scanned.score, sources[i].least, sources[i].most);
        scanned_release(&scanned);
    }
}

/* The same two records out of every wrapper: fields, place, and an excerpt as the source has it. */
static void wrapped_logs_keep_their_places(void **state)
{
    static const struct {
        const char *text, *place, *begin, *container, *workload;
    } logs[] = {
        {"x\n" ENVOY BIND "\n" BIND2 "\n", "line 2", "[2026-11-21 08:", "(none)", "(none)"},
        {"x\r\n" ENVOY BIND "\r\n" BIND2 "\r\n", "line 2", "[2026-11-21 08:", "(none)", "(none)"},
        {"2026-11-21T08:00:01Z stderr F x\n2026-11-21T08:00:01Z stderr F " ENVOY BIND
         "\n2026-11-21T08:00:01Z stderr F " BIND2 "\n",
         "line 2", "2026-11-21T08:00:01Z stderr F [2026", "(none)", "(none)"},
        {"envoy-1  | x\nenvoy-1  | " ENVOY BIND "\nenvoy-1  | " BIND2 "\n", "line 2",
         "envoy-1  | [2026", "envoy-1", "(none)"},
        {"[pod/p/c] x\n[pod/p/c] " ENVOY BIND "\n[pod/p/c] " BIND2 "\n", "line 2",
         "[pod/p/c] [2026", "c", "p"},
        {"Nov 21 08:00:00 host envoy[12]: x\nNov 21 08:00:00 host envoy[12]: " ENVOY BIND
         "\nNov 21 08:00:00 host envoy[12]: " BIND2 "\n",
         "line 2", "Nov 21 08:00:00 host envoy[12]: [2026", "envoy", "(none)"},
        {"2026-11-21T08:00:00.1+00:00 a/c/t x\n2026-11-21T08:00:00.1+00:00 a/c/t " ENVOY BIND
         "\n2026-11-21T08:00:00.1+00:00 a/c/t " BIND2 "\n",
         "line 2", "2026-11-21T08:00:00.1+00:00 a/c/t [2026", "c", "t"},
        {"> x\n> " ENVOY BIND "\n> " BIND2 "\n", "line 2", "> [2026", "(none)", "(none)"},
        {"{\"log\":\"x\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01Z\"}\n"
         "{\"log\":\"" ENVOY BIND "\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01Z\"}\n"
         "{\"log\":\"" BIND2 "\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01Z\"}\n",
         "line 2", "{\"log\":\"[2026", "(none)", "(none)"},
        {"$ docker logs\n\n{\"log\":\"" ENVOY BIND
         "\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01Z\"}\n"
         "{\"log\":\"" BIND2 "\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01Z\"}\n",
         "line 3", "{\"log\":\"[2026", "(none)", "(none)"},
        {"{\"container_name\":\"/envoy\",\"ecs_task_arn\":\"a/t\",\"log\":\"" ENVOY BIND "\\n" BIND2
         "\"}\n",
         "line 1", "{\"container_name\":", "envoy", "t"},
        {"timestamp,message\n1795248001509,\"" ENVOY BIND "\n" BIND2 "\"\n", "line 2",
         "1795248001509,\"[2026", "(none)", "(none)"},
        {"{\"events\":[{\"timestamp\":1795248001509,\"message\":\"x\"},\n{\"timestamp\":"
         "1795248001509,"
         "\"logStreamName\":\"a/c/t\",\"message\":\"" ENVOY BIND
         "\\n\"},{\"timestamp\":1795248001509,"
         "\"logStreamName\":\"a/c/t\",\"message\":\"" BIND2 "\"}],\"searchedLogStreams\":[]}",
         "/events/1/message", "[2026-11-21 08:", "c", "t"},
        {"{\"results\":[[{\"field\":\"@timestamp\",\"value\":\"2026-11-21 "
         "08:00:00.000\"},{\"field\":"
         "\"@message\",\"value\":\"" ENVOY BIND "\\n" BIND2 "\"}]]}",
         "/results/0", "[2026-11-21 08:", "(none)", "(none)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        struct scanned scanned;
        char place[32];
        print_message("%s\n", logs[i].text);
        scanned_text(&scanned, logs[i].text);
        assert_int_equal(scanned_count(&scanned, "log.config_rejected"), 1);
        assert_int_equal(scanned_count(&scanned, "log.bind_failed"), 2);
        const struct record *record = scanned_record(&scanned, "log.bind_failed", 1);
        assert_string_equal(record_locator(record, place), logs[i].place);
        assert_true(strncmp(record->excerpt, logs[i].begin, strlen(logs[i].begin)) == 0);
        assert_non_null(strstr(record->excerpt, BIND2));
        assert_null(strchr(record->excerpt, '\r'));
        assert_int_equal(record->time, INT64_C(1795248000123000000));
        assert_string_equal(scanned_field(&scanned, "log.bind_failed", 1, "message"),
                            BIND "\n" BIND2);
        assert_string_equal(scanned_field(&scanned, "log.bind_failed", 1, "level"), "warning");
        assert_string_equal(scanned_field(&scanned, "log.bind_failed", 1, "container"),
                            logs[i].container);
        assert_string_equal(scanned_field(&scanned, "log.bind_failed", 1, "workload"),
                            logs[i].workload);
        assert_string_equal(scanned_kind(&scanned), "log.envoy");
        scanned_release(&scanned);
    }
}

/* Docker splits lines at 16 kB; the pieces are one line again, cited where the first one stands. */
static void pieces_of_a_line_are_joined(void **state)
{
    struct scanned scanned;
    (void)state;
    scanned_text(
        &scanned,
        "{\"log\":\"" ENVOY "gRPC config stream clo\",\"stream\":\"stderr\",\"time\":"
        "\"2026-11-21T08:00:01Z\"}\n"
        "{\"log\":\"sed: 7, x\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01Z\"}\n");
    assert_int_equal(scanned_count(&scanned, "log.xds_closed"), 1);
    assert_int_equal(scanned_record(&scanned, "log.xds_closed", 0)->line, 1);
    assert_string_equal(scanned_field(&scanned, "log.xds_closed", 0, "rest"), "x");
    scanned_release(&scanned);
    scanned_text(&scanned,
                 "{\"log\":\"a\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01Z\"}\n" ENVOY
                 "gRPC config stream closed: 7, y\n");
    assert_int_equal(scanned_record(&scanned, "log.xds_closed", 0)->line, 2);
    assert_string_equal(scanned_field(&scanned, "log.xds_closed", 0, "rest"), "y");
    scanned_release(&scanned);
}

/* What an agent prints of its environment is env, though never all of it. */
static void variables_become_env(void **state)
{
    static const char *const want[][2] = {
        {"ENVOY_LOG_LEVEL", "debug"}, {"ENVOY_NOTE", "a b"}, {"ENVOY_EMPTY", ""}};
    struct scanned scanned;
    const struct record *record = NULL;
    char buf[32];
    (void)state;
    scanned_text(&scanned, "time=\"2022-12-10T11:24:48Z\" level=info msg=\"Envoy Environment "
                           "Variables: [ENVOY_LOG_LEVEL=debug ENVOY_NOTE=a b ENVOY_EMPTY=]\"\n"
                           "time=\"2022-12-10T11:24:48Z\" level=info msg=\"Agent Environment "
                           "Variables: []\"\n");
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        record = evidence_next(scanned.evidence, "env", record);
        assert_non_null(record);
        assert_string_equal(record_text(record, "name", buf), want[i][0]);
        assert_string_equal(record_text(record, "value", buf), want[i][1]);
        assert_int_equal(record->line, 1);
    }
    assert_null(evidence_next(scanned.evidence, "env", record));
    assert_int_equal(evidence_state(scanned.evidence, "env"), EVIDENCE_PARTIAL);
    scanned_release(&scanned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_are_recognised),
        cmocka_unit_test(wrapped_logs_keep_their_places),
        cmocka_unit_test(pieces_of_a_line_are_joined),
        cmocka_unit_test(variables_become_env),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
