/* Stage: read. Observations of the network become records: writes net.dns, net.connect, net.tls and
 * net.http from filled structs, and knows the few words by which tools tell why a connection failed.
 * Parses no tool's output. */
#include "read/net_record.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void net_copy(char *out, size_t cap, const char *text, size_t len)
{
    if (len >= cap)
        len = cap - 1;
    if (len) /* nothing may stand nowhere: an empty name of a certificate */
        memcpy(out, text, len);
    out[len] = '\0';
}

void net_list(char *list, size_t cap, const char *item, size_t len)
{
    size_t used = strlen(list);
    for (const char *at = list; *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        if (part == len && memcmp(at, item, len) == 0)
            return;
        at += part;
    }
    if (!len || used + len + 2 > cap)
        return;
    if (used)
        list[used++] = ',';
    net_copy(list + used, cap - used, item, len);
}

void net_place_at(struct net_place *place, const char *line, uint64_t number)
{
    place->line = number;
    NET_SET(place->text, line);
}

static struct record *add(struct reading *reading, const char *name, const struct net_place *place)
{
    struct record *record = evidence_add(reading->evidence, name, reading->source);
    if (!record)
        return NULL;
    record->line = place->line;
    if (*place->pointer)
        evidence_place(reading->evidence, record, place->pointer);
    if (*place->text)
        evidence_excerpt(reading->evidence, record, place->text, strlen(place->text));
    return record;
}

struct cell {
    const char *column, *value;
};

static void set_all(struct reading *reading, struct record *record, const struct cell *cells)
{
    for (; record && cells->column; cells++)
        if (cells->value && *cells->value)
            evidence_set(reading->evidence, record, cells->column, cells->value);
}

void net_add_dns(struct reading *reading, const struct net_dns *dns)
{
    const struct cell cells[] = {{"name", dns->name},     {"server", dns->server},
                                 {"status", dns->status}, {"addresses", dns->addresses},
                                 {"ttl", dns->ttl},       {"error", dns->error},
                                 {"tool", dns->tool},     {NULL, NULL}};
    set_all(reading, add(reading, "net.dns", &dns->place), cells);
}

void net_add_connect(struct reading *reading, const struct net_connect *connect)
{
    const struct cell cells[] = {{"host", connect->host},
                                 {"address", connect->address},
                                 {"port", connect->port},
                                 {"result", connect->result},
                                 {"error", connect->error},
                                 {"tool", connect->tool},
                                 {NULL, NULL}};
    set_all(reading, add(reading, "net.connect", &connect->place), cells);
}

void net_add_tls(struct reading *reading, const struct net_tls *tls)
{
    const struct cell cells[] = {{"host", tls->host},
                                 {"address", tls->address},
                                 {"port", tls->port},
                                 {"result", tls->result},
                                 {"error", tls->error},
                                 {"verify_code", tls->verify_code},
                                 {"verify_error", tls->verify_error},
                                 {"version", tls->version},
                                 {"subject", tls->subject},
                                 {"issuer", tls->issuer},
                                 {"names", tls->names},
                                 {"valid_from", tls->valid_from},
                                 {"expires", tls->expires},
                                 {"chain_expires", tls->chain_expires},
                                 {"chain_issuer", tls->chain_issuer},
                                 {"chain_key_id", tls->chain_key_id},
                                 {"chain_rooted", tls->chain_rooted ? "yes" : NULL},
                                 {"client_certificate", tls->client_certificate ? "yes" : NULL},
                                 {"tool", tls->tool},
                                 {NULL, NULL}};
    set_all(reading, add(reading, "net.tls", &tls->place), cells);
}

void net_add_http(struct reading *reading, const struct net_http *http)
{
    const struct cell cells[] = {{"url", http->url},           {"host_header", http->host_header},
                                 {"method", http->method},     {"status", http->status},
                                 {"location", http->location}, {"server", http->server},
                                 {"result", http->result},     {"error", http->error},
                                 {"tool", http->tool},         {NULL, NULL}};
    set_all(reading, add(reading, "net.http", &http->place), cells);
}

/* ---- words ---- */

const char *net_connect_result(const char *text)
{
    static const char *const words[][2] = {{"refused", "refused"},
                                           {"timed out", "timeout"},
                                           {"imeout", "timeout"},
                                           {"No route to host", "unreachable"},
                                           {"Host is unreachable", "unreachable"},
                                           {"etwork is unreachable", "unreachable"},
                                           {"etwork unreachable", "unreachable"},
                                           {"reset by peer", "reset"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(text, words[i][0]))
            return words[i][1];
    return NULL;
}

const char *net_dns_status(const char *code, size_t len)
{
    static const char *const codes[][2] = {{"NOERROR", "NOERROR"},
                                           {"NXDOMAIN", "NXDOMAIN"},
                                           {"SERVFAIL", "SERVFAIL"},
                                           {"REFUSED", "refused"}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strlen(codes[i][0]) == len && strncasecmp(codes[i][0], code, len) == 0)
            return codes[i][1];
    return NULL;
}

bool net_is_address(const char *text)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

bool net_split_port(const char *text, size_t len, char host[NET_NAME_MAX], char port[8])
{
    size_t at = len;
    while (at && text[at - 1] >= '0' && text[at - 1] <= '9')
        at--;
    size_t digits = len - at;
    if (!digits || digits > 5 || at < 2 || !strchr(": ", text[at - 1]))
        return false;
    size_t end = at - 1, begin = *text == '[' && text[end - 1] == ']';
    net_copy(host, NET_NAME_MAX, text + begin, end - 2 * begin);
    net_copy(port, 8, text + at, digits);
    return true;
}

bool net_time(const char *text, char out[NET_TIME_MAX])
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4];
    int day, hour, minute, second, year;
    if (sscanf(text, " %3s %d %d:%d:%d %d", name, &day, &hour, &minute, &second, &year) != 6)
        return false;
    const char *month = strlen(name) == 3 ? strstr(months, name) : NULL;
    bool good = month && (month - months) % 3 == 0 && day > 0 && day < 32 && hour >= 0 &&
                hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 61 &&
                year > 1900 && year < 10000;
    if (good)
        snprintf(out, NET_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
                 (int)(month - months) / 3 + 1, day, hour, minute, second);
    return good;
}
