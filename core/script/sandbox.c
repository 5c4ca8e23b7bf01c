/* Stage: check, script side. Makes Lua states and calls functions in them. Deliberately leaves out what
 * reaches the world (io, os, debug, package), makes code of data (load, bytecode) or differs from run
 * to run (random numbers, the order of pairs). */
#include "script/sandbox.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOOK_EVERY = 10000, SCRIPT_MAX = 1 << 20, FRAMES_MAX = 8 };

struct sandbox {
    lua_State *state;
    size_t used;
    int64_t deadline;
};

static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base},       {LUA_STRLIBNAME, luaopen_string},
    {LUA_TABLIBNAME, luaopen_table}, {LUA_MATHLIBNAME, luaopen_math},
    {LUA_UTF8LIBNAME, luaopen_utf8},
};

/* What the libraries above hold beyond the allow list: {library, name}. */
static const char *const forbidden[][2] = {
    {LUA_GNAME, "collectgarbage"},   {LUA_GNAME, "dofile"},    {LUA_GNAME, "load"},
    {LUA_GNAME, "loadfile"},         {LUA_STRLIBNAME, "dump"}, {LUA_MATHLIBNAME, "random"},
    {LUA_MATHLIBNAME, "randomseed"},
};

static void *allocate(void *user, void *old, size_t old_size, size_t size)
{
    struct sandbox *sandbox = user;
    size_t before = old ? old_size : 0; /* else old_size tells the kind of the new object */
    if (size == 0) {
        sandbox->used -= before;
        free(old);
        return NULL;
    }
    if (size > before && sandbox->used + (size - before) > SANDBOX_MEMORY_MAX)
        return NULL; /* Lua collects garbage, tries again, then raises "not enough memory" */
    void *memory = realloc(old, size);
    if (memory)
        sandbox->used += size - before;
    return memory;
}

static struct sandbox *sandbox_of(lua_State *L)
{
    return *(struct sandbox **)lua_getextraspace(L);
}

static void check_deadline(lua_State *L, lua_Debug *activation)
{
    if (clock_monotonic() <= sandbox_of(L)->deadline)
        return;
    lua_getinfo(L, "Sl", activation);
    lua_pushfstring(L, "%s:%d: still running when its time was over", activation->short_src,
                    activation->currentline);
    lua_error(L);
}

/* [-1, +1, -] The next pair of a snapshot of sorted keys: upvalues are the table, the keys, the place. */
static int next_sorted(lua_State *L)
{
    for (;;) {
        lua_Integer at = lua_tointeger(L, lua_upvalueindex(3)) + 1;
        lua_pushinteger(L, at);
        lua_replace(L, lua_upvalueindex(3));
        if (lua_geti(L, lua_upvalueindex(2), at) == LUA_TNIL)
            return 1;
        lua_pushvalue(L, -1);
        if (lua_gettable(L, lua_upvalueindex(1)) != LUA_TNIL)
            return 2;
        lua_pop(L, 2); /* it was removed on the way */
    }
}

/* [-2, +1, -] The order of keys: by type, then numbers and strings by value. Others stay as they are:
 * they have no order that two runs would share. */
static int key_before(lua_State *L)
{
    int left = lua_type(L, 1), right = lua_type(L, 2);
    bool ordered = left == LUA_TNUMBER || left == LUA_TSTRING;
    lua_pushboolean(L, left != right ? left < right : ordered && lua_compare(L, 1, 2, LUA_OPLT));
    return 1;
}

/* [-1, +3, e] pairs(t) in sorted order, so that reports do not depend on how a table was hashed. */
static int sorted_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_newtable(L);
    lua_Integer len = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_seti(L, 2, ++len);
    }
    lua_pushvalue(L, lua_upvalueindex(1)); /* table.sort */
    lua_pushvalue(L, 2);
    lua_pushcfunction(L, key_before);
    lua_call(L, 2, 0);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_sorted, 3);
    return 1;
}

/* [-0, +0, m] */
static int open_libraries(lua_State *L)
{
    for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
        lua_getglobal(L, forbidden[i][0]);
        lua_pushnil(L);
        lua_setfield(L, -2, forbidden[i][1]);
        lua_pop(L, 1);
    }
    lua_getglobal(L, LUA_TABLIBNAME);
    lua_getfield(L, -1, "sort");
    lua_pushcclosure(L, sorted_pairs, 1);
    lua_setglobal(L, "pairs");
    lua_pop(L, 1);
    return 0;
}

static int panic(lua_State *L)
{
    BUG("an error in Lua outside of any call: %s", lua_tostring(L, -1));
}

struct sandbox *sandbox_new(int64_t deadline)
{
    struct sandbox *sandbox = xcalloc(1, sizeof *sandbox);
    sandbox->deadline = deadline;
    sandbox->state = lua_newstate(allocate, sandbox);
    if (!sandbox->state)
        BUG("no memory for a Lua state");
    *(struct sandbox **)lua_getextraspace(sandbox->state) = sandbox;
    lua_atpanic(sandbox->state, panic);
    lua_pushcfunction(sandbox->state, open_libraries);
    lua_call(sandbox->state, 0, 0);
    if (deadline)
        lua_sethook(sandbox->state, check_deadline, LUA_MASKCOUNT, HOOK_EVERY);
    return sandbox;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    lua_close(sandbox->state);
    free(sandbox);
}

lua_State *sandbox_state(struct sandbox *sandbox)
{
    return sandbox->state;
}

/* ---- loading ---- */

static char *read_script(const char *path, size_t *len, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        err_set(err, "it cannot be read: %m");
        return NULL;
    }
    char *text = xmalloc(SCRIPT_MAX);
    *len = fread(text, 1, SCRIPT_MAX, file);
    bool sound = !ferror(file) && *len < SCRIPT_MAX;
    if (!sound)
        err_set(err, ferror(file) ? "it cannot be read: %m" : "it is larger than 1 MB");
    fclose(file);
    if (sound)
        return text;
    free(text);
    return NULL;
}

static bool take_error(lua_State *L, struct err *err)
{
    const char *text = lua_tostring(L, -1);
    err_set(err, "%s", text ? text : "it raised an error without a message");
    lua_pop(L, 1);
    return false;
}

bool sandbox_load(struct sandbox *sandbox, const char *path, struct err *err)
{
    lua_State *L = sandbox->state;
    size_t len;
    char *text = read_script(path, &len, err);
    if (!text)
        return false;
    const char *base = strrchr(path, '/');
    char *chunk = xasprintf("@%s", base ? base + 1 : path);
    int status = luaL_loadbufferx(L, text, len, chunk, "t");
    free(chunk);
    free(text);
    return status == LUA_OK || take_error(L, err);
}

/* ---- calling ---- */

/* Appends where the function that failed was called from; the message itself names the line. */
static void add_callers(lua_State *L, luaL_Buffer *out)
{
    lua_Debug frame;
    int shown = 0;
    for (int level = 1; shown < FRAMES_MAX && lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (frame.currentline <= 0)
            continue;
        if (shown++ > 0) { /* the first is where it happened */
            lua_pushfstring(L, "%s%s:%d", shown == 2 ? " (called from " : ", ", frame.short_src,
                            frame.currentline);
            luaL_addvalue(out);
        }
    }
    if (shown > 1)
        luaL_addchar(out, ')');
}

/* [-1, +1, m] The message handler: text and callers. */
static int explain_error(lua_State *L)
{
    luaL_Buffer out;
    const char *text = luaL_tolstring(L, 1, NULL);
    luaL_buffinit(L, &out);
    luaL_addstring(&out, text);
    add_callers(L, &out);
    luaL_pushresult(&out);
    return 1;
}

bool sandbox_call(struct sandbox *sandbox, int args, int results, struct err *err)
{
    lua_State *L = sandbox->state;
    int handler = lua_gettop(L) - args;
    lua_pushcfunction(L, explain_error);
    lua_insert(L, handler);
    int status = lua_pcall(L, args, results, handler);
    lua_remove(L, handler);
    if (status == LUA_OK)
        return true;
    if (status == LUA_ERRMEM) {
        lua_pop(L, 1);
        return err_set(err, "grew above %u MB", SANDBOX_MEMORY_MAX >> 20);
    }
    return take_error(L, err);
}
