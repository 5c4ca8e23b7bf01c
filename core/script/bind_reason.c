/* Stage: check, script side. The services that reason over evidence: `ev:iam` and `ev:path`. Reads a
 * table of texts, writes decision, sentence and record. Deliberately holds no reasoning of its own. */
#include "script/bind.h"

#include "reason/iam.h"
#include "reason/network.h"
#include "script/shape.h"

#include <lauxlib.h>

/* [-0, +1, m] Member NAME of the table at 2 or NULL; it stays on the stack, and so alive. */
static const char *option(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name);
    return lua_tostring(L, -1);
}

/* [-0, +4, e] decision, why, record, reason */
static int push_answer(lua_State *L, struct view *view, const struct answer *answer,
                       const char *yes, const char *no)
{
    bind_evidence_raise(L, view);
    lua_pushstring(L, answer->decision == ANSWER_YES  ? yes
                      : answer->decision == ANSWER_NO ? no
                                                      : "undecidable");
    lua_pushstring(L, answer->why);
    bind_evidence_push_part(L, view, answer->record);
    lua_pushstring(L, answer->reason);
    return 4;
}

/* [-2, +4, e] ev:iam{ role = , action = , resource = , endpoint = } */
int bind_reason_iam(lua_State *L)
{
    static const struct shape_key shape[] = {{"role", SHAPE_STRING, false, NULL},
                                             {"action", SHAPE_STRING, true, NULL},
                                             {"resource", SHAPE_STRING, true, NULL},
                                             {"endpoint", SHAPE_STRING, false, NULL},
                                             {NULL, SHAPE_STRING, false, NULL}};
    struct view *view = bind_evidence_view(L, 1);
    struct answer answer;
    shape_check(L, 2, shape, "iam{}");
    struct iam_question question = {.role = option(L, "role"),
                                    .action = option(L, "action"),
                                    .resource = option(L, "resource"),
                                    .endpoint = option(L, "endpoint")};
    if (!question.role && !question.endpoint)
        return luaL_error(L, "iam{} needs a role, an endpoint, or both");
    iam_ask(view, &question, &answer);
    return push_answer(L, view, &answer, "granted", "denied");
}

/* [-2, +4, e] ev:path{ from = , to = , port = , protocol = "tcp" } */
int bind_reason_path(lua_State *L)
{
    static const struct shape_key shape[] = {{"from", SHAPE_STRING, true, NULL},
                                             {"to", SHAPE_STRING, true, NULL},
                                             {"port", SHAPE_SCALAR, true, NULL},
                                             {"protocol", SHAPE_STRING, false, NULL},
                                             {NULL, SHAPE_STRING, false, NULL}};
    struct view *view = bind_evidence_view(L, 1);
    struct answer answer;
    shape_check(L, 2, shape, "path{}");
    lua_getfield(L, 2, "port");
    lua_Integer port = lua_tointeger(L, -1);
    if (port < 0 || port > 65535)
        return luaL_error(L, "'port' must be 0 to 65535");
    struct network_question question = {.from = option(L, "from"),
                                        .to = option(L, "to"),
                                        .port = (int)port,
                                        .protocol = option(L, "protocol")};
    network_ask(view, &question, &answer);
    return push_answer(L, view, &answer, "open", "closed");
}
