/* Stage: read. The first bytes of a source, prepared for recognition: their shape, and the names at the
 * top of a JSON or YAML document. Reads memory only. Decides nothing about kinds. */
#include "read/peek.h"
#include "base/alloc.h"
#include "base/str.h"
#include <string.h>

enum { YAML_LINES_MAX = 400 };

struct line {
    const char *text;
    size_t len; /* without the line end */
};

/* The line at *AT; false at the end. */
static bool next_line(const char **at, const char *end, struct line *line)
{
    if (*at >= end)
        return false;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    line->text = *at;
    line->len = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : end;
    while (line->len && line->text[line->len - 1] == '\r')
        line->len--;
    return true;
}

static bool line_starts(const struct line *line, const char *prefix)
{
    size_t len = strlen(prefix);
    return line->len >= len && memcmp(line->text, prefix, len) == 0;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
        at++;
    return at;
}

/* ---- JSON ---- */

static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

static void add_key(struct peek *peek, struct arena *arena, const char *text, size_t len)
{
    size_t count = 0;
    while (count < ARRAY_LEN(peek->keys) && peek->keys[count])
        count++;
    if (count + 1 < ARRAY_LEN(peek->keys))
        peek->keys[count] = arena_strndup(arena, text, len);
}

/* AT is behind the '{' of the object whose names are wanted. */
static void find_json_keys(struct peek *peek, struct arena *arena, const char *at, const char *end)
{
    int depth = 1;
    bool want = true;
    while (at < end && depth > 0) {
        if (*at == '"') {
            const char *stop = skip_string(at, end);
            if (want && depth == 1 && stop < end && (size_t)(stop - at) < 256)
                add_key(peek, arena, at + 1, (size_t)(stop - at) - 2);
            want = false;
            at = stop;
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        want |= *at == ',' && depth == 1;
        at++;
    }
}

/* Whether '[' at AT begins a list and not a log line's time. */
static bool is_json_array(const char *at, const char *end)
{
    at = skip_blanks(at + 1, end);
    if (at == end || *at == '{' || *at == '"' || *at == ']')
        return true;
    if (*at == '[') {
        at = skip_blanks(at + 1, end);
        return at < end && (*at == '{' || *at == '"' || *at == ']' || *at == '[');
    }
    const char *number = at;
    while (at < end && ((*at >= '0' && *at <= '9') || *at == '.' || *at == '-'))
        at++;
    const char *behind = skip_blanks(at, end);
    return at > number && behind < end && *behind == ',';
}

static bool look_for_json(struct peek *peek, struct arena *arena)
{
    const char *end = peek->text + peek->len, *at = skip_blanks(peek->text, end);
    if (at < end && *at == '{') {
        peek->shape = PEEK_JSON_OBJECT;
        find_json_keys(peek, arena, at + 1, end);
        return true;
    }
    if (at == end || *at != '[' || !is_json_array(at, end))
        return false;
    peek->shape = PEEK_JSON_ARRAY;
    at = skip_blanks(at + 1, end);
    if (at < end && *at == '{')
        find_json_keys(peek, arena, at + 1, end);
    return true;
}

/* ---- YAML ---- */

struct yaml_line {
    size_t indent;
    bool item;         /* begins with "- " */
    struct line key;   /* "key:" on it, len 0 when none */
    struct line value; /* what follows the colon */
};

static bool key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_.$/\"'-<@", c));
}

static void find_key(struct yaml_line *out, const char *at, const char *end)
{
    const char *stop = at;
    while (stop < end && key_char(*stop))
        stop++;
    if (stop == at || stop == end || *stop != ':' || (stop + 1 < end && stop[1] != ' '))
        return;
    const char *value = skip_blanks(stop + 1, end);
    out->value = (struct line){value, (size_t)(end - value)};
    bool quoted = *at == '"' || *at == '\'';
    out->key = (struct line){at + quoted, (size_t)(stop - at) - (quoted && stop - at > 1 ? 2 : 0)};
}

static struct yaml_line look_at(const struct line *line)
{
    struct yaml_line out = {0};
    const char *at = line->text, *end = line->text + line->len;
    while (at < end && *at == ' ')
        at++;
    out.indent = (size_t)(at - line->text);
    out.item = end - at >= 2 && at[0] == '-' && at[1] == ' ';
    if (out.item)
        at = skip_blanks(at + 1, end);
    find_key(&out, at, end);
    return out;
}

static bool is_comment(const struct line *line)
{
    const char *at = skip_blanks(line->text, line->text + line->len);
    return at == line->text + line->len || *at == '#';
}

static bool has_structure(const struct yaml_line *now, const struct yaml_line *before)
{
    bool below = now->indent > before->indent || now->item;
    if (before->key.len && !before->value.len && below && (now->key.len || now->item))
        return true;
    if (line_starts(&now->key, "apiVersion") && now->value.len)
        return true;
    return now->key.len && now->value.len && strchr("{[|>&", *now->value.text);
}

/* A mapping or list whose nesting shows; flat "name: value" lines may as well be statistics. */
static bool look_for_yaml(struct peek *peek)
{
    const char *at = peek->text, *end = peek->text + peek->len;
    struct yaml_line before = {0};
    struct line line;
    bool marked = false, first = true;
    for (int i = 0; i < YAML_LINES_MAX && next_line(&at, end, &line); i++) {
        if (is_comment(&line))
            continue;
        if (line_starts(&line, "%YAML") || line_starts(&line, "---")) {
            marked = true;
            continue;
        }
        struct yaml_line now = look_at(&line);
        bool possible = !first || (now.indent == 0 && (now.key.len || now.item));
        if (!possible)
            return false;
        if (has_structure(&now, &before) || (marked && first && (now.key.len || now.item)))
            return true;
        if (!now.key.len && !now.item)
            return false;
        first = false;
        before = now;
    }
    return false;
}

static void find_yaml_keys(struct peek *peek, struct arena *arena)
{
    const char *at = peek->text, *end = peek->text + peek->len;
    struct line line;
    bool items = false, any = false;
    while (next_line(&at, end, &line)) {
        if (line_starts(&line, "---") || line_starts(&line, "...")) {
            if (any)
                return;
            continue;
        }
        struct yaml_line now = look_at(&line);
        if (is_comment(&line) || !now.key.len)
            continue;
        if (now.item && now.indent == 0 && items)
            return; /* the second element */
        items |= now.item && now.indent == 0;
        if (now.item ? now.indent == 0 : now.indent == (items ? 2u : 0u))
            add_key(peek, arena, now.key.text, now.key.len);
        any = true;
    }
}

/* ---- all together ---- */

static bool is_binary(const char *text, size_t len)
{
    size_t control = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        control += c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\b' &&
                   c != 0x1b;
    }
    return control * 20 > len;
}

void peek_init(struct peek *peek, struct arena *arena, const char *name, const char *text,
               size_t len, bool whole)
{
    char *copy = arena_alloc(arena, len + 1);
    memcpy(copy, text, len);
    *peek = (struct peek){.name = name, .text = copy, .len = len, .whole = whole};
    if (skip_blanks(peek->text, peek->text + peek->len) == peek->text + peek->len)
        peek->shape = PEEK_EMPTY;
    else if (is_binary(peek->text, peek->len))
        peek->shape = PEEK_BINARY;
    else if (look_for_json(peek, arena))
        return;
    else if (look_for_yaml(peek))
        peek->shape = PEEK_YAML;
    else
        peek->shape = PEEK_TEXT;
    if (peek->shape == PEEK_YAML)
        find_yaml_keys(peek, arena);
}

bool peek_has_key(const struct peek *peek, const char *key)
{
    for (const char *const *at = peek->keys; *at; at++)
        if (strcmp(*at, key) == 0)
            return true;
    return false;
}

bool peek_has(const struct peek *peek, const char *needle)
{
    return memmem(peek->text, peek->len, needle, strlen(needle)) != NULL;
}
