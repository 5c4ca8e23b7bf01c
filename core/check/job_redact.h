/* The last thing that happens to a target's row: identities are replaced, and what was removed is
 * counted. */
#ifndef DEBRIEF_CHECK_JOB_REDACT_H
#define DEBRIEF_CHECK_JOB_REDACT_H

#include "source/redact.h"
#include <cjson/cJSON.h>

/* ABOUT: what the reader said of the evidence (check/message.h); NULL when it said nothing. */
void job_redact(cJSON *target, const cJSON *about, const struct redact_policy *policy);

#endif
