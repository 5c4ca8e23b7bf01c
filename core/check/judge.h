/* Whether a check has the evidence that it needs: before it is asked (is everything there?) and after
 * (was any of it whole, so that finding nothing means that there is nothing?). */
#ifndef DEBRIEF_CHECK_JUDGE_H
#define DEBRIEF_CHECK_JUDGE_H

#include "base/buf.h"
#include "check/plan.h"
#include "evidence/evidence.h"
#include <cjson/cJSON.h>

/* False when a need is not met: REASON says what is missing (and which source could not be read),
 * MISSING (an array) gets a row {evidence, how} for each need. A check whose needs are all optional
 * must have at least one of them. A check that has events of its own needs texts to find them in. */
bool judge_ready(const struct check_meta *meta, struct evidence *evidence, struct buf *reason,
                 cJSON *missing);

/* False when all that is there is there in part only; REASON and MISSING as above. */
bool judge_conclusive(const struct check_meta *meta, struct evidence *evidence, struct buf *reason,
                      cJSON *missing);

#endif
