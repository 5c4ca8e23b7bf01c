/* Base: the growing buffer with a maximum. Reads and writes memory only. Deliberately never fails:
 * what does not fit is dropped and remembered in `overflow`. */
#include "base/buf.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_release(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
    if (buf->data)
        buf->data[0] = '\0';
}

static void reserve(struct buf *buf, size_t len)
{
    size_t need = len + 1;
    if (need <= buf->cap)
        return;
    size_t cap = buf->cap ? buf->cap * 2 : 64;
    if (cap > buf->max && buf->max >= len)
        cap = buf->max + 1;
    buf->cap = cap > need ? cap : need;
    buf->data = xrealloc(buf->data, buf->cap);
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    size_t room = buf->max - buf->len;
    if (len > room) {
        len = room;
        buf->overflow = true;
    }
    reserve(buf, buf->len + len);
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_adds(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_addch(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vaddf(buf, format, args);
    va_end(args);
}

void buf_vaddf(struct buf *buf, const char *format, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    if (len < 0)
        BUG("bad format '%s'", format);
    if ((size_t)len < sizeof small) {
        buf_add(buf, small, (size_t)len);
    } else {
        char *large = xmalloc((size_t)len + 1);
        vsnprintf(large, (size_t)len + 1, format, again);
        buf_add(buf, large, (size_t)len);
        free(large);
    }
    va_end(again);
}

void buf_cut(struct buf *buf, size_t len)
{
    if (len >= buf->len)
        return;
    buf->len = len;
    buf->data[len] = '\0';
}

void buf_consume(struct buf *buf, size_t len)
{
    if (len > buf->len)
        BUG("consuming %zu of %zu bytes", len, buf->len);
    if (len == 0)
        return;
    buf->len -= len;
    memmove(buf->data, buf->data + len, buf->len);
    buf->data[buf->len] = '\0';
}

const char *buf_str(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
    char *data = buf->data ? buf->data : xstrdup("");
    buf_init(buf, buf->max);
    return data;
}
