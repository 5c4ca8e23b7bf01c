/* External programs, run for their output: the user's own `aws` and `kubectl` and the packet
 * filter's lists, only with verbs that read, never through a shell. Each has a deadline, a cap on
 * what it may print, and a process group that ends with it and with this process, however that
 * ends. */
#ifndef DEBRIEF_COLLECT_COMMAND_H
#define DEBRIEF_COLLECT_COMMAND_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_SAID_MAX 4096

struct command;

struct command_spec {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *out_path;    /* where standard output goes, a new file */
    uint64_t out_max;        /* bytes of it; what prints more is ended */
    int64_t timeout_ms;
    const char *net_namespace; /* /proc/PID/ns/net: run inside it; NULL: in our own */
};

enum command_outcome {
    COMMAND_DONE,      /* exit status 0 */
    COMMAND_FAILED,    /* another one; see `status` and `said` */
    COMMAND_LATE,      /* ended at its deadline */
    COMMAND_TOO_LARGE, /* ended at its cap */
    COMMAND_STOPPED,   /* ended by command_finish while it ran */
};

struct command_result {
    enum command_outcome outcome;
    int status;                  /* as a shell's $? */
    uint64_t size;               /* bytes in the file */
    char said[COMMAND_SAID_MAX]; /* the beginning of standard error, valid UTF-8, no escapes */
};

/* Whether ARGV only reads: a row of the table in command_allowed.c. False says what it is. */
bool command_allowed(const char *const *argv, struct err *err);

/* As one would type it, quoted where a shell needs it; the caller's to free. */
char *command_text(const char *const *argv);

/* Starts what command_allowed allows. NULL: not allowed, not installed, or no process to be had. */
struct command *command_start(const struct command_spec *spec, struct err *err);

/* Moves output until one of LEN commands has ended, and says which; SIZE_MAX: none had by UNTIL
 * (clock_monotonic). */
size_t command_wait(struct command *const *commands, size_t len, int64_t until);

/* Ends it if it still runs, says what became of it, and frees it. */
void command_finish(struct command *command, struct command_result *result);

#endif
