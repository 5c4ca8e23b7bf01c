/* Section low-ports: addresses that could not be bound, and why. */
#ifndef LOW_PORTS_FAILURES_H
#define LOW_PORTS_FAILURES_H

#include <debrief/plugin.h>
#include <stdbool.h>

#define FAILURES_MAX       32
#define FAILURES_CITES_MAX 4

enum cause { DENIED, INEFFECTIVE, IN_USE, ADMIN_IN_USE, UNAVAILABLE };

struct failure { /* one address */
    char address[128];
    int port;
    enum cause cause;
    char listener[128]; /* "" when the evidence does not name it */
    const struct debrief_record *cites[FAILURES_CITES_MAX];
    int cites_len;
    int64_t last;
    bool likely;                        /* the cause is concluded, not stated */
    bool over;                          /* it was bound since */
    const char *container;              /* whose log it stands in, NULL when not known */
    const struct debrief_record *grant; /* container that grants the capability in vain, or NULL */
    const struct debrief_record *command; /* docker run that does, or NULL */
};

struct failures {
    struct failure items[FAILURES_MAX];
    int len;
};

/* Every failure that the evidence holds, judged. */
void failures_find(struct debrief_ctx *ctx, struct failures *failures);

/* ---- who may bind what ---- */

/* The first port that needs no capability, 1024 unless *RECORD says otherwise (NULL: nobody does). */
int failures_port_start(struct debrief_ctx *ctx, const struct debrief_record **record);
/* CONTAINER adds the capability, to a user who does not receive it. */
bool failures_grants_in_vain(struct debrief_ctx *ctx, const struct debrief_record *container);
bool failures_is_root(const char *user);

#endif
