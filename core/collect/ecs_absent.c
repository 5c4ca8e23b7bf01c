/* Collect: what to say when the task, service, cluster or mesh that was named is not there. Asks aws for
 * what is there instead, writes one sentence. Deliberately guesses nothing: it lists, the user
 * chooses. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/ecs.h"
#include "collect/live.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 6, TEXT_MAX = 1000 };

struct look { /* one question, and where its answer's names stand */
    const char *names, *before;
    const char *argv[14];
};

static struct look look_for(const struct ecs_name *name, const char *names, const char *before,
                            const char *service, const char *operation, const char *option,
                            const char *value)
{
    struct look look = {names, before, {"aws", service, operation}};
    size_t len = 3;
    if (name->cluster && strcmp(operation, "list-clusters") != 0) {
        look.argv[len++] = "--cluster";
        look.argv[len++] = name->cluster;
    }
    if (option) {
        look.argv[len++] = option;
        look.argv[len++] = value;
    }
    look.argv[len++] = "--output";
    look.argv[len++] = "json";
    if (name->region) {
        look.argv[len++] = "--region";
        look.argv[len++] = name->region;
    }
    return look;
}

static size_t all_looks(const struct ecs_name *name, struct look looks[3])
{
    size_t len = 0;
    if (name->resource) {
        looks[len++] = look_for(name, "meshes", "meshes: ", "appmesh", "list-meshes", NULL, NULL);
        return len;
    }
    if (name->task) {
        looks[len++] = look_for(name, "taskArns", "running: ", "ecs", "list-tasks",
                                "--desired-status", "RUNNING");
        looks[len++] = look_for(name, "taskArns", "stopped: ", "ecs", "list-tasks",
                                "--desired-status", "STOPPED");
    } else if (name->service) {
        looks[len++] = look_for(name, "serviceArns", "services: ", "ecs", "list-services", NULL,
                                NULL);
    }
    looks[len++] = look_for(name, "clusterArns", "clusters: ", "ecs", "list-clusters", NULL, NULL);
    return len;
}

/* Of an ARN the last part; of an object its name. */
static size_t add_names(struct buf *out, const struct look *look)
{
    cJSON *answer = live_ask(look->argv, NULL);
    const cJSON *item;
    size_t all = 0;
    cJSON_ArrayForEach (item, json_at(answer, look->names)) {
        const char *text = cJSON_IsString(item) ? item->valuestring : json_str(item, "meshName");
        const char *slash = text ? strrchr(text, '/') : NULL;
        if (!text || ++all > NAMES_MAX)
            continue;
        buf_addf(out, "%s%s", all > 1 ? ", " : look->before, slash ? slash + 1 : text);
    }
    if (all > NAMES_MAX)
        buf_addf(out, " and %zu more", all - NAMES_MAX);
    cJSON_Delete(answer);
    return all;
}

static bool is_empty(const cJSON *list)
{
    return cJSON_IsArray(list) && cJSON_GetArraySize(list) == 0;
}

bool ecs_is_absent(const cJSON *answer)
{
    return is_empty(json_at(answer, "tasks")) || is_empty(json_at(answer, "services"));
}

char *ecs_absent(const void *about)
{
    const struct ecs_name *name = about;
    struct look looks[3];
    struct buf text;
    size_t len = all_looks(name, looks), found = 0;
    buf_init(&text, TEXT_MAX);
    if (name->resource)
        buf_addf(&text, "App Mesh has no '%s' here", name->resource);
    else if (name->task)
        buf_addf(&text, "no task '%s' in cluster '%s'; ECS forgets a stopped task after an hour",
                 name->task, name->cluster);
    else if (name->service)
        buf_addf(&text, "no service '%s' in cluster '%s'", name->service, name->cluster);
    else
        buf_addf(&text, "no cluster '%s'", name->cluster);
    for (size_t i = 0; i < len; i++) {
        size_t before = text.len;
        if (found && strcmp(looks[i].names, "clusterArns") == 0)
            break; /* the cluster is there */
        buf_adds(&text, "; ");
        size_t more = add_names(&text, &looks[i]);
        found += more;
        if (!more)
            buf_cut(&text, before);
    }
    return buf_take(&text);
}

void ecs_absent_dry_run(const struct ecs_name *name)
{
    struct look looks[3];
    size_t len = all_looks(name, looks);
    for (size_t i = 0; i < len; i++) {
        fputs("when it is not there:", stdout);
        for (size_t k = 0; looks[i].argv[k]; k++)
            printf(" %s", looks[i].argv[k]);
        putchar('\n');
    }
}
