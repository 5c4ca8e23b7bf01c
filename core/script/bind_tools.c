/* Stage: check, script side. The functions of `debrief` that need no evidence: bounded matching, since
 * Lua's own patterns cannot alternate and may run for ever. */
#include "script/bind.h"

#include "base/regex.h"
#include "base/str.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS_MAX = 32, PATTERNS_MAX = 200 };

/* [-1, +0, -] */
static int free_regex(lua_State *L)
{
    struct regex **holder = luaL_checkudata(L, 1, BIND_REGEX);
    regex_free(*holder);
    *holder = NULL;
    return 0;
}

static struct regex *compile(lua_State *L, const char *pattern)
{
    struct err err = ERR_INIT;
    struct regex **holder = lua_newuserdatauv(L, sizeof(struct regex *), 0);
    *holder = NULL;
    luaL_setmetatable(L, BIND_REGEX);
    *holder = regex_new(pattern, 0, &err);
    if (!*holder)
        luaL_error(L, "%s", err.text);
    return *holder;
}

/* [-0, +0, e] The compiled pattern, kept in the registry's table under its text. */
static struct regex *regex_of(lua_State *L, const char *pattern)
{
    int top = lua_gettop(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, BIND_REGEX ".cache");
    struct regex *regex;
    if (lua_getfield(L, -1, pattern) == LUA_TUSERDATA) {
        regex = *(struct regex **)lua_touserdata(L, -1);
    } else {
        lua_getfield(L, LUA_REGISTRYINDEX, BIND_REGEX ".count");
        lua_Integer count = lua_tointeger(L, -1) + 1;
        if (count > PATTERNS_MAX)
            luaL_error(L, "more than %d different patterns", PATTERNS_MAX);
        lua_pushinteger(L, count);
        lua_setfield(L, LUA_REGISTRYINDEX, BIND_REGEX ".count");
        lua_pop(L, 2);
        regex = compile(L, pattern);
        lua_setfield(L, -2, pattern);
    }
    lua_settop(L, top);
    return regex;
}

bool bind_tools_matches(lua_State *L, const char *pattern, const char *text)
{
    struct regex_span span;
    return regex_match(regex_of(L, pattern), text, strlen(text), 0, &span, 1);
}

/* [-2, +1, e] debrief.match(text, pattern): groups by name and number, 0 the whole match, or nil */
static int tools_match(lua_State *L)
{
    struct regex_span spans[GROUPS_MAX];
    size_t len;
    if (lua_isnoneornil(L, 1))
        return 0;
    const char *text = luaL_checklstring(L, 1, &len);
    const struct regex *regex = regex_of(L, luaL_checkstring(L, 2));
    if (!regex_match(regex, text, len, 0, spans, GROUPS_MAX))
        return 0;
    lua_newtable(L);
    for (int i = 0; i <= regex_groups(regex) && i < GROUPS_MAX; i++) {
        if (spans[i].start == (size_t)-1)
            continue;
        lua_pushlstring(L, text + spans[i].start, spans[i].end - spans[i].start);
        if (regex_group_name(regex, i)) {
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, regex_group_name(regex, i));
        }
        lua_seti(L, -2, i);
    }
    return 1;
}

/* [-2, +1, e] debrief.glob(glob, text) */
static int tools_glob(lua_State *L)
{
    const char *glob = luaL_checkstring(L, 1);
    const char *text = luaL_optstring(L, 2, NULL);
    lua_pushboolean(L, text && str_glob(glob, text));
    return 1;
}

void bind_tools_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"match", tools_match}, {"glob", tools_glob}, {NULL, NULL}};
    luaL_newmetatable(L, BIND_REGEX);
    lua_pushcfunction(L, free_regex);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_setfuncs(L, functions, 0);
}
