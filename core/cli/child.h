/* Work in child processes: whatever touches the world or reads what came from it runs there, with a time
 * limit, and ends when debrief ends. */
#ifndef DEBRIEF_CLI_CHILD_H
#define DEBRIEF_CLI_CHILD_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct child_job {
    int (*work)(void *user, int fd); /* runs in the child; its result is the child's exit status */
    void *user;
    bool stdin_too; /* the work may read standard input */
    /* what became of it */
    struct buf out;   /* what WORK wrote to FD; the caller releases it */
    int status;       /* exit status, or -1 */
    char trouble[96]; /* why status is -1: "crashed with SIGSEGV", "took longer than 75 s" */
    /* inner */
    pid_t pid;
    int fd;
    int64_t deadline;
};

/* Runs all JOBS, at most AT_ONCE at the same time, each for at most LIMIT_MS (0: no limit). False when
 * SIGINT or SIGTERM ended it early; the children are gone in any case. */
bool child_run(struct child_job *jobs, size_t len, size_t at_once, int64_t limit_ms);

#endif
