/* Collect: the steps of a probe behind the name: TCP, TLS, HTTP. Reads and writes one socket,
 * waits at most until its deadline, and says how far it came. Verifies a chain to tell about it,
 * not to refuse it; presents no certificate of its own. */
#include "collect/probe.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 16 << 10, CHAIN_MAX = 8, ALERT_MS = 400 };

bool probe_wait(int fd, short events, int64_t until)
{
    for (;;) {
        int64_t left = (until - clock_monotonic()) / (CLOCK_SECOND / 1000);
        struct pollfd wait = {.fd = fd, .events = events};
        if (left <= 0)
            return false;
        int ready = poll(&wait, 1, left > 1000 ? 1000 : (int)left);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

bool probe_is_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

void probe_host_text(const char *host, char out[PROBE_HOST_MAX + 2])
{
    snprintf(out, PROBE_HOST_MAX + 2, strchr(host, ':') ? "[%.253s]" : "%.255s", host);
}

/* ---- TCP ---- */

static const char *result_of(int error)
{
    switch (error) {
    case 0:
        return "connected";
    case ECONNREFUSED:
        return "refused";
    case ETIMEDOUT:
        return "timeout";
    case ECONNRESET:
        return "reset";
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EACCES: /* what a route or a rule of this machine answers */
    case EPERM:
        return "unreachable";
    default:
        return "failed";
    }
}

int probe_connect(const char *address, int port, int64_t until, const char **result,
                  char error[PROBE_TEXT_MAX])
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[16];
    socklen_t len = sizeof errno;
    int why = EINVAL, fd = -1;
    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(address, service, &hints, &found) == 0) {
        fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        why = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
        if (why == EINPROGRESS && !probe_wait(fd, POLLOUT, until))
            why = ETIMEDOUT;
        else if (why == EINPROGRESS)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len);
        freeaddrinfo(found);
    }
    *result = result_of(why);
    snprintf(error, PROBE_TEXT_MAX, "%s", why ? strerror(why) : "");
    if (why && fd >= 0)
        close(fd);
    return why ? -1 : fd;
}

/* ---- TLS ---- */

static int ask_certificate(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    struct probe_tls *tls = SSL_get_app_data(ssl);
    (void)certificate;
    (void)key;
    tls->client_certificate = true;
    return 0; /* there is none */
}

static void say_error(struct probe_tls *tls, int code)
{
    unsigned long error = ERR_get_error();
    if (error)
        ERR_error_string_n(error, tls->error, sizeof tls->error);
    else if (code == SSL_ERROR_SYSCALL && errno)
        snprintf(tls->error, sizeof tls->error, "%s", strerror(errno));
    else
        snprintf(tls->error, sizeof tls->error, "the server closed the connection");
    ERR_clear_error();
}

/* What OPERATION wants before it can go on; false: it is over, CODE says how. */
static bool go_on(SSL *ssl, int returned, int fd, int64_t until, int *code)
{
    *code = SSL_get_error(ssl, returned);
    if (*code != SSL_ERROR_WANT_READ && *code != SSL_ERROR_WANT_WRITE)
        return false;
    if (probe_wait(fd, *code == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until))
        return true;
    errno = ETIMEDOUT;
    *code = SSL_ERROR_SYSCALL;
    return false;
}

static void keep_chain(struct probe_tls *tls)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(tls->ssl);
    BIO *text = BIO_new(BIO_s_mem());
    char *bytes;
    for (int i = 0; text && i < sk_X509_num(chain) && i < CHAIN_MAX; i++)
        PEM_write_bio_X509(text, sk_X509_value(chain, i));
    long len = text ? BIO_get_mem_data(text, &bytes) : 0;
    if (len > 0)
        buf_add(&tls->pem, bytes, (size_t)len);
    BIO_free(text);
}

static bool prepare(struct probe_tls *tls, int fd, const struct probe *probe)
{
    static const unsigned char protocols[] = "\x02h2\x08http/1.1";
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context)
        return false;
    SSL_CTX_set_default_verify_paths(tls->context);
    SSL_CTX_set_client_cert_cb(tls->context, ask_certificate);
    tls->ssl = SSL_new(tls->context);
    if (!tls->ssl || SSL_set_fd(tls->ssl, fd) != 1)
        return false;
    SSL_set_app_data(tls->ssl, tls);
    if (probe_is_address(probe->host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), probe->host);
    } else {
        SSL_set_tlsext_host_name(tls->ssl, probe->host);
        SSL_set1_host(tls->ssl, probe->host);
    }
    if (!*probe->path)
        SSL_set_alpn_protos(tls->ssl, protocols, sizeof protocols - 1);
    return true;
}

/* In TLS 1.3 a server says only behind the handshake that it misses a certificate. */
static void hear_alert(struct probe_tls *tls, int fd, int64_t until)
{
    int64_t end = clock_monotonic() + ALERT_MS * (CLOCK_SECOND / 1000);
    char byte;
    int got, code = SSL_ERROR_NONE;
    while ((got = SSL_peek(tls->ssl, &byte, 1)) <= 0 &&
           go_on(tls->ssl, got, fd, end < until ? end : until, &code))
        ;
    if (got <= 0 && code == SSL_ERROR_SSL) {
        tls->ok = false;
        say_error(tls, code);
    }
}

void probe_handshake(struct probe_tls *tls, int fd, const struct probe *probe, int64_t until)
{
    const unsigned char *protocol = NULL;
    unsigned len = 0;
    int done, code = SSL_ERROR_SSL;
    *tls = (struct probe_tls){0};
    buf_init(&tls->pem, PROBE_PEM_MAX);
    if (!prepare(tls, fd, probe)) {
        say_error(tls, SSL_ERROR_SSL);
        return;
    }
    do {
        errno = 0;
        done = SSL_connect(tls->ssl);
    } while (done != 1 && go_on(tls->ssl, done, fd, until, &code));
    keep_chain(tls);
    tls->verify = SSL_get_verify_result(tls->ssl);
    tls->ok = done == 1;
    if (!tls->ok) {
        say_error(tls, code);
        return;
    }
    snprintf(tls->version, sizeof tls->version, "%s", SSL_get_version(tls->ssl));
    SSL_get0_alpn_selected(tls->ssl, &protocol, &len);
    snprintf(tls->alpn, sizeof tls->alpn, "%.*s", (int)len, protocol ? (const char *)protocol : "");
    if (tls->client_certificate)
        hear_alert(tls, fd, until);
}

void probe_tls_release(struct probe_tls *tls)
{
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->context);
    buf_release(&tls->pem);
}

/* ---- HTTP ---- */

static ssize_t transfer(int fd, SSL *ssl, char *bytes, size_t len, bool out, int64_t until)
{
    int code;
    for (;;) {
        errno = 0;
        if (ssl) {
            int done = out ? SSL_write(ssl, bytes, (int)len) : SSL_read(ssl, bytes, (int)len);
            if (done > 0)
                return done;
            if (!go_on(ssl, done, fd, until, &code))
                return code == SSL_ERROR_ZERO_RETURN ? 0 : -1;
            continue;
        }
        ssize_t done = out ? send(fd, bytes, len, MSG_NOSIGNAL) : recv(fd, bytes, len, 0);
        if (done >= 0 || (errno != EAGAIN && errno != EINTR))
            return done;
        if (!probe_wait(fd, out ? POLLOUT : POLLIN, until)) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

/* The value of the header NAME ("\nlocation:") in HEAD. */
static void header(const char *head, const char *name, char out[PROBE_TEXT_MAX])
{
    const char *at = strcasestr(head, name);
    if (!at)
        return;
    at += strlen(name);
    at += strspn(at, " \t");
    snprintf(out, PROBE_TEXT_MAX, "%.*s", (int)strcspn(at, "\r\n"), at);
}

static void judge(struct probe_http *http, const char *head, size_t len, bool failed, int error)
{
    if (sscanf(head, "HTTP/%*d.%*d %d", &http->status) == 1) {
        http->result = "ok";
        header(head, "\nlocation:", http->location);
        header(head, "\nserver:", http->server);
        return;
    }
    http->result = len                                         ? "failed"
                   : failed && error == ETIMEDOUT              ? "timeout"
                   : failed && (error == ECONNRESET || !error) ? "reset"
                   : failed                                    ? "failed"
                                                               : "empty";
    if (len)
        snprintf(http->error, sizeof http->error, "the answer is not HTTP/1.1");
    else if (failed)
        snprintf(http->error, sizeof http->error, "%s",
                 error ? strerror(error) : "the connection ended in an error");
    else
        snprintf(http->error, sizeof http->error, "the server closed without an answer");
}

void probe_get(struct probe_http *http, int fd, SSL *ssl, const struct probe *probe, int64_t until)
{
    char host[PROBE_HOST_MAX + 2], *head = xmalloc(HEAD_MAX + 1);
    size_t len = 0;
    probe_host_text(probe->host, host);
    char *request = xasprintf("GET %s HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: %s\r\nAccept: */*\r\n"
                              "Connection: close\r\n\r\n",
                              probe->path, host, probe->port, probe->agent);
    *http = (struct probe_http){0};
    ssize_t got = transfer(fd, ssl, request, strlen(request), true, until);
    while (got > 0 && len < HEAD_MAX) {
        got = transfer(fd, ssl, head + len, HEAD_MAX - len, false, until);
        len += got > 0 ? (size_t)got : 0;
        head[len] = '\0';
        if (strstr(head, "\r\n\r\n"))
            break;
    }
    head[len] = '\0';
    judge(http, head, len, got < 0, errno);
    free(request);
    free(head);
}
