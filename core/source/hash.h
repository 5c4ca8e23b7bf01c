/* sha256 of sources: while bytes are written (struct hash), and of files that are read where they
 * stand, in a thread beside the reader, because hashing takes as long as scanning does. */
#ifndef DEBRIEF_SOURCE_HASH_H
#define DEBRIEF_SOURCE_HASH_H

#include "base/err.h"
#include "source/source.h"
#include <stddef.h>

struct hash;

struct hash *hash_new(void);
void hash_add(struct hash *hash, const void *bytes, size_t len);
void hash_end(struct hash *hash, char out[65]); /* lower-case hex; frees HASH; OUT may be NULL */

/* Of the file as stored; compressed files are hashed as they are. */
bool hash_file(const char *path, char out[65], struct err *err);

/* Fills source->sha256 unless it is known; a source without bytes is fine and keeps "". */
bool hash_source(struct source *source, struct err *err);

/* Hashes all sources whose sha256 is not known. Start it before reading, join it before any fork
 * and before anybody asks for a sha256; SOURCES must not grow in between. A file that cannot be
 * read keeps "": its reader says why. */
struct hash_thread;
struct hash_thread *hash_start(struct sources *sources); /* NULL when there is nothing to do */
void hash_join(struct hash_thread *thread);              /* NULL is fine */

#endif
