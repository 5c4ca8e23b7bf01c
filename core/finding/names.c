/* Stage: finding. Reads containers, tasks and the node id; tells what the pod or task is called, and writes that
 * into commands. Deliberately leaves a name open when the evidence has two of them, and takes no name
 * that a shell could read as anything else: it comes from outside, and commands are copied. */
#include "finding/names.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include <stdio.h>
#include <string.h>

enum { ROWS_MAX = 2000 }; /* a cluster's dump names nobody in particular */

static const char *const words[NAMES] = {[NAME_POD] = "POD",
                                         [NAME_NAMESPACE] = "NAMESPACE",
                                         [NAME_CONTAINER] = "CONTAINER",
                                         [NAME_CLUSTER] = "CLUSTERNAME",
                                         [NAME_TASK] = "TASK",
                                         [NAME_FAMILY] = "FAMILY",
                                         [NAME_SERVICE] = "SERVICE",
                                         [NAME_GROUP] = "GROUP",
                                         [NAME_ACCOUNT] = "SERVICEACCOUNT"};

/* ---- keeping names ---- */

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-", text[i]))
            return false;
    return len > 0 && len < NAME_MAX_LEN && text[0] != '-';
}

static void keep(struct names *names, enum name which, const char *text, size_t len)
{
    if (names->text[which][0] || !is_plain(text, len))
        return;
    memcpy(names->text[which], text, len);
    names->text[which][len] = '\0';
}

static void keep_all(struct names *names, enum name which, const char *text)
{
    if (text)
        keep(names, which, text, strlen(text));
}

/* What stands behind the last CUT. */
static void keep_last(struct names *names, enum name which, const char *text, char cut)
{
    const char *last = text ? strrchr(text, cut) : NULL;
    keep_all(names, which, last ? last + 1 : text);
}

/* ---- Kubernetes ---- */

/* "sidecar~10.0.0.1~pod.ns~ns.svc.cluster.local" */
static void from_node_id(struct names *names, const struct evidence *evidence)
{
    char buf[32];
    const struct record *proxy = evidence_next(evidence, "proxy", NULL);
    const char *id = proxy ? record_text(proxy, "node_id", buf) : NULL;
    const char *pod = id ? strchr(id, '~') : NULL;
    pod = pod ? strchr(pod + 1, '~') : NULL;
    const char *end = pod ? strchr(pod + 1, '~') : NULL;
    const char *dot = end ? memchr(pod + 1, '.', (size_t)(end - pod - 1)) : NULL;
    if (!dot || strstr(id, "~no-id~"))
        return;
    keep(names, NAME_POD, pod + 1, (size_t)(dot - pod - 1));
    keep(names, NAME_NAMESPACE, dot + 1, (size_t)(end - dot - 1));
}

static bool is_proxy(const struct record *record)
{
    static const char *const parts[] = {
        "envoy",        "istio-proxy", "proxyv2",       "consul-dataplane",
        "kuma-sidecar", "kuma-dp",     "gateway-proxy", "ecs-service-connect-agent"};
    char name_buf[32], image_buf[32], init_buf[32];
    const char *name = record_text(record, "name", name_buf);
    const char *image = record_text(record, "image", image_buf);
    const char *init = record_can_have(record, "init") ? record_text(record, "init", init_buf)
                                                       : NULL;
    if (str_equal(init, "yes"))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if ((name && strstr(name, parts[i])) || (image && strstr(image, parts[i])))
            return true;
    return false;
}

/* The only row of the table on PLATFORM, or the only one that is a proxy's; NULL: none, or several
 * workloads. */
static const struct record *only_row(const struct evidence *evidence, const char *table,
                                     const char *platform, bool proxies)
{
    const struct record *record = NULL, *found = NULL;
    int rows = 0;
    while ((record = evidence_next(evidence, table, record)) && rows++ < ROWS_MAX) {
        char own[32], known[32], where[32];
        const char *workload = record_text(record, "workload", own);
        if (!str_equal(record_text(record, "platform", where), platform) || !workload ||
            !*workload || (proxies && !is_proxy(record)))
            continue;
        if (found && !str_equal(workload, record_text(found, "workload", known)))
            return NULL;
        if (!found)
            found = record;
    }
    return rows < ROWS_MAX ? found : NULL;
}

static const struct record *row_of(const struct evidence *evidence, const char *table,
                                   const char *platform)
{
    const struct record *proxy = only_row(evidence, table, platform, true);
    return proxy ? proxy : only_row(evidence, table, platform, false);
}

/* How kubectl names a workload of KIND of which the pods are not known; NULL: it cannot. */
static const char *prefix_of(const char *kind)
{
    static const char *const prefixes[][2] = {{"Pod", ""},
                                              {"Deployment", "deploy/"},
                                              {"DaemonSet", "ds/"},
                                              {"StatefulSet", "sts/"},
                                              {"Job", "job/"}};
    for (size_t i = 0; kind && i < ARRAY_LEN(prefixes); i++)
        if (strcmp(kind, prefixes[i][0]) == 0)
            return prefixes[i][1];
    return kind ? NULL : "";
}

static void from_pod_row(struct names *names, const struct record *record)
{
    char own[32], kind_buf[32], name_buf[32], full[2 * NAME_MAX_LEN];
    const char *workload = record_text(record, "workload", own);
    const char *slash = strchr(workload, '/');
    const char *prefix = prefix_of(
        record_can_have(record, "kind") ? record_text(record, "kind", kind_buf) : "Pod");
    if (!prefix || strlen(workload) >= NAME_MAX_LEN)
        return;
    snprintf(full, sizeof full, "%s%s", prefix, slash ? slash + 1 : workload);
    keep_all(names, NAME_POD, full);
    if (slash && !names->text[NAME_NAMESPACE][0])
        keep(names, NAME_NAMESPACE, workload, (size_t)(slash - workload));
    if (is_proxy(record))
        keep_all(names, NAME_CONTAINER, record_text(record, "name", name_buf));
    if (record_can_have(record, "service_account"))
        keep_all(names, NAME_ACCOUNT, record_text(record, "service_account", name_buf));
}

/* The container that a mesh puts beside the application, where nobody has shown it. */
static void from_mesh(struct names *names, const struct evidence *evidence)
{
    static const char *const usual[][2] = {
        {"istio", "istio-proxy"}, {"consul", "consul-dataplane"}, {"kuma", "kuma-sidecar"},
        {"contour", "envoy"},     {"envoy-gateway", "envoy"},     {"appmesh", "envoy"},
        {"gloo", "gateway-proxy"}};
    char buf[32];
    const struct record *proxy = evidence_next(evidence, "proxy", NULL);
    const char *mesh = proxy ? record_text(proxy, "mesh", buf) : NULL;
    for (size_t i = 0; mesh && i < ARRAY_LEN(usual); i++)
        if (strcmp(mesh, usual[i][0]) == 0)
            keep_all(names, NAME_CONTAINER, usual[i][1]);
}

/* What a wrapped log (kubectl logs --prefix) and events tell. */
static void from_log(struct names *names, const struct evidence *evidence)
{
    static const char *const tables[] = {"log.xds_closed", "log.not_ready", "log.config_rejected"};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        const struct record *record = evidence_next(evidence, tables[i], NULL);
        char own[32];
        const char *workload = record && record_can_have(record, "workload")
                                   ? record_text(record, "workload", own)
                                   : NULL;
        const char *slash = workload ? strchr(workload, '/') : NULL;
        if (!workload || strchr(workload, ':'))
            continue;
        keep_all(names, NAME_POD, slash ? slash + 1 : workload);
        if (slash)
            keep(names, NAME_NAMESPACE, workload, (size_t)(slash - workload));
    }
}

static void find_kubernetes(struct names *names, const struct evidence *evidence)
{
    static const char *const tables[] = {"container_status", "containers"};
    from_node_id(names, evidence);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        const struct record *record = row_of(evidence, tables[i], "kubernetes");
        if (record)
            from_pod_row(names, record);
    }
    from_log(names, evidence);
    from_mesh(names, evidence);
}

/* ---- ECS ---- */

/* The only record of NAME; NULL: none, or several. */
static const struct record *lone(const struct evidence *evidence, const char *name)
{
    const struct record *first = evidence_next(evidence, name, NULL);
    return first && !evidence_next(evidence, name, first) ? first : NULL;
}

/* Of its proxy, else of the only group that the definition has. */
static void keep_group(struct names *names, const cJSON *definition)
{
    const cJSON *container, *only = NULL;
    cJSON_ArrayForEach (container, json_at(definition, "containerDefinitions")) {
        const char *group = json_str(container, "logConfiguration.options.awslogs-group");
        const char *name = json_str(container, "name"), *image = json_str(container, "image");
        bool proxy = (name && strstr(name, "envoy")) || (image && strstr(image, "envoy"));
        if (group && proxy)
            return keep_all(names, NAME_GROUP, group);
        only = group ? container : only;
    }
    keep_all(names, NAME_GROUP, json_str(only, "logConfiguration.options.awslogs-group"));
}

static void from_definition(struct names *names, const cJSON *definition)
{
    const char *family = json_str(definition, "family");
    char revision[32], full[2 * NAME_MAX_LEN];
    const char *number = json_scalar(definition, "revision", revision);
    if (family && strlen(family) < NAME_MAX_LEN) {
        snprintf(full, sizeof full, "%s%s%s", family, number ? ":" : "", number ? number : "");
        keep_all(names, NAME_FAMILY, full);
    }
    keep_group(names, definition);
}

static void from_task(struct names *names, const cJSON *task)
{
    const char *group = json_str(task, "group");
    keep_last(names, NAME_TASK, json_str(task, "taskArn"), '/');
    keep_last(names, NAME_CLUSTER, json_str(task, "clusterArn"), '/');
    keep_last(names, NAME_FAMILY, json_str(task, "taskDefinitionArn"), '/');
    if (group && str_starts(group, "service:"))
        keep_all(names, NAME_SERVICE, group + strlen("service:"));
}

static void from_service(struct names *names, const cJSON *service)
{
    keep_all(names, NAME_SERVICE, json_str(service, "serviceName"));
    keep_last(names, NAME_CLUSTER, json_str(service, "clusterArn"), '/');
    keep_last(names, NAME_FAMILY, json_str(service, "taskDefinition"), '/');
    keep_all(names, NAME_GROUP,
             json_str(service, "deployments[0].serviceConnectConfiguration.logConfiguration.options"
                               ".awslogs-group"));
}

static void find_ecs(struct names *names, const struct evidence *evidence)
{
    static const struct {
        const char *name;
        void (*take)(struct names *names, const cJSON *object);
    } kinds[] = {{"aws.tasks", from_task},
                 {"aws.services", from_service},
                 {"aws.task_definitions", from_definition}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct record *record = lone(evidence, kinds[i].name);
        if (record && record->doc)
            kinds[i].take(names, record->doc);
    }
    char buf[32];
    const struct record *status = row_of(evidence, "container_status", "ecs");
    const struct record *declared = row_of(evidence, "containers", "ecs");
    keep_all(names, NAME_TASK, status ? record_text(status, "workload", buf) : NULL);
    keep_all(names, NAME_FAMILY, declared ? record_text(declared, "workload", buf) : NULL);
    const struct record *proxy = only_row(evidence, "containers", "ecs", true);
    keep_all(names, NAME_CONTAINER, proxy ? record_text(proxy, "name", buf) : NULL);
}

void names_find(struct names *names, const struct evidence *evidence)
{
    memset(names, 0, sizeof *names);
    if (!evidence)
        return;
    find_ecs(names, evidence);
    find_kubernetes(names, evidence);
}

/* ---- filling in ---- */

static bool is_word_part(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The name that begins at TEXT + AT; NAMES: none. */
static enum name name_at(const char *text, size_t at, size_t *len)
{
    for (int i = 0; i < NAMES; i++) {
        *len = strlen(words[i]);
        if (strncmp(text + at, words[i], *len) == 0 && !is_word_part(text[at + *len]) &&
            (at == 0 || !is_word_part(text[at - 1])))
            return (enum name)i;
    }
    return NAMES;
}

/* "kubectl get pod POD" of a workload is "kubectl get deploy/NAME"; to delete that is another matter. */
static const char *fit_kind(struct buf *out, const char *known)
{
    static const char kind[] = " pod ";
    size_t len = strlen(kind);
    if (!strchr(known, '/') || out->len < len || strcmp(buf_str(out) + out->len - len, kind) != 0)
        return known;
    if (strstr(buf_str(out), "delete pod"))
        return "";
    buf_cut(out, out->len - strlen("pod "));
    return known;
}

void names_fill(struct buf *out, const char *text, const struct names *names)
{
    bool spaced = strstr(text, "-n NAMESPACE") != NULL; /* it says so itself */
    for (size_t at = 0, len; text[at];) {
        enum name name = name_at(text, at, &len);
        if (name == NAMES) {
            buf_addch(out, text[at++]);
            continue;
        }
        const char *known = names->text[name];
        if (name == NAME_POD)
            known = fit_kind(out, known);
        buf_adds(out, *known ? known : words[name]);
        at += len;
        bool path = at > len && text[at - len - 1] == '/'; /* NAMESPACE/POD */
        if (name == NAME_POD && *known && !spaced && !path && names->text[NAME_NAMESPACE][0])
            buf_addf(out, " -n %s", names->text[NAME_NAMESPACE]);
    }
}
