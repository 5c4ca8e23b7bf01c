/* Collecting an archive: tar (plain, gzip, zstd, bzip2, xz) and zip, known by content. */
#ifndef DEBRIEF_COLLECT_ARCHIVE_H
#define DEBRIEF_COLLECT_ARCHIVE_H

#include "collect/collection.h"

bool archive_recognise(const char *path); /* false also for what cannot be read */

/* Unpacks PATH below the bundle under names of its own making and adds each regular member as a
 * source under the member's path, below NAME ("": nothing). Archives in the archive are opened too. When there
 * is a bundle.json among the members, at the top or in the folder that holds all, the archive is a
 * bundle and its index says what the members are. Only what WITHIN takes is taken (NULL: all). */
void archive_collect(struct collection *collection, const char *path, const char *name,
                     const struct target *within);

#endif
