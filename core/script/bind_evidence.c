/* Stage: check, script side. Gives a script its evidence through the check's view, as userdata that
 * reads lazily. Deliberately copies no tree into Lua: a record is a pointer, a field a string. */
#include "script/bind.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "check/params.h"
#include "debrief/plugin.h"

#include <lauxlib.h>
#include <string.h>

void bind_evidence_metatable(lua_State *L, const char *name, const void *methods)
{
    luaL_newmetatable(L, name);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
}

void bind_evidence_push(lua_State *L, struct view *view)
{
    struct view **holder = lua_newuserdatauv(L, sizeof(struct view *), 0);
    *holder = view;
    luaL_setmetatable(L, BIND_EVIDENCE);
}

struct view *bind_evidence_view(lua_State *L, int index)
{
    return *(struct view **)luaL_checkudata(L, index, BIND_EVIDENCE);
}

static void push_record(lua_State *L, struct view *view, const struct record *record, bool element)
{
    struct bind_record *holder = lua_newuserdatauv(L, sizeof *holder, 0);
    *holder = (struct bind_record){view, record, element};
    luaL_setmetatable(L, BIND_RECORD);
}

void bind_evidence_push_record(lua_State *L, struct view *view, const struct record *record)
{
    if (record)
        push_record(L, view, record, false);
    else
        lua_pushnil(L);
}

void bind_evidence_push_part(lua_State *L, struct view *view, const struct record *record)
{
    if (record && !record->cells)
        push_record(L, view, record, true);
    else
        bind_evidence_push_record(L, view, record);
}

struct bind_record *bind_evidence_record(lua_State *L, int index)
{
    return luaL_checkudata(L, index, BIND_RECORD);
}

void bind_evidence_raise(lua_State *L, struct view *view)
{
    if (!builder_fault(view->builder))
        return;
    luaL_where(L, 1);
    builder_place_fault(view->builder, lua_tostring(L, -1));
    lua_pop(L, 1);
    lua_pushstring(L, builder_fault(view->builder));
    lua_error(L);
}

/* ---- records ---- */

static const char *field_text(lua_State *L, const struct bind_record *holder, const char *field,
                              char buf[32])
{
    if (holder->element)
        return json_scalar(holder->record->doc, field, buf);
    const char *text = view_text(holder->view, holder->record, field);
    bind_evidence_raise(L, holder->view);
    return text;
}

/* [-2, +1, e] record.column, record["path.into.document"] */
static int record_index(lua_State *L)
{
    char buf[32];
    const struct bind_record *holder = bind_evidence_record(L, 1);
    lua_pushstring(L, field_text(L, holder, luaL_checkstring(L, 2), buf)); /* nil for NULL */
    return 1;
}

/* ---- walking ---- */

enum { BEFORE = 1, EV, NAME, FIELD, VALUE }; /* upvalues of the iterator; FIELD may be nil */

/* [-0, +1, e] */
static int next_record(lua_State *L)
{
    struct view *view = bind_evidence_view(L, lua_upvalueindex(EV));
    const char *name = lua_tostring(L, lua_upvalueindex(NAME));
    const char *field = lua_tostring(L, lua_upvalueindex(FIELD));
    const char *value = lua_tostring(L, lua_upvalueindex(VALUE));
    const struct bind_record *holder = lua_touserdata(L, lua_upvalueindex(BEFORE));
    const struct record *before = holder ? holder->record : NULL;
    const struct record *record = field ? view_next_with(view, name, field, value, before)
                                        : view_next(view, name, before);
    bind_evidence_raise(L, view);
    bind_evidence_push_record(L, view, record);
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(BEFORE));
    return 1;
}

/* [-4, +1, e] ev:each(name), ev:each(name, field, value) */
static int ev_each(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    lua_settop(L, 4);
    view_state(view, luaL_checkstring(L, 2)); /* an unknown name is told here, not in the loop */
    bind_evidence_raise(L, view);
    luaL_optstring(L, 3, NULL);
    luaL_optstring(L, 4, NULL);
    lua_pushnil(L);
    lua_insert(L, BEFORE);
    lua_pushcclosure(L, next_record, VALUE);
    return 1;
}

/* [-2, +1, e] ev:first(name) */
static int ev_first(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    const struct record *record = view_next(view, luaL_checkstring(L, 2), NULL);
    bind_evidence_raise(L, view);
    bind_evidence_push_record(L, view, record);
    return 1;
}

/* [-2, +1, e] ev:last(name) */
static int ev_last(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    const char *name = luaL_checkstring(L, 2);
    const struct record *last = NULL;
    for (const struct record *r = NULL; (r = view_next(view, name, r));)
        last = r;
    bind_evidence_raise(L, view);
    bind_evidence_push_record(L, view, last);
    return 1;
}

/* [-2, +1, e] ev:count(name) */
static int ev_count(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    uint64_t count = view_count(view, luaL_checkstring(L, 2));
    bind_evidence_raise(L, view);
    lua_pushinteger(L, (lua_Integer)count);
    return 1;
}

/* [-2, +1, e] ev:state(name) */
static int ev_state(lua_State *L)
{
    static const char *const words[] = {
        [EVIDENCE_ABSENT] = "absent",
        [EVIDENCE_PARTIAL] = "partial",
        [EVIDENCE_COMPLETE] = "complete",
    };
    struct view *view = bind_evidence_view(L, 1);
    enum evidence_state state = view_state(view, luaL_checkstring(L, 2));
    bind_evidence_raise(L, view);
    lua_pushstring(L, words[state]);
    return 1;
}

/* ---- fields ---- */

/* An element of an array may be a text where an object was expected: it has no members. */
static bool is_element_text(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TSTRING;
}

/* [-3, +1, e] ev:number(record, column) */
static int ev_number(lua_State *L)
{
    char buf[32];
    double value;
    bind_evidence_view(L, 1);
    const char *column = luaL_checkstring(L, 3), *text = NULL;
    if (!is_element_text(L, 2))
        text = field_text(L, bind_evidence_record(L, 2), column, buf);
    if (text && str_to_double(text, &value))
        lua_pushnumber(L, value);
    else
        lua_pushnil(L);
    return 1;
}

static void push_seconds(lua_State *L, int64_t ns)
{
    if (ns)
        lua_pushnumber(L, (double)ns / (double)CLOCK_SECOND);
    else
        lua_pushnil(L);
}

/* [-2, +1, e] ev:time(record) */
static int ev_time(lua_State *L)
{
    bind_evidence_view(L, 1);
    push_seconds(L, bind_evidence_record(L, 2)->record->time);
    return 1;
}

static void push_element(lua_State *L, const struct bind_record *holder, const cJSON *item,
                         const char *pointer)
{
    char buf[32];
    struct buf excerpt;
    if (!cJSON_IsObject(item) && !cJSON_IsArray(item)) {
        lua_pushstring(L, json_scalar(item, "", buf));
        return;
    }
    struct arena *arena = holder->view->scratch;
    struct record *element = arena_alloc(arena, sizeof *element);
    buf_init(&excerpt, 1024);
    json_write(&excerpt, item, false);
    *element = *holder->record;
    element->doc = item;
    element->pointer = pointer;
    element->cells = NULL;
    element->excerpt = arena_strdup(arena, buf_str(&excerpt));
    buf_release(&excerpt);
    push_record(L, holder->view, element, true);
}

/* Where element AT of the array at PATH ("spec.containers[0].ports") stands: a JSON pointer. */
static const char *element_pointer(const struct bind_record *holder, const char *path, long long at)
{
    const char *base = holder->record->pointer;
    char *text = arena_printf(holder->view->scratch, "%s%s%s/%lld", base ? base : "",
                              *path ? "/" : "", path, at);
    char *to = text + (base ? strlen(base) : 0);
    for (const char *from = to; *from; from++)
        if (*from != ']')
            *to++ = *from == '.' || *from == '[' ? '/' : *from;
    *to = '\0';
    return text;
}

/* [-0, +1, e] Upvalues: the record, the array's path, the place, the element there (NULL at the end). */
static int next_item(lua_State *L)
{
    const struct bind_record *holder = lua_touserdata(L, lua_upvalueindex(1));
    const char *path = lua_tostring(L, lua_upvalueindex(2));
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));
    const cJSON *item = lua_touserdata(L, lua_upvalueindex(4));
    for (; item && cJSON_IsNull(item); at++) /* nil would end the loop */
        item = item->next;
    if (!item)
        return 0;
    lua_pushinteger(L, at + 1);
    lua_replace(L, lua_upvalueindex(3));
    lua_pushlightuserdata(L, item->next);
    lua_replace(L, lua_upvalueindex(4));
    push_element(L, holder, item, element_pointer(holder, path, (long long)at));
    return 1;
}

/* [-3, +1, e] ev:items(record, path): the elements of a document's array */
static int ev_items(lua_State *L)
{
    bind_evidence_view(L, 1);
    const char *path = luaL_checkstring(L, 3);
    const cJSON *array = NULL;
    if (!is_element_text(L, 2))
        array = json_at(bind_evidence_record(L, 2)->record->doc, path);
    lua_settop(L, 3);
    lua_pushinteger(L, 0);
    lua_pushlightuserdata(L, array ? array->child : NULL);
    lua_pushcclosure(L, next_item, 4);
    return 1;
}

/* [-3, +1, e] ev:keys(record, path): the names of the members of a document's object, in its order */
static int ev_keys(lua_State *L)
{
    bind_evidence_view(L, 1);
    const char *path = luaL_checkstring(L, 3);
    const cJSON *object = NULL, *member;
    lua_Integer at = 0;
    if (!is_element_text(L, 2))
        object = json_at(bind_evidence_record(L, 2)->record->doc, path);
    lua_newtable(L);
    if (!cJSON_IsObject(object))
        return 1;
    cJSON_ArrayForEach (member, object) {
        lua_pushstring(L, member->string);
        lua_rawseti(L, -2, ++at);
    }
    return 1;
}

/* [-2, +2, e] ev:stat(name): its value and record, or nil */
static int ev_stat(lua_State *L)
{
    double number;
    struct view *view = bind_evidence_view(L, 1);
    const struct record *record = view_find(view, "stats", luaL_checkstring(L, 2));
    const char *value = record ? view_text(view, record, "value") : NULL;
    bind_evidence_raise(L, view);
    if (value && str_to_double(value, &number))
        lua_pushnumber(L, number);
    else
        lua_pushstring(L, value);
    bind_evidence_push_record(L, view, value ? record : NULL);
    return 2;
}

/* ---- the rest ---- */

/* [-2, +1, e] ev:param(name): string, number, boolean; a duration in seconds */
static int ev_param(lua_State *L)
{
    int type = 0;
    struct view *view = bind_evidence_view(L, 1);
    const char *value = view_param(view, luaL_checkstring(L, 2), &type);
    bind_evidence_raise(L, view);
    if (type == DEBRIEF_STRING)
        lua_pushstring(L, value);
    else if (type == DEBRIEF_BOOL)
        lua_pushboolean(L, params_number(type, value) != 0);
    else
        lua_pushnumber(L, params_number(type, value));
    return 1;
}

/* [-1, +3, e] ev:now(): when the evidence was gathered, whether by asking, and the time of this run */
static int ev_now(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    push_seconds(L, view->gathered);
    lua_pushboolean(L, view->asked);
    push_seconds(L, clock_now());
    return 3;
}

/* [-0, +1, e] The member NAME of the table at 2, which must be a string. */
static const char *ask_part(lua_State *L, const char *name)
{
    if (lua_getfield(L, 2, name) != LUA_TSTRING)
        luaL_error(L, "ask{} needs evidence, why and how, all of them strings");
    return lua_tostring(L, -1);
}

/* [-2, +0, e] ev:ask{ evidence = , why = , how = } */
static int ev_ask(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    const char *evidence = ask_part(L, "evidence"), *why = ask_part(L, "why");
    builder_ask(view->builder, evidence, why, ask_part(L, "how"));
    bind_evidence_raise(L, view);
    return 0;
}

/* [-2, +0, e] ev:not_applicable(reason) */
static int ev_not_applicable(lua_State *L)
{
    builder_not_applicable(bind_evidence_view(L, 1)->builder, luaL_checkstring(L, 2));
    return 0;
}

/* [-(4 + n), +1, e] ev:report(id, kind, name, format, ...): a finding. Without further values the
 * format is taken as it is, so that texts of the evidence may hold '%'. */
static int ev_report(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    const char *id = luaL_checkstring(L, 2), *kind = luaL_checkstring(L, 3);
    const char *name = luaL_optstring(L, 4, NULL);
    luaL_checkstring(L, 5);
    if (lua_gettop(L) > 5) {
        lua_pushvalue(L, lua_upvalueindex(1)); /* string.format */
        lua_insert(L, 5);
        lua_call(L, lua_gettop(L) - 5, 1);
    }
    struct builder_finding *finding = builder_report(view->builder, id, kind, name,
                                                     lua_tostring(L, 5));
    bind_evidence_raise(L, view);
    bind_finding_push(L, view, finding);
    return 1;
}

static const luaL_Reg evidence_methods[] = {
    {"each", ev_each},
    {"first", ev_first},
    {"last", ev_last},
    {"count", ev_count},
    {"state", ev_state},
    {"number", ev_number},
    {"time", ev_time},
    {"items", ev_items},
    {"keys", ev_keys},
    {"stat", ev_stat},
    {"param", ev_param},
    {"now", ev_now},
    {"ask", ev_ask},
    {"walk", bind_walk},
    {"report", NULL}, /* has an upvalue */
    {"not_applicable", ev_not_applicable},
    {"iam", bind_reason_iam},
    {"path", bind_reason_path},
    {"fact", bind_pick_fact},
    {"pick", bind_pick},
    {NULL, NULL},
};

void bind_evidence_open(lua_State *L)
{
    static const luaL_Reg none[] = {{NULL, NULL}};
    bind_evidence_metatable(L, BIND_EVIDENCE, evidence_methods);
    lua_getfield(L, -1, "__index");
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_remove(L, -2);
    lua_pushcclosure(L, ev_report, 1);
    lua_setfield(L, -2, "report");
    lua_pop(L, 2);
    bind_evidence_metatable(L, BIND_RECORD, none);
    lua_pushcfunction(L, record_index);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
