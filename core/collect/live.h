/* Live targets: names that stand for several, looked up before collecting begins. */
#ifndef DEBRIEF_COLLECT_LIVE_H
#define DEBRIEF_COLLECT_LIVE_H

#include "collect/follow.h"

#include <cjson/cJSON.h>

/* Runs one command and gives its answer, the caller's. NULL when there is none; WHY then says why, unless
 * it is NULL. */
struct follow_said;
cJSON *live_ask(const char *const *argv, struct follow_said *why);

#endif
