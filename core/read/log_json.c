/* Stage: read. Undoes the JSON around log lines. Reads one line, appends the plain line that it holds:
 * in CRI's form for wrappers that only carry a line, in Istio's or Envoy's own form for logs that are
 * JSON themselves. Deliberately no cJSON: a million lines must not become a million trees. */
#include "read/log_json.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "read/log_unwrap.h"
#include <string.h>
#include <strings.h>

enum { NESTED_MAX = 3, OTHERS_MAX = 24, TIME_MAX = 64 };

struct span {
    const char *text; /* as it stands, still escaped; NULL: not there */
    size_t len;
    bool string;
};

enum key {
    LOG,
    MESSAGE,
    STREAM,
    TIME,
    LEVEL,
    SCOPE,
    LOGGER,
    THREAD,
    CONTAINER,
    WORKLOAD,
    NESTED,
    KEYS
};

struct members {
    struct span known[KEYS];
    struct {
        struct span key, value;
    } others[OTHERS_MAX];
    size_t others_len;
};

static enum key key_of(const char *text, size_t len)
{
    static const struct {
        const char *name;
        enum key key;
    } names[] = {
        {"log", LOG},
        {"message", MESSAGE},
        {"msg", MESSAGE},
        {"stream", STREAM},
        {"source", STREAM},
        {"time", TIME},
        {"timestamp", TIME},
        {"ts", TIME},
        {"date", TIME},
        {"__REALTIME_TIMESTAMP", TIME},
        {"level", LEVEL},
        {"severity", LEVEL},
        {"scope", SCOPE},
        {"logger", LOGGER},
        {"module", LOGGER},
        {"thread", THREAD},
        {"threadid", THREAD},
        {"caller", THREAD},
        {"container_name", CONTAINER},
        {"SYSLOG_IDENTIFIER", CONTAINER},
        {"pod_name", WORKLOAD},
        {"ecs_task_arn", WORKLOAD},
        {"kubernetes", NESTED},
    };
    if (len > 1 && *text == '@') { /* "@message" as hclog writes it */
        text++;
        len--;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i].name) == len && strncasecmp(names[i].name, text, len) == 0)
            return names[i].key;
    return KEYS;
}

/* ---- a walk over the members of one object ---- */

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/* AT stands behind the opening quote. The closing one, NULL when there is none. */
static const char *string_end(const char *at, const char *end)
{
    for (const char *from = at; (from = memchr(from, '"', (size_t)(end - from))) != NULL; from++) {
        const char *slash = from;
        while (slash > at && slash[-1] == '\\')
            slash--;
        if ((from - slash) % 2 == 0)
            return from;
    }
    return NULL;
}

static const char *nested_end(const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = string_end(at + 1, end);
            if (!at)
                return NULL;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if ((*at == '}' || *at == ']') && --depth == 0) {
            return at + 1;
        }
        at++;
    }
    return NULL;
}

static const char *take_value(const char *at, const char *end, struct span *value)
{
    if (at == end)
        return NULL;
    if (*at == '"') {
        const char *close = string_end(at + 1, end);
        if (!close)
            return NULL;
        *value = (struct span){at + 1, (size_t)(close - at - 1), true};
        return close + 1;
    }
    const char *stop = at;
    if (*at == '{' || *at == '[')
        stop = nested_end(at, end);
    else
        while (stop < end && !strchr(",} \t\r", *stop))
            stop++;
    if (!stop || stop == at)
        return NULL;
    *value = (struct span){at, (size_t)(stop - at), false};
    return stop;
}

static bool take_members(const char *at, const char *end, struct members *out, int depth);

static void keep_member(struct members *out, const struct span *key, const struct span *value,
                        int depth)
{
    enum key known = key_of(key->text, key->len);
    if (known == NESTED) {
        if (depth == 0 && *value->text == '{')
            take_members(value->text, value->text + value->len, out, depth + 1);
    } else if (known != KEYS) {
        if (!out->known[known].text)
            out->known[known] = *value;
    } else if (value->string && depth == 0 && out->others_len < OTHERS_MAX) {
        out->others[out->others_len].key = *key;
        out->others[out->others_len++].value = *value;
    }
}

/* Takes the members of the object at AT; false when it is none, or broken. */
static bool take_members(const char *at, const char *end, struct members *out, int depth)
{
    if (at == end || *at != '{')
        return false;
    at = skip_space(at + 1, end);
    while (at < end && *at == '"') {
        struct span key = {at + 1, 0, true}, value;
        const char *close = string_end(at + 1, end);
        if (!close)
            return false;
        key.len = (size_t)(close - at - 1);
        at = skip_space(close + 1, end);
        if (at == end || *at != ':')
            return false;
        at = take_value(skip_space(at + 1, end), end, &value);
        if (!at)
            return false;
        keep_member(out, &key, &value, depth);
        at = skip_space(at, end);
        if (at < end && *at == ',')
            at = skip_space(at + 1, end);
    }
    return at < end && *at == '}';
}

/* ---- text ---- */

static bool hex4(const char *at, const char *end, unsigned *out)
{
    unsigned value = 0;
    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", *digit = memchr(digits, at[i] | 32, 16);
        if (!digit)
            return false;
        value = value * 16 + (unsigned)(digit - digits);
    }
    *out = value;
    return true;
}

static void add_utf8(struct buf *out, unsigned c)
{
    char bytes[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    bytes[0] = (char)(leads[len] | c);
    buf_add(out, bytes, len);
}

/* AT stands behind "\u". Returns where reading goes on. */
static const char *add_unicode(const char *at, const char *end, struct buf *out)
{
    unsigned high, low;
    if (!hex4(at, end, &high)) {
        buf_adds(out, "\\u");
        return at;
    }
    at += 4;
    if (high >= 0xD800 && high < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u' &&
        hex4(at + 2, end, &low) && low >= 0xDC00 && low < 0xE000) {
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        at += 6;
    }
    add_utf8(out, high >= 0xD800 && high < 0xE000 ? 0xFFFD : high);
    return at;
}

void log_json_text(const char *text, size_t len, struct buf *out)
{
    static const char from[] = "ntrbf", to[] = "\n\t\r\b\f";
    const char *at = text, *end = text + len;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        if (!slash || slash + 1 == end) {
            buf_add(out, at, (size_t)(end - at));
            return;
        }
        buf_add(out, at, (size_t)(slash - at));
        at = slash + 2;
        const char *letter = memchr(from, slash[1], sizeof from - 1);
        if (slash[1] == 'u')
            at = add_unicode(at, end, out);
        else
            buf_addch(out, letter ? to[letter - from] : slash[1]);
    }
}

static void add_span(struct buf *out, const struct span *span)
{
    if (span->text)
        log_json_text(span->text, span->len, out);
}

static bool span_is(const struct span *span, const char *text)
{
    return span->text && span->len == strlen(text) && memcmp(span->text, text, span->len) == 0;
}

void log_json_time(const char *text, size_t len, struct buf *out)
{
    char when[CLOCK_TEXT_MAX];
    int64_t time;
    if (len > 4 && text[4] == '-' && len < TIME_MAX && !memchr(text, '\\', len)) {
        size_t at = out->len;
        buf_add(out, text, len);
        char *blank = out->len > at ? memchr(out->data + at, ' ', out->len - at) : NULL;
        if (blank)
            *blank = 'T';
        return;
    }
    if (len == 16 && !memchr(text, '.', len))
        len = 13; /* microseconds, as journald has them */
    if (clock_parse(text, len, &time))
        buf_adds(out, clock_text(time, when));
}

void log_json_place(const char *time, size_t time_len, const char *stream, size_t stream_len,
                    struct buf *out)
{
    size_t before = out->len;
    log_json_time(time, time_len, out);
    if (out->len == before)
        return;
    const char *slash = memchr(stream, '/', stream_len);
    bool task = slash && memchr(slash + 1, '/', stream_len - (size_t)(slash + 1 - stream));
    buf_adds(out, task ? " " : " -/-/");
    if (stream_len && !memchr(stream, ' ', stream_len))
        buf_add(out, stream, stream_len);
    else
        buf_addch(out, '-');
    buf_addch(out, ' ');
}

/* ---- the plain line ---- */

static void add_time(struct buf *out, const struct span *time, const char *behind)
{
    size_t before = out->len;
    if (time->text)
        log_json_time(time->text, time->len, out);
    if (out->len > before)
        buf_adds(out, behind);
}

static void add_last_part(struct buf *out, const struct span *name)
{
    const char *slash = name->text ? memrchr(name->text, '/', name->len) : NULL;
    size_t skip = slash ? (size_t)(slash + 1 - name->text) : 0;
    if (name->text && name->len > skip)
        buf_add(out, name->text + skip, name->len - skip);
    else
        buf_addch(out, '-');
}

/* "[pod/WORKLOAD/CONTAINER] TIME stderr F " as far as it is known */
static void add_wrapper(struct buf *out, const struct members *m)
{
    if (m->known[CONTAINER].text) {
        buf_adds(out, "[pod/");
        add_last_part(out, &m->known[WORKLOAD]);
        buf_addch(out, '/');
        add_last_part(out, &m->known[CONTAINER]);
        buf_adds(out, "] ");
    }
    bool stream = span_is(&m->known[STREAM], "stderr") || span_is(&m->known[STREAM], "stdout");
    size_t before = out->len;
    add_time(out, &m->known[TIME], " ");
    if (stream && out->len > before) {
        add_span(out, &m->known[STREAM]);
        buf_adds(out, " F ");
    }
}

static void add_others(struct buf *out, const struct members *m)
{
    for (size_t i = 0; i < m->others_len; i++) {
        buf_addch(out, '\t');
        add_span(out, &m->others[i].key);
        buf_addch(out, '=');
        add_span(out, &m->others[i].value);
    }
}

/* A log whose lines are JSON themselves, in the form of who wrote it. */
static void add_header(struct buf *out, const struct members *m)
{
    const struct span *known = m->known;
    if (known[SCOPE].text) { /* Istio */
        add_time(out, &known[TIME], "\t");
        add_span(out, &known[LEVEL]);
        buf_addch(out, '\t');
        add_span(out, &known[SCOPE]);
        buf_addch(out, '\t');
    } else if (known[THREAD].text && known[TIME].text) { /* Envoy's json_format */
        buf_addch(out, '[');
        add_time(out, &known[TIME], "][0][");
        add_span(out, &known[LEVEL]);
        buf_addch(out, ']');
        if (known[LOGGER].text) {
            buf_addch(out, '[');
            add_span(out, &known[LOGGER]);
            buf_addch(out, ']');
        }
        buf_addch(out, ' ');
    } else {
        add_time(out, &known[TIME], " ");
        buf_addch(out, '[');
        add_span(out, &known[LEVEL]);
        buf_adds(out, "] ");
        if (known[LOGGER].text) {
            add_span(out, &known[LOGGER]);
            buf_adds(out, ": ");
        }
    }
}

/* What LINE carried was a line of JSON in its turn. */
static void unwrap_nested(struct buf *out, size_t from, int depth);

static bool unwrap(const char *line, size_t len, struct buf *out, bool *part, int depth)
{
    struct members m = {0};
    if (!take_members(line, line + len, &m, 0))
        return false;
    const struct span *carried = m.known[LOG].text ? &m.known[LOG] : &m.known[MESSAGE];
    if (!carried->text || !carried->string)
        return false;
    bool own = carried == &m.known[MESSAGE] && m.known[LEVEL].text;
    if (own)
        add_header(out, &m);
    else if (!*part)
        add_wrapper(out, &m);
    size_t from = out->len;
    add_span(out, carried);
    bool ended = out->len > from && out->data[out->len - 1] == '\n';
    while (out->len > from && strchr("\r\n", out->data[out->len - 1]))
        out->len--;
    if (own)
        add_others(out, &m);
    else
        unwrap_nested(out, from, depth + 1);
    *part = !own && !ended && m.known[STREAM].text && m.known[TIME].text && m.others_len == 0 &&
            !m.known[CONTAINER].text;
    return true;
}

static void unwrap_nested(struct buf *out, size_t from, int depth)
{
    bool part = false;
    if (depth == NESTED_MAX || out->len == from || out->data[from] != '{')
        return;
    struct buf inner;
    buf_init(&inner, out->len - from + 1024);
    if (unwrap(out->data + from, out->len - from, &inner, &part, depth)) {
        out->len = from;
        buf_add(out, inner.data, inner.len);
    }
    buf_release(&inner);
}

bool log_json_line(const char *line, size_t len, struct buf *out, bool *part)
{
    size_t prefix = len && *line == '{' ? 0 : log_unwrap_prefix(line, len);
    const char *at = skip_space(line + prefix, line + len), *end = line + len;
    size_t before = out->len;
    buf_add(out, line, *part ? 0 : prefix);
    if (at < end && *at == '{' && unwrap(at, (size_t)(end - at), out, part, 0))
        return true;
    out->len = before;
    *part = false;
    return false;
}

bool log_json_seen(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    while ((at = memchr(at, '{', (size_t)(end - at))) != NULL) {
        if (end - at > 1 && (at[1] == '"' || at[1] == ' ')) {
            const char *start = memrchr(text, '\n', (size_t)(at - text));
            start = start ? start + 1 : text;
            const char *stop = memchr(at, '\n', (size_t)(end - at));
            stop = stop ? stop : end;
            size_t prefix = at > start ? log_unwrap_prefix(start, (size_t)(stop - start)) : 0;
            if (skip_space(start + prefix, stop) == at)
                return true;
            at = stop;
        } else {
            at++;
        }
    }
    return false;
}
