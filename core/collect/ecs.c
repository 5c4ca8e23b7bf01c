/* Collect: one task or service of Amazon ECS, or one resource of App Mesh. Reads names and what aws
 * answers, writes sources. Deliberately knows no region and no credential unless an ARN says so:
 * those are the client's. */
#include "collect/ecs.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/command.h"
#include "collect/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS_MAX = 20 }; /* of those that run, and of those that stopped */

/* ---- names ---- */

/* What stands behind "arn:aws:ecs:REGION:ACCOUNT:"; TEXT itself when it is no ARN. */
static const char *behind_arn(const char *text, struct ecs_name *name)
{
    const char *at = text;
    if (!str_starts(text, "arn:"))
        return text;
    for (int colon = 0; colon < 3 && at; colon++) {
        at = strchr(at, ':');
        at = at ? at + 1 : NULL;
    }
    if (!at)
        return text;
    name->region = xstrndup(at, strcspn(at, ":"));
    for (int colon = 0; colon < 2 && at; colon++) {
        at = strchr(at, ':');
        at = at ? at + 1 : NULL;
    }
    return at ? at : text;
}

static bool is_word(const char *text)
{
    return *text && *text != '-' && strlen(text) <= 255 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "._-/")] == '\0';
}

static void split(struct ecs_name *name, const char *text)
{
    static const char *const kinds[] = {"task/", "service/", "cluster/"};
    const char *kind = NULL;
    for (size_t i = 0; name->region && i < ARRAY_LEN(kinds); i++)
        if (str_starts(text, kinds[i]))
            kind = kinds[i];
    text += kind ? strlen(kind) : 0;
    const char *slash = strchr(text, '/');
    name->cluster = xstrndup(text, strcspn(text, "/"));
    if (!slash)
        return;
    if (kind == kinds[1])
        name->service = xstrdup(slash + 1);
    else if (str_starts(slash + 1, "service/"))
        name->service = xstrdup(slash + 1 + strlen("service/"));
    else
        name->task = xstrdup(str_starts(slash + 1, "task/") ? slash + 1 + strlen("task/")
                                                            : slash + 1);
}

bool ecs_name_parse(struct ecs_name *name, const char *text, struct err *err)
{
    *name = (struct ecs_name){0};
    const char *rest = behind_arn(text, name);
    if (str_starts(rest, "mesh/"))
        name->resource = xstrdup(rest);
    else
        split(name, rest);
    const char *last = name->task ? name->task : name->service;
    bool fine = is_word(rest) && (!name->region || is_word(name->region)) &&
                (name->resource || (*name->cluster && (!last || (*last && !strchr(last, '/')))));
    if (fine)
        return true;
    ecs_name_release(name);
    return err_set(err,
                   "'%s' names nothing of ECS; expected CLUSTER/TASK, CLUSTER/service/NAME, "
                   "CLUSTER, mesh/MESH/virtualNode/NAME, or an ARN",
                   text);
}

void ecs_name_release(struct ecs_name *name)
{
    free(name->cluster);
    free(name->task);
    free(name->service);
    free(name->resource);
    free(name->region);
    *name = (struct ecs_name){0};
}

/* ---- collecting ---- */

void ecs_collect(struct collection *collection, const char *text)
{
    struct ecs_name name;
    struct ecs_plan plan;
    struct err err = ERR_INIT;
    if (!ecs_name_parse(&name, text, &err)) {
        collection_missing(collection, "aws/task.json", text, "%s", err.text);
        return;
    }
    ecs_plan_init(&plan, &name);
    follow_run(collection, &plan.plan, collection->deadline);
    ecs_name_release(&name);
}

/* ---- the tasks of a service ---- */

struct listing {
    const char *argv[14];
};

static struct listing list_tasks(const struct ecs_name *name, const char *status)
{
    return (struct listing){{"aws", "ecs", "list-tasks", "--cluster", name->cluster,
                             "--service-name", name->service, "--desired-status", status,
                             "--output", "json", name->region ? "--region" : NULL, name->region,
                             NULL}};
}

static void add_tasks(const struct ecs_name *name, const char *status, struct follow_words *tasks)
{
    cJSON *answer = live_ask(list_tasks(name, status).argv, NULL);
    const cJSON *arn;
    size_t added = 0;
    cJSON_ArrayForEach (arn, json_at(answer, "taskArns")) {
        if (!cJSON_IsString(arn))
            continue;
        if (added++ < TASKS_MAX)
            follow_words_add(tasks, xstrdup(arn->valuestring));
        else
            tasks->left_out++;
    }
    cJSON_Delete(answer);
}

/* An ARN is what there is, and keeps the region; without one the short form reads better. */
static void shorten(struct follow_words *tasks, const struct ecs_name *name)
{
    for (size_t i = 0; !name->region && i < tasks->len; i++) {
        const char *slash = strrchr(tasks->items[i], '/');
        char *shorter = slash ? xasprintf("%s%s", name->cluster, slash) : NULL;
        if (shorter) {
            free(tasks->items[i]);
            tasks->items[i] = shorter;
        }
    }
}

void ecs_tasks(const char *text, struct follow_words *tasks)
{
    struct ecs_name name;
    if (!ecs_name_parse(&name, text, NULL))
        return;
    if (name.service) {
        add_tasks(&name, "RUNNING", tasks);
        add_tasks(&name, "STOPPED", tasks);
        shorten(tasks, &name);
    }
    ecs_name_release(&name);
}

/* ---- the dry run ---- */

static void dry_run_list(const struct ecs_name *name, const char *status)
{
    struct listing listing = list_tasks(name, status);
    char *text = command_text(listing.argv);
    puts(text);
    free(text);
}

void ecs_dry_run(const char *text)
{
    struct ecs_name name;
    struct ecs_plan plan;
    struct err err = ERR_INIT;
    if (!ecs_name_parse(&name, text, &err)) {
        printf("%s\n", err.text);
        return;
    }
    if (name.service) {
        ecs_absent_dry_run(&name);
        dry_run_list(&name, "RUNNING");
        dry_run_list(&name, "STOPPED");
        puts("then, for each of those tasks:");
        free(name.service);
        name.service = NULL;
        name.task = xstrdup("<task>");
    }
    ecs_plan_init(&plan, &name);
    follow_dry_run(&plan.plan);
    ecs_absent_dry_run(&name);
    ecs_name_release(&name);
}
