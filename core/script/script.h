/* Checks written in Lua: a file that returns debrief.check{...} or a list of them. Each call here
 * makes a fresh, capped, sandboxed state and closes it again. Runs in the scout and in runners. */
#ifndef DEBRIEF_SCRIPT_SCRIPT_H
#define DEBRIEF_SCRIPT_SCRIPT_H

#include "base/err.h"
#include "check/view.h"
#include <cjson/cJSON.h>
#include <stdint.h>

/* Runs the top level of the script and returns what its checks are (check/metadata.h); NULL with err
 * ("script.lua:12: ..."). DEADLINE (clock_monotonic) gives a place in the script where the caller's
 * own, harder deadline could not. */
cJSON *script_describe(const char *path, int64_t deadline, struct err *err);

/* Asks check number INDEX of the script; what goes wrong becomes the builder's fault. */
void script_run(const char *path, size_t index, struct view *view);

#endif
