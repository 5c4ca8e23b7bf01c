/* Comparing two targets: what differs and matters, ranked, from the facts that their readers sent
 * (compare/facts.h) and the findings in their rows. The supervisor's side: knows no evidence. */
#ifndef DEBRIEF_COMPARE_COMPARE_H
#define DEBRIEF_COMPARE_COMPARE_H

#include "base/arena.h"
#include "compare/rules.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    COMPARE_MEMBERS_MAX = 50, /* names of one that stands for many */
    COMPARE_ALIKE_MAX = 3,    /* so many of a sort stand alone; more become one difference */
};

struct compare_fact {            /* one row of a table, or one statistic, of one side */
    const char *key;             /* keys as they are compared, each with a separator behind it */
    const char *canon;           /* key and cells: equal where there is nothing to tell */
    const char *name;            /* keys as they are, before people */
    const char **cells, **plain; /* as they are, as they are compared; NULL: not there */
    const char *source, *locator;
    double value; /* of a statistic */
};

struct compare_table {
    struct compare_fact *facts; /* sorted by key, then canon */
    size_t len;
    const char *how;      /* where nothing was read: how it is supplied there */
    bool there, complete; /* something was read; all of it, and nothing was cut */
};

struct compare_side {
    const cJSON *target, *facts;  /* rows of the report and of the reader */
    const char *const *own;       /* the instance's own names, longest first; NULL-terminated */
    int64_t gathered;             /* ns; 0: not known */
    double uptime;                /* seconds; 0: not known */
    struct compare_table *tables; /* by rule */
    struct compare_table stats;   /* sorted by name */
};

struct comparison {
    struct arena *arena;
    struct compare_side sides[2]; /* A, which should be well, and B */
    struct compare_sort *sorts;   /* what was found so far */
    size_t sorts_len, sorts_cap;
    cJSON *differences; /* made of them */
    bool *unjudged;     /* by rule: rows are missing where not all of it was read */
};

/* Compares A with B (rows of the report, each with its `facts`). Returns {"differences":[...],
 * "not_compared":[...]} as docs/compare.schema.json describes them; the caller's. */
cJSON *compare_targets(const cJSON *a, const cJSON *b);

/* ---- inside of core/compare ---- */

/* plain.c: TEXT as it is compared: own names replaced, sets in order. In the arena. */
const char *compare_plain(const struct comparison *all, const struct compare_side *side,
                          enum compare_how how, const char *text);

/* sides.c: makes tables of a side's facts. */
void compare_side_init(struct comparison *all, struct compare_side *side, const cJSON *target);
/* The table of the first rule that reads EVIDENCE. */
const struct compare_table *compare_table_of(const struct compare_side *side, const char *evidence);
/* The first fact whose key begins with the first N keys of KEY; NULL. */
const struct compare_fact *compare_find(const struct compare_table *table, const char *key, int n);

/* What differs. A value that is NULL: that side has none; UNSET says what that means. NOUN, COLUMN, CHANGE and
 * WHY are texts of the rules' tables. */
struct compare_difference {
    const char *kind, *noun, *name, *column, *why, *change, *unset, *note;
    int weight;
    const char *values[2];
    const struct compare_fact *facts[2]; /* where it stands; NULL: nowhere */
};
cJSON *compare_row(const struct comparison *all, const struct compare_difference *difference);

/* alike.c: puts one down, and makes the list of them. */
void compare_add(struct comparison *all, const struct compare_difference *difference);
void compare_join_alike(struct comparison *all);

/* tables.c, stats.c: what differs in the tables of one rule, and in statistics. */
void compare_table_rule(struct comparison *all, size_t rule);
void compare_statistics(struct comparison *all);

/* relate.c: findings that a difference may explain; sorts by what matters and numbers them. */
void compare_rank(struct comparison *all);

#endif
