/* Building what recognition looks at. */
#ifndef DEBRIEF_READ_PEEK_H
#define DEBRIEF_READ_PEEK_H

#include "base/arena.h"
#include "read/read.h"

/* TEXT is copied into ARENA. */
void peek_init(struct peek *peek, struct arena *arena, const char *name, const char *text,
               size_t len, bool whole);

#endif
