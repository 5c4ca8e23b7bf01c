/* Collecting from Amazon ECS, by the user's own aws. */
#ifndef DEBRIEF_COLLECT_ECS_H
#define DEBRIEF_COLLECT_ECS_H

#include "collect/collection.h"
#include "collect/follow.h"

struct ecs_name {
    char *cluster;        /* NULL: the thing is of App Mesh */
    char *task, *service; /* at most one */
    char *resource;       /* of App Mesh: mesh/NAME/virtualNode/NAME */
    char *region;         /* from an ARN; NULL: that of the aws client */
};

/* TEXT is CLUSTER/TASK, CLUSTER/service/NAME, CLUSTER, mesh/MESH/virtualNode/NAME, or the ARN of one
 * of these. */
bool ecs_name_parse(struct ecs_name *name, const char *text, struct err *err);
void ecs_name_release(struct ecs_name *name);

void ecs_collect(struct collection *collection, const char *text);
void ecs_dry_run(const char *text);

/* The tasks behind TEXT, as CLUSTER/TASK: nothing when it names a task, or has none. */
void ecs_tasks(const char *text, struct follow_words *tasks);

/* Whether ANSWER says that there is no such task or service, and what to say then about ABOUT, a
 * struct ecs_name; ecs_absent.c. */
bool ecs_is_absent(const cJSON *answer);
char *ecs_absent(const void *about);
void ecs_absent_dry_run(const struct ecs_name *name);

/* The plan of calls about NAME; ecs_rules.c. */
struct ecs_plan {
    struct follow_plan plan;
    struct follow_variable variables[6];
    struct follow_option options[2];
    char since[24];
};
void ecs_plan_init(struct ecs_plan *plan, const struct ecs_name *name);

#endif
