/* What of two proxies is compared, how, and why it matters: one table, which the reader follows to pick
 * facts and the supervisor to compare them. What stands in no row is never called a difference. */
#ifndef DEBRIEF_COMPARE_RULES_H
#define DEBRIEF_COMPARE_RULES_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>

enum { COMPARE_KEYS_MAX = 7, COMPARE_COLUMNS_MAX = 20 };

enum compare_how {
    COMPARE_TEXT,    /* as written, but for what is the instance's own */
    COMPARE_SET,     /* members separated by commas, in any order */
    COMPARE_HOLDER,  /* a set of certificates' places; the text of an inline one does not count */
    COMPARE_SWITCH,  /* 1 equals true, 0 equals false */
    COMPARE_NUMBER,  /* 10 equals 10.0 */
    COMPARE_COUNT,   /* a number; most of its weight only where one side has none */
    COMPARE_RISEN,   /* a number of mishaps: none on one side, at least three on the other */
    COMPARE_PRESENT, /* a text of trouble: there or not there, whatever it says */
    COMPARE_VERSION, /* 1.36.4: the distance is told */
    COMPARE_SETTLED, /* a resource's state: in use, whoever says so and however, or something else */
    COMPARE_EXPIRY,  /* the end of a certificate: ended or not, when the evidence was gathered */
};

struct compare_column {
    const char *name;
    enum compare_how how;
    int weight;        /* 0 to 100: how much the difference matters */
    const char *unset; /* what it means that it is not there; NULL: not known, so not compared */
    const char *why;   /* one clause: what follows from the difference */
    const char *kind;  /* NULL: that of the rule */
};

struct compare_rule {
    const char *evidence; /* dotted name */
    const char *kind;     /* version, option, bootstrap, env, image, container, listener, cluster,
                             endpoint, route, certificate, xds, state, host */
    const char *noun;     /* what one row is called before people */
    const char *keys[COMPARE_KEYS_MAX]; /* columns that tell rows apart; NULL-terminated */
    const char *only, *only_glob;       /* rows whose column ONLY fits the glob; NULL: all */
    bool several; /* rows with the same keys are counted, not taken for one told twice */
    const char *const *ignored; /* globs of keys (joined by blanks) that are the instance's own */
    const char *const *considered; /* globs of keys that count; NULL: all */
    const char *const *owned;      /* globs of keys whose missing counts; NULL: all */
    int within; /* a row is missing only where the other side has this many leading keys elsewhere */
    int missing; /* weight of a row that one side lacks; 0: does not count */
    const char *missing_why;
    const char
        *parent; /* evidence whose missing row, by the leading keys, makes this one no news */
    int parent_keys;
    bool parent_tells; /* where both sides have the parent's row, its columns tell the same */
    const char
        *instead;  /* evidence that tells the same better, where both sides have it; its own: what
                            the first rule picks of it */
    bool heaviest; /* of several columns that differ in a row only the heaviest counts */
    const struct compare_column *columns; /* at most COMPARE_COLUMNS_MAX; ends at a NULL name */
};

enum compare_stat_kind {
    STAT_COUNTER, /* of mishaps, compared by what the time of running leads to expect */
    STAT_HIGH,    /* a gauge that is 0 in good health */
    STAT_LOW,     /* a gauge that is 0 in trouble */
};

struct compare_stat {
    const char *glob;
    enum compare_stat_kind kind;
    int weight;
    double least; /* how many tell anything; 1: a single one does */
    const char *why;
    const char *instead; /* evidence that tells the same better, where both sides have it */
};

/* set.c: the members of TEXT, which commas separate, in order and each once. HOLDER: what stands inline counts
 * as "inline", whatever it is. */
void compare_set(struct buf *out, const char *text, bool holder);

const struct compare_rule *compare_rules(size_t *len);
const struct compare_stat *compare_stats(size_t *len);
/* The row that NAME falls under; the first one counts. NULL: of no interest. */
const struct compare_stat *compare_stat_find(const char *name);

#endif
