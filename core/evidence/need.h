/* Needs: what a check must have before it is asked, as a projection that readers can follow.
 *
 *   log.xds_closed | stats{grpc.*.streams_closed_*}     alternatives: any of them will do
 *   ?xds.resources{type=listener}                        optional: taken when it is there
 *
 * In braces: a glob on the key column, or column=glob pairs, separated by commas (all must hold). */
#ifndef DEBRIEF_EVIDENCE_NEED_H
#define DEBRIEF_EVIDENCE_NEED_H

#include "base/arena.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

#define NEED_FILTERS_MAX 4

struct need_term {    /* one alternative */
    const char *name; /* "stats" */
    struct {
        const char *column, *glob; /* column NULL: the table's key column */
    } filters[NEED_FILTERS_MAX];
    int filters_len;
};

struct need {
    const char *text; /* as written */
    bool optional;
    struct need_term *terms;
    size_t terms_len;
};

/* Parses one need; names are checked against the dictionary, "event.*" and "file.*". */
bool need_parse(struct arena *arena, const char *text, struct need *out, struct err *err);

/* The glob on the key column that a record must pass to be of use to TERM; NULL: any will do. */
const char *need_term_key(const struct need_term *term);

struct need_mark { /* whose a term is */
    size_t check;  /* counted by need_set_begin */
    size_t need;   /* number of the need: its terms are alternatives */
    bool optional;
};

struct need_set { /* the needs of all selected checks, flat */
    struct need_term *terms;
    struct need_mark *marks; /* one per term; NULL in a set that only looks at terms */
    size_t len, cap;
    size_t checks, needs;
};

void need_set_init(struct need_set *set);
void need_set_release(struct need_set *set);
void need_set_begin(struct need_set *set); /* the needs of another check follow */
void need_set_add(struct need_set *set, const struct need *need); /* terms are copied shallowly */
bool need_set_wants(const struct need_set *set, const char *name, const char *key);
/* Whether some need can be met by this source ("admin/stats.txt"), by the dictionary. */
bool need_set_wants_source(const struct need_set *set, const char *source_name);

#endif
