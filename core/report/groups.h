/* The findings of many targets by their ids: how many targets have each, and which finding speaks for them all.
 * For those who sum up a fleet. */
#ifndef DEBRIEF_REPORT_GROUPS_H
#define DEBRIEF_REPORT_GROUPS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define GROUPS_NAMED_MAX 10 /* targets that are kept of a group */

struct group {                   /* the findings of one id; all borrowed from the document */
    const cJSON *sample, *owner; /* the first of the worst, and its target */
    int targets;                 /* how many have it */
    int causes;   /* of how many it is a cause: asks to be acted on, as warning or error */
    int severity; /* the worst; 0 where all are waived */
    const cJSON *first[GROUPS_NAMED_MAX]; /* targets that have it */
    int last, last_cause;                 /* numbers of the targets that were counted last */
};

struct groups {
    struct group *items; /* causes first; the worst and the most common of them before others */
    size_t len, causes;  /* CAUSES of them at the head ask to be acted on */
};

void groups_init(struct groups *groups, const cJSON *targets);
void groups_release(struct groups *groups);

#endif
