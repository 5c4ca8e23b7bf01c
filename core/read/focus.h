/* Of a cluster's files, which tell of many, what concerns the pod that a target is: the same that a live
 * look at this pod would ask for (collect/kube_rules.c). Of other sources everything does. */
#ifndef DEBRIEF_READ_FOCUS_H
#define DEBRIEF_READ_FOCUS_H

#include "read/read.h"

/* Whether READER (NULL: none) keeps to it, so that it may read such a file. */
bool focus_reads(const struct reader *reader);

/* An object of KIND; SPACE is NULL for what belongs to no namespace. */
bool focus_object(const struct reading *reading, const char *kind, const char *space,
                  const char *name);
/* What an event tells of: OBJECT is NAMESPACE/NAME, or NAME alone where the namespace is not told. */
bool focus_event(const struct reading *reading, const char *kind, const char *object);
/* What is said of the pod NAME in SPACE (NULL: not told). */
bool focus_pod(const struct reading *reading, const char *space, const char *name);

#endif
