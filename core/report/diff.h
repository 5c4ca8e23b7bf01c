/* What changed between two reports, as a document of its own (docs/diff.schema.json) and its writers. */
#ifndef DEBRIEF_REPORT_DIFF_H
#define DEBRIEF_REPORT_DIFF_H

#include "report/report.h"

#define DIFF_SCHEMA "debrief.diff/1"

/* The caller's to delete. NEW is not changed. */
cJSON *diff_document(const cJSON *old, cJSON *new);

/* "25 new, 1 gone": the summary of DOCUMENT, without what is 0, and a line end. */
void diff_total(struct buf *out, const cJSON *document);

/* Writers of that document; false with an err when it grew too large. */
bool diff_text(struct buf *out, const cJSON *document, const struct report_style *style,
               struct err *err);
bool diff_markdown(struct buf *out, const cJSON *document, const struct report_style *style,
                   struct err *err);
bool diff_json(struct buf *out, const cJSON *document, const struct report_style *style,
               struct err *err);

#endif
