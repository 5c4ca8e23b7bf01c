/* What the evidence says of the server's state and of what it waits for, gathered once per run. */
#ifndef PROBES_FACTS_H
#define PROBES_FACTS_H

#include <debrief/plugin.h>
#include <stdbool.h>

enum gauge_id {
    CDS_ATTEMPT,
    CDS_OK,
    CDS_REJECTED,
    CDS_TIMED_OUT,
    LDS_ATTEMPT,
    LDS_OK,
    LDS_REJECTED,
    LDS_TIMED_OUT,
    WARMING_CLUSTERS,
    LISTENERS_STOPPED,
    LISTENERS_ACTIVE,
    SERVER_STATE,
    SERVER_UPTIME,
    GAUGES
};

struct gauge {
    double value;
    const struct debrief_record *record; /* NULL: not known, which is not zero */
};

enum wait_kind { WAIT_CLUSTER, WAIT_ROUTES, WAIT_SECRET };

#define WAITS_MAX 64 /* more are counted, not named */

/* A subscription that has had no accepted answer, by its statistics. */
struct wait {
    enum wait_kind kind;
    char *name;
    double attempts, warming; /* warming below 0: not known */
    double checks, checks_ok, checks_failed;
    const struct debrief_record *record;
};

enum state { STATE_NONE, STATE_LIVE, STATE_DRAINING, STATE_PRE_INITIALIZING, STATE_INITIALIZING };

struct facts {
    enum state state;
    bool from_log; /* the state is concluded from the log's last phase, no page says it */
    const struct debrief_record *state_record; /* what says the state; NULL: nothing does */
    const char *node;                          /* name of the subject `proxy` */
    double uptime;                             /* seconds; below 0: not known */
    struct gauge gauges[GAUGES];
    struct wait waits[WAITS_MAX];
    size_t waits_len;
    const struct debrief_record *phase;       /* last phase of the cluster manager in the log */
    const struct debrief_record *terminating; /* the signal that nothing has followed */
    int64_t log_end;                          /* ns, 0: not known */
};

void facts_read(struct debrief_ctx *ctx, struct facts *facts);
void facts_release(struct facts *facts);

bool facts_known(const struct facts *facts, enum gauge_id id);
double facts_value(const struct facts *facts, enum gauge_id id); /* 0 when not known */

/* "2026-11-21T10:05:02Z" to ns since the epoch; 0 when it is no such text. */
int64_t facts_time(const char *text);

#endif
