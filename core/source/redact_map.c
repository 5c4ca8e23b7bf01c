/* Source: what stands in Kubernetes Secrets. Reads JSON or YAML in portions, writes it with each
 * value of such maps replaced by a mark. Deliberately does not tell maps of other kinds in the same
 * file apart: one too many is replaced rather than one too few. */
#include "source/redact_map.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64, LINE_KEPT = 1 << 13 };

#define MARK     "[redacted:secret]"
#define NO_CHILD SIZE_MAX

struct redact_map {
    unsigned form;
    redact_sink_fn *sink;
    void *user;
    struct buf json, out; /* of this portion, after each stage */
    uint64_t replaced;
    /* JSON */
    bool in_string, escaped, dropping, has_key;
    char word[WORD_MAX], key[WORD_MAX]; /* of the string at hand; of the member at hand */
    size_t word_len;
    int depth, map_depth; /* of the map whose values are secret; 0: in none */
    /* YAML */
    char line[LINE_KEPT];
    size_t len;
    bool long_line, drop_rest; /* the end of a line that is longer than is kept */
    bool inside, literal;      /* in such a map; in a block scalar of it */
    size_t base, child; /* indentation of the map's name, and of its keys; NO_CHILD: none yet */
};

/* ---- whether there is a Secret ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Names are quoted in JSON, and by some writers of YAML: what stands in front of the name tells. */
static unsigned form_of_quoted(const char *text, const char *name)
{
    while (name > text && strchr(" \t\r\n\\\"'", name[-1]) && name[-1])
        name--;
    if (name == text)
        return REDACT_MAP_JSON | REDACT_MAP_YAML;
    return name[-1] && strchr("{}[],", name[-1]) ? REDACT_MAP_JSON : REDACT_MAP_YAML;
}

/* What stands behind the word `kind` at NAME. */
static unsigned form_behind(const char *text, const char *name, const char *end)
{
    const char *at = name + 4;
    bool quoted = false;
    while (at < end && (*at == '\\' || *at == '"' || *at == '\'')) {
        quoted = true;
        at++;
    }
    while (at < end && is_blank(*at))
        at++;
    if (at == end || *at != ':')
        return REDACT_MAP_NONE;
    at++;
    while (at < end && strchr(" \t\r\n\\\"'", *at) && *at)
        at++;
    if (end - at < 6 || memcmp(at, "Secret", 6) != 0)
        return REDACT_MAP_NONE;
    at += 6;
    if (end - at >= 4 && memcmp(at, "List", 4) == 0)
        at += 4;
    if (at < end && (unsigned char)*at > ' ' && !strchr("\\\"',}#", *at))
        return REDACT_MAP_NONE;
    return quoted ? form_of_quoted(text, name) : REDACT_MAP_YAML;
}

unsigned redact_map_form(const char *text, size_t len)
{
    unsigned found = REDACT_MAP_NONE;
    const char *end = text + len;
    for (const char *at = text; (at = memmem(at, (size_t)(end - at), "kind", 4)); at += 4)
        found |= form_behind(text, at, end);
    return found;
}

/* ---- both forms ---- */

struct redact_map *redact_map_new(unsigned form, redact_sink_fn *sink, void *user)
{
    struct redact_map *map = xcalloc(1, sizeof *map);
    map->form = form;
    map->sink = sink;
    map->user = user;
    buf_init(&map->json, SIZE_MAX / 2);
    buf_init(&map->out, SIZE_MAX / 2);
    return map;
}

void redact_map_free(struct redact_map *map)
{
    buf_release(&map->json);
    buf_release(&map->out);
    free(map);
}

static bool is_map(const char *name)
{
    return strcmp(name, "data") == 0 || strcmp(name, "stringData") == 0;
}

/* The object once more, as text. */
static bool is_copy(const char *name)
{
    return strcmp(name, "kubectl.kubernetes.io/last-applied-configuration") == 0;
}

static void put_mark(struct redact_map *map, struct buf *out, const char *mark)
{
    buf_adds(out, mark);
    map->replaced++;
}

/* ---- JSON ---- */

static void end_string(struct redact_map *map)
{
    map->in_string = false;
    if (map->dropping)
        put_mark(map, &map->json, MARK);
    map->dropping = false;
    map->word[map->word_len < WORD_MAX ? map->word_len : 0] = '\0';
}

static void take_in_string(struct redact_map *map, char c)
{
    if (c == '\n' && !map->dropping) { /* of YAML: no string of JSON goes on */
        map->in_string = map->escaped = false;
        buf_addch(&map->json, c);
        return;
    }
    if (!map->escaped && c == '"') {
        end_string(map);
        buf_addch(&map->json, c);
        return;
    }
    map->escaped = !map->escaped && c == '\\';
    if (map->word_len < WORD_MAX)
        map->word[map->word_len++] = c;
    if (!map->dropping)
        buf_addch(&map->json, c);
}

static void take_outside(struct redact_map *map, char c)
{
    buf_addch(&map->json, c);
    if (c == '"') {
        map->in_string = true;
        map->word_len = 0;
        map->dropping = map->has_key && (map->map_depth || is_copy(map->key));
    } else if (c == ':') {
        memcpy(map->key, map->word, WORD_MAX);
        map->has_key = true;
    } else if (c == '{' || c == '[') {
        map->depth++;
        if (c == '{' && map->has_key && !map->map_depth && is_map(map->key))
            map->map_depth = map->depth;
        map->has_key = false;
    } else if (c == '}' || c == ']') {
        if (map->depth == map->map_depth)
            map->map_depth = 0;
        map->depth -= map->depth > 0;
        map->has_key = false;
    } else if (c == ',') {
        map->has_key = false;
    }
}

/* ---- YAML ---- */

/* Where the key of a line begins, behind blanks and the dashes of a list. */
static size_t indent_of(const char *line, size_t len)
{
    size_t at = 0;
    while (at < len &&
           (line[at] == ' ' || (line[at] == '-' && at + 1 < len && line[at + 1] == ' ')))
        at++;
    return at;
}

/* How long the key at the beginning of TEXT is, its colon not included; 0: none is there. */
static size_t key_len(const char *text, size_t len)
{
    size_t i = 0;
    if (len && (*text == '"' || *text == '\'')) /* whose own colons are part of it */
        for (i = 1; i < len && text[i] != *text;)
            i += 1 + (text[i] == '\\');
    for (; i < len; i++)
        if (text[i] == ':' && (i + 1 == len || text[i + 1] == ' ' || text[i + 1] == '\r'))
            return i;
    return 0;
}

static bool is_empty(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len && (is_blank(text[at]) || text[at] == '\r'))
        at++;
    return at == len || text[at] == '#';
}

/* "key: value", KEY_END behind the colon: the value goes. */
static void put_entry(struct redact_map *map, const char *line, size_t len, size_t key_end)
{
    size_t value = key_end;
    while (value < len && is_blank(line[value]))
        value++;
    map->literal = value < len && strchr("|>", line[value]);
    map->drop_rest = !map->literal && !is_empty(line + key_end, len - key_end);
    buf_add(&map->out, line, map->drop_rest ? key_end : len);
    if (map->drop_rest)
        put_mark(map, &map->out, " \"" MARK "\"");
}

static void take_inner_line(struct redact_map *map, const char *line, size_t len, size_t indent)
{
    size_t key = key_len(line + indent, len - indent);
    if (map->child == NO_CHILD)
        map->child = indent;
    if (key && indent <= map->child) {
        put_entry(map, line, len, indent + key + 1);
        return;
    }
    map->drop_rest = true;
    if (!map->literal) /* goes on from the line before, whose value is replaced */
        return;
    buf_add(&map->out, line, indent);
    put_mark(map, &map->out, MARK);
}

static void take_outer_line(struct redact_map *map, const char *line, size_t len, size_t indent)
{
    char name[WORD_MAX] = "";
    size_t key = key_len(line + indent, len - indent), end = indent + key + 1;
    bool quoted = key > 2 && (line[indent] == '"' || line[indent] == '\'');
    if (key && key < sizeof name)
        memcpy(name, line + indent + quoted, key - 2 * quoted);
    if (!is_map(name) && !is_copy(name)) {
        buf_add(&map->out, line, len);
        return;
    }
    map->inside = true;
    map->base = indent;
    map->child = is_copy(name) ? indent : NO_CHILD; /* a copy has no keys of its own */
    put_entry(map, line, len, end);
}

static void take_line(struct redact_map *map)
{
    const char *line = map->line;
    size_t indent = indent_of(line, map->len);
    bool blank = is_empty(line + indent, map->len - indent);
    map->drop_rest = false;
    if (map->inside && !blank && indent <= map->base)
        map->inside = map->literal = false;
    if (blank)
        buf_add(&map->out, line, map->len);
    else if (map->inside)
        take_inner_line(map, line, map->len, indent);
    else
        take_outer_line(map, line, map->len, indent);
    map->len = 0;
}

static void take_in_line(struct redact_map *map, char c)
{
    if (c == '\n') {
        if (!map->long_line)
            take_line(map);
        buf_addch(&map->out, c);
        map->long_line = false;
    } else if (map->long_line) {
        if (!map->drop_rest)
            buf_addch(&map->out, c);
    } else {
        map->line[map->len++] = c;
        map->long_line = map->len == LINE_KEPT;
        if (map->long_line)
            take_line(map);
    }
}

/* ---- portions ---- */

static bool flush(struct redact_map *map)
{
    bool taken = map->out.len == 0 || map->sink(map->user, map->out.data, map->out.len);
    buf_clear(&map->out);
    return taken;
}

static void take_json(struct redact_map *map, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (map->in_string)
            take_in_string(map, bytes[i]);
        else
            take_outside(map, bytes[i]);
}

static void take_yaml(struct redact_map *map, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        take_in_line(map, bytes[i]);
}

bool redact_map_feed(struct redact_map *map, const char *bytes, size_t len)
{
    if (map->form == REDACT_MAP_NONE)
        return map->sink(map->user, bytes, len);
    if (map->form & REDACT_MAP_JSON)
        take_json(map, bytes, len);
    else
        buf_add(&map->json, bytes, len);
    if (map->form & REDACT_MAP_YAML)
        take_yaml(map, buf_str(&map->json), map->json.len);
    else
        buf_add(&map->out, buf_str(&map->json), map->json.len);
    buf_clear(&map->json);
    return flush(map);
}

bool redact_map_end(struct redact_map *map, uint64_t *replaced)
{
    if ((map->form & REDACT_MAP_YAML) && map->len)
        take_line(map);
    *replaced = map->replaced;
    return flush(map);
}
