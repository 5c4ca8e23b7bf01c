/* What the parts of the writer "markdown" share: how much is told. Inner header. */
#ifndef DEBRIEF_REPORT_MARKDOWN_H
#define DEBRIEF_REPORT_MARKDOWN_H

#include "base/buf.h"
#include "report/relations.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* How much is told; a report that is too long is written again with the next, smaller one. */
struct markdown_budget {
    const char *sheds; /* what this one leaves out that the one before did not */
    bool sources, coverage, notes, references;
    int events, proofs, steps, findings; /* of one target or finding */
    int rows, targets;                   /* in the table of targets; with their details */
    size_t text;                         /* bytes of one text, 0: all */
};

/* One finding with its proof and repair, under a heading of LEVEL marks with NUMBER (0: none). */
void markdown_finding(struct buf *out, const struct markdown_budget *budget,
                      const struct relations *relations, const cJSON *finding, int level,
                      int number);

/* What is left of a target: waived findings, notes, unknown lines, timeline, asks, coverage, sources. */
void markdown_rest(struct buf *out, const struct markdown_budget *budget, const cJSON *target);

#endif
