/* Stage: check, script side. Runs a check that is a table: for each record of an event, the first row
 * whose conditions hold becomes a finding. Deliberately has no way to decide more than that: what needs
 * a second thought is a function. */
#include "script/rows.h"

#include "base/buf.h"
#include "base/regex.h"
#include "base/str.h"
#include "evidence/dictionary.h"
#include "script/bind.h"

#include <lauxlib.h>
#include <string.h>

enum { TEXT_MAX = 16384, COLUMN_MAX = 64 };

static const struct shape_key subject_shape[] = {
    {"kind", SHAPE_STRING, true, NULL},
    {"name", SHAPE_STRING, true, NULL},
    {NULL, SHAPE_STRING, false, NULL},
};

static const struct shape_key fix_shape[] = {
    {"text", SHAPE_STRING, true, NULL},  {"command", SHAPE_STRING, false, NULL},
    {"path", SHAPE_STRING, false, NULL}, {"snippet", SHAPE_STRING, false, NULL},
    {NULL, SHAPE_STRING, false, NULL},
};

static const struct shape_key candidate_shape[] = {
    {"id", SHAPE_STRING, true, NULL},
    {"for", SHAPE_STRING, false, NULL},
    {"against", SHAPE_STRING, false, NULL},
    {NULL, SHAPE_STRING, false, NULL},
};

static const struct shape_key ask_shape[] = {
    {"evidence", SHAPE_STRING, true, NULL},
    {"why", SHAPE_STRING, true, NULL},
    {"how", SHAPE_STRING, true, NULL},
    {NULL, SHAPE_STRING, false, NULL},
};

const struct shape_key rows_shape[] = {
    {"event", SHAPE_STRING, true, NULL},        {"when", SHAPE_TEXTS, false, NULL},
    {"finding", SHAPE_STRING, true, NULL},      {"subject", SHAPE_TABLE, true, subject_shape},
    {"message", SHAPE_STRING, true, NULL},      {"confidence", SHAPE_STRING, false, NULL},
    {"severity", SHAPE_STRING, false, NULL},    {"fix", SHAPE_LIST, false, fix_shape},
    {"references", SHAPE_STRINGS, false, NULL}, {"candidates", SHAPE_LIST, false, candidate_shape},
    {"ask", SHAPE_TABLE, false, ask_shape},     {NULL, SHAPE_STRING, false, NULL},
};

/* [-0, +1, m] The string NAME of the table at INDEX; NULL when it is not there. */
static const char *text_of(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    return lua_tostring(L, -1);
}

/* ---- placeholders: %{image|repository} ---- */

/* Called for each column of a placeholder; true ends the placeholder. */
typedef bool column_fn(void *user, const char *column);

/* The columns between TEXT ("%{") and the closing brace; returns what follows, NULL: no brace. */
static const char *each_column(const char *text, column_fn *fn, void *user)
{
    const char *at = text + 2, *end = strchr(at, '}');
    bool done = false;
    while (end && at < end && !done) {
        char column[COLUMN_MAX];
        size_t len = strcspn(at, "|}");
        size_t kept = len < COLUMN_MAX ? len : COLUMN_MAX - 1;
        memcpy(column, at, kept);
        column[kept] = '\0';
        done = fn(user, column);
        at += len + 1;
    }
    return end ? end + 1 : NULL;
}

struct expansion {
    const struct bind_record *holder;
    struct buf *out;
};

static bool add_column(void *user, const char *column)
{
    struct expansion *expansion = user;
    const struct bind_record *holder = expansion->holder;
    const char *value = view_text(holder->view, holder->record, column);
    if (value && *value)
        buf_adds(expansion->out, value);
    return value && *value;
}

/* [-0, +1, m] TEMPLATE with its placeholders filled from the record; NULL for NULL. */
static const char *expand(lua_State *L, const struct bind_record *holder, const char *template)
{
    struct buf out;
    struct expansion expansion = {.holder = holder, .out = &out};
    if (!template) {
        lua_pushnil(L);
        return NULL;
    }
    buf_init(&out, TEXT_MAX);
    while (*template) {
        const char *next = str_starts(template, "%{") ? template : NULL;
        size_t before = out.len;
        if (next)
            next = each_column(template, add_column, &expansion);
        if (!next) {
            buf_addch(&out, *template ++);
            continue;
        }
        if (out.len == before)
            buf_adds(&out, "unknown");
        template = next;
    }
    lua_pushlstring(L, buf_str(&out), out.len);
    buf_release(&out);
    return lua_tostring(L, -1);
}

/* [-0, +2, m] The member NAME of the table at INDEX, expanded. */
static const char *expanded(lua_State *L, const struct bind_record *holder, int index,
                            const char *name)
{
    return expand(L, holder, text_of(L, index, name));
}

/* ---- checking ---- */

struct checking { /* one row */
    lua_State *L;
    int check, row; /* stack indices of the tables */
    int number;
    const char *event;
    struct regex *regex; /* of an event of the check's own; NULL */
};

static void refuse(struct checking *checking, const char *what, const char *name)
{
    regex_free(checking->regex);
    luaL_error(checking->L, "lines[%d]: %s '%s'", checking->number, what, name);
}

static bool has_column(const struct dictionary_column *columns, const char *name)
{
    for (; columns->name; columns++)
        if (strcmp(columns->name, name) == 0)
            return true;
    return false;
}

static bool has_group(const struct regex *regex, const char *name)
{
    for (int i = 1; i <= regex_groups(regex); i++)
        if (regex_group_name(regex, i) && strcmp(regex_group_name(regex, i), name) == 0)
            return true;
    return false;
}

static bool check_column(void *user, const char *column)
{
    struct checking *checking = user;
    const struct dictionary_row *row = dictionary_find(checking->event);
    bool known = checking->regex ? has_column(dictionary_event_columns(), column) ||
                                       has_group(checking->regex, column)
                                 : !row || has_column(row->columns, column);
    if (!known)
        refuse(checking, "its event has no column", column);
    return false;
}

/* Every string of the row, however deep, may hold placeholders. */
static void check_placeholders(struct checking *checking, int index)
{
    lua_State *L = checking->L;
    luaL_checkstack(L, 6, "too deep a table");
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_istable(L, -1)) {
            check_placeholders(checking, lua_gettop(L));
            continue;
        }
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        while (text && (text = strstr(text, "%{"))) {
            const char *rest = each_column(text, check_column, checking);
            if (!rest)
                refuse(checking, "no closing brace in", text);
            text = rest;
        }
    }
}

/* [-0, +0, v] The row's event: one of the check's own, or one that its needs name. */
static void check_event(struct checking *checking)
{
    lua_State *L = checking->L;
    struct err err = ERR_INIT;
    if (lua_getfield(L, checking->check, "events") == LUA_TTABLE) {
        int type = lua_getfield(L, -1, checking->event);
        const char *pattern = type == LUA_TTABLE ? text_of(L, -1, "pattern") : lua_tostring(L, -1);
        checking->regex = pattern ? regex_new(pattern, 0, &err) : NULL;
        if (pattern && !checking->regex)
            refuse(checking, "its event's pattern is wrong:", err.text);
    }
    if (!checking->regex && !dictionary_find(checking->event))
        refuse(checking, "there is no event", checking->event);
}

static void check_when(struct checking *checking)
{
    lua_State *L = checking->L;
    struct err err = ERR_INIT;
    if (lua_getfield(L, checking->row, "when") != LUA_TTABLE)
        return;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        check_column(checking, lua_tostring(L, -2));
        struct regex *regex = regex_new(lua_tostring(L, -1), 0, &err);
        if (!regex)
            refuse(checking, "wrong:", err.text);
        regex_free(regex);
    }
}

static void check_row_words(struct checking *checking)
{
    lua_State *L = checking->L;
    const char *finding = text_of(L, checking->row, "finding");
    lua_getfield(L, checking->check, "findings");
    if (lua_getfield(L, -1, finding) == LUA_TNIL)
        refuse(checking, "the check declares no finding", finding);
    const char *severity = text_of(L, checking->row, "severity");
    if (severity && !bind_finding_severity(severity))
        refuse(checking, "there is no severity", severity);
    const char *confidence = text_of(L, checking->row, "confidence");
    if (confidence && !bind_finding_confidence(confidence))
        refuse(checking, "there is no confidence", confidence);
}

void rows_check(lua_State *L, int check)
{
    int lines = lua_gettop(L);
    luaL_checkstack(L, 20, "too deep a table");
    for (int i = 1; lua_rawgeti(L, lines, i) == LUA_TTABLE; i++) {
        struct checking checking = {.L = L, .check = check, .row = lua_gettop(L), .number = i};
        checking.event = text_of(L, checking.row, "event");
        check_event(&checking);
        check_row_words(&checking);
        check_when(&checking);
        check_placeholders(&checking, checking.row);
        regex_free(checking.regex);
        lua_settop(L, lines);
    }
    lua_settop(L, lines);
}

/* ---- running ---- */

/* [-0, +0, e] Whether the conditions of the row at ROW hold. */
static bool row_matches(lua_State *L, int row, const struct bind_record *holder)
{
    bool matches = true;
    if (lua_getfield(L, row, "when") == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            const char *value = view_text(holder->view, holder->record, lua_tostring(L, -2));
            matches = matches && value && bind_tools_matches(L, lua_tostring(L, -1), value);
        }
    }
    lua_pop(L, 1);
    return matches;
}

/* [-0, +0, e] */
static void add_fixes(lua_State *L, int row, const struct bind_record *holder,
                      struct builder_finding *finding)
{
    int top = lua_gettop(L);
    lua_getfield(L, row, "fix");
    for (int i = 1; lua_istable(L, top + 1) && lua_rawgeti(L, top + 1, i) == LUA_TTABLE; i++) {
        int step = lua_gettop(L);
        const char *text = expanded(L, holder, step, "text");
        const char *command = expanded(L, holder, step, "command");
        const char *snippet = expanded(L, holder, step, "snippet");
        if (snippet)
            builder_snippet(finding, text, expanded(L, holder, step, "path"), snippet);
        if (!snippet || command)
            builder_advise(finding, text, command);
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
}

/* [-0, +0, e] */
static void add_links(lua_State *L, int row, const struct bind_record *holder,
                      struct builder_finding *finding)
{
    int top = lua_gettop(L);
    lua_getfield(L, row, "references");
    for (int i = 1; lua_istable(L, top + 1) && lua_rawgeti(L, top + 1, i) == LUA_TSTRING; i++) {
        builder_reference(finding, lua_tostring(L, -1));
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
    lua_getfield(L, row, "candidates");
    for (int i = 1; lua_istable(L, top + 1) && lua_rawgeti(L, top + 1, i) == LUA_TTABLE; i++) {
        int candidate = lua_gettop(L);
        const char *id = text_of(L, candidate, "id");
        const char *pro = expanded(L, holder, candidate, "for");
        builder_candidate(finding, id, pro, expanded(L, holder, candidate, "against"));
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
}

/* [-0, +0, e] */
static void add_ask(lua_State *L, int row, const struct bind_record *holder)
{
    int top = lua_gettop(L);
    if (lua_getfield(L, row, "ask") == LUA_TTABLE) {
        const char *evidence = text_of(L, top + 1, "evidence");
        const char *why = expanded(L, holder, top + 1, "why");
        builder_ask(holder->view->builder, evidence, why, expanded(L, holder, top + 1, "how"));
    }
    lua_settop(L, top);
}

/* [-0, +0, e] */
static void report(lua_State *L, int row, const struct bind_record *holder)
{
    int top = lua_gettop(L);
    const char *id = text_of(L, row, "finding");
    lua_getfield(L, row, "subject");
    int subject = lua_gettop(L);
    const char *kind = text_of(L, subject, "kind");
    const char *name = expanded(L, holder, subject, "name");
    struct builder_finding *finding = builder_report(holder->view->builder, id, kind, name,
                                                     expanded(L, holder, row, "message"));
    const char *confidence = text_of(L, row, "confidence");
    const char *severity = text_of(L, row, "severity");
    if (confidence)
        builder_confidence(finding, bind_finding_confidence(confidence));
    if (severity)
        builder_severity(finding, bind_finding_severity(severity));
    builder_cite(finding, holder->record);
    lua_settop(L, top);
    add_fixes(L, row, holder, finding);
    add_links(L, row, holder, finding);
    add_ask(L, row, holder);
}

/* [-0, +0, e] The record goes to the first row of EVENT that matches. */
static void try_rows(lua_State *L, int lines, const char *event, const struct bind_record *holder)
{
    int top = lua_gettop(L);
    for (int i = 1; lua_rawgeti(L, lines, i) == LUA_TTABLE; i++) {
        bool same = strcmp(text_of(L, top + 1, "event"), event) == 0;
        bool matches = same && row_matches(L, top + 1, holder);
        if (matches)
            report(L, top + 1, holder);
        lua_settop(L, top);
        if (matches)
            break;
    }
    lua_settop(L, top);
    bind_evidence_raise(L, holder->view);
}

/* [-0, +0, e] Whether a row before number I has the same event. */
static bool is_repeated(lua_State *L, int lines, int i, const char *event)
{
    bool repeated = false;
    for (int j = 1; j < i && !repeated; j++) {
        lua_rawgeti(L, lines, j);
        repeated = strcmp(text_of(L, -1, "event"), event) == 0;
        lua_pop(L, 2);
    }
    return repeated;
}

static bool is_own(const struct check_meta *meta, const char *event)
{
    for (size_t i = 0; i < meta->events_len; i++)
        if (strcmp(meta->events[i].name, event) == 0)
            return true;
    return false;
}

/* [-0, +0, e] All records of EVENT. */
static void run_event(lua_State *L, struct view *view, int lines, const char *event)
{
    const char *name = is_own(view->check->meta, event)
                           ? arena_printf(view->scratch, "event.%s", event)
                           : event;
    for (const struct record *r = NULL; (r = view_next(view, name, r));) {
        struct bind_record holder = {view, r, false};
        try_rows(L, lines, event, &holder);
    }
    bind_evidence_raise(L, view);
}

int rows_run(lua_State *L)
{
    struct view *view = bind_evidence_view(L, 1);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    luaL_checkstack(L, 40, "too many rows");
    for (int i = 1; lua_rawgeti(L, 2, i) == LUA_TTABLE; i++) {
        const char *event = text_of(L, 3, "event");
        if (!is_repeated(L, 2, i, event))
            run_event(L, view, 2, event);
        lua_settop(L, 2);
    }
    return 0;
}
