/* A growing byte buffer that is born with a maximum. Adding beyond the maximum keeps what fits,
 * sets `overflow` and is otherwise harmless, so that callers check once, at the end. `data` is
 * always NUL-terminated once anything was added; bytes inside may be NUL too. */
#ifndef DEBRIEF_BASE_BUF_H
#define DEBRIEF_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;
    size_t len, cap, max;
    bool overflow;
};

void buf_init(struct buf *buf, size_t max);
void buf_release(struct buf *buf);
void buf_clear(struct buf *buf); /* len 0, memory kept, overflow forgotten */
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_adds(struct buf *buf, const char *text);
void buf_addch(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *buf, const char *format, va_list args);
void buf_cut(struct buf *buf, size_t len);     /* back to LEN bytes, when there are more */
void buf_consume(struct buf *buf, size_t len); /* drop LEN bytes from the front */
const char *buf_str(const struct buf *buf);    /* "" while empty; valid until the next change */
char *buf_take(struct buf *buf);               /* the caller's to free; buf is empty again */

#endif
