/* Stage: read. Header shapes of log lines: Envoy's of every age (with and without brackets, location,
 * logger), Istio's columns, Consul's, access logs, and the usual ones of other programs. Reads one
 * line, writes its header. Deliberately never looks at file names and numbers: they move. */
#include "read/log_shape.h"
#include "base/alloc.h"
#include "base/clock.h"
#include <string.h>
#include <strings.h>

enum { FIELDS_MAX = 8, FIELD_MAX = 64, LOCATION_MAX = 256, INDENT_MAX = 64 };

struct cursor {
    const char *at, *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_word(char c)
{
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

static size_t left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

static bool at_text(const struct cursor *c, const char *text)
{
    size_t len = strlen(text);
    return left(c) >= len && memcmp(c->at, text, len) == 0;
}

static size_t skip_blanks(struct cursor *c)
{
    const char *from = c->at;
    while (c->at < c->end && is_blank(*c->at))
        c->at++;
    return (size_t)(c->at - from);
}

/* ---- words ---- */

static const char *level_of(const char *word, size_t len)
{
    static const struct {
        const char *word, *level;
    } levels[] = {
        {"trace", "trace"},     {"debug", "debug"},    {"info", "info"}, {"warning", "warning"},
        {"warn", "warning"},    {"error", "error"},    {"err", "error"}, {"critical", "critical"},
        {"fatal", "critical"},  {"panic", "critical"}, {"off", "off"},   {"notice", "info"},
        {"dpanic", "critical"},
    };
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (strlen(levels[i].word) == len && strncasecmp(levels[i].word, word, len) == 0)
            return levels[i].level;
    return NULL;
}

static void set_text(char *out, size_t cap, const char *text, size_t len)
{
    if (len >= cap)
        len = cap - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

static bool set_level(struct log_header *out, const char *word, size_t len)
{
    const char *level = level_of(word, len);
    if (level)
        set_text(out->level, sizeof out->level, level, strlen(level));
    return level != NULL;
}

static void set_logger(struct log_header *out, const char *word, size_t len)
{
    set_text(out->logger, sizeof out->logger, word, len);
}

/* A run of word characters, the cursor behind it. */
static size_t take_word(struct cursor *c, const char **word)
{
    *word = c->at;
    while (c->at < c->end && is_word(*c->at))
        c->at++;
    return (size_t)(c->at - *word);
}

static bool take_time(struct cursor *c, int64_t *time)
{
    size_t used = clock_parse(c->at, left(c), time);
    c->at += used;
    return used != 0;
}

/* "source/server/server.cc:206", with some sign of being a file name. */
static bool is_location(const char *text, size_t len)
{
    size_t digits = 0;
    while (digits < len && is_digit(text[len - 1 - digits]))
        digits++;
    if (digits == 0 || digits + 1 >= len || text[len - 1 - digits] != ':')
        return false;
    len -= digits + 1;
    return memchr(text, ' ', len) == NULL &&
           (memchr(text, '.', len) != NULL || memchr(text, '/', len) != NULL);
}

/* ---- brackets: "[2026-11-21 08:00:00.123][12][warning][config] [file.h:163] message" ---- */

struct brackets {
    bool time, thread, level, logger, location, agent;
};

static bool is_all(const char *text, size_t len, bool (*test)(char))
{
    for (size_t i = 0; i < len; i++)
        if (!test(text[i]))
            return false;
    return len != 0;
}

/* What stands between two brackets; false when it is none of the header's fields. */
static bool take_field(struct brackets *seen, struct log_header *out, const char *text, size_t len)
{
    struct cursor c = {text, text + len};
    int64_t time;
    if (!seen->time && !seen->thread && !seen->level && take_time(&c, &time) && c.at == c.end) {
        out->time = time;
        out->zoned = clock_zoned(text, len);
        return seen->time = true;
    }
    if (!seen->thread && !seen->level && len <= 12 && is_all(text, len, is_digit))
        return seen->thread = true;
    if (!seen->level && set_level(out, text, len))
        return seen->level = true;
    if (len == strlen("AppNet Agent") && memcmp(text, "AppNet Agent", len) == 0)
        return seen->agent = true;
    if (is_location(text, len))
        return seen->location = true;
    if (seen->logger || seen->location || !is_lower(*text) || !is_all(text, len, is_word))
        return false;
    if (!seen->time && !seen->thread && !seen->level)
        return false;
    set_logger(out, text, len);
    return seen->logger = true;
}

/* The cursor stands behind '['. Moves behind ']' when the field is one of the header's. */
static bool take_bracket(struct cursor *c, struct brackets *seen, struct log_header *out)
{
    size_t most = left(c) < LOCATION_MAX ? left(c) : LOCATION_MAX;
    const char *close = memchr(c->at, ']', most);
    if (!close || close == c->at)
        return false;
    size_t len = (size_t)(close - c->at);
    if (len > FIELD_MAX && !is_location(c->at, len))
        return false;
    if (!take_field(seen, out, c->at, len))
        return false;
    c->at = close + 1;
    return true;
}

/* Up to Envoy 1.9 no bracket was opened before the location. */
static void take_bare_location(struct cursor *c, struct brackets *seen)
{
    struct cursor ahead = *c;
    size_t blanks = skip_blanks(&ahead);
    size_t most = left(&ahead) < LOCATION_MAX ? left(&ahead) : LOCATION_MAX;
    const char *close = memchr(ahead.at, ']', most);
    if (blanks && close && is_location(ahead.at, (size_t)(close - ahead.at))) {
        seen->location = true;
        c->at = close + 1;
    }
}

static void take_brackets(struct cursor *c, struct brackets *seen, struct log_header *out)
{
    for (int i = 0; i < FIELDS_MAX && !seen->location; i++) {
        struct cursor ahead = *c;
        size_t blanks = skip_blanks(&ahead);
        if (ahead.at == ahead.end || *ahead.at != '[')
            break;
        struct brackets before = *seen;
        struct log_header kept = *out;
        ahead.at++;
        bool taken = take_bracket(&ahead, seen, out);
        /* Behind a blank only the location and the agent's mark belong to the header. */
        if (!taken || (blanks && i && !(seen->location && !before.location) &&
                       !(seen->agent && !before.agent))) {
            *seen = before;
            *out = kept;
            break;
        }
        *c = ahead;
    }
    if (!seen->location && (seen->time || seen->level))
        take_bare_location(c, seen);
}

static bool finish_brackets(struct cursor *c, const struct brackets *seen, const char *line,
                            struct log_header *out)
{
    int weak = seen->thread + seen->logger + seen->location;
    if (seen->time && !seen->level && !weak) {
        skip_blanks(c);
        bool request = c->at < c->end && *c->at == '"';
        out->kind = request ? LOG_ACCESS : LOG_OTHER;
        out->origin = request ? "access" : "text";
    } else if ((seen->level && (seen->time || weak)) || (seen->thread && seen->logger)) {
        out->kind = LOG_ENVOY;
        out->origin = seen->agent ? "agent" : "envoy";
    } else if (seen->level) {
        out->kind = LOG_OTHER;
    } else {
        return false;
    }
    skip_blanks(c);
    out->message = (size_t)(c->at - line);
    return true;
}

static bool bracket_header(struct cursor c, const char *line, struct log_header *out)
{
    struct brackets seen = {0};
    take_brackets(&c, &seen, out);
    return finish_brackets(&c, &seen, line, out);
}

/* "2019-02-01 17:37:09.690][1][warning][upstream] ...": the first bracket was lost in copying. */
static bool broken_header(struct cursor c, const char *line, struct log_header *out)
{
    struct brackets seen = {.time = true};
    c.at++;
    take_brackets(&c, &seen, out);
    return (seen.level || seen.thread) && finish_brackets(&c, &seen, line, out);
}

/* ---- columns: Istio, Consul, and other programs that begin with a time ---- */

/* "envoy config[ file:line]" behind the level. */
static bool envoy_scope(struct cursor *c, struct log_header *out)
{
    struct cursor ahead = *c;
    const char *word;
    if (!at_text(&ahead, "envoy "))
        return false;
    ahead.at += strlen("envoy ");
    size_t len = take_word(&ahead, &word);
    if (len == 0 || (ahead.at < ahead.end && !is_blank(*ahead.at)))
        return false;
    set_logger(out, word, len);
    *c = ahead;
    skip_blanks(&ahead);
    const char *place = ahead.at;
    while (ahead.at < ahead.end && !is_blank(*ahead.at))
        ahead.at++;
    if (is_location(place, (size_t)(ahead.at - place)))
        *c = ahead;
    skip_blanks(c);
    return true;
}

/* A component's name between the level and the message: it ends in a tab or more than one blank. */
static void scope(struct cursor *c, struct log_header *out)
{
    struct cursor ahead = *c;
    const char *word;
    size_t len = take_word(&ahead, &word);
    const char *behind = ahead.at;
    size_t blanks = skip_blanks(&ahead);
    if (len == 0 || len >= sizeof out->logger || ahead.at == ahead.end)
        return;
    if (blanks > 1 || (blanks == 1 && *behind == '\t')) {
        set_logger(out, word, len);
        *c = ahead;
    }
}

static bool columns_header(struct cursor c, const char *line, bool utc, struct log_header *out)
{
    const char *word;
    size_t blanks = skip_blanks(&c);
    bool tab = blanks && c.at[-1] == '\t';
    size_t len = take_word(&c, &word);
    if (!set_level(out, word, len) || (c.at < c.end && !is_blank(*c.at)))
        return false;
    bool lower = is_lower(*word);
    tab |= c.at < c.end && *c.at == '\t';
    blanks = skip_blanks(&c);
    if (lower && envoy_scope(&c, out)) {
        out->kind = LOG_ISTIO;
        out->origin = "envoy";
    } else {
        bool istio = utc && lower && (tab || blanks > 1);
        out->kind = istio ? LOG_ISTIO : LOG_OTHER;
        out->origin = istio ? "istio" : "text";
        scope(&c, out);
    }
    out->message = (size_t)(c.at - line);
    return true;
}

/* "[warning] envoy.main(15) message", "[INFO]  consul-dataplane.metrics: message" */
static bool level_in_brackets(struct cursor c, const char *line, struct log_header *out)
{
    const char *word;
    skip_blanks(&c);
    if (c.at == c.end || *c.at++ != '[')
        return false;
    size_t len = take_word(&c, &word);
    if (!set_level(out, word, len) || c.at == c.end || *c.at++ != ']')
        return false;
    skip_blanks(&c);
    struct cursor name = c;
    out->kind = LOG_OTHER;
    len = take_word(&name, &word);
    bool envoy = len > strlen("envoy.") && memcmp(word, "envoy.", strlen("envoy.")) == 0;
    bool consul = len >= strlen("consul") && memcmp(word, "consul", strlen("consul")) == 0;
    if (envoy && name.at < name.end && *name.at == '(') {
        const char *close = memchr(name.at, ')', left(&name));
        name.at = close ? close + 1 : name.at;
        word += strlen("envoy.");
        len -= strlen("envoy.");
        out->origin = "envoy";
    } else if (len && name.at < name.end && *name.at == ':') {
        name.at++;
        out->origin = consul ? "consul" : "text";
    } else {
        len = 0;
    }
    if (len) {
        out->kind = envoy || consul ? LOG_CONSUL : LOG_OTHER;
        set_logger(out, word, len);
        c = name;
        skip_blanks(&c);
    }
    out->message = (size_t)(c.at - line);
    return true;
}

static void skip_second_zone(struct cursor *c) /* Consul dataplane prints "Z+00:00" */
{
    if (left(c) >= 6 && (*c->at == '+' || *c->at == '-') && is_digit(c->at[1]) && c->at[3] == ':')
        c->at += 6;
}

static bool time_header(struct cursor c, const char *line, struct log_header *out)
{
    int64_t time;
    const char *start = c.at;
    if (!take_time(&c, &time) || c.at == c.end)
        return false;
    out->time = time;
    out->zoned = clock_zoned(start, (size_t)(c.at - start));
    bool utc = c.at[-1] == 'Z';
    skip_second_zone(&c);
    if (c.at < c.end && *c.at == ']')
        return broken_header(c, line, out);
    if (c.at < c.end && !is_blank(*c.at))
        return false;
    struct log_header plain = *out;
    if (columns_header(c, line, utc, out))
        return true;
    *out = plain;
    if (level_in_brackets(c, line, out))
        return true;
    *out = plain;
    skip_blanks(&c);
    bool request = c.at < c.end && *c.at == '"';
    out->kind = request ? LOG_ACCESS : LOG_OTHER;
    out->origin = request ? "access" : "text";
    out->message = (size_t)(c.at - line);
    return true;
}

/* ---- other programs ---- */

/* "I1127 20:08:07.746641       1 virtualnode.go:338] message" */
static bool klog_header(struct cursor c, const char *line, struct log_header *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char letters[] = "IWEF";
    static const char *const levels[] = {"info", "warning", "error", "critical"};
    char text[32];
    const char *letter = memchr(letters, *c.at, 4);
    if (!letter || left(&c) < 22 || !is_all(c.at + 1, 4, is_digit) || c.at[5] != ' ')
        return false;
    int month = (c.at[1] - '0') * 10 + c.at[2] - '0';
    const char *close = memchr(c.at, ']', left(&c) < LOCATION_MAX ? left(&c) : LOCATION_MAX);
    if (month < 1 || month > 12 || !close)
        return false;
    memcpy(text, months + 3 * (month - 1), 3);
    text[3] = ' ';
    memcpy(text + 4, c.at + 3, 18);
    text[4] = c.at[3] == '0' ? ' ' : c.at[3];
    if (!clock_parse(text, 22, &out->time))
        return false;
    set_text(out->level, sizeof out->level, levels[letter - letters],
             strlen(levels[letter - letters]));
    c.at = close + 1;
    skip_blanks(&c);
    out->kind = LOG_OTHER;
    out->message = (size_t)(c.at - line);
    return true;
}

static bool logfmt_value(const struct cursor *c, const char *name, struct cursor *value)
{
    const char *found = memmem(c->at, left(c), name, strlen(name));
    if (!found || (found > c->at && found[-1] != ' '))
        return false;
    value->at = found + strlen(name);
    bool quoted = value->at < c->end && *value->at == '"';
    value->at += quoted;
    size_t most = (size_t)(c->end - value->at);
    const char *stop = memchr(value->at, quoted ? '"' : ' ', most);
    value->end = stop ? stop : c->end;
    return true;
}

/* time="2018-08-23T03:09:05.925621539Z" level=error msg="..." */
static bool logfmt_header(struct cursor c, const char *line, struct log_header *out)
{
    struct cursor value;
    if (!at_text(&c, "time=") && !at_text(&c, "level=") && !at_text(&c, "ts="))
        return false;
    if (!logfmt_value(&c, "level=", &value) || !set_level(out, value.at, left(&value)))
        return false;
    if (logfmt_value(&c, "time=", &value) || logfmt_value(&c, "ts=", &value))
        out->zoned = clock_zoned(value.at, clock_parse(value.at, left(&value), &out->time));
    out->kind = LOG_OTHER;
    out->message = logfmt_value(&c, "msg=", &value) ? (size_t)(value.at - line) : 0;
    return true;
}

/* "GET /healthz HTTP/1.1" 404 NR ..., without the time in front */
static bool request_header(struct cursor c, const char *line, struct log_header *out)
{
    size_t most = left(&c) < 8192 ? left(&c) : 8192;
    const char *close = *c.at == '"' ? memchr(c.at + 1, '"', most - 1) : NULL;
    if (!close || close - c.at < 10 || c.end - close < 4 || close[1] != ' ' || !is_digit(close[2]))
        return false;
    if (memmem(c.at, (size_t)(close - c.at), " HTTP/", 6) == NULL)
        return false;
    out->kind = LOG_ACCESS;
    out->origin = "access";
    out->message = (size_t)(c.at - line);
    return true;
}

static bool json_header(struct cursor c, const char *line, struct log_header *out)
{
    if (left(&c) < 4 || c.at[0] != '{' || c.at[1] != '"' || c.end[-1] != '}')
        return false;
    bool request = memmem(c.at, left(&c), "\"response_code\"", 15) != NULL ||
                   memmem(c.at, left(&c), "\"responseCode\"", 14) != NULL;
    out->kind = request ? LOG_ACCESS : LOG_OTHER;
    out->origin = request ? "access" : "text";
    out->message = (size_t)(c.at - line);
    return true;
}

/* "warning envoy config    StreamSecrets ...": Istio's columns, pasted without the time. */
static bool level_first(struct cursor c, const char *line, struct log_header *out)
{
    const char *word;
    size_t len = take_word(&c, &word);
    if (!is_lower(*word) || !set_level(out, word, len) || c.at == c.end || !is_blank(*c.at))
        return false;
    bool columns = *c.at == '\t';
    columns |= skip_blanks(&c) > 1;
    bool envoy = envoy_scope(&c, out);
    if (!envoy && columns)
        scope(&c, out);
    if (!out->logger[0])
        return false;
    out->kind = LOG_ISTIO;
    out->origin = envoy ? "envoy" : "istio";
    out->message = (size_t)(c.at - line);
    return true;
}

typedef bool header_fn(struct cursor c, const char *line, struct log_header *out);

bool log_shape_header(const char *line, size_t len, struct log_header *out)
{
    static header_fn *const shapes[] = {bracket_header, time_header, klog_header, logfmt_header,
                                        request_header, json_header, level_first};
    static const struct log_header none = {.origin = "text"};
    struct cursor c = {line, line + len};
    while (c.at < c.end && (is_blank(*c.at) || *c.at == '\r') && c.at - line < INDENT_MAX)
        c.at++;
    while (c.end > c.at && (c.end[-1] == '\r' || c.end[-1] == ' '))
        c.end--;
    for (size_t i = 0; i < ARRAY_LEN(shapes) && c.at < c.end; i++) {
        *out = none;
        if (shapes[i](c, line, out))
            return true;
    }
    *out = none;
    return false;
}

size_t log_shape_trim(const char *line, size_t len)
{
    static const char mark[] = "thread=";
    while (len && (is_blank(line[len - 1]) || line[len - 1] == '\r'))
        len--;
    size_t digits = 0;
    while (digits < len && is_digit(line[len - 1 - digits]))
        digits++;
    size_t tail = digits + sizeof mark - 1;
    if (digits && tail < len && memcmp(line + len - tail, mark, sizeof mark - 1) == 0 &&
        is_blank(line[len - tail - 1]))
        len -= tail;
    while (len && (is_blank(line[len - 1]) || line[len - 1] == '\r'))
        len--;
    return len;
}
