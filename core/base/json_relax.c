/* Base: takes out of JSON what people add to it and parsers refuse. Reads and writes the text in place.
 * Deliberately judges nothing else: whether the rest is JSON is the parser's to say. */
#include "base/json_relax.h"
#include <stdbool.h>
#include <string.h>

struct relax {
    char *text;
    size_t len;
    size_t comma; /* 1 + where the last comma is that nothing followed yet; 0: none */
    size_t first; /* 1 + the first byte that was taken out */
};

static void blank(struct relax *relax, size_t from, size_t to)
{
    if (!relax->first || from < relax->first - 1)
        relax->first = from + 1;
    for (size_t at = from; at < to; at++)
        if (relax->text[at] != '\n')
            relax->text[at] = ' ';
}

/* Where the string that begins at AT ends. */
static size_t behind_string(const struct relax *relax, size_t at)
{
    for (at++; at < relax->len && relax->text[at] != '"'; at++)
        at += relax->text[at] == '\\';
    return at < relax->len ? at + 1 : relax->len;
}

/* Where the comment that begins at AT ends; AT when there is none. */
static size_t behind_comment(const struct relax *relax, size_t at)
{
    const char *text = relax->text + at;
    size_t len = relax->len - at;
    if (len < 2 || text[0] != '/' || (text[1] != '/' && text[1] != '*'))
        return at;
    const char *end = text[1] == '/' ? memchr(text, '\n', len) : memmem(text + 2, len - 2, "*/", 2);
    if (!end)
        return relax->len;
    return at + (size_t)(end - text) + (text[1] == '*' ? 2 : 0);
}

static size_t step(struct relax *relax, size_t at)
{
    char c = relax->text[at];
    size_t behind = behind_comment(relax, at);
    if (behind != at) {
        blank(relax, at, behind);
        return behind;
    }
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
        return at + 1;
    if ((c == '}' || c == ']') && relax->comma)
        blank(relax, relax->comma - 1, relax->comma);
    relax->comma = c == ',' ? at + 1 : 0;
    return c == '"' ? behind_string(relax, at) : at + 1;
}

size_t json_relax(char *text, size_t len)
{
    struct relax relax = {.text = text, .len = len};
    size_t line = 1;
    for (size_t at = 0; at < len;)
        at = step(&relax, at);
    for (size_t at = 0; relax.first && at + 1 < relax.first; at++)
        line += text[at] == '\n';
    return relax.first ? line : 0;
}
