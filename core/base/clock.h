/* Time: nanoseconds since the Unix epoch, UTC, 0 for "not known". The present is asked in one place
 * so that tests can fix it (DEBRIEF_NOW, an RFC 3339 time) and reports become byte-stable. */
#ifndef DEBRIEF_BASE_CLOCK_H
#define DEBRIEF_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_SECOND   INT64_C(1000000000)
#define CLOCK_TEXT_MAX 40

int64_t clock_now(void);       /* wall clock, or DEBRIEF_NOW */
int64_t clock_monotonic(void); /* for deadlines and elapsed times only; never injected */

/* Reads a time at the start of TEXT in the shapes that logs and APIs use: RFC 3339 with 'T' or a
 * blank, with or without fraction and zone (none = UTC), "2026-11-21 08:00:00.123", with ',' before
 * the fraction, "Nov 21 08:00:00" (no year: the one that puts it nearest before clock_now), epoch
 * seconds or milliseconds as digits. Returns how many bytes were read, 0 when it is no time. */
size_t clock_parse(const char *text, size_t len, int64_t *out);

/* Whether a time, of which clock_parse read LEN bytes at TEXT, tells its zone. */
bool clock_zoned(const char *text, size_t len);

/* RFC 3339 in UTC, "2026-11-21T08:00:00Z", with milliseconds when there are any; "" for 0. */
const char *clock_text(int64_t ns, char out[CLOCK_TEXT_MAX]);

/* A stretch of time as people bound it: by a time, or by how long before another one ("2h"). */
struct clock_bound {
    int64_t time; /* ns since the epoch, or ns back; 0: no bound */
    bool back;
};
/* TEXT is a time as clock_parse reads it, a day (2026-11-21) or a duration (2h); all of it, or false. */
bool clock_bound_parse(const char *text, struct clock_bound *out);
int64_t clock_bound_at(struct clock_bound bound, int64_t present); /* 0: no bound */

/* "2 min 5 s", "18 d": for people. */
const char *clock_span(int64_t ns, char out[CLOCK_TEXT_MAX]);

#endif
