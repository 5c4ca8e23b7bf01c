/* Many proxies in one place: which folders of an archive or a directory hold the admin pages of one
 * proxy each (istioctl bug-report, several bundles in one archive, what somebody's own script saved). */
#ifndef DEBRIEF_COLLECT_FLEET_H
#define DEBRIEF_COLLECT_FLEET_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>

struct fleet {
    struct arena *arena;
    const char **folders; /* sorted, without '/' at the end; none lies inside another */
    size_t len;           /* 0, or at least two */
    size_t files;         /* how many files lie outside of all of them */
};

/* NAMES are the paths of regular files, separated by '/', in any order. */
void fleet_find(struct fleet *fleet, const char *const *names, size_t len);
void fleet_of_directory(struct fleet *fleet, const char *path);
void fleet_of_archive(struct fleet *fleet, const char *path);
void fleet_release(struct fleet *fleet);

/* Whether NAME lies below FOLDER. */
bool fleet_below(const char *name, const char *folder);

#endif
