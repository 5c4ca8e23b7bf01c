/* The last stage of redaction: identities under pseudonyms. Portions of text in, portions out. */
#ifndef DEBRIEF_SOURCE_IDENTITY_STAGE_H
#define DEBRIEF_SOURCE_IDENTITY_STAGE_H

#include "source/identity_scan.h"
#include "source/source.h"

struct identity_stage;
/* SCAN is copied; its `out` is the stage's own. SINK NULL: only learn. */
struct identity_stage *identity_stage_new(const struct identity_scan *scan, redact_sink_fn *sink,
                                          void *user);
bool identity_stage_feed(struct identity_stage *stage, const char *bytes, size_t len);
bool identity_stage_end(struct identity_stage *stage);
void identity_stage_free(struct identity_stage *stage);

/* Learns who is named in SOURCES, so that every place they stand in is found. What cannot be read
 * names nobody. */
void identity_learn(struct pseudonyms *names, const struct sources *sources);

#endif
