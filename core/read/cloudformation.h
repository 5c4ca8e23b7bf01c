/* CloudFormation templates: what the template itself decides becomes plain values, the rest stays open. */
#ifndef DEBRIEF_READ_CLOUDFORMATION_H
#define DEBRIEF_READ_CLOUDFORMATION_H

#include "base/buf.h"
#include "read/containers.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

#define CLOUDFORMATION_NAME_MAX CONTAINERS_POINTER_MAX

struct cloudformation { /* one template being read */
    struct reading *reading;
    const cJSON *parameters, *mappings, *conditions, *resources;
    char pointer[16];   /* of the document in its source */
    struct buf open;    /* what the template leaves open, once each, by commas */
    struct buf strange; /* references to nothing and functions that are not known */
    size_t made;        /* bytes of values so far: references may repeat large ones */
};

/* NODE with its functions worked out, as a tree of its own. What the template does not decide is a
 * cJSON_Raw that holds how it is written there: no scalar to whoever reads it, and never compared. NULL
 * where the template says that there is no value (AWS::NoValue). */
cJSON *cloudformation_value(struct cloudformation *template, const cJSON *node);

/* Whether the template decides that CONDITION does not hold. */
bool cloudformation_is_off(struct cloudformation *template, const char *condition);

/* The name that objects of the template have among each other: the one they are given, if that is
 * decided, else their logical id. */
void cloudformation_name(struct cloudformation *template, const cJSON *resource,
                         char out[CLOUDFORMATION_NAME_MAX]);
void cloudformation_role_arn(const char *name, char out[CLOUDFORMATION_NAME_MAX]);

/* Gives the names of PROPERTIES, whole tree, the case that the service's API has. In place. */
void cloudformation_camel(cJSON *properties);

/* In documents that are texts of their own (policies) what is open stays readable. In place. */
void cloudformation_text(cJSON *tree);

/* Network and IAM objects in the shape of describe-security-groups and
 * get-account-authorization-details. NULL when there is no such resource. */
cJSON *cloudformation_security_group(struct cloudformation *template, const cJSON *resource,
                                     const cJSON *properties);
cJSON *cloudformation_role(struct cloudformation *template, const cJSON *resource,
                           const cJSON *properties);

#endif
