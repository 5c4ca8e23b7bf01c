/* Stage: read. What a control plane says of its proxies, as JSON or YAML: istiod's /debug/syncz, `istioctl
 * proxy-status -o json`, `kumactl inspect dataplanes -o json`. Writes xds.sync. Deliberately takes the status
 * that is told, and compares nonces only where nothing else is (syncz). */
#include "base/alloc.h"
#include "base/str.h"
#include "read/containers.h"
#include "read/focus.h"
#include "read/readers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_MAX = 64 << 20 };

static const char client_config[] = "envoy.service.status.v3.ClientConfig";

struct row {
    const char *proxy, *type, *status, *server, *version, *updates, *rejected, *error;
};

static void add(struct reading *reading, const char *pointer, const struct row *row)
{
    struct evidence *evidence = reading->evidence;
    struct record *record = row->status && evidence_wants(evidence, "xds.sync", row->status)
                                ? reading_add(reading, "xds.sync", pointer)
                                : NULL;
    if (!record)
        return;
    evidence_set(evidence, record, "proxy", row->proxy);
    evidence_set(evidence, record, "type", row->type);
    evidence_set(evidence, record, "status", row->status);
    evidence_set(evidence, record, "server", row->server);
    evidence_set(evidence, record, "version", row->version);
    evidence_set(evidence, record, "updates", row->updates);
    evidence_set(evidence, record, "rejected", row->rejected);
    evidence_set(evidence, record, "error", row->error);
}

/* "POD.NAMESPACE": whether that is the target's. */
static bool concerns(const struct reading *reading, const char *proxy)
{
    const char *dot = proxy ? strrchr(proxy, '.') : NULL;
    if (!dot)
        return proxy && !reading->source->shared;
    char *pod = xstrndup(proxy, (size_t)(dot - proxy));
    bool mine = focus_pod(reading, dot + 1, pod);
    free(pod);
    return mine;
}

/* ---- istiod's /debug/syncz ---- */

static const char *by_nonces(const char *sent, const char *acked)
{
    if (!sent || !*sent)
        return "not sent";
    if (!acked || !*acked)
        return "never acknowledged";
    return strcmp(sent, acked) == 0 ? "synced" : "stale";
}

static void take_syncz(struct reading *reading, const cJSON *json, const char *pointer)
{
    static const char *const types[] = {"cluster", "listener", "route", "endpoint"};
    const char *proxy = json_str(json, "proxy");
    for (size_t i = 0; concerns(reading, proxy) && i < ARRAY_LEN(types); i++) {
        char sent[32], acked[32];
        snprintf(sent, sizeof sent, "%s_sent", types[i]);
        snprintf(acked, sizeof acked, "%s_acked", types[i]);
        add(reading, pointer,
            &(struct row){.proxy = proxy,
                          .type = types[i],
                          .status = by_nonces(json_str(json, sent), json_str(json, acked)),
                          .version = json_str(json, "istio_version")});
    }
}

/* ---- istioctl proxy-status -o json ---- */

static const char *type_of(const char *url)
{
    static const char *const types[][2] = {{".Cluster", "cluster"},
                                           {".Listener", "listener"},
                                           {".RouteConfiguration", "route"},
                                           {".ClusterLoadAssignment", "endpoint"},
                                           {".TypedExtensionConfig", "extension"},
                                           {".Secret", "secret"}};
    for (size_t i = 0; url && i < ARRAY_LEN(types); i++)
        if (str_ends(url, types[i][0]))
            return types[i][1];
    return NULL;
}

static const char *status_of(const char *word)
{
    static const char *const words[][2] = {{"SYNCED", "synced"},
                                           {"STALE", "stale"},
                                           {"NOT_SENT", "not sent"},
                                           {"ERROR", "error"},
                                           {"IGNORED", "ignored"}};
    for (size_t i = 0; word && i < ARRAY_LEN(words); i++)
        if (strcmp(word, words[i][0]) == 0)
            return words[i][1];
    return NULL;
}

static void take_client(struct reading *reading, const cJSON *json, const char *pointer)
{
    int index = 0;
    const cJSON *config;
    const char *proxy = json_str(json, "node.id");
    if (!concerns(reading, proxy))
        return;
    cJSON_ArrayForEach (config, json_at(json, "genericXdsConfigs")) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/genericXdsConfigs/%d", pointer, index++);
        add(reading, place,
            &(struct row){.proxy = proxy,
                          .type = type_of(json_str(config, "typeUrl")),
                          .status = status_of(json_str(config, "configStatus")),
                          .version = json_str(json, "node.metadata.ISTIO_VERSION"),
                          .error = json_str(config, "errorState.details")});
    }
}

/* ---- kumactl inspect dataplanes -o json ---- */

static void add_counts(struct reading *reading, const char *pointer, const cJSON *status,
                       struct row *row)
{
    char sent[32] = "", rejected[32] = "";
    const char *text = json_str(status, "responsesSent");
    int64_t number;
    if (text)
        row->updates = text;
    else if (json_int(status, "responsesSent", &number)) {
        snprintf(sent, sizeof sent, "%lld", (long long)number);
        row->updates = sent;
    }
    text = json_str(status, "responsesRejected");
    if (text)
        row->rejected = text;
    else if (json_int(status, "responsesRejected", &number)) {
        snprintf(rejected, sizeof rejected, "%lld", (long long)number);
        row->rejected = rejected;
    }
    add(reading, pointer, row);
}

/* The last stream tells how things are; a proxy that never had one is not connected. */
static void take_dataplane(struct reading *reading, const cJSON *json, const char *pointer)
{
    static const char *const types[][2] = {
        {"lds", "listener"}, {"cds", "cluster"}, {"eds", "endpoint"}, {"rds", "route"}};
    const cJSON *streams = json_at(json, "dataplaneInsight.subscriptions");
    int last = cJSON_GetArraySize(streams) - 1;
    const cJSON *stream = last < 0 ? NULL : cJSON_GetArrayItem(streams, last);
    bool online = json_str(stream, "connectTime") && !json_str(stream, "disconnectTime");
    struct row row = {.proxy = json_str(json, "name"),
                      .status = online ? "online" : "offline",
                      .server = json_str(stream, "controlPlaneInstanceId"),
                      .version = json_str(stream, "version.envoy.version")};
    if (!concerns(reading, row.proxy))
        return;
    char place[CONTAINERS_POINTER_MAX];
    containers_place(place, "%s/dataplaneInsight/subscriptions/%d", pointer, last < 0 ? 0 : last);
    struct row all = row;
    add_counts(reading, place, json_at(json_at(stream, "status"), "total"), &all);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct row one = row;
        const cJSON *status = json_at(json_at(stream, "status"), types[i][0]);
        one.type = types[i][1];
        if (json_at(status, "responsesSent"))
            add_counts(reading, place, status, &one);
    }
}

/* ---- the reader ---- */

static void take(struct reading *reading, const cJSON *json, const char *pointer)
{
    if (json_at(json, "cluster_sent") || json_at(json, "listener_sent") ||
        (json_at(json, "proxy") && json_at(json, "istio_version")))
        take_syncz(reading, json, pointer);
    else if (json_at(json, "genericXdsConfigs"))
        take_client(reading, json, pointer);
    else if (json_at(json, "dataplaneInsight"))
        take_dataplane(reading, json, pointer);
}

static void take_list(struct reading *reading, const cJSON *array, const char *prefix);

static void take_any(struct reading *reading, const cJSON *json, const char *pointer)
{
    static const char *const lists[] = {"resources", "items"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/%s", pointer, lists[i]);
        if (cJSON_IsArray(json_at(json, lists[i])))
            return take_list(reading, json_at(json, lists[i]), place);
    }
    take(reading, json, pointer);
}

static void take_list(struct reading *reading, const cJSON *array, const char *prefix)
{
    int index = 0;
    const cJSON *element;
    cJSON_ArrayForEach (element, array) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/%d", prefix, index++);
        if (cJSON_IsObject(element))
            take_any(reading, element, place);
    }
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    (void)line;
    if (cJSON_IsArray(document))
        take_list(reading, document, prefix);
    else if (cJSON_IsObject(document))
        take_any(reading, document, prefix);
}

static void read_source(struct reading *reading)
{
    reading_documents(reading, DOCUMENT_MAX, read_document);
    evidence_supplied(reading->evidence, "xds.sync", reading->complete);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_JSON_ARRAY &&
        peek->shape != PEEK_YAML)
        return 0;
    bool nonces = peek_has(peek, "cluster_sent") || peek_has(peek, "listener_sent");
    if (nonces && peek_has_key(peek, "proxy"))
        return 90;
    if (peek_has(peek, client_config) && peek_has(peek, "genericXdsConfigs"))
        return 95;
    return peek_has(peek, "dataplaneInsight") && peek_has(peek, "networking") ? 90 : 0;
}

static const char *const supplies[] = {"xds.sync", NULL};

const struct reader read_mesh_sync = {
    .kind = "xds.sync", .supplies = supplies, .recognise = recognise, .read = read_source};
