/* Reading a source: decompressed (gzip, zstd, bzip2, xz, by content), UTF-16 turned into UTF-8,
 * byte order marks and ANSI escapes dropped, in one forward pass with bounded memory. Bytes that
 * are no UTF-8 pass unchanged (they are only cleaned where text leaves for a report). A
 * compressed source that expands beyond the cap ends there, and says so. */
#ifndef DEBRIEF_SOURCE_STREAM_H
#define DEBRIEF_SOURCE_STREAM_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;

struct stream *stream_open(const char *path, struct err *err);
/* TEXT as a source; the stream's to free from here on. */
struct stream *stream_open_text(char *text, size_t len);
void stream_close(struct stream *stream);

/* Up to CAP bytes; *got 0 at the end. False: the source cannot be read further (cut archive, I/O);
 * what came before stands. */
bool stream_read(struct stream *stream, char *bytes, size_t cap, size_t *got, struct err *err);

/* What was read comes again, or other text in its place: TEXT stands before what is still to come. It is
 * the stream's to free. */
void stream_unread(struct stream *stream, char *text, size_t len);

/* The first bytes (at most 64 kB, decoded) without consuming them. */
const char *stream_peek(struct stream *stream, size_t *len, bool *whole);

#endif
