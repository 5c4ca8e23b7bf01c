/* Stage: check, script side. `ev:walk{...}`: a request's way through the configuration, as a table.
 * Deliberately knows nothing of how it is walked: core/reason does. */
#include "reason/walk.h"
#include "script/bind.h"

#include <lauxlib.h>
#include <string.h>

/* [-0, +0, e] Text member NAME of the table at 2; the table keeps it alive. */
static const char *text_of(lua_State *L, const char *name)
{
    int type = lua_getfield(L, 2, name);
    const char *text = type == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    if (type != LUA_TNIL && !text)
        luaL_error(L, "walk{}: '%s' must be a string", name);
    lua_pop(L, 1);
    return text;
}

static bool flag_of(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

static int port_of(lua_State *L)
{
    int whole = 0, type = lua_getfield(L, 2, "port");
    lua_Integer port = lua_tointegerx(L, -1, &whole);
    lua_pop(L, 1);
    if (type != LUA_TNIL && (!whole || port < 1 || port > 65535))
        luaL_error(L, "walk{}: 'port' must be a number from 1 to 65535");
    return (int)port;
}

/* [-0, +0, e] A misspelt member would be a request for something else. */
static void check_names(lua_State *L)
{
    static const char *const names[] = {"listener", "address", "port", "direction",
                                        "method",   "host",    "path", "tls",
                                        "sni",      "alpn",    "tcp"};
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        bool known = false;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            known |= strcmp(names[i], name) == 0;
        if (!known)
            luaL_error(L, "walk{}: unknown key '%s'", name);
    }
}

/* [-0, +1, m] */
static void push_hop(lua_State *L, struct view *view, const struct walk_hop *hop)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, hop->kind);
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, hop->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, hop->why);
    lua_setfield(L, -2, "why");
    bind_evidence_push_record(L, view, hop->record);
    lua_setfield(L, -2, "record");
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text); /* nil for NULL */
    lua_setfield(L, -2, name);
}

/* [-0, +1, m] */
static void push_walk(lua_State *L, struct view *view, const struct walk *walk)
{
    lua_createtable(L, 0, 8);
    lua_createtable(L, walk->len, 0);
    for (int i = 0; i < walk->len; i++) {
        push_hop(L, view, &walk->hops[i]);
        lua_rawseti(L, -2, i + 1);
    }
    if (walk->broke >= 0) {
        lua_rawgeti(L, -1, walk->broke + 1);
        lua_setfield(L, -3, "broke");
    }
    lua_setfield(L, -2, "hops");
    if (walk->status) {
        lua_pushinteger(L, walk->status);
        lua_setfield(L, -2, "status");
    }
    lua_pushinteger(L, walk->number);
    lua_setfield(L, -2, "number");
    set_text(L, "ends", walk_end_word(walk->end));
    set_text(L, "flag", walk->flag);
    set_text(L, "unknown", walk->unknown);
    set_text(L, "depends", walk->depends);
}

int bind_walk(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    check_names(L);
    struct walk_request request = {.listener = text_of(L, "listener"),
                                   .address = text_of(L, "address"),
                                   .port = port_of(L),
                                   .direction = text_of(L, "direction"),
                                   .method = text_of(L, "method"),
                                   .host = text_of(L, "host"),
                                   .path = text_of(L, "path"),
                                   .tls = flag_of(L, "tls"),
                                   .sni = text_of(L, "sni"),
                                   .alpn = text_of(L, "alpn"),
                                   .tcp = flag_of(L, "tcp")};
    const struct walk *walk = walk_request(view, &request);
    bind_evidence_raise(L, view);
    push_walk(L, view, walk);
    return 1;
}
