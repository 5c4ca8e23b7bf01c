/* Observations of the network as records of net.dns, net.connect, net.tls and net.http: what readers of
 * saved output and of probes have in common. */
#ifndef DEBRIEF_READ_NET_RECORD_H
#define DEBRIEF_READ_NET_RECORD_H

#include "read/read.h"

enum { NET_NAME_MAX = 256, NET_TEXT_MAX = 512, NET_LIST_MAX = 1024, NET_TIME_MAX = 32 };

struct net_place { /* the line that an observation is cited by; text "" when there is none yet */
    uint64_t line;
    char pointer[64]; /* in place of a line, in JSON */
    char text[NET_TEXT_MAX];
};

struct net_dns {
    char name[NET_NAME_MAX], server[NET_NAME_MAX], status[16], addresses[NET_LIST_MAX], ttl[16];
    char error[NET_TEXT_MAX];
    const char *tool;
    struct net_place place;
};

struct net_connect {
    char host[NET_NAME_MAX], address[64], port[8], result[16], error[NET_TEXT_MAX];
    const char *tool;
    struct net_place place;
};

struct net_tls {
    char host[NET_NAME_MAX], address[64], port[8], result[8], error[NET_TEXT_MAX];
    char verify_code[8], verify_error[NET_NAME_MAX], version[16];
    char subject[NET_TEXT_MAX], issuer[NET_TEXT_MAX], names[NET_LIST_MAX];
    char valid_from[NET_TIME_MAX], expires[NET_TIME_MAX], chain_expires[NET_TIME_MAX];
    char chain_issuer[NET_TEXT_MAX], chain_key_id[64];
    bool client_certificate;
    bool chain_rooted; /* the last certificate that was shown is an authority's own */
    const char *tool;
    struct net_place place;
};

struct net_http {
    char url[NET_LIST_MAX], host_header[NET_NAME_MAX], method[16], status[8];
    char location[NET_LIST_MAX], server[NET_NAME_MAX], result[16], error[NET_TEXT_MAX];
    const char *tool;
    struct net_place place;
};

/* Adds the record; empty fields stay unknown. */
void net_add_dns(struct reading *reading, const struct net_dns *dns);
void net_add_connect(struct reading *reading, const struct net_connect *connect);
void net_add_tls(struct reading *reading, const struct net_tls *tls);
void net_add_http(struct reading *reading, const struct net_http *http);

/* OUT of CAP bytes becomes the LEN bytes at TEXT, cut where they do not fit. */
void net_copy(char *out, size_t cap, const char *text, size_t len);
#define NET_SET(field, text) net_copy((field), sizeof(field), (text), strlen(text))
/* Appends ITEM to a list that is joined by commas, once. */
void net_list(char *list, size_t cap, const char *item, size_t len);
void net_place_at(struct net_place *place, const char *line, uint64_t number);

/* What the text of a failed connection means for net.connect: refused, timeout, unreachable, reset; NULL
 * when it is none of them. */
const char *net_connect_result(const char *text);
/* net.dns status of the code that DNS tools print: NXDOMAIN, SERVFAIL, refused ...; NULL: unknown code */
const char *net_dns_status(const char *code, size_t len);
bool net_is_address(const char *text); /* IPv4 or IPv6, no port */
/* "HOST:PORT", "[v6]:PORT", "HOST PORT" apart; false when there is no port. */
bool net_split_port(const char *text, size_t len, char host[NET_NAME_MAX], char port[8]);
/* "Nov 21 14:57:24 2026 GMT" as RFC 3339; false when it is none. */
bool net_time(const char *text, char out[NET_TIME_MAX]);

/* Takes subject, issuer, names and dates from the certificates in PEM: the first is the server's own.
 * False when the first cannot be read. */
bool net_certificates(struct net_tls *tls, const char *pem, size_t len);

#endif
