/* Base: the splitter. Reads JSON text in any portions, delivers chosen array elements as small trees.
 * Scans structure by hand (strings are skipped with memchr) and leaves values to cJSON, one element at
 * a time. Deliberately keeps no tree of the whole. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/json_bump.h"
#include "base/json_rules.h"
#include "base/json_why.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAMES_MAX = 64 << 10, /* member names of the path together; longer ones are cut */
    TYPE_MAX = 64,
    TREE_FACTOR = 16, /* memory for a tree, in sizes of its text */
};

enum state {
    WANT_VALUE,
    WANT_VALUE_OR_END, /* behind '[' */
    WANT_NAME,
    WANT_NAME_OR_END, /* behind '{' */
    WANT_COLON,
    WANT_NEXT,
    IN_NAME,
    IN_STRING,
    IN_SCALAR,
    DONE,
};

struct frame {
    bool array;
    uint64_t index;           /* of the current element, in an array */
    size_t name_at, name_len; /* of the current member, in `names` */
    int rule;                 /* that took this array, -1: none */
    char type[TYPE_MAX];      /* last component of "@type" */
    int state;                /* of the rules */
};

struct capture { /* an element being collected, or the skeleton at the bottom */
    struct buf text;
    uint64_t offset; /* where it begins in the stream */
    int depth;       /* frames around it */
    bool drop;       /* nobody wants it */
};

struct json_split {
    struct json_rules *rules;
    json_piece_fn *piece;
    json_oversize_fn *oversize;
    void *user;
    size_t element_max;
    enum state state;
    bool escaped; /* inside a string: an odd number of backslashes came last */
    bool is_type; /* the string is the value of "@type" */
    uint64_t fed; /* bytes before the current portion */
    struct frame *frames;
    int depth;
    struct buf names, type, pointer, parent;
    struct capture *captures;
    int captures_len, captures_cap;
    bool copying;
    const char *run; /* what of the current portion is still to be copied, while copying */
    struct json_bump *bump;
};

static struct capture *push_capture(struct json_split *split, uint64_t offset)
{
    if (split->captures_len == split->captures_cap) {
        split->captures = xrealloc(split->captures,
                                   (size_t)(split->captures_cap + 1) * sizeof *split->captures);
        buf_init(&split->captures[split->captures_cap++].text, split->element_max);
    }
    struct capture *capture = &split->captures[split->captures_len++];
    buf_clear(&capture->text);
    capture->offset = offset;
    capture->depth = split->depth;
    capture->drop = false;
    return capture;
}

struct json_split *json_split_new(const char *const *rules, size_t element_max,
                                  json_piece_fn *piece, json_oversize_fn *oversize, void *user)
{
    struct json_split *split = xcalloc(1, sizeof *split);
    split->rules = json_rules_new(rules);
    split->piece = piece;
    split->oversize = oversize;
    split->user = user;
    split->element_max = element_max;
    split->frames = xcalloc(JSON_DEPTH_MAX, sizeof *split->frames);
    buf_init(&split->names, NAMES_MAX);
    buf_addch(&split->names, ' '); /* so that there is always memory to point into */
    buf_init(&split->type, 512);
    buf_init(&split->pointer, 2 * NAMES_MAX + 32 * JSON_DEPTH_MAX);
    buf_init(&split->parent, 2 * NAMES_MAX + 32 * JSON_DEPTH_MAX);
    split->bump = json_bump_new(element_max * TREE_FACTOR);
    push_capture(split, 0);
    split->copying = true;
    return split;
}

void json_split_free(struct json_split *split)
{
    if (!split)
        return;
    for (int i = 0; i < split->captures_cap; i++)
        buf_release(&split->captures[i].text);
    free(split->captures);
    free(split->frames);
    buf_release(&split->names);
    buf_release(&split->type);
    buf_release(&split->pointer);
    buf_release(&split->parent);
    json_bump_free(split->bump);
    json_rules_free(split->rules);
    free(split);
}

/* ---- where we are ---- */

static struct frame *top(struct json_split *split)
{
    return split->depth ? &split->frames[split->depth - 1] : NULL;
}

static void add_index(struct buf *out, uint64_t index)
{
    char text[24];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + index % 10);
        index /= 10;
    } while (index);
    text[--at] = '/';
    buf_add(out, text + at, sizeof text - at);
}

static void add_pointer(struct buf *out, const struct json_split *split, int depth)
{
    buf_clear(out);
    for (int i = 0; i < depth; i++) {
        const struct frame *frame = &split->frames[i];
        if (frame->array)
            add_index(out, frame->index);
        else
            json_pointer_add(out, split->names.data + frame->name_at, frame->name_len);
    }
}

static const char *config_type(const struct json_split *split)
{
    for (int i = split->depth - 1; i >= 0; i--)
        if (split->frames[i].type[0])
            return split->frames[i].type;
    return "";
}

/* The name of the array that is on top, made a string of its own in `type`. */
static const char *array_name(struct json_split *split)
{
    buf_clear(&split->type);
    for (int i = split->depth - 1; i >= 0; i--) {
        const struct frame *frame = &split->frames[i];
        if (frame->array)
            continue;
        buf_add(&split->type, split->names.data + frame->name_at, frame->name_len);
        break;
    }
    return buf_str(&split->type);
}

static bool fail(const struct json_split *split, const char *at, const char *start, const char *end,
                 struct err *err)
{
    json_why(err, at, (size_t)(end - at), 0);
    return err_prefix(err, "not JSON at byte %" PRIu64, split->fed + (uint64_t)(at - start));
}

/* ---- captures ---- */

static void flush(struct json_split *split, const char *end)
{
    if (split->copying)
        buf_add(&split->captures[split->captures_len - 1].text, split->run,
                (size_t)(end - split->run));
    split->run = end;
}

static void begin_element(struct json_split *split, const char *at, const char *start)
{
    struct capture *capture = push_capture(split, split->fed + (uint64_t)(at - start));
    capture->drop = json_rules_drops(split->rules, top(split)->rule);
    split->copying = !capture->drop;
    split->run = at;
}

static bool deliver(struct json_split *split, uint64_t end, int rule, struct err *err)
{
    struct capture *capture = &split->captures[split->captures_len - 1];
    if (capture->drop)
        return true;
    uint64_t len = end - capture->offset;
    struct err why = ERR_INIT;
    add_pointer(&split->pointer, split, capture->depth);
    const char *pointer = buf_str(&split->pointer);
    bool full = capture->text.overflow;
    size_t used = 0;
    const cJSON *value = full ? NULL
                              : json_bump_parse(split->bump, capture->text.data, capture->text.len,
                                                &used, &full, &why);
    if (full) {
        split->oversize(split->user, pointer, len);
        return true;
    }
    if (!value)
        return err_set(err, "'%s' (byte %" PRIu64 "): %s", pointer, capture->offset, why.text);
    if (split->captures_len > 1)
        add_pointer(&split->parent, split, capture[-1].depth);
    struct json_piece piece = {value,
                               pointer,
                               split->captures_len > 1 ? buf_str(&split->parent) : "",
                               rule < 0 ? "" : array_name(split),
                               config_type(split),
                               capture->offset,
                               len,
                               rule};
    split->piece(split->user, &piece);
    return true;
}

/* ---- structure ---- */

/* A value ends before AT. */
static bool end_value(struct json_split *split, const char *at, const char *start, struct err *err)
{
    uint64_t offset = split->fed + (uint64_t)(at - start);
    struct frame *frame = top(split);
    split->state = frame ? WANT_NEXT : DONE;
    if (frame && frame->rule < 0)
        return true;
    flush(split, at);
    bool good = deliver(split, offset, frame ? frame->rule : -1, err);
    split->captures_len--;
    split->copying = false;
    return good;
}

static int step_rules(struct json_split *split)
{
    const struct frame *frame = top(split);
    if (!frame)
        return JSON_RULES_START;
    if (frame->array)
        return json_rules_step(split->rules, frame->state, NULL, 0);
    return json_rules_step(split->rules, frame->state, split->names.data + frame->name_at,
                           frame->name_len);
}

static bool open_frame(struct json_split *split, const char *at, struct err *err)
{
    if (split->depth == JSON_DEPTH_MAX)
        return err_set(err, "not read: nested deeper than %d levels", JSON_DEPTH_MAX);
    struct frame *frame = &split->frames[split->depth];
    frame->state = step_rules(split);
    const struct frame *outer = top(split);
    frame->array = *at == '[';
    frame->index = 0;
    frame->name_at = outer ? outer->name_at + outer->name_len : 0;
    frame->name_len = 0;
    frame->type[0] = '\0';
    frame->rule = frame->array ? json_rules_taken(split->rules, frame->state) : -1;
    split->depth++;
    split->state = frame->array ? WANT_VALUE_OR_END : WANT_NAME_OR_END;
    if (frame->rule >= 0) {
        flush(split, at + 1);
        split->copying = false;
    }
    return true;
}

static bool close_frame(struct json_split *split, const char *at, const char *start,
                        const char *end, struct err *err)
{
    const struct frame *frame = top(split);
    if (!frame || frame->array != (*at == ']'))
        return fail(split, at, start, end, err);
    if (frame->rule >= 0) {
        split->copying = !split->captures[split->captures_len - 1].drop;
        split->run = at;
    }
    split->depth--;
    return end_value(split, at + 1, start, err);
}

static bool begin_value(struct json_split *split, const char *at, const char *start,
                        const char *end, struct err *err)
{
    const struct frame *frame = top(split);
    if (frame && frame->rule >= 0)
        begin_element(split, at, start);
    if (*at == '{' || *at == '[')
        return open_frame(split, at, err);
    if (!frame)
        return fail(split, at, start, end, err);
    split->is_type = false;
    if (*at == '"') {
        split->state = IN_STRING;
        split->escaped = false;
        split->is_type = frame && !frame->array && frame->name_len == 5 &&
                         memcmp(split->names.data + frame->name_at, "@type", 5) == 0;
        buf_clear(&split->type);
        return true;
    }
    split->state = IN_SCALAR;
    return (*at && strchr("-0123456789tfn", *at)) || fail(split, at, start, end, err);
}

static void begin_name(struct json_split *split)
{
    struct frame *frame = top(split);
    split->names.len = frame->name_at;
    split->names.overflow = false;
    frame->name_len = 0;
    split->state = IN_NAME;
    split->escaped = false;
}

/* Only the escapes that a name can need to be told from another; the rest stays as written. */
static void unescape_name(struct json_split *split, struct frame *frame)
{
    char *name = split->names.data + frame->name_at;
    size_t out = 0;
    for (size_t i = 0; i < frame->name_len; i++) {
        if (name[i] == '\\' && i + 1 < frame->name_len && strchr("\"\\/", name[i + 1]))
            i++;
        name[out++] = name[i];
    }
    frame->name_len = out;
    split->names.len = frame->name_at + out;
}

static void end_name(struct json_split *split)
{
    struct frame *frame = top(split);
    frame->name_len = split->names.len - frame->name_at;
    if (frame->name_len && memchr(split->names.data + frame->name_at, '\\', frame->name_len))
        unescape_name(split, frame);
    split->state = WANT_COLON;
}

static void end_type(struct json_split *split)
{
    struct frame *frame = top(split);
    const char *text = buf_str(&split->type);
    for (const char *at = text; *at; at++)
        if (*at == '/' || *at == '.')
            text = at + 1;
    size_t len = strnlen(text, TYPE_MAX - 1);
    memcpy(frame->type, text, len);
    frame->type[len] = '\0';
}

/* ---- strings and scalars, which may span portions ---- */

/* Whether the character at AT follows an odd number of backslashes; START is where to stop looking. */
static bool is_escaped(const struct json_split *split, const char *at, const char *start)
{
    const char *back = at;
    while (back > start && back[-1] == '\\')
        back--;
    bool odd = (at - back) & 1;
    return back == start ? odd != split->escaped : odd;
}

/* The closing quote, or END when it is not in this portion. */
static const char *string_end(struct json_split *split, const char *at, const char *end)
{
    for (const char *start = at; start < end;) {
        const char *quote = memchr(start, '"', (size_t)(end - start));
        if (quote && !is_escaped(split, quote, start)) {
            split->escaped = false;
            return quote;
        }
        if (!quote) {
            split->escaped = is_escaped(split, end, start);
            return end;
        }
        split->escaped = false;
        start = quote + 1;
    }
    return end;
}

/* Both return how far they got, NULL on an error. */
static const char *go_on_string(struct json_split *split, const char *at, const char *start,
                                const char *end, struct err *err)
{
    const char *stop = string_end(split, at, end);
    bool name = split->state == IN_NAME;
    if (name)
        buf_add(&split->names, at, (size_t)(stop - at));
    else if (split->is_type)
        buf_add(&split->type, at, (size_t)(stop - at));
    if (stop == end)
        return end;
    if (name) {
        end_name(split);
        return stop + 1;
    }
    if (split->is_type)
        end_type(split);
    return end_value(split, stop + 1, start, err) ? stop + 1 : NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *go_on_scalar(struct json_split *split, const char *at, const char *start,
                                const char *end, struct err *err)
{
    while (at < end && *at != ',' && *at != ']' && *at != '}' && !is_blank(*at))
        at++;
    if (at == end)
        return end;
    return end_value(split, at, start, err) ? at : NULL;
}

static bool next_member(struct json_split *split, const char *at, const char *start,
                        const char *end, struct err *err)
{
    struct frame *frame = top(split);
    if (*at == '}' || *at == ']')
        return close_frame(split, at, start, end, err);
    if (*at != ',')
        return fail(split, at, start, end, err);
    frame->index++;
    split->state = frame->array ? WANT_VALUE : WANT_NAME;
    return true;
}

/* One character of structure, which is no blank. */
static bool take(struct json_split *split, const char *at, const char *start, const char *end,
                 struct err *err)
{
    switch (split->state) {
    case WANT_NEXT:
        return next_member(split, at, start, end, err);
    case WANT_NAME_OR_END:
    case WANT_NAME:
        if (*at == '}' && split->state == WANT_NAME_OR_END)
            return close_frame(split, at, start, end, err);
        if (*at != '"')
            return fail(split, at, start, end, err);
        begin_name(split);
        return true;
    case WANT_COLON:
        split->state = WANT_VALUE;
        return *at == ':' || fail(split, at, start, end, err);
    case WANT_VALUE_OR_END:
        if (*at == ']')
            return close_frame(split, at, start, end, err);
        return begin_value(split, at, start, end, err);
    case WANT_VALUE:
        return begin_value(split, at, start, end, err);
    default:
        return err_set(err, "more text behind the end of the document (byte %" PRIu64 ")",
                       split->fed + (uint64_t)(at - start));
    }
}

static const char *advance(struct json_split *split, const char *at, const char *start,
                           const char *end, struct err *err)
{
    if (split->state == IN_NAME || split->state == IN_STRING)
        return go_on_string(split, at, start, end, err);
    if (split->state == IN_SCALAR)
        return go_on_scalar(split, at, start, end, err);
    while (at < end && is_blank(*at))
        at++;
    if (at == end)
        return end;
    return take(split, at, start, end, err) ? at + 1 : NULL;
}

bool json_split_feed(struct json_split *split, const char *bytes, size_t len, struct err *err)
{
    const char *at = bytes, *end = bytes + len;
    split->run = bytes;
    while (at && at < end)
        at = advance(split, at, bytes, end, err);
    if (at)
        flush(split, end);
    split->fed += len;
    return at != NULL;
}

bool json_split_whole(const struct json_split *split)
{
    return split->state == DONE;
}

bool json_split_end(struct json_split *split, struct err *err)
{
    if (split->state == DONE)
        return true;
    if (!split->depth && split->state == WANT_VALUE)
        return err_set(err, "holds no JSON");
    bool string = split->state == IN_STRING || split->state == IN_NAME;
    add_pointer(&split->pointer, split, split->depth);
    return err_set(err, "ends in the middle of %s at '%s' after %" PRIu64 " bytes",
                   string                      ? "a text"
                   : split->state == IN_SCALAR ? "a value"
                                               : "the document",
                   buf_str(&split->pointer), split->fed);
}
