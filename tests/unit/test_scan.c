/* The log engine as a whole: what is found, where it is cited, and how it is counted, whatever the size
 * of lines and windows. */
#include "scanned.h"

#include "base/alloc.h"
#include "base/buf.h"

#define HEAD "[2026-11-21 08:00:00.123][12][warning][config] [./source/x/grpc_stream.h:163] "
#define CLOSED                                                                                     \
    HEAD "StreamAggregatedResources gRPC config stream to xds_cluster closed: 7, permission "      \
         "denied\n"
#define REJECTED                                                                                   \
    HEAD "gRPC config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: Error "  \
         "adding/updating listener(s) a: cannot bind '0.0.0.0:80': Permission denied\n"            \
         "b: cannot bind '0.0.0.0:443': Permission denied\n\n"
#define QUIET HEAD "starting something\n"

/* ---- where a record is ---- */

static void a_hit_belongs_to_the_record_above(void **state)
{
    struct scanned scanned;
    (void)state;
    scanned_text(&scanned, QUIET REJECTED QUIET);
    assert_int_equal(scanned_count(&scanned, "log.config_rejected"), 1);
    assert_int_equal(scanned_count(&scanned, "log.bind_failed"), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct record *record = scanned_record(&scanned, "log.bind_failed", i);
        assert_int_equal(record->line, 2);
        assert_string_equal(scanned_field(&scanned, "log.bind_failed", i, "level"), "warning");
        assert_true(record->time != 0);
        assert_true(strncmp(record->excerpt, HEAD, strlen(HEAD)) == 0);
        assert_non_null(strstr(record->excerpt, "\nb: cannot bind"));
        assert_null(strstr(record->excerpt, "starting"));
    }
    assert_string_equal(scanned_field(&scanned, "log.bind_failed", 1, "address"), "0.0.0.0:443");
    assert_string_equal(scanned_field(&scanned, "log.config_rejected", 0, "rest"),
                        "Error adding/updating listener(s) a: cannot bind '0.0.0.0:80': Permission "
                        "denied\nb: cannot bind '0.0.0.0:443': Permission denied");
    scanned_release(&scanned);
}

static void records_end_where_something_else_begins(void **state)
{
    static const struct {
        const char *text, *message;
    } logs[] = {
        /* a blank line, an access log line, another container, a typed command */
        {HEAD "gRPC config stream closed: 7, a\nb\n\nc\n", "gRPC config stream closed: 7, a\nb"},
        {HEAD
         "gRPC config stream closed: 7, a\n[2026-11-21T10:05:26.922Z] \"GET / HTTP/1.1\" 200 - 0\n",
         "gRPC config stream closed: 7, a"},
        {"[pod/p/envoy] " HEAD "gRPC config stream closed: 7, a\n[pod/p/envoy] b\n[pod/p/app] c\n",
         "gRPC config stream closed: 7, a\nb"},
        {HEAD "gRPC config stream closed: 7, a\n$ kubectl get pods\n",
         "gRPC config stream closed: 7, a"},
        {"2026-11-21T08:00:01Z stderr F " HEAD
         "gRPC config stream closed: 7, a\r\n2026-11-21T08:00:01Z "
         "stderr F b\r\n2026-11-21T08:00:01Z stdout F c\r\n",
         "gRPC config stream closed: 7, a\nb"},
        /* without a header there is no record but the line */
        {"gRPC config stream closed: 7, a\nb\n", "gRPC config stream closed: 7, a"},
        {"x\ngRPC config stream closed: 7, a", "gRPC config stream closed: 7, a"},
        {"2022-03-11T16:01:43.221304Z\twarning\tenvoy config\tgRPC config stream closed: 7, "
         "a\tthread=20\n",
         "gRPC config stream closed: 7, a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        struct scanned scanned;
        scanned_text(&scanned, logs[i].text);
        assert_string_equal(scanned_field(&scanned, "log.xds_closed", 0, "message"),
                            logs[i].message);
        scanned_release(&scanned);
    }
}

static void a_record_has_an_end(void **state)
{
    struct scanned scanned;
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 20);
    buf_adds(&text, HEAD "gRPC config for x rejected: y\n");
    for (int i = 0; i < 2 * SCAN_RECORD_LINES; i++)
        buf_adds(&text, i == SCAN_RECORD_LINES + 10 ? "cannot bind '1.2.3.4:5': Permission denied\n"
                                                    : "more of it\n");
    scanned_with(&scanned, NULL, 0, text.data, text.len, 0, true);
    const struct record *far = scanned_record(&scanned, "log.bind_failed", 0);
    assert_int_equal(far->line, SCAN_RECORD_LINES + 12);
    assert_null(record_text(far, "level", (char[32]){0}));
    assert_true(strlen(scanned_record(&scanned, "log.config_rejected", 0)->excerpt) <=
                EVIDENCE_EXCERPT_MAX);
    scanned_release(&scanned);
    buf_release(&text);
}

/* The match is too far inside for the excerpt to begin with the record. */
static void a_far_match_is_cited_where_it_is(void **state)
{
    struct scanned scanned;
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 20);
    buf_adds(&text, HEAD "gRPC config for x rejected: y\n");
    for (int i = 0; i < 100; i++)
        buf_addf(&text, "%0100d\n", i);
    buf_adds(&text, "z: cannot bind '1.2.3.4:5': Permission denied\n");
    scanned_with(&scanned, NULL, 0, text.data, text.len, 0, true);
    const struct record *far = scanned_record(&scanned, "log.bind_failed", 0);
    assert_int_equal(far->line, 102);
    assert_string_equal(far->excerpt, "z: cannot bind '1.2.3.4:5': Permission denied");
    assert_string_equal(scanned_field(&scanned, "log.bind_failed", 0, "level"), "warning");
    assert_string_equal(
        scanned_field(&scanned, "log.bind_failed", 0, "message"),
        "gRPC config for x rejected: y\nz: cannot bind '1.2.3.4:5': Permission denied");
    scanned_release(&scanned);
    buf_release(&text);
}

/* ---- windows ---- */

/* Everything that was found, as text. */
static char *all_records(const struct scanned *scanned)
{
    static const char *const events[] = {"log.bind_failed", "log.config_rejected",
                                         "log.xds_closed"};
    struct buf out;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < 3; i++) {
        const struct record *record = NULL;
        buf_addf(&out, "%s %" PRIu64 "\n", events[i], evidence_count(scanned->evidence, events[i]));
        while ((record = evidence_next(scanned->evidence, events[i], record)) != NULL) {
            char place[32];
            buf_addf(&out, "%s|%" PRId64 "|%s\n", record_locator(record, place), record->time,
                     record->excerpt);
            for (const char *const *column = record_columns(record); *column; column++) {
                const char *value = record_text(record, *column, place);
                buf_addf(&out, "  %s=%s\n", *column, value ? value : "");
            }
        }
    }
    buf_addf(&out, "lines %s\n", scanned_field(scanned, "log", 0, "lines"));
    return buf_take(&out);
}

static char *found_in(const char *text, size_t len, size_t window)
{
    struct scanned scanned;
    scanned_with(&scanned, NULL, 0, text, len, window, true);
    char *found = all_records(&scanned);
    scanned_release(&scanned);
    return found;
}

typedef void add_fn(struct buf *out, const char *line, size_t len);

static void add_plain(struct buf *out, const char *line, size_t len)
{
    buf_add(out, line, len);
    buf_addch(out, '\n');
}

static void add_docker(struct buf *out, const char *line, size_t len)
{
    buf_adds(out, "{\"log\":\"");
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '"' || line[i] == '\\')
            buf_addch(out, '\\');
        buf_addch(out, line[i]);
    }
    buf_adds(out, "\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T08:00:01Z\"}\n");
}

static void add_csv(struct buf *out, const char *line, size_t len)
{
    buf_adds(out, out->len ? "1795248001509,\"" : "timestamp,message\n1795248001509,\"");
    buf_add(out, line, len);
    buf_adds(out, "\"\n");
}

static void add_event(struct buf *out, const char *line, size_t len)
{
    buf_adds(out, out->len ? ",\n" : "{\"searchedLogStreams\":[],\"events\":[\n");
    buf_adds(out, "{\"timestamp\":1795248001509,\"logStreamName\":\"a/b/c\",\"message\":\"");
    buf_add(out, line, len);
    buf_adds(out, "\"}");
}

static void add_lines(struct buf *out, const char *text, add_fn *add)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        add(out, text, len);
        text += len + 1;
    }
}

/* A log whose interesting part begins at about AT bytes. */
static void build(struct buf *out, add_fn *add, size_t at)
{
    static const char filler[] = HEAD "filler";
    struct buf last;
    buf_clear(out);
    while (out->len + 400 < at)
        add(out, filler, sizeof filler - 1);
    buf_init(&last, 1024);
    buf_adds(&last, filler);
    while (out->len + last.len + 100 < at)
        buf_addch(&last, '.');
    add(out, last.data, last.len);
    add_lines(out, REJECTED CLOSED "gRPC config stream closed: 14, x\n" REJECTED QUIET, add);
    for (int i = 0; i < 1000; i++)
        add(out, filler, sizeof filler - 1);
    add_lines(out, CLOSED, add);
    if (add == add_event)
        buf_adds(out, "]}\n");
    buf_release(&last);
}

static void check_border(add_fn *add, size_t step)
{
    struct buf text;
    buf_init(&text, 4 << 20);
    for (size_t at = SCAN_WINDOW_MIN - 1600; at < SCAN_WINDOW_MIN + 100; at += step) {
        build(&text, add, at);
        char *small = found_in(text.data, text.len, SCAN_WINDOW_MIN);
        char *large = found_in(text.data, text.len, 4 << 20);
        assert_string_equal(small, large);
        assert_non_null(strstr(large, "log.bind_failed 4\n"));
        assert_non_null(strstr(large, "log.config_rejected 2\n"));
        assert_non_null(strstr(large, "log.xds_closed 3\n"));
        free(small);
        free(large);
    }
    buf_release(&text);
}

static void window_borders_change_nothing(void **state)
{
    (void)state;
    check_border(add_plain, 5);
    check_border(add_docker, 37);
    check_border(add_csv, 37);
    check_border(add_event, 37);
}

/* ---- long lines, odd bytes ---- */

static void a_line_longer_than_the_window_is_scanned_in_pieces(void **state)
{
    struct scanned scanned;
    struct buf text;
    (void)state;
    for (size_t shift = 2020; shift < 2120; shift += 4) {
        buf_init(&text, 4 << 20);
        buf_adds(&text, QUIET HEAD);
        while (text.len < SCAN_WINDOW_MIN - 2000 + shift)
            buf_addch(&text, 'x');
        buf_adds(&text, "gRPC config stream closed: 3, far");
        while (text.len < 5 * SCAN_WINDOW_MIN)
            buf_addch(&text, 'y');
        buf_adds(&text, "gRPC config stream closed: 5, farther\n" CLOSED);
        scanned_with(&scanned, NULL, 0, text.data, text.len, SCAN_WINDOW_MIN, true);
        assert_int_equal(scanned_count(&scanned, "log.xds_closed"), 2);
        const struct record *record = scanned_record(&scanned, "log.xds_closed", 0);
        const struct record *next = scanned_record(&scanned, "log.xds_closed", 1);
        if (record->line == 3) { /* the long line has no time where it is cut: order is not told */
            const struct record *other = record;
            record = next;
            next = other;
        }
        char number[32];
        assert_int_equal(record->line, 2);
        assert_string_equal(record_text(record, "code", number), "3");
        assert_int_equal(next->line, 3);
        assert_string_equal(scanned_field(&scanned, "log", 0, "lines"), "3");
        scanned_release(&scanned);
        buf_release(&text);
    }
}

static void endless_lines_take_no_more_than_a_window(void **state)
{
    struct scanned scanned;
    size_t len = 20 * SCAN_WINDOW_MIN;
    char *text = xmalloc(len);
    (void)state;
    for (int c = 0; c < 3; c++) {
        memset(text, "x\0{"[c], len);
        scanned_with(&scanned, NULL, 0, text, len, SCAN_WINDOW_MIN, true);
        assert_string_equal(scanned_field(&scanned, "log", 0, "lines"), "1");
        scanned_release(&scanned);
    }
    memset(text, '\n', len);
    scanned_with(&scanned, NULL, 0, text, len, SCAN_WINDOW_MIN, true);
    assert_int_equal(strtoull(scanned_field(&scanned, "log", 0, "lines"), NULL, 10), len);
    scanned_release(&scanned);
    free(text);
}

static void odd_bytes_do_no_harm(void **state)
{
    static const char text[] = "\0\0\n" HEAD "gRPC config stream closed: 7, a\0b\xff\r\n\0" QUIET;
    struct scanned scanned;
    (void)state;
    scanned_with(&scanned, NULL, 0, text, sizeof text - 1, 0, true);
    assert_string_equal(scanned_field(&scanned, "log.xds_closed", 0, "rest"), "a\xEF\xBF\xBD"
                                                                              "b\xEF\xBF\xBD");
    assert_int_equal(scanned_record(&scanned, "log.xds_closed", 0)->line, 2);
    scanned_release(&scanned);
}

/* ---- how many ---- */

static void many_hits_are_counted_and_few_kept(void **state)
{
    struct scanned scanned;
    struct buf text;
    size_t records = 0, rare = 0;
    (void)state;
    buf_init(&text, 16 << 20);
    for (int i = 0; i < 50000; i++)
        buf_addf(&text, HEAD "gRPC config stream closed: %d, number %d\n", i == 25000 ? 9 : 14, i);
    scanned_with(&scanned, NULL, 0, text.data, text.len, 0, true);
    assert_int_equal(scanned_count(&scanned, "log.xds_closed"), 50000);
    const struct record *record = NULL;
    uint64_t last = 0;
    while ((record = evidence_next(scanned.evidence, "log.xds_closed", record)) != NULL) {
        char number[32];
        records++;
        rare += strcmp(record_text(record, "code", number), "9") == 0;
        assert_true(record->line > last);
        last = record->line;
    }
    assert_int_equal(records, KEEP_FIRST + KEEP_LAST + 1);
    assert_int_equal(rare, 1);
    assert_int_equal(last, 50000);
    scanned_release(&scanned);
    buf_release(&text);
}

/* ---- patterns of checks ---- */

static void a_refused_pattern_costs_its_event_only(void **state)
{
    static const struct scan_pattern patterns[] = {
        {"event.a.good", "denied for (?<who>\\w+)", true, NULL},
        {"event.b.bad", "(?<=x)denied", false, NULL},
    };
    struct scanned scanned;
    (void)state;
    scanned_with(&scanned, patterns, 2, "ACCESS DENIED for me\n", 21, 0, true);
    assert_true(strncmp(scanned.refused, "event.b.bad: pattern '(?<=x)denied'", 35) == 0);
    assert_int_equal(scanned_count(&scanned, "event.a.good"), 1);
    assert_string_equal(scanned_field(&scanned, "event.a.good", 0, "who"), "me");
    assert_string_equal(scanned_field(&scanned, "event.a.good", 0, "rest"), "");
    assert_int_equal(scanned_count(&scanned, "event.b.bad"), 0);
    scanned_release(&scanned);
}

/* libhs lets "[^x]" run over line ends; a match that leaves its record is none. */
static void a_match_over_records_is_no_hit(void **state)
{
    static const struct scan_pattern patterns[] = {
        {"event.a.wide", "open '[^']+' closed", false, NULL},
    };
    static const char text[] = HEAD "open 'a\n" HEAD "b' closed\n" HEAD "open 'c' closed\n";
    struct scanned scanned;
    (void)state;
    scanned_with(&scanned, patterns, 1, text, strlen(text), 0, true);
    assert_int_equal(scanned_count(&scanned, "event.a.wide"), 1);
    assert_int_equal(scanned_record(&scanned, "event.a.wide", 0)->line, 3);
    scanned_release(&scanned);
}

/* ---- texts out of structured sources ---- */

static void say(struct scanned *scanned, const struct scan_text *text)
{
    struct reading reading = {.source = &scanned->sources.items[0],
                              .sources = &scanned->sources,
                              .evidence = scanned->evidence,
                              .scan = scanned->scan,
                              .complete = true};
    scan_message(scanned->scan, &reading, text);
}

static void messages_are_scanned_with_their_context(void **state)
{
    static const struct scan_pattern patterns[] = {
        {"event.image.denied", "pull access denied for (?<repository>[^,\\s]+)", false, NULL},
    };
    struct scanned scanned;
    struct scan_text text = {
        .text = "rpc error:\npull access denied for a/b, repository does not exist",
        .pointer = "/tasks/0/stoppedReason",
        .time = 5 * CLOCK_SECOND,
        .origin = "ecs",
        .container = "envoy",
        .workload = "0123",
        .count = 7};
    (void)state;
    scanned_with(&scanned, patterns, 1, "nothing\n", 8, 0, true);
    say(&scanned, &text);
    const struct record *record = scanned_record(&scanned, "event.image.denied", 0);
    char place[32];
    assert_non_null(record);
    assert_string_equal(record_locator(record, place), "/tasks/0/stoppedReason");
    assert_int_equal(record->time, 5 * CLOCK_SECOND);
    assert_string_equal(record->excerpt, text.text);
    assert_string_equal(scanned_field(&scanned, "event.image.denied", 0, "message"), text.text);
    assert_string_equal(scanned_field(&scanned, "event.image.denied", 0, "rest"),
                        "repository does not exist");
    assert_string_equal(scanned_field(&scanned, "event.image.denied", 0, "repository"), "a/b");
    assert_string_equal(scanned_field(&scanned, "event.image.denied", 0, "origin"), "ecs");
    assert_string_equal(scanned_field(&scanned, "event.image.denied", 0, "container"), "envoy");
    assert_string_equal(scanned_field(&scanned, "event.image.denied", 0, "workload"), "0123");
    assert_string_equal(scanned_field(&scanned, "event.image.denied", 0, "image"), "(none)");
    assert_string_equal(scanned_field(&scanned, "event.image.denied", 0, "repeats"), "7");
    for (int i = 0; i < 999; i++)
        say(&scanned, &text);
    assert_int_equal(scanned_count(&scanned, "event.image.denied"), 1000);
    assert_non_null(scanned_record(&scanned, "event.image.denied", 255));
    assert_null(scanned_record(&scanned, "event.image.denied", 256));
    scanned_release(&scanned);
}

/* ---- what is said about the log ---- */

static void the_log_itself_is_a_record(void **state)
{
    static const struct {
        const char *text, *kind, *lines, *first, *last, *from_start, *debug;
    } logs[] = {
        {"[2026-11-21 08:00:00.123][12][info][main] [a/b.cc:1] initializing epoch 0 (base id=0)\n"
         "[2026-11-21 08:00:01.123][12][debug][main] [a/b.cc:1] x\nmore\n",
         "log.envoy", "3", "2026-11-21T08:00:00.123Z", "2026-11-21T08:00:01.123Z", "yes", "yes"},
        {"2022-03-11T16:01:43.221304Z\tdebug\tenvoy config\tx\n", "log.istio", "1",
         "2022-03-11T16:01:43.221Z", "2022-03-11T16:01:43.221Z", "(none)", "yes"},
        {"2022-12-16T16:42:39.036Z+00:00 [warning] envoy.main(15) x", "log.consul", "1",
         "2022-12-16T16:42:39.036Z", "2022-12-16T16:42:39.036Z", "(none)", "(none)"},
        {"[2026-11-21T10:05:26.922Z] \"GET / HTTP/1.1\" 200 - 0 3 5 4\n", "log.access", "1",
         "2026-11-21T10:05:26.922Z", "2026-11-21T10:05:26.922Z", "(none)", "(none)"},
        {"And the service failed\n", "text", "1", "(none)", "(none)", "(none)", "(none)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        struct scanned scanned;
        scanned_text(&scanned, logs[i].text);
        assert_string_equal(scanned_kind(&scanned), logs[i].kind);
        assert_string_equal(scanned_field(&scanned, "log", 0, "shape"), logs[i].kind);
        assert_string_equal(scanned_field(&scanned, "log", 0, "source"), "log/test.log");
        assert_string_equal(scanned_field(&scanned, "log", 0, "lines"), logs[i].lines);
        assert_string_equal(scanned_field(&scanned, "log", 0, "first"), logs[i].first);
        assert_string_equal(scanned_field(&scanned, "log", 0, "last"), logs[i].last);
        assert_string_equal(scanned_field(&scanned, "log", 0, "from_start"), logs[i].from_start);
        assert_string_equal(scanned_field(&scanned, "log", 0, "debug"), logs[i].debug);
        assert_string_equal(scanned_field(&scanned, "text", 0, "source"), "log/test.log");
        scanned_release(&scanned);
    }
}

static void only_a_whole_log_is_complete(void **state)
{
    struct scanned scanned;
    (void)state;
    scanned_with(&scanned, NULL, 0, QUIET, strlen(QUIET), 0, true);
    assert_int_equal(evidence_state(scanned.evidence, "log.xds_closed"), EVIDENCE_COMPLETE);
    scanned_release(&scanned);
    scanned_with(&scanned, NULL, 0, QUIET, strlen(QUIET), 0, false);
    assert_int_equal(evidence_state(scanned.evidence, "log.xds_closed"), EVIDENCE_PARTIAL);
    scanned_release(&scanned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hit_belongs_to_the_record_above),
        cmocka_unit_test(records_end_where_something_else_begins),
        cmocka_unit_test(a_record_has_an_end),
        cmocka_unit_test(a_far_match_is_cited_where_it_is),
        cmocka_unit_test(window_borders_change_nothing),
        cmocka_unit_test(a_line_longer_than_the_window_is_scanned_in_pieces),
        cmocka_unit_test(endless_lines_take_no_more_than_a_window),
        cmocka_unit_test(odd_bytes_do_no_harm),
        cmocka_unit_test(many_hits_are_counted_and_few_kept),
        cmocka_unit_test(a_refused_pattern_costs_its_event_only),
        cmocka_unit_test(a_match_over_records_is_no_hit),
        cmocka_unit_test(messages_are_scanned_with_their_context),
        cmocka_unit_test(the_log_itself_is_a_record),
        cmocka_unit_test(only_a_whole_log_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
