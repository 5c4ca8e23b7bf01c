/* Stage: correlation. Decides whether two subjects (kind and name) can concern each other, so that
 * listener A is never blamed for listener B. Reads two subject objects; knows nothing of findings. */
#include "base/json.h"
#include "base/str.h"
#include "finding/correlate.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct place { /* what a name tells of a socket of the proxy's own */
    char host[INET6_ADDRSTRLEN];
    long port; /* 0 when it tells none */
};

/* Only these kinds name sockets that the proxy itself listens on; the port of an xDS server or of an
 * upstream host says nothing about them. */
static bool names_socket(const char *kind)
{
    static const char *const kinds[] = {"listener", "address", "target", NULL};
    for (size_t i = 0; kinds[i]; i++)
        if (strcmp(kinds[i], kind) == 0)
            return true;
    return false;
}

static const char *last_digits(const char *name)
{
    const char *at = name + strlen(name);
    while (at > name && isdigit((unsigned char)at[-1]))
        at--;
    return at;
}

/* "10.0.0.5:8080", "[::]:80", Istio's "0.0.0.0_15006", App Mesh's "lds_ingress_0.0.0.0_15000". A number
 * behind '_' counts only after an address: "listener_1" is a name. */
static struct place place_of(const char *name)
{
    struct place place = {{0}, 0};
    const char *digits = last_digits(name);
    if (!*digits || digits == name || strlen(digits) > 5)
        return place;
    char separator = digits[-1];
    const char *end = digits - 1, *start = end;
    while (start > name &&
           (isxdigit((unsigned char)start[-1]) || start[-1] == '.' || start[-1] == ':'))
        start--;
    struct in6_addr scratch;
    char host[INET6_ADDRSTRLEN] = "";
    if ((size_t)(end - start) < sizeof host)
        memcpy(host, start, (size_t)(end - start));
    bool is_address = inet_pton(AF_INET, host, &scratch) == 1 ||
                      inet_pton(AF_INET6, host, &scratch) == 1;
    if (is_address)
        memcpy(place.host, host, sizeof place.host);
    if (separator == ':' || (separator == '_' && is_address))
        place.port = strtol(digits, NULL, 10);
    return place;
}

static bool is_everywhere(const char *host)
{
    return !*host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ||
           strcmp(host, "::1") == 0 || str_starts(host, "127.");
}

static bool sockets_contradict(const char *name_a, const char *name_b)
{
    struct place a = place_of(name_a), b = place_of(name_b);
    if (a.port && b.port && a.port != b.port)
        return true;
    return !is_everywhere(a.host) && !is_everywhere(b.host) && strcmp(a.host, b.host) != 0;
}

bool correlate_related(const cJSON *subject_a, const cJSON *subject_b)
{
    const char *kind_a = json_str(subject_a, "kind"), *kind_b = json_str(subject_b, "kind");
    const char *name_a = json_str(subject_a, "name"), *name_b = json_str(subject_b, "name");
    if (!kind_a || !kind_b || !name_a || !name_b)
        return true;
    if (strcmp(kind_a, "proxy") == 0 || strcmp(kind_b, "proxy") == 0)
        return true;
    if (strcmp(kind_a, kind_b) == 0)
        return strcmp(name_a, name_b) == 0;
    if (names_socket(kind_a) && names_socket(kind_b))
        return !sockets_contradict(name_a, name_b);
    return true;
}
