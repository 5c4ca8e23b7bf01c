/* Target groups of load balancers, wherever they come from. */
#ifndef DEBRIEF_READ_TARGET_GROUPS_H
#define DEBRIEF_READ_TARGET_GROUPS_H

#include "read/read.h"
#include <cjson/cJSON.h>

/* GROUP in the shape of an element of describe-target-groups; it stands at POINTER. */
void target_groups_add(struct reading *reading, const cJSON *group, const char *pointer);

#endif
