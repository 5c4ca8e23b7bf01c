/* Stage: report. Turns pieces of text into lines for people: cleans, wraps, indents, colours. Knows
 * nothing of findings. */
#include "report/layout.h"
#include "base/alloc.h"
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (1u << 20)

static const char *const glyphs[][2] = {
    [GLYPH_ERROR] = {"\xE2\x9C\x96", "x"}, [GLYPH_WARNING] = {"\xE2\x96\xB2", "!"},
    [GLYPH_OK] = {"\xE2\x9C\x94", "+"},    [GLYPH_UNKNOWN] = {"?", "?"},
    [GLYPH_NOTE] = {"\xE2\x80\xA2", "-"},  [GLYPH_SKIP] = {"\xE2\x97\x8B", "o"},
};

static const char *const inks[] = {
    [INK_PLAIN] = "",        [INK_ERROR] = "\033[1;31m", [INK_WARNING] = "\033[1;33m",
    [INK_OK] = "\033[1;32m", [INK_DIM] = "\033[2m",      [INK_BOLD] = "\033[1m",
};

const char *layout_glyph(const struct layout *layout, enum glyph glyph)
{
    return glyphs[glyph][layout->style->unicode ? 0 : 1];
}

enum ink layout_ink(enum glyph glyph)
{
    static const enum ink of[] = {
        [GLYPH_ERROR] = INK_ERROR,     [GLYPH_WARNING] = INK_WARNING, [GLYPH_OK] = INK_OK,
        [GLYPH_UNKNOWN] = INK_WARNING, [GLYPH_NOTE] = INK_PLAIN,      [GLYPH_SKIP] = INK_DIM,
    };
    return of[glyph];
}

void layout_paint(const struct layout *layout, enum ink ink, const char *text)
{
    bool paint = layout->style->color && ink != INK_PLAIN && *text;
    if (paint)
        buf_adds(layout->out, inks[ink]);
    buf_adds(layout->out, text);
    if (paint)
        buf_adds(layout->out, "\033[0m");
}

static size_t character_len(const char *text)
{
    size_t len = 1;
    while (((unsigned char)text[len] & 0xC0) == 0x80)
        len++;
    return len;
}

/* Control characters of C1, and marks that break lines, turn the direction of writing or hide text. */
static bool steers(const char *character, size_t len)
{
    const unsigned char *c = (const unsigned char *)character;
    if (len == 2 && c[0] == 0xC2)
        return c[1] < 0xA0;
    if (len != 3 || c[0] != 0xE2)
        return len == 3 && c[0] == 0xEF && c[1] == 0xBB && c[2] == 0xBF;
    bool embeds = c[1] == 0x80 && (c[2] >= 0xA8 || (c[2] >= 0x8B && c[2] <= 0x8F));
    bool isolates = c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9;
    return (embeds && c[2] <= 0xAE) || isolates;
}

static void clean_character(const struct layout *layout, struct buf *out, const char *at,
                            size_t len, bool keep_lines)
{
    unsigned char c = (unsigned char)*at;
    if (c == '\n' || c == '\r')
        buf_addch(out, keep_lines && c == '\n' ? '\n' : ' ');
    else if (c == '\t')
        buf_adds(out, "    ");
    else if (c < 0x20 || c == 0x7F || (len > 1 && (steers(at, len) || !layout->style->unicode)))
        buf_adds(out, layout->style->unicode ? "\xEF\xBF\xBD" : "?");
    else
        buf_add(out, at, len);
}

void layout_clean(const struct layout *layout, struct buf *out, const char *text, bool keep_lines,
                  size_t cap)
{
    size_t raw = strlen(text);
    char *valid = xmalloc(raw * 3 + 1);
    size_t total = str_to_utf8(valid, raw * 3 + 1, text, raw);
    size_t len = total, done = 0;
    while (cap && len > cap)
        len = cap;
    while (done < len) {
        size_t step = character_len(valid + done);
        clean_character(layout, out, valid + done, step, keep_lines);
        done += step;
    }
    if (done < total)
        buf_adds(out, layout->style->unicode ? " \xE2\x80\xA6" : " ...");
    free(valid);
}

static int columns(const char *text, size_t len)
{
    int count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static void indent_by(const struct layout *layout, int indent)
{
    buf_addf(layout->out, "%*s", indent, "");
}

/* Words of TEXT from column AT on; a word longer than a line stands on a line of its own, whole. */
static void wrap(const struct layout *layout, int at, int hanging, const char *text)
{
    int width = layout->style->width;
    bool fresh = true;
    while (*text) {
        size_t blanks = strspn(text, " ");
        size_t len = strcspn(text + blanks, " ");
        int needed = columns(text + blanks, len);
        if (!len)
            break;
        if (!fresh && width && at + (int)blanks + needed > width) {
            buf_addch(layout->out, '\n');
            indent_by(layout, hanging);
            at = hanging;
        } else if (!fresh) {
            buf_add(layout->out, text, blanks);
            at += (int)blanks;
        }
        buf_add(layout->out, text + blanks, len);
        at += needed;
        text += blanks + len;
        fresh = false;
    }
    buf_addch(layout->out, '\n');
}

static void wrap_clean(const struct layout *layout, int at, int hanging, const char *text)
{
    struct buf clean;
    buf_init(&clean, LINE_MAX_BYTES);
    layout_clean(layout, &clean, text, false, 0);
    wrap(layout, at, hanging, buf_str(&clean));
    buf_release(&clean);
}

static void write_label(const struct layout *layout, int indent, const char *label)
{
    int used = label ? (int)strlen(label) : 0;
    indent_by(layout, indent);
    layout_paint(layout, INK_DIM, label ? label : "");
    indent_by(layout, used < LAYOUT_LABEL ? LAYOUT_LABEL - used : 1);
}

void layout_field(const struct layout *layout, int indent, const char *label, const char *text)
{
    int start = indent + LAYOUT_LABEL;
    write_label(layout, indent, label);
    wrap_clean(layout, start, start, text);
}

void layout_step(const struct layout *layout, int indent, const char *label, int number,
                 const char *text)
{
    char lead[16];
    int start = indent + LAYOUT_LABEL + snprintf(lead, sizeof lead, "%d. ", number);
    write_label(layout, indent, label);
    buf_adds(layout->out, lead);
    wrap_clean(layout, start, start, text);
}

void layout_item(const struct layout *layout, int indent, const char *lead, enum ink ink,
                 int hanging, const char *text)
{
    indent_by(layout, indent);
    layout_paint(layout, ink, lead);
    if (*lead)
        buf_addch(layout->out, ' ');
    wrap_clean(layout, indent + columns(lead, strlen(lead)) + (*lead ? 1 : 0), hanging, text);
}

void layout_verbatim(const struct layout *layout, int indent, const char *lead, const char *text)
{
    struct buf clean;
    buf_init(&clean, LINE_MAX_BYTES);
    layout_clean(layout, &clean, text, true, 0);
    const char *at = buf_str(&clean);
    size_t len = clean.len;
    while (len && at[len - 1] == '\n')
        len--;
    for (const char *end = at + len; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        indent_by(layout, indent);
        buf_adds(layout->out, lead);
        buf_add(layout->out, at, (size_t)(stop - at));
        buf_addch(layout->out, '\n');
        at = stop + 1;
        lead = *lead ? "  " : "";
    }
    buf_release(&clean);
}
