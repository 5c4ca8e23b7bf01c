/* Building what recognition looks at. */
#ifndef DEBRIEF_READ_PEEK_H
#define DEBRIEF_READ_PEEK_H

#include "base/arena.h"
#include "read/read.h"

/* TEXT is copied into ARENA. */
void peek_init(struct peek *peek, struct arena *arena, const char *name, const char *text,
               size_t len, bool whole);

/* Where JSON begins that somebody pasted together with what a terminal showed before it: the offset of
 * a line that begins with '{' among the first ones, 0 when there is none. */
size_t peek_json_offset(const char *text, size_t len);

#endif
