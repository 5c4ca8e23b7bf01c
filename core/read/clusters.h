/* Clusters and their hosts as /clusters shows them, whichever layout they were read from. */
#ifndef DEBRIEF_READ_CLUSTERS_H
#define DEBRIEF_READ_CLUSTERS_H

#include "read/pending.h"

struct clusters {
    struct reading *reading;
    struct pending cluster; /* one row: the cluster that is being read */
    struct pending hosts;   /* its hosts */
    int hosts_len, judged_len, healthy_len;
};

void clusters_init(struct clusters *clusters, struct reading *reading);
void clusters_release(struct clusters *clusters);

void clusters_set(struct clusters *clusters, const char *column, const char *value);
/* Stands at POINTER, or at LINE when that is not 0. NULL when there are too many. */
struct pending_row *clusters_add_host(struct clusters *clusters, const char *pointer, uint64_t line,
                                      const char *address);
/* HEALTH is "healthy" or Envoy's flags. */
void clusters_set_health(struct clusters *clusters, struct pending_row *host, const char *health);
/* The cluster NAME is complete. */
void clusters_end(struct clusters *clusters, const char *pointer, uint64_t line, const char *name);

bool clusters_is_text(const struct peek *peek);
void clusters_read_text(struct reading *reading);

#endif
