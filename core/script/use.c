/* Stage: check, script side. Gives a script the modules that come with the program. Reads the table made
 * of lua/modules at build time; a module runs once per state, with nothing but what the script itself
 * has. Deliberately knows no path: what is not in the table cannot be used. */
#include "script/use.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#define LOADED "debrief.modules"

/* [-0, +0, v] Raises an error that says which modules there are. */
static const struct use_module *find(lua_State *L, const char *name)
{
    luaL_Buffer known;
    for (const struct use_module *module = use_modules; module->name; module++)
        if (strcmp(module->name, name) == 0)
            return module;
    luaL_buffinit(L, &known);
    for (const struct use_module *module = use_modules; module->name; module++) {
        luaL_addstring(&known, module == use_modules ? "" : ", ");
        luaL_addstring(&known, module->name);
    }
    luaL_pushresult(&known);
    luaL_error(L, "there is no module '%s', only %s", name, lua_tostring(L, -1));
    return NULL;
}

/* [-0, +1, e] What the module returns. */
static void run(lua_State *L, const struct use_module *module)
{
    const char *chunk = lua_pushfstring(L, "@%s.lua", module->name);
    if (luaL_loadbufferx(L, module->bytes, module->len, chunk, "t") != LUA_OK)
        lua_error(L);
    lua_remove(L, -2);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        luaL_error(L, "module '%s' does not return a table", module->name);
}

/* [-1, +1, e] debrief.use(name): the module's table, the same one each time */
static int use(lua_State *L)
{
    const struct use_module *module = find(L, luaL_checkstring(L, 1));
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LOADED);
    int type = lua_getfield(L, -1, module->name);
    if (type == LUA_TTABLE)
        return 1;
    if (type == LUA_TBOOLEAN)
        return luaL_error(L, "module '%s' uses itself", module->name);
    lua_pushboolean(L, true);
    lua_setfield(L, -3, module->name);
    run(L, module);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, module->name);
    return 1;
}

void use_open(lua_State *L)
{
    lua_pushcfunction(L, use);
    lua_setfield(L, -2, "use");
}
