/* Stage: read. Scans windows of one source and writes its records: the events that were kept, how many
 * there were in all, and what kind of log it was. Reads views, writes evidence. Deliberately reads
 * headers of a few lines per window only: enough to tell the shape and the times. */
#include "read/scan_run.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/log_unwrap.h"
#include "read/readers.h"
#include <hs.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_FIRST = 200, /* lines whose headers are read: of the first window */
    LOOK_NEXT = 16,   /* of each further one */
    LOOK_LAST = 64,   /* at the end, until one has a time */
    COPY_MAX = 8 << 10,
    COPY_SMALL = 512,
    HELD_MAX = 8 << 20,
};

/* ---- headers of a few lines ---- */

static int64_t look_at(struct scan_run *run, const struct scan_view *view, size_t start, size_t end)
{
    struct log_line line;
    size_t len = end - start < SCAN_RECORD_MAX ? end - start : SCAN_RECORD_MAX;
    log_unwrap_line(view->text + start, len, &line);
    run->kinds[line.header.kind]++;
    run->zoned |= line.zoned;
    return line.time;
}

static void look_at_first(struct scan_run *run, const struct scan_view *view)
{
    size_t at = 0;
    int most = run->views ? LOOK_NEXT : LOOK_FIRST;
    for (int i = 0; i < most && at < view->len; i++) {
        size_t end = scan_line_end(view->text, view->len, at);
        int64_t time = look_at(run, view, at, end);
        if (!run->first)
            run->first = time;
        if (time)
            run->last = time;
        at = end + 1;
    }
}

static void look_at_last(struct scan_run *run, const struct scan_view *view)
{
    size_t end = view->len;
    while (end && view->text[end - 1] == '\n')
        end--;
    for (int i = 0; i < LOOK_LAST && end; i++) {
        size_t start = scan_line_start(view->text, end);
        int64_t time = look_at(run, view, start, end);
        if (time) {
            run->last = time;
            return;
        }
        end = start ? start - 1 : 0;
    }
}

/* ---- one window ---- */

static void drop_copy(void *user, void *copy)
{
    struct scan_run *run = user;
    struct scan_copy *dropped = copy;
    run->held -= sizeof *dropped + dropped->head + dropped->len + dropped->excerpt_len;
    free(dropped);
}

static void *take_copy(void *user, size_t event, const struct keep_hit *hit)
{
    struct scan_run *run = user;
    size_t max = run->held < HELD_MAX ? COPY_MAX : COPY_SMALL;
    struct scan_copy *copy = scan_record_copy(run->view, hit->end, max);
    (void)event;
    run->held += sizeof *copy + copy->head + copy->len + copy->excerpt_len;
    return copy;
}

/* Whether the line that holds AT is from the time that was asked for. Costs nothing where none was. */
static bool in_window(const struct scan_run *run, size_t at)
{
    const struct evidence *evidence = run->scan->evidence;
    return !evidence_bounded(evidence) ||
           evidence_in_window(evidence, scan_view_time(run->view, at));
}

static int on_match(unsigned int row, unsigned long long from, unsigned long long to,
                    unsigned int flags, void *user)
{
    struct scan_run *run = user;
    (void)from;
    (void)flags;
    if (row < run->scan->patterns_len && !in_window(run, (size_t)to - 1))
        return 0;
    if (row < run->scan->patterns_len) {
        run->matched = true;
        keep_match(&run->keep, run->scan->event_of[row], row, (size_t)to);
        trouble_match(&run->trouble, (size_t)to);
    } else if (row == run->scan->patterns_len)
        run->from_start = true;
    else
        run->debug = true;
    return 0;
}

/* Whether no other reader has taken this text apart: a log, or what is left of a paste. */
static bool is_left_to_the_log(const struct reading *reading)
{
    const char *kind = reading->source->kind;
    return !reading->prose && !reading->doubtful &&
           (str_equal(kind, read_log.kind) || str_equal(kind, READ_PASTE_KIND));
}

static void look_for_trouble(struct scan_run *run, const struct scan_view *view)
{
    struct scan *scan = run->scan;
    if (!scan->trouble_words)
        scan->trouble_words = trouble_words();
    trouble_write(&run->trouble, view, scan->trouble_words, scan->evidence, run->reading->source);
}

void scan_run_begin(struct scan_run *run, struct scan *scan, struct reading *reading)
{
    scan_open(scan);
    *run = (struct scan_run){.scan = scan, .reading = reading};
    keep_init(&run->keep, scan->events_len, drop_copy, run);
}

size_t scan_run_view(struct scan_run *run, struct scan_view *view, bool last, bool goes_on)
{
    struct scan_db *db = &run->scan->db;
    size_t scanned = last ? view->len : scan_view_cut(view);
    if (scanned == 0)
        scanned = view->len;
    if (!view->origins) {
        run->marks = xrealloc(run->marks, scan_view_blocks(view->len) * sizeof *run->marks);
        view->marks = run->marks;
        scan_view_count(view);
    }
    if (!goes_on)
        look_at_first(run, view);
    if (last)
        look_at_last(run, view);
    run->view = view;
    run->views++;
    run->trouble.watching = last && run->views == 1 && view->len <= TROUBLE_TEXT_MAX &&
                            is_left_to_the_log(run->reading);
    keep_begin(&run->keep, view->text, scanned, goes_on);
    if (db->hs && scanned)
        hs_scan(db->hs, view->text, (unsigned)scanned, 0, db->scratch, on_match, run);
    keep_end(&run->keep, take_copy, run);
    if (run->trouble.watching)
        look_for_trouble(run, view);
    return scanned;
}

/* ---- the end ---- */

static bool give(void *user, size_t event, const struct keep_hit *hit)
{
    struct scan_run *run = user;
    struct scan_target target = scan_target_of(run->scan, run->reading->source, hit, event);
    target.item = run->item;
    return scan_record_write(&target, hit->copy, &run->scan->written);
}

static void seen(void *user, size_t event, uint64_t count_of)
{
    struct scan *scan = ((struct scan_run *)user)->scan;
    scan->totals[event] += count_of;
    evidence_counted(scan->evidence, scan->events[event], scan->totals[event]);
}

static const char *shape_of(const struct scan_run *run)
{
    const uint64_t *kinds = run->kinds;
    if (kinds[LOG_ISTIO] && kinds[LOG_ISTIO] >= kinds[LOG_ENVOY] &&
        kinds[LOG_ISTIO] >= kinds[LOG_CONSUL])
        return "log.istio";
    if (kinds[LOG_CONSUL] && kinds[LOG_CONSUL] >= kinds[LOG_ENVOY])
        return "log.consul";
    if (kinds[LOG_ENVOY])
        return "log.envoy";
    return kinds[LOG_ACCESS] ? "log.access" : "text";
}

static void write_log(struct scan_run *run, const char *shape)
{
    struct evidence *evidence = run->scan->evidence;
    struct record *record = evidence_add(evidence, "log", run->reading->source);
    char time[CLOCK_TEXT_MAX];
    if (!record)
        return;
    record->line = 1;
    record->time = run->first;
    evidence_set(evidence, record, "source", run->reading->source->name);
    evidence_set(evidence, record, "shape", shape);
    evidence_setf(evidence, record, "lines", "%" PRIu64, run->lines);
    if (run->first)
        evidence_set(evidence, record, "first", clock_text(run->first, time));
    if (run->last)
        evidence_set(evidence, record, "last", clock_text(run->last, time));
    if (run->first)
        evidence_set(evidence, record, "zone", run->zoned ? "told" : "assumed");
    evidence_set(evidence, record, "from_start", run->from_start ? "yes" : NULL);
    evidence_set(evidence, record, "debug", run->debug ? "yes" : NULL);
}

static void note_identity(const struct scan_run *run, const char *shape)
{
    const char *mesh = NULL;
    if (strcmp(shape, "log.istio") == 0)
        mesh = "istio";
    else if (strcmp(shape, "log.consul") == 0)
        mesh = "consul";
    identity_note(run->scan->evidence, run->reading->source, 1, NULL, IDENTITY_GUESS, "mesh", mesh);
}

/* What the absence of a line can prove. Only a proxy's own log can be complete: pasted text and an
 * access log leave a record and no more, so that what reads them is partial unless there is a log too. */
static void supply(const struct scan_run *run, const char *shape)
{
    struct evidence *evidence = run->scan->evidence;
    bool complete = run->reading->complete;
    if (run->kinds[LOG_ACCESS]) {
        evidence_supplied(evidence, "access.error", complete);
        evidence_supplied(evidence, "access.health_check", complete);
    }
    if (strcmp(shape, "text") == 0 || strcmp(shape, "log.access") == 0)
        return;
    evidence_supplied(evidence, "log", complete);
    evidence_supplied(evidence, "text", complete);
}

void scan_run_end(struct scan_run *run)
{
    struct evidence *evidence = run->scan->evidence;
    struct source *source = run->reading->source;
    const char *shape = shape_of(run);
    keep_flush(&run->keep, give, seen, run);
    keep_release(&run->keep);
    free(run->marks);
    if (run->reading->doubtful && !run->matched)
        return;
    source->kind = shape;
    write_log(run, shape);
    struct record *text = evidence_add(evidence, "text", source);
    if (text) {
        text->line = 1;
        evidence_set(evidence, text, "source", source->name);
    }
    supply(run, shape);
    note_identity(run, shape);
}
