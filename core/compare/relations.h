/* What can be the reason for what: the table that ties differences to findings. */
#ifndef DEBRIEF_COMPARE_RELATIONS_H
#define DEBRIEF_COMPARE_RELATIONS_H

#include <stdbool.h>
#include <stddef.h>

/* What both must have in common beside the mechanism. */
enum related_by {
    RELATED_BY_KIND,  /* nothing: there is one of the kind */
    RELATED_BY_NAME,  /* the difference names the finding's subject */
    RELATED_BY_TYPE,  /* it names the subject's type of resource: listener for "Listener" */
    RELATED_BY_VALUE, /* the subject names what the difference has on the finding's side, or is it */
    RELATED_BY_SERVER, /* the difference names a cluster that leads to the management server */
    RELATED_BY_PROOF,  /* the finding is proved by what stands where the difference stands */
};

struct relation {
    const char *subject; /* glob on the kind of the finding's subject */
    const char *kind;    /* of the difference */
    const char *of; /* globs joined by '|', on "WHAT NAME: COLUMN", or ": CHANGE" without column */
    const char *findings; /* globs joined by '|', on the finding's id */
    enum related_by by;
    int strength; /* percent of what the finding weighs */
    bool sign;    /* the difference is a sign of the same trouble and no reason for it */
};

const struct relation *compare_relations(size_t *len);

#endif
