/* The verdict on a target in words. For writers that are read by people. */
#ifndef DEBRIEF_REPORT_TEXT_VERDICT_H
#define DEBRIEF_REPORT_TEXT_VERDICT_H

#include "base/buf.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

/* "3 errors, 1 warning from 2 causes", how much was judged when nothing is wrong, or why nothing was. */
void text_verdict(struct buf *out, const cJSON *target);

/* "3 with errors, 1 unknown": how many of TARGETS are how well; nothing for none. */
void text_verdict_fleet(struct buf *out, const cJSON *targets);

/* How many sources of TARGET could be read. */
int text_verdict_read(const cJSON *target);

/* How much was judged; what does not apply to this proxy is no gap. */
struct text_extent {
    int judged, apply, idle; /* checks: JUDGED of those that APPLY; IDLE ones do not */
};
struct text_extent text_verdict_extent(const cJSON *target);

/* ", 3 MANY"; nothing for 0. */
void text_verdict_add_count(struct buf *out, int count, const char *one, const char *many);

#endif
