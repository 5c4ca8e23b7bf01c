/* UTF-16 as UTF-8, in portions: what Windows shells write when output is redirected to a file. */
#ifndef DEBRIEF_SOURCE_UTF16_H
#define DEBRIEF_SOURCE_UTF16_H

#include <stddef.h>

struct utf16;

/* A decoder when HEAD is UTF-16 by its byte order mark (*skip: its length) or, without one, by NUL
 * bytes in every second place; else NULL and *skip 0. */
struct utf16 *utf16_sniff(const char *head, size_t len, size_t *skip);
void utf16_free(struct utf16 *utf16); /* NULL is fine */

/* Writes at most 2 * LEN + 8 bytes to OUT and returns how many. Lone surrogates become U+FFFD. */
size_t utf16_decode(struct utf16 *utf16, const char *bytes, size_t len, char *out);
size_t utf16_end(struct utf16 *utf16, char *out); /* what a half character at the end leaves */

#endif
