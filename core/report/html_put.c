/* Stage: report. The one way of values into the HTML page: cleans and escapes them. Knows markup and
 * nothing of findings. */
#include "base/alloc.h"
#include "base/str.h"
#include "report/html.h"
#include "report/layout.h"
#include <stdarg.h>
#include <string.h>

/* Most texts are: those need no second look. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)(*text - ' ') > '~' - ' ' && *text != '\n')
            return false;
    return true;
}

const struct buf *html_clean(struct html *html, const char *text)
{
    static const struct report_style style = {.unicode = true};
    const struct layout layout = {NULL, &style};
    buf_clear(&html->scratch);
    if (is_plain(text))
        buf_adds(&html->scratch, text);
    else
        layout_clean(&layout, &html->scratch, text, true, 0);
    return &html->scratch;
}

static void add_text(struct html *html, const char *text)
{
    const struct buf *clean = html_clean(html, text ? text : "");
    const char *at = buf_str(clean), *end = at + clean->len;
    while (at < end) {
        size_t plain = strcspn(at, "&<>\"'");
        buf_add(html->out, at, plain);
        at += plain;
        if (at < end)
            buf_addf(html->out, "&#%d;", *at++);
    }
}

void html_addf(struct html *html, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    while (*format) {
        size_t plain = strcspn(format, "%");
        buf_add(html->out, format, plain);
        format += plain;
        if (!*format)
            break;
        if (format[1] == 's')
            add_text(html, va_arg(args, const char *));
        else if (format[1] == 'd')
            buf_addf(html->out, "%d", va_arg(args, int));
        else
            BUG("html_addf does not know '%%%c'", format[1]);
        format += 2;
    }
    va_end(args);
}

/* "<" would end the element, U+2028 and U+2029 end lines of a script; control characters are gone. */
void html_add_json_str(struct html *html, const char *text)
{
    const struct buf *clean = html_clean(html, text ? text : "");
    const char *at = buf_str(clean), *end = at + clean->len;
    buf_addch(html->out, '"');
    while (at < end) {
        size_t plain = strcspn(at, "\"\\<>&\n\xE2");
        buf_add(html->out, at, plain);
        at += plain;
        if (at == end)
            break;
        if (*at == '\n')
            buf_adds(html->out, "\\n");
        else if (*at == '"' || *at == '\\')
            buf_addf(html->out, "\\%c", *at);
        else if (*at != '\xE2')
            buf_addf(html->out, "\\u%04x", *at);
        else if (str_starts(at, "\xE2\x80\xA8") || str_starts(at, "\xE2\x80\xA9"))
            buf_addf(html->out, "\\u20%02x", 0x28 + (at[2] == '\xA9'));
        else
            buf_addch(html->out, *at);
        at += str_starts(at, "\xE2\x80\xA8") || str_starts(at, "\xE2\x80\xA9") ? 3 : 1;
    }
    buf_addch(html->out, '"');
}

void html_add_time(struct html *html, const char *time, const char *same_day)
{
    char text[20] = "";
    size_t len = time ? strcspn(time, ".Z") : 0;
    bool known = len == 19 && time[10] == 'T';
    if (!known) {
        html_addf(html, "%s", time);
        return;
    }
    bool same = same_day && strncmp(time, same_day, 10) == 0;
    memcpy(text, time + (same ? 11 : 0), same ? 8 : 19);
    if (!same)
        text[10] = ' ';
    html_addf(html, "<time datetime=\"%s\">%s</time>", time, text);
}

void html_add_mark(struct html *html, const char *kind, const char *word)
{
    static const char *const known[] = {"error", "warning", "note", "ok", "unknown", "waived"};
    const char *mark = "unknown";
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_equal(known[i], kind))
            mark = known[i];
    html_addf(html,
              "<span class=\"mark is-%s\"><svg aria-hidden=\"true\" width=\"14\" height=\"14\">"
              "<use href=\"#mark-%s\"/></svg>",
              mark, mark);
    if (word)
        html_addf(html, " %s", word);
    html_addf(html, "</span>");
}

void html_add_link(struct html *html, const char *url)
{
    if (str_starts(url, "https://") || str_starts(url, "http://"))
        html_addf(html,
                  "<a class=\"away\" href=\"%s\" rel=\"noopener noreferrer\" target=\"_blank\">"
                  "%s</a>",
                  url, url);
    else
        html_addf(html, "%s", url);
}

void html_add_code(struct html *html, const char *label, const char *text)
{
    html_addf(html, "<div class=\"code\"><pre data-copy=\"%s\"><code>%s</code></pre></div>", label,
              text);
}

void html_add_heading(struct html *html, int level, const char *id, const char *text)
{
    int depth = level > 6 ? 6 : level;
    html_addf(html, "<h%d", depth);
    if (id)
        html_addf(html, " id=\"%s\"", id);
    html_addf(html, ">%s</h%d>\n", text, depth);
}
