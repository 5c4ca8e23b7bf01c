/* Stage: evidence. Who the proxy is. Reads the notes that readers left, and at the end what other
 * evidence tells in passing (variables, images, shapes of logs); writes the one `proxy` record. Knows
 * the habits of the meshes: shapes of node ids, names of their xDS servers. */
#include "evidence/identity.h"
#include "base/str.h"
#include "evidence/notes.h"
#include "evidence/table.h"
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 512 };

struct place {
    struct evidence *evidence;
    const struct source *source;
    uint64_t line;
    const char *pointer;
};

static int column_of(const char *column)
{
    const struct dictionary_row *row = dictionary_find("proxy");
    for (int i = 0; row->columns[i].name; i++)
        if (strcmp(row->columns[i].name, column) == 0)
            return i;
    return -1;
}

/* "sha/1.36.4/Clean/RELEASE/BoringSSL", "1.27.2.0-prod", "v1.24.0": the three numbers alone. */
static const char *version_in(const char *text, char out[TEXT_MAX])
{
    const char *slash = strchr(text, '/');
    const char *at = slash ? slash + 1 : text;
    int major, minor, patch;
    at += *at == 'v';
    if (sscanf(at, "%d.%d.%d", &major, &minor, &patch) == 3)
        snprintf(out, TEXT_MAX, "%d.%d.%d", major, minor, patch);
    else if (sscanf(at, "%d.%d", &major, &minor) == 2)
        snprintf(out, TEXT_MAX, "%d.%d.0", major, minor);
    else
        return NULL;
    return out;
}

void identity_note(struct evidence *evidence, const struct source *source, uint64_t line,
                   const char *pointer, enum identity_rank rank, const char *column,
                   const char *value)
{
    char version[TEXT_MAX];
    int at = column_of(column);
    if (value && strcmp(column, "version") == 0)
        value = version_in(value, version);
    if (!value || !*value || at < 0 || at >= NOTES_MAX)
        return;
    struct note *best = &evidence_notes(evidence)->best[at];
    bool newer = str_starts(source->name, "sample-2/");
    if (best->value && (int)rank < best->rank + !newer)
        return;
    struct arena *arena = evidence_arena(evidence);
    *best = (struct note){.source = source,
                          .value = arena_strdup(arena, value),
                          .pointer = pointer ? arena_strdup(arena, pointer) : NULL,
                          .line = line,
                          .rank = rank};
}

static void note(const struct place *place, enum identity_rank rank, const char *column,
                 const char *value)
{
    identity_note(place->evidence, place->source, place->line, place->pointer, rank, column, value);
}

static void note_all(const struct place *place, enum identity_rank rank, const char *mesh,
                     const char *mode, const char *platform)
{
    note(place, rank, "mesh", mesh);
    note(place, rank, "mode", mode);
    note(place, rank, "platform", platform);
}

/* ---- node ids ---- */

/* "sidecar~10.0.0.1~pod.ns~ns.svc.cluster.local" */
static bool note_istio(const struct place *place, const char *id)
{
    static const char *const roles[][2] = {{"sidecar~", "sidecar"},
                                           {"router~", "gateway"},
                                           {"ingress~", "gateway"},
                                           {"waypoint~", "gateway"}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        const char *rest = id + strlen(roles[i][0]);
        if (!str_starts(id, roles[i][0]) || !strchr(rest, '~'))
            continue;
        note_all(place, IDENTITY_HINT, "istio", roles[i][1],
                 strstr(rest, ".svc.") ? "kubernetes" : NULL);
        return true;
    }
    return false;
}

static bool note_aws(const struct place *place, const char *id)
{
    bool ecs = str_starts(id, "arn:aws") && strstr(id, ":ecs:");
    const char *node = strstr(id, "mesh/");
    if (ecs && strstr(id, ":task-set/")) {
        note_all(place, IDENTITY_HINT, "service-connect", "sidecar", "ecs");
        return true;
    }
    if (!node || (node != id && !strstr(id, ":appmesh")))
        return false;
    bool gateway = strstr(node, "/virtualGateway/"), sidecar = strstr(node, "/virtualNode/");
    if (gateway || sidecar)
        note_all(place, IDENTITY_HINT, "appmesh", gateway ? "gateway" : "sidecar", NULL);
    return gateway || sidecar;
}

static void note_consul(const struct place *place, const char *id)
{
    if (strstr(id, "-sidecar-proxy"))
        note_all(place, IDENTITY_GUESS, "consul", "sidecar", NULL);
    else if (strstr(id, "mesh-gateway") || strstr(id, "api-gateway"))
        note(place, IDENTITY_GUESS, "mode", "gateway");
}

void identity_note_node(struct evidence *evidence, const struct source *source, const char *pointer,
                        enum identity_rank rank, const char *node_id)
{
    struct place place = {evidence, source, 0, pointer};
    if (!node_id || !*node_id)
        return;
    const char *mesh_part = strstr(node_id, ":appmesh") ? strstr(node_id, ":mesh/") : NULL;
    note(&place, rank, "node_id", mesh_part ? mesh_part + 1 : node_id);
    if (!note_istio(&place, node_id) && !note_aws(&place, node_id))
        note_consul(&place, node_id);
}

/* ---- metadata, variables, servers ---- */

static bool has(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name) != NULL;
}

static bool has_prefix(const cJSON *object, const char *prefix)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, object) {
        if (str_starts(member->string, prefix))
            return true;
    }
    return false;
}

void identity_note_metadata(struct evidence *evidence, const struct source *source,
                            const char *pointer, const cJSON *metadata)
{
    struct place place = {evidence, source, 0, pointer};
    if (!cJSON_IsObject(metadata))
        return;
    const cJSON *role = cJSON_GetObjectItemCaseSensitive(metadata, "role");
    if (has(metadata, "ISTIO_VERSION") || has(metadata, "ISTIO_PROXY_SHA"))
        note(&place, IDENTITY_STATED, "mesh", "istio");
    else if (has_prefix(metadata, "dataplane."))
        note(&place, IDENTITY_STATED, "mesh", "kuma");
    else if (has_prefix(metadata, "aws.appmesh."))
        note(&place, IDENTITY_STATED, "mesh", "appmesh");
    else if (cJSON_IsString(role) && strstr(role->valuestring, "gloo"))
        note_all(&place, IDENTITY_STATED, "gloo", "gateway", NULL);
    else if (has(metadata, "partition") && has(metadata, "namespace"))
        note(&place, IDENTITY_HINT, "mesh", "consul");
}

void identity_note_variable(struct evidence *evidence, const struct source *source, uint64_t line,
                            const char *pointer, const char *name, const char *value)
{
    struct place place = {evidence, source, line, pointer};
    if (str_starts(name, "APPMESH_")) {
        if (value && strcmp(name, "APPMESH_RESOURCE_ARN") == 0)
            note_aws(&place, value);
        note(&place, IDENTITY_GUESS, "mesh", "appmesh");
    } else if (str_starts(name, "ECS_CONTAINER_METADATA_URI") ||
               (value && strcmp(name, "AWS_EXECUTION_ENV") == 0 && str_starts(value, "AWS_ECS"))) {
        note(&place, IDENTITY_HINT, "platform", "ecs");
    } else if (strcmp(name, "KUBERNETES_SERVICE_HOST") == 0) {
        note(&place, IDENTITY_HINT, "platform", "kubernetes");
    } else if (str_starts(name, "ISTIO_META_")) {
        note(&place, IDENTITY_HINT, "mesh", "istio");
    }
}

void identity_note_xds(struct evidence *evidence, const struct source *source, const char *pointer,
                       const char *server)
{
    static const struct {
        const char *text, *mesh;
        bool whole; /* the name must be this and no more */
    } servers[] = {{"appmesh-envoy-management", "appmesh", false},
                   {"/var/run/ecs/", "service-connect", false},
                   {"ecs-sc", "service-connect", false},
                   {"istiod", "istio", false},
                   {"istio-pilot", "istio", false},
                   {"xds-grpc", "istio", true},
                   {"consul-dataplane", "consul", true},
                   {"local_agent", "consul", true},
                   {"envoy-gateway", "envoy-gateway", false},
                   {"contour", "contour", true},
                   {"contour.", "contour", false},
                   {"gloo.", "gloo", false},
                   {"kuma-control-plane", "kuma", false},
                   {"ads_cluster", "kuma", true}};
    struct place place = {evidence, source, 0, pointer};
    for (size_t i = 0; server && i < sizeof servers / sizeof *servers; i++) {
        bool same = servers[i].whole ? strcmp(server, servers[i].text) == 0
                                     : strstr(server, servers[i].text) != NULL;
        if (same)
            note(&place, servers[i].whole ? IDENTITY_GUESS : IDENTITY_HINT, "mesh",
                 servers[i].mesh);
    }
}

/* ---- what other evidence tells in passing ---- */

static struct place place_of(struct evidence *evidence, const struct record *record)
{
    return (struct place){evidence, record->source, record->line, record->pointer};
}

static void note_from_variables(struct evidence *evidence)
{
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, "env", record))) {
        char buf[32];
        const char *name = record_text(record, "name", buf);
        if (name)
            identity_note_variable(evidence, record->source, record->line, record->pointer, name,
                                   record_text(record, "value", buf));
    }
}

static void note_from_logs(struct evidence *evidence)
{
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, "log", record))) {
        char buf[32];
        struct place place = place_of(evidence, record);
        const char *shape = record_text(record, "shape", buf);
        if (shape && strcmp(shape, "log.istio") == 0)
            note(&place, IDENTITY_GUESS, "mesh", "istio");
        else if (shape && strcmp(shape, "log.consul") == 0)
            note(&place, IDENTITY_GUESS, "mesh", "consul");
    }
}

static void note_image(const struct place *place, const char *image)
{
    static const char *const images[][2] = {{"aws-appmesh-envoy:", "appmesh"},
                                            {"/proxyv2:", "istio"},
                                            {"envoyproxy/envoy:", NULL},
                                            {"envoyproxy/envoy-distroless:", NULL},
                                            {"envoyproxy/envoy-alpine:", NULL}};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        const char *tag = strstr(image, images[i][0]);
        if (!tag)
            continue;
        bool envoy_version = strcmp(images[i][0], "/proxyv2:") != 0;
        note(place, IDENTITY_GUESS, "mesh", images[i][1]);
        note(place, IDENTITY_GUESS, "version", envoy_version ? tag + strlen(images[i][0]) : NULL);
    }
}

static void note_from_containers(struct evidence *evidence, const char *table)
{
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, table, record))) {
        char buf[32];
        struct place place = place_of(evidence, record);
        const char *image = record_text(record, "image", buf);
        if (image)
            note_image(&place, image);
        note(&place, IDENTITY_GUESS, "platform", record_text(record, "platform", buf));
    }
}

static void complete_mode(struct notes *notes)
{
    static const char *const modes[][2] = {{"envoy-gateway", "gateway"},
                                           {"contour", "gateway"},
                                           {"gloo", "gateway"},
                                           {"service-connect", "sidecar"}};
    const struct note *mesh = &notes->best[column_of("mesh")];
    struct note *mode = &notes->best[column_of("mode")];
    for (size_t i = 0; mesh->value && !mode->value && i < sizeof modes / sizeof *modes; i++)
        if (strcmp(mesh->value, modes[i][0]) == 0) {
            *mode = *mesh;
            mode->value = modes[i][1];
        }
}

static const struct note *best_of(const struct notes *notes)
{
    const struct note *best = NULL;
    for (int i = 0; i < NOTES_MAX; i++) {
        const struct note *at = &notes->best[i];
        if (at->value && (!best || at->rank > best->rank))
            best = at;
    }
    return best;
}

void identity_find(struct evidence *evidence)
{
    struct notes *notes = evidence_notes(evidence);
    note_from_variables(evidence);
    note_from_containers(evidence, "containers");
    note_from_containers(evidence, "container_status");
    note_from_logs(evidence);
    complete_mode(notes);
    const struct note *best = best_of(notes);
    struct record *record = best ? evidence_add(evidence, "proxy", best->source) : NULL;
    if (!record)
        return;
    record->line = best->line;
    record->pointer = best->line ? NULL : best->pointer;
    const char *const *columns = record_columns(record);
    for (int i = 0; i < NOTES_MAX && columns[i]; i++)
        evidence_set(evidence, record, columns[i], notes->best[i].value);
    evidence_supplied(evidence, "proxy", true);
}
