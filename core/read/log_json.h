/* Log lines inside JSON: docker's json-file, FireLens and fluent-bit, Istio's and Envoy's JSON logs,
 * journald's JSON, zap and its like. One object per line becomes a plain line in a shape that
 * log_unwrap.h and log_shape.h know, so that everything behind sees plain lines only. */
#ifndef DEBRIEF_READ_LOG_JSON_H
#define DEBRIEF_READ_LOG_JSON_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>

/* Appends the plain line of LINE (no line end behind it). False, nothing appended: LINE is no JSON
 * object with a message in it. Docker splits long lines: *part says whether the line before goes on in
 * this one, and afterwards whether this one goes on in the next. */
bool log_json_line(const char *line, size_t len, struct buf *out, bool *part);

/* Appends a JSON string's text (what stands between the quotes), its escapes undone. */
void log_json_text(const char *text, size_t len, struct buf *out);

/* Whether some line of TEXT begins, behind its wrappers, with a JSON object. */
bool log_json_seen(const char *text, size_t len);

/* Appends "TEXT" as a time without blanks: as it stands, or RFC 3339 when it is digits. */
void log_json_time(const char *text, size_t len, struct buf *out);

/* Appends "TIME STREAM ", as `aws logs tail` has it in front of a line; nothing when there is no time.
 * Of stream names, "prefix/container/task" tells most. */
void log_json_place(const char *time, size_t time_len, const char *stream, size_t stream_len,
                    struct buf *out);

#endif
