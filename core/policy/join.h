/* The `policy` of reports that are joined into one. */
#ifndef DEBRIEF_POLICY_JOIN_H
#define DEBRIEF_POLICY_JOIN_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Adds what OTHER's policy says to REPORT's: all waivers and severities, how many findings they met, the
 * stricter fail_on, what is gone since a baseline. A member that must hold for the whole report (config,
 * params, baseline) stays only where both have the same. False when the configurations or the
 * baselines differ. */
bool join_policy(cJSON *report, const cJSON *other);

#endif
