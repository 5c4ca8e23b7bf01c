/* A Lua state that a script cannot leave: allow list of libraries, a cap on memory in the allocator, a
 * deadline that tells where the script hangs (the harder one is a process's end, from outside). */
#ifndef DEBRIEF_SCRIPT_SANDBOX_H
#define DEBRIEF_SCRIPT_SANDBOX_H

#include "base/err.h"
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SANDBOX_MEMORY_MAX (64u << 20)

struct sandbox;

/* DEADLINE (clock_monotonic) 0: none. */
struct sandbox *sandbox_new(int64_t deadline);
void sandbox_free(struct sandbox *sandbox);
lua_State *sandbox_state(struct sandbox *sandbox);

/* [-0, +1 or 0, -] Compiles the script at PATH (text only) as a function; false with err. */
bool sandbox_load(struct sandbox *sandbox, const char *path, struct err *err);

/* [-(args + 1), +results or 0, -] Calls the function below its arguments. False with err: what went
 * wrong, where, and from where it was called: "site.lua:12: ... (called from site.lua:20)". */
bool sandbox_call(struct sandbox *sandbox, int args, int results, struct err *err);

#endif
