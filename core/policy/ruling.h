/* What the configuration says of findings: other severities, and waivers. Applied to what the checks
 * found, before correlation, so that roles, ranks, outcomes and verdicts follow from it. */
#ifndef DEBRIEF_POLICY_RULING_H
#define DEBRIEF_POLICY_RULING_H

#include "policy/config.h"
#include <cjson/cJSON.h>

/* Gives the findings of TARGET (of the report, not yet correlated) their severity, `severity_was` and
 * `waiver`. What has no proof is never raised. CONFIG NULL: nothing. */
void ruling_apply(const struct config *config, cJSON *target);

/* The report's `policy` as far as CONFIG goes: the file, what it sets, and how many findings each of its
 * rules met so far. NULL when CONFIG is; else the caller's. */
cJSON *ruling_policy(const struct config *config);

#endif
