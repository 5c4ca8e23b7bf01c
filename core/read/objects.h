/* Objects that are kept whole: what a cloud or a cluster says of one of its things, for checks that read
 * it by path. What tells nothing (bookkeeping of the API server) is left out, and so is what is secret. */
#ifndef DEBRIEF_READ_OBJECTS_H
#define DEBRIEF_READ_OBJECTS_H

#include "read/read.h"
#include <cjson/cJSON.h>

/* One record of NAME with a copy of JSON, which stands at POINTER. ID and KIND may be NULL. Marks NAME
 * as supplied. What would not fit any more makes the source partial. */
void objects_keep(struct reading *reading, const char *name, const char *id, const char *kind,
                  const cJSON *json, const char *pointer);

#endif
