/* The log engine: all patterns of all selected checks and of the log reader itself in one libhs
 * database, one pass over each log, PCRE2 only on records that hit. The database is compiled when
 * there is something to scan, and kept in the user's cache. */
#ifndef DEBRIEF_READ_SCAN_H
#define DEBRIEF_READ_SCAN_H

#include "base/err.h"
#include "evidence/evidence.h"
#include "read/read.h"

struct scan_pattern {
    const char *event; /* evidence name: "log.xds_closed", "event.image-pull.denied" */
    /* PCRE2 within what libhs takes; named groups become fields. Searched in lines as they stand, with
     * wrapper and header, so '^' is no use; ends at the field that tells cases apart (the code), and
     * never runs over a line end ('[^x]' takes one: write '[^x\n]'). */
    const char *pattern;
    bool caseless;
    /* Named groups that stand behind the match: PCRE2 only, matched on the line of the hit. NULL: the
     * groups of `pattern` are all. */
    const char *fields;
};

struct scan;

/* Patterns are borrowed. Those that libhs or PCRE2 refuses are left out; REFUSED (may be NULL) is told
 * which, so that only their check suffers. */
struct scan *scan_new(const struct scan_pattern *patterns, size_t len, struct evidence *evidence,
                      void (*refused)(void *user, const char *event, const char *why), void *user);
void scan_free(struct scan *scan);

/* Scans a log or any other text to its end. Sets the source's kind (log.envoy, log.istio, log.access,
 * text ...) from the shape of its lines. */
void scan_log(struct scan *scan, struct reading *reading);

/* A text that a structured source holds (a stop reason, an event's message): scanned with the same
 * patterns, so that a pull error is found wherever it is written. CONTEXT cells that the event's table
 * has columns for are set on the record. */
struct scan_text {
    const char *text;
    const char *pointer;
    int64_t time;
    const char *origin;    /* "ecs", "kubernetes" */
    const char *container; /* NULL when not known */
    const char *image;
    const char *workload; /* pod, task: "default/web-1", the task ARN's last part */
    uint64_t count;       /* how often it happened; 0 = 1 */
};
void scan_message(struct scan *scan, struct reading *reading, const struct scan_text *text);

/* The log reader's own events: rows of the dictionary whose names begin with "log." or "access.". */
const struct scan_pattern *scan_builtin(size_t *len);

#endif
