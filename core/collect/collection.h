/* One target being collected: what the collectors (admin, files, archive) share. Each adds
 * sources to the bundle; none gives up the whole for the failure of a part. */
#ifndef DEBRIEF_COLLECT_COLLECTION_H
#define DEBRIEF_COLLECT_COLLECTION_H

#include "collect/collect.h"
#include "source/bundle.h"
#include <stdint.h>

struct collection {
    const struct target *target;
    const struct collect_options *options;
    struct bundle bundle;
    int64_t deadline;  /* by clock_monotonic() */
    unsigned unpacked; /* members of archives written below the bundle so far */
};

/* Milliseconds until the deadline, never below 1. */
int64_t collection_left_ms(const struct collection *collection);
bool collection_is_late(const struct collection *collection);

/* Whether a check wants the admin page that is stored under NAME. */
bool collection_wants(const struct collect_options *options, const char *name);

/* A source that was asked for, to be filled; ORIGIN is copied. */
struct source *collection_add(struct collection *collection, const char *name, const char *origin);
/* The same, of which nothing could be got, and why. */
struct source *collection_missing(struct collection *collection, const char *name,
                                  const char *origin, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Where the bytes of NAME go in the bundle's directory, its folders made; the caller's to free. */
char *collection_path(const struct collection *collection, const char *name);
bool collection_write(int fd, const char *bytes, size_t len); /* all of them, or false and errno */

const char *collection_base_name(const char *path); /* the last part of a path */

#endif
