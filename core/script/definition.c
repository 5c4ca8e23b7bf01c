/* Stage: check, script side. Checks what debrief.check{...} is given and turns it into metadata.
 * Deliberately judges shape and words only; ids, needs and patterns are judged where those of C
 * plugins are (check/metadata.c). */
#include "script/definition.h"

#include "base/alloc.h"
#include "base/json.h"
#include "check/params.h"
#include "script/bind.h"
#include "script/rows.h"
#include "script/shape.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFINITION "debrief.check"

static const struct shape_key event_shape[] = {
    {"pattern", SHAPE_STRING, true, NULL},
    {"caseless", SHAPE_BOOL, false, NULL},
    {NULL, SHAPE_STRING, false, NULL},
};

static const struct shape_key finding_shape[] = {
    {"title", SHAPE_STRING, true, NULL},
    {"severity", SHAPE_STRING, true, NULL},
    {"explains", SHAPE_STRINGS, false, NULL},
    {NULL, SHAPE_STRING, false, NULL},
};

static const struct shape_key param_shape[] = {
    {"type", SHAPE_STRING, true, NULL},
    {"default", SHAPE_SCALAR, true, NULL},
    {"help", SHAPE_STRING, true, NULL},
    {NULL, SHAPE_STRING, false, NULL},
};

static const struct shape_key check_shape[] = {
    {"id", SHAPE_STRING, true, NULL},
    {"title", SHAPE_STRING, true, NULL},
    {"version", SHAPE_STRING, false, NULL},
    {"tags", SHAPE_STRINGS, false, NULL},
    {"applies", SHAPE_STRING, false, NULL},
    {"needs", SHAPE_STRINGS, false, NULL},
    {"events", SHAPE_MAP_SHORT, false, event_shape},
    {"findings", SHAPE_MAP, true, finding_shape},
    {"params", SHAPE_MAP, false, param_shape},
    {"run", SHAPE_FUNCTION, false, NULL},
    {"lines", SHAPE_LIST, false, rows_shape},
    {NULL, SHAPE_STRING, false, NULL},
};

/* ---- checking ---- */

/* [-0, +0, v] KNOWN says whether a word is one that MEMBER of the tables in MAP may be. */
static void check_words(lua_State *L, const char *map, const char *member,
                        int (*known)(const char *), const char *choices)
{
    if (lua_getfield(L, 1, map) == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            lua_getfield(L, -1, member);
            if (!known(lua_tostring(L, -1)))
                luaL_error(L, "%s '%s': %s '%s' is none of %s", map, lua_tostring(L, -3), member,
                           lua_tostring(L, -1), choices);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

/* [-0, +0, v] Either run or lines; lines become a run. */
static void settle_run(lua_State *L, const char *where)
{
    bool run = lua_getfield(L, 1, "run") != LUA_TNIL;
    bool lines = lua_getfield(L, 1, "lines") != LUA_TNIL;
    if (run == lines)
        luaL_error(L, run ? "%s has both 'run' and 'lines'" : "%s has neither 'run' nor 'lines'",
                   where);
    if (lines) {
        rows_check(L, 1);
        lua_pushcclosure(L, rows_run, 1);
        lua_setfield(L, 1, "run");
    }
}

/* [-1, +1, v] debrief.check{...}: the same table, marked as checked */
static int definition_check(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    const char *where = "check";
    if (lua_getfield(L, 1, "id") == LUA_TSTRING)
        where = lua_pushfstring(L, "check '%s'", lua_tostring(L, -1));
    shape_check(L, 1, check_shape, where);
    check_words(L, "findings", "severity", bind_finding_severity, "error, warning, info");
    check_words(L, "params", "type", params_type, "string, number, bool, duration");
    settle_run(L, where);
    lua_settop(L, 1);
    luaL_setmetatable(L, DEFINITION);
    return 1;
}

void definition_open(lua_State *L)
{
    luaL_newmetatable(L, DEFINITION);
    lua_pop(L, 1);
    lua_pushcfunction(L, definition_check);
    lua_setfield(L, -2, "check");
}

static bool is_check(lua_State *L)
{
    if (!lua_istable(L, -1) || !lua_getmetatable(L, -1))
        return false;
    luaL_getmetatable(L, DEFINITION);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

int definition_count(lua_State *L)
{
    if (is_check(L))
        return 1;
    int len = lua_istable(L, -1) ? (int)lua_rawlen(L, -1) : 0;
    for (int i = 1; i <= len; i++) {
        lua_rawgeti(L, -1, i);
        bool sound = is_check(L);
        lua_pop(L, 1);
        if (!sound)
            return 0;
    }
    return len;
}

void definition_push(lua_State *L, int i)
{
    if (is_check(L))
        lua_pushvalue(L, -1);
    else
        lua_rawgeti(L, -1, i + 1);
}

/* ---- as JSON ---- */

/* [-0, +0, m] The string NAME of the table on top. */
static void put_text(lua_State *L, cJSON *object, const char *name)
{
    if (lua_getfield(L, -1, name) == LUA_TSTRING)
        json_put_str(object, name, lua_tostring(L, -1));
    lua_pop(L, 1);
}

/* [-0, +0, m] */
static void put_texts(lua_State *L, cJSON *object, const char *name)
{
    cJSON *array = json_put_array(object, name);
    if (lua_getfield(L, -1, name) == LUA_TTABLE) {
        for (int i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
            cJSON_AddItemToArray(array, cJSON_CreateString(lua_tostring(L, -1)));
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The row of the table on top, whose key is below it. */
static void fill_event(lua_State *L, cJSON *row)
{
    json_put_str(row, "name", lua_tostring(L, -2));
    if (lua_type(L, -1) == LUA_TSTRING) {
        json_put_str(row, "pattern", lua_tostring(L, -1));
        return;
    }
    put_text(L, row, "pattern");
    lua_getfield(L, -1, "caseless");
    json_put_bool(row, "caseless", lua_toboolean(L, -1));
    lua_pop(L, 1);
}

static void fill_finding(lua_State *L, cJSON *row)
{
    json_put_str(row, "id", lua_tostring(L, -2));
    put_text(L, row, "title");
    put_texts(L, row, "explains");
    lua_getfield(L, -1, "severity");
    json_put_num(row, "worst", bind_finding_severity(lua_tostring(L, -1)));
    lua_pop(L, 1);
}

static void fill_param(lua_State *L, cJSON *row)
{
    char number[32];
    json_put_str(row, "name", lua_tostring(L, -2));
    put_text(L, row, "help");
    lua_getfield(L, -1, "type");
    json_put_num(row, "type", params_type(lua_tostring(L, -1)));
    lua_getfield(L, -2, "default");
    if (lua_type(L, -1) == LUA_TNUMBER) {
        snprintf(number, sizeof number, "%.14g", lua_tonumber(L, -1));
        json_put_str(row, "default", number);
    } else if (lua_isboolean(L, -1)) {
        json_put_str(row, "default", lua_toboolean(L, -1) ? "true" : "false");
    } else {
        json_put_str(row, "default", lua_tostring(L, -1));
    }
    lua_pop(L, 2);
}

static int by_name(const void *a, const void *b)
{
    const cJSON *const *left = a, *const *right = b;
    return strcmp((*left)->child->valuestring, (*right)->child->valuestring);
}

/* Rows stand in the order of their names (their first member): a Lua table has none. */
static void add_sorted(cJSON *array, cJSON **rows, size_t len)
{
    if (len)
        qsort(rows, len, sizeof *rows, by_name);
    for (size_t i = 0; i < len; i++)
        cJSON_AddItemToArray(array, rows[i]);
}

/* [-0, +0, m] */
static void put_map(lua_State *L, cJSON *object, const char *name,
                    void (*fill)(lua_State *, cJSON *))
{
    cJSON *array = json_put_array(object, name), **rows = NULL;
    size_t len = 0;
    if (lua_getfield(L, -1, name) == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            rows = xrealloc(rows, (len + 1) * sizeof *rows);
            rows[len] = cJSON_CreateObject();
            fill(L, rows[len++]);
        }
    }
    lua_pop(L, 1);
    add_sorted(array, rows, len);
    free(rows);
}

cJSON *definition_json(lua_State *L)
{
    static const char *const texts[] = {"id", "title", "version", "applies"};
    cJSON *check = cJSON_CreateObject();
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        put_text(L, check, texts[i]);
    put_texts(L, check, "tags");
    put_texts(L, check, "needs");
    put_map(L, check, "events", fill_event);
    put_map(L, check, "findings", fill_finding);
    put_map(L, check, "params", fill_param);
    return check;
}
