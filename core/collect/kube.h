/* Collecting from a Kubernetes cluster, by the user's own kubectl. */
#ifndef DEBRIEF_COLLECT_KUBE_H
#define DEBRIEF_COLLECT_KUBE_H

#include "collect/collection.h"
#include "collect/follow.h"

struct kube_name {
    char *namespace;  /* NULL: that of kubectl's context */
    const char *kind; /* "pod", "deployment", "daemonset", "statefulset", "service" */
    char *name;
};

/* TEXT is [NAMESPACE/][KIND/]NAME. */
bool kube_name_parse(struct kube_name *name, const char *text, struct err *err);
void kube_name_release(struct kube_name *name);

/* Adds what the cluster says of TEXT, and for a pod the proxy's admin pages when ADMIN is set. */
void kube_collect(struct collection *collection, const char *text, bool admin);
void kube_dry_run(const char *text, bool admin, const struct collect_options *options);

/* The pods behind TEXT, as [NAMESPACE/]NAME: nothing when it names a pod, or has none. WHY,
 * unless NULL, says why they cannot be told; its text is empty when they can. */
struct follow_said;
void kube_pods(const char *text, struct follow_words *pods, struct follow_said *why);

/* What to say when ABOUT, a struct kube_name, is not there; kube_absent.c. */
char *kube_absent(const void *about);
void kube_absent_dry_run(const struct kube_name *name);

/* The plan of calls about NAME; kube_rules.c. */
struct kube_plan {
    struct follow_plan plan;
    struct follow_variable variables[5];
    struct follow_option options[2];
};
void kube_plan_init(struct kube_plan *plan, const struct kube_name *name);

/* The ports where the admin page of the proxy in POD may listen, the likeliest first; kube_port.c.
 * POD may be NULL. */
enum { KUBE_PORTS_MAX = 4 };
size_t kube_admin_ports(const cJSON *pod, int ports[KUBE_PORTS_MAX]);

#endif
