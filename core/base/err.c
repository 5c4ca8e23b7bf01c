/* Base: the error value. Reads and writes memory only. Deliberately keeps text alone, no codes:
 * whoever must tell two failures apart asks the layer that knows. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Drops a UTF-8 sequence that the cap has cut in two. */
static void end_at_character(char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (need > 1 && len - (start - 1) < need)
        text[start - 1] = '\0';
}

static void keep(struct err *err, const char *text, int len)
{
    size_t room = sizeof err->text - 1;
    size_t used = strnlen(text, room);
    memmove(err->text, text, used);
    err->text[used] = '\0';
    if (len > 0 && (size_t)len > room)
        end_at_character(err->text, used);
}

bool err_set(struct err *err, const char *format, ...)
{
    if (!err)
        return false;
    char text[sizeof err->text]; /* the old text may be among the arguments */
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    keep(err, text, len);
    return false;
}

bool err_prefix(struct err *err, const char *format, ...)
{
    if (!err)
        return false;
    char prefix[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    char text[2 * sizeof err->text + 2];
    int len = snprintf(text, sizeof text, "%s%s%s", prefix, err->text[0] ? ": " : "", err->text);
    keep(err, text, len);
    return false;
}
