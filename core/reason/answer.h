/* What the services that reason over evidence answer: a decision, why, and what to cite for it. */
#ifndef DEBRIEF_REASON_ANSWER_H
#define DEBRIEF_REASON_ANSWER_H

#include "check/view.h"

enum answer_decision { ANSWER_UNDECIDABLE, ANSWER_YES, ANSWER_NO };

struct answer { /* texts and record live as long as the check runs */
    enum answer_decision decision;
    const char *why;             /* one sentence, without a full stop */
    const char *reason;          /* the kind of `why`, one word; NULL for a plain yes */
    const struct record *record; /* what decides; NULL: nothing that could be cited */
};

void answer_set(struct answer *answer, struct view *view, enum answer_decision decision,
                const char *reason, const struct record *record, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* A part of RECORD as a record of its own: NODE, which stands at PLACE below the record's pointer. A
 * document that stands in the evidence as text has no place inside: pass NULL for NODE, and what to
 * quote in QUOTED. */
const struct record *answer_part(struct view *view, const struct record *record, const char *place,
                                 const cJSON *node, const cJSON *quoted);

/* The ids that elements of LIST have under MEMBER (texts themselves when NULL), joined for a sentence. */
const char *answer_list(struct view *view, const cJSON *list, const char *member);

#endif
