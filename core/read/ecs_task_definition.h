/* ECS task definitions, wherever they come from. */
#ifndef DEBRIEF_READ_ECS_TASK_DEFINITION_H
#define DEBRIEF_READ_ECS_TASK_DEFINITION_H

#include "read/read.h"
#include <cjson/cJSON.h>

/* JSON in the shape of describe-task-definition's taskDefinition; it stands at POINTER. */
void ecs_task_definition(struct reading *reading, const cJSON *json, const char *pointer);

#endif
