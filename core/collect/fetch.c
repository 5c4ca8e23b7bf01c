/* Collect: HTTP by libcurl. Asks an admin address, writes bodies to files as they come.
 * Deliberately knows one verb and no page: which paths may be asked stands in admin.c. */
#include "collect/fetch.h"

#include "base/alloc.h"
#include "collect/collection.h"
#include "config.h"
#include "source/hash.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 5000 };

struct fetch {
    CURL *curl;
    char *base; /* URL without a trailing slash */
};

struct body { /* where an answer goes */
    int fd, error;
    uint64_t size, max;
    struct hash *hash;
    bool too_large;
};

/* libcurl takes another count than the given one for a failure. */
static size_t on_bytes(char *bytes, size_t one, size_t len, void *user)
{
    struct body *body = user;
    (void)one;
    size_t room = body->max - body->size < len ? (size_t)(body->max - body->size) : len;
    if (!collection_write(body->fd, bytes, room)) {
        body->error = errno;
        return 0;
    }
    hash_add(body->hash, bytes, room);
    body->size += room;
    body->too_large = room < len;
    return room;
}

static void set_tls(CURL *curl, const struct collect_options *options)
{
    if (options->cacert)
        curl_easy_setopt(curl, CURLOPT_CAINFO, options->cacert);
    if (options->cert)
        curl_easy_setopt(curl, CURLOPT_SSLCERT, options->cert);
    if (options->key)
        curl_easy_setopt(curl, CURLOPT_SSLKEY, options->key);
}

static void set_protocols(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

static void set_socket(CURL *curl, const char *path)
{
    /* Envoy writes abstract sockets with '@' in front, as ss and netstat do. */
    if (*path == '@')
        curl_easy_setopt(curl, CURLOPT_ABSTRACT_UNIX_SOCKET, path + 1);
    else
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, path);
}

struct fetch *fetch_new(const struct target *target, const struct collect_options *options)
{
    static bool initialised;
    if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        BUG("libcurl does not start");
    initialised = true;
    struct fetch *fetch = xcalloc(1, sizeof *fetch);
    fetch->curl = curl_easy_init();
    if (!fetch->curl)
        BUG("libcurl does not start");
    CURL *curl = fetch->curl;
    set_protocols(curl);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "debrief/" DEBRIEF_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    set_tls(curl, options);
    if (target->kind == TARGET_UNIX) {
        set_socket(curl, target->address);
        fetch->base = xstrdup("http://localhost");
    } else {
        fetch->base = xstrdup(target->address);
    }
    return fetch;
}

void fetch_free(struct fetch *fetch)
{
    if (!fetch)
        return;
    curl_easy_cleanup(fetch->curl);
    free(fetch->base);
    free(fetch);
}

char *fetch_origin(const struct target *target, const char *path)
{
    if (target->kind == TARGET_UNIX)
        return xasprintf("unix:%s %s", target->address, path);
    return xasprintf("%s%s", target->via ? target->via : target->address, path);
}

static enum fetch_outcome outcome_of(CURLcode code, const struct body *body)
{
    if (code == CURLE_OK)
        return FETCH_DONE;
    if (body->too_large)
        return FETCH_TOO_LARGE;
    bool none = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
                code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
    return none ? FETCH_UNREACHABLE : FETCH_CUT;
}

/* In our own words: libcurl's hold milliseconds, and reports must be the same every time. */
static const char *explain_code(CURL *curl, CURLcode code)
{
    long error = 0;
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return error ? strerror((int)error) : "no connection";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "the name does not resolve";
    case CURLE_OPERATION_TIMEDOUT:
        return "the time limit was reached";
    case CURLE_GOT_NOTHING:
        return "the connection was closed without an answer";
    case CURLE_PARTIAL_FILE:
        return "the connection was closed in the middle of the answer";
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return error ? strerror((int)error) : "the connection broke";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return "the answer is no HTTP/1.1";
    default:
        return curl_easy_strerror(code);
    }
}

static void explain(struct fetch_result *result, CURL *curl, CURLcode code, const struct body *body)
{
    if (result->outcome == FETCH_TOO_LARGE)
        snprintf(result->why, sizeof result->why, "the answer is longer than %llu MB",
                 (unsigned long long)(body->max >> 20));
    else if (body->error)
        snprintf(result->why, sizeof result->why, "cannot keep the answer: %s",
                 strerror(body->error));
    else
        snprintf(result->why, sizeof result->why, "%s", explain_code(curl, code));
}

void fetch_get(struct fetch *fetch, const char *path, int fd, uint64_t max, int64_t timeout_ms,
               struct fetch_result *result)
{
    CURL *curl = fetch->curl;
    char *url = xasprintf("%s%s", fetch->base, path);
    struct body body = {.fd = fd, .max = max, .hash = hash_new()};
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS));
    CURLcode code = curl_easy_perform(curl);
    *result = (struct fetch_result){.outcome = outcome_of(code, &body), .size = body.size};
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &result->status);
    double asked = 0;
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME, &asked);
    /* A time-out before anything could be asked is a dead address and not a cut answer. */
    if (code == CURLE_OPERATION_TIMEDOUT && asked == 0)
        result->outcome = FETCH_UNREACHABLE;
    if (code != CURLE_OK)
        explain(result, curl, code, &body);
    hash_end(body.hash, result->sha256);
    free(url);
}
