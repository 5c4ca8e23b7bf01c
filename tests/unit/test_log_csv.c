/* log_csv.c: tables of a log console. */
#include "read/log_csv.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void headings_are_known(void **state)
{
    static const struct {
        const char *line;
        int message, time, stream;
    } headings[] = {
        {"timestamp,message", 1, 0, -1},
        {"@timestamp,@message\r", 1, 0, -1},
        {"\"@timestamp\",\"@logStream\",\"@message\"", 2, 0, 1},
        {"Message,Timestamp,ingestionTime,logStreamName", 0, 1, 3},
        {"timestamp", -1, 0, -1},
        {"name,message", 1, -1, -1},
        {"a,b,c", -1, -1, -1},
        {"", -1, -1, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        struct log_csv csv;
        bool found = log_csv_heading(headings[i].line, strlen(headings[i].line), &csv);
        assert_int_equal(found, headings[i].message >= 0 && headings[i].time >= 0);
        assert_int_equal(csv.message, headings[i].message);
        assert_int_equal(csv.time, headings[i].time);
        assert_int_equal(csv.stream, headings[i].stream);
    }
}

static void rows_become_plain_lines(void **state)
{
    static const struct {
        const char *line, *plain;
    } rows[] = {
        {"1795248001509,x", "2026-11-21T08:00:01.509Z -/-/- x"},
        {"1795248001509,\"\"\"GET / HTTP/1.1\"\" 404 NR, y\"\r",
         "2026-11-21T08:00:01.509Z -/-/- \"GET / HTTP/1.1\" 404 NR, y"},
        {"1795248001509,\"first,", "2026-11-21T08:00:01.509Z -/-/- first,"},
        {"  \"\"second\"\", still", "  \"second\", still"},
        {"third\",behind", "third"},
        {"1795248001510,y", "2026-11-21T08:00:01.510Z -/-/- y"},
        {"", ""},
    };
    struct log_csv csv;
    (void)state;
    assert_true(log_csv_heading("timestamp,message", 17, &csv));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        buf_init(&out, 4096);
        log_csv_line(&csv, rows[i].line, strlen(rows[i].line), &out);
        assert_string_equal(buf_str(&out), rows[i].plain);
        buf_release(&out);
    }
}

static void columns_stand_in_any_order(void **state)
{
    static const char row[] = "\"x, y\",2026-11-21 08:00:01.509,1,ecs/envoy/0123";
    struct log_csv csv;
    struct buf out;
    (void)state;
    assert_true(log_csv_heading("Message,Timestamp,ingestionTime,logStreamName", 45, &csv));
    buf_init(&out, 4096);
    log_csv_line(&csv, row, strlen(row), &out);
    assert_string_equal(buf_str(&out), "2026-11-21T08:00:01.509 ecs/envoy/0123 x, y");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_are_known),
        cmocka_unit_test(rows_become_plain_lines),
        cmocka_unit_test(columns_stand_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
