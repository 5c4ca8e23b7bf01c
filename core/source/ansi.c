/* Source: drops ANSI escapes. Reads and writes one portion of text in place. Deliberately never
 * drops a line end: line numbers must be those of the file. */
#include "source/ansi.h"

#include <stdbool.h>
#include <string.h>

enum { ESC = 0x1B, BEL = 0x07, ESCAPE_MAX = 512 };

/* Whether C still belongs to the escape; moves the state on. */
static bool inside(struct ansi *ansi, unsigned char c)
{
    if (c == '\n' || ++ansi->len > ESCAPE_MAX) {
        ansi->state = ANSI_TEXT;
        return false;
    }
    switch (ansi->state) {
    case ANSI_ESCAPE:
        if (c == '[')
            ansi->state = ANSI_CSI;
        else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
            ansi->state = ANSI_STRING;
        else if (c < 0x20 || c > 0x2F)
            ansi->state = ANSI_TEXT;
        return c >= 0x20 && c <= 0x7E;
    case ANSI_CSI:
        if (c < 0x20 || c > 0x3F)
            ansi->state = ANSI_TEXT;
        return c >= 0x20 && c <= 0x7E;
    case ANSI_STRING:
        if (c == BEL)
            ansi->state = ANSI_TEXT;
        else if (c == ESC)
            ansi->state = ANSI_STRING_ESCAPE;
        return true;
    case ANSI_STRING_ESCAPE:
        ansi->state = c == '\\' ? ANSI_TEXT : ANSI_STRING;
        return true;
    default:
        return false;
    }
}

size_t ansi_strip(struct ansi *ansi, char *text, size_t len)
{
    size_t at = 0, used = 0;
    while (at < len) {
        if (ansi->state != ANSI_TEXT && inside(ansi, (unsigned char)text[at])) {
            at++;
            continue;
        }
        char *escape = memchr(text + at, ESC, len - at);
        size_t end = escape ? (size_t)(escape - text) : len;
        if (used != at)
            memmove(text + used, text + at, end - at);
        used += end - at;
        at = end;
        if (escape) {
            *ansi = (struct ansi){.state = ANSI_ESCAPE};
            at++;
        }
    }
    return used;
}
