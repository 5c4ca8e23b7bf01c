/* Stage: check, script side. Gives a script the finding that it reports, to be completed in a chain of
 * calls. Deliberately only translates: what is accepted is the builder's to say. */
#include "script/bind.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "debrief/plugin.h"
#include "reason/walk.h"

#include <lauxlib.h>
#include <string.h>

struct holder {
    struct view *view;
    struct builder_finding *finding;
};

struct word {
    const char *text;
    int value;
};

static const struct word severities[] = {
    {"error", DEBRIEF_ERROR}, {"warning", DEBRIEF_WARNING}, {"info", DEBRIEF_INFO}, {NULL, 0}};
static const struct word confidences[] = {{"certain", DEBRIEF_CERTAIN},
                                          {"likely", DEBRIEF_LIKELY},
                                          {"possible", DEBRIEF_POSSIBLE},
                                          {NULL, 0}};
static const struct word whens[] = {
    {"now", DEBRIEF_NOW}, {"before", DEBRIEF_BEFORE}, {"unknown", DEBRIEF_UNKNOWN}, {NULL, 0}};

static const struct word *find_word(const struct word *words, const char *text)
{
    while (words->text && strcmp(words->text, text) != 0)
        words++;
    return words;
}

int bind_finding_severity(const char *word)
{
    return find_word(severities, word)->value;
}

int bind_finding_confidence(const char *word)
{
    return find_word(confidences, word)->value;
}

void bind_finding_push(lua_State *L, struct view *view, struct builder_finding *finding)
{
    struct holder *holder = lua_newuserdatauv(L, sizeof *holder, 0);
    *holder = (struct holder){view, finding};
    luaL_setmetatable(L, BIND_FINDING);
}

static struct holder *self(lua_State *L)
{
    return luaL_checkudata(L, 1, BIND_FINDING);
}

/* [-n, +1, e] Ends a method: the finding itself, for the next call of the chain. */
static int chain(lua_State *L, const struct holder *holder)
{
    bind_evidence_raise(L, holder->view);
    lua_settop(L, 1);
    return 1;
}

static int check_word(lua_State *L, const struct word *words)
{
    const struct word *word = find_word(words, luaL_checkstring(L, 2));
    if (!word->text)
        luaL_argerror(L, 2,
                      lua_pushfstring(L, "'%s' is none of %s, %s, %s", lua_tostring(L, 2),
                                      words[0].text, words[1].text, words[2].text));
    return word->value;
}

/* [-2, +1, e] finding:severity(word) */
static int finding_severity(lua_State *L)
{
    const struct holder *holder = self(L);
    builder_severity(holder->finding, check_word(L, severities));
    return chain(L, holder);
}

/* [-2, +1, e] finding:confidence(word) */
static int finding_confidence(lua_State *L)
{
    const struct holder *holder = self(L);
    builder_confidence(holder->finding, check_word(L, confidences));
    return chain(L, holder);
}

/* [-2, +1, e] finding:when(word) */
static int finding_when(lua_State *L)
{
    const struct holder *holder = self(L);
    builder_when(holder->finding, check_word(L, whens));
    return chain(L, holder);
}

/* [-2, +1, e] finding:cite(record); nil is ignored, and a text that stood where a record should */
static int finding_cite(lua_State *L)
{
    const struct holder *holder = self(L);
    if (!lua_isnoneornil(L, 2) && lua_type(L, 2) != LUA_TSTRING)
        builder_cite(holder->finding, bind_evidence_record(L, 2)->record);
    return chain(L, holder);
}

/* [-0, +1, e] The number NAME of the table at 2, 0 when it is not there. */
static double span_part(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name);
    if (!lua_isnil(L, -1) && !lua_isnumber(L, -1))
        luaL_error(L, "span{}: '%s' is no number", name);
    double value = lua_tonumber(L, -1);
    return value > 0 && value < 9e9 ? value : 0;
}

/* [-2, +1, e] finding:span{ first = seconds, last = seconds, count = n } */
static int finding_span(lua_State *L)
{
    const struct holder *holder = self(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    double first = span_part(L, "first"), last = span_part(L, "last");
    double count = span_part(L, "count");
    builder_span(holder->finding, (int64_t)(first * (double)CLOCK_SECOND),
                 (int64_t)(last * (double)CLOCK_SECOND), (uint64_t)count);
    return chain(L, holder);
}

/* [-(2..3), +1, e] finding:advise(text[, command]) */
static int finding_advise(lua_State *L)
{
    const struct holder *holder = self(L);
    builder_advise(holder->finding, luaL_checkstring(L, 2), luaL_optstring(L, 3, NULL));
    return chain(L, holder);
}

/* [-4, +1, e] finding:snippet(text, path, content) */
static int finding_snippet(lua_State *L)
{
    const struct holder *holder = self(L);
    builder_snippet(holder->finding, luaL_checkstring(L, 2), luaL_checkstring(L, 3),
                    luaL_checkstring(L, 4));
    return chain(L, holder);
}

/* [-2, +1, e] finding:reference(url) */
static int finding_reference(lua_State *L)
{
    const struct holder *holder = self(L);
    builder_reference(holder->finding, luaL_checkstring(L, 2));
    return chain(L, holder);
}

static const char *candidate_part(lua_State *L, const char *name)
{
    if (!lua_istable(L, 3))
        return NULL;
    int type = lua_getfield(L, 3, name);
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(L, "candidate: '%s' is no string", name);
    return lua_tostring(L, -1);
}

/* [-(2..3), +1, e] finding:candidate(id[, { ["for"] = text, against = text }]) */
static int finding_candidate(lua_State *L)
{
    const struct holder *holder = self(L);
    const char *id = luaL_checkstring(L, 2);
    if (!lua_isnoneornil(L, 3))
        luaL_checktype(L, 3, LUA_TTABLE);
    const char *pro = candidate_part(L, "for"), *contra = candidate_part(L, "against");
    builder_candidate(holder->finding, id, pro, contra);
    return chain(L, holder);
}

/* [-2, +1, e] finding:walked(walk) */
static int finding_walked(lua_State *L)
{
    const struct holder *holder = self(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "number");
    const struct walk *walk = walk_find(holder->view, (int)lua_tointeger(L, -1));
    if (!walk)
        luaL_argerror(L, 2, "is no walk: ev:walk{} makes them");
    builder_walked(holder->finding, walk);
    return chain(L, holder);
}

static const luaL_Reg finding_methods[] = {
    {"severity", finding_severity},
    {"confidence", finding_confidence},
    {"when", finding_when},
    {"cite", finding_cite},
    {"span", finding_span},
    {"advise", finding_advise},
    {"snippet", finding_snippet},
    {"reference", finding_reference},
    {"candidate", finding_candidate},
    {"walked", finding_walked},
    {NULL, NULL},
};

void bind_finding_open(lua_State *L)
{
    bind_evidence_metatable(L, BIND_FINDING, finding_methods);
    lua_pop(L, 1);
}
