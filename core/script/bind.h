/* The Lua half of the check API: `ev`, records, findings, and the global `debrief`. Every userdata is
 * checked by its metatable; what a check may not do raises an error with the script's line. */
#ifndef DEBRIEF_SCRIPT_BIND_H
#define DEBRIEF_SCRIPT_BIND_H

#include "check/view.h"
#include <lua.h>

#define BIND_EVIDENCE "debrief.evidence"
#define BIND_RECORD   "debrief.record"
#define BIND_FINDING  "debrief.finding"
#define BIND_REGEX    "debrief.regex"

/* A record as a script holds it; an element of a document's array is one too. */
struct bind_record {
    struct view *view;
    const struct record *record;
    bool element; /* `record` is made for it: fields are paths into its `doc` */
};

/* All [-0, +0, m]: metatables, and the functions of `debrief` into the table on top of the stack. */
void bind_evidence_open(lua_State *L);
void bind_finding_open(lua_State *L);
void bind_tools_open(lua_State *L);
void bind_registry_open(lua_State *L);

/* [-0, +1, m] The `ev` of a check; NULL: one that may not be used. */
void bind_evidence_push(lua_State *L, struct view *view);
struct view *bind_evidence_view(lua_State *L, int index); /* [-0, +0, v] */
/* [-0, +1, m] nil for NULL. */
void bind_evidence_push_record(lua_State *L, struct view *view, const struct record *record);
/* The same for a part of a record, which has no columns: its fields are paths. */
void bind_evidence_push_part(lua_State *L, struct view *view, const struct record *record);
struct bind_record *bind_evidence_record(lua_State *L, int index); /* [-0, +0, v] */

/* [-2, +1, e] ev:walk{ port = , host = , path = , ... } */
int bind_walk(lua_State *L);

/* [-0, +0, v] Raises the builder's fault, if there is one, with the place in the script. */
void bind_evidence_raise(lua_State *L, struct view *view);

/* [-0, +1, m] A metatable NAME with METHODS in its __index that scripts cannot get at. */
void bind_evidence_metatable(lua_State *L, const char *name, const void *methods);

/* [-0, +1, m] A finding. */
void bind_finding_push(lua_State *L, struct view *view, struct builder_finding *finding);
/* [-2, +4, e] ev:iam{}, ev:path{}: decision, why, record, reason */
int bind_reason_iam(lua_State *L);
int bind_reason_path(lua_State *L);
/* [-1, +1, e] ev:fact(name), ev:pick{} */
int bind_pick_fact(lua_State *L);
int bind_pick(lua_State *L);
/* Words of severity and confidence as enum values; 0: no such word. */
int bind_finding_severity(const char *word);
int bind_finding_confidence(const char *word);

/* [-0, +0, e] Whether PATTERN (compiled once per state) matches TEXT. */
bool bind_tools_matches(lua_State *L, const char *pattern, const char *text);

#endif
