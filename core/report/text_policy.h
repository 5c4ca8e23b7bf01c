/* What the configuration, its waivers and a baseline did to a report, as text. Inner header of the writer
 * "text" and of that of comparisons. */
#ifndef DEBRIEF_REPORT_TEXT_POLICY_H
#define DEBRIEF_REPORT_TEXT_POLICY_H

#include "base/buf.h"
#include "report/layout.h"
#include <cjson/cJSON.h>

/* " (new)", " (worse)" beside the baseline; else nothing. */
void text_policy_mark(struct buf *out, const cJSON *finding);

/* "waived until 2026-12-31 by OWNER: REASON", "waiver of OWNER expired on 2026-12-31: REASON", or
 * nothing. */
void text_policy_waiver(struct buf *out, const cJSON *finding);

/* In a finding that counts: that it does so again, that its severity is not the check's. */
void text_policy_ruling(const struct layout *layout, int indent, const cJSON *finding);

/* In a consequence that stands because its causes do not count: which they are. */
void text_policy_causes(const struct layout *layout, int indent, const cJSON *finding);

/* The findings of TARGET that do not count, a line for each. */
void text_policy_waived(const struct layout *layout, const cJSON *target);

/* At the end of a report: the configuration and the baseline, and what they did. */
void text_policy(const struct layout *layout, const cJSON *report);

#endif
