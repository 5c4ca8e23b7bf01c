/* The one choke point for secrets, with two callers: the bundle writer (streams) and the finding
 * builder (texts). What is found is replaced by "[redacted:KIND]", so the same findings come
 * from raw and from redacted evidence, and redacting twice changes nothing. */
#ifndef DEBRIEF_SOURCE_REDACT_H
#define DEBRIEF_SOURCE_REDACT_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redact_counts {
    uint64_t total; /* replacements made; by kind in the order of redact_kinds() */
    uint64_t by_kind[16];
};

const char *const *redact_kinds(void); /* NULL-terminated: "aws-key", "private-key", ... */
/* N more of the kind "secret", which were replaced before (redact_map.h). */
void redact_count_secrets(struct redact_counts *counts, uint64_t n);

/* Appends TEXT to OUT with secrets replaced. For texts that fit in memory. */
void redact_text(struct buf *out, const char *text, size_t len, struct redact_counts *counts);

/* For streams of any size: feed in any portions; a secret may span portions. */
struct redact_stream;
typedef bool redact_sink_fn(void *user, const char *bytes, size_t len);
struct redact_stream *redact_stream_new(redact_sink_fn *sink, void *user);
bool redact_stream_feed(struct redact_stream *redact, const char *bytes, size_t len);
bool redact_stream_end(struct redact_stream *redact, struct redact_counts *counts);
void redact_stream_free(struct redact_stream *redact);

#endif
