/* Lines that speak of trouble and that no pattern knows. What nobody understood must not look as if it
 * had been found well: a short text is looked through for such lines, and they become evidence
 * ("unexplained"). Inside of the log engine only. */
#ifndef DEBRIEF_READ_SCAN_TROUBLE_H
#define DEBRIEF_READ_SCAN_TROUBLE_H

#include "base/regex.h"
#include "evidence/evidence.h"
#include "read/scan_view.h"

enum {
    TROUBLE_TEXT_MAX =
        1 << 20, /* bytes of a text that is looked through: pastes, not logs of days */
    TROUBLE_ENDS_MAX = 1 << 16,
    TROUBLE_KEPT = 5, /* lines that become records, of each source; all are counted */
};

struct trouble { /* where patterns matched, in the order of their ends */
    size_t *ends;
    size_t len;
    bool watching; /* this text is looked through */
};

/* A pattern matched, and its match ends at END. Does nothing unless the text is watched. */
void trouble_match(struct trouble *trouble, size_t end);

/* Looks through the view and writes its records, for SOURCE. */
void trouble_write(struct trouble *trouble, const struct scan_view *view, const struct regex *words,
                   struct evidence *evidence, const struct source *source);

/* The expression for `words`; the caller's to free. */
struct regex *trouble_words(void);

#endif
