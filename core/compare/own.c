/* Stage: compare, in the reader. Finds the names and addresses by which this instance tells itself from
 * its siblings: the pod's, the task's, the node's. Writes a list of texts; what contains them is compared
 * as if the siblings had the same. Deliberately takes only what names the proxy itself for certain. */
#include "base/json.h"
#include "base/str.h"
#include "compare/facts.h"
#include <ctype.h>
#include <string.h>

enum { OWN_MAX = 64, OWN_LEN_MIN = 4, OWN_LEN_MAX = 255 };

/* A word that stands for many things ("envoy", "127.0.0.1") is nobody's own. */
static bool tells_apart(const char *text, size_t len)
{
    bool mark = false;
    if (len < OWN_LEN_MIN || len > OWN_LEN_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        mark |= isdigit((unsigned char)text[i]) || text[i] == '-' || text[i] == '.';
    return mark && strncmp(text, "127.0.0.1", 9) != 0 && strncmp(text, "0.0.0.0", 7) != 0;
}

static void add(cJSON *own, const char *text, size_t len)
{
    char token[OWN_LEN_MAX + 1];
    const cJSON *each;
    if (!text || !tells_apart(text, len) || cJSON_GetArraySize(own) >= OWN_MAX)
        return;
    str_to_utf8(token, sizeof token, text, len);
    cJSON_ArrayForEach (each, own) {
        if (str_equal(each->valuestring, token))
            return;
    }
    cJSON_AddItemToArray(own, cJSON_CreateString(token));
}

static void add_text(cJSON *own, const char *text)
{
    if (text)
        add(own, text, strlen(text));
}

/* "sidecar~10.0.0.7~orders-7c9d.shop~shop.svc.cluster.local": address, pod.namespace. An App Mesh name
 * (mesh/M/virtualNode/N) is shared by all replicas. */
static void add_node(cJSON *own, const char *node)
{
    const char *address = node ? strchr(node, '~') : NULL;
    const char *pod = address ? strchr(address + 1, '~') : NULL;
    if (node && !address && !strchr(node, '/'))
        add_text(own, node);
    if (!pod)
        return;
    add(own, address + 1, (size_t)(pod - address - 1));
    add(own, pod + 1, strcspn(pod + 1, ".~"));
}

static void add_variables(cJSON *own, const struct evidence *evidence)
{
    static const char *const globs[] = {"*POD_NAME", "*POD_IP",    "*INSTANCE_IP",
                                        "*HOST_IP",  "*NODE_NAME", "HOSTNAME",
                                        "*POD_UID",  "*POD_IPS",   "*INSTANCE_IPS"};
    char number[32];
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, "env", record))) {
        const char *name = record_text(record, "name", number);
        const char *value = record_text(record, "value", number);
        for (size_t i = 0; name && value && i < sizeof globs / sizeof *globs; i++) {
            if (!str_glob(globs[i], name))
                continue;
            for (size_t len; *value; value += len + (value[len] == ',')) {
                len = strcspn(value, ",");
                add(own, value, len);
            }
            break;
        }
    }
}

/* Of one pod alone it is certain whose these are. */
static void add_pod(cJSON *own, const struct evidence *evidence)
{
    static const char *const paths[] = {"metadata.name", "metadata.uid", "status.podIP",
                                        "status.hostIP", "spec.nodeName"};
    char number[32];
    const struct record *pod = evidence_next(evidence, "k8s.pods", NULL);
    if (!pod || evidence_next(evidence, "k8s.pods", pod))
        return;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        add_text(own, record_text(pod, paths[i], number));
}

static void add_metadata(cJSON *own, const struct evidence *evidence)
{
    static const char *const names[] = {"node.metadata.NAME", "node.metadata.INSTANCE_IPS",
                                        "node.metadata.NODE_NAME"};
    char number[32];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct record *record = evidence_find(evidence, "bootstrap.settings", names[i]);
        const char *value = record ? record_text(record, "value", number) : NULL;
        for (size_t len; value && *value; value += len + (value[len] == ',')) {
            len = strcspn(value, ",");
            add(own, value, len);
        }
    }
}

cJSON *facts_own(const struct evidence *evidence)
{
    char number[32];
    cJSON *own = cJSON_CreateArray();
    const struct record *proxy = evidence_next(evidence, "proxy", NULL);
    if (proxy)
        add_node(own, record_text(proxy, "node_id", number));
    add_variables(own, evidence);
    add_pod(own, evidence);
    add_metadata(own, evidence);
    return own;
}
