/* GET requests to one admin address, one at a time, straight into files. HTTP/1.1 only, no
 * redirects, no proxies whatever the environment says, and never anything but GET. */
#ifndef DEBRIEF_COLLECT_FETCH_H
#define DEBRIEF_COLLECT_FETCH_H

#include "collect/collect.h"
#include <stdint.h>

struct fetch;

enum fetch_outcome {
    FETCH_DONE,        /* an answer, whole; see `status` */
    FETCH_UNREACHABLE, /* no connection */
    FETCH_CUT,         /* an answer that ended early, or none on a connection that stood */
    FETCH_TOO_LARGE,   /* more than was allowed; the beginning was kept */
};

struct fetch_result {
    enum fetch_outcome outcome;
    long status;   /* of HTTP; 0 when there was none */
    uint64_t size; /* bytes in the file */
    char sha256[65];
    char why[256]; /* for people; "" when the outcome is FETCH_DONE */
};

struct fetch *fetch_new(const struct target *target, const struct collect_options *options);
void fetch_free(struct fetch *fetch);

/* What people would type to ask the same: "http://127.0.0.1:9901/ready". For a Unix socket the
 * path of the socket stands in front. The caller's to free. */
char *fetch_origin(const struct target *target, const char *path);

/* Asks PATH ("/stats?format=json") and writes the body to FD, at most MAX bytes. */
void fetch_get(struct fetch *fetch, const char *path, int fd, uint64_t max, int64_t timeout_ms,
               struct fetch_result *result);

#endif
