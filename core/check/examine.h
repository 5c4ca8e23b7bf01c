/* Examining targets: the supervisor's side. For each target it starts a collector, then a reader that
 * forks runners, and books one record per selected check whatever happens to them. The supervisor
 * itself parses nothing but the runner's own short messages, has no threads and makes no requests. */
#ifndef DEBRIEF_CHECK_EXAMINE_H
#define DEBRIEF_CHECK_EXAMINE_H

#include "base/clock.h"
#include "check/plan.h"
#include "collect/collect.h"
#include "collect/target.h"
#include "source/redact.h"
#include <cjson/cJSON.h>

struct examine_options {
    struct collect_options collect; /* `wanted` NULL: examine_wants */
    /* Per check; 0: DEBRIEF_CHECK_TIMEOUT (a duration) when it is set, else 10 s. */
    int64_t check_timeout_ms;
    size_t memory_max;               /* bytes that any child may grow to; 0: the default (512 MB) */
    struct clock_bound since, until; /* of events that are judged; back from the gathering */
    int jobs; /* targets at the same time; 0: number of processors, at most 8 */
    const struct redact_policy *redact; /* what must not leave; NULL: everything may */
    bool quiet;                         /* never say on standard error what is running */
    bool verbose;                       /* say it even where standard error is no terminal */
    const char
        *work_dir; /* where working bundles go and stay; NULL: one in TMPDIR, removed after */
};

/* Whether PLAN (a struct plan) has a use for this source: some check needs it, or every report does. */
bool examine_wants(void *plan, const char *source_name);

/* Examines all targets and returns the `targets` array of the report (contract.md), correlated, in the
 * order of TARGETS. *interrupted is set when SIGINT, SIGTERM or SIGHUP ended it early; then the array
 * holds the targets that were finished and those whose evidence was read, their unfinished checks as
 * errors. Never fails: a target of which nothing could be read is a row with verdict "unknown". */
cJSON *examine_targets(const struct targets *targets, const struct plan *plan,
                       const struct examine_options *options, bool *interrupted);

#endif
