/* Section probes: what initialisation waits for, as findings of their own. */
#ifndef PROBES_WAITING_H
#define PROBES_WAITING_H

#include "facts.h"

struct waiting {
    size_t count;   /* findings given */
    char text[512]; /* "cluster 'orders' (endpoints)", joined by commas; cut when there are many */
};

/* While PRE_INITIALIZING: clusters whose endpoints, secrets or first health check are missing. */
void waiting_clusters(struct debrief_ctx *ctx, const struct facts *facts, struct waiting *waiting);

/* Where nothing but the log's beginning is known: a cluster that came and was never ready. */
void waiting_log(struct debrief_ctx *ctx, const struct facts *facts, struct waiting *waiting);

/* While INITIALIZING: listeners, routes and secrets that have not come. */
void waiting_listeners(struct debrief_ctx *ctx, const struct facts *facts, struct waiting *waiting);

#endif
