/* Two reports finding by finding: what `debrief diff` prints and a baseline marks. Findings are matched by
 * fingerprint within a target; targets by name, and where that fails by what tells that they are the
 * same proxy under another name. */
#ifndef DEBRIEF_REPORT_COMPARE_H
#define DEBRIEF_REPORT_COMPARE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum compare_change {
    COMPARE_NEW,
    COMPARE_WORSE,    /* graver, or no longer waived */
    COMPARE_BETTER,   /* lighter */
    COMPARE_GONE,     /* its check judged again and did not find it */
    COMPARE_WAIVED,   /* it is there, and does not count any more */
    COMPARE_UNJUDGED, /* its check could not judge this time, or was not asked */
    COMPARE_UNCHANGED,
    COMPARE_KINDS
};

struct compare_row { /* all borrowed from the two reports */
    enum compare_change change;
    const cJSON *old_target, *old; /* NULL when new */
    cJSON *new_target, *new;       /* NEW is NULL when gone or unjudged, NEW_TARGET then may be */
};

struct compare_pair { /* a target; one of the two may be NULL */
    const cJSON *old;
    cJSON *new;
};

struct compare {
    struct compare_row *rows; /* by change, then in the order of the reports */
    size_t len;
    struct compare_pair
        *targets; /* those of the new report, then those that only the old one has */
    size_t targets_len;
    size_t counts[COMPARE_KINDS];
};

const char *compare_name(enum compare_change change); /* "new" */

void compare_init(struct compare *compare, const cJSON *old, cJSON *new);
void compare_release(struct compare *compare);

/* Marks the findings and targets of NEW with what OLD has of them, and counts it in the summary: see
 * report_exit(). What an earlier call marked is forgotten. PATH and SHA256 name the file of OLD. */
void compare_mark(cJSON *new, const cJSON *old, const char *path, const char *sha256);

#endif
