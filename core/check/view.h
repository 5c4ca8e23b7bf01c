/* What one check may see of the evidence: only the names that it declared, and of those only the
 * records that its needs let through, under the names that it uses ("event.denied"). Reading anything
 * else is a fault of the check. The base of both the C and the Lua side. */
#ifndef DEBRIEF_CHECK_VIEW_H
#define DEBRIEF_CHECK_VIEW_H

#include "base/arena.h"
#include "check/plan.h"
#include "evidence/evidence.h"
#include "finding/builder.h"
#include <stdint.h>

struct view {
    const struct plan_check *check;
    const struct evidence *evidence;
    struct builder *builder;
    struct arena *scratch;    /* lives as long as the check runs */
    int64_t gathered;         /* when the evidence was, ns since the epoch */
    bool asked;               /* by asking; else it is only known when the files were read */
    int64_t soft_deadline;    /* clock_monotonic; 0: none */
    struct view_name *names;  /* what was asked for so far, the last one first */
    const struct walk *walks; /* reason/walk.h; the last one first */
};

/* Whether the check says that it needs NAME, or may. */
bool view_declares(const struct view *view, const char *name);

/* Records of NAME after AFTER (NULL: the first); NULL at the end. */
const struct record *view_next(struct view *view, const char *name, const struct record *after);
/* The same of those whose FIELD holds VALUE; NULL: of which it is not known. */
const struct record *view_next_with(struct view *view, const char *name, const char *field,
                                    const char *value, const struct record *after);
/* Seen in all; when the needs filter NAME, the records that pass. */
uint64_t view_count(struct view *view, const char *name);
enum evidence_state view_state(struct view *view, const char *name);

/* The record of NAME whose key column (docs/evidence.md) holds KEY; NULL when there is none. */
const struct record *view_find(struct view *view, const char *name, const char *key);

/* A field, alive as long as the check runs; NULL when not known. A column that the record's table does
 * not have is a fault. */
const char *view_text(struct view *view, const struct record *record, const char *field);
bool view_number(struct view *view, const struct record *record, const char *field, double *out);

/* The value of a parameter and its type; NULL and a fault when it is not declared. */
const char *view_param(struct view *view, const char *name, int *type);

#endif
