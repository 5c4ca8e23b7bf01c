/* Statistics, whichever layout they were read from. */
#ifndef DEBRIEF_READ_STATS_H
#define DEBRIEF_READ_STATS_H

#include "read/read.h"

/* One statistic under its name in the text layout of /stats. */
void stats_add(struct reading *reading, const char *name, const char *value);

bool stats_is_prometheus(const struct peek *peek);
void stats_read_prometheus(struct reading *reading);

#endif
