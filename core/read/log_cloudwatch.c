/* Stage: read. Takes log events out of CloudWatch's JSON, one array element after the other, and gives
 * them to the scan as the plain lines that `aws logs tail` would have printed. Reads the source's
 * stream, keeps one window of lines. Deliberately cites items, not lines: one line may hold them all. */
#include "read/log_cloudwatch.h"
#include "base/alloc.h"
#include "base/json.h"
#include "read/log_json.h"
#include "read/scan_run.h"
#include <stdlib.h>
#include <string.h>

enum { ORIGINS_FIRST = 1024 };

struct cloudwatch {
    struct scan_run run;
    size_t window;
    struct buf plain, line;
    struct scan_origin *origins;
    size_t origins_len, origins_cap;
    uint64_t items;
};

bool log_cloudwatch_recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT)
        return false;
    if (peek_has_key(peek, "events"))
        return peek_has_key(peek, "searchedLogStreams") || peek_has_key(peek, "nextForwardToken") ||
               (peek_has(peek, "\"message\"") && peek_has(peek, "\"timestamp\""));
    return peek_has_key(peek, "results") && peek_has(peek, "\"@message\"");
}

/* Gives the window to the scan and keeps what may go on in the next one. */
static void scan_window(struct cloudwatch *cloudwatch, bool last)
{
    struct scan_view view = {.text = buf_str(&cloudwatch->plain),
                             .len = cloudwatch->plain.len,
                             .origins = cloudwatch->origins,
                             .origins_len = cloudwatch->origins_len,
                             .items = true};
    if (!view.len)
        return;
    size_t done = scan_run_view(&cloudwatch->run, &view, last, false), kept = 0;
    for (size_t i = 0; i < cloudwatch->origins_len; i++) {
        struct scan_origin origin = cloudwatch->origins[i];
        if (origin.at < done)
            continue;
        origin.at -= done;
        cloudwatch->origins[kept++] = origin;
    }
    cloudwatch->origins_len = kept;
    buf_consume(&cloudwatch->plain, done);
}

static void add_origin(struct cloudwatch *cloudwatch)
{
    if (cloudwatch->origins_len == cloudwatch->origins_cap) {
        size_t cap = cloudwatch->origins_cap ? cloudwatch->origins_cap * 2 : ORIGINS_FIRST;
        cloudwatch->origins = xrealloc(cloudwatch->origins, cap * sizeof *cloudwatch->origins);
        cloudwatch->origins_cap = cap;
    }
    cloudwatch->origins[cloudwatch->origins_len++] = (struct scan_origin){
        .at = cloudwatch->plain.len, .place = cloudwatch->items, .column = -1};
}

static void add_event(struct cloudwatch *cloudwatch, const char *time, const char *stream,
                      const char *message)
{
    bool part = false;
    size_t len = strlen(message);
    while (len && strchr("\r\n", message[len - 1]))
        len--;
    buf_clear(&cloudwatch->line);
    log_json_place(time, strlen(time), stream, strlen(stream), &cloudwatch->line);
    buf_add(&cloudwatch->line, message, len);
    if (cloudwatch->plain.len + 2 * cloudwatch->line.len > cloudwatch->window)
        scan_window(cloudwatch, false);
    add_origin(cloudwatch);
    if (!log_json_line(cloudwatch->line.data, cloudwatch->line.len, &cloudwatch->plain, &part))
        buf_add(&cloudwatch->plain, cloudwatch->line.data, cloudwatch->line.len);
    buf_addch(&cloudwatch->plain, '\n');
}

/* [{"field":"@message","value":"..."}, ...] */
static const char *query_field(const cJSON *row, const char *name)
{
    const cJSON *cell;
    cJSON_ArrayForEach (cell, row) {
        const char *field = json_str(cell, "field");
        if (field && strcmp(field, name) == 0)
            return json_str(cell, "value");
    }
    return NULL;
}

static void take_piece(void *user, const struct json_piece *piece)
{
    struct cloudwatch *cloudwatch = user;
    char number[32];
    const char *time, *stream, *message;
    if (piece->rule < 0)
        return;
    if (cJSON_IsArray(piece->value)) {
        cloudwatch->run.item = (struct scan_item){"/results", ""};
        time = query_field(piece->value, "@timestamp");
        stream = query_field(piece->value, "@logStream");
        message = query_field(piece->value, "@message");
    } else {
        cloudwatch->run.item = (struct scan_item){"/events", "/message"};
        time = json_scalar(piece->value, "timestamp", number);
        stream = json_str(piece->value, "logStreamName");
        message = json_str(piece->value, "message");
    }
    if (message)
        add_event(cloudwatch, time ? time : "", stream ? stream : "", message);
    cloudwatch->items++;
}

void log_cloudwatch_scan(struct scan *scan, struct reading *reading)
{
    static const char *const rules[] = {"events", "results", NULL};
    struct cloudwatch cloudwatch = {.window = scan->window};
    scan_run_begin(&cloudwatch.run, scan, reading);
    buf_init(&cloudwatch.plain, 3 * scan->window);
    buf_init(&cloudwatch.line, scan->window);
    reading_split(reading, rules, take_piece, &cloudwatch);
    scan_window(&cloudwatch, true);
    cloudwatch.run.lines = cloudwatch.items;
    scan_run_end(&cloudwatch.run);
    buf_release(&cloudwatch.plain);
    buf_release(&cloudwatch.line);
    free(cloudwatch.origins);
}
