/* Walking a directory, always in the same order: every regular file below ROOT, sorted by its
 * path relative to ROOT (bytes, not locale). Links are not followed: one to a file inside ROOT
 * is passed over, because the walk comes by that file; one that leaves ROOT or leads nowhere is
 * listed with the reason, as are files that cannot be read. Sockets, pipes and devices are
 * passed over. */
#ifndef DEBRIEF_BASE_DIRSCAN_H
#define DEBRIEF_BASE_DIRSCAN_H

#include "base/arena.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dirscan_entry {
    const char *name; /* relative to ROOT: "logs/envoy.log" */
    const char *path; /* where to open it: absolute, links resolved; NULL when `trouble` is set */
    const char *trouble; /* why it cannot be read; NULL when it can */
    uint64_t size;
};

struct dirscan {
    struct arena *arena; /* owns the strings */
    struct dirscan_entry *items;
    size_t len, cap;
    bool cut; /* there were more than MAX files, or folders too deep to walk */
};

/* False only when ROOT itself cannot be listed. */
bool dirscan_walk(struct dirscan *scan, const char *root, size_t max, struct err *err);
void dirscan_release(struct dirscan *scan);

/* The file NAME below ROOT as an absolute path with links resolved, the caller's to free; NULL
 * when it does not exist, is no regular file or lies outside ROOT. */
char *dirscan_inside(const char *root, const char *name, struct err *err);

#endif
