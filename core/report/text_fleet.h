/* What came out for all targets together. Inner header of the writer "text". */
#ifndef DEBRIEF_REPORT_TEXT_FLEET_H
#define DEBRIEF_REPORT_TEXT_FLEET_H

#include "report/layout.h"
#include <cjson/cJSON.h>

/* How many of TARGETS are how well, and the causes that most of them share. */
void text_fleet(const struct layout *layout, const cJSON *targets);

#endif
