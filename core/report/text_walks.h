/* The ways of requests through the configuration, as text. Inner header of the writer "text". */
#ifndef DEBRIEF_REPORT_TEXT_WALKS_H
#define DEBRIEF_REPORT_TEXT_WALKS_H

#include "report/layout.h"
#include <cjson/cJSON.h>

/* The walks of TARGET, the first few on a line each; all of them, hop by hop, when verbose. */
void text_walks(const struct layout *layout, const cJSON *target);

#endif
