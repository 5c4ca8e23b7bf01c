/* Stage: read. Decides which of many hits are kept. Reads match ends of one window after the other,
 * keeps a bounded number of hits for each event. Deliberately does almost nothing for a hit that will
 * not be kept: there may be one on every line. */
#include "read/scan_keep.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

enum { EARLY_MAX = KEEP_FIRST + KEEP_DISTINCT };

struct keep_event {
    uint64_t number; /* of the last hit */
    size_t line_end; /* 1 + end of the line of the hit in hand; 0: there is none in this window */
    bool in_hand;    /* a hit that may still end later on its line */
    bool open;       /* its line had no end in the last window */
    bool touched;
    unsigned row;
    size_t end;
    struct keep_hit early[EARLY_MAX]; /* first ones and different ones */
    size_t early_len, distinct;
    struct keep_hit last[KEEP_LAST]; /* of the others, a ring by number */
    uint64_t tails[EARLY_MAX];       /* of the early ones, each once */
    size_t tails_len;
};

void keep_init(struct keep *keep, size_t events, keep_drop_fn *drop, void *user)
{
    *keep = (struct keep){.drop = drop, .user = user, .len = events};
    keep->events = xcalloc(events + 1, sizeof(struct keep_event *));
    keep->touched = xcalloc(events + 1, sizeof *keep->touched);
}

static void drop(const struct keep *keep, struct keep_hit *hit)
{
    if (hit->copy)
        keep->drop(keep->user, hit->copy);
}

static void free_event(const struct keep *keep, struct keep_event *event)
{
    for (size_t i = 0; i < event->early_len; i++)
        drop(keep, &event->early[i]);
    for (size_t i = 0; i < KEEP_LAST; i++)
        drop(keep, &event->last[i]);
    free(event);
}

static void forget(struct keep *keep)
{
    for (size_t i = 0; i < keep->len; i++) {
        if (keep->events[i])
            free_event(keep, keep->events[i]);
        keep->events[i] = NULL;
    }
    keep->touched_len = 0;
}

void keep_release(struct keep *keep)
{
    forget(keep);
    free(keep->events);
    free(keep->touched);
    *keep = (struct keep){.events = NULL};
}

void keep_begin(struct keep *keep, const char *text, size_t len, bool goes_on)
{
    const char *stop = goes_on ? memchr(text, '\n', len) : NULL;
    keep->text = text;
    keep->text_len = len;
    keep->touched_len = 0;
    for (size_t i = 0; i < keep->len; i++) {
        struct keep_event *event = keep->events[i];
        if (!event)
            continue;
        /* Its hit on the line that goes on was counted in the window before. */
        bool counted = goes_on && event->open;
        event->line_end = counted ? (stop ? (size_t)(stop - text) : len) + 1 : 0;
        event->open = counted && !stop;
    }
}

/* ---- matches ---- */

static uint64_t tail_of(const char *text, size_t end)
{
    uint64_t tail = 0;
    size_t len = end < KEEP_TAIL ? end : KEEP_TAIL;
    memcpy(&tail, text + end - len, len);
    return tail;
}

static bool add_tail(struct keep_event *event, uint64_t tail)
{
    for (size_t i = 0; i < event->tails_len; i++)
        if (event->tails[i] == tail)
            return false;
    event->tails[event->tails_len++] = tail;
    return true;
}

/* The hit in hand will not change any more. */
static void settle(struct keep *keep, struct keep_event *event)
{
    struct keep_hit hit = {++event->number, event->end, event->row, NULL};
    event->in_hand = false;
    bool first = event->number <= KEEP_FIRST, full = event->distinct == KEEP_DISTINCT;
    bool distinct = (first || !full) && add_tail(event, tail_of(keep->text, event->end));
    if (first || distinct) {
        event->early[event->early_len++] = hit;
        event->distinct += !first;
        return;
    }
    struct keep_hit *slot = &event->last[event->number % KEEP_LAST];
    drop(keep, slot);
    *slot = hit;
}

static struct keep_event *touch(struct keep *keep, size_t number)
{
    struct keep_event *event = keep->events[number];
    if (!event)
        event = keep->events[number] = xcalloc(1, sizeof *event);
    if (!event->touched)
        keep->touched[keep->touched_len++] = number;
    event->touched = true;
    return event;
}

static void same_line(struct keep_event *event, unsigned row, size_t end)
{
    if (row <= event->row && event->in_hand) {
        event->row = row;
        event->end = end;
    }
}

void keep_match(struct keep *keep, size_t number, unsigned row, size_t end)
{
    struct keep_event *event = touch(keep, number);
    if (end <= event->line_end) {
        same_line(event, row, end);
        return;
    }
    if (event->in_hand)
        settle(keep, event);
    const char *at = keep->text + end - 1;
    const char *stop = memchr(at, '\n', keep->text_len - (end - 1));
    event->line_end = (stop ? (size_t)(stop - keep->text) : keep->text_len) + 1;
    event->open = !stop;
    event->in_hand = true;
    event->row = row;
    event->end = end;
}

/* ---- taking and giving ---- */

void keep_end(struct keep *keep, keep_take_fn *take, void *user)
{
    for (size_t i = 0; i < keep->touched_len; i++) {
        size_t number = keep->touched[i];
        struct keep_event *event = keep->events[number];
        if (event->in_hand)
            settle(keep, event);
        event->touched = false;
        for (size_t k = 0; k < event->early_len; k++)
            if (!event->early[k].copy)
                event->early[k].copy = take(user, number, &event->early[k]);
        for (size_t k = 0; k < KEEP_LAST; k++)
            if (event->last[k].number && !event->last[k].copy)
                event->last[k].copy = take(user, number, &event->last[k]);
    }
    keep->touched_len = 0;
}

static int by_number(const void *left, const void *right)
{
    const struct keep_hit *a = left, *b = right;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* How many were no hits after all. */
static uint64_t give_event(struct keep_event *event, size_t number, keep_give_fn *give, void *user)
{
    struct keep_hit hits[EARLY_MAX + KEEP_LAST];
    uint64_t wrong = 0;
    size_t len = event->early_len;
    memcpy(hits, event->early, len * sizeof *hits);
    for (size_t i = 0; i < KEEP_LAST; i++)
        if (event->last[i].number)
            hits[len++] = event->last[i];
    qsort(hits, len, sizeof *hits, by_number);
    for (size_t i = 0; i < len; i++)
        wrong += !give(user, number, &hits[i]);
    return wrong;
}

void keep_flush(struct keep *keep, keep_give_fn *give, keep_seen_fn *seen, void *user)
{
    for (size_t i = 0; i < keep->len; i++) {
        struct keep_event *event = keep->events[i];
        if (event)
            seen(user, i, event->number - give_event(event, i, give, user));
    }
    forget(keep);
}
