/* The bytes of a file with its compression taken off (gzip, zstd, bzip2, xz, told by content). A
 * plain file is read as it is, at the speed of read(2). What a cut or damaged file gave before
 * the cut stands. Compressed bytes may become EXPANSION_MAX bytes, and 1000 times themselves,
 * not more. */
#ifndef DEBRIEF_SOURCE_UNPACK_H
#define DEBRIEF_SOURCE_UNPACK_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNPACK_EXPANSION_MAX (UINT64_C(4) << 30)

struct unpack;

struct unpack *unpack_open(const char *path, struct err *err); /* regular files only */
void unpack_close(struct unpack *unpack);                      /* NULL is fine */
bool unpack_compressed(const struct unpack *unpack);

/* Up to CAP bytes; *got 0 at the end. False: no more can be read. */
bool unpack_read(struct unpack *unpack, char *bytes, size_t cap, size_t *got, struct err *err);

#endif
