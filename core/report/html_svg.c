/* Stage: report. Lays text out in the pictures of the HTML page, which cannot wrap it themselves: by
 * characters, since no font is known here. Knows nothing of findings. */
#include "report/html_svg.h"
#include "base/alloc.h"
#include "base/buf.h"
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096

/* Bytes of TEXT's first COLUMNS characters. */
static size_t span_of(const char *text, int columns)
{
    size_t at = 0;
    while (text[at] && columns-- > 0) {
        at++;
        while (((unsigned char)text[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

/* Bytes of the next line: whole words, or as much as fits of a word that is too long. */
static size_t line_of(const char *text, int columns)
{
    size_t fits = span_of(text, columns);
    if (!text[fits])
        return fits;
    for (size_t at = fits; at > 0; at--)
        if (text[at] == ' ' || text[at] == '\n')
            return at;
    return fits;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \n");
}

int html_svg_lines(struct html *html, const char *text, int columns, int max)
{
    int lines = 0;
    const char *at = skip_blanks(buf_str(html_clean(html, text)));
    for (; *at && lines < max; lines++)
        at = skip_blanks(at + line_of(at, columns));
    return lines;
}

void html_svg_text(struct html *html, int x, int y, int columns, int max, const char *text)
{
    struct buf line;
    char *copy = xstrdup(buf_str(html_clean(html, text)));
    const char *at = skip_blanks(copy);
    buf_init(&line, TEXT_MAX);
    for (int i = 0; *at && i < max; i++) {
        size_t len = line_of(at, columns);
        const char *rest = skip_blanks(at + len);
        bool cut = *rest && i == max - 1;
        buf_clear(&line);
        buf_add(&line, at, cut ? span_of(at, (int)len < columns ? (int)len : columns - 1) : len);
        if (cut)
            buf_adds(&line, "\xE2\x80\xA6");
        html_addf(html, "<tspan x=\"%d\" y=\"%d\">%s </tspan>", x, y + i * HTML_SVG_LINE,
                  buf_str(&line));
        at = rest;
    }
    buf_release(&line);
    free(copy);
}
