/* Collecting from a running Envoy: the admin pages, by GET, one after the other. */
#ifndef DEBRIEF_COLLECT_ADMIN_H
#define DEBRIEF_COLLECT_ADMIN_H

#include "collect/collection.h"

/* Above this many clusters /config_dump is not asked for: the proxy prints it on its main thread. */
#define ADMIN_CLUSTERS_MAX 5000

void admin_collect(struct collection *collection);

/* The lines of a dry run, on standard output. */
void admin_dry_run(const struct target *target, const struct collect_options *options);

/* Whether the beginning of an answer to /server_info is an Envoy's, of any age. */
bool admin_is_envoy(long status, const char *head, size_t len);

#endif
