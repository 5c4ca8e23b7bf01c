/* Collecting: a target becomes an unpacked bundle on disk, and nothing else touches the world.
 * Runs in a process of its own; whatever fails costs that source only and leaves its reason in
 * the bundle. */
#ifndef DEBRIEF_COLLECT_COLLECT_H
#define DEBRIEF_COLLECT_COLLECT_H

#include "base/err.h"
#include "collect/target.h"
#include <stdbool.h>
#include <stdint.h>

struct collect_options {
    int64_t timeout_ms; /* for the whole target; 0: the default (60 s) */
    int64_t sample_ms;  /* counters a second time, this long after the first; 0: once */
    bool probe;         /* connect to what the evidence names: collect/probe.h */
    const char *cacert, *cert, *key; /* TLS for an https admin address; NULL when not given */
    /* Whether some selected check wants this source ("admin/config_dump.json"); NULL:
     * everything. */
    bool (*wanted)(void *user, const char *source_name);
    void *user;
};

/* How long collecting one target may take: the time limit, and what the second sample waits. */
int64_t collect_limit_ms(const struct collect_options *options);

/* Fills DIR (existing, empty) with sources and bundle.json. False only when not even that could be
 * written; a dead target is a bundle whose sources are all missing, with reasons. */
bool collect_target(const struct target *target, const struct collect_options *options,
                    const char *dir, struct err *err);

/* Prints what collect_target would ask of whom, one line each ("GET http://127.0.0.1:9901/ready",
 * "read /var/log/envoy.log"), and asks nothing. */
void collect_dry_run(const struct target *target, const struct collect_options *options);

#endif
