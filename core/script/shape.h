/* Shapes of tables that scripts write: which keys there may be, of which type, which must be. */
#ifndef DEBRIEF_SCRIPT_SHAPE_H
#define DEBRIEF_SCRIPT_SHAPE_H

#include <lua.h>
#include <stdbool.h>

enum shape_kind {
    SHAPE_STRING,
    SHAPE_BOOL,
    SHAPE_SCALAR, /* string, number or boolean */
    SHAPE_FUNCTION,
    SHAPE_STRINGS,   /* a list of strings */
    SHAPE_TEXTS,     /* a table from strings to strings */
    SHAPE_TABLE,     /* of `shape` */
    SHAPE_LIST,      /* a list of tables of `shape` */
    SHAPE_MAP,       /* a table from strings to tables of `shape` */
    SHAPE_MAP_SHORT, /* the same, where a string may stand for the table with that as first key */
};

struct shape_key {
    const char *name; /* NULL ends the list */
    enum shape_kind kind;
    bool required;
    const struct shape_key *shape;
};

/* [-0, +0, v] Raises an error unless the value at INDEX is a table of this shape. WHERE names it for
 * people: "check 'x'". The error names the script's line that called the C function. */
void shape_check(lua_State *L, int index, const struct shape_key *shape, const char *where);

#endif
