/* Stage: evidence. What readers see of a proxy in passing, and what it says of who the proxy is: shapes of
 * node ids, members of node.metadata, variables, names of xDS servers, labels and annotations of pods.
 * Writes notes (identity.c). Knows the habits of meshes, and never more than they are worth: what only
 * looks like a mesh is a guess, and two guesses that differ leave the fact unknown. */
#include "base/json.h"
#include "base/str.h"
#include "evidence/identity.h"
#include <string.h>

struct place {
    struct evidence *evidence;
    const struct source *source;
    uint64_t line;
    const char *pointer;
};

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

/* "sidecar~10.0.0.1~pod.ns~ns.svc.cluster.local". Virtual machines have the last part too, so the
 * platform is a guess. */
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
        note_all(place, IDENTITY_HINT, "istio", roles[i][1], NULL);
        note(place, IDENTITY_GUESS, "platform", strstr(rest, ".svc.") ? "kubernetes" : NULL);
        return true;
    }
    return false;
}

/* TEXT holds a name or ARN of App Mesh ("mesh/M/virtualNode/N"), or of a task set of ECS. */
static bool note_aws(const struct place *place, const char *text)
{
    const char *node = strstr(text, "mesh/");
    if (strstr(text, ":ecs:") && strstr(text, ":task-set/")) {
        note_all(place, IDENTITY_HINT, "service-connect", NULL, "ecs");
        return true;
    }
    bool gateway = node && strstr(node, "/virtualGateway/");
    if (!gateway && !(node && strstr(node, "/virtualNode/")))
        return false;
    note_all(place, IDENTITY_HINT, "appmesh", gateway ? "gateway" : "sidecar", NULL);
    return true;
}

/* One for each node of Kubernetes: "host~127.0.0.1~no-id~localdomain". */
static bool note_cilium(const struct place *place, const char *id)
{
    if (!str_starts(id, "host~") || !strstr(id, "~no-id~"))
        return false;
    note_all(place, IDENTITY_HINT, "cilium", NULL, "kubernetes");
    return true;
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
    if (!note_istio(&place, node_id) && !note_cilium(&place, node_id) &&
        !((str_starts(node_id, "mesh/") || str_starts(node_id, "arn:aws")) &&
          note_aws(&place, node_id)))
        note_consul(&place, node_id);
}

void identity_note_agent(struct evidence *evidence, const struct source *source,
                         const char *pointer, const char *agent)
{
    struct place place = {evidence, source, 0, pointer};
    if (agent && (str_starts(agent, "gRPC") || str_starts(agent, "grpc-")))
        note(&place, IDENTITY_CERTAIN, "mode", "proxyless");
}

/* ---- metadata of the node ---- */

static bool has(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name) != NULL;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(member) ? member->valuestring : "";
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

static void note_istio_metadata(const struct place *place, const cJSON *metadata)
{
    note(place, IDENTITY_STATED, "mesh", "istio");
    if (str_starts(text_of(metadata, "OWNER"), "kubernetes://"))
        note(place, IDENTITY_STATED, "platform", "kubernetes");
    if (strcmp(text_of(metadata, "GENERATOR"), "grpc") == 0)
        note(place, IDENTITY_STATED, "mode", "proxyless");
}

static void note_kuma_metadata(const struct place *place, const cJSON *metadata)
{
    const char *type = text_of(metadata, "dataplane.proxyType");
    bool zone = strstr(type, "gress") != NULL; /* ingress and egress of a zone */
    note(place, IDENTITY_STATED, "mesh", "kuma");
    note(place, IDENTITY_STATED, "mode",
         zone || strstr(text_of(metadata, "dataplane.resource"), "\"gateway\"") ? "gateway" : NULL);
}

void identity_note_metadata(struct evidence *evidence, const struct source *source,
                            const char *pointer, const cJSON *metadata)
{
    struct place place = {evidence, source, 0, pointer};
    if (!cJSON_IsObject(metadata))
        return;
    if (has(metadata, "ISTIO_VERSION") || has(metadata, "ISTIO_PROXY_SHA"))
        note_istio_metadata(&place, metadata);
    else if (has_prefix(metadata, "dataplane."))
        note_kuma_metadata(&place, metadata);
    else if (has_prefix(metadata, "aws.appmesh."))
        note(&place, IDENTITY_STATED, "mesh", "appmesh");
    else if (strstr(text_of(metadata, "role"), "gloo") ||
             strstr(text_of(metadata, "role"), "kgateway"))
        note_all(&place, IDENTITY_STATED, "gloo", "gateway", NULL);
    else if (has_prefix(metadata, "TRAFFICDIRECTOR_"))
        note(&place, IDENTITY_STATED, "mesh", "traffic-director");
    else if (has(metadata, "partition") && has(metadata, "namespace"))
        note(&place, IDENTITY_HINT, "mesh", "consul");
}

/* ---- variables ---- */

static void note_appmesh_variable(const struct place *place, const char *name, const char *value)
{
    static const char *const names[] = {"APPMESH_RESOURCE_ARN", "APPMESH_RESOURCE_NAME",
                                        "APPMESH_VIRTUAL_NODE_NAME"};
    for (size_t i = 0; value && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            note_aws(place, value);
    note(place, IDENTITY_GUESS, "mesh", "appmesh");
}

void identity_note_variable(struct evidence *evidence, const struct source *source, uint64_t line,
                            const char *pointer, const char *name, const char *value)
{
    struct place place = {evidence, source, line, pointer};
    if (str_starts(name, "APPMESH_")) {
        note_appmesh_variable(&place, name, value);
    } else if (str_starts(name, "ECS_CONTAINER_METADATA_URI") ||
               (value && strcmp(name, "AWS_EXECUTION_ENV") == 0 && str_starts(value, "AWS_ECS"))) {
        note(&place, IDENTITY_HINT, "platform", "ecs");
    } else if (strcmp(name, "KUBERNETES_SERVICE_HOST") == 0) {
        note(&place, IDENTITY_HINT, "platform", "kubernetes");
    } else if (str_starts(name, "ISTIO_META_")) {
        note(&place, IDENTITY_HINT, "mesh", "istio");
        if (value && strcmp(name, "ISTIO_META_GENERATOR") == 0 && strcmp(value, "grpc") == 0)
            note(&place, IDENTITY_HINT, "mode", "proxyless");
    } else if (str_starts(name, "KUMA_DATAPLANE_") || str_starts(name, "KUMA_CONTROL_PLANE_URL")) {
        note(&place, IDENTITY_HINT, "mesh", "kuma");
    } else if (str_starts(name, "DP_PROXY_") ||
               strcmp(name, "DP_CREDENTIAL_LOGIN_AUTH_METHOD") == 0) {
        note(&place, IDENTITY_HINT, "mesh", "consul"); /* consul-dataplane's */
    } else if (str_starts(name, "GRPC_XDS_BOOTSTRAP")) {
        note(&place, IDENTITY_GUESS, "mode", "proxyless");
    }
}

/* ---- xDS servers ---- */

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
                   {"xds-grpc-cilium", "cilium", false},
                   {"/var/run/cilium/", "cilium", false},
                   {"consul-dataplane", "consul", true},
                   {"local_agent", "consul", true},
                   {"envoy-gateway", "envoy-gateway", false},
                   {"contour", "contour", true},
                   {"contour.", "contour", false},
                   {"gloo.", "gloo", false},
                   {"kgateway.", "gloo", false},
                   {"kuma-control-plane", "kuma", false},
                   {"kuma-cp", "kuma", false},
                   {"ads_cluster", "kuma", true},
                   {"trafficdirector.googleapis.com", "traffic-director", false}};
    struct place place = {evidence, source, 0, pointer};
    for (size_t i = 0; server && i < sizeof servers / sizeof *servers; i++) {
        bool same = servers[i].whole ? strcmp(server, servers[i].text) == 0
                                     : strstr(server, servers[i].text) != NULL;
        if (same)
            note(&place, servers[i].whole ? IDENTITY_GUESS : IDENTITY_HINT, "mesh",
                 servers[i].mesh);
    }
}

void identity_note_words(struct evidence *evidence, const struct source *source, uint64_t line,
                         const char *text)
{
    struct place place = {evidence, source, line, NULL};
    if (!text)
        return;
    if (strstr(text, "appmesh:StreamAggregatedResources"))
        note(&place, IDENTITY_HINT, "mesh", "appmesh");
    else if (strstr(text, "ecs:Poll"))
        note_all(&place, IDENTITY_HINT, "service-connect", NULL, "ecs");
    note_aws(&place, text);
}

/* ---- images ---- */

void identity_note_image(struct evidence *evidence, const struct source *source, uint64_t line,
                         const char *pointer, const char *image)
{
    static const struct {
        const char *text, *mesh;
        bool envoy_version; /* the tag is Envoy's version */
    } images[] = {{"aws-appmesh-envoy:", "appmesh", true},
                  {"ecs-service-connect-agent", "service-connect", false},
                  {"/proxyv2:", "istio", false},
                  {"/consul-dataplane:", "consul", false},
                  {"/kuma-dp:", "kuma", false},
                  {"projectcontour/contour:", "contour", false},
                  {"cilium/cilium-envoy:", "cilium", false},
                  {"gloo-envoy-wrapper:", "gloo", false},
                  {"kgateway-dev/envoy-wrapper:", "gloo", false},
                  {"envoyproxy/envoy:", NULL, true},
                  {"envoyproxy/envoy-distroless:", NULL, true},
                  {"envoyproxy/envoy-alpine:", NULL, true}};
    struct place place = {evidence, source, line, pointer};
    for (size_t i = 0; image && i < sizeof images / sizeof *images; i++) {
        const char *tag = strstr(image, images[i].text);
        if (!tag)
            continue;
        note(&place, IDENTITY_GUESS, "mesh", images[i].mesh);
        note(&place, IDENTITY_GUESS, "version",
             images[i].envoy_version ? tag + strlen(images[i].text) : NULL);
    }
}

/* ---- pods ---- */

struct sign {          /* a label or an annotation */
    const char *key;   /* or its beginning, when it ends in '/' */
    const char *value; /* part of it; NULL: any but false */
    const char *mesh, *mode;
};

static const struct sign signs[] = {
    {"inject.istio.io/templates", "gateway", "istio", "gateway"},
    {"inject.istio.io/templates", "grpc", "istio", "proxyless"},
    {"istio", "ingressgateway", "istio", "gateway"},
    {"istio", "egressgateway", "istio", "gateway"},
    {"sidecar.istio.io/status", NULL, "istio", NULL},
    {"consul.hashicorp.com/connect-inject-status", NULL, "consul", "sidecar"},
    {"consul.hashicorp.com/gateway-kind", NULL, "consul", "gateway"},
    {"kuma.io/sidecar-injected", "true", "kuma", NULL},
    {"kuma.io/gateway", NULL, "kuma", "gateway"},
    {"kuma.io/ingress", "true", "kuma", "gateway"},
    {"kuma.io/egress", "true", "kuma", "gateway"},
    {"appmesh.k8s.aws/", NULL, "appmesh", NULL},
    {"gateway.envoyproxy.io/owning-gateway-name", NULL, "envoy-gateway", "gateway"},
    {"gloo", "gateway-proxy", "gloo", "gateway"},
    {"k8s-app", "cilium-envoy", "cilium", NULL},
};

static bool fits(const struct sign *sign, const cJSON *member)
{
    size_t len = strlen(sign->key);
    const char *value = cJSON_IsString(member) ? member->valuestring : "";
    if (sign->key[len - 1] == '/' ? !str_starts(member->string, sign->key)
                                  : strcmp(member->string, sign->key) != 0)
        return false;
    return sign->value ? strstr(value, sign->value) != NULL
                       : strcmp(value, "disabled") != 0 && strcmp(value, "false") != 0;
}

void identity_note_pod(struct evidence *evidence, const struct source *source, const char *pointer,
                       const cJSON *metadata)
{
    static const char *const members[] = {"labels", "annotations"};
    struct place place = {evidence, source, 0, pointer};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const cJSON *member;
        cJSON_ArrayForEach (member, json_at(metadata, members[i])) {
            for (size_t j = 0; j < sizeof signs / sizeof *signs; j++)
                if (member->string && fits(&signs[j], member))
                    note_all(&place, IDENTITY_HINT, signs[j].mesh, signs[j].mode, NULL);
        }
    }
    note(&place, IDENTITY_GUESS, "platform", "kubernetes");
}

void identity_note_account(struct evidence *evidence, const struct source *source, uint64_t line,
                           const char *pointer, const char *account)
{
    static const char *const ends[] = {"ingressgateway-service-account",
                                       "egressgateway-service-account"};
    struct place place = {evidence, source, line, pointer};
    for (size_t i = 0; account && i < sizeof ends / sizeof *ends; i++)
        if (str_ends(account, ends[i]))
            note_all(&place, IDENTITY_GUESS, "istio", "gateway", "kubernetes");
}
