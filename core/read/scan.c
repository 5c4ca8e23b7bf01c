/* Stage: read. The log engine's door: takes the patterns of all checks, opens the database when there is
 * something to scan, and scans single texts out of structured sources. Writes event records. What a log
 * is made of is scan_feed.c's to know, what happens to a window scan_run.c's. */
#include "read/scan.h"
#include "base/alloc.h"
#include "base/str.h"
#include "read/scan_run.h"
#include <hs.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_MAX = 64 << 10,
    MESSAGES_MAX = 256, /* records of one event from one source's messages */
    TEXT_MAX = 4096,
    TEXT_SMALL = 256,
    TEXT_TINY = 64,
    WRITTEN_MANY =
        8 << 20, /* from here on cells are cut short, to bound what hostile logs can take */
    WRITTEN_MOST = 24 << 20,
};

/* What the engine looks for itself. */
static const struct scan_db_row own_rows[] = {
    {"initializing epoch \\d", NULL, HS_FLAG_SINGLEMATCH},
    {"(?:\\[|\\t)(?:debug|trace)(?:\\]\\[|\\] \\[|\\] envoy\\.|\\tenvoy )", NULL,
     HS_FLAG_SINGLEMATCH},
};

/* ---- the patterns ---- */

static size_t event_number(struct scan *scan, const char *name)
{
    for (size_t i = 0; i < scan->events_len; i++)
        if (strcmp(scan->events[i], name) == 0)
            return i;
    scan->events[scan->events_len] = name;
    return scan->events_len++;
}

static void add_pattern(struct scan *scan, const struct scan_pattern *pattern)
{
    if (str_starts(pattern->event, "event."))
        evidence_declare(scan->evidence, pattern->event);
    scan->event_of[scan->rows_len] = event_number(scan, pattern->event);
    scan->rows[scan->rows_len++] = (struct scan_db_row){pattern->pattern, pattern->fields,
                                                        pattern->caseless ? HS_FLAG_CASELESS : 0};
}

struct scan *scan_new(const struct scan_pattern *patterns, size_t len, struct evidence *evidence,
                      void (*refused)(void *user, const char *event, const char *why), void *user)
{
    struct scan *scan = xcalloc(1, sizeof *scan);
    scan->evidence = evidence;
    scan->window = SCAN_WINDOW;
    scan->refused = refused;
    scan->user = user;
    scan->rows = xcalloc(len + ARRAY_LEN(own_rows), sizeof *scan->rows);
    scan->event_of = xcalloc(len + 1, sizeof *scan->event_of);
    scan->events = xcalloc(len + 1, sizeof *scan->events);
    for (size_t i = 0; i < len; i++)
        add_pattern(scan, &patterns[i]);
    scan->patterns_len = len;
    for (size_t i = 0; i < ARRAY_LEN(own_rows); i++)
        scan->rows[scan->rows_len++] = own_rows[i];
    scan->totals = xcalloc(len + 1, sizeof *scan->totals);
    scan->messages = xcalloc(len + 1, sizeof *scan->messages);
    scan->told = xcalloc(len + 1, sizeof *scan->told);
    return scan;
}

void scan_free(struct scan *scan)
{
    if (!scan)
        return;
    if (scan->opened)
        scan_db_close(&scan->db);
    free(scan->rows);
    free(scan->event_of);
    free(scan->events);
    free(scan->totals);
    free(scan->messages);
    free(scan->told);
    regex_free(scan->trouble_words);
    free(scan);
}

void scan_open(struct scan *scan)
{
    if (scan->opened)
        return;
    scan->opened = true;
    scan_db_open(&scan->db, scan->rows, scan->rows_len);
    for (size_t i = 0; i < scan->patterns_len; i++) {
        size_t event = scan->event_of[i];
        if (!scan->db.refused[i] || scan->told[event] || !scan->refused)
            continue;
        scan->told[event] = true;
        scan->refused(scan->user, scan->events[event], scan->db.refused[i]);
    }
}

struct scan_target scan_target_of(struct scan *scan, struct source *source,
                                  const struct keep_hit *hit, size_t event)
{
    size_t max = scan->written < WRITTEN_MANY ? TEXT_MAX : TEXT_SMALL;
    return (struct scan_target){.evidence = scan->evidence,
                                .source = source,
                                .event = scan->events[event],
                                .pattern = scan_db_pattern(&scan->db, hit->row),
                                .fields = scan_db_fields(&scan->db, hit->row),
                                .text_max = scan->written < WRITTEN_MOST ? max : TEXT_TINY};
}

/* ---- texts out of structured sources ---- */

struct message {
    struct scan *scan;
    struct source *source;
    const struct scan_text *context;
    size_t len;
    struct keep keep;
};

static void drop_copy(void *user, void *copy)
{
    (void)user;
    free(copy);
}

static int on_match(unsigned int row, unsigned long long from, unsigned long long to,
                    unsigned int flags, void *user)
{
    struct message *message = user;
    (void)from;
    (void)flags;
    if (row < message->scan->patterns_len)
        keep_match(&message->keep, message->scan->event_of[row], row, (size_t)to);
    return 0;
}

static void *take(void *user, size_t event, const struct keep_hit *hit)
{
    struct message *message = user;
    (void)event;
    return scan_record_whole(message->context->text, message->len, hit->end);
}

static bool give(void *user, size_t event, const struct keep_hit *hit)
{
    struct message *message = user;
    struct scan *scan = message->scan;
    if (scan->messages[event] >= MESSAGES_MAX)
        return true;
    struct scan_target target = scan_target_of(scan, message->source, hit, event);
    target.context = message->context;
    bool written = scan_record_write(&target, hit->copy, &scan->written);
    scan->messages[event] += written;
    return written;
}

static void seen(void *user, size_t event, uint64_t count)
{
    struct scan *scan = ((struct message *)user)->scan;
    scan->totals[event] += count;
    evidence_counted(scan->evidence, scan->events[event], scan->totals[event]);
}

static void begin_messages(struct scan *scan, struct reading *reading)
{
    evidence_supplied(scan->evidence, "text", reading->complete);
    if (scan->message_source == reading->source)
        return;
    scan->message_source = reading->source;
    memset(scan->messages, 0, (scan->patterns_len + 1) * sizeof *scan->messages);
    struct record *record = evidence_add(scan->evidence, "text", reading->source);
    if (record)
        evidence_set(scan->evidence, record, "source", reading->source->name);
}

void scan_message(struct scan *scan, struct reading *reading, const struct scan_text *text)
{
    if (!scan || !text->text || !*text->text || !evidence_in_window(scan->evidence, text->time))
        return;
    scan_open(scan);
    begin_messages(scan, reading);
    struct message message = {scan, reading->source, text, strlen(text->text), {.events = NULL}};
    if (message.len > MESSAGE_MAX)
        message.len = MESSAGE_MAX;
    keep_init(&message.keep, scan->events_len, drop_copy, NULL);
    keep_begin(&message.keep, text->text, message.len, false);
    if (scan->db.hs)
        hs_scan(scan->db.hs, text->text, (unsigned)message.len, 0, scan->db.scratch, on_match,
                &message);
    keep_end(&message.keep, take, &message);
    keep_flush(&message.keep, give, seen, &message);
    keep_release(&message.keep);
}
