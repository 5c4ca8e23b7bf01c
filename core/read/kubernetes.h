/* Kubernetes objects, however they came: `kubectl get -o json|yaml`, manifests, lists of them. */
#ifndef DEBRIEF_READ_KUBERNETES_H
#define DEBRIEF_READ_KUBERNETES_H

#include "read/read.h"

#define KUBERNETES_NAME_MAX 384

/* Reads every object of the source, elements of lists one by one, events included, and says what the
 * source supplied. */
void kubernetes_objects(struct reading *reading);

/* One object that stands at POINTER. */
struct kubernetes_object {
    struct reading *reading;
    const cJSON *json;
    const char *pointer;
    const char *kind;
    char name[KUBERNETES_NAME_MAX]; /* namespace/name, or the name alone without a namespace */
};

void kubernetes_name(char out[KUBERNETES_NAME_MAX], const char *space, const char *name);

/* Its status: containers of a pod, conditions of anything. */
void kubernetes_status(struct kubernetes_object *object);

/* An Event, of either API group. */
void kubernetes_event(struct kubernetes_object *object);

#endif
