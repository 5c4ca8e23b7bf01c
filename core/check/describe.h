/* The rows of a loaded C plugin as the JSON of check/metadata.h. */
#ifndef DEBRIEF_CHECK_DESCRIBE_H
#define DEBRIEF_CHECK_DESCRIBE_H

#include "base/err.h"
#include "check/loader.h"
#include <cjson/cJSON.h>

/* Follows the plugin's pointers: for the scout only. NULL with err when a row has no id or no run. */
cJSON *describe_plugin(const struct loader *loader, struct err *err);

#endif
