/* Collecting what lies on this machine: files, directories, archives, standard input. */
#ifndef DEBRIEF_COLLECT_FILES_H
#define DEBRIEF_COLLECT_FILES_H

#include "collect/collection.h"

/* Adds what PATH names ("-": standard input), whatever kind of thing it is. */
void files_collect(struct collection *collection, const char *path);

/* The directory or archive that the target is, or what of it is this target's. */
void files_collect_target(struct collection *collection);

/* The lines of a dry run for PATH, on standard output; of a directory only what WITHIN takes (NULL: all). */
void files_dry_run(const char *path, const struct target *within);

#endif
