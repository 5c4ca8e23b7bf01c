/* Collect: one pod or workload of a Kubernetes cluster. Reads names and what kubectl answers, writes
 * sources: objects, events, logs, and through a port that kubectl forwards the admin pages.
 * Deliberately knows no server address and no credential: those are kubectl's. */
#include "collect/kube.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/admin.h"
#include "collect/command.h"
#include "collect/follow_said.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORWARD_MS = 10000, LOOK_MS = 100, SAID_MAX = 4096, OBJECTS_PERCENT = 60 };

/* ---- names ---- */

static const char *kind_of(const char *text, size_t len)
{
    static const char *const kinds[][2] = {
        {"pod", "pod"},
        {"pods", "pod"},
        {"po", "pod"},
        {"deployment", "deployment"},
        {"deployments", "deployment"},
        {"deploy", "deployment"},
        {"daemonset", "daemonset"},
        {"daemonsets", "daemonset"},
        {"ds", "daemonset"},
        {"statefulset", "statefulset"},
        {"statefulsets", "statefulset"},
        {"sts", "statefulset"},
        {"service", "service"},
        {"services", "service"},
        {"svc", "service"},
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strlen(kinds[i][0]) == len && strncmp(kinds[i][0], text, len) == 0)
            return kinds[i][1];
    return NULL;
}

static bool is_name(const char *text)
{
    return *text && *text != '-' && strlen(text) <= 253 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0';
}

bool kube_name_parse(struct kube_name *name, const char *text, struct err *err)
{
    const char *last = strrchr(text, '/'), *first = strchr(text, '/');
    *name = (struct kube_name){.kind = "pod"};
    name->name = xstrdup(last ? last + 1 : text);
    const char *kind = NULL;
    if (last) {
        const char *before = last == first ? text : first + 1;
        kind = kind_of(before, (size_t)(last - before));
    }
    if (kind)
        name->kind = kind;
    if (last != first || (last && !kind))
        name->namespace = xstrndup(text, (size_t)(first - text));
    bool fine = is_name(name->name) && (!name->namespace || is_name(name->namespace)) &&
                (last == first || kind);
    if (fine)
        return true;
    kube_name_release(name);
    return err_set(err,
                   "'%s' names nothing in a cluster; expected NAMESPACE/POD, or "
                   "NAMESPACE/deploy/NAME (also ds, sts, svc)",
                   text);
}

void kube_name_release(struct kube_name *name)
{
    free(name->namespace);
    free(name->name);
    *name = (struct kube_name){0};
}

/* ---- the admin page ---- */

struct forward { /* kubectl port-forward to one port of a pod */
    struct command *command;
    char *out_path;
    char *text; /* as typed */
    int local;  /* port on this machine; 0: none came about */
    char why[512];
};

static int forwarded_port(const char *path)
{
    char text[SAID_MAX] = "";
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[len] = '\0';
    const char *at = strstr(text, "Forwarding from 127.0.0.1:");
    return at && strchr(at, '\n') ? atoi(at + strlen("Forwarding from 127.0.0.1:")) : 0;
}

static void forward_close(struct forward *forward)
{
    struct command_result result = {0};
    if (forward->command)
        command_finish(forward->command, &result);
    if (!forward->local && !forward->why[0]) {
        snprintf(forward->why, sizeof forward->why, "%.*s", (int)strcspn(result.said, "\n"),
                 result.said);
        if (!forward->why[0])
            snprintf(forward->why, sizeof forward->why, "kubectl forwards no port within its time");
    }
    forward->command = NULL;
    unlink(forward->out_path);
}

static void forward_release(struct forward *forward)
{
    free(forward->out_path);
    free(forward->text);
}

/* False: closed again, with the reason. */
static bool forward_open(struct forward *forward, struct collection *collection,
                         const struct kube_name *name, int port)
{
    char pod[300], remote[16];
    snprintf(pod, sizeof pod, "pod/%s", name->name);
    snprintf(remote, sizeof remote, ":%d", port);
    const char *argv[] = {"kubectl",
                          "port-forward",
                          pod,
                          remote,
                          "--address",
                          "127.0.0.1",
                          name->namespace ? "-n" : NULL,
                          name->namespace,
                          NULL};
    struct err err = ERR_INIT;
    *forward = (struct forward){.out_path = collection_path(collection, "port-forward.txt"),
                                .text = command_text(argv)};
    const struct command_spec spec = {argv, forward->out_path, 1 << 20,
                                      collection_left_ms(collection), NULL};
    int64_t until = clock_monotonic() + FORWARD_MS * (CLOCK_SECOND / 1000);
    forward->command = command_start(&spec, &err);
    snprintf(forward->why, sizeof forward->why, "%s", err.text);
    bool ended = !forward->command;
    while (!ended && !forward->local && clock_monotonic() < until) {
        int64_t look = clock_monotonic() + LOOK_MS * (CLOCK_SECOND / 1000);
        ended = command_wait(&forward->command, 1, look) == 0;
        forward->local = ended ? 0 : forwarded_port(forward->out_path);
    }
    if (!forward->local)
        forward_close(forward);
    return forward->local != 0;
}

/* The same bundle, filled from another address. */
static void ask_admin(struct collection *collection, const struct target *admin)
{
    struct collection inner = *collection;
    inner.target = admin;
    admin_collect(&inner);
    collection->bundle = inner.bundle;
    collection->unpacked = inner.unpacked;
}

static bool try_port(struct collection *collection, const struct kube_name *name, int port,
                     bool only, char why[512])
{
    struct forward forward;
    bool asked = false;
    if (forward_open(&forward, collection, name, port)) {
        struct target admin = {
            .kind = TARGET_ADMIN,
            .name = collection->target->name,
            .address = xasprintf("http://127.0.0.1:%d", forward.local),
            .via = xasprintf("pod/%s:%d", name->name, port),
        };
        asked = only || targets_is_envoy(&admin);
        if (asked)
            ask_admin(collection, &admin);
        else
            snprintf(why, 512, "no Envoy answers at the usual ports of the pod");
        free(admin.address);
        free(admin.via);
        forward_close(&forward);
    } else {
        snprintf(why, 512, "%s", forward.why);
    }
    if (!asked && only)
        collection_missing(collection, "admin/server_info.json", forward.text, "%s", why);
    forward_release(&forward);
    return asked || only;
}

static void collect_admin(struct collection *collection, const struct kube_name *name,
                          const cJSON *pod)
{
    int ports[KUBE_PORTS_MAX];
    const char *phase = json_str(pod, "status.phase");
    char why[512] = "";
    size_t len = kube_admin_ports(pod, ports);
    if (!pod || (phase && strcmp(phase, "Running") != 0)) {
        collection_missing(
            collection, "admin/server_info.json", "kubectl port-forward", "not asked: %s%s",
            pod ? "the pod's phase is " : "kubectl tells nothing of the pod", pod ? phase : "");
        return;
    }
    bool done = false;
    for (size_t i = 0; i < len && !done; i++)
        done = try_port(collection, name, ports[i], len == 1, why);
    if (!done)
        collection_missing(collection, "admin/server_info.json", "kubectl port-forward", "%s", why);
}

/* ---- all of it ---- */

static void keep_pod(void *user, const char *const *argv, const cJSON *answer)
{
    cJSON **pod = user;
    if (!*pod && strcmp(argv[1], "get") == 0 && strcmp(argv[2], "pod") == 0)
        *pod = cJSON_Duplicate(answer, 1);
}

/* A target for each pod took the workload's place, unless there is none. */
static void note_no_pods(struct collection *collection, const struct kube_name *name,
                         const char *text)
{
    struct follow_words pods = {0};
    struct follow_said why;
    char *source = xasprintf("k8s/pods-of-%s.json", name->name);
    kube_pods(text, &pods, &why);
    if (pods.len == 0)
        collection_missing(collection, source, "kubectl get pods -l <selector>", "%s",
                           why.text[0] ? why.text : "no pod stands behind it");
    free(source);
    follow_words_release(&pods);
}

void kube_collect(struct collection *collection, const char *text, bool admin)
{
    struct kube_name name;
    struct kube_plan plan;
    struct err err = ERR_INIT;
    cJSON *pod = NULL;
    if (!kube_name_parse(&name, text, &err)) {
        collection_missing(collection, "k8s/pod.json", text, "%s", err.text);
        return;
    }
    kube_plan_init(&plan, &name);
    plan.plan.on_answer = keep_pod;
    plan.plan.user = &pod;
    int64_t ms = collection_left_ms(collection) * (admin ? OBJECTS_PERCENT : 100) / 100;
    bool there = follow_run(collection, &plan.plan, clock_monotonic() + ms * (CLOCK_SECOND / 1000));
    bool is_pod = strcmp(name.kind, "pod") == 0;
    if (there && admin && is_pod)
        collect_admin(collection, &name, pod);
    if (there && !is_pod)
        note_no_pods(collection, &name, text);
    cJSON_Delete(pod);
    kube_name_release(&name);
}

void kube_dry_run(const char *text, bool admin, const struct collect_options *options)
{
    struct kube_name name;
    struct kube_plan plan;
    struct err err = ERR_INIT;
    if (!kube_name_parse(&name, text, &err)) {
        printf("%s\n", err.text);
        return;
    }
    bool pod = strcmp(name.kind, "pod") == 0;
    if (!pod) {
        const char *option = name.namespace ? " -n " : "";
        const char *namespace = name.namespace ? name.namespace : "";
        printf("kubectl get %s %s%s%s -o json\n", name.kind, name.name, option, namespace);
        kube_absent_dry_run(&name);
        printf("then: kubectl get pods -l <selector>%s%s -o json\n", option, namespace);
        puts("then, for each of those pods:");
        free(name.name);
        name.kind = "pod";
        name.name = xstrdup("<pod>");
    }
    kube_plan_init(&plan, &name);
    follow_dry_run(&plan.plan);
    if (pod)
        kube_absent_dry_run(&name);
    if (admin) {
        char via[] = "<pod>:<admin port>";
        const struct target page = {.kind = TARGET_ADMIN, .address = via};
        printf("then: kubectl port-forward pod/%s :<admin port> --address 127.0.0.1%s%s\n",
               name.name, name.namespace ? " -n " : "", name.namespace ? name.namespace : "");
        admin_dry_run(&page, options);
    }
    kube_name_release(&name);
}
