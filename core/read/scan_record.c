/* Stage: read. Makes records of hits: finds header, message and fields in the copied text and writes
 * one record of evidence with its citation. Reads a copy, writes evidence. Deliberately works late:
 * PCRE2 sees kept hits only. */
#include "read/scan_record.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/env.h"
#include "read/log_access.h"
#include "read/log_unwrap.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 1024, GROUPS_MAX = 40, RAW_CLUE = 24 };

/* ---- copying ---- */

static struct scan_copy *new_copy(const char *head, size_t head_len, const char *text, size_t len,
                                  const char *excerpt, size_t excerpt_len)
{
    struct scan_copy *copy = xmalloc(sizeof *copy + head_len + len + excerpt_len + 1);
    *copy = (struct scan_copy){.head = head_len, .len = len, .excerpt_len = excerpt_len};
    char *at = copy->bytes;
    memcpy(at, head, head_len);
    memcpy(at + head_len, text, len);
    if (excerpt_len)
        memcpy(at + head_len + len, excerpt, excerpt_len);
    at[head_len + len + excerpt_len] = '\0';
    return copy;
}

/* The part of a long line of the source that shows what the match showed. */
static struct log_span raw_part(const struct scan_view *view, const struct scan_origin *origin,
                                size_t end)
{
    const char *line = view->raw + origin->raw;
    size_t clue = end - origin->at < RAW_CLUE ? end - origin->at : RAW_CLUE;
    const char *found = memmem(line, origin->raw_len, view->text + end - clue, clue);
    size_t at = found ? (size_t)(found - line) : 0;
    size_t from = at > EVIDENCE_EXCERPT_MAX / 2 ? at - EVIDENCE_EXCERPT_MAX / 2 : 0;
    size_t len = origin->raw_len - from;
    return (struct log_span){line + from, len < EVIDENCE_EXCERPT_MAX ? len : EVIDENCE_EXCERPT_MAX};
}

/* What the source itself says where the record at FROM was taken out of. */
static struct log_span raw_excerpt(const struct scan_view *view, size_t from, size_t to, size_t end,
                                   uint64_t *place)
{
    const struct scan_origin *first = scan_view_origin(view, from);
    const struct scan_origin *last = scan_view_origin(view, to ? to - 1 : 0);
    const struct scan_origin *hit = scan_view_origin(view, end - 1);
    *place = first->place;
    if (view->items)
        return (struct log_span){NULL, 0};
    size_t len = last->raw + last->raw_len - first->raw;
    if (len <= EVIDENCE_EXCERPT_MAX)
        return (struct log_span){view->raw + first->raw, len};
    *place = hit->place;
    return raw_part(view, hit, end);
}

struct scan_copy *scan_record_copy(struct scan_view *view, size_t end, size_t max)
{
    struct scan_extent extent = scan_view_record(view, end - 1);
    size_t from = extent.start, head = 0, reach = max - max / 4;
    if (end - from > reach) { /* the match is far inside: begin at its line, or within it */
        size_t line = scan_line_start(view->text, end - 1);
        head = scan_line_end(view->text, view->len, from) - from;
        head = head < HEAD_MAX ? head : HEAD_MAX;
        from = end - line > reach ? end - reach : line;
    }
    size_t to = extent.end > end ? extent.end : end;
    if (to - from > max)
        to = from + max;
    uint64_t place;
    struct log_span excerpt = {NULL, 0};
    if (view->origins)
        excerpt = raw_excerpt(view, from, to, end, &place);
    else
        place = scan_view_place(view, from);
    struct scan_copy *copy = new_copy(view->text + extent.start, head, view->text + from, to - from,
                                      excerpt.text, excerpt.len);
    copy->place = place;
    copy->item = view->items;
    copy->end = end - from;
    return copy;
}

struct scan_copy *scan_record_whole(const char *text, size_t len, size_t end)
{
    struct scan_copy *copy = new_copy(text, 0, text, len, NULL, 0);
    copy->end = end;
    return copy;
}

/* ---- texts of a record ---- */

struct parts {
    const char *text; /* the record */
    size_t len;
    struct log_line line; /* its header */
    struct regex_span spans[GROUPS_MAX];
};

/* The line at AT, without what stands in front of (FROM tells) and behind its message. */
static size_t add_line(struct buf *out, const struct parts *parts, size_t from, size_t end)
{
    size_t len = end > from ? log_shape_trim(parts->text + from, end - from) : 0;
    buf_add(out, parts->text + from, len);
    return end + 1;
}

static void add_lines(struct buf *out, const struct parts *parts, size_t at)
{
    while (at < parts->len) {
        size_t end = scan_line_end(parts->text, parts->len, at);
        size_t wrapper = log_unwrap_prefix(parts->text + at, end - at);
        buf_addch(out, '\n');
        at = add_line(out, parts, at + wrapper, end);
    }
}

static void trim(struct buf *out)
{
    size_t skip = 0;
    while (out->len && strchr(" \t\r\n", out->data[out->len - 1]))
        out->data[--out->len] = '\0';
    while (skip < out->len && strchr(" \t\r\n", out->data[skip]))
        skip++;
    buf_consume(out, skip);
}

static void message_of(struct buf *out, const struct parts *parts, size_t from)
{
    size_t end = scan_line_end(parts->text, parts->len, 0);
    add_lines(out, parts, add_line(out, parts, from < end ? from : end, end));
    trim(out);
}

/* What follows the match: the rest of its line, then the lines behind. */
static void rest_of(struct buf *out, const struct parts *parts)
{
    size_t from = parts->spans[0].end;
    size_t end = scan_line_end(parts->text, parts->len, from);
    while (from < end && strchr(" \t", parts->text[from]))
        from++;
    if (from < end && parts->text[from] == ',')
        from++;
    while (from < end && strchr(" \t", parts->text[from]))
        from++;
    add_lines(out, parts, add_line(out, parts, from, end));
    trim(out);
}

/* ---- writing ---- */

static void set_text(const struct scan_target *target, struct record *record, const char *column,
                     const char *text, size_t len, size_t *written)
{
    size_t cap = target->text_max + 1 < len * 3 + 1 ? target->text_max + 1 : len * 3 + 1;
    char *clean = xmalloc(cap);
    *written += str_to_utf8(clean, cap, text, len);
    evidence_set(target->evidence, record, column, clean);
    free(clean);
}

static void set_span(const struct scan_target *target, struct record *record, const char *column,
                     const struct log_span *span, size_t *written)
{
    if (span->len)
        set_text(target, record, column, span->text, span->len, written);
}

static void set_groups(const struct scan_target *target, struct record *record,
                       const struct regex *regex, const struct parts *parts, size_t *written)
{
    int groups = regex_groups(regex);
    for (int i = 1; i <= groups && i < GROUPS_MAX; i++) {
        const char *name = regex_group_name(regex, i);
        const struct regex_span *span = &parts->spans[i];
        if (!name)
            continue;
        evidence_add_column(target->evidence, target->event, name);
        if (span->start != SIZE_MAX)
            set_text(target, record, name, parts->text + span->start, span->end - span->start,
                     written);
    }
}

/* Groups that stand behind the match, on its line. */
static void set_fields(const struct scan_target *target, struct record *record, struct parts *parts,
                       size_t *written)
{
    size_t at = parts->spans[0].end ? parts->spans[0].end - 1 : 0;
    size_t start = scan_line_start(parts->text, at);
    size_t end = scan_line_end(parts->text, parts->len, at);
    struct parts line = {.text = parts->text + start, .len = end - start};
    if (target->fields &&
        regex_match(target->fields, line.text, line.len, 0, line.spans, GROUPS_MAX))
        set_groups(target, record, target->fields, &line, written);
    if (parts->line.header.kind == LOG_ACCESS)
        log_access_json(target->evidence, record, line.text, line.len);
}

static void set_base(const struct scan_target *target, struct record *record,
                     const struct parts *parts, size_t *written)
{
    const struct log_header *header = &parts->line.header;
    if (header->level[0])
        evidence_set(target->evidence, record, "level", header->level);
    if (header->logger[0])
        set_text(target, record, "logger", header->logger, strlen(header->logger), written);
    evidence_set(target->evidence, record, "origin", header->origin);
    set_span(target, record, "container", &parts->line.container, written);
    set_span(target, record, "workload", &parts->line.workload, written);
    record->time = parts->line.time;
}

static void set_context(const struct scan_target *target, struct record *record)
{
    const struct scan_text *context = target->context;
    evidence_set(target->evidence, record, "origin", context->origin ? context->origin : "text");
    evidence_set(target->evidence, record, "container", context->container);
    evidence_set(target->evidence, record, "image", context->image);
    evidence_set(target->evidence, record, "workload", context->workload);
    if (context->count > 1)
        evidence_setf(target->evidence, record, "repeats", "%" PRIu64, context->count);
    record->time = context->time;
    evidence_place(target->evidence, record, context->pointer);
}

/* The excerpt without '\r' before line ends; of an item without what was put in front of it. */
static void set_excerpt(const struct scan_target *target, struct record *record,
                        const struct scan_copy *copy, const struct parts *parts)
{
    bool own = copy->excerpt_len == 0;
    size_t skip = own && copy->item && !copy->head ? parts->line.wrapper : 0;
    const char *text = own ? parts->text + skip : copy->bytes + copy->head + copy->len;
    size_t len = own ? parts->len - skip : copy->excerpt_len;
    size_t most = target->text_max < EVIDENCE_EXCERPT_MAX ? target->text_max : EVIDENCE_EXCERPT_MAX;
    struct buf out;
    buf_init(&out, most);
    for (size_t at = 0; at < len && !out.overflow;) {
        size_t end = scan_line_end(text, len, at), stop = end;
        while (stop > at && text[stop - 1] == '\r')
            stop--;
        buf_add(&out, text + at, stop - at);
        if (end < len)
            buf_addch(&out, '\n');
        at = end + 1;
    }
    evidence_excerpt(target->evidence, record, buf_str(&out), out.len);
    buf_release(&out);
}

static void set_place(const struct scan_target *target, struct record *record,
                      const struct scan_copy *copy)
{
    if (copy->item)
        record->pointer = arena_printf(evidence_arena(target->evidence), "%s%s/%" PRIu64 "%s",
                                       evidence_outer(target->evidence), target->item.before,
                                       copy->place, target->item.behind);
    else
        record->line = copy->place;
}

static void note_peer(const struct scan_target *target, const struct record *record)
{
    char number[32];
    if (strcmp(target->event, "log.xds_closed") != 0)
        return;
    const char *peer = record_text(record, "peer", number);
    if (peer)
        identity_note_xds(target->evidence, target->source, NULL, peer);
}

static void note_variables(const struct scan_target *target, const struct record *record)
{
    char number[32];
    const char *list = strcmp(target->event, "log.variables") == 0
                           ? record_text(record, "list", number)
                           : NULL;
    if (list)
        env_take_list(target->evidence, record, list);
}

static void write_record(const struct scan_target *target, struct record *record,
                         const struct scan_copy *copy, struct parts *parts, size_t *written)
{
    struct buf message, rest;
    size_t from = target->context || copy->head ? 0 : parts->line.header.message;
    buf_init(&message, target->text_max);
    buf_init(&rest, target->text_max);
    if (copy->head) {
        size_t header = parts->line.header.message;
        buf_add(&message, copy->bytes + header, copy->head > header ? copy->head - header : 0);
        buf_addch(&message, '\n');
    }
    message_of(&message, parts, from);
    rest_of(&rest, parts);
    set_text(target, record, "message", buf_str(&message), message.len, written);
    set_text(target, record, "rest", buf_str(&rest), rest.len, written);
    buf_release(&message);
    buf_release(&rest);
    if (target->context) {
        set_context(target, record);
    } else {
        set_base(target, record, parts, written);
        set_place(target, record, copy);
    }
    set_groups(target, record, target->pattern, parts, written);
    set_fields(target, record, parts, written);
    set_excerpt(target, record, copy, parts);
    *written += strlen(record->excerpt);
    note_peer(target, record);
    note_variables(target, record);
}

/* ---- the match ---- */

/* Where libhs saw the match end; else the first one of the record. */
static bool find_match(const struct scan_target *target, const struct scan_copy *copy,
                       struct parts *parts)
{
    size_t at = copy->end ? copy->end - 1 : 0;
    size_t start = scan_line_start(parts->text, at);
    size_t end = scan_line_end(parts->text, parts->len, at);
    if (regex_match(target->pattern, parts->text, parts->len, start, parts->spans, GROUPS_MAX) &&
        parts->spans[0].end <= end + 1)
        return true;
    return start &&
           regex_match(target->pattern, parts->text, parts->len, 0, parts->spans, GROUPS_MAX);
}

bool scan_record_write(const struct scan_target *target, const struct scan_copy *copy,
                       size_t *written)
{
    struct parts parts = {.text = copy->bytes + copy->head, .len = copy->len};
    if (!find_match(target, copy, &parts))
        return false;
    if (!target->context) {
        size_t end = scan_line_end(parts.text, parts.len, 0);
        log_unwrap_line(copy->head ? copy->bytes : parts.text, copy->head ? copy->head : end,
                        &parts.line);
    }
    struct record *record = evidence_add(target->evidence, target->event, target->source);
    if (record)
        write_record(target, record, copy, &parts, written);
    return true;
}
