/* What bundle.c and bundle_pack.c share: the JSON of an index, without its rows, and of one row. */
#ifndef DEBRIEF_SOURCE_BUNDLE_ROW_H
#define DEBRIEF_SOURCE_BUNDLE_ROW_H

#include "config.h"
#include "source/bundle.h"
#include <cjson/cJSON.h>

cJSON *bundle_index(const struct bundle *bundle);
cJSON *bundle_row(const struct source *source);

#endif
