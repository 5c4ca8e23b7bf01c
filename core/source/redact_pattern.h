/* The user's own patterns: the stage of redaction behind the built-in shapes. */
#ifndef DEBRIEF_SOURCE_REDACT_PATTERN_H
#define DEBRIEF_SOURCE_REDACT_PATTERN_H

#include "source/redact.h"

enum {
    /* A line is looked at as a whole when it is not longer; else in windows of this size ... */
    REDACT_LINE_MAX = 1 << 16,
    /* ... in which a match is found wherever it begins, when it is not longer than this. */
    REDACT_LINE_OVERLAP = 1 << 12,
};

struct redact_patterns;
struct redact_patterns *redact_patterns_new(void);
void redact_patterns_free(struct redact_patterns *patterns);
/* PATTERN counts as KIND. Returns its name, which lives as long as PATTERNS; NULL with an error. */
const char *redact_patterns_add(struct redact_patterns *patterns,
                                const struct redact_pattern *pattern, size_t kind, struct err *err);

/* Portions of text in, portions with each match replaced out. */
struct redact_matching;
struct redact_matching *redact_matching_new(const struct redact_patterns *patterns,
                                            struct redact_counts *counts, redact_sink_fn *sink,
                                            void *user);
bool redact_matching_feed(struct redact_matching *matching, const char *bytes, size_t len);
bool redact_matching_end(struct redact_matching *matching);
void redact_matching_free(struct redact_matching *matching);

#endif
