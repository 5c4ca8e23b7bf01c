/* Stage: read. CloudFormation templates, YAML or JSON: each resource that says something of a proxy and
 * its surroundings becomes the evidence that the service's own answer would be. Functions are worked out
 * in cloudformation_value.c, shapes made in cloudformation_shape.c. Deliberately judges no resource that
 * a condition of the template switches off. */
#include "read/cloudformation.h"
#include "base/json.h"
#include "base/str.h"
#include "read/containers.h"
#include "read/ecs_task_definition.h"
#include "read/objects.h"
#include "read/readers.h"
#include "read/target_groups.h"
#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 300 }; /* bytes of names in one problem */

/* Resources that only need their members' names changed (or not even that). */
static const struct plain_type {
    const char *type, *evidence, *kind, *id;
    bool camel;
} plain_types[] = {
    {"AWS::AppMesh::GatewayRoute", "aws.appmesh", "gatewayRoute", "gatewayRouteName", true},
    {"AWS::AppMesh::Mesh", "aws.appmesh", "mesh", "meshName", true},
    {"AWS::AppMesh::Route", "aws.appmesh", "route", "routeName", true},
    {"AWS::AppMesh::VirtualGateway", "aws.appmesh", "virtualGateway", "virtualGatewayName", true},
    {"AWS::AppMesh::VirtualNode", "aws.appmesh", "virtualNode", "virtualNodeName", true},
    {"AWS::AppMesh::VirtualRouter", "aws.appmesh", "virtualRouter", "virtualRouterName", true},
    {"AWS::AppMesh::VirtualService", "aws.appmesh", "virtualService", "virtualServiceName", true},
    {"AWS::ECS::Service", "aws.services", NULL, "serviceName", true},
    {"AWS::ElasticLoadBalancingV2::Listener", "aws.listeners", NULL, "ListenerArn", false},
    {"AWS::ElasticLoadBalancingV2::ListenerRule", "aws.listener_rules", NULL, "RuleArn", false},
    {"AWS::ElasticLoadBalancingV2::LoadBalancer", "aws.load_balancers", NULL, "LoadBalancerArn",
     false},
};

static void add_name(cJSON *properties, const char *member, const char *name)
{
    if (!json_str(properties, member)) {
        cJSON_DeleteItemFromObjectCaseSensitive(properties, member);
        cJSON_AddStringToObject(properties, member, name);
    }
}

static void read_plain(struct cloudformation *template, const struct plain_type *type,
                       const cJSON *resource, cJSON *properties, const char *pointer)
{
    if (type->camel)
        cloudformation_camel(properties);
    add_name(properties, type->id, resource->string);
    objects_keep(template->reading, type->evidence, json_str(properties, type->id), type->kind,
                 properties, pointer);
}

static void read_definition(struct cloudformation *template, const cJSON *resource,
                            cJSON *properties, const char *pointer)
{
    struct reading *reading = template->reading;
    cloudformation_camel(properties);
    add_name(properties, "family", resource->string);
    reading->capitals_from = strlen(pointer);
    ecs_task_definition(reading, properties, pointer);
    reading->capitals_from = 0;
}

/* What is not said has the service's default. */
static void read_target_group(struct cloudformation *template, const cJSON *resource,
                              cJSON *properties, const char *pointer)
{
    const cJSON *protocol = cJSON_GetObjectItemCaseSensitive(properties, "Protocol");
    const char *text = json_str(protocol, "");
    bool http = text && str_starts(text, "HTTP");
    char name[CLOUDFORMATION_NAME_MAX];
    cloudformation_name(template, resource, name);
    add_name(properties, "TargetGroupArn", name);
    add_name(properties, "TargetGroupName", name);
    if (!json_at(properties, "HealthCheckPort"))
        cJSON_AddStringToObject(properties, "HealthCheckPort", "traffic-port");
    if (!json_at(properties, "HealthCheckProtocol") && text)
        cJSON_AddStringToObject(properties, "HealthCheckProtocol", http ? "HTTP" : "TCP");
    const char *asked = json_str(properties, "HealthCheckProtocol");
    bool grpc = json_at(properties, "ProtocolVersion") &&
                !str_equal(json_str(properties, "ProtocolVersion"), "HTTP1");
    if (!json_at(properties, "HealthCheckPath") && asked && str_starts(asked, "HTTP") && !grpc)
        cJSON_AddStringToObject(properties, "HealthCheckPath", "/");
    target_groups_add(template->reading, properties, pointer);
    evidence_supplied(template->reading->evidence, "aws.target_groups",
                      template->reading->complete);
}

static void read_managed_policy(struct cloudformation *template, const cJSON *resource,
                                cJSON *properties, const char *pointer)
{
    cJSON *document = cJSON_DetachItemFromObjectCaseSensitive(properties, "PolicyDocument");
    cJSON *policy = cJSON_CreateObject(), *version = cJSON_CreateObject();
    cloudformation_text(document);
    cJSON_AddStringToObject(policy, "Arn", resource->string);
    cJSON_AddStringToObject(policy, "PolicyName", resource->string);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(policy, "PolicyVersionList"), version);
    cJSON_AddTrueToObject(version, "IsDefaultVersion");
    if (document)
        cJSON_AddItemToObject(version, "Document", document);
    objects_keep(template->reading, "aws.policies", resource->string, "managed", policy, pointer);
    cJSON_Delete(policy);
}

static void read_shaped(struct cloudformation *template, const char *name, const char *id,
                        cJSON *shaped, const char *pointer)
{
    objects_keep(template->reading, name, json_str(shaped, id), NULL, shaped, pointer);
    cJSON_Delete(shaped);
}

static void read_properties(struct cloudformation *template, const char *type,
                            const cJSON *resource, cJSON *properties, const char *pointer)
{
    if (strcmp(type, "AWS::ECS::TaskDefinition") == 0)
        read_definition(template, resource, properties, pointer);
    else if (strcmp(type, "AWS::ElasticLoadBalancingV2::TargetGroup") == 0)
        read_target_group(template, resource, properties, pointer);
    else if (strcmp(type, "AWS::EC2::SecurityGroup") == 0)
        read_shaped(template, "aws.security_groups", "GroupId",
                    cloudformation_security_group(template, resource, properties), pointer);
    else if (strcmp(type, "AWS::IAM::Role") == 0)
        read_shaped(template, "aws.roles", "RoleName",
                    cloudformation_role(template, resource, properties), pointer);
    else if (strcmp(type, "AWS::IAM::ManagedPolicy") == 0)
        read_managed_policy(template, resource, properties, pointer);
    for (size_t i = 0; i < sizeof plain_types / sizeof *plain_types; i++)
        if (strcmp(type, plain_types[i].type) == 0)
            read_plain(template, &plain_types[i], resource, properties, pointer);
}

static void read_resource(struct cloudformation *template, const cJSON *resource)
{
    const char *type = json_str(resource, "Type");
    if (!type || cloudformation_is_off(template, json_str(resource, "Condition")))
        return;
    char pointer[CONTAINERS_POINTER_MAX];
    containers_place(pointer, "%s/Resources/%s/Properties", template->pointer, resource->string);
    cJSON *properties = cloudformation_value(
        template, cJSON_GetObjectItemCaseSensitive(resource, "Properties"));
    if (cJSON_IsObject(properties))
        read_properties(template, type, resource, properties, pointer);
    cJSON_Delete(properties);
}

static bool is_interesting(const char *type)
{
    static const char *const services[] = {"AWS::AppMesh::*", "AWS::ECS::*",
                                           "AWS::EC2::SecurityGroup*", "AWS::IAM::*",
                                           "AWS::ElasticLoadBalancingV2::*"};
    for (size_t i = 0; type && i < sizeof services / sizeof *services; i++)
        if (str_glob(services[i], type))
            return true;
    return false;
}

static void say(struct cloudformation *template, const char *what, struct buf *list)
{
    if (list->len)
        reading_problem(template->reading, "%s:%.*s%s", what, (int)list->len - 1, buf_str(list),
                        list->overflow ? " ..." : "");
    buf_release(list);
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    (void)line;
    struct cloudformation template = {.reading = reading,
                                      .parameters = json_at(document, "Parameters"),
                                      .mappings = json_at(document, "Mappings"),
                                      .conditions = json_at(document, "Conditions"),
                                      .resources = json_at(document, "Resources")};
    const cJSON *resource;
    snprintf(template.pointer, sizeof template.pointer, "%s", prefix);
    buf_init(&template.open, LIST_MAX);
    buf_init(&template.strange, LIST_MAX);
    if (!cJSON_IsObject(template.resources))
        reading_partial(reading, "has no Resources: half a template, or none");
    cJSON_ArrayForEach (resource, template.resources) {
        if (is_interesting(json_str(resource, "Type")))
            read_resource(&template, resource);
    }
    say(&template, "the template leaves open, and nothing is judged by it", &template.open);
    say(&template, "refers to what the template does not have", &template.strange);
}

static void read_template(struct reading *reading)
{
    static const char *const names[] = {"capture", "containers", "env", "probes"};
    reading->lenient = true;
    reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        evidence_supplied(reading->evidence, names[i], reading->complete);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_YAML)
        return 0;
    if (peek_has_key(peek, "AWSTemplateFormatVersion"))
        return 95;
    return peek_has_key(peek, "Resources") && peek_has(peek, "AWS::") ? 90 : 0;
}

static const char *const supplies[] = {"proxy",  "capture", "containers", "env",
                                       "probes", "aws.*",   NULL};

const struct reader read_cloudformation = {
    .kind = "cloudformation", .supplies = supplies, .recognise = recognise, .read = read_template};
