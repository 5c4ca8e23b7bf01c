/* One finding for people. Inner header of report/. */
#ifndef DEBRIEF_REPORT_TEXT_FINDING_H
#define DEBRIEF_REPORT_TEXT_FINDING_H

#include "base/buf.h"
#include "report/layout.h"
#include "report/relations.h"
#include <cjson/cJSON.h>

/* A cause with all that belongs to it: when, what, proof, fix, what follows from it. NUMBER is its place
 * among the causes. */
void text_finding_cause(const struct layout *layout, const struct relations *relations,
                        const cJSON *finding, int number);

/* A fact worth knowing, in one paragraph; with the proof when the style is verbose. */
void text_finding_note(const struct layout *layout, const struct relations *relations,
                       const cJSON *finding);

/* "now, seen 2026-11-21 07:50:12 to 07:59:58 UTC, 14 times"; nothing when nothing is known. */
void text_finding_when(struct buf *out, const cJSON *finding);

enum glyph text_finding_glyph(const char *severity);

#endif
