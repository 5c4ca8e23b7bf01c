/* What things are called here: the pod, its namespace, the proxy's container, the task and where it belongs,
 * as far as the evidence leaves no doubt. Commands name them by a word in capitals; a command that is
 * copied should need no more thought than it must. */
#ifndef DEBRIEF_FINDING_NAMES_H
#define DEBRIEF_FINDING_NAMES_H

#include "base/buf.h"
#include "evidence/evidence.h"

enum { NAME_MAX_LEN = 256 };

enum name {
    NAME_POD, /* of another workload than a pod: "deploy/NAME" */
    NAME_NAMESPACE,
    NAME_CONTAINER, /* the proxy's */
    NAME_CLUSTER,   /* of ECS */
    NAME_TASK,
    NAME_FAMILY, /* FAMILY:REVISION of the task definition */
    NAME_SERVICE,
    NAME_GROUP,   /* of the proxy's log */
    NAME_ACCOUNT, /* the pod's service account */
    NAMES
};

struct names {
    char text[NAMES][NAME_MAX_LEN]; /* empty: not known */
};

/* EVIDENCE may be NULL: nothing is known. */
void names_find(struct names *names, const struct evidence *evidence);

/* Appends TEXT, a command or a hint, with the words POD, NAMESPACE, CONTAINER, CLUSTERNAME, TASK, FAMILY,
 * SERVICE, GROUP and SERVICEACCOUNT replaced where the name is known. */
void names_fill(struct buf *out, const char *text, const struct names *names);

#endif
