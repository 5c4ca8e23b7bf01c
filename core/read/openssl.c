/* Stage: read. `openssl s_client` and `openssl x509`, as printed: one net.tls and, where a connection was
 * tried, one net.connect for each. Certificates in it are parsed by OpenSSL; verdicts are those that the
 * tool printed. What goes to standard error may stand before everything else. */
#include "base/str.h"
#include "read/host_session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_MAX = 128 << 10 };

static void set_result(struct host_openssl *openssl)
{
    struct net_tls *tls = &openssl->tls;
    bool certificate = *tls->subject || *tls->expires;
    bool good = certificate && !openssl->no_certificate && !*tls->error;
    NET_SET(tls->result, good ? "ok" : "failed");
    if (openssl->no_certificate)
        *tls->verify_code = *tls->verify_error = '\0';
}

/* Without -showcerts the chain is listed by names, and only the first certificate is shown. */
static void set_chain(struct host_openssl *openssl)
{
    struct net_tls *tls = &openssl->tls;
    if (!*openssl->chain_issuer || strcmp(openssl->chain_issuer, tls->chain_issuer) == 0)
        return;
    NET_SET(tls->chain_issuer, openssl->chain_issuer);
    *tls->chain_key_id = '\0';
    tls->chain_rooted = false;
}

static void flush(struct host_session *session)
{
    struct host_openssl *openssl = &session->openssl;
    struct net_tls *tls = &openssl->tls;
    if (openssl->pem.len)
        net_certificates(tls, openssl->pem.data, openssl->pem.len);
    set_chain(openssl);
    if (openssl->connected)
        set_result(openssl);
    else
        *tls->chain_expires = '\0'; /* certificates that no server showed are no chain */
    if (openssl->connected && !*openssl->connect.result)
        NET_SET(openssl->connect.result, "connected");
    if (*openssl->connect.result) {
        host_supply(session, "net.connect");
        net_add_connect(session->reading, &openssl->connect);
    }
    if (openssl->connected || *tls->subject || *tls->expires) {
        host_supply(session, "net.tls");
        net_add_tls(session->reading, tls);
    }
    buf_release(&openssl->pem);
    *openssl = (struct host_openssl){0};
    buf_init(&openssl->pem, PEM_MAX);
}

static struct host_openssl *begin(struct host_session *session)
{
    struct host_openssl *openssl = &session->openssl;
    if (!openssl->active) {
        flush(session);
        openssl->active = true;
        openssl->tls.tool = openssl->connect.tool = "openssl";
    }
    return openssl;
}

static void set_peer(struct host_openssl *openssl, const char *host, const char *port)
{
    bool address = net_is_address(host);
    NET_SET(openssl->connect.host, host);
    NET_SET(openssl->tls.host, host);
    NET_SET(openssl->connect.port, port);
    NET_SET(openssl->tls.port, port);
    if (address) {
        NET_SET(openssl->connect.address, host);
        NET_SET(openssl->tls.address, host);
    }
}

static void openssl_command(struct host_session *session)
{
    const struct net_command *command = &session->command;
    char host[NET_NAME_MAX], port[8];
    if (!net_command_is(command, "openssl") || command->argc < 2)
        return;
    struct host_openssl *openssl = begin(session);
    const char *peer = net_command_option(command, "-connect");
    if (!peer && command->argc > 2 && strchr(command->argv[command->argc - 1], ':'))
        peer = command->argv[command->argc - 1];
    if (peer && net_split_port(peer, strlen(peer), host, port))
        set_peer(openssl, host, port);
    const char *name = net_command_option(command, "-servername");
    if (name && *name != '-') {
        NET_SET(openssl->tls.host, name);
        if (net_is_address(openssl->connect.host))
            NET_SET(openssl->tls.address, openssl->connect.host);
    }
}

static void cite(struct host_session *session, struct net_place *place, const char *line,
                 bool strong)
{
    if (strong || !*place->text)
        net_place_at(place, line, session->number);
}

/* ---- what failed ---- */

/* "40D7...:error:8000006F:system library:BIO_connect:Connection refused:...": the reason is one of
 * the parts. */
static bool take_error(struct host_session *session, const char *line)
{
    const char *at = strstr(line, ":error:");
    if (!at || strspn(line, "0123456789ABCDEFabcdef") != (size_t)(at - line))
        return false;
    struct host_openssl *openssl = begin(session);
    bool lookup = strstr(line, "BIO_lookup_ex") && !strstr(line, "refused");
    const char *result = net_connect_result(line);
    if (lookup) {
        struct net_dns dns = {.tool = "openssl"};
        const char *text = strrchr(line, ':');
        NET_SET(dns.name, openssl->connect.host);
        NET_SET(dns.status, "failed");
        NET_SET(dns.error, text && text[1] ? text + 1 : line);
        net_place_at(&dns.place, line, session->number);
        host_supply(session, "net.dns");
        net_add_dns(session->reading, &dns);
    } else if (strstr(line, "connect") && result) {
        NET_SET(openssl->connect.result, result);
        NET_SET(openssl->connect.error, line);
        cite(session, &openssl->connect.place, line, true);
    } else if (strstr(line, "SSL routines") && !*openssl->tls.error) {
        NET_SET(openssl->tls.error, line);
        cite(session, &openssl->tls.place, line, true);
    }
    return true;
}

/* "connect:errno=111", "write:errno=104", and the words of older ones: "connect: Connection refused" */
static bool take_errno(struct host_session *session, const char *line)
{
    static const struct {
        int number;
        const char *result;
    } numbers[] = {{111, "refused"}, {110, "timeout"}, {113, "unreachable"}, {101, "unreachable"}};
    struct host_openssl *openssl = &session->openssl;
    bool words = str_starts(line, "connect: ") && net_connect_result(line);
    if (!str_starts(line, "connect:errno=") && !str_starts(line, "write:errno=") && !words)
        return false;
    openssl = begin(session);
    const char *result = words ? net_connect_result(line) : NULL;
    int number = words ? 0 : atoi(strchr(line, '=') + 1);
    if (str_starts(line, "write:")) {
        if (!*openssl->tls.error)
            NET_SET(openssl->tls.error,
                    number == 104 ? "write:errno=104 (connection reset by peer)" : line);
        cite(session, &openssl->tls.place, line, true);
        return true;
    }
    for (size_t i = 0; !result && i < sizeof numbers / sizeof *numbers; i++)
        result = numbers[i].number == number ? numbers[i].result : NULL;
    if (result && !*openssl->connect.result) {
        NET_SET(openssl->connect.result, result);
        NET_SET(openssl->connect.error, line);
        cite(session, &openssl->connect.place, line, true);
    }
    return true;
}

/* ---- what came ---- */

static bool take_verify(struct host_session *session, const char *line)
{
    struct host_openssl *openssl = &session->openssl;
    int code, at = 0;
    bool error = sscanf(line, "verify error:num=%d:%n", &code, &at) == 1 && at;
    bool result = !error && strstr(line, "Verify return code: ") &&
                  sscanf(strstr(line, "Verify return code: "), "Verify return code: %d %n", &code,
                         &at) == 1;
    if (!error && !result)
        return str_starts(line, "verify return:") || str_starts(line, "Verification");
    openssl = begin(session);
    struct net_tls *tls = &openssl->tls;
    const char *text = result ? strchr(line, '(') : line + at - 1;
    if ((error && *tls->verify_code && strcmp(tls->verify_code, "21") != 0) ||
        (result && !code && *tls->verify_code))
        return true; /* the first error tells more than the last */
    if (result && *tls->verify_code && strcmp(tls->verify_code, "0") != 0)
        return true;
    snprintf(tls->verify_code, sizeof tls->verify_code, "%d", code % 100000);
    if (text && code)
        net_copy(tls->verify_error, sizeof tls->verify_error, text + 1, strcspn(text + 1, ")"));
    cite(session, &tls->place, line, code || !*tls->error);
    return true;
}

static bool take_date(struct net_tls *tls, const char *line)
{
    static const char *const marks[] = {"notBefore=", "notAfter=", "Not Before: ", "Not After : "};
    char time[NET_TIME_MAX];
    for (size_t i = 0; i < 4; i++) {
        const char *at = strstr(line, marks[i]);
        if (!at || !net_time(at + strlen(marks[i]), time))
            continue;
        if (i % 2)
            NET_SET(tls->expires, time);
        else
            NET_SET(tls->valid_from, time);
        return true;
    }
    /* the chain: " v:NotBefore: Nov 21 14:57:24 2026 GMT; NotAfter: Nov 21 14:57:24 2027 GMT" */
    const char *begin = strstr(line, "v:NotBefore: "), *end = strstr(line, "NotAfter: ");
    if (!begin || !end || !net_time(end + 10, time))
        return false;
    if (!*tls->expires) {
        NET_SET(tls->expires, time);
        net_time(begin + 13, tls->valid_from);
    }
    if (!*tls->chain_expires || strcmp(time, tls->chain_expires) < 0)
        NET_SET(tls->chain_expires, time);
    return true;
}

/* "subject=CN = x", "subject= /CN=x" of old ones, "Subject: CN = x" of -text */
static bool take_name(struct host_session *session, const char *line)
{
    struct net_tls *tls = &session->openssl.tls;
    const char *at = line + strspn(line, " ");
    const char *value = str_starts(at, "subject=")    ? at + 8
                        : str_starts(at, "Subject: ") ? at + 9
                                                      : NULL;
    bool subject = value;
    if (!value)
        value = str_starts(at, "issuer=") ? at + 7 : str_starts(at, "Issuer: ") ? at + 8 : NULL;
    if (!value)
        return false;
    value += strspn(value, " ");
    if (subject) {
        NET_SET(tls->subject, value);
        cite(session, &tls->place, line, false);
    } else {
        NET_SET(tls->issuer, value);
    }
    return true;
}

/* " 0 s:CN = orders.example.com", "   i:CN = Known CA" */
static bool take_chain(struct host_openssl *openssl, const char *line)
{
    bool issuer = str_starts(line, "   i:");
    if (issuer)
        NET_SET(openssl->chain_issuer, line + 5);
    return issuer;
}

/* "    DNS:a, DNS:b, IP Address:10.0.0.1" below the heading */
static bool take_names(struct host_openssl *openssl, const char *line)
{
    if (strstr(line, "X509v3 Subject Alternative Name")) {
        openssl->in_names = true;
        return true;
    }
    if (!openssl->in_names)
        return false;
    openssl->in_names = false;
    for (const char *at = line + strspn(line, " "); *at; at += strspn(at, ", ")) {
        size_t len = strcspn(at, ",");
        const char *colon = memchr(at, ':', len);
        if (colon)
            net_list(openssl->tls.names, sizeof openssl->tls.names, colon + 1,
                     len - (size_t)(colon + 1 - at));
        at += len;
    }
    return true;
}

static bool take_pem(struct host_session *session, const char *line)
{
    bool begins = str_starts(line, "-----BEGIN CERTIFICATE-----");
    struct host_openssl *openssl = &session->openssl;
    if (!begins && !openssl->in_pem)
        return false;
    openssl = begin(session);
    openssl->in_pem = !str_starts(line, "-----END");
    buf_adds(&openssl->pem, line);
    buf_addch(&openssl->pem, '\n');
    cite(session, &openssl->tls.place, line, false);
    return true;
}

static bool take_session(struct host_session *session, const char *line)
{
    struct host_openssl *openssl = &session->openssl;
    struct net_tls *tls = &openssl->tls;
    if (str_starts(line, "no peer certificate available"))
        openssl->no_certificate = true;
    else if (str_starts(line, "Acceptable client certificate CA names"))
        tls->client_certificate = true;
    else if (str_starts(line, "New, TLSv") || str_starts(line, "New, SSLv"))
        net_copy(tls->version, sizeof tls->version, line + 5, strcspn(line + 5, ","));
    else if (strstr(line, "Protocol  : TLSv"))
        NET_SET(tls->version, strstr(line, "TLSv"));
    else
        return false;
    return true;
}

static bool take_connected(struct host_session *session, const char *line)
{
    char host[NET_NAME_MAX], port[8];
    struct host_openssl *openssl;
    if (str_starts(line, "CONNECTED(")) {
        if (session->openssl.connected)
            flush(session);
        openssl = begin(session);
        openssl->connected = true;
        cite(session, &openssl->connect.place, line, false);
        return true;
    }
    if (!str_starts(line, "Connecting to ") || session->curl.active)
        return false;
    openssl = begin(session);
    const char *at = line + 14;
    bool both = net_split_port(at, strlen(at), host, port) && net_is_address(host);
    NET_SET(openssl->connect.address, both ? host : at);
    NET_SET(openssl->tls.address, both ? host : at);
    return true;
}

/* Lines of which nothing is taken, and which are no strangers. */
static bool is_known(const char *line)
{
    static const char *const starts[] = {"---",
                                         "depth=",
                                         "Certificate chain",
                                         "Server certificate",
                                         "No client cert",
                                         "Peer sign",
                                         "Server Temp",
                                         "SSL handshake has",
                                         "Server public key",
                                         "Secure Reneg",
                                         "Compression",
                                         "Expansion",
                                         "No ALPN",
                                         "ALPN protocol",
                                         "Early data",
                                         "DONE",
                                         "Requested Sig",
                                         "Shared Requested",
                                         "SSL-Session:",
                                         "read R BLOCK",
                                         "Post-Handshake",
                                         "closed",
                                         "Certificate:",
                                         "Client Certificate",
                                         "Max Early"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (str_starts(line, starts[i]))
            return true;
    return *line == ' ';
}

static bool openssl_line(struct host_session *session, const char *line)
{
    struct host_openssl *openssl = &session->openssl;
    if (take_pem(session, line) || take_error(session, line) || take_errno(session, line) ||
        take_connected(session, line) || take_verify(session, line))
        return true;
    bool alone = !openssl->active && !session->curl.active &&
                 (str_starts(line, "subject=") || str_starts(line, "issuer=") ||
                  str_starts(line, "notBefore=") || str_starts(line, "notAfter="));
    if (!openssl->active && !alone)
        return false;
    openssl = begin(session);
    return take_session(session, line) || take_chain(openssl, line) || take_names(openssl, line) ||
           take_date(&openssl->tls, line) || take_name(session, line) || is_known(line);
}

static bool openssl_mark(const char *line)
{
    return str_starts(line, "CONNECTED(0") || str_starts(line, "verify error:num=") ||
           str_starts(line, "connect:errno=") || str_starts(line, "notAfter=") ||
           str_starts(line, "-----BEGIN CERTIFICATE-----");
}

const struct host_part host_openssl = {
    .line = openssl_line, .command = openssl_command, .end = flush, .mark = openssl_mark};
