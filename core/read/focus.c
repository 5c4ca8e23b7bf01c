/* Stage: read. Which objects of a cluster's files concern a target. Reads the focus of the sources; decides.
 * Deliberately goes by names: an owner is told by how Kubernetes names what it makes. */
#include "read/focus.h"
#include "base/alloc.h"
#include "base/str.h"
#include "read/readers.h"
#include <stdlib.h>
#include <string.h>

bool focus_reads(const struct reader *reader)
{
    return reader == &read_kubernetes || reader == &read_kubernetes_events ||
           reader == &read_mesh_sync;
}

struct pod {
    const char *space, *name;
    size_t space_len;
};

/* False when everything concerns the target. */
static bool focused(const struct reading *reading, struct pod *pod)
{
    pod->space = sources_namespace(reading->sources, reading->source, &pod->space_len);
    pod->name = pod->space && pod->space[pod->space_len] ? pod->space + pod->space_len + 1 : "";
    return pod->space != NULL;
}

static bool in_space(const struct pod *pod, const char *space)
{
    return strlen(space) == pod->space_len && memcmp(pod->space, space, pod->space_len) == 0;
}

/* Whether the pod may be OWNER's: its name goes on with so many words, as "web-5f4d584748-ztplf" of "web". */
static bool made_by(const struct pod *pod, const char *owner, size_t words)
{
    if (!str_starts(pod->name, owner))
        return false;
    size_t dashes = 0;
    const char *rest = pod->name + strlen(owner);
    for (const char *at = rest; *at; at++)
        dashes += *at == '-';
    return *rest == '-' && dashes == words;
}

static bool workload(const struct pod *pod, const char *kind, const char *name, bool *owned)
{
    static const struct {
        const char *kind;
        size_t words;
    } kinds[] = {{"Deployment", 2}, {"ReplicaSet", 1}, {"StatefulSet", 1},
                 {"DaemonSet", 1},  {"Job", 1},        {"CronJob", 2}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kind, kinds[i].kind) == 0) {
            *owned = made_by(pod, name, kinds[i].words);
            return true;
        }
    return false;
}

bool focus_pod(const struct reading *reading, const char *space, const char *name)
{
    const struct source_focus *focus = &reading->sources->focus;
    bool named = false;
    if (!focus->len || (!focus->except && !reading->source->shared))
        return true;
    for (size_t i = 0; i < focus->len && !named; i++) {
        const char *slash = strchr(focus->pods[i], '/');
        size_t len = slash ? (size_t)(slash - focus->pods[i]) : 0;
        named = slash && str_equal(slash + 1, name) &&
                (!space || (strlen(space) == len && memcmp(space, focus->pods[i], len) == 0));
    }
    return named != focus->except;
}

bool focus_object(const struct reading *reading, const char *kind, const char *space,
                  const char *name)
{
    struct pod pod;
    bool owned;
    if (!kind || !name)
        return !focused(reading, &pod);
    if (strcmp(kind, "Pod") == 0)
        return focus_pod(reading, space, name);
    if (!focused(reading, &pod))
        return true;
    if (space && *space)
        return in_space(&pod, space) && (!workload(&pod, kind, name, &owned) || owned);
    if (strcmp(kind, "Namespace") == 0)
        return in_space(&pod, name);
    return strcmp(kind, "Node") != 0;
}

bool focus_event(const struct reading *reading, const char *kind, const char *object)
{
    struct pod pod;
    const char *slash = strchr(object, '/');
    if (!kind || strcmp(kind, "Pod") != 0)
        return !focused(reading, &pod);
    char *space = slash ? xstrndup(object, (size_t)(slash - object)) : NULL;
    bool concerns = focus_pod(reading, space, slash ? slash + 1 : object);
    free(space);
    return concerns;
}
