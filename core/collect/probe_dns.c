/* Collect: the first step of a probe, a name. Asks the servers of resolv.conf by DNS over UDP, so
 * that it can tell which of them answered what; the C library's resolver does not. Reads the hosts
 * file as well. Deliberately asks for nothing but A and AAAA. */
#include "collect/probe.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SERVERS_MAX = 3,
    DOMAINS_MAX = 6,
    TRY_MS = 1500,
    ROUNDS = 2,
    PACKET_MAX = 4096,
    DNS_PORT = 53
};

struct resolver {
    char servers[SERVERS_MAX][64], domains[DOMAINS_MAX][PROBE_HOST_MAX];
    size_t servers_len, domains_len;
    int ndots;
};

/* ---- resolv.conf and hosts ---- */

static void take_word(struct resolver *resolver, const char *kind, const char *word)
{
    if (strcmp(kind, "nameserver") == 0 && resolver->servers_len < SERVERS_MAX)
        snprintf(resolver->servers[resolver->servers_len++], 64, "%s", word);
    else if ((strcmp(kind, "search") == 0 || strcmp(kind, "domain") == 0) &&
             resolver->domains_len < DOMAINS_MAX)
        snprintf(resolver->domains[resolver->domains_len++], PROBE_HOST_MAX, "%s", word);
    else if (strcmp(kind, "options") == 0 && str_starts(word, "ndots:"))
        resolver->ndots = atoi(word + 6);
}

static void resolver_init(struct resolver *resolver, const char *root)
{
    size_t len;
    char *text = host_slurp_inside(root, "etc/resolv.conf", &len), *lines = NULL, *words = NULL;
    *resolver = (struct resolver){.ndots = 1};
    char *line = text ? strtok_r(text, "\n", &lines) : NULL;
    for (; line; line = strtok_r(NULL, "\n", &lines)) {
        const char *kind = strtok_r(line, " \t\r", &words), *word;
        if (kind && strcmp(kind, "search") == 0)
            resolver->domains_len = 0; /* the last one counts */
        while (kind && (word = strtok_r(NULL, " \t\r", &words)))
            take_word(resolver, kind, word);
    }
    if (!resolver->servers_len) /* what the C library asks then */
        take_word(resolver, "nameserver", "127.0.0.1");
    free(text);
}

static void add_address(struct probe_dns *dns, const char *address)
{
    for (size_t i = 0; i < dns->len; i++)
        if (strcmp(dns->addresses[i], address) == 0)
            return;
    if (dns->len < PROBE_ADDRESSES_MAX)
        snprintf(dns->addresses[dns->len++], sizeof *dns->addresses, "%s", address);
}

static bool from_hosts(struct probe_dns *dns, const char *name, const char *root)
{
    size_t len;
    char *text = host_slurp_inside(root, "etc/hosts", &len), *lines = NULL, *words = NULL;
    char *line = text ? strtok_r(text, "\n", &lines) : NULL;
    for (; line; line = strtok_r(NULL, "\n", &lines)) {
        line[strcspn(line, "#")] = '\0';
        const char *address = strtok_r(line, " \t\r", &words), *word;
        while (address && (word = strtok_r(NULL, " \t\r", &words)))
            if (strcasecmp(word, name) == 0 && probe_is_address(address))
                add_address(dns, address);
    }
    free(text);
    if (!dns->len)
        return false;
    dns->status = "NOERROR";
    snprintf(dns->server, sizeof dns->server, "hosts file");
    return true;
}

/* ---- one question to one server ---- */

static int open_server(const char *server)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(server, "53", &hints, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static const char *status_of(int code)
{
    switch (code) {
    case ns_r_noerror:
        return "NOERROR";
    case ns_r_nxdomain:
        return "NXDOMAIN";
    case ns_r_servfail:
        return "SERVFAIL";
    case ns_r_refused:
        return "refused";
    default:
        return "failed";
    }
}

static void take_answers(struct probe_dns *dns, ns_msg *message, int type)
{
    char text[INET6_ADDRSTRLEN];
    ns_rr record;
    for (int i = 0; i < ns_msg_count(*message, ns_s_an); i++) {
        if (ns_parserr(message, ns_s_an, i, &record) != 0)
            return;
        bool fits = (int)ns_rr_type(record) == type &&
                    ns_rr_rdlen(record) == (type == ns_t_a ? 4 : 16);
        if (!fits ||
            !inet_ntop(type == ns_t_a ? AF_INET : AF_INET6, ns_rr_rdata(record), text, sizeof text))
            continue;
        if (!dns->len)
            dns->ttl = (long)ns_rr_ttl(record);
        add_address(dns, text);
    }
}

static bool take_packet(struct probe_dns *dns, const unsigned char *packet, int len,
                        const unsigned char *question, int type)
{
    ns_msg message;
    if (len < NS_HFIXEDSZ || memcmp(packet, question, 2) != 0 ||
        ns_initparse(packet, len, &message) != 0 || !ns_msg_getflag(message, ns_f_qr))
        return false;
    dns->status = status_of(ns_msg_getflag(message, ns_f_rcode));
    take_answers(dns, &message, type);
    return true;
}

/* Whether SERVER said anything; what it said is in DNS. */
static bool ask(struct probe_dns *dns, const char *server, const unsigned char *question, int len,
                int type, int64_t until)
{
    unsigned char packet[PACKET_MAX];
    int fd = open_server(server);
    bool answered = false;
    ssize_t got = 0;
    if (fd < 0 || send(fd, question, (size_t)len, MSG_NOSIGNAL) != len) {
        snprintf(dns->error, sizeof dns->error, "%s: %s", server, strerror(errno));
    } else {
        snprintf(dns->error, sizeof dns->error, "%s: no answer", server);
        while (!answered && probe_wait(fd, POLLIN, until)) {
            got = recv(fd, packet, sizeof packet, 0);
            if (got < 0 && errno != EAGAIN && errno != EINTR) {
                snprintf(dns->error, sizeof dns->error, "%s: %s", server, strerror(errno));
                break;
            }
            answered = got > 0 && take_packet(dns, packet, (int)got, question, type);
        }
    }
    if (fd >= 0)
        close(fd);
    if (answered)
        snprintf(dns->server, sizeof dns->server, "%.63s", server);
    return answered;
}

static bool is_final(const struct probe_dns *dns)
{
    return str_equal(dns->status, "NOERROR") || str_equal(dns->status, "NXDOMAIN");
}

/* Asks one server after the other until one knows. */
static void query(struct probe_dns *dns, const struct resolver *resolver, const char *name,
                  int type, int64_t until)
{
    unsigned char question[512];
    int len = res_mkquery(ns_o_query, name, ns_c_in, type, NULL, 0, NULL, question,
                          sizeof question);
    dns->status = "timeout";
    if (len < 0) {
        dns->status = "failed";
        snprintf(dns->error, sizeof dns->error, "'%.100s' is no name that can be asked for", name);
        return;
    }
    if (getrandom(question, 2, 0) != 2)
        memcpy(question, &until, 2);
    for (size_t i = 0; i < ROUNDS * resolver->servers_len && !is_final(dns); i++) {
        const char *server = resolver->servers[i % resolver->servers_len];
        int64_t now = clock_monotonic(), end = now + TRY_MS * (CLOCK_SECOND / 1000);
        const char *before = dns->status;
        if (now >= until)
            return;
        if (!ask(dns, server, question, len, type, end < until ? end : until))
            dns->status = before;
        else if (!is_final(dns))
            snprintf(dns->error, sizeof dns->error, "%s answers %s", server, dns->status);
    }
}

/* ---- the name, with search domains ---- */

static void look_up(struct probe_dns *dns, const struct resolver *resolver, const char *name,
                    int64_t until)
{
    dns->len = 0;
    query(dns, resolver, name, ns_t_a, until);
    if (!dns->len && str_equal(dns->status, "NOERROR"))
        query(dns, resolver, name, ns_t_aaaa, until);
    if (is_final(dns))
        *dns->error = '\0';
}

static bool search(struct probe_dns *dns, const struct resolver *resolver, const char *name,
                   int64_t until)
{
    char full[2 * PROBE_HOST_MAX];
    for (size_t i = 0; i < resolver->domains_len; i++) {
        snprintf(full, sizeof full, "%s.%s", name, resolver->domains[i]);
        look_up(dns, resolver, full, until);
        if (dns->len || !is_final(dns))
            return true; /* found, or nobody can tell */
    }
    return false;
}

void probe_resolve(struct probe_dns *dns, const char *name, const char *root, int64_t until)
{
    struct resolver resolver;
    int dots = 0;
    *dns = (struct probe_dns){.ttl = -1};
    if (from_hosts(dns, name, root))
        return;
    resolver_init(&resolver, root);
    for (const char *at = name; *at; at++)
        dots += *at == '.';
    bool absolute = str_ends(name, "."), early = dots >= resolver.ndots;
    if (!early && !absolute && search(dns, &resolver, name, until))
        return;
    look_up(dns, &resolver, name, until);
    struct probe_dns plain = *dns;
    if (!early || absolute || dns->len || !is_final(dns))
        return;
    if (!search(dns, &resolver, name, until))
        *dns = plain;
}
