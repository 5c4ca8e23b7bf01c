/* Child processes that cannot outlive, outgrow or outshout their parent: own process group, killed
 * with the parent, no descriptors but their pipe, standard output sent to standard error. */
#ifndef DEBRIEF_CHECK_PROCESS_H
#define DEBRIEF_CHECK_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROCESS_REASON_MAX 96

enum process_flags {
    PROCESS_STDIN = 1, /* keeps standard input (else /dev/null) */
    PROCESS_GROUP = 2, /* stays in the parent's process group: it may read the terminal */
};

/* Forks. In the child (0) only FD and the standard descriptors are open, signals are at their defaults
 * and SIGPIPE is ignored. -1: errno says why. */
pid_t process_fork(int fd, unsigned flags);

/* A pipe for process_fork: both ends closed on exec. */
bool process_pipe(int fds[2]);

void process_kill(pid_t pid);          /* it and its process group, if it leads one */
void process_kill_group(pid_t leader); /* what is left of a group whose leader is gone */
/* False: it still runs. Once it is gone, what it left in its process group is killed. */
bool process_reap(pid_t pid, bool wait, int *status);

/* Whether PID is a living child of PARENT: process ids told by others are checked before use. */
bool process_is_child(pid_t pid, pid_t parent);

size_t process_rss(pid_t pid); /* bytes resident; 0 when it is gone */

/* Caps address space at what is in use now plus MORE. A sanitizer's shadow would not live under it:
 * does nothing there. */
void process_cap_memory(size_t more);

/* Crashes shall be crashes: puts the signals that a sanitizer or a parent may have caught back. */
void process_default_faults(void);

/* "crashed with SIGSEGV", "ended with status 3 instead of returning". */
const char *process_reason(int status, char out[PROCESS_REASON_MAX]);

#endif
