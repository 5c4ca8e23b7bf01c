/* Section lb-health: what its files share. A *trouble* is one way in which a load balancer's check
 * fails, however many targets or requests show it. */
#ifndef LB_HEALTH_H
#define LB_HEALTH_H

#include <debrief/plugin.h>
#include <stdbool.h>

#define TROUBLE_CITES 4

enum symptom {
    ANSWERED, /* with a code that does not count as healthy */
    SILENT,   /* no answer in time */
    BROKEN,   /* connection error or malformed answer */
};

struct trouble {
    enum symptom symptom;
    int code;             /* ANSWERED: the code, 0 when it is not known */
    int port;             /* checked port, 0 when it is not known */
    char host[256];       /* Host that the checker sends, "" when it is not known */
    char path[512];       /* path that it asks for, "" when it is not known */
    char target[160];     /* subject: "10.0.3.7:8080", "" when no target is named */
    char arn[256];        /* target group, "" when it is not known */
    const char *flags;    /* response flags of the access log, NULL without one */
    const char *upstream; /* who answered behind the proxy, NULL or "-" for nobody */
    bool by_instance;     /* the target is an instance: its port may be mapped to another one */
    int64_t first, last;
    uint64_t count;
    const struct debrief_record *cites[TROUBLE_CITES];
    int cites_len;
};

struct lb { /* one run */
    struct debrief_ctx *ctx;
    const struct debrief_record *group; /* the target group, when the evidence holds just one */
};

/* ---- lb-health.c ---- */

/* Starts a finding about T: subject, times and proofs set. */
struct debrief_finding *lb_report(struct lb *lb, const struct trouble *t, const char *id,
                                  const char *message);
const char *lb_group(struct lb *lb, const char *column); /* NULL when it is not known */
bool lb_is(const char *value, const char *word);         /* NULL is nothing */

/* ---- gather.c ---- */

#define TROUBLES_MAX 32

struct troubles {
    struct trouble items[TROUBLES_MAX];
    int len;
    bool checker_seen; /* a load balancer's check appears in the evidence, failing or not */
};

void gather(struct lb *lb, struct troubles *troubles);

/* ---- answers.c: the check was answered, with the wrong code ---- */

void answers_judge(struct lb *lb, const struct trouble *t);

/* ---- sockets.c: the check met no answer ---- */

void sockets_judge(struct lb *lb, const struct trouble *t);

/* ---- tried.c: what others met who asked the same ---- */

void tried_gather(struct lb *lb, struct troubles *troubles);
/* A connection to the checked port that was refused, or an answer that counts as healthy; or NULL. */
const struct debrief_record *tried_refused(struct lb *lb, const struct trouble *t);
const struct debrief_record *tried_well(struct lb *lb, const struct trouble *t);

/* ---- routes.c ---- */

enum match { MATCH_UNKNOWN, MATCH_NO_HOST, MATCH_NO_PATH, MATCH_FOUND };

struct route { /* what the configuration does with a host and path */
    enum match match;
    const struct debrief_record *config; /* as proof */
    const char *why;                     /* where it breaks, in words; NULL */
    const char *host, *path;             /* virtual host and route that the request meets */
    const char *cluster;                 /* where it goes */
    int status;                          /* where the proxy answers itself; 0 */
    const struct debrief_walk *walk;     /* NULL: none was made */
};

struct route routes_find(struct lb *lb, int port, const char *host, const char *path);
/* " (it meets virtual host 'a', route prefix /, cluster 'c')", or nothing. */
const char *routes_text(const struct route *route, char out[600]);

/* ---- advice.c ---- */

void advice_wrong_host(struct lb *lb, struct debrief_finding *finding, const struct trouble *t);
void advice_wrong_path(struct lb *lb, struct debrief_finding *finding, const struct trouble *t);
void advice_redirect(struct lb *lb, struct debrief_finding *finding, const struct trouble *t);
void advice_backend(struct lb *lb, struct debrief_finding *finding, const char *cluster);
void advice_port(struct lb *lb, struct debrief_finding *finding, const struct trouble *t, int port);
void advice_listener(struct lb *lb, struct debrief_finding *finding);
void advice_protocol(struct lb *lb, struct debrief_finding *finding, const char *protocol);
void advice_gateway(struct lb *lb, struct debrief_finding *finding);
void advice_host_header(struct lb *lb, struct debrief_finding *finding);

void advice_ask_routes(struct lb *lb);
void advice_ask_access_log(struct lb *lb);
void advice_ask_security_groups(struct lb *lb, const struct trouble *t);
void advice_ask_listeners(struct lb *lb);
void advice_ask_target_health(struct lb *lb, const struct trouble *t);
void advice_ask_headers(struct lb *lb);

#endif
