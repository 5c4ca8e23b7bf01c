/* What readers noted about the proxy's identity, until identity_find makes a record of it. Inside of
 * core/evidence only. */
#ifndef DEBRIEF_EVIDENCE_NOTES_H
#define DEBRIEF_EVIDENCE_NOTES_H

#include "evidence/evidence.h"

enum { NOTES_MAX = 16 }; /* columns of the `proxy` record */

struct note {
    const struct source *source;
    const char *value, *pointer; /* value NULL: nothing noted */
    uint64_t line;
    int rank;
    bool disputed; /* another note of this rank says something else */
};

struct notes { /* the best one for each column, in the dictionary's order */
    struct note best[NOTES_MAX];
};

struct notes *evidence_notes(struct evidence *evidence);

#endif
