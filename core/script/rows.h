/* The table form of a check: `lines`, rows that say what a log line means. */
#ifndef DEBRIEF_SCRIPT_ROWS_H
#define DEBRIEF_SCRIPT_ROWS_H

#include "script/shape.h"
#include <lua.h>

extern const struct shape_key rows_shape[];

/* [-0, +0, v] Checks the lines on top against the check at CHECK: events, findings, columns, patterns.
 * Their shape is known to be right. */
void rows_check(lua_State *L, int check);

/* [-1, +0, e] The run(ev) of a check in table form; upvalue: its lines. The first row that matches a
 * record reports it. */
int rows_run(lua_State *L);

#endif
