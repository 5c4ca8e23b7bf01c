/* Stage: read. The reader of logs and of any other text: the last one asked, since every text is worth
 * a look. Reads the source through the log engine, which writes events and says what shape the log
 * has. */
#include "read/log_cloudwatch.h"
#include "read/log_unwrap.h"
#include "read/readers.h"
#include "read/scan.h"
#include <string.h>

enum {
    SCORE_TEXT = 2,
    SCORE_YAML = 1,
    SCORE_JSON = 45,
    SCORE_CLOUDWATCH = 60,
    SCORE_LOG = 50,
    LOOK_LINES = 60,
    LINE_MOST = 4096,
};

static bool has_any(const struct peek *peek, const char *const *keys)
{
    for (; *keys; keys++)
        if (peek_has_key(peek, *keys))
            return true;
    return false;
}

/* One object per line, and names that only log lines have. */
static bool is_json_log(const struct peek *peek)
{
    static const char *const carriers[] = {"log", NULL};
    static const char *const carried[] = {"stream",         "time",         "source",
                                          "container_name", "container_id", NULL};
    static const char *const messages[] = {"msg",     "message", "Message", "@message",
                                           "MESSAGE", "MSG",     NULL};
    static const char *const marks[] = {"level",    "time",   "timestamp",  "ts",
                                        "severity", "Level",  "Time",       "Timestamp",
                                        "scope",    "@level", "@timestamp", "__REALTIME_TIMESTAMP",
                                        NULL};
    static const char *const requests[] = {"response_code", "response_flags", "responseCode",
                                           "responseFlags", NULL};
    const char *end = memchr(peek->text, '\n', peek->len);
    size_t len = end ? (size_t)(end - peek->text) : peek->len;
    if (!end && !peek->whole)
        return false;
    while (len && strchr(" \t\r", peek->text[len - 1]))
        len--;
    if (!len || peek->text[len - 1] != '}')
        return false;
    return (has_any(peek, carriers) && has_any(peek, carried)) ||
           (has_any(peek, messages) && has_any(peek, marks)) || has_any(peek, requests);
}

static bool has_log_lines(const struct peek *peek)
{
    const char *at = peek->text, *end = peek->text + peek->len;
    for (int i = 0; i < LOOK_LINES && at < end; i++) {
        struct log_line line;
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        log_unwrap_line(at, len < LINE_MOST ? len : LINE_MOST, &line);
        if (line.header.kind != LOG_NONE && line.header.kind != LOG_OTHER)
            return true;
        at = stop ? stop + 1 : end;
    }
    return false;
}

static int recognise(const struct peek *peek)
{
    switch (peek->shape) {
    case PEEK_JSON_OBJECT:
        if (log_cloudwatch_recognise(peek))
            return SCORE_CLOUDWATCH;
        return is_json_log(peek) ? SCORE_JSON : 0;
    case PEEK_TEXT:
    case PEEK_YAML:
        if (has_log_lines(peek))
            return SCORE_LOG;
        return peek->shape == PEEK_TEXT ? SCORE_TEXT : SCORE_YAML;
    case PEEK_EMPTY:
    case PEEK_JSON_ARRAY:
    case PEEK_BINARY:
        break;
    }
    return 0;
}

static void read(struct reading *reading)
{
    if (!reading->scan)
        return;
    if (log_cloudwatch_recognise(reading->peek))
        log_cloudwatch_scan(reading->scan, reading);
    else
        scan_log(reading->scan, reading);
}

static const char *const supplies[] = {"log", "log.*", "access.*", "event.*", "text", "env", NULL};

const struct reader read_log = {
    .kind = "text", .supplies = supplies, .recognise = recognise, .read = read};
