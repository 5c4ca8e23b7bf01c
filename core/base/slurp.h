/* Small files, whole: what a user named and what fits in memory. */
#ifndef DEBRIEF_BASE_SLURP_H
#define DEBRIEF_BASE_SLURP_H

#include "base/buf.h"
#include "base/err.h"

/* Files, pipes, sockets, terminals and /dev/null have an end; other devices and directories have none,
 * or none that is worth waiting for. NAME is for the error. */
bool slurp_check(int fd, const char *name, struct err *err);

/* Appends what FD holds up to its end. False with an error when it cannot be read, is of a kind that
 * slurp_check() refuses, or holds more than OUT takes: no more than that is read of it. */
bool slurp_fd(struct buf *out, int fd, const char *name, struct err *err);

/* The same for the file PATH; "-" is standard input. */
bool slurp_path(struct buf *out, const char *path, struct err *err);

#endif
