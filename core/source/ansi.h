/* Takes ANSI escapes (colours, cursor moves, window titles) out of text that comes in portions. */
#ifndef DEBRIEF_SOURCE_ANSI_H
#define DEBRIEF_SOURCE_ANSI_H

#include <stddef.h>

struct ansi { /* zero before the first portion */
    enum { ANSI_TEXT, ANSI_ESCAPE, ANSI_CSI, ANSI_STRING, ANSI_STRING_ESCAPE } state;
    size_t len; /* of the escape so far: a broken one must not swallow the text behind it */
};

/* In place; returns the new length. Text without ESC costs one memchr. */
size_t ansi_strip(struct ansi *ansi, char *text, size_t len);

#endif
