/* The user's cache of compiled databases. All of it is best effort: a cache that cannot be used, by
 * whoever's fault, is as good as an empty one. */
#ifndef DEBRIEF_READ_SCAN_CACHE_H
#define DEBRIEF_READ_SCAN_CACHE_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>

#define SCAN_CACHE_KEY 65 /* hexadecimal sha256 and NUL */

enum { SCAN_CACHE_FILES = 8, SCAN_CACHE_FILE_MAX = 64 << 20 };

/* Appends what was stored under KEY. False when there is nothing, or nothing to be trusted. */
bool scan_cache_load(const char *key, struct buf *out);
void scan_cache_store(const char *key, const void *bytes, size_t len);

/* sha256 of several parts, each closed by its length; out is NUL-terminated. */
struct scan_cache_part {
    const void *bytes;
    size_t len;
};
void scan_cache_digest(const struct scan_cache_part *parts, size_t len, char out[SCAN_CACHE_KEY]);

#endif
