/* Base: the error value. Reads and writes memory only. Deliberately keeps text alone, no codes:
 * whoever must tell two failures apart asks the layer that knows. */
#include "base/err.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_MAX = 4 << 20 }; /* with all that it quotes */

/* The last place at or before LEN where no character is cut in two. */
static size_t character_start(const char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start] & 0xC0) == 0x80)
        start--;
    return (unsigned char)text[start] >= 0xC0 ? start : len;
}

/* The quote that closes what AT opens; NULL: AT opens nothing, as in "it's". */
static char *closing_quote(const char *text, char *at)
{
    if (*at != '\'' || (at > text && !strchr(" (:=,[", at[-1])))
        return NULL;
    char *end = at;
    while ((end = strchr(end + 1, '\'')))
        if (strchr(" ,;:).]\n", end[1])) /* or the end of the text */
            return end;
    return NULL;
}

void err_cut_quotes(char *text)
{
    char *to = text;
    for (char *at = text; *at;) {
        char *end = closing_quote(text, at);
        size_t len = end ? (size_t)(end - at) + 1 : 1; /* both quotes are in it */
        size_t kept = len;
        if (len > ERR_QUOTED_MAX + sizeof "''...")
            kept = character_start(at, ERR_QUOTED_MAX + 1);
        memmove(to, at, kept);
        to += kept;
        if (kept < len) {
            memcpy(to, "...'", 4);
            to += 4;
        }
        at += len;
    }
    *to = '\0';
}

/* MADE is released. */
static void keep(struct err *err, struct buf *made)
{
    size_t len = made->len, room = sizeof err->text - 1;
    if (len) {
        err_cut_quotes(made->data);
        len = strlen(made->data);
    }
    if (len > room)
        len = character_start(made->data, room);
    memcpy(err->text, buf_str(made), len);
    err->text[len] = '\0';
    buf_release(made);
}

bool err_vset(struct err *err, const char *format, va_list args)
{
    struct buf made; /* the old text may be among the arguments */
    if (!err)
        return false;
    buf_init(&made, MESSAGE_MAX);
    buf_vaddf(&made, format, args);
    keep(err, &made);
    return false;
}

bool err_set(struct err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_vset(err, format, args);
    va_end(args);
    return false;
}

bool err_prefix(struct err *err, const char *format, ...)
{
    struct buf made;
    va_list args;
    if (!err)
        return false;
    buf_init(&made, MESSAGE_MAX);
    va_start(args, format);
    buf_vaddf(&made, format, args);
    va_end(args);
    buf_addf(&made, "%s%s", err->text[0] ? ": " : "", err->text);
    keep(err, &made);
    return false;
}
