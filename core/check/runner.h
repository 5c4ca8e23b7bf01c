/* Asking one check on one target: applicability, needs, the check itself, its outcome. Runs in a
 * runner process, where a check that crashes or hangs costs itself only. */
#ifndef DEBRIEF_CHECK_RUNNER_H
#define DEBRIEF_CHECK_RUNNER_H

#include "check/plan.h"
#include "evidence/evidence.h"
#include "source/redact.h"
#include <cjson/cJSON.h>

struct runner {
    const struct plan *plan;
    struct evidence *evidence;
    const struct redact_policy *redact;
    int64_t gathered;        /* when the evidence was, ns since the epoch */
    bool asked;              /* by asking; else it is only known when the files were read */
    int64_t soft_timeout_ms; /* after which a script is told where it hangs; 0: never */
};

/* Asks plan->checks[INDEX]; returns the "end" message (check/message.h), the caller's. */
cJSON *runner_ask(const struct runner *runner, size_t index);

/* A check record of the report. */
cJSON *runner_record(const char *id, const char *outcome, const char *reason, double elapsed_ms);

/* Milliseconds since START (clock_monotonic), to a hundredth; 0 where the present is injected, so that
 * reports stay byte-stable. */
double runner_elapsed_ms(int64_t start);

#endif
