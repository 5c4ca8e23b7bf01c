/* Wrappers around log lines: what collectors, platforms and people put in front of a line. They are
 * peeled off one by one, in any nesting, until the line's own header or message is reached. */
#ifndef DEBRIEF_READ_LOG_UNWRAP_H
#define DEBRIEF_READ_LOG_UNWRAP_H

#include "read/log_shape.h"

struct log_span { /* borrowed from the line; len 0: not known */
    const char *text;
    size_t len;
};

struct log_line {
    struct log_header header; /* `message` counts from the line's first byte, wrappers included */
    size_t wrapper;           /* bytes of wrappers in front */
    /* The header's time, else the wrapper's; 0: neither tells. A wrapper that tells its zone corrects a
     * header that does not. */
    int64_t time;
    bool zoned; /* the time tells its zone; others are read as UTC */
    struct log_span container, workload;
    uint64_t
        stream; /* lines of one writer have the same: same wrappers, container, stdout or stderr */
    bool blank; /* nothing but wrappers and blanks */
};

/* LINE without its line end. */
void log_unwrap_line(const char *line, size_t len, struct log_line *out);

/* Just the bytes of wrappers in front. */
size_t log_unwrap_prefix(const char *line, size_t len);

#endif
