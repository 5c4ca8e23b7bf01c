/* What happened when, as text. Inner header of the writer "text". */
#ifndef DEBRIEF_REPORT_TEXT_TIMELINE_H
#define DEBRIEF_REPORT_TEXT_TIMELINE_H

#include "report/layout.h"
#include <cjson/cJSON.h>

/* The timeline of TARGET: where something is wrong, and only as far as an order of events is to be seen;
 * whole when verbose. */
void text_timeline(const struct layout *layout, const cJSON *target);

#endif
