/* Stage: read. /clusters as JSON: clusters with their limits, and hosts with their health. The text
 * layout is read in clusters_text.c; both feed the same records. */
#include "read/clusters.h"
#include "read/proto.h"
#include "read/readers.h"
#include <stdio.h>
#include <string.h>

enum { FLAGS_MAX = 512 };

void clusters_init(struct clusters *clusters, struct reading *reading)
{
    *clusters = (struct clusters){.reading = reading};
    pending_init(&clusters->cluster, "clusters");
    pending_init(&clusters->hosts, "hosts");
}

void clusters_release(struct clusters *clusters)
{
    pending_release(&clusters->cluster);
    pending_release(&clusters->hosts);
}

static struct pending_row *current(struct clusters *clusters)
{
    return clusters->cluster.len ? &clusters->cluster.rows[0] : pending_add(&clusters->cluster, "");
}

void clusters_set(struct clusters *clusters, const char *column, const char *value)
{
    pending_set(&clusters->cluster, current(clusters), column, value);
}

struct pending_row *clusters_add_host(struct clusters *clusters, const char *pointer, uint64_t line,
                                      const char *address)
{
    clusters->hosts_len++;
    struct pending_row *host = pending_add(&clusters->hosts, pointer);
    if (!host)
        return NULL;
    host->line = line;
    pending_set(&clusters->hosts, host, "address", address);
    return host;
}

void clusters_set_health(struct clusters *clusters, struct pending_row *host, const char *health)
{
    bool bad = strstr(health, "/failed_") || strstr(health, "/eds_status_draining");
    clusters->judged_len++;
    clusters->healthy_len += !bad;
    if (host)
        pending_set(&clusters->hosts, host, "health", health);
}

void clusters_end(struct clusters *clusters, const char *pointer, uint64_t line, const char *name)
{
    char number[32];
    struct pending_row *cluster = current(clusters);
    cluster->pointer = arena_strdup(clusters->cluster.arena, pointer);
    cluster->line = line;
    clusters_set(clusters, "name", name);
    snprintf(number, sizeof number, "%d", clusters->hosts_len);
    clusters_set(clusters, "hosts", number);
    snprintf(number, sizeof number, "%d", clusters->healthy_len);
    if (clusters->judged_len == clusters->hosts_len) /* an excerpt may leave the flags out */
        clusters_set(clusters, "healthy_hosts", number);
    pending_flush(&clusters->cluster, clusters->reading, name);
    pending_set_from(&clusters->hosts, 0, "cluster", name);
    pending_flush(&clusters->hosts, clusters->reading, name);
    clusters->hosts_len = clusters->judged_len = clusters->healthy_len = 0;
}

/* ---- JSON ---- */

/* The booleans of health_status in the words of the text layout. */
static const char *flags_of(const cJSON *status, char out[FLAGS_MAX])
{
    static const char *const flags[][2] = {
        {"failed_active_health_check", "/failed_active_hc"},
        {"failed_outlier_check", "/failed_outlier_check"},
        {"failed_active_degraded_check", "/degraded_active_hc"},
        {"pending_dynamic_removal", "/pending_dynamic_removal"},
        {"pending_active_hc", "/pending_active_hc"},
        {"excluded_via_immediate_hc_fail", "/excluded_via_immediate_hc_fail"},
        {"active_hc_timeout", "/active_hc_timeout"}};
    static const char *const eds[][2] = {{"UNHEALTHY", "/failed_eds_health"},
                                         {"TIMEOUT", "/failed_eds_health"},
                                         {"DRAINING", "/eds_status_draining"},
                                         {"DEGRADED", "/degraded_eds_health"}};
    size_t len = 0;
    *out = '\0';
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (proto_bool(status, flags[i][0], false))
            len += (size_t)snprintf(out + len, FLAGS_MAX - len, "%s", flags[i][1]);
    const char *word = proto_str(status, "eds_health_status");
    for (size_t i = 0; word && i < sizeof eds / sizeof *eds; i++)
        if (strcmp(word, eds[i][0]) == 0)
            snprintf(out + len, FLAGS_MAX - len, "%s", eds[i][1]);
    return *out ? out : "healthy";
}

static void set_counters(struct clusters *clusters, struct pending_row *host, const cJSON *status)
{
    static const char *const counters[] = {"cx_active", "cx_connect_fail", "cx_total", "rq_total",
                                           "rq_error"};
    const cJSON *stat;
    char number[32];
    cJSON_ArrayForEach (stat, proto_at(status, "stats")) {
        const char *name = proto_str(stat, "name"), *value = proto_scalar(stat, "value", number);
        for (size_t i = 0; name && i < sizeof counters / sizeof *counters; i++)
            if (strcmp(name, counters[i]) == 0)
                pending_set(&clusters->hosts, host, counters[i], value ? value : "0");
    }
}

static void take_host(struct clusters *clusters, const struct json_piece *piece)
{
    char address[PROTO_ADDRESS_MAX], flags[FLAGS_MAX];
    const cJSON *status = piece->value;
    struct pending_row *host = clusters_add_host(clusters, piece->pointer, 0,
                                                 proto_address(status, "address", address));
    clusters_set_health(clusters, host, flags_of(proto_at(status, "health_status"), flags));
    if (!host)
        return;
    pending_set(&clusters->hosts, host, "hostname", proto_str(status, "hostname"));
    set_counters(clusters, host, status);
}

static bool is_default_priority(const cJSON *threshold)
{
    const char *priority = proto_str(threshold, "priority");
    return !priority || strcmp(priority, "DEFAULT") == 0;
}

static void take_cluster(struct clusters *clusters, const struct json_piece *piece)
{
    static const char *const limits[] = {"max_connections", "max_pending_requests", "max_requests",
                                         "max_retries"};
    const cJSON *status = piece->value, *threshold;
    const char *name = proto_str(status, "name"), *service = proto_str(status, "eds_service_name");
    char number[32];
    clusters_set(clusters, "added_via_api",
                 proto_bool(status, "added_via_api", false) ? "yes" : "no");
    if (service && name && strcmp(service, name) != 0)
        clusters_set(clusters, "eds_service_name", service);
    cJSON_ArrayForEach (threshold, proto_at(status, "circuit_breakers.thresholds")) {
        for (size_t i = 0; is_default_priority(threshold) && i < 4; i++)
            clusters_set(clusters, limits[i], proto_scalar(threshold, limits[i], number));
        if (is_default_priority(threshold))
            break;
    }
    clusters_end(clusters, piece->pointer, 0, name);
}

/* As /clusters prints it, and as istioctl proxy-config endpoint -o json does: the list alone. */
static const char *const rules[] = {"cluster_statuses.*.host_statuses",
                                    "*.host_statuses",
                                    "*.hostStatuses",
                                    "cluster_statuses",
                                    "",
                                    NULL};
enum { HOST_RULES = 3 };

static void take(void *user, const struct json_piece *piece)
{
    if (piece->rule < 0)
        return;
    if (piece->rule < HOST_RULES)
        take_host(user, piece);
    else
        take_cluster(user, piece);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape == PEEK_JSON_OBJECT && peek_has_key(peek, "cluster_statuses"))
        return 95;
    if (peek->shape == PEEK_JSON_ARRAY &&
        (peek_has_key(peek, "hostStatuses") || peek_has_key(peek, "host_statuses")))
        return 95;
    if (peek->shape == PEEK_JSON_OBJECT && peek->whole && !peek->keys[0])
        return strstr(peek->name, "clusters") ? 70 : 0;
    return clusters_is_text(peek) ? 90 : 0;
}

static void read_source(struct reading *reading)
{
    struct clusters clusters;
    bool list = reading->peek->shape ==
                PEEK_JSON_ARRAY; /* perhaps of one cluster, as it was asked for */
    if (list || reading->peek->shape == PEEK_JSON_OBJECT) {
        clusters_init(&clusters, reading);
        reading_split(reading, rules, take, &clusters);
        clusters_release(&clusters);
    } else {
        clusters_read_text(reading);
    }
    evidence_supplied(reading->evidence, "clusters", reading->complete && !list);
    evidence_supplied(reading->evidence, "hosts", reading->complete && !list);
}

const struct reader read_clusters = {"clusters", (const char *const[]){"clusters", "hosts", NULL},
                                     recognise, read_source};
