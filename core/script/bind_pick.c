/* Stage: check, script side. `ev:fact(name)` and `ev:pick{...}`: what is known of where the proxy runs, and of
 * several texts (or values) the one for that place. Reads who the proxy is, whatever the check needs. */
#include "base/str.h"
#include "check/applies.h"
#include "finding/ways.h"
#include "script/bind.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* [-1, +1, e] ev:fact(name): text, or nil */
int bind_pick_fact(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    const char *name = luaL_checkstring(L, 2);
    char buf[32];
    if (strcmp(name, "mesh") != 0 && strcmp(name, "mode") != 0 && strcmp(name, "platform") != 0)
        return luaL_error(L, "fact: '%s' is none of mesh, mode and platform", name);
    lua_pushstring(L, ways_fact(view->evidence, name, buf));
    return 1;
}

/* "istio", "ecs", "appmesh ecs" */
static bool is_place(const char *key)
{
    char mesh[64];
    const char *blank = strchr(key, ' ');
    if (!blank)
        return applies_knows(APPLIES_MESH, key) || applies_knows(APPLIES_PLATFORM, key);
    snprintf(mesh, sizeof mesh, "%.*s", (int)(blank - key), key);
    return applies_knows(APPLIES_MESH, mesh) && applies_knows(APPLIES_PLATFORM, blank + 1);
}

/* [-0, +0, e] A misspelt place would never be found. */
static void check_places(lua_State *L)
{
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        bool first = lua_type(L, -2) == LUA_TNUMBER && lua_tointeger(L, -2) == 1;
        if (!first && (lua_type(L, -2) != LUA_TSTRING || !is_place(lua_tostring(L, -2))))
            luaL_error(L, "pick{}: '%s' is no mesh, platform, or both",
                       lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?");
    }
}

/* [-1, +1, e] ev:pick{ istio = , ecs = , ["appmesh ecs"] = , otherwise }: the value, or nil */
int bind_pick(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    char mesh_buf[32], platform_buf[32], both[128];
    const char *mesh = ways_fact(view->evidence, "mesh", mesh_buf);
    const char *platform = ways_fact(view->evidence, "platform", platform_buf);
    luaL_checktype(L, 2, LUA_TTABLE);
    check_places(L);
    snprintf(both, sizeof both, "%s %s", mesh ? mesh : "", platform ? platform : "");
    const char *const wanted[] = {both, mesh, platform};
    for (int i = 0; i < 3; i++) {
        if (wanted[i] && lua_getfield(L, 2, wanted[i]) != LUA_TNIL)
            return 1;
    }
    lua_rawgeti(L, 2, 1);
    return 1;
}
