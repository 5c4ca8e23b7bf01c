/* Live targets: names that stand for several, looked up before collecting begins. */
#ifndef DEBRIEF_COLLECT_LIVE_H
#define DEBRIEF_COLLECT_LIVE_H

#include "collect/follow.h"

#include <cjson/cJSON.h>

/* Runs one command and gives its answer; NULL when there is none. The caller's. */
cJSON *live_ask(const char *const *argv);

#endif
