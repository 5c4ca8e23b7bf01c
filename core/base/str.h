/* Text helpers that the C library lacks. No locale: ASCII rules whatever the environment says. */
#ifndef DEBRIEF_BASE_STR_H
#define DEBRIEF_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
bool str_equal(const char *a, const char *b); /* NULL equals NULL only */

/* Shell-like glob over the whole text: '*' any run (dots and slashes too), '?' one character.
 * Linear in practice: no recursion, no bracket expressions. */
bool str_glob(const char *glob, const char *text);

bool str_to_int64(const char *text, int64_t *out); /* whole text, decimal; false when not */
bool str_to_double(const char *text, double *out); /* whole text; refuses nan, inf, hex */
bool str_to_duration(const char *text,
                     int64_t *out_ms); /* 500ms, 10s, 1m30s, 2h; plain 10 is refused */

/* Appends bytes as valid UTF-8: broken sequences become U+FFFD, control characters other than
 * tab and newline become U+FFFD too. Returns bytes written to OUT, never more than CAP - 1, and
 * ends OUT with NUL at a character boundary. */
size_t str_to_utf8(char *out, size_t cap, const char *bytes, size_t len);

bool str_is_utf8(const char *text); /* valid as it is; control characters may be among it */

#endif
