/* What to do about a socket that cannot be bound: steps, snippets and questions, for the platform that
 * the evidence tells or for all of them. */
#ifndef LOW_PORTS_FIXES_H
#define LOW_PORTS_FIXES_H

#include <debrief/plugin.h>
#include <stdbool.h>

/* Ways to bind PORT without being refused, the least privilege first. */
void fixes_privilege(struct debrief_ctx *ctx, struct debrief_finding *finding, int port);
void fixes_in_use(struct debrief_ctx *ctx, struct debrief_finding *finding, int port, bool admin);
void fixes_unavailable(struct debrief_ctx *ctx, struct debrief_finding *finding, bool v6);

void fixes_ask_process(struct debrief_ctx *ctx);
void fixes_ask_sockets(struct debrief_ctx *ctx, int port);
void fixes_ask_reason(struct debrief_ctx *ctx);
void fixes_ask_log(struct debrief_ctx *ctx);

#endif
