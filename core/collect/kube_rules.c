/* Collect: what is asked of a cluster about one pod or workload, as one table. Reads a name, writes a
 * plan. Deliberately never names Secrets, and asks for logs of containers that have run only. */
#include "collect/kube.h"

#include "base/alloc.h"
#include "base/str.h"

#include <string.h>

#define RULE(from, each, when, call)                                                               \
    {                                                                                              \
        from, each, when, call, false                                                              \
    }
#define START(call)                                                                                \
    {                                                                                              \
        NULL, "", NULL, call, false                                                                \
    }

static const struct follow_rule rules[] = {
    START("get {$kind} {$name}"),
    START("get {$events} --field-selector involvedObject.name={$name}"),
    START("get {$all-events}"),
    START("get namespace {$namespace}"),
    START("get services"),
    START("get endpoints"),
    START("get endpointslices"),
    START("get networkpolicies"),
    START("get mutatingwebhookconfigurations"),
    START("get validatingwebhookconfigurations"),

    RULE("get pod", "metadata", NULL, "get namespace {namespace}"),
    RULE("get pod", "spec", NULL, "get serviceaccount {serviceAccountName}"),
    RULE("get pod", "spec", NULL, "get node {nodeName}"),
    RULE("get pod", "metadata.ownerReferences[]", "kind=ReplicaSet", "get replicaset {name}"),
    RULE("get pod", "metadata.ownerReferences[]", "kind=DaemonSet", "get daemonset {name}"),
    RULE("get pod", "metadata.ownerReferences[]", "kind=StatefulSet", "get statefulset {name}"),
    RULE("get pod", "metadata.ownerReferences[]", "kind=Job", "get job {name}"),
    RULE("get pod", "metadata.ownerReferences[]", "name",
         "get events --field-selector involvedObject.name={name}"),
    RULE("get replicaset", "metadata.ownerReferences[]", "kind=Deployment",
         "get deployment {name}"),
    RULE("get pod", "status.containerStatuses[]", "containerID=?*",
         "logs {$name} -c {name} --tail=50000"),
    RULE("get pod", "status.containerStatuses[]", "lastState.terminated",
         "logs {$name} -c {name} --previous --tail=20000"),
    RULE("get pod", "status.initContainerStatuses[]", "containerID=?*",
         "logs {$name} -c {name} --tail=50000"),
    RULE("get pod", "status.initContainerStatuses[]", "lastState.terminated",
         "logs {$name} -c {name} --previous --tail=20000"),

    /* App Mesh, where its controller is. */
    RULE("get mutatingwebhookconfigurations", "items[]", "metadata.name=*appmesh*",
         "get meshes.appmesh.k8s.aws"),
    RULE("get mutatingwebhookconfigurations", "items[]", "metadata.name=*appmesh*",
         "get virtualnodes.appmesh.k8s.aws"),
    RULE("get mutatingwebhookconfigurations", "items[]", "metadata.name=*appmesh*",
         "get virtualservices.appmesh.k8s.aws"),
    RULE("get mutatingwebhookconfigurations", "items[]", "metadata.name=*appmesh*",
         "get virtualrouters.appmesh.k8s.aws"),
    RULE("get mutatingwebhookconfigurations", "items[]", "metadata.name=*appmesh*",
         "get virtualgateways.appmesh.k8s.aws"),
    RULE("get mutatingwebhookconfigurations", "items[]", "metadata.name=*appmesh*",
         "get gatewayroutes.appmesh.k8s.aws"),
    RULE("get mutatingwebhookconfigurations", "items[].webhooks[].clientConfig.service",
         "name=*appmesh*", "get pods -n {namespace}"),
    RULE("get mutatingwebhookconfigurations", "items[].webhooks[].clientConfig.service",
         "name=*appmesh*", "logs deployment/appmesh-controller -n {namespace} --tail=20000"),

    /* Who answers the webhooks that put a proxy into pods. */
    RULE("get mutatingwebhookconfigurations", "items[].webhooks[].clientConfig.service",
         "name=*appmesh*", "get endpoints {name} -n {namespace}"),
    RULE("get mutatingwebhookconfigurations", "items[].webhooks[].clientConfig.service",
         "name=istiod*", "get endpoints {name} -n {namespace}"),
    RULE("get mutatingwebhookconfigurations", "items[].webhooks[].clientConfig.service",
         "name=*consul*", "get endpoints {name} -n {namespace}"),
};

static bool is_logs(const char *const *argv)
{
    return str_equal(argv[1], "logs");
}

static const char *option_of(const char *const *argv, const char *option)
{
    for (size_t i = 0; argv[i]; i++)
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    return NULL;
}

static bool has_word(const char *const *argv, const char *word)
{
    for (size_t i = 0; argv[i]; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

/* "k8s/pod-web-1.json", "log/web-1_envoy.previous.log" */
static char *name_of(const char *const *argv)
{
    const char *container = option_of(argv, "-c");
    const char *slash = strrchr(argv[2], '/'), *what = slash ? slash + 1 : argv[2];
    if (is_logs(argv))
        return xasprintf("log/%s%s%s%s.log", what, container ? "_" : "", container ? container : "",
                         has_word(argv, "--previous") ? ".previous" : "");
    return argv[3] && argv[3][0] != '-' ? xasprintf("k8s/%s-%s.json", argv[2], argv[3])
                                        : xasprintf("k8s/%s.json", argv[2]);
}

static bool is_worth(const char *const *call, const char *const *parent)
{
    (void)call;
    (void)parent;
    return true;
}

void kube_plan_init(struct kube_plan *plan, const struct kube_name *name)
{
    bool pod = strcmp(name->kind, "pod") == 0;
    *plan = (struct kube_plan){
        .variables = {{"kind", name->kind},
                      {"name", name->name},
                      {"namespace", name->namespace},
                      {"events", pod ? "events" : NULL},
                      {"all-events", pod ? NULL : "events"}},
        .options = {{"-n", name->namespace, false}, {"-o", "json", true}},
    };
    plan->plan = (struct follow_plan){
        .program = "kubectl",
        .rules = rules,
        .rules_len = ARRAY_LEN(rules),
        .variables = plan->variables,
        .variables_len = ARRAY_LEN(plan->variables),
        .options = plan->options,
        .options_len = ARRAY_LEN(plan->options),
        .is_text = is_logs,
        .name = name_of,
        .is_worth = is_worth,
        .absent = kube_absent,
        .about = name,
    };
}
