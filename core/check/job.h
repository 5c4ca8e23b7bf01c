/* A job: one target on its way through collector, reader and runners, seen from the supervisor. It
 * books exactly one record per check of the plan, whatever becomes of the processes. */
#ifndef DEBRIEF_CHECK_JOB_H
#define DEBRIEF_CHECK_JOB_H

#include "base/clock.h"
#include "check/message.h"
#include "check/plan.h"
#include "collect/collect.h"
#include "collect/target.h"
#include "source/redact.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct job_limits { /* all set */
    int64_t collect_ms, read_ms, check_ms;
    size_t memory;
    struct clock_bound since, until; /* of events that are judged */
};

enum job_phase { JOB_WAITING, JOB_COLLECTING, JOB_READING, JOB_DONE };

struct job_check {                                     /* what became of plan->checks[i] */
    cJSON *record, *findings, *asks, *walks, *missing; /* record NULL: nothing yet */
};

struct job {
    const struct target *target;
    const struct plan *plan;
    const struct collect_options *collect;
    const struct job_limits *limits;
    const struct redact_policy *redact;

    char *dir; /* the working bundle; made by job_start */
    enum job_phase phase;
    pid_t pid; /* collector or reader; 0: none */
    struct message_reader reader;
    int64_t since, deadline; /* of the phase, clock_monotonic; 0: no deadline */
    const char *end_reason;  /* why the supervisor killed pid; NULL */
    char *trouble;           /* what went wrong before the checks */
    bool done;               /* the reader said that it is through */

    pid_t runner;
    int current; /* the check that is being asked; -1: none */
    int64_t current_since;
    char *runner_reason; /* why the supervisor killed the runner; NULL */

    cJSON *about; /* envoy, sources, unrecognised; NULL until read */
    struct job_check *checks;
};

/* Borrows all but DIR, which it takes. */
void job_init(struct job *job, const struct target *target, const struct plan *plan,
              const struct collect_options *collect, const struct job_limits *limits,
              const struct redact_policy *redact, char *dir);
void job_release(struct job *job); /* kills what still runs */

void job_start(struct job *job);
/* Takes messages, reaps, enforces deadlines and caps; moves on to the next phase. */
void job_attend(struct job *job);
/* Ends it now: what is not booked becomes an error with REASON. */
void job_stop(struct job *job, const char *reason);

/* What runs now, for progress: "collecting", a check's id; NULL: nothing. */
const char *job_activity(const struct job *job, int64_t *since);

/* The target's row of the report, correlated; the caller's. Once, when the job is done. */
cJSON *job_row(struct job *job);

#endif
