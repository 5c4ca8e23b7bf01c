/* The door to libarchive, with only the formats we mean: a tar in any compression, or a zip. */
#ifndef DEBRIEF_COLLECT_UNARCHIVE_H
#define DEBRIEF_COLLECT_UNARCHIVE_H

#include "base/err.h"
#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdint.h>

#define UNARCHIVE_DEPTH_MAX 3 /* archives in archives in archives */

struct unarchive;

/* Whether a file that begins so may be an archive, or the file at PATH is one. */
bool unarchive_magic(const char *bytes, size_t len);
bool unarchive_recognise(const char *path); /* false also for what cannot be read */

struct unarchive *unarchive_open(const char *path, struct err *err);
void unarchive_close(struct unarchive *reader); /* NULL is fine */
uint64_t unarchive_stored_size(const struct unarchive *reader);

/* The next member; NULL at the end, with err set when it is not the end that was meant. */
struct archive_entry *unarchive_next(struct unarchive *reader, struct err *err);
/* Up to CAP bytes of the member; *got 0 at its end. */
bool unarchive_read(struct unarchive *reader, char *bytes, size_t cap, size_t *got,
                    struct err *err);

#endif
