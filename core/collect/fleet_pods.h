/* Where tools put what they save of a pod: the layouts of kubelets, troubleshoot, egctl, must-gather,
 * `kubectl cluster-info dump` and istioctl. */
#ifndef DEBRIEF_COLLECT_FLEET_PODS_H
#define DEBRIEF_COLLECT_FLEET_PODS_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>

struct fleet_pod {
    const char *pod;  /* NAMESPACE/POD */
    const char *path; /* the pod's folder, or the file where it has none */
    bool proxy;       /* the file is a proxy's: its log, by the container's name, or its dump */
    bool log;
};

/* What the path NAME tells of a pod; false when it tells of none. */
bool fleet_pod_of(struct arena *arena, const char *name, struct fleet_pod *out);

/* Whether containers of this name are Envoys, or an agent with its Envoy. */
bool fleet_proxy_container(const char *name, size_t len);

#endif
