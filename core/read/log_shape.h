/* Shapes of log lines: what stands in front of a line's own words. One line in, its header out. */
#ifndef DEBRIEF_READ_LOG_SHAPE_H
#define DEBRIEF_READ_LOG_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_kind {
    LOG_NONE,   /* no header: the line is a message, or goes on with the one before */
    LOG_ENVOY,  /* Envoy's own shape in all its ages, also fragments of it */
    LOG_ISTIO,  /* Istio's columns, of its Envoy or of its agent */
    LOG_CONSUL, /* Consul dataplane, of its Envoy or of itself */
    LOG_ACCESS, /* a request, as Envoy's access log writes it */
    LOG_OTHER,  /* begins with a time or a level of its own: klog, logfmt, JSON, any program */
};
enum { LOG_KINDS = LOG_OTHER + 1 };

struct log_header {
    enum log_kind kind;
    const char *origin; /* who wrote it: envoy, istio, consul, agent, access or text */
    int64_t time;       /* ns since the epoch; 0: it says none. No zone is read as UTC */
    bool zoned;         /* the time tells its zone */
    char level[12];  /* trace, debug, info, warning, error, critical, off; "" when there is none */
    char logger[64]; /* "" when there is none */
    size_t message;  /* where the message begins */
};

/* LINE without its line end. False: no header; OUT is then LOG_NONE, origin "text", message 0. */
bool log_shape_header(const char *line, size_t len, struct log_header *out);

/* LEN without what stands behind a message: "\r", blanks, Istio's "thread=20". */
size_t log_shape_trim(const char *line, size_t len);

#endif
