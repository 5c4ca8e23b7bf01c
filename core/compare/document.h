/* The document of a comparison (docs/compare.schema.json), computed once, and its rendering for people. */
#ifndef DEBRIEF_COMPARE_DOCUMENT_H
#define DEBRIEF_COMPARE_DOCUMENT_H

#include "base/buf.h"
#include "report/report.h"
#include <cjson/cJSON.h>

#define COMPARE_SCHEMA "debrief.compare/1"

/* A and B are reports of one target each; CHANGES is what changed between them (report/diff.h); DIFFERENCES is
 * what compare_targets gave. Those two are emptied, the reports borrowed; the result is the caller's. */
cJSON *compare_document(const cJSON *a, const cJSON *b, cJSON *changes, cJSON *differences);

/* text.c */
void compare_text(struct buf *out, const cJSON *document, const struct report_style *style);

#endif
