/* Correlation: which finding explains which, what is the root cause, in which order to read. Works on
 * the `targets[]` object of a report. A finding explains another only where some check declares that
 * its id can, their subjects are related, and the times allow it: a cause is not later than its
 * consequence and not over while the consequence lasts. */
#ifndef DEBRIEF_FINDING_CORRELATE_H
#define DEBRIEF_FINDING_CORRELATE_H

#include "check/registry.h"
#include <cjson/cJSON.h>

/* Fills role, rank, explains, explained_by; sinks consequences of notes to info; sorts `findings` by
 * rank; sets the target's `verdict`. Idempotent. */
void correlate_target(cJSON *target, const struct registry *registry);

/* Whether two subjects can concern each other: equal, one of them the whole proxy, or different kinds
 * with no port or name that contradicts. */
bool correlate_related(const cJSON *subject_a, const cJSON *subject_b);

#endif
