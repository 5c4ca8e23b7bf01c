/* Stage: read. Cuts a log into windows for the scan: as it stands, or line by line taken out of JSON or
 * of a table. Reads a stream forward, keeps one window of it. Deliberately never holds a line that is
 * longer than a window: such a line is scanned in pieces. */
#include "base/alloc.h"
#include "read/log_csv.h"
#include "read/log_json.h"
#include "read/scan_run.h"
#include <stdlib.h>
#include <string.h>

enum { OVERLAP = 1024, LINE_SLACK = 512, ORIGINS_FIRST = 4096 };

struct feed {
    struct scan_run run;
    char *bytes; /* of the source, not done with */
    size_t len, cap;
    uint64_t line; /* number of the first one of `bytes` */
    bool ended;
    bool goes_on; /* the first line is the rest of one that was longer than a window */
    bool open;    /* the last line that was scanned had no end */
    bool table;   /* the log is a table with this layout: */
    struct log_csv csv;

    struct buf plain; /* lines taken out of JSON or a table */
    struct scan_origin *origins;
    size_t origins_len, origins_cap;
};

static void fill(struct feed *feed)
{
    struct reading *reading = feed->run.reading;
    struct err err = ERR_INIT;
    size_t got = 1;
    while (!feed->ended && feed->len < feed->cap && got) {
        if (!stream_read(reading->stream, feed->bytes + feed->len, feed->cap - feed->len, &got,
                         &err)) {
            reading_partial(reading, "%s", err.text);
            feed->ended = true;
            return;
        }
        feed->len += got;
        feed->ended = got == 0;
    }
}

/* Bytes up to the last line end that is there; all at the end of the log. */
static size_t whole_lines(const struct feed *feed)
{
    if (feed->ended)
        return feed->len;
    const char *last = memrchr(feed->bytes, '\n', feed->len);
    return last ? (size_t)(last + 1 - feed->bytes) : 0;
}

/* ---- plain lines out of others ---- */

static void add_origin(struct feed *feed, size_t raw, size_t len, uint64_t line, int column)
{
    if (feed->origins_len == feed->origins_cap) {
        feed->origins_cap = feed->origins_cap ? feed->origins_cap * 2 : ORIGINS_FIRST;
        feed->origins = xrealloc(feed->origins, feed->origins_cap * sizeof *feed->origins);
    }
    feed->origins[feed->origins_len++] = (struct scan_origin){feed->plain.len, raw, len, line,
                                                              column};
}

/* *PART: the plain line before has not ended yet. */
static void take_out(struct feed *feed, const char *line, size_t len, bool *part)
{
    size_t before = feed->plain.len;
    bool open = *part;
    if (feed->table) {
        log_csv_line(&feed->csv, line, len, &feed->plain);
    } else if (!log_json_line(line, len, &feed->plain, part)) {
        if (open)
            buf_addch(&feed->plain, '\n');
        feed->origins[feed->origins_len - 1].at = before + open;
        buf_add(&feed->plain, line, len);
    }
    if (!*part)
        buf_addch(&feed->plain, '\n');
}

/* Returns how many bytes of the WHOLE lines there was room for. */
static size_t take_out_all(struct feed *feed, size_t whole)
{
    uint64_t line = feed->line;
    size_t at = 0;
    bool part = false;
    buf_clear(&feed->plain);
    feed->origins_len = 0;
    while (at < whole) {
        size_t end = scan_line_end(feed->bytes, whole, at);
        if (feed->plain.len + 2 * (end - at) + LINE_SLACK > feed->plain.max)
            break;
        add_origin(feed, at, end - at, line++, feed->csv.quoted ? feed->csv.column : -1);
        take_out(feed, feed->bytes + at, end - at, &part);
        at = end < whole ? end + 1 : whole;
    }
    return at;
}

/* The window in plain lines. Returns how many bytes of the source are done with. */
static size_t scan_plain(struct feed *feed, size_t whole)
{
    size_t taken = take_out_all(feed, whole);
    bool last = feed->ended && taken == feed->len;
    struct scan_view view = {.text = buf_str(&feed->plain),
                             .len = feed->plain.len,
                             .raw = feed->bytes,
                             .origins = feed->origins,
                             .origins_len = feed->origins_len};
    size_t scanned = scan_run_view(&feed->run, &view, last, false);
    uint64_t next = feed->line + feed->origins_len;
    if (scanned < view.len) { /* what may go on is taken out again, from the same state */
        const struct scan_origin *origin = scan_view_origin(&view, scanned);
        taken = origin->raw;
        next = origin->place;
        feed->csv.quoted = origin->column >= 0;
        feed->csv.column = origin->column;
    }
    feed->line = next;
    feed->open = false;
    return taken;
}

/* ---- the source as it stands ---- */

static size_t scan_raw(struct feed *feed, size_t whole)
{
    struct scan_view view = {.text = feed->bytes, .len = whole, .line = feed->line};
    size_t scanned = scan_run_view(&feed->run, &view, feed->ended, feed->goes_on);
    feed->line = scan_view_place(&view, scanned);
    feed->goes_on = false;
    feed->open = scanned && feed->bytes[scanned - 1] != '\n';
    return scanned;
}

/* A line that fills the window. The pieces overlap, so that no match is lost between them; that an event
 * counts once for a line keeps it from being counted twice. */
static size_t scan_piece(struct feed *feed)
{
    struct scan_view view = {.text = feed->bytes, .len = feed->len, .line = feed->line};
    scan_run_view(&feed->run, &view, true, feed->goes_on);
    feed->goes_on = true;
    return feed->len - OVERLAP;
}

static size_t scan_window(struct feed *feed)
{
    size_t whole = whole_lines(feed);
    if (!whole)
        return scan_piece(feed);
    if (!feed->goes_on && (feed->table || log_json_seen(feed->bytes, whole)))
        return scan_plain(feed, whole);
    return scan_raw(feed, whole);
}

static void look_for_table(struct feed *feed)
{
    size_t end = scan_line_end(feed->bytes, feed->len, 0);
    feed->table = log_csv_heading(feed->bytes, end, &feed->csv);
}

void scan_log(struct scan *scan, struct reading *reading)
{
    struct feed feed = {.cap = scan->window, .line = 1};
    scan_run_begin(&feed.run, scan, reading);
    feed.bytes = xmalloc(feed.cap);
    buf_init(&feed.plain, 2 * feed.cap);
    fill(&feed);
    look_for_table(&feed);
    while (feed.len) {
        size_t done = scan_window(&feed);
        feed.len -= done;
        memmove(feed.bytes, feed.bytes + done, feed.len);
        fill(&feed);
    }
    feed.run.lines = feed.line - 1 + feed.open;
    scan_run_end(&feed.run);
    buf_release(&feed.plain);
    free(feed.origins);
    free(feed.bytes);
}
