/* Stage: read. A JSON document inside a pasted text: where it ends, and its text. Joins strings that a
 * terminal or a mail program has wrapped, and drops what pagers and people put between the lines. Reads
 * lines, writes a region. Deliberately does not parse: that is the reader's work, and its errors are to be said. */
#include "base/alloc.h"
#include "base/json_relax.h"
#include "read/paste.h"
#include <ctype.h>
#include <string.h>

enum { WRAP_LINES = 40, MAIL_WIDTH = 78 };

struct walk {
    struct paste *paste;
    struct region *out;
    struct buf text;
    int depth;
    bool string, escaped;
    bool comment;        /* between slash-star and star-slash, which may be lines apart */
    bool python;         /* its strings are in single quotes, as Python prints dictionaries */
    char quote;          /* of the present string */
    size_t wrapped;      /* line ends inside of the present string */
    size_t widest, full; /* of the lines around, and how many of them are as long */
};

/* A word of JSON: "true", "-1.5e3", and nothing glued to it. */
static bool is_word(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && (isalnum((unsigned char)*at) || strchr("+-._", *at)))
        at++;
    size_t len = (size_t)(at - from);
    if (at < end && !strchr(",]} \t", *at))
        return false;
    if (isalpha((unsigned char)*from))
        return (len == 4 && memcmp(from, "true", 4) == 0) ||
               (len == 4 && memcmp(from, "null", 4) == 0) ||
               (len == 5 && memcmp(from, "false", 5) == 0);
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at == end || strchr(",]}", *at) != NULL;
}

/* Whether the line may stand inside of an object or a list. */
static bool fits(const char *at, size_t len)
{
    const char *end = at + len;
    if (!len || strchr("{}\"],", *at) || paste_is_gap(at, len) || paste_is_pager(at, len))
        return true;
    if (*at == '[')
        return !paste_is_log(at, len);
    if (*at == ':')
        return len > 1;
    if (*at == '/')
        return len > 1 && (at[1] == '/' || at[1] == '*');
    return (isalnum((unsigned char)*at) || *at == '-') && is_word(at, end);
}

static void add_gap(struct walk *walk)
{
    const char *text = buf_str(&walk->text);
    size_t len = walk->text.len;
    while (len && strchr(" \n", text[len - 1]))
        len--;
    buf_adds(&walk->text, len && text[len - 1] == ':' ? "null" : "   ");
    walk->out->gaps = true;
}

/* A character of a string; a string of Python's becomes one of JSON's. */
static void take_char(struct walk *walk, const char *at, size_t left)
{
    char c = *at;
    bool closes = !walk->escaped && c == walk->quote;
    bool quote = walk->quote == '\'';
    if (quote && c == '\\' && left > 1 && at[1] == '\'' && !walk->escaped) {
        walk->escaped = true; /* JSON does not escape it */
        return;
    }
    if (quote && c == '"' && !walk->escaped)
        buf_addch(&walk->text, '\\');
    buf_addch(&walk->text, closes ? '"' : c);
    walk->string = !closes;
    walk->escaped = !walk->escaped && c == '\\';
    for (; closes && walk->wrapped; walk->wrapped--)
        buf_addch(&walk->text, '\n'); /* so that what follows keeps its line */
}

/* True, None, datetime.datetime(2026, 11, 21): returns how long it is. */
static size_t take_python(struct walk *walk, const char *at, size_t len)
{
    size_t word = 0, depth = 0;
    while (word < len && (isalpha((unsigned char)at[word]) || strchr("._", at[word])))
        word++;
    bool yes = word == 4 && memcmp(at, "True", 4) == 0;
    bool no = word == 5 && memcmp(at, "False", 5) == 0;
    if (word < len && at[word] == '(')
        do
            depth += (at[word] == '(') - (at[word] == ')');
        while (++word < len && depth);
    buf_adds(&walk->text, yes ? "true" : no ? "false" : "null");
    return word;
}

/* Comments stay in the text: its reader says that they were there. Returns how much of them is taken. */
static size_t take_comment(struct walk *walk, const char *at, size_t len)
{
    const char *shut = walk->comment || (len > 1 && at[1] == '*') ? memmem(at, len, "*/", 2) : NULL;
    size_t used = shut ? (size_t)(shut + 2 - at) : len;
    walk->comment = !shut && (walk->comment || at[1] == '*');
    buf_add(&walk->text, at, used);
    return used;
}

/* One line into the text; returns how much of it belongs to the document. */
static size_t take_line(struct walk *walk, const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = at[i];
        bool begins = !walk->string && c == '/' && len - i > 1 && strchr("/*", at[i + 1]);
        if (walk->comment || begins) {
            i += take_comment(walk, at + i, len - i) - 1;
            continue;
        }
        if (walk->string) {
            take_char(walk, at + i, len - i);
            continue;
        }
        if (len - i >= 3 && memcmp(at + i, "...", 3) == 0) {
            add_gap(walk);
            i += 2;
            continue;
        }
        if (walk->python && isalpha((unsigned char)c)) {
            i += take_python(walk, at + i, len - i) - 1;
            continue;
        }
        walk->string = c == '"' || (c == '\'' && walk->python);
        walk->quote = c;
        buf_addch(&walk->text, walk->string ? '"' : c);
        walk->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (walk->depth == 0)
            return i + 1;
    }
    return len;
}

/* The line ends inside of a string. Where a terminal cut it, lines are as long as it is wide and nothing is
 * lost; a mail program has cut at a blank, before its own width. */
static void wrap(struct walk *walk, size_t len)
{
    bool full = len == walk->widest && (walk->full > 1 || len > MAIL_WIDTH);
    if (!full && walk->text.len && walk->text.data[walk->text.len - 1] != ' ')
        buf_addch(&walk->text, ' ');
    walk->wrapped++;
}

static bool goes_on(const struct walk *walk, const struct paste_line *line, const char *at,
                    size_t len)
{
    if (line->kind == PASTE_COMMAND || line->kind == PASTE_FENCE || line->kind == PASTE_TAKEN)
        return false;
    if (walk->comment)
        return true;
    if (walk->string)
        return walk->wrapped < WRAP_LINES && len && !paste_is_log(at, len);
    return fits(at, len) || (walk->python && (*at == '\'' || isalpha((unsigned char)*at)));
}

static void look_at_widths(struct walk *walk, size_t line)
{
    size_t from = line < WRAP_LINES ? 0 : line - WRAP_LINES;
    walk->widest = walk->full = 0;
    for (size_t i = from; i < walk->paste->text.len && i < line + WRAP_LINES; i++) {
        size_t len = walk->paste->text.lines[i].len;
        walk->full = len > walk->widest ? 1 : walk->full + (len == walk->widest);
        walk->widest = len > walk->widest ? len : walk->widest;
    }
}

/* The next line; false when the document is over, or broken off. */
static bool step(struct walk *walk, size_t index)
{
    struct paste_line *line = &walk->paste->text.lines[index];
    size_t len, width = line->len - line->lead;
    const char *at = paste_content(line, &len), *raw = line->text + line->lead;
    if (index > walk->out->first && !goes_on(walk, line, at, len))
        return false;
    walk->out->end = index + 1;
    bool noise = !walk->string && (paste_is_gap(at, len) || paste_is_pager(at, len));
    if (noise)
        walk->out->gaps |= paste_is_gap(at, len);
    bool inside = walk->string; /* blanks in front of a string's rest are its own, or an indent */
    size_t used = noise ? 0 : take_line(walk, inside ? raw : at, inside ? width : len);
    if (walk->depth == 0) {
        walk->out->merged = !paste_is_blank(at + used, len - used);
        return false;
    }
    if (!walk->string) {
        buf_addch(&walk->text, '\n');
        return true;
    }
    if (!walk->wrapped)
        look_at_widths(walk, index);
    wrap(walk, line->len);
    return true;
}

/* '{' and a name, '[' and an object, on this line or the next ones. */
static bool begins(const struct paste *paste, size_t line)
{
    size_t len;
    const char *at = paste_content(&paste->text.lines[line], &len);
    char open = len ? *at : '\0';
    if (open != '{' && open != '[')
        return false;
    for (int seen = 0; seen < 3 && line < paste->text.len; seen++) {
        size_t skip = seen ? 0 : 1;
        while (skip < len && (at[skip] == ' ' || at[skip] == '\t'))
            skip++;
        if (skip < len)
            return open == '{' ? at[skip] == '"' || at[skip] == '\'' : at[skip] == '{';
        if (++line < paste->text.len)
            at = paste_content(&paste->text.lines[line], &len);
    }
    return false;
}

/* Behind the first brace comes a single quote. */
static bool is_python(const struct paste *paste, size_t line)
{
    for (size_t i = line; i < paste->text.len && i < line + 3; i++) {
        size_t len;
        const char *at = paste_content(&paste->text.lines[i], &len), *end = at + len;
        while (at < end && strchr("{[ ", *at))
            at++;
        if (at < end)
            return *at == '\'';
    }
    return false;
}

bool paste_find_json(struct paste *paste, size_t line, struct region *out)
{
    struct walk walk = {.paste = paste, .out = out};
    if (!begins(paste, line))
        return false;
    *out = (struct region){.first = line, .end = line};
    walk.python = is_python(paste, line);
    buf_init(&walk.text, paste->head_len + 64);
    size_t at = line;
    while (at < paste->text.len && step(&walk, at))
        at++;
    out->cut = walk.depth != 0;
    out->len = walk.text.len;
    out->text = buf_take(&walk.text);
    if (out->gaps && out->text)
        json_relax(out->text, out->len); /* a comma stands before what was left out */
    return out->len && (!out->cut || paste->whole || at < paste->text.len);
}
