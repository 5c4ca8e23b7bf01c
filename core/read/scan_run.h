/* One source on its way through the scan: windows of text go in, records come out at the end. Inside
 * of the log engine only. */
#ifndef DEBRIEF_READ_SCAN_RUN_H
#define DEBRIEF_READ_SCAN_RUN_H

#include "read/log_shape.h"
#include "read/scan.h"
#include "read/scan_db.h"
#include "read/scan_keep.h"
#include "read/scan_record.h"
#include "read/scan_trouble.h"
#include "read/scan_view.h"

enum { SCAN_WINDOW = 1 << 20, SCAN_WINDOW_MIN = 4 * SCAN_RECORD_MAX };

struct scan {
    struct evidence *evidence;
    size_t window; /* bytes; tests make it small */

    struct scan_db_row *rows; /* the patterns, then those of the engine itself */
    size_t patterns_len, rows_len;
    size_t *event_of;    /* per pattern: its event's number */
    const char **events; /* names, each once */
    size_t events_len;
    uint64_t *totals; /* per event: hits over all sources */
    size_t written;   /* bytes of text in records so far */
    void (*refused)(void *user, const char *event, const char *why);
    void *user;

    bool opened;
    struct scan_db db;
    bool *told; /* per event: its refusal was told */

    struct regex *trouble_words; /* compiled when a short text comes */

    const struct source *message_source; /* whose messages are coming */
    size_t *messages;                    /* per event: records from them */
};

/* Loads or compiles the patterns, once. */
void scan_open(struct scan *scan);

struct scan_target scan_target_of(struct scan *scan, struct source *source,
                                  const struct keep_hit *hit, size_t event);

struct scan_run {
    struct scan *scan;
    struct reading *reading;
    struct keep keep;
    struct scan_item item;
    struct scan_view *view; /* while one is scanned */
    uint32_t *marks;
    size_t held; /* bytes of copies that are kept */
    size_t views;
    uint64_t lines;            /* the feeder counts them */
    uint64_t kinds[LOG_KINDS]; /* of the lines that were looked at */
    int64_t first, last;
    struct trouble trouble;
    bool matched; /* some pattern did */
    bool from_start, debug;
    bool zoned; /* some time told its zone */
};

void scan_run_begin(struct scan_run *run, struct scan *scan, struct reading *reading);

/* Scans VIEW and returns how many bytes of its text are done with: up to the last record that may go
 * on, or all when it is the LAST one. GOES_ON: its first line is the rest of the one before. */
size_t scan_run_view(struct scan_run *run, struct scan_view *view, bool last, bool goes_on);

/* Writes what was kept, and the records `log` and `text`; names the source's kind. */
void scan_run_end(struct scan_run *run);

#endif
