/* What the supervisor's children do, each in a process of its own (check/process.h): the collector
 * fills a directory, the reader makes evidence of it and forks runners, one after the other. They speak
 * through FD (check/message.h) and never return. */
#ifndef DEBRIEF_CHECK_WORKER_H
#define DEBRIEF_CHECK_WORKER_H

#include "base/clock.h"
#include "check/plan.h"
#include "collect/collect.h"
#include "collect/target.h"
#include "source/redact.h"
#include <stdint.h>

struct worker {
    int fd;
    const char *dir; /* the working bundle */
    const struct target *target;
    const struct plan *plan;
    const struct collect_options *collect;
    const struct redact_policy *redact;
    size_t memory_max;
    int64_t check_timeout_ms;
    struct clock_bound since, until; /* of events that are judged */
};

_Noreturn void worker_collect(const struct worker *worker);
_Noreturn void worker_read(const struct worker *worker);

#endif
