/* Stage: read. Tables of `istioctl proxy-status` and `proxy-config`, `kumactl inspect dataplanes` and
 * `consul-k8s proxy read`. Reads lines of a pasted session; writes xds.sync, clusters, hosts, listeners, certs
 * and xds.resources. Deliberately never complete: a table may be filtered, and leaves out what dumps say. */
#include "read/mesh_tables.h"
#include "base/alloc.h"
#include "base/str.h"
#include "read/host_session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLUSTERS_MAX = 20000 };

struct mesh_count { /* hosts of a cluster, as a table of endpoints has them */
    char *cluster;
    uint64_t line; /* of the first one */
    unsigned hosts, healthy;
};

typedef void row_fn(struct host_session *session, const struct mesh_row *row);

static void set(struct host_session *session, struct record *record, const char *column,
                const char *value)
{
    if (record && *value && strcmp(value, "-") != 0)
        evidence_set(session->reading->evidence, record, column, value);
}

static struct record *add(struct host_session *session, const char *name, const char *key)
{
    host_supply_part(session, name);
    return evidence_wants(session->reading->evidence, name, key) ? host_add_part(session, name)
                                                                 : NULL;
}

/* ---- who is in step with the control plane ---- */

static const char *status_word(const char *cell)
{
    static const char *const words[][2] = {
        {"SYNCED", "synced"},     {"STALE (Never Acknowledged)", "never acknowledged"},
        {"STALE", "stale"},       {"NOT SENT", "not sent"},
        {"NOT_SENT", "not sent"}, {"IGNORED", "ignored"},
        {"ERROR", "error"}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts(cell, words[i][0]))
            return words[i][1];
    return NULL;
}

static void proxy_status(struct host_session *session, const struct mesh_row *row)
{
    static const char *const types[][2] = {{"CDS", "cluster"},
                                           {"LDS", "listener"},
                                           {"EDS", "endpoint"},
                                           {"RDS", "route"},
                                           {"ECDS", "extension"}};
    const char *name = mesh_cell(row, "NAME"), *server = mesh_cell(row, "ISTIOD");
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        const char *status = status_word(mesh_cell(row, types[i][0]));
        struct record *record = status ? add(session, "xds.sync", status) : NULL;
        set(session, record, "proxy", *name ? name : mesh_cell(row, "PROXY"));
        set(session, record, "type", types[i][1]);
        set(session, record, "status", status ? status : "");
        set(session, record, "server", *server ? server : mesh_cell(row, "PILOT"));
        set(session, record, "version", mesh_cell(row, "VERSION"));
    }
}

static void dataplane(struct host_session *session, const struct mesh_row *row)
{
    const char *word = mesh_cell(row, "STATUS");
    const char *status = str_starts(word, "Online")    ? "online"
                         : str_starts(word, "Offline") ? "offline"
                                                       : "partly degraded";
    struct record *record = *word ? add(session, "xds.sync", status) : NULL;
    set(session, record, "proxy", mesh_cell(row, "NAME"));
    set(session, record, "status", status);
    set(session, record, "version", mesh_cell(row, "ENVOY VERSION"));
    set(session, record, "updates", mesh_cell(row, "TOTAL UPDATES"));
    set(session, record, "rejected", mesh_cell(row, "TOTAL ERRORS"));
}

/* ---- what a proxy has ---- */

static struct mesh_count *count_of(struct host_mesh *mesh, const char *cluster, uint64_t line)
{
    for (size_t i = mesh->len; i--;)
        if (strcmp(mesh->counts[i].cluster, cluster) == 0)
            return &mesh->counts[i];
    if (mesh->len == CLUSTERS_MAX)
        return NULL;
    if (mesh->len == mesh->cap) {
        mesh->cap = mesh->cap ? mesh->cap * 2 : 64;
        mesh->counts = xrealloc(mesh->counts, mesh->cap * sizeof *mesh->counts);
    }
    mesh->counts[mesh->len] = (struct mesh_count){.cluster = xstrdup(cluster), .line = line};
    return &mesh->counts[mesh->len++];
}

static void host(struct host_session *session, const char *cluster, const char *address,
                 const char *health)
{
    struct mesh_count *count = *cluster ? count_of(&session->mesh, cluster, session->number) : NULL;
    struct record *record = add(session, "hosts", cluster);
    bool healthy = strcmp(health, "healthy") == 0;
    set(session, record, "cluster", cluster);
    set(session, record, "address", address);
    set(session, record, "health", health);
    if (!count)
        return;
    count->hosts++;
    count->healthy += healthy;
    session->mesh.any_healthy |= healthy;
}

static void endpoint(struct host_session *session, const struct mesh_row *row)
{
    const char *status = mesh_cell(row, "STATUS"), *outlier = mesh_cell(row, "OUTLIER CHECK");
    const char *health = strcmp(outlier, "FAILED") == 0    ? "/failed_outlier_check"
                         : strcmp(status, "HEALTHY") == 0  ? "healthy"
                         : strcmp(status, "DRAINING") == 0 ? "/eds_status_draining"
                         : strcmp(status, "DEGRADED") == 0 ? "/degraded_eds_health"
                                                           : "/failed_eds_health";
    host(session, mesh_cell(row, "CLUSTER"), mesh_cell(row, "ENDPOINT"), health);
}

static void consul_endpoint(struct host_session *session, const struct mesh_row *row)
{
    bool healthy = strcmp(mesh_cell(row, "Status"), "HEALTHY") == 0;
    host(session, mesh_cell(row, "Cluster"), mesh_cell(row, "Address:Port"),
         healthy ? "healthy" : "/failed_eds_health");
}

static void listener(struct host_session *session, const char *name, const char *address,
                     const char *port)
{
    struct record *record = add(session, "listeners", NULL);
    if (!record)
        return;
    set(session, record, "address", address);
    set(session, record, "port", port);
    if (*name)
        set(session, record, "name", name);
    else
        evidence_setf(session->reading->evidence, record, "name", "%s_%s", address, port);
}

static void istio_listener(struct host_session *session, const struct mesh_row *row)
{
    const char *addresses = mesh_cell(row, "ADDRESSES");
    char address[NET_TEXT_MAX];
    addresses = *addresses ? addresses : mesh_cell(row, "ADDRESS");
    net_copy(address, sizeof address, addresses, strcspn(addresses, ","));
    listener(session, "", address, mesh_cell(row, "PORT"));
}

static void consul_listener(struct host_session *session, const struct mesh_row *row)
{
    char address[NET_TEXT_MAX];
    NET_SET(address, mesh_cell(row, "Address:Port"));
    char *colon = strrchr(address, ':');
    if (colon)
        *colon = '\0';
    listener(session, mesh_cell(row, "Name"), address, colon ? colon + 1 : "");
}

static void secret_resource(struct host_session *session, const char *name, const char *state)
{
    struct record *record = add(session, "xds.resources", "secret");
    set(session, record, "type", "secret");
    set(session, record, "name", name);
    set(session, record, "state", state);
    set(session, record, "origin", "dump");
}

static void secret(struct host_session *session, const struct mesh_row *row)
{
    const char *name = mesh_cell(row, "RESOURCE NAME"), *type = mesh_cell(row, "TYPE");
    const char *valid = mesh_cell(row, "VALID CERT"), *ends = mesh_cell(row, "NOT AFTER");
    bool warming = strcmp(mesh_cell(row, "STATUS"), "WARMING") == 0;
    secret_resource(session, name, warming ? "warming" : "active");
    if (!*ends || strcmp(ends, "-") == 0)
        return;
    struct record *record = add(session, "certs", NULL);
    set(session, record, "role", str_starts(type, "CA") ? "ca" : "leaf");
    set(session, record, "path", name);
    set(session, record, "serial", mesh_cell(row, "SERIAL NUMBER"));
    set(session, record, "valid_from", mesh_cell(row, "NOT BEFORE"));
    set(session, record, "expires", ends);
    if (strcmp(valid, "true") == 0 || strcmp(valid, "false") == 0)
        set(session, record, "valid", *valid == 't' ? "yes" : "no");
}

static void consul_secret(struct host_session *session, const struct mesh_row *row)
{
    const char *type = mesh_cell(row, "Type");
    if (str_starts(type, "Dynamic ") || str_starts(type, "Static "))
        secret_resource(session, mesh_cell(row, "Name"),
                        str_ends(type, "Warming") ? "warming" : "active");
}

/* ---- the part ---- */

/* A row without a reader: the table is known, and what it says others say better (proxy-config cluster
 * and route: a dump). */
static const struct mesh_kind kinds[] = {
    {"istioctl proxy-status", {"CDS", "LDS", "EDS", "RDS", NULL}},
    {"istioctl proxy-status", {"NAME", "ISTIOD", "SUBSCRIBED TYPES", NULL}},
    {"kumactl inspect dataplanes", {"MESH", "NAME", "STATUS", "TOTAL ERRORS", NULL}},
    {"istioctl proxy-config endpoint", {"ENDPOINT", "STATUS", "CLUSTER", NULL}},
    {"istioctl proxy-config secret", {"RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", NULL}},
    {"istioctl proxy-config listener", {"ADDRESS", "PORT", "MATCH", "DESTINATION", NULL}},
    {"istioctl proxy-config listener", {"ADDRESSES", "PORT", "MATCH", "DESTINATION", NULL}},
    {"istioctl proxy-config cluster", {"SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", NULL}},
    {"istioctl proxy-config route", {"NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE", NULL}},
    {"consul-k8s proxy read", {"Address:Port", "Cluster", "Weight", "Status", NULL}},
    {"consul-k8s proxy read", {"Name", "Address:Port", "Direction", NULL}},
    {"consul-k8s proxy read", {"Name", "FQDN", "Endpoints", "Type", NULL}},
    {"consul-k8s proxy read", {"Name", "Destination Cluster", "Last Updated", NULL}},
    {"consul-k8s proxy read", {"Name", "Type", "Last Updated", NULL}},
    {NULL, {NULL}}};

static row_fn *const readers[] = {
    proxy_status, NULL, dataplane,       endpoint,        secret, istio_listener, istio_listener,
    NULL,         NULL, consul_endpoint, consul_listener, NULL,   NULL,           consul_secret};

_Static_assert(ARRAY_LEN(readers) + 1 == ARRAY_LEN(kinds), "a reader for each kind");

/* What the table of endpoints makes of each cluster. A table in which nothing is healthy may have been asked
 * for so (--status unhealthy). */
static void emit_counts(struct host_session *session)
{
    struct host_mesh *mesh = &session->mesh;
    struct evidence *evidence = session->reading->evidence;
    if (mesh->len && mesh->any_healthy)
        host_supply_part(session, "clusters");
    for (size_t i = 0; i < mesh->len; i++) {
        const struct mesh_count *count = &mesh->counts[i];
        bool wanted = mesh->any_healthy && evidence_wants(evidence, "clusters", count->cluster);
        struct record *record = wanted
                                    ? evidence_add(evidence, "clusters", session->reading->source)
                                    : NULL;
        if (record) {
            record->line = count->line;
            evidence_set(evidence, record, "name", count->cluster);
            evidence_setf(evidence, record, "hosts", "%u", count->hosts);
            evidence_setf(evidence, record, "healthy_hosts", "%u", count->healthy);
        }
        free(count->cluster);
    }
    mesh->len = 0;
    mesh->any_healthy = false;
}

static bool mesh_line(struct host_session *session, const char *line)
{
    struct host_mesh *mesh = &session->mesh;
    struct mesh_row row;
    if (mesh_header(&mesh->table, kinds, line))
        return true;
    if (!mesh->table.kind || !*line || !mesh_cut(&row, &mesh->table, line)) {
        mesh->table.kind = NULL;
        return false;
    }
    row_fn *read = readers[mesh->table.kind - kinds];
    if (read)
        read(session, &row);
    mesh_release(&row);
    return true;
}

static void mesh_end(struct host_session *session)
{
    emit_counts(session);
    free(session->mesh.counts);
    session->mesh = (struct host_mesh){.len = 0};
}

static bool mesh_mark(const char *line)
{
    struct mesh_table table;
    return mesh_header(&table, kinds, line);
}

const struct host_part host_mesh = {.line = mesh_line, .mark = mesh_mark, .end = mesh_end};
