/* Stage: read. /init_dump: what the initialisation of each listener waits for, one record per target. */
#include "base/str.h"
#include "read/proto.h"
#include "read/readers.h"
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 1024 };

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT)
        return 0;
    if (peek_has_key(peek, "unready_targets_dumps"))
        return 95;
    return peek->whole && !peek->keys[0] && strstr(peek->name, "init_dump") ? 70 : 0;
}

/* "init manager Listener-local-init-manager NAME 1932023444535403288" holds a listener's name. */
static bool listener_of(const char *manager, char out[NAME_MAX_BYTES])
{
    static const char mark[] = "Listener-local-init-manager ";
    const char *name = strstr(manager, mark);
    if (!name)
        return false;
    snprintf(out, NAME_MAX_BYTES, "%s", name + sizeof mark - 1);
    char *hash = strrchr(out, ' ');
    if (hash && hash[1] && strspn(hash + 1, "0123456789") == strlen(hash + 1))
        *hash = '\0';
    return *out;
}

struct target_kind {
    const char *mark, *kind;
};

static const char *kind_of(const char *target, const char **name)
{
    static const struct target_kind kinds[] = {{"RDS init ", "rds"},
                                               {"RdsRouteConfigSubscription ", "rds"},
                                               {"ScopedRds", "rds"},
                                               {"SdsApi ", "sds"},
                                               {"FilterConfigSubscription init ", "ecds"},
                                               {"FilterConfigSubscription ", "ecds"},
                                               {"Cluster ", "cluster"},
                                               {"cluster ", "cluster"}};
    *name = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *at = strstr(target, kinds[i].mark);
        if (!at)
            continue;
        at += strlen(kinds[i].mark);
        *name = *at ? at : NULL;
        return kinds[i].kind;
    }
    return "other";
}

static void add_target(struct reading *reading, const char *manager, const char *target,
                       const char *pointer)
{
    char listener[NAME_MAX_BYTES];
    const char *name;
    struct record *record = reading_add(reading, "init.targets", pointer);
    if (!record)
        return;
    const char *kind = kind_of(target, &name);
    evidence_set(reading->evidence, record, "manager", manager);
    if (manager && listener_of(manager, listener))
        evidence_set(reading->evidence, record, "listener", listener);
    evidence_set(reading->evidence, record, "target", target);
    evidence_set(reading->evidence, record, "kind", kind);
    evidence_set(reading->evidence, record, "name", name);
}

static void take(void *user, const struct json_piece *piece)
{
    struct reading *reading = user;
    const cJSON *target;
    int index = 0;
    if (piece->rule < 0)
        return;
    cJSON_ArrayForEach (target, proto_at(piece->value, "target_names")) {
        char pointer[512];
        snprintf(pointer, sizeof pointer, "%s/target_names/%d", piece->pointer, index++);
        if (cJSON_IsString(target))
            add_target(reading, proto_str(piece->value, "name"), target->valuestring, pointer);
    }
}

static void read_source(struct reading *reading)
{
    static const char *const rules[] = {"unready_targets_dumps", NULL};
    reading_split(reading, rules, take, reading);
    evidence_supplied(reading->evidence, "init.targets", reading->complete);
}

const struct reader read_init_dump = {"init_dump", (const char *const[]){"init.targets", NULL},
                                      recognise, read_source};
