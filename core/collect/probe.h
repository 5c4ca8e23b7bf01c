/* Active probes, made only when --probe asks for them: how far a connection to the places that the
 * evidence names gets from here, step by step. Each probe runs in a process of its own, says what
 * it sends, and ends at its deadline. Nothing secret is ever sent: no cookie, no token, no client
 * certificate. */
#ifndef DEBRIEF_COLLECT_PROBE_H
#define DEBRIEF_COLLECT_PROBE_H

#include "base/buf.h"
#include "collect/collection.h"
#include "collect/host.h"

#include <openssl/ssl.h>

enum {
    PROBES_MAX = 8,
    PROBE_ADDRESSES_MAX = 4,
    PROBE_HOST_MAX = 256,
    PROBE_TEXT_MAX = 256,
    PROBE_PEM_MAX = 64 << 10
};

struct probe {
    char host[PROBE_HOST_MAX]; /* name or address */
    int port;
    bool tls;                   /* a handshake follows the connection */
    char path[PROBE_TEXT_MAX];  /* of an HTTP request; "" none */
    char agent[PROBE_TEXT_MAX]; /* its User-Agent */
    char why[PROBE_TEXT_MAX];   /* who else asks there: "management server (bootstrap)" */
};

struct probe_plan {
    struct probe items[PROBES_MAX];
    size_t len, left_out;
};

/* What the evidence in SOURCES names; addresses that mean the proxy's own machine only when
 * LOCAL. */
void probe_plan_make(struct probe_plan *plan, const struct target *target,
                     const struct sources *sources, bool local);

/* "DNS ..., TCP ..., TLS ..., GET ...": what PROBE sends; the caller's to free. */
char *probe_text(const struct probe *probe);

/* Probes what the sources collected so far name, and adds a source for each. */
void probe_collect(struct collection *collection);
void probe_dry_run(const struct target *target);

/* All steps of PROBE in this process, before UNTIL; the answer is a document of
 * "debrief.probe/1". */
cJSON *probe_run(const struct probe *probe, const char *from, const char *root, int64_t until);

/* ---- steps ---- */

struct probe_dns {
    const char *status; /* as net.dns has it */
    char server[64];
    char addresses[PROBE_ADDRESSES_MAX][64];
    size_t len;
    long ttl; /* of the first address; -1 not known */
    char error[PROBE_TEXT_MAX];
};

/* Asks the servers that resolv.conf below ROOT names, after the hosts file there. */
void probe_resolve(struct probe_dns *dns, const char *name, const char *root, int64_t until);

/* A socket that is connected, or -1; RESULT as net.connect has it. */
int probe_connect(const char *address, int port, int64_t until, const char **result,
                  char error[PROBE_TEXT_MAX]);

struct probe_tls {
    bool ok, client_certificate;
    long verify;
    char version[16], alpn[16], error[PROBE_TEXT_MAX];
    struct buf pem; /* the chain that was shown */
    SSL_CTX *context;
    SSL *ssl;
};

void probe_handshake(struct probe_tls *tls, int fd, const struct probe *probe, int64_t until);
void probe_tls_release(struct probe_tls *tls);

struct probe_http {
    const char *result; /* as net.http has it */
    int status;
    char location[PROBE_TEXT_MAX], server[PROBE_TEXT_MAX], error[PROBE_TEXT_MAX];
};

/* GET over FD, or over SSL when there is one. */
void probe_get(struct probe_http *http, int fd, SSL *ssl, const struct probe *probe, int64_t until);

/* Waits for EVENTS on FD; false at UNTIL. */
bool probe_wait(int fd, short events, int64_t until);
/* "name" or "[::1]", as it stands in front of a port. */
void probe_host_text(const char *host, char out[PROBE_HOST_MAX + 2]);
bool probe_is_address(const char *host);

#endif
