/* What to supply so that more can be judged, as text. Inner header of the writer "text". */
#ifndef DEBRIEF_REPORT_TEXT_ASKS_H
#define DEBRIEF_REPORT_TEXT_ASKS_H

#include "report/layout.h"
#include <cjson/cJSON.h>

/* The asks of TARGET by what to supply, each once: the few that help most, all of them when verbose. */
void text_asks(const struct layout *layout, const cJSON *target);

#endif
