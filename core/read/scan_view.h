/* A window of text that is scanned in one go, and where it stands in its source. Either the source's
 * own bytes, or plain lines that were taken out of wrappers; then each line remembers what it came
 * from. */
#ifndef DEBRIEF_READ_SCAN_VIEW_H
#define DEBRIEF_READ_SCAN_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCAN_RECORD_MAX =
        16 << 10, /* a record: a line with a header and the header-less ones behind it */
    SCAN_RECORD_LINES = 200,
};

struct scan_origin {     /* of one taken-out line (which may hold line ends of its own) */
    size_t at;           /* in the view's text */
    size_t raw, raw_len; /* in the view's raw text; unused for items */
    uint64_t place;      /* line number, or number of the item */
    int column;          /* of the table's cell that goes on in this line; -1: none does */
};

struct scan_view {
    const char *text;
    size_t len;
    const char *raw;                   /* what `origins` refer to */
    const struct scan_origin *origins; /* NULL: `text` is the source itself */
    size_t origins_len;
    bool items;      /* places are items of a JSON array, not lines */
    uint64_t line;   /* number of the first line of `text`, when it is the source itself */
    uint32_t *marks; /* line ends before each block of `text` (scan_view_count) */
    /* What looking for records has found out already: lines without a header, and the last record. */
    size_t bare_from, bare_to, record_from, record_to;
};

/* Counts line ends in TEXT; scan_view_count also remembers them per block in view->marks, which has
 * room for scan_view_blocks(view->len) entries. */
uint64_t scan_count_lines(const char *text, size_t len);
uint64_t scan_view_count(struct scan_view *view);
size_t scan_view_blocks(size_t len);

/* Line number (or item number) of the place AT in the text. */
uint64_t scan_view_place(const struct scan_view *view, size_t at);
/* The taken-out line that holds AT; NULL when the text is the source itself. */
const struct scan_origin *scan_view_origin(const struct scan_view *view, size_t at);

size_t scan_line_start(const char *text, size_t at);           /* of the line that holds AT */
size_t scan_line_end(const char *text, size_t len, size_t at); /* its '\n', or LEN */

struct scan_extent {
    size_t start, end; /* END is the last line's '\n', or the view's end */
};

/* The record that the byte at AT belongs to. */
struct scan_extent scan_view_record(struct scan_view *view, size_t at);

/* The time of the line that holds AT, or of the nearest line above that has one, at most
 * SCAN_RECORD_LINES away; 0: not known. */
int64_t scan_view_time(const struct scan_view *view, size_t at);

/* Where to cut a view that is not the source's last: before the last record that may go on behind
 * its end, at a line start. 0: there is no such place. */
size_t scan_view_cut(const struct scan_view *view);

#endif
