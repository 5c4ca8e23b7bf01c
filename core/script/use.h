/* debrief.use "NAME": the Lua modules that come with the program (lua/modules), for what several sections
 * do alike, so that no section has to depend on another one. */
#ifndef DEBRIEF_SCRIPT_USE_H
#define DEBRIEF_SCRIPT_USE_H

#include <lua.h>
#include <stddef.h>

struct use_module {
    const char *name, *bytes;
    size_t len;
};

extern const struct use_module use_modules[]; /* made at build time; ends at a NULL name */

/* [-0, +0, m] Puts `use` into the table on top of the stack. */
void use_open(lua_State *L);

#endif
