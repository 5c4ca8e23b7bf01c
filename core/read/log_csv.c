/* Stage: read. Undoes the quotes of log tables saved as CSV (CloudWatch's console and Insights).
 * Reads one physical line, appends the plain line in it. Deliberately keeps the line structure, so that
 * line numbers stay those of the file. */
#include "read/log_csv.h"
#include "base/alloc.h"
#include "read/log_json.h"
#include <string.h>
#include <strings.h>

enum { COLUMNS_MAX = 16, PLACE_MAX = 128 };

static void heading_column(struct log_csv *csv, int column, const char *name, size_t len)
{
    static const char *const messages[] = {"message", "@message", "log", "msg"};
    static const char *const times[] = {"timestamp", "@timestamp", "time", "date"};
    static const char *const streams[] = {"logstreamname", "@logstream", "logstream"};
    const struct {
        const char *const *names;
        size_t len;
        int *slot;
    } kinds[] = {{messages, ARRAY_LEN(messages), &csv->message},
                 {times, ARRAY_LEN(times), &csv->time},
                 {streams, ARRAY_LEN(streams), &csv->stream}};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        for (size_t i = 0; i < kinds[k].len; i++)
            if (*kinds[k].slot < 0 && strlen(kinds[k].names[i]) == len &&
                strncasecmp(kinds[k].names[i], name, len) == 0)
                *kinds[k].slot = column;
}

bool log_csv_heading(const char *line, size_t len, struct log_csv *csv)
{
    *csv = (struct log_csv){-1, -1, -1, 0, false};
    const char *at = line, *end = line + len;
    if (len > 512)
        return false;
    while (end > at && (end[-1] == '\r' || end[-1] == '\n'))
        end--;
    for (int column = 0; column < COLUMNS_MAX; column++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *from = at, *to = comma ? comma : end;
        if (to - from > 1 && *from == '"' && to[-1] == '"') {
            from++;
            to--;
        }
        heading_column(csv, column, from, (size_t)(to - from));
        if (!comma)
            return column > 0 && csv->message >= 0 && csv->time >= 0;
        at = comma + 1;
    }
    return false;
}

/* Collects what is in front of the message: its time and stream, in the order of the columns. */
struct place {
    char time[PLACE_MAX], stream[PLACE_MAX];
    size_t time_len, stream_len;
};

static void place_char(const struct log_csv *csv, struct place *place, char c)
{
    if (csv->column == csv->time && place->time_len < PLACE_MAX)
        place->time[place->time_len++] = c;
    if (csv->column == csv->stream && place->stream_len < PLACE_MAX)
        place->stream[place->stream_len++] = c;
}

static void next_char(struct log_csv *csv, const char **at, const char *end, struct place *place,
                      struct buf *message)
{
    char c = *(*at)++;
    bool doubled = csv->quoted && c == '"' && *at < end && **at == '"';
    if (doubled) {
        (*at)++;
    } else if (c == '"') {
        csv->quoted = !csv->quoted;
        return;
    } else if (c == ',' && !csv->quoted) {
        csv->column++;
        return;
    }
    if (csv->column == csv->message)
        buf_addch(message, c);
    else
        place_char(csv, place, c);
}

void log_csv_line(struct log_csv *csv, const char *line, size_t len, struct buf *out)
{
    struct place place = {.time_len = 0};
    struct buf message;
    const char *at = line, *end = line + len;
    bool goes_on = csv->quoted;
    if (!goes_on)
        csv->column = 0;
    if (end > at && end[-1] == '\r')
        end--;
    buf_init(&message, len + 1);
    while (at < end)
        next_char(csv, &at, end, &place, &message);
    if (!goes_on)
        log_json_place(place.time, place.time_len, place.stream, place.stream_len, out);
    buf_add(out, buf_str(&message), message.len);
    buf_release(&message);
}
