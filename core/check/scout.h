/* The scout: a child process that looks into plugin files, so that one that crashes, hangs or grows
 * while it is loaded costs itself only. It is started anew behind such a file. */
#ifndef DEBRIEF_CHECK_SCOUT_H
#define DEBRIEF_CHECK_SCOUT_H

#include "base/arena.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct scout_file {
    const char *path;
    bool lua;            /* else a shared object */
    cJSON *plugin;       /* out: what is in it (check/metadata.h); the caller's */
    const char *refused; /* out: why it is not used, with the file's name; in the arena */
    const char *name;    /* out: what its stamp calls it, also when refused; NULL: no stamp */
};

void scout_files(struct scout_file *files, size_t len, struct arena *arena);

#endif
