/* Stage: read. Keeps objects of a platform whole, for checks that read them by path. Reads JSON trees,
 * writes one record with a document for each. Deliberately drops the API server's bookkeeping, which is
 * often larger than the object, and stops copying when the trees of a target grow too large. */
#include "read/objects.h"
#include "evidence/evidence.h"
#include <string.h>

/* Trees cost some 100 bytes a node; together with the texts this stays near 200 MB. */
enum { NODES_MAX = 1000000 };

static bool is_bookkeeping(const char *name)
{
    return name && (strcmp(name, "managedFields") == 0 ||
                    strcmp(name, "kubectl.kubernetes.io/last-applied-configuration") == 0);
}

static void prune(cJSON *node)
{
    for (cJSON *child = node->child, *next; child; child = next) {
        next = child->next;
        if (is_bookkeeping(child->string))
            cJSON_Delete(cJSON_DetachItemViaPointer(node, child));
        else
            prune(child);
    }
}

static size_t count_nodes(const cJSON *node)
{
    size_t count = 1;
    for (const cJSON *child = node->child; child; child = child->next)
        if (!is_bookkeeping(child->string))
            count += count_nodes(child);
    return count;
}

static cJSON *copy(const cJSON *json)
{
    cJSON *tree = cJSON_Duplicate(json, 1);
    if (tree)
        prune(tree);
    return tree;
}

static void say_full(struct reading *reading, const char *id)
{
    if (!reading->full)
        reading_partial(reading,
                        "holds more objects than are kept; '%s' and what follows is left out", id);
    reading->full = true;
}

void objects_keep(struct reading *reading, const char *name, const char *id, const char *kind,
                  const cJSON *json, const char *pointer)
{
    if (!evidence_wants(reading->evidence, name, kind)) {
        evidence_supplied(reading->evidence, name, reading->complete);
        return;
    }
    bool room = evidence_room(reading->evidence, count_nodes(json), NODES_MAX);
    struct record *record = room ? reading_add(reading, name, pointer) : NULL;
    if (record) {
        evidence_set(reading->evidence, record, "id", id);
        evidence_set(reading->evidence, record, "kind", kind);
        evidence_set_doc(reading->evidence, record, copy(json));
    } else {
        say_full(reading, id ? id : pointer);
    }
    evidence_supplied(reading->evidence, name, reading->complete);
}
