/* Stage: check, script side. Checks tables that scripts write against their shape, and says what is
 * wrong so that the author sees it at once: an unknown key is an error, with the key that was meant. */
#include "script/shape.h"

#include <lauxlib.h>
#include <string.h>

enum { WORD_MAX = 24 };

static int least(int a, int b, int c)
{
    int smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* How many letters must change to make B of A (Levenshtein); large for long words. */
static int distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    int row[WORD_MAX + 1];
    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            int above = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

static const struct shape_key *find_key(const struct shape_key *shape, const char *name)
{
    for (; shape->name; shape++)
        if (strcmp(shape->name, name) == 0)
            return shape;
    return NULL;
}

static void refuse_key(lua_State *L, const struct shape_key *shape, const char *name,
                       const char *where)
{
    const struct shape_key *nearest = NULL;
    int best = 3;
    for (const struct shape_key *key = shape; key->name; key++) {
        int far = distance(name, key->name);
        if (far < best) {
            best = far;
            nearest = key;
        }
    }
    if (nearest)
        luaL_error(L, "%s: unknown key '%s': did you mean '%s'?", where, name, nearest->name);
    luaL_error(L, "%s: unknown key '%s'", where, name);
}

/* [-0, +0, v] */
static void check_type(lua_State *L, bool fits, const char *wanted, const char *where)
{
    if (!fits)
        luaL_error(L, "%s must be %s, not %s", where, wanted, luaL_typename(L, -1));
}

/* [-0, +0, v] The table on top holds strings (and is keyed by 1, 2, 3 ... when it is a LIST). */
static void check_strings(lua_State *L, bool list, const char *where)
{
    check_type(L, lua_istable(L, -1), list ? "a list of strings" : "a table of strings", where);
    lua_Integer len = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        check_type(L, lua_type(L, -1) == LUA_TSTRING, "strings throughout", where);
        len++;
        if (lua_type(L, -2) != (list ? LUA_TNUMBER : LUA_TSTRING))
            luaL_error(L, list ? "%s must be a list" : "%s must have names as keys", where);
    }
    if (list && (lua_Integer)lua_rawlen(L, -1) != len)
        luaL_error(L, "%s must be a list without gaps", where);
}

/* [-0, +0, v] */
static void check_list(lua_State *L, const struct shape_key *shape, const char *where)
{
    check_type(L, lua_istable(L, -1), "a list", where);
    lua_Integer len = (lua_Integer)lua_rawlen(L, -1);
    lua_Integer pairs = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        pairs++;
    if (pairs != len)
        luaL_error(L, "%s must be a list without gaps", where);
    for (lua_Integer i = 1; i <= len; i++) {
        lua_geti(L, -1, i);
        const char *place = lua_pushfstring(L, "%s[%d]", where, (int)i);
        lua_insert(L, -2);
        shape_check(L, lua_gettop(L), shape, place);
        lua_pop(L, 2);
    }
}

/* [-0, +0, v] */
static void check_map(lua_State *L, const struct shape_key *shape, bool shorthand,
                      const char *where)
{
    check_type(L, lua_istable(L, -1), "a table", where);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "%s must have names as keys", where);
        if (shorthand && lua_type(L, -1) == LUA_TSTRING)
            continue;
        const char *place = lua_pushfstring(L, "%s '%s'", where, lua_tostring(L, -2));
        lua_insert(L, -2);
        shape_check(L, lua_gettop(L), shape, place);
        lua_remove(L, -2);
    }
}

/* [-0, +0, v] The value on top. */
static void check_value(lua_State *L, const struct shape_key *key, const char *where)
{
    int type = lua_type(L, -1);
    switch (key->kind) {
    case SHAPE_STRING:
        check_type(L, type == LUA_TSTRING, "a string", where);
        break;
    case SHAPE_BOOL:
        check_type(L, type == LUA_TBOOLEAN, "true or false", where);
        break;
    case SHAPE_SCALAR:
        check_type(L, type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN,
                   "a string, a number, true or false", where);
        break;
    case SHAPE_FUNCTION:
        check_type(L, type == LUA_TFUNCTION, "a function", where);
        break;
    case SHAPE_STRINGS:
    case SHAPE_TEXTS:
        check_strings(L, key->kind == SHAPE_STRINGS, where);
        break;
    case SHAPE_TABLE:
        shape_check(L, lua_gettop(L), key->shape, where);
        break;
    case SHAPE_LIST:
        check_list(L, key->shape, where);
        break;
    case SHAPE_MAP:
    case SHAPE_MAP_SHORT:
        check_map(L, key->shape, key->kind == SHAPE_MAP_SHORT, where);
        break;
    }
}

void shape_check(lua_State *L, int index, const struct shape_key *shape, const char *where)
{
    luaL_checkstack(L, 12, "too deep a table");
    if (!lua_istable(L, index))
        luaL_error(L, "%s must be a table, not %s", where, luaL_typename(L, index));
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        if (!name)
            luaL_error(L, "%s: its keys must be names", where);
        const struct shape_key *key = find_key(shape, name);
        if (!key)
            refuse_key(L, shape, name, where);
        const char *place = lua_pushfstring(L, "%s: '%s'", where, name);
        lua_insert(L, -2);
        check_value(L, key, place);
        lua_remove(L, -2);
    }
    for (; shape->name; shape++) {
        if (shape->required && lua_getfield(L, index, shape->name) == LUA_TNIL)
            luaL_error(L, "%s: '%s' is missing", where, shape->name);
        if (shape->required)
            lua_pop(L, 1);
    }
}
