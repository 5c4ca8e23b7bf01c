/* Stage: report. Puts texts into Markdown as data. Words that Markdown, or the sites that render it, would
 * act upon (emphasis, links, mentions, numbers of issues, HTML) become code, which nobody acts upon and
 * everybody can copy; so no escapes stand in the way of reading the source. */
#include "report/markdown_text.h"
#include "base/str.h"
#include "report/layout.h"
#include <string.h>
#include <strings.h>

#define TEXT_MAX (1u << 20)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
    return is_lower(c) || is_upper(c);
}

static bool is_alnum(char c)
{
    return is_digit(c) || is_letter(c);
}

static void clean(struct buf *out, const char *text, bool keep_lines, size_t cap)
{
    static const struct report_style style = {.unicode = true};
    const struct layout layout = {NULL, &style};
    buf_init(out, TEXT_MAX);
    layout_clean(&layout, out, text, keep_lines, cap);
}

static size_t longest_run(const char *text, size_t len, char of)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < len; i++) {
        run = text[i] == of ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void repeat(struct buf *out, char c, size_t count)
{
    while (count--)
        buf_addch(out, c);
}

/* Punctuation marks as references: in HTML those that it would act upon, in a cell all of them, because
 * Markdown looks between tags too. */
static void add_references(struct buf *out, enum markdown_place place, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool plain = is_alnum(text[i]) || text[i] == ' ' || (unsigned char)text[i] >= 0x80;
        if (plain || (place == MARKDOWN_HTML && !strchr("<>&", text[i])))
            buf_addch(out, text[i]);
        else
            buf_addf(out, "&#%d;", text[i]);
    }
}

/* A bar ends a cell even in code, and no escape helps where a backslash is before it. */
static void add_code(struct buf *out, enum markdown_place place, const char *text, size_t len)
{
    if (place == MARKDOWN_HTML || (place == MARKDOWN_CELL && memchr(text, '|', len))) {
        buf_adds(out, "<code>");
        add_references(out, place, text, len);
        buf_adds(out, "</code>");
        return;
    }
    size_t fence = longest_run(text, len, '`') + 1;
    bool pad = len && (text[0] == '`' || text[len - 1] == '`');
    repeat(out, '`', fence);
    buf_adds(out, pad ? " " : "");
    buf_add(out, text, len);
    buf_adds(out, pad ? " " : "");
    repeat(out, '`', fence);
}

/* ":8080" between digits is a time or a port; else a colon may begin an emoji or a link. */
static bool is_active(const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char before = i ? word[i - 1] : 0, after = i + 1 < len ? word[i + 1] : 0;
        if (word[i] == ':' && !(is_digit(before) && is_digit(after)))
            return true;
        if (strchr("\\`*_[]<>#|~&@$^", word[i]))
            return true;
    }
    return len >= 4 && strncasecmp(word, "www.", 4) == 0;
}

/* Names that are no words of a language, though Markdown minds none of their characters: "linuxParameters",
 * "capabilities.add", "--proxy-uid". They are shown as the names with underscores beside them are. */
static bool is_name(const char *word, size_t len)
{
    if (len > 3 && strncmp(word, "--", 2) == 0 && is_alnum(word[2]))
        return true;
    if (len > 1 && *word == '/' && is_alnum(word[1]))
        return true;
    for (size_t i = 2; i + 1 < len; i++) {
        bool hump = is_upper(word[i]) && is_lower(word[i - 1]) && is_lower(*word);
        bool dot = word[i] == '.' && is_lower(word[i - 1]) && is_lower(word[i - 2]) &&
                   is_letter(word[i + 1]);
        if (hump || dot)
            return true;
    }
    return false;
}

/* Bytes of a value behind "name: ", where NAME is written in code: "true", "0s", "V4_ONLY". */
static size_t value_len(const char *text)
{
    size_t len = strcspn(text, " "), mark = len;
    while (mark && strchr(".,;)", text[mark - 1]))
        mark--;
    for (size_t i = 0; i < mark; i++)
        if (!is_digit(text[i]) && !is_upper(text[i]) && text[i] != '_' &&
            !(is_digit(*text) && is_lower(text[i])))
            return (mark == 4 && strncmp(text, "true", 4) == 0) ||
                           (mark == 5 && strncmp(text, "false", 5) == 0)
                       ? mark
                       : 0;
    return mark > 1 || is_digit(*text) ? mark : 0;
}

/* What makes a list or a rule of a line that it begins: "-", "+", "---", "12." */
static bool is_mark(const char *word, size_t len)
{
    size_t digits = 0;
    while (digits < len && is_digit(word[digits]))
        digits++;
    return strspn(word, "-+=") >= len ||
           (digits && digits + 1 == len && strchr(".)", word[digits]));
}

/* The word of LEN bytes; returns how much was written, which is more when it is the name of a value. */
static size_t add_word(struct buf *out, enum markdown_place place, const char *word, size_t len)
{
    size_t from = 0, to = len;
    while (from < len && strchr("(\"'", word[from]))
        from++;
    while (to > from && strchr(".,;:)\"'?", word[to - 1]))
        to--;
    if (to == from) { /* marks only */
        from = 0;
        to = len > 1 && strchr(".,;", word[len - 1]) ? len - 1 : len;
    }
    bool active = is_active(word + from, to - from);
    if (!active && !is_name(word + from, to - from)) {
        buf_add(out, word, len);
        return len;
    }
    if (to + 1 == len && word[to] == ':' && word[len] == ' ') {
        const char *next = word + len + 1;
        size_t value = value_len(next);
        to = value ? len + 1 + value : to;
        len += value ? 1 + strcspn(next, " ") : 0;
    }
    buf_add(out, word, from);
    add_code(out, place, word + from, to - from);
    buf_add(out, word + to, len - to);
    return len;
}

void markdown_add(struct buf *out, enum markdown_place place, const char *text, size_t cap)
{
    struct buf words;
    clean(&words, text, false, cap);
    const char *at = buf_str(&words);
    bool first = true;
    for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        buf_adds(out, first ? "" : " ");
        if (first && is_mark(at, len))
            add_code(out, place, at, len);
        else
            len = add_word(out, place, at, len);
        at += len;
        first = false;
    }
    buf_release(&words);
}

void markdown_code(struct buf *out, enum markdown_place place, const char *text, size_t cap)
{
    struct buf code;
    clean(&code, text, false, cap);
    const char *at = buf_str(&code);
    at += strspn(at, " ");
    if (*at)
        add_code(out, place, at, strlen(at));
    buf_release(&code);
}

void markdown_fence(struct buf *out, int indent, const char *info, const char *text, size_t cap)
{
    struct buf code;
    clean(&code, text, true, cap);
    const char *at = buf_str(&code), *end = at + code.len;
    size_t fence = longest_run(at, code.len, '`') + 1;
    fence = fence < 3 ? 3 : fence;
    while (end > at && end[-1] == '\n')
        end--;
    repeat(out, ' ', (size_t)indent);
    repeat(out, '`', fence);
    buf_addf(out, "%s\n", info);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if (stop > at)
            repeat(out, ' ', (size_t)indent);
        buf_add(out, at, (size_t)(stop - at));
        buf_addch(out, '\n');
        at = stop + 1;
    }
    repeat(out, ' ', (size_t)indent);
    repeat(out, '`', fence);
    buf_addch(out, '\n');
    buf_release(&code);
}

void markdown_link(struct buf *out, const char *url, size_t cap)
{
    static const char marks[] = "-._~:/?#@!$&'()*+,;=%";
    bool web = str_starts(url, "https://") || str_starts(url, "http://");
    for (const char *at = url; *at; at++)
        web = web && (is_alnum(*at) || strchr(marks, *at));
    if (web && (!cap || strlen(url) <= cap))
        buf_addf(out, "<%s>", url);
    else
        markdown_add(out, MARKDOWN_LINE, url, cap);
}
