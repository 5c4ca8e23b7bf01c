/* Stage: check, script side. The way in: a file becomes metadata, or one of its checks is asked.
 * Deliberately makes a fresh state each time: nothing a script leaves behind reaches another check or
 * another target. */
#include "script/script.h"

#include "base/json.h"
#include "script/bind.h"
#include "script/definition.h"
#include "script/sandbox.h"
#include "script/use.h"

#include <lauxlib.h>

/* [-0, +0, m] */
static int open_api(lua_State *L)
{
    bind_evidence_open(L);
    bind_finding_open(L);
    lua_newtable(L);
    bind_tools_open(L);
    bind_registry_open(L);
    definition_open(L);
    use_open(L);
    lua_setglobal(L, "debrief");
    return 0;
}

/* [-0, +1 or 0, -] Runs the script's top level; what it returns is on the stack. */
static bool run_script(struct sandbox *sandbox, const char *path, struct err *err)
{
    lua_State *L = sandbox_state(sandbox);
    lua_pushcfunction(L, open_api);
    if (!sandbox_call(sandbox, 0, 0, err) || !sandbox_load(sandbox, path, err) ||
        !sandbox_call(sandbox, 0, 1, err))
        return false;
    if (definition_count(L) > 0)
        return true;
    lua_pop(L, 1);
    return err_set(err, "it does not return debrief.check{...} or a list of them");
}

/* [-2, +0, m] (checks, the plugin's JSON as a light userdata) */
static int describe(lua_State *L)
{
    cJSON *plugin = lua_touserdata(L, 2);
    lua_settop(L, 1);
    cJSON *checks = json_put_array(plugin, "checks");
    int len = definition_count(L);
    for (int i = 0; i < len; i++) {
        definition_push(L, i);
        cJSON_AddItemToArray(checks, definition_json(L));
        lua_pop(L, 1);
    }
    const char *version = json_str(checks->child, "version");
    json_put_str(plugin, "version", version);
    return 0;
}

cJSON *script_describe(const char *path, int64_t deadline, struct err *err)
{
    cJSON *plugin = NULL;
    struct sandbox *sandbox = sandbox_new(deadline);
    lua_State *L = sandbox_state(sandbox);
    if (run_script(sandbox, path, err)) {
        plugin = cJSON_CreateObject();
        lua_pushcfunction(L, describe);
        lua_insert(L, -2);
        lua_pushlightuserdata(L, plugin);
        if (!sandbox_call(sandbox, 2, 0, err)) {
            cJSON_Delete(plugin);
            plugin = NULL;
        }
    }
    sandbox_free(sandbox);
    return plugin;
}

struct question {
    size_t index;
    struct view *view;
};

/* [-2, +0, e] (checks, the question as a light userdata) */
static int ask(lua_State *L)
{
    const struct question *question = lua_touserdata(L, 2);
    lua_settop(L, 1);
    if (question->index >= (size_t)definition_count(L))
        return luaL_error(L, "the script has changed since it was looked into: run again");
    definition_push(L, (int)question->index);
    lua_getfield(L, -1, "run");
    bind_evidence_push(L, question->view);
    lua_call(L, 1, 0);
    return 0;
}

void script_run(const char *path, size_t index, struct view *view)
{
    struct err err = ERR_INIT;
    struct question question = {index, view};
    struct sandbox *sandbox = sandbox_new(view->soft_deadline);
    lua_State *L = sandbox_state(sandbox);
    bool sound = run_script(sandbox, path, &err);
    if (sound) {
        lua_pushcfunction(L, ask);
        lua_insert(L, -2);
        lua_pushlightuserdata(L, &question);
        sound = sandbox_call(sandbox, 2, 0, &err);
    }
    if (!sound)
        builder_set_fault(view->builder, "%s", err.text);
    sandbox_free(sandbox);
}
