/* Stage: read. What debrief's own probes say (debrief.probe/1, core/collect/probe.c): writes
 * net.dns, net.connect, net.tls and net.http, as far as the probe came. Certificates are parsed
 * here, from what the server showed. */
#include "base/json.h"
#include "base/str.h"
#include "read/net_record.h"
#include "read/readers.h"
#include <stdio.h>
#include <string.h>

enum { DOCUMENT_MAX = 1 << 20 };

static int recognise(const struct peek *peek)
{
    bool probe = peek_has_key(peek, "schema") && peek_has(peek, "\"debrief.probe/1\"");
    return peek->shape == PEEK_JSON_OBJECT && probe ? 99 : 0;
}

static void set(char *out, size_t cap, const cJSON *step, const char *member)
{
    char number[32];
    const char *text = json_scalar(step, member, number);
    if (text)
        net_copy(out, cap, text, strlen(text));
}

#define SET(object, field) set((object).field, sizeof(object).field, step, #field)

/* "probe: connect 10.0.0.7:443: refused: Connection refused, 3 ms" */
static void place(struct net_place *at, const char *pointer, const char *what, const cJSON *step)
{
    char ms[32], number[32];
    const char *error = json_str(step, "error"), *result = json_str(step, "result");
    const char *status = json_scalar(step, "status", number), *took = json_scalar(step, "ms", ms);
    NET_SET(at->pointer, pointer);
    snprintf(at->text, sizeof at->text, "probe: %s: %s%s%s%s%s%s%s", what, result ? result : "",
             result && status ? ", " : "", status ? status : "", error ? ": " : "",
             error ? error : "", took ? ", ms: " : "", took ? took : "");
}

static void take_dns(struct reading *reading, const cJSON *step)
{
    char what[NET_NAME_MAX + 16];
    struct net_dns dns = {.tool = "probe"};
    const cJSON *address;
    if (!step)
        return;
    SET(dns, name);
    SET(dns, server);
    SET(dns, status);
    SET(dns, error);
    SET(dns, ttl);
    cJSON_ArrayForEach (address, json_at(step, "addresses"))
        if (cJSON_IsString(address))
            net_list(dns.addresses, sizeof dns.addresses, address->valuestring,
                     strlen(address->valuestring));
    snprintf(what, sizeof what, "resolve %s", dns.name);
    place(&dns.place, "/dns", what, step);
    net_add_dns(reading, &dns);
}

static void take_connects(struct reading *reading, const cJSON *probe)
{
    const cJSON *step;
    char pointer[32], what[128];
    int index = 0;
    cJSON_ArrayForEach (step, json_at(probe, "connect")) {
        struct net_connect connect = {.tool = "probe"};
        set(connect.host, sizeof connect.host, probe, "host");
        set(connect.port, sizeof connect.port, probe, "port");
        SET(connect, address);
        SET(connect, result);
        SET(connect, error);
        snprintf(pointer, sizeof pointer, "/connect/%d", index++);
        snprintf(what, sizeof what, "connect %s port %s", connect.address, connect.port);
        place(&connect.place, pointer, what, step);
        net_add_connect(reading, &connect);
    }
}

static void take_tls(struct reading *reading, const cJSON *probe)
{
    char what[NET_NAME_MAX + 48];
    const cJSON *step = json_at(probe, "tls");
    struct net_tls tls = {.tool = "probe"};
    const char *chain = json_str(step, "chain");
    if (!step)
        return;
    set(tls.host, sizeof tls.host, probe, "host");
    set(tls.port, sizeof tls.port, probe, "port");
    SET(tls, address);
    SET(tls, result);
    SET(tls, error);
    SET(tls, verify_code);
    SET(tls, verify_error);
    SET(tls, version);
    tls.client_certificate = json_bool(step, "client_certificate");
    if (chain)
        net_certificates(&tls, chain, strlen(chain));
    snprintf(what, sizeof what, "TLS with %s port %s", tls.host, tls.port);
    place(&tls.place, "/tls", what, step);
    net_add_tls(reading, &tls);
}

static void take_http(struct reading *reading, const cJSON *step)
{
    char what[NET_TEXT_MAX];
    struct net_http http = {.tool = "probe"};
    if (!step)
        return;
    SET(http, url);
    SET(http, host_header);
    SET(http, method);
    SET(http, status);
    SET(http, location);
    SET(http, server);
    SET(http, result);
    SET(http, error);
    snprintf(what, sizeof what, "GET %.480s", http.url);
    place(&http.place, "/http", what, step);
    net_add_http(reading, &http);
}

static void take(struct reading *reading, const cJSON *probe, const char *prefix, uint64_t line)
{
    static const char *const steps[][2] = {
        {"dns", "net.dns"}, {"connect", "net.connect"}, {"tls", "net.tls"}, {"http", "net.http"}};
    (void)prefix;
    (void)line;
    take_dns(reading, json_at(probe, "dns"));
    take_connects(reading, probe);
    take_tls(reading, probe);
    take_http(reading, json_at(probe, "http"));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (json_at(probe, steps[i][0]))
            evidence_supplied(reading->evidence, steps[i][1], reading->complete);
}

static void read_probe_page(struct reading *reading)
{
    reading_documents(reading, DOCUMENT_MAX, take);
}

const struct reader read_probe = {
    "probe", (const char *const[]){"net.connect", "net.dns", "net.http", "net.tls", NULL},
    recognise, read_probe_page};
