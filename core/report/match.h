/* Two reports finding by finding: what `debrief diff` prints and a baseline marks. Findings are matched by
 * fingerprint within a target; targets by name, and where that fails by what tells that they are the
 * same proxy under another name. */
#ifndef DEBRIEF_REPORT_MATCH_H
#define DEBRIEF_REPORT_MATCH_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum match_change {
    MATCH_NEW,
    MATCH_WORSE,    /* graver, or no longer waived */
    MATCH_BETTER,   /* lighter */
    MATCH_GONE,     /* its check judged again and did not find it */
    MATCH_WAIVED,   /* it is there, and does not count any more */
    MATCH_UNJUDGED, /* its check could not judge this time, or was not asked */
    MATCH_UNCHANGED,
    MATCH_KINDS
};

struct match_row { /* all borrowed from the two reports */
    enum match_change change;
    const cJSON *old_target, *old; /* NULL when new */
    cJSON *new_target, *new;       /* NEW is NULL when gone or unjudged, NEW_TARGET then may be */
};

struct match_pair { /* a target; one of the two may be NULL */
    const cJSON *old;
    cJSON *new;
};

struct match {
    struct match_row *rows; /* by change, then in the order of the reports */
    size_t len;
    struct match_pair *targets; /* those of the new report, then those that only the old one has */
    size_t targets_len;
    size_t counts[MATCH_KINDS];
};

const char *match_name(enum match_change change); /* "new" */

void match_init(struct match *match, const cJSON *old, cJSON *new);
void match_release(struct match *match);

/* Marks the findings and targets of NEW with what OLD has of them, and counts it in the summary: see
 * report_exit(). What an earlier call marked is forgotten. PATH and SHA256 name the file of OLD. */
void match_mark(cJSON *new, const cJSON *old, const char *path, const char *sha256);

#endif
