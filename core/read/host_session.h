/* A pasted terminal session, or the output of one command: what the readers of its parts share. Every
 * line is offered to each part in turn; the first that understands it takes it. */
#ifndef DEBRIEF_READ_HOST_SESSION_H
#define DEBRIEF_READ_HOST_SESSION_H

#include "base/buf.h"
#include "read/mesh_tables.h"
#include "read/net_command.h"
#include "read/net_record.h"

enum { HOST_SUPPLIES_MAX = 24 };

struct host_dns {
    struct net_dns open;
    bool active;
    bool server;  /* nslookup told whom it asks */
    bool answers; /* what follows is an answer */
};

struct host_curl {
    bool active, sent, done;
    struct net_dns dns;
    struct net_connect connect;
    struct net_tls tls;
    struct net_http http;
};

struct host_openssl {
    bool active, connected, no_certificate, in_pem, in_names;
    struct net_connect connect;
    struct net_tls tls;
    char chain_issuer[NET_TEXT_MAX]; /* of the last one in the list of the chain */
    struct buf pem;
};

struct host_firewall {
    char table[64], chain[128];
    bool save, list, nft; /* which tool's output it is */
    bool packets;         /* the list has counters */
    int depth;            /* of nft's braces */
};

struct host_process {
    struct record *record; /* the /proc/PID/status that is being read */
    bool inside;           /* between Name: and the next one, wanted or not */
    bool any, sysctls;
    char pid[16], open[16]; /* for limits that follow */
    bool limits;
};

struct host_described { /* one state of a container, as texts */
    char state[16], reason[64], message[512], code[16], started[64], finished[64];
};

struct host_describe {
    bool inside;     /* under "Containers:" or "Init Containers:" */
    bool open, init; /* a container is being described */
    char pod[256], space[128];
    char name[128], image[256], restarts[16], health[8];
    struct host_described now, last, *states; /* states: the one that details belong to */
    uint64_t number;                          /* where its state stands */
    char excerpt[256];
};

struct mesh_count;

struct host_mesh { /* a table of a mesh's tool */
    struct mesh_table table;
    struct mesh_count *counts;
    size_t len, cap;
    bool any_healthy;
};

struct host_session {
    struct reading *reading;
    struct net_command command;
    const char *line; /* as it stands, for excerpts */
    size_t len;
    uint64_t number;
    unsigned strange; /* lines that no part understood */
    const char *supplied[HOST_SUPPLIES_MAX];
    const char *supplied_part[HOST_SUPPLIES_MAX];
    struct host_process process;
    struct host_dns dns;
    struct host_curl curl;
    struct host_openssl openssl;
    struct host_firewall firewall;
    struct host_describe describe;
    struct host_mesh mesh;
};

struct host_part {
    bool (*line)(struct host_session *session, const char *line);
    void (*command)(struct host_session *session); /* a command begins: session->command; or NULL */
    void (*end)(struct host_session *session);     /* what was open is over; or NULL */
    bool (*mark)(const char *line);                /* a line by which a source is recognised */
};

extern const struct host_part host_status, host_sysctl, host_sockets, host_limits,
    host_capabilities, host_facts, host_dns, host_curl, host_openssl, host_firewall, host_routes,
    host_connect, host_describe, host_docker, host_mesh;

/* A record at the present line; NULL when nobody wants it. Marks NAME as supplied. */
struct record *host_add(struct host_session *session, const char *name);
void host_supply(struct host_session *session, const char *name);
/* The same of what is never the whole. */
struct record *host_add_part(struct host_session *session, const char *name);
void host_supply_part(struct host_session *session, const char *name);

/* The bits of "cap_chown,cap_net_admin", as /proc/PID/status has them; unknown names have none. */
uint64_t host_capability_mask(const char *list, size_t len);

#endif
