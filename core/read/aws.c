/* Stage: read. What `aws ... --output json` prints about anything that has no reader of its own: the
 * member at the top says what it is. Keeps each object whole (aws.*), one record each. Deliberately
 * draws no conclusion and follows no reference between objects. */
#include "base/json.h"
#include "base/str.h"
#include "read/containers.h"
#include "read/objects.h"
#include "read/readers.h"
#include <string.h>

/* MEMBER of the answer holds objects (or one object) that have the field MARK, which tells answers of
 * different services with the same member apart. */
static const struct answer {
    const char *member, *mark, *name, *id, *kind;
} answers[] = {
    {"AttachedPolicies", "PolicyArn", "aws.attached_policies", "PolicyArn", NULL},
    {"Attributes", "Key", "aws.target_group_attributes", "Key", NULL},
    {"Certificate", "CertificateArn", "aws.certificates", "CertificateArn", NULL},
    {"Entries", "Cidr", "aws.prefix_lists", "Cidr", "entry"},
    {"Instances", "Attributes", "aws.cloudmap", "Id", "instance"},
    {"Listeners", "ListenerArn", "aws.listeners", "ListenerArn", NULL},
    {"LoadBalancers", "LoadBalancerArn", "aws.load_balancers", "LoadBalancerArn", NULL},
    {"NetworkAcls", "NetworkAclId", "aws.network_acls", "NetworkAclId", NULL},
    {"NetworkInterfaces", "NetworkInterfaceId", "aws.network_interfaces", "NetworkInterfaceId",
     NULL},
    {"Policies", "PolicyVersionList", "aws.policies", "Arn", "managed"},
    {"PolicyVersion", "Document", "aws.policies", "VersionId", "managed"},
    {"PrefixLists", "PrefixListId", "aws.prefix_lists", "PrefixListId", "list"},
    {"Role", "RoleName", "aws.roles", "RoleName", NULL},
    {"RoleDetailList", "RoleName", "aws.roles", "RoleName", NULL},
    {"Roles", "RoleName", "aws.roles", "RoleName", NULL},
    {"RouteTables", "RouteTableId", "aws.route_tables", "RouteTableId", NULL},
    {"Rules", "RuleArn", "aws.listener_rules", "RuleArn", NULL},
    {"SecurityGroupRules", "SecurityGroupRuleId", "aws.security_group_rules", "SecurityGroupRuleId",
     NULL},
    {"SecurityGroups", "GroupId", "aws.security_groups", "GroupId", NULL},
    {"Service", "NamespaceId", "aws.cloudmap", "Name", "service"},
    {"Subnets", "SubnetId", "aws.subnets", "SubnetId", NULL},
    {"VpcEndpoints", "VpcEndpointId", "aws.vpc_endpoints", "VpcEndpointId", NULL},
    {"containerInstances", "containerInstanceArn", "aws.container_instances",
     "containerInstanceArn", NULL},
    {"gatewayRoute", "gatewayRouteName", "aws.appmesh", "gatewayRouteName", "gatewayRoute"},
    {"imageDetails", "imageDigest", "aws.images", "imageDigest", NULL},
    {"mesh", "meshName", "aws.appmesh", "meshName", "mesh"},
    {"meshes", "meshName", "aws.appmesh", "meshName", "mesh"},
    {"pullThroughCacheRules", "ecrRepositoryPrefix", "aws.pull_through_cache_rules",
     "ecrRepositoryPrefix", NULL},
    {"repositories", "repositoryArn", "aws.repositories", "repositoryName", NULL},
    {"route", "routeName", "aws.appmesh", "routeName", "route"},
    {"virtualGateway", "virtualGatewayName", "aws.appmesh", "virtualGatewayName", "virtualGateway"},
    {"virtualGateways", "virtualGatewayName", "aws.appmesh", "virtualGatewayName",
     "virtualGateway"},
    {"virtualNode", "virtualNodeName", "aws.appmesh", "virtualNodeName", "virtualNode"},
    {"virtualNodes", "virtualNodeName", "aws.appmesh", "virtualNodeName", "virtualNode"},
    {"virtualRouter", "virtualRouterName", "aws.appmesh", "virtualRouterName", "virtualRouter"},
    {"virtualService", "virtualServiceName", "aws.appmesh", "virtualServiceName", "virtualService"},
};

/* Answers that are one object themselves, known by a field. */
static const struct answer whole_answers[] = {
    {"PolicyDocument", "PolicyName", "aws.policies", "PolicyName", "inline"},
    {"PolicyNames", "PolicyNames", "aws.policy_names", NULL, NULL},
    {"Statement", "Version", "aws.policies", NULL, "document"},
    {"policyText", "repositoryName", "aws.repository_policies", "repositoryName", NULL},
};

/* Answers that only name what to ask for next: known, and nothing is kept of them. */
static const struct answer leads[] = {
    {"InstanceProfile", "InstanceProfileName", NULL, NULL, NULL},
    {"Namespace", "Name", NULL, NULL, NULL},
    {"Policy", "DefaultVersionId", NULL, NULL, NULL},
    {"gatewayRoutes", "gatewayRouteName", NULL, NULL, NULL},
    {"routes", "routeName", NULL, NULL, NULL},
    {"serviceArns", "serviceArns", NULL, NULL, NULL},
    {"taskArns", "taskArns", NULL, NULL, NULL},
};

static void keep(struct reading *reading, const struct answer *answer, const cJSON *json,
                 const char *pointer)
{
    objects_keep(reading, answer->name, answer->id ? json_str(json, answer->id) : NULL,
                 answer->kind, json, pointer);
}

static void keep_member(struct reading *reading, const struct answer *answer, const cJSON *member,
                        const char *pointer)
{
    int index = 0;
    const cJSON *element;
    if (cJSON_IsObject(member) && json_at(member, answer->mark))
        return keep(reading, answer, member, pointer);
    if (!cJSON_IsArray(member) || (member->child && !json_at(member->child, answer->mark)))
        return;
    evidence_supplied(reading->evidence, answer->name, reading->complete);
    cJSON_ArrayForEach (element, member) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/%d", pointer, index++);
        keep(reading, answer, element, place);
    }
}

/* describe-instances wraps its instances once more. */
static void keep_reservations(struct reading *reading, const cJSON *document, const char *prefix)
{
    static const struct answer instances = {"Instances", "InstanceId", "aws.instances",
                                            "InstanceId", NULL};
    int index = 0;
    const cJSON *reservation;
    cJSON_ArrayForEach (reservation, json_at(document, "Reservations")) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/Reservations/%d/Instances", prefix, index++);
        keep_member(reading, &instances, json_at(reservation, "Instances"), place);
    }
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    (void)line;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s/%s", prefix, answers[i].member);
        keep_member(reading, &answers[i], json_at(document, answers[i].member), place);
    }
    for (size_t i = 0; i < sizeof whole_answers / sizeof *whole_answers; i++)
        if (json_at(document, whole_answers[i].member) && json_at(document, whole_answers[i].mark))
            keep(reading, &whole_answers[i], document, prefix);
    keep_reservations(reading, document, prefix);
}

static void read_aws_source(struct reading *reading)
{
    reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
}

static bool has_marked(const struct peek *peek, const struct answer *answer)
{
    if (!peek_has_key(peek, answer->member))
        return false;
    return peek_has(peek, answer->mark) || (peek->whole && peek->len < 400);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_YAML)
        return 0;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (has_marked(peek, &answers[i]))
            return 82;
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        if (has_marked(peek, &leads[i]))
            return 82;
    for (size_t i = 0; i < sizeof whole_answers / sizeof *whole_answers; i++)
        if (peek_has_key(peek, whole_answers[i].member) &&
            peek_has_key(peek, whole_answers[i].mark))
            return 82;
    return peek_has_key(peek, "Reservations") ? 82 : 0;
}

static const char *const supplies[] = {"aws.*", NULL};

const struct reader read_aws = {
    .kind = "aws", .supplies = supplies, .recognise = recognise, .read = read_aws_source};
