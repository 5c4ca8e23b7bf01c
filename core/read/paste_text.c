/* Stage: read. Lines of a pasted text, cleaned of what the way to us has put around them. Reads memory,
 * writes lines; what it changes it writes anew into an arena. Deliberately never adds or removes a line, so
 * that places cited are those of the file, and touches nothing that does not show on many lines. */
#include "read/paste_text.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "read/log_unwrap.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_LINES = 400,
    QUOTE_LEVELS = 8,
    NAME_MAX_LEN = 80,
    WIDTH_LEAST = 50, /* of a terminal or a mail */
    WIDTH_MOST = 240,
    MAIL_WIDTH = 100,
    JOIN_MOST = 40 /* lines */
};

bool paste_is_blank(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    return true;
}

void paste_text_init(struct paste_text *out, struct arena *arena, const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    size_t cap = 0;
    char sign = memchr(text, '\n', len) ? '\n'
                                        : '\r'; /* old Macs, and what was typed into a form */
    *out = (struct paste_text){.arena = arena, .changed = sign == '\r' && memchr(text, sign, len)};
    while (at < end) {
        const char *stop = memchr(at, sign, (size_t)(end - at));
        if (!stop)
            stop = end;
        if (out->len == cap) {
            cap = cap ? cap * 2 : 512;
            out->lines = xrealloc(out->lines, cap * sizeof *out->lines);
        }
        size_t width = (size_t)(stop - at);
        while (width && at[width - 1] == '\r')
            width--;
        out->lines[out->len++] = (struct paste_line){.text = at, .len = (uint32_t)width};
        at = stop < end ? stop + 1 : end;
    }
}

void paste_text_release(struct paste_text *text)
{
    free(text->lines);
    *text = (struct paste_text){0};
}

/* ---- characters ---- */

struct swap {
    const char *from, *to;
};

static const struct swap entities[] = {
    {"&quot;", "\""}, {"&gt;", ">"},   {"&lt;", "<"},   {"&#39;", "'"},  {"&#34;", "\""},
    {"&apos;", "'"},  {"&nbsp;", " "}, {"&#160;", " "}, {"&#x27;", "'"}, {"&amp;", "&"}};

/* Typographic signs that editors, mail programs and chats put in the place of plain ones. */
static const struct swap signs[] = {
    {"\xE2\x80\x9C", "\""}, {"\xE2\x80\x9D", "\""}, {"\xE2\x80\x9E", "\""},  {"\xE2\x80\x9F", "\""},
    {"\xE2\x80\x98", "'"},  {"\xE2\x80\x99", "'"},  {"\xE2\x80\xA6", "..."}, {"\xC2\xA0", " "},
    {"\xE2\x80\x8B", ""},   {"\xEF\xBB\xBF", ""},   {"\xE2\x80\xA8", " "}};

/* How else people see the escape sign that begins a colour. */
static const char *const escapes[] = {"^[",    "\\x1b", "\\x1B", "\\u001b",      "\\u001B",
                                      "\\033", "\\e",   "#x1B",  "\xE2\x90\x9B", "\xEF\xBF\xBD"};

/* "[33m", "[1;31m", "[0m", "[K": its length; 0 when there is none. BARE: nothing tells it from text, so it
 * must have a number. */
static size_t colour_len(const char *at, const char *end, bool bare)
{
    const char *from = at;
    if (at == end || *at++ != '[')
        return 0;
    const char *digits = at;
    while (at < end && (isdigit((unsigned char)*at) || *at == ';'))
        at++;
    if (at == end || (*at != 'm' && (bare || *at != 'K')) || at - digits > 12 ||
        (bare && at == digits))
        return 0;
    bool unit = bare && at + 1 < end && at[1] == ']'; /* rate(x[5m]) */
    return unit ? 0 : (size_t)(at + 1 - from);
}

static size_t escape_len(const char *at, const char *end)
{
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
        size_t len = strlen(escapes[i]);
        if ((size_t)(end - at) > len && memcmp(at, escapes[i], len) == 0) {
            size_t colour = colour_len(at + len, end, false);
            if (colour)
                return len + colour;
        }
    }
    return colour_len(at, end, true);
}

struct wanted { /* what there is to take off, somewhere in the text */
    bool entities, signs, colours;
};

static size_t swapped(const struct swap *swaps, size_t len, const char *at, const char *end,
                      const char **to)
{
    for (size_t i = 0; i < len; i++) {
        size_t width = strlen(swaps[i].from);
        if ((size_t)(end - at) >= width && memcmp(at, swaps[i].from, width) == 0) {
            *to = swaps[i].to;
            return width;
        }
    }
    return 0;
}

static size_t take_one(const struct wanted *wanted, const char *at, const char *end,
                       const char **to)
{
    size_t used = 0;
    *to = "";
    if (wanted->entities && *at == '&')
        used = swapped(entities, ARRAY_LEN(entities), at, end, to);
    if (!used && wanted->signs && (unsigned char)*at >= 0xC2)
        used = swapped(signs, ARRAY_LEN(signs), at, end, to);
    if (!used && wanted->colours && strchr("[^\\#\xE2\xEF", *at))
        used = escape_len(at, end);
    return used;
}

static void set_line(struct paste_text *text, struct paste_line *line, const char *now, size_t len)
{
    line->text = now;
    line->len = (uint32_t)len;
    text->changed = true;
}

static void clean_characters(struct paste_text *text, const struct wanted *wanted)
{
    for (size_t i = 0; i < text->len; i++) {
        struct paste_line *line = &text->lines[i];
        const char *at = line->text, *end = at + line->len, *to;
        while (at < end && !take_one(wanted, at, end, &to))
            at++;
        if (at == end)
            continue;
        /* nothing becomes longer than it was */
        char *copy = arena_alloc(text->arena, line->len + 1u), *out = copy;
        for (at = line->text; at < end;) {
            size_t used = take_one(wanted, at, end, &to);
            if (!used) {
                *out++ = *at++;
                continue;
            }
            memcpy(out, to, strlen(to));
            out += strlen(to);
            at += used;
        }
        set_line(text, line, copy, (size_t)(out - copy));
    }
}

static bool has_sign(const char *at, const char *end)
{
    static const char leads[] = "\xE2\xC2\xEF"; /* first bytes of the signs */
    const char *to;
    for (const char *lead = leads; *lead; lead++)
        for (const char *here = at; (here = memchr(here, *lead, (size_t)(end - here))); here++)
            if (swapped(signs, ARRAY_LEN(signs), here, end, &to))
                return true;
    return false;
}

/* A colour that ends: text that only happens to hold "[5m" has none. */
static bool has_colour(const char *at, const char *end)
{
    static const char *const resets[] = {"[0m", "[00m", "[39m", "[0;39m", "[0;0m"};
    for (; (at = memchr(at, '[', (size_t)(end - at))); at++)
        for (size_t i = 0; i < ARRAY_LEN(resets); i++)
            if ((size_t)(end - at) >= strlen(resets[i]) &&
                memcmp(at, resets[i], strlen(resets[i])) == 0)
                return true;
    return false;
}

static bool has_entities(const char *at, const char *end)
{
    const char *to;
    int found = 0;
    for (; found < 2 && (at = memchr(at, '&', (size_t)(end - at))); at++)
        found += swapped(entities, ARRAY_LEN(entities) - 1, at, end, &to) != 0; /* not for '&' */
    return found == 2;
}

/* ---- quotes ---- */

static bool is_quoted(const struct paste_line *line)
{
    size_t at = line->len && *line->text == ' ';
    if (line->len <= at || line->text[at] != '>')
        return false;
    return line->len == at + 1 || strchr(" \t>", line->text[at + 1]);
}

/* "> GET /ready HTTP/1.1": what curl says that it sends. */
static bool is_request(const struct paste_line *line)
{
    const char *at = line->text, *end = at + line->len;
    while (at < end && (*at == '>' || *at == ' '))
        at++;
    const char *method = at;
    while (at < end && isupper((unsigned char)*at))
        at++;
    return at - method >= 3 && at < end && *at == ' ' &&
           memmem(at, (size_t)(end - at), " HTTP/", 6) != NULL;
}

static void unquote(struct paste_text *text, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        struct paste_line *line = &text->lines[i];
        size_t at = *line->text == ' ' ? 2 : 1;
        at += at < line->len && line->text[at] == ' ';
        set_line(text, line, line->text + at, line->len - at);
    }
}

/* Takes one level of mail quotes off; false when there is none. */
static bool unquote_once(struct paste_text *text)
{
    bool any = false;
    for (size_t i = 0; i < text->len;) {
        size_t end = i;
        while (end < text->len && is_quoted(&text->lines[end]))
            end++;
        if (end > i && !is_request(&text->lines[i])) {
            unquote(text, i, end);
            any = true;
        }
        i = end > i ? end : i + 1;
    }
    return any;
}

/* "| text" on several lines, where no line ends in '|' as those of tables do. */
static bool is_barred(const struct paste_line *line)
{
    return line->len && *line->text == '|' && (line->len == 1 || line->text[1] == ' ') &&
           (line->len == 1 || line->text[line->len - 1] != '|');
}

static void unbar(struct paste_text *text)
{
    for (size_t i = 0; i < text->len;) {
        size_t end = i;
        while (end < text->len && is_barred(&text->lines[end]))
            end++;
        bool table = end < text->len && text->lines[end].len && *text->lines[end].text == '|';
        for (size_t l = i; end - i >= 3 && !table && l < end; l++) {
            size_t drop = text->lines[l].len > 1 ? 2 : 1;
            set_line(text, &text->lines[l], text->lines[l].text + drop, text->lines[l].len - drop);
        }
        i = end > i ? end : i + 1;
    }
}

/* ---- what stands in front of every line ---- */

/* "  118:text", "118\ttext": the bytes of the number and of what parts it from the text. */
static size_t number_len(const struct paste_line *line, unsigned long *number)
{
    const char *at = line->text, *end = at + line->len;
    while (at < end && *at == ' ')
        at++;
    const char *digits = at;
    for (*number = 0; at < end && isdigit((unsigned char)*at) && at - digits < 8; at++)
        *number = *number * 10 + (unsigned long)(*at - '0');
    if (at == digits)
        return 0;
    if (at == end)
        return line->len;
    const char *sign = at;
    while (sign < end && *sign == ' ')
        sign++;
    static const char bar[] = "\xE2\x94\x82"; /* as bat draws it */
    bool drawn = end - sign >= 3 && memcmp(sign, bar, 3) == 0;
    if ((sign < end && *sign == '|') || drawn) {
        sign += drawn ? 3 : 1;
        return (size_t)(sign - line->text) + (sign < end && *sign == ' ');
    }
    return strchr(":-.)\t ", *at) ? (size_t)(at + 1 - line->text) : 0;
}

/* Numbers that grow by one from line to line. */
static void drop_numbers(struct paste_text *text)
{
    unsigned long number, before = 0;
    size_t lines = 0, follow = 0;
    for (size_t i = 0; i < text->len && i < LOOK_LINES; i++) {
        if (paste_is_blank(text->lines[i].text, text->lines[i].len))
            continue;
        lines++;
        if (number_len(&text->lines[i], &number)) {
            follow += number == before + 1;
            before = number;
        }
    }
    if (lines < 5 || follow * 5 < (lines - 1) * 4)
        return;
    for (size_t i = 0; i < text->len; i++) {
        struct paste_line *line = &text->lines[i];
        size_t used = number_len(line, &number);
        if (used)
            set_line(text, line, line->text + used, line->len - used);
    }
}

/* "2024-05-01T10:00:00.0000000Z ", and what container runtimes put behind it */
static size_t time_len(const char *at, size_t len)
{
    int64_t time;
    if (len < 20 || !isdigit((unsigned char)*at) || at[4] != '-')
        return 0;
    size_t used = clock_parse(at, len, &time);
    if (!used || used >= len || (at[used] != ' ' && at[used] != '\t'))
        return 0;
    used++;
    bool cri = len - used > 9 && memcmp(at + used, "std", 3) == 0 && at[used + 6] == ' ' &&
               strchr("FP", at[used + 7]) && at[used + 8] == ' ';
    return used + (cri ? 9 : 0);
}

/* "envoy-1  | ", "[pod/web-1/envoy] " */
static size_t name_len(const char *at, size_t len)
{
    size_t most = len < NAME_MAX_LEN ? len : NAME_MAX_LEN;
    if (len > 5 && memcmp(at, "[pod/", 5) == 0) {
        const char *close = memchr(at, ']', len);
        return close && (size_t)(close + 1 - at) < len && close[1] == ' ' ? (size_t)(close + 2 - at)
                                                                          : 0;
    }
    size_t name = 0;
    while (name < most && (isalnum((unsigned char)at[name]) || strchr("-_.", at[name])))
        name++;
    size_t sign = name;
    while (sign < most && at[sign] == ' ')
        sign++;
    if (!name || sign == name || sign >= len || at[sign] != '|')
        return 0;
    return sign + 1 + (sign + 1 < len && at[sign + 1] == ' ');
}

static size_t lead_of(const struct paste_line *line)
{
    size_t name = name_len(line->text, line->len);
    return name + time_len(line->text + name, line->len - name);
}

/* Where most lines carry a time or a name in front, what a tool has printed over several lines stands
 * behind these. */
static void find_leads(struct paste_text *text)
{
    size_t lines = 0, led = 0;
    for (size_t i = 0; i < text->len && i < LOOK_LINES; i++) {
        if (paste_is_blank(text->lines[i].text, text->lines[i].len))
            continue;
        lines++;
        led += lead_of(&text->lines[i]) != 0;
    }
    for (size_t i = 0; led * 5 >= lines * 3 && led > 2 && i < text->len; i++)
        text->lines[i].lead = (uint32_t)lead_of(&text->lines[i]);
}

/* ---- long lines that were wrapped ---- */

struct width {
    size_t most, full; /* the longest line, and how many are as long */
};

static struct width width_of(const struct paste_text *text)
{
    struct width width = {0, 0};
    for (size_t i = 0; i < text->len; i++) {
        size_t len = text->lines[i].len;
        width.full = len > width.most ? 1 : width.full + (len == width.most);
        width.most = len > width.most ? len : width.most;
    }
    return width;
}

static enum log_kind log_kind(const struct paste_line *line)
{
    struct log_line read;
    log_unwrap_line(line->text, line->len, &read);
    return read.header.kind;
}

/* Whether the line ends because there was no room for the next one's first word. BLANK: where a blank was,
 * as mail programs do it; else where the terminal ended. */
static bool is_full(const struct width *width, const struct paste_line *line,
                    const struct paste_line *next, bool *blank)
{
    size_t word = 0;
    while (word < next->len && next->text[word] != ' ')
        word++;
    *blank = false;
    if (line->len == width->most && width->full > 1)
        return true;
    *blank = true;
    return width->most <= MAIL_WIDTH && line->len + 1 + word > width->most;
}

/* "[source/server/server.cc:1012] text": the second half of Envoy's header */
static bool is_half(const struct paste_line *line)
{
    return line->len > 4 &&
           (memcmp(line->text, "[sou", 4) == 0 || memcmp(line->text, "[./", 3) == 0 ||
            memcmp(line->text, "[ext", 4) == 0);
}

static bool may_go_on(const struct paste_line *next)
{
    if (next->kind != PASTE_TEXT || !next->len)
        return false;
    return is_half(next) || (!strchr(" \t{}[]", *next->text) && log_kind(next) == LOG_NONE);
}

/* The lines behind line AT that belong to it become empty; returns the next one that is its own. */
static size_t join_at(struct paste_text *text, const struct width *width, size_t at)
{
    struct paste_line *line = &text->lines[at];
    size_t end = at + 1, most = line->len + 1u;
    bool blank;
    while (end < text->len && end - at < JOIN_MOST && may_go_on(&text->lines[end]) &&
           is_full(width, &text->lines[end - 1], &text->lines[end], &blank))
        most += text->lines[end++].len + 1u;
    if (end == at + 1)
        return end;
    char *copy = arena_alloc(text->arena, most), *out = copy;
    for (size_t i = at; i < end; i++) {
        struct paste_line *part = &text->lines[i];
        if (i > at && is_full(width, &text->lines[i - 1], part, &blank) && blank && out[-1] != ' ')
            *out++ = ' ';
        memcpy(out, part->text, part->len);
        out += part->len;
    }
    for (size_t i = at + 1; i < end; i++)
        text->lines[i] = (struct paste_line){.text = "", .kind = PASTE_BLANK};
    set_line(text, line, copy, (size_t)(out - copy));
    return end;
}

/* Lines of a log that a narrow terminal or a mail program has cut. */
static void join_wrapped(struct paste_text *text)
{
    struct width width = width_of(text);
    if (width.most < WIDTH_LEAST || width.most > WIDTH_MOST ||
        (width.full < 2 && width.most > MAIL_WIDTH))
        return;
    for (size_t i = 0; i + 1 < text->len;) {
        const struct paste_line *line = &text->lines[i];
        bool blank, full = line->kind == PASTE_TEXT && text->lines[i + 1].len &&
                           is_full(&width, line, &text->lines[i + 1], &blank);
        enum log_kind kind = full ? log_kind(line) : LOG_NONE;
        i = kind != LOG_NONE && kind != LOG_OTHER ? join_at(text, &width, i) : i + 1;
    }
}

/* ---- all of it ---- */

/* "{code:java}", "{noformat}" */
static size_t jira_len(const char *at, size_t len)
{
    static const char *const marks[] = {"{code", "{noformat"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        size_t mark = strlen(marks[i]);
        const char *end = len > mark && memcmp(at, marks[i], mark) == 0 ? memchr(at, '}', len)
                                                                        : NULL;
        if (end && (at[mark] == ':' || at[mark] == '}') && end - at < NAME_MAX_LEN)
            return (size_t)(end + 1 - at);
    }
    return 0;
}

static bool is_fence(const char *at, size_t len)
{
    while (len && (*at == ' ' || *at == '\t')) {
        at++;
        len--;
    }
    if (jira_len(at, len) == len && len)
        return true;
    if (len < 3 || (memcmp(at, "```", 3) != 0 && memcmp(at, "~~~", 3) != 0))
        return false;
    for (size_t i = 3; i < len; i++)
        if (!isalnum((unsigned char)at[i]) && !strchr("`~ -_", at[i]))
            return false;
    return true;
}

/* "```{" and "}```" as chats write it: the fence has no line of its own. */
static void trim_fence(struct paste_text *text, struct paste_line *line)
{
    static const char *const ends[] = {"{noformat}", "{code}"};
    size_t jira = jira_len(line->text, line->len);
    if (jira)
        set_line(text, line, line->text + jira, line->len - jira);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t len = strlen(ends[i]);
        if (line->len > len && memcmp(line->text + line->len - len, ends[i], len) == 0)
            set_line(text, line, line->text, line->len - len);
    }
    if (line->len > 3 && memcmp(line->text, "```", 3) == 0)
        set_line(text, line, line->text + 3, line->len - 3);
    if (line->len > 3 && memcmp(line->text + line->len - 3, "```", 3) == 0)
        set_line(text, line, line->text, line->len - 3);
}

static void tell_kind(struct paste_text *text, struct paste_line *line)
{
    const char *at = line->text + line->lead;
    size_t len = line->len - line->lead;
    if (paste_is_blank(at, len))
        line->kind = PASTE_BLANK;
    else if (is_fence(at, len))
        line->kind = PASTE_FENCE;
    else if (paste_command(at, len))
        line->kind = PASTE_COMMAND;
    else
        trim_fence(text, line);
    text->changed |= line->kind == PASTE_FENCE; /* which is left out */
}

void paste_text_clean(struct paste_text *text)
{
    const char *bytes = text->len ? text->lines[0].text : "";
    const struct paste_line *last = text->len ? &text->lines[text->len - 1] : NULL;
    size_t len = last ? (size_t)(last->text + last->len - bytes) : 0;
    struct wanted wanted = {has_entities(bytes, bytes + len), has_sign(bytes, bytes + len),
                            has_colour(bytes, bytes + len)};
    if (wanted.entities || wanted.signs || wanted.colours)
        clean_characters(text, &wanted);
    for (int i = 0; i < QUOTE_LEVELS && unquote_once(text); i++)
        ;
    unbar(text);
    drop_numbers(text);
    find_leads(text);
    for (size_t i = 0; i < text->len; i++)
        tell_kind(text, &text->lines[i]);
    join_wrapped(text);
}
