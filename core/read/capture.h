/* How traffic is redirected into a proxy, as manifests set it up: ECS proxyConfiguration, init containers
 * and annotations of App Mesh, Istio and Consul. */
#ifndef DEBRIEF_READ_CAPTURE_H
#define DEBRIEF_READ_CAPTURE_H

#include "read/kubernetes.h"

/* The proxyConfiguration of an ECS task definition, which stands at POINTER. */
void capture_task(struct reading *reading, const cJSON *proxy, const char *pointer,
                  const char *workload);

/* The pod spec SPEC at POINTER; ANNOTATIONS are those of the pod (or its template), or NULL. */
void capture_pod(const struct kubernetes_object *object, const cJSON *spec, const char *pointer,
                 const cJSON *annotations);

#endif
