/* Stage: read. What curl tells while it works (-v), of headers (-i) and at its end ("curl: (7) ..."), and
 * what nc and telnet say: how far each try came, as net.dns, net.connect, net.tls and net.http. A step
 * that was passed is told as well as the one that failed. */
#include "base/str.h"
#include "read/host_session.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one try after the other ---- */

static void flush_http(struct host_session *session)
{
    struct host_curl *curl = &session->curl;
    bool cut = *curl->tls.error && !*curl->http.status && !*curl->http.result;
    if ((!curl->sent && !*curl->http.status) || cut)
        return;
    if (!*curl->http.result)
        NET_SET(curl->http.result, *curl->http.status ? "ok" : "failed");
    host_supply(session, "net.http");
    net_add_http(session->reading, &curl->http);
}

static void flush_tls(struct host_session *session)
{
    struct net_tls *tls = &session->curl.tls;
    if (!*tls->result && !*tls->subject)
        return;
    if (!*tls->result)
        NET_SET(tls->result, *tls->error ? "failed" : "ok");
    NET_SET(tls->host, session->curl.connect.host);
    NET_SET(tls->address, session->curl.connect.address);
    NET_SET(tls->port, session->curl.connect.port);
    host_supply(session, "net.tls");
    net_add_tls(session->reading, tls);
}

static void flush(struct host_session *session)
{
    struct host_curl *curl = &session->curl;
    if (curl->active) {
        if (*curl->dns.status) {
            host_supply(session, "net.dns");
            net_add_dns(session->reading, &curl->dns);
        }
        if (*curl->connect.result) {
            host_supply(session, "net.connect");
            net_add_connect(session->reading, &curl->connect);
        }
        flush_tls(session);
        flush_http(session);
    }
    *curl = (struct host_curl){0};
}

static struct host_curl *begin(struct host_session *session)
{
    struct host_curl *curl = &session->curl;
    if (!curl->active) {
        flush(session);
        curl->active = true;
        curl->dns.tool = curl->connect.tool = curl->tls.tool = curl->http.tool = "curl";
    }
    return curl;
}

/* Host and port of URL, so that errors without them can be told apart. */
static void take_url(struct host_curl *curl, const char *url)
{
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    size_t len = strcspn(at, "/?#");
    const char *user = memchr(at, '@', len);
    if (user) {
        len -= (size_t)(user + 1 - at);
        at = user + 1;
    }
    NET_SET(curl->http.url, url);
    if (net_split_port(at, len, curl->connect.host, curl->connect.port))
        return;
    net_copy(curl->connect.host, sizeof curl->connect.host, at, len);
    NET_SET(curl->connect.port, str_starts(url, "https://") ? "443" : "80");
}

static void curl_command(struct host_session *session)
{
    const struct net_command *command = &session->command;
    if (!net_command_is(command, "curl"))
        return;
    struct host_curl *curl = begin(session);
    NET_SET(curl->http.method, net_command_has(command, "-I") ? "HEAD" : "GET");
    for (int i = 1; i < command->argc; i++) {
        const char *word = command->argv[i];
        bool last = i + 1 == command->argc;
        if (strstr(word, "://") || (last && *word != '-' && !*curl->http.url && strchr(word, '.')))
            take_url(curl, word);
    }
}

/* ---- what curl says ---- */

static void cite(struct host_session *session, struct net_place *place, const char *line)
{
    net_place_at(place, line, session->number);
}

static void take_connect(struct host_session *session, const char *result, const char *line,
                         const char *error)
{
    struct host_curl *curl = begin(session);
    NET_SET(curl->connect.result, result);
    NET_SET(curl->connect.error, error);
    cite(session, &curl->connect.place, line);
}

/* "  Trying 10.0.0.1:80...", in old ones "  Trying 10.0.0.1..." */
static bool trying(struct host_session *session, const char *text)
{
    char address[NET_NAME_MAX], port[8];
    const char *at = strstr(text, "Trying ");
    if (!at || strspn(text, " ") != (size_t)(at - text) || !str_ends(text, "..."))
        return false;
    at += 7;
    struct host_curl *curl = &session->curl;
    if (curl->done || *curl->http.status) {
        flush(session);
        curl = begin(session);
    }
    curl = begin(session);
    size_t len = strlen(at) - 3;
    char tried[NET_NAME_MAX];
    net_copy(tried, sizeof tried, at, len);
    bool both = !net_is_address(tried) && net_split_port(at, len, address, port);
    NET_SET(curl->connect.address, both ? address : tried);
    if (both)
        NET_SET(curl->connect.port, port);
    return true;
}

/* "Connected to HOST (ADDRESS) port PORT (#0)" */
static bool connected(struct host_session *session, const char *text, const char *line)
{
    char host[NET_NAME_MAX], address[64], port[8];
    if (sscanf(text, "Connected to %255s (%63[^)]) port %7[0-9]", host, address, port) != 3 &&
        sscanf(text, "Established connection to %255s (%63s port %7[0-9]", host, address, port) !=
            3)
        return false;
    struct host_curl *curl = &session->curl;
    if (curl->active && strcmp(curl->connect.result, "connected") == 0 &&
        (curl->done || *curl->http.status))
        flush(session);
    curl = begin(session);
    NET_SET(curl->connect.host, host);
    NET_SET(curl->connect.address, address);
    NET_SET(curl->connect.port, port);
    take_connect(session, "connected", line, "");
    if (!net_is_address(host)) {
        NET_SET(curl->dns.name, host);
        NET_SET(curl->dns.status, "NOERROR");
        net_list(curl->dns.addresses, sizeof curl->dns.addresses, address, strlen(address));
        cite(session, &curl->dns.place, line);
    }
    return true;
}

/* "Host app.internal:80 was resolved.", "IPv4: 10.0.0.1, 10.0.0.2": how newer ones tell */
static bool resolved(struct host_session *session, const char *text, const char *line)
{
    struct net_dns *dns = &session->curl.dns;
    bool host = str_starts(text, "Host ") && str_ends(text, " was resolved.");
    if (host) {
        char port[8];
        begin(session);
        if (!net_split_port(text + 5, strcspn(text + 5, " "), dns->name, port))
            return true;
        NET_SET(dns->status, "NOERROR");
        net_place_at(&dns->place, line, session->number);
        return true;
    }
    if (!*dns->name || (!str_starts(text, "IPv4: ") && !str_starts(text, "IPv6: ")))
        return false;
    for (const char *at = text + 6; *at && *at != '('; at += strspn(at, ", ")) {
        size_t len = strcspn(at, ", ");
        net_list(dns->addresses, sizeof dns->addresses, at, len);
        at += len;
    }
    return true;
}

static bool unresolved(struct host_session *session, const char *text, const char *line)
{
    static const char *const texts[] = {"Could not resolve host: ", "Couldn't resolve host '",
                                        "Could not resolve: "};
    struct host_curl *curl = &session->curl;
    bool late = str_starts(text, "Resolving timed out");
    for (size_t i = 0; i < 3; i++) {
        if (!str_starts(text, texts[i]))
            continue;
        const char *name = text + strlen(texts[i]);
        curl = begin(session);
        net_copy(curl->dns.name, sizeof curl->dns.name, name, strcspn(name, "' ;("));
        NET_SET(curl->dns.status, "failed");
    }
    if (late) {
        curl = begin(session);
        NET_SET(curl->dns.name, curl->connect.host);
        NET_SET(curl->dns.status, "timeout");
    }
    if (!curl->active || strcmp(curl->dns.status, "NOERROR") == 0 || !*curl->dns.status ||
        *curl->dns.error)
        return false;
    NET_SET(curl->dns.error, text);
    cite(session, &curl->dns.place, line);
    return true;
}

/* "connect to 10.0.0.1 port 80 failed: Connection refused", with "from ..." in new ones; "Failed to connect
 * to HOST port 80 after 3 ms: Couldn't connect to server" says less and comes later. */
static bool not_connected(struct host_session *session, const char *text, const char *line)
{
    char peer[NET_NAME_MAX], port[8];
    bool one = sscanf(text, "connect to %255s port %7[0-9]", peer, port) == 2 &&
               strstr(text, "failed: ");
    bool all = !one && sscanf(text, "Failed to connect to %255s port %7[0-9]", peer, port) == 2;
    const char *result = one || all ? net_connect_result(text) : NULL;
    if (!one && !all)
        return false;
    struct host_curl *curl = begin(session);
    NET_SET(curl->connect.port, port);
    if (one)
        NET_SET(curl->connect.address, peer);
    else
        NET_SET(curl->connect.host, peer);
    if (result || !*curl->connect.result)
        take_connect(session, result ? result : "failed", line, text);
    return true;
}

static bool certificate_line(struct host_session *session, const char *text)
{
    struct net_tls *tls = &session->curl.tls;
    const char *at = text + strspn(text, " ");
    if (!session->curl.active || at == text)
        return false;
    if (str_starts(at, "subject: "))
        NET_SET(tls->subject, at + 9);
    else if (str_starts(at, "issuer: "))
        NET_SET(tls->issuer, at + 8);
    else if (str_starts(at, "start date: "))
        net_time(at + 12, tls->valid_from);
    else if (str_starts(at, "expire date: "))
        net_time(at + 13, tls->expires);
    else if (str_starts(at, "SSL certificate verify ok"))
        NET_SET(tls->verify_code, "0");
    else if (str_starts(at, "SSL certificate verify result: "))
        net_copy(tls->verify_error, sizeof tls->verify_error, at + 31, strcspn(at + 31, "("));
    else
        return false;
    return true;
}

/* What OpenSSL's words in curl's mouth are as a verify result. */
static void set_verify(struct net_tls *tls, const char *text)
{
    static const char *const codes[][2] = {{"unable to get local issuer", "20"},
                                           {"self-signed certificate in certificate chain", "19"},
                                           {"self signed certificate in certificate chain", "19"},
                                           {"self-signed certificate", "18"},
                                           {"self signed certificate", "18"},
                                           {"certificate has expired", "10"},
                                           {"certificate is not yet valid", "9"},
                                           {"no alternative certificate subject name", "62"}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strstr(text, codes[i][0]) && !*tls->verify_code) {
            NET_SET(tls->verify_code, codes[i][1]);
            NET_SET(tls->verify_error, text);
        }
}

static bool tls_line(struct host_session *session, const char *text, const char *line)
{
    struct host_curl *curl = &session->curl;
    struct net_tls *tls = &curl->tls;
    if (curl->active && str_starts(text, "SSL connection using ")) {
        net_copy(tls->version, sizeof tls->version, text + 21, strcspn(text + 21, " "));
        cite(session, &tls->place, line);
        NET_SET(tls->result, "ok");
        return true;
    }
    bool certificate = str_starts(text, "SSL certificate problem: ") ||
                       str_starts(text, "SSL certificate OpenSSL verify result: ") ||
                       str_starts(text, "SSL: ");
    bool words = strstr(text, "SSL routines") || strstr(text, "SSL_ERROR_") ||
                 str_starts(text, "OpenSSL SSL_") || str_starts(text, "TLS connect error");
    if (str_starts(text, "TLSv1") && strstr(text, "Request CERT"))
        tls->client_certificate = curl->active;
    if ((!certificate && !words) || (curl->active && *tls->error))
        return curl->active && (certificate || words);
    curl = begin(session);
    if (!*curl->connect.result)
        take_connect(session, "connected", line, "");
    NET_SET(tls->result, "failed");
    NET_SET(tls->error, text);
    if (certificate)
        set_verify(tls, text);
    cite(session, &tls->place, line);
    return true;
}

/* The connection stood, and then: mute, cut, closed. While TLS was under way it is TLS that failed. */
static bool broke(struct host_session *session, const char *text, const char *line)
{
    static const char *const texts[][2] = {{"Recv failure: Connection reset", "reset"},
                                           {"Send failure: Broken pipe", "reset"},
                                           {"Send failure: Connection reset", "reset"},
                                           {"Empty reply from server", "empty"},
                                           {"Operation timed out", "timeout"},
                                           {"SSL connection timeout", "timeout"},
                                           {"Connection timed out after", "timeout"},
                                           {"Received HTTP/0.9", "failed"},
                                           {"HTTP/2 stream", "failed"}};
    struct host_curl *curl = &session->curl;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!str_starts(text, texts[i][0]))
            continue;
        bool open = strcmp(curl->connect.result, "connected") == 0;
        bool secure = str_starts(curl->http.url, "https://") || *curl->tls.version;
        if (!open && strcmp(texts[i][1], "timeout") == 0) {
            take_connect(session, "timeout", line, text);
            return true;
        }
        curl = begin(session);
        if (!curl->sent && *curl->tls.error)
            return true;
        if (!curl->sent && secure) {
            NET_SET(curl->tls.result, "failed");
            NET_SET(curl->tls.error, text);
            cite(session, &curl->tls.place, line);
        } else if (!*curl->http.error) {
            curl->sent = true;
            NET_SET(curl->http.result, texts[i][1]);
            NET_SET(curl->http.error, text);
            cite(session, &curl->http.place, line);
        }
        return true;
    }
    return false;
}

static bool speech(struct host_session *session, const char *text, const char *line)
{
    if (str_starts(text, "Closing connection") || strstr(text, "left intact")) {
        session->curl.done = session->curl.active;
        return true;
    }
    return trying(session, text) || connected(session, text, line) ||
           resolved(session, text, line) || unresolved(session, text, line) ||
           not_connected(session, text, line) || tls_line(session, text, line) ||
           broke(session, text, line) || certificate_line(session, text) || session->curl.active;
}

/* ---- requests and answers ---- */

static bool request_line(struct host_session *session, const char *text, const char *line)
{
    struct host_curl *curl = &session->curl;
    char method[16], path[512];
    if (sscanf(text, "%15[A-Z] %511s HTTP/", method, path) == 2 && strstr(text, " HTTP/")) {
        curl = begin(session);
        curl->sent = true;
        NET_SET(curl->http.method, method);
        if (!*curl->http.url)
            snprintf(curl->http.url, sizeof curl->http.url, "%s://%s:%s%s",
                     *curl->tls.version ? "https" : "http",
                     *curl->connect.host ? curl->connect.host : "?",
                     *curl->connect.port ? curl->connect.port : "?", path);
        cite(session, &curl->http.place, line);
    }
    if (str_starts(text, "Host: "))
        NET_SET(curl->http.host_header, text + 6);
    return curl->active;
}

static bool answer_line(struct host_session *session, const char *text, const char *line)
{
    struct host_curl *curl = &session->curl;
    int major, at = 0;
    char status[8];
    bool head = sscanf(text, "HTTP/%d%*[.0-9]%n", &major, &at) == 1 || str_starts(text, "HTTP/2 ");
    const char *code = head ? strchr(text, ' ') : NULL;
    if (code && sscanf(code, " %3[0-9]", status) == 1 && strlen(status) == 3) {
        curl = begin(session);
        NET_SET(curl->http.status, status);
        cite(session, &curl->http.place, line);
        return true;
    }
    if (!curl->active)
        return false;
    static const char location[] = "location: ", server[] = "server: ";
    if (strncasecmp(text, location, strlen(location)) == 0)
        NET_SET(curl->http.location, text + strlen(location));
    if (strncasecmp(text, server, strlen(server)) == 0)
        NET_SET(curl->http.server, text + strlen(server));
    return true;
}

/* What `-w '%{http_code}'` prints: a line of three digits, 000 when no answer came. */
static bool code_alone(struct host_session *session, const char *line)
{
    const char *format = net_command_option(&session->command, "-w");
    struct net_http *http = &session->curl.http;
    if (!format || !strstr(format, "http_code") || strlen(line) != 3 ||
        strspn(line, "0123456789") != 3)
        return false;
    net_place_at(&http->place, line, session->number);
    NET_SET(http->result, strcmp(line, "000") == 0 ? "failed" : "ok");
    if (strcmp(line, "000") != 0)
        NET_SET(http->status, line);
    session->curl.sent = true;
    return true;
}

/* What curl shows of its progress may stand before its words on the same line. */
static const char *behind_progress(const char *line)
{
    const char *at = strstr(line, "--:--:--");
    const char *star = at ? strstr(at, "* ") : NULL;
    return star && star[1] == ' ' ? star : line;
}

static bool curl_line(struct host_session *session, const char *line)
{
    const char *at = behind_progress(line);
    int code;
    char end;
    if (sscanf(at, "curl: (%d%c", &code, &end) == 2 && end == ')') {
        begin(session);
        const char *text = strchr(at, ')') + 1;
        speech(session, text + strspn(text, " "), at);
        session->curl.done = true;
        return true;
    }
    if (str_starts(at, "* "))
        return speech(session, at + 2, at);
    if (*at == '>')
        return request_line(session, at + 1 + (at[1] == ' '), at);
    if (*at == '<')
        return answer_line(session, at + 1 + (at[1] == ' '), at);
    bool curl = session->curl.active && net_command_is(&session->command, "curl");
    if (curl && code_alone(session, line))
        return true;
    if (curl && !session->curl.sent && answer_line(session, at, at))
        return true;
    /* the body */
    return session->curl.active && !str_starts(line, "[");
}

static bool curl_mark(const char *line)
{
    const char *at = behind_progress(line);
    return str_starts(at, "curl: (") ||
           (str_starts(at, "* ") && strstr(at, "Trying ") && str_ends(at, "...")) ||
           str_starts(at, "* Connected to ") || str_starts(at, "* Could not resolve host");
}

const struct host_part host_curl = {
    .line = curl_line, .command = curl_command, .end = flush, .mark = curl_mark};

/* ---- nc, telnet ---- */

static void add_connect(struct host_session *session, const char *host, const char *port,
                        const char *result, const char *line, const char *tool)
{
    struct net_connect connect = {.tool = tool};
    NET_SET(connect.host, host);
    if (net_is_address(host))
        NET_SET(connect.address, host);
    NET_SET(connect.port, port);
    NET_SET(connect.result, result);
    if (strcmp(result, "connected") != 0)
        NET_SET(connect.error, line);
    net_place_at(&connect.place, line, session->number);
    host_supply(session, "net.connect");
    net_add_connect(session->reading, &connect);
}

/* "nc: connect to HOST (ADDRESS) port 80 (tcp) failed: Connection refused", "Connection to HOST (ADDRESS)
 * 80 port [tcp/http] succeeded!", "Ncat: Connection refused.", "HOST [10.0.0.1] 80 (http) open" */
static bool nc_line(struct host_session *session, const char *line)
{
    char host[NET_NAME_MAX], port[8], rest[64];
    const char *result = net_connect_result(line);
    if (sscanf(line, "nc: connect to %255s port %7[0-9]", host, port) == 2 ||
        sscanf(line, "nc: connect to %255s (%63[^)]) port %7[0-9]", host, rest, port) == 3) {
        add_connect(session, host, port, result ? result : "refused", line, "nc");
        return true;
    }
    bool good = strstr(line, " port [") && strstr(line, "succeeded!");
    if (good &&
        (sscanf(line, "Connection to %255s %7[0-9] port", host, port) == 2 ||
         sscanf(line, "Connection to %255s (%63[^)]) %7[0-9] port", host, rest, port) == 3)) {
        add_connect(session, host, port, "connected", line, "nc");
        return true;
    }
    return false;
}

/* What names no peer: the command does. */
static bool silent_line(struct host_session *session, const char *line)
{
    const struct net_command *command = &session->command;
    bool nc = net_command_is(command, "nc") || net_command_is(command, "ncat");
    bool telnet = net_command_is(command, "telnet");
    if ((!nc && !telnet) || command->argc < 3)
        return false;
    const char *host = command->argv[command->argc - 2], *port = command->argv[command->argc - 1];
    bool good = strstr(line, "Connected to ") || (nc && str_ends(line, " open"));
    const char *result = good ? "connected" : net_connect_result(line);
    if (result && strspn(port, "0123456789") == strlen(port))
        add_connect(session, host, port, result, line, command->argv[0]);
    return true;
}

static bool connect_line(struct host_session *session, const char *line)
{
    return nc_line(session, line) || silent_line(session, line);
}

static bool connect_mark(const char *line)
{
    return str_starts(line, "nc: connect to ") ||
           (str_starts(line, "Connection to ") && str_ends(line, "succeeded!"));
}

const struct host_part host_connect = {.line = connect_line, .mark = connect_mark};
