/* Which hits are kept. Of each event: the first, the last, and one for each different end of the match
 * (the code, the flag), so that a rare case is not lost among a million of the usual one. The rest is
 * counted. Hits of the current window are offsets only; the window's owner takes copies of those that
 * survived before the text goes away. */
#ifndef DEBRIEF_READ_SCAN_KEEP_H
#define DEBRIEF_READ_SCAN_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEEP_FIRST = 64, KEEP_LAST = 64, KEEP_DISTINCT = 64, KEEP_TAIL = 8 };

struct keep_hit {
    uint64_t number; /* among the event's hits, from 1; 0: nothing here */
    size_t end;      /* of the match, in the current window */
    unsigned row;    /* pattern that matched */
    void *copy;      /* NULL: not taken yet */
};

struct keep_event;

typedef void keep_drop_fn(void *user, void *copy); /* frees a copy */

struct keep {
    keep_drop_fn *drop;
    void *user;
    struct keep_event **events; /* by event number; NULL: no hit so far */
    size_t len;
    size_t *touched, touched_len; /* events with hits in this window */
    const char *text;
    size_t text_len;
};

void keep_init(struct keep *keep, size_t events, keep_drop_fn *drop, void *user);
void keep_release(struct keep *keep);

/* A window begins. GOES_ON: its first line is the rest of the last window's last line. */
void keep_begin(struct keep *keep, const char *text, size_t len, bool goes_on);

/* A match of ROW ended at END (the offset behind its last byte). One hit for each event and line: of
 * several ends the last one counts, of several patterns the first in order. */
void keep_match(struct keep *keep, size_t event, unsigned row, size_t end);

/* The window ends. TAKE returns the copy of a kept hit of it. */
typedef void *keep_take_fn(void *user, size_t event, const struct keep_hit *hit);
void keep_end(struct keep *keep, keep_take_fn *take, void *user);

/* Delivers what was kept of every event, in order, then how many hits there were in all; then forgets
 * everything. GIVE tells whether it was a hit, looked at closely. Copies stay the keep's. */
typedef bool keep_give_fn(void *user, size_t event, const struct keep_hit *hit);
typedef void keep_seen_fn(void *user, size_t event, uint64_t seen);
void keep_flush(struct keep *keep, keep_give_fn *give, keep_seen_fn *seen, void *user);

#endif
