/* debrief.check{...}: the table in which a script says what its check is. */
#ifndef DEBRIEF_SCRIPT_DEFINITION_H
#define DEBRIEF_SCRIPT_DEFINITION_H

#include <cjson/cJSON.h>
#include <lua.h>
#include <stdbool.h>

/* [-0, +0, m] Puts `check` into the table on top of the stack. */
void definition_open(lua_State *L);

/* [-0, +0, m] How many checks the value on top is: one, or a list of them; 0: it is neither. */
int definition_count(lua_State *L);
/* [-0, +1, m] Check number I (from 0) of the value on top. */
void definition_push(lua_State *L, int i);

/* [-0, +0, m] The check on top as JSON (check/metadata.h), the caller's. */
cJSON *definition_json(lua_State *L);

#endif
