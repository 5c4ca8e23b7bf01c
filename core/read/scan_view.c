/* Stage: read. The arithmetic of a scanned window: line numbers, records, and where to cut. Reads the
 * window's text, writes nothing but its line marks. Deliberately looks at headers only around hits
 * and at the end: reading every line's header would cost more than the scan. */
#include "read/scan_view.h"
#include "read/log_unwrap.h"
#include <string.h>

enum { BLOCK = 4096, LANES = 16, STEPS_MAX = 255 };

typedef uint8_t vector __attribute__((vector_size(LANES)));

/* One vector per step, at most STEPS_MAX, so that no lane overflows. Sixteen lanes are what every
 * processor has that this runs on. */
static uint64_t count_steps(const char *text, size_t steps)
{
    vector sums = {0};
    uint64_t count = 0;
    for (size_t i = 0; i < steps; i++) {
        vector bytes;
        memcpy(&bytes, text + i * LANES, LANES);
        sums -= (vector)(bytes == '\n'); /* true is all ones: minus one */
    }
    for (size_t i = 0; i < LANES; i++)
        count += sums[i];
    return count;
}

uint64_t scan_count_lines(const char *text, size_t len)
{
    uint64_t count = 0;
    while (len >= LANES) {
        size_t steps = len / LANES < STEPS_MAX ? len / LANES : STEPS_MAX;
        count += count_steps(text, steps);
        text += steps * LANES;
        len -= steps * LANES;
    }
    for (size_t i = 0; i < len; i++)
        count += text[i] == '\n';
    return count;
}

size_t scan_view_blocks(size_t len)
{
    return len / BLOCK + 1;
}

uint64_t scan_view_count(struct scan_view *view)
{
    uint64_t count = 0;
    for (size_t at = 0, block = 0; at <= view->len; at += BLOCK, block++) {
        size_t len = view->len - at < BLOCK ? view->len - at : BLOCK;
        view->marks[block] = (uint32_t)count;
        count += scan_count_lines(view->text + at, len);
    }
    return count;
}

const struct scan_origin *scan_view_origin(const struct scan_view *view, size_t at)
{
    size_t low = 0, high = view->origins_len;
    if (!view->origins)
        return NULL;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (view->origins[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    return &view->origins[low];
}

uint64_t scan_view_place(const struct scan_view *view, size_t at)
{
    if (view->origins)
        return scan_view_origin(view, at)->place;
    size_t block = at / BLOCK;
    return view->line + view->marks[block] +
           scan_count_lines(view->text + block * BLOCK, at - block * BLOCK);
}

size_t scan_line_start(const char *text, size_t at)
{
    const char *before = memrchr(text, '\n', at);
    return before ? (size_t)(before + 1 - text) : 0;
}

size_t scan_line_end(const char *text, size_t len, size_t at)
{
    const char *end = at < len ? memchr(text + at, '\n', len - at) : NULL;
    return end ? (size_t)(end - text) : len;
}

/* ---- records ---- */

static void read_line(const struct scan_view *view, size_t start, struct log_line *out)
{
    size_t end = scan_line_end(view->text, view->len, start);
    size_t len = end - start < SCAN_RECORD_MAX ? end - start : SCAN_RECORD_MAX;
    log_unwrap_line(view->text + start, len, out);
}

/* A later line of a text that came as one piece needs no wrapper of its own. */
static bool is_inner(const struct scan_view *view, size_t start)
{
    const struct scan_origin *origin = scan_view_origin(view, start);
    return origin && (origin->at != start || origin->column >= 0);
}

static bool goes_on(const struct scan_view *view, size_t start, const struct log_line *line,
                    uint64_t stream)
{
    if (line->header.kind != LOG_NONE || line->blank)
        return false;
    return line->stream == stream || is_inner(view, start);
}

static bool can_go_on(const struct log_line *line)
{
    return line->header.kind != LOG_NONE && line->header.kind != LOG_ACCESS;
}

struct climb {       /* from a line without header to the header above */
    size_t from, at; /* line starts */
    size_t lines;
    bool inner;
};

/* Steps over lines that are known to have no header, to the first of them. */
static void climb_bare(const struct scan_view *view, struct climb *climb)
{
    if (climb->inner || climb->at < view->bare_from || climb->at >= view->bare_to)
        return;
    size_t len = climb->at - view->bare_from;
    climb->lines += scan_count_lines(view->text + view->bare_from, len);
    climb->at = view->bare_from;
}

/* One line up; false where a record cannot reach. */
static bool climb_line(const struct scan_view *view, struct climb *climb)
{
    climb_bare(view, climb);
    if (climb->at == 0 || ++climb->lines >= SCAN_RECORD_LINES)
        return false;
    climb->inner &= is_inner(view, climb->at);
    climb->at = scan_line_start(view->text, climb->at - 1);
    return climb->from - climb->at < SCAN_RECORD_MAX;
}

/* Start of the record that the line at START belongs to: the nearest header above, unless something
 * stands between. */
static size_t record_start(struct scan_view *view, size_t start, const struct log_line *line)
{
    struct climb climb = {start, start, 0, is_inner(view, start)};
    size_t found = start, bare = start;
    if (line->header.kind != LOG_NONE || line->blank)
        return start;
    while (climb_line(view, &climb)) {
        struct log_line above;
        read_line(view, climb.at, &above);
        bool same = climb.inner || above.stream == line->stream;
        if (can_go_on(&above) && same)
            found = climb.at;
        if (above.header.kind != LOG_NONE || above.blank)
            break;
        bare = climb.at;
    }
    view->bare_from = view->bare_to == start && view->bare_from < bare ? view->bare_from : bare;
    view->bare_to = scan_line_end(view->text, view->len, start) + 1;
    return found;
}

static size_t record_end(const struct scan_view *view, size_t start)
{
    struct log_line head, line;
    size_t end = scan_line_end(view->text, view->len, start);
    read_line(view, start, &head);
    if (!can_go_on(&head))
        return end;
    for (int i = 1; i < SCAN_RECORD_LINES && end + 1 < view->len; i++) {
        size_t next = end + 1, stop = scan_line_end(view->text, view->len, next);
        if (next - start >= SCAN_RECORD_MAX)
            break;
        read_line(view, next, &line);
        if (!goes_on(view, next, &line, head.stream))
            break;
        end = stop;
    }
    return end;
}

struct scan_extent scan_view_record(struct scan_view *view, size_t at)
{
    struct log_line line;
    size_t start = scan_line_start(view->text, at);
    read_line(view, start, &line);
    start = record_start(view, start, &line);
    if (start != view->record_from || start >= view->record_to) {
        view->record_from = start;
        view->record_to = record_end(view, start);
    }
    return (struct scan_extent){start, view->record_to};
}

int64_t scan_view_time(const struct scan_view *view, size_t at)
{
    struct log_line line = {.time = 0};
    size_t start = scan_line_start(view->text, at);
    for (int i = 0; i < SCAN_RECORD_LINES && !line.time; i++) {
        read_line(view, start, &line);
        if (!start)
            break;
        start = scan_line_start(view->text, start - 1);
    }
    return line.time;
}

size_t scan_view_cut(const struct scan_view *view)
{
    size_t end = scan_line_start(view->text, view->len), at = end;
    for (int i = 0; i < SCAN_RECORD_LINES && at > 0; i++) {
        struct log_line line;
        at = scan_line_start(view->text, at - 1);
        if (end - at >= SCAN_RECORD_MAX)
            break;
        read_line(view, at, &line);
        if (line.header.kind != LOG_NONE && !is_inner(view, at))
            return at;
    }
    return end;
}
