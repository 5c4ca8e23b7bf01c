/* Collect: what is asked of AWS about one task, service or mesh resource, as one table: which member
 * of which answer names the next thing to look at. Reads a name, writes a plan. Deliberately asks
 * for no secret, parameter or token, and of registries only the task's own account's. */
#include "collect/ecs.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_HOURS = 24 };

#define RULE(from, each, when, call)                                                               \
    {                                                                                              \
        from, each, when, call, false                                                              \
    }
#define JOINED(from, each, when, call)                                                             \
    {                                                                                              \
        from, each, when, call, true                                                               \
    }
#define START(call)                                                                                \
    {                                                                                              \
        NULL, "", NULL, call, false                                                                \
    }

#define TASK       "ecs describe-tasks"
#define DEFINITION "ecs describe-task-definition"
#define SERVICE    "ecs describe-services"
#define INTERFACE  "ec2 describe-network-interfaces"
#define NODE       "appmesh describe-virtual-node"
#define GROUPS     "elbv2 describe-target-groups"
#define CONTAINERS "taskDefinition.containerDefinitions[]"
#define AWSVPC     "services[].networkConfiguration.awsvpcConfiguration"

static const struct follow_rule rules[] = {
    START("ecs describe-tasks --cluster {$cluster} --tasks {$task}"),
    START("ecs describe-services --cluster {$cluster} --services {$service}"),
    START("ecs list-services --cluster {$whole}"),
    START("ecs list-tasks --cluster {$whole} --desired-status STOPPED"),
    START("appmesh describe-mesh --mesh-name {$resource|mesh}"),
    START("appmesh describe-virtual-node --mesh-name {$resource|mesh} "
          "--virtual-node-name {$resource|virtualNode}"),
    START("appmesh describe-virtual-gateway --mesh-name {$resource|mesh} "
          "--virtual-gateway-name {$resource|virtualGateway}"),

    /* cluster -> services, stopped tasks */
    RULE("ecs list-services", "serviceArns[]", NULL,
         "ecs describe-services --cluster {^--cluster} --services {|name}"),
    RULE("ecs list-tasks", "taskArns[]", NULL,
         "ecs describe-tasks --cluster {^--cluster} --tasks {|name}"),

    /* task -> definition, service, instance, network interface */
    RULE(TASK, "tasks[]", NULL,
         "ecs describe-task-definition --task-definition {taskDefinitionArn}"),
    RULE(TASK, "tasks[]", "group=service:*",
         "ecs describe-services --cluster {^--cluster} --services {group|last}"),
    RULE(TASK, "tasks[]", NULL,
         "ecs describe-container-instances --cluster {^--cluster} --container-instances "
         "{containerInstanceArn|name}"),
    RULE(TASK, "tasks[].attachments[].details[]", "name=networkInterfaceId",
         "ec2 describe-network-interfaces --network-interface-ids {value}"),
    RULE(TASK, "tasks[].attachments[].details[]", "name=subnetId",
         "ec2 describe-subnets --subnet-ids {value}"),
    RULE("ecs describe-container-instances", "containerInstances[]", NULL,
         "ec2 describe-instances --instance-ids {ec2InstanceId}"),
    RULE("ec2 describe-instances", "Reservations[].Instances[].IamInstanceProfile", NULL,
         "iam get-instance-profile --instance-profile-name {Arn|name}"),
    RULE("ec2 describe-instances", "Reservations[].Instances[].NetworkInterfaces[]", NULL,
         "ec2 describe-network-interfaces --network-interface-ids {NetworkInterfaceId}"),

    /* definition -> roles -> policies */
    RULE(DEFINITION, "taskDefinition", NULL, "iam get-role --role-name {executionRoleArn|name}"),
    RULE(DEFINITION, "taskDefinition", NULL, "iam get-role --role-name {taskRoleArn|name}"),
    RULE("iam get-instance-profile", "InstanceProfile.Roles[]", NULL,
         "iam get-role --role-name {RoleName}"),
    RULE("iam get-role", "Role", NULL, "iam list-role-policies --role-name {RoleName}"),
    RULE("iam get-role", "Role", NULL, "iam list-attached-role-policies --role-name {RoleName}"),
    RULE("iam get-role", "Role.PermissionsBoundary", NULL,
         "iam get-policy --policy-arn {PermissionsBoundaryArn}"),
    RULE("iam list-role-policies", "PolicyNames[]", NULL,
         "iam get-role-policy --role-name {^--role-name} --policy-name {}"),
    RULE("iam list-attached-role-policies", "AttachedPolicies[]", NULL,
         "iam get-policy --policy-arn {PolicyArn}"),
    RULE("iam get-policy", "Policy", NULL,
         "iam get-policy-version --policy-arn {Arn} --version-id {DefaultVersionId}"),

    /* definition -> images, logs */
    RULE(DEFINITION, CONTAINERS, "image=*.dkr.ecr*",
         "ecr describe-repositories --registry-id {image|image-account} --repository-names "
         "{image|image-repository} --region {image|image-region}"),
    RULE(DEFINITION, CONTAINERS, "image=*.dkr.ecr*",
         "ecr get-repository-policy --registry-id {image|image-account} --repository-name "
         "{image|image-repository} --region {image|image-region}"),
    RULE(DEFINITION, CONTAINERS, "image=*.dkr.ecr*",
         "ecr describe-images --registry-id {image|image-account} --repository-name "
         "{image|image-repository} --image-ids {image|image-id} --region {image|image-region}"),
    RULE(DEFINITION, CONTAINERS, "logConfiguration.logDriver=awslogs",
         "logs filter-log-events --log-group-name {logConfiguration.options.awslogs-group} "
         "--log-stream-names {logConfiguration.options.awslogs-stream-prefix}/{name}/{$task} "
         "--start-time {$since} --max-items 50000 "
         "--region {logConfiguration.options.awslogs-region}"),

    /* definition -> the resource of App Mesh that the proxy asks for */
    RULE(DEFINITION, CONTAINERS ".environment[]", "name=APPMESH_*",
         "appmesh describe-mesh --mesh-name {value|mesh}"),
    RULE(DEFINITION, CONTAINERS ".environment[]", "name=APPMESH_*",
         "appmesh describe-virtual-node --mesh-name {value|mesh} --virtual-node-name "
         "{value|virtualNode}"),
    RULE(DEFINITION, CONTAINERS ".environment[]", "name=APPMESH_*",
         "appmesh describe-virtual-gateway --mesh-name {value|mesh} --virtual-gateway-name "
         "{value|virtualGateway}"),
    RULE(NODE, "virtualNode.spec.backends[].virtualService", NULL,
         "appmesh describe-virtual-service --mesh-name {^--mesh-name} --virtual-service-name "
         "{virtualServiceName}"),
    RULE("appmesh describe-virtual-service", "virtualService.spec.provider.virtualRouter", NULL,
         "appmesh describe-virtual-router --mesh-name {^--mesh-name} --virtual-router-name "
         "{virtualRouterName}"),
    RULE("appmesh describe-virtual-service", "virtualService.spec.provider.virtualRouter", NULL,
         "appmesh list-routes --mesh-name {^--mesh-name} --virtual-router-name "
         "{virtualRouterName}"),
    RULE("appmesh list-routes", "routes[]", NULL,
         "appmesh describe-route --mesh-name {meshName} --virtual-router-name {virtualRouterName} "
         "--route-name {routeName}"),

    RULE("appmesh describe-route", "route.spec.httpRoute.action.weightedTargets[]", NULL,
         "appmesh describe-virtual-node --mesh-name {^--mesh-name} --virtual-node-name "
         "{virtualNode}"),
    RULE("appmesh describe-virtual-service", "virtualService.spec.provider.virtualNode", NULL,
         "appmesh describe-virtual-node --mesh-name {^--mesh-name} --virtual-node-name "
         "{virtualNodeName}"),
    RULE("appmesh describe-virtual-gateway", "virtualGateway", NULL,
         "appmesh list-gateway-routes --mesh-name {meshName} --virtual-gateway-name "
         "{virtualGatewayName}"),
    RULE("appmesh list-gateway-routes", "gatewayRoutes[]", NULL,
         "appmesh describe-gateway-route --mesh-name {meshName} --virtual-gateway-name "
         "{virtualGatewayName} --gateway-route-name {gatewayRouteName}"),
    RULE("appmesh describe-gateway-route", "gatewayRoute.spec.httpRoute.action.target", NULL,
         "appmesh describe-virtual-service --mesh-name {^--mesh-name} --virtual-service-name "
         "{virtualService.virtualServiceName}"),
    RULE("appmesh describe-gateway-route", "gatewayRoute.spec.http2Route.action.target", NULL,
         "appmesh describe-virtual-service --mesh-name {^--mesh-name} --virtual-service-name "
         "{virtualService.virtualServiceName}"),
    RULE("appmesh describe-gateway-route", "gatewayRoute.spec.grpcRoute.action.target", NULL,
         "appmesh describe-virtual-service --mesh-name {^--mesh-name} --virtual-service-name "
         "{virtualService.virtualServiceName}"),

    /* Cloud Map, where the service registers itself */
    RULE(SERVICE, "services[].serviceRegistries[]", NULL,
         "servicediscovery get-service --id {registryArn|name}"),
    RULE(SERVICE, "services[].serviceRegistries[]", NULL,
         "servicediscovery list-instances --service-id {registryArn|name}"),
    RULE("servicediscovery get-service", "Service", NULL,
         "servicediscovery get-namespace --id {NamespaceId}"),

    /* network interface -> security groups, subnet, routes */
    JOINED(INTERFACE, "NetworkInterfaces[].Groups[]", NULL,
           "ec2 describe-security-groups --group-ids {GroupId}"),
    RULE(INTERFACE, "NetworkInterfaces[]", NULL, "ec2 describe-subnets --subnet-ids {SubnetId}"),
    RULE("ec2 describe-subnets", "Subnets[]", NULL,
         "ec2 describe-route-tables --filters Name=vpc-id,Values={VpcId}"),
    RULE("ec2 describe-subnets", "Subnets[]", NULL,
         "ec2 describe-network-acls --filters Name=association.subnet-id,Values={SubnetId}"),
    RULE("ec2 describe-subnets", "Subnets[]", NULL,
         "ec2 describe-vpc-endpoints --filters Name=vpc-id,Values={VpcId}"),
    JOINED("ec2 describe-vpc-endpoints", "VpcEndpoints[].Groups[]", NULL,
           "ec2 describe-security-groups --group-ids {GroupId}"),
    RULE("ec2 describe-security-groups", "SecurityGroups[].IpPermissionsEgress[].PrefixListIds[]",
         NULL, "ec2 get-managed-prefix-list-entries --prefix-list-id {PrefixListId}"),

    /* service -> its network, target groups -> health, load balancer, listeners */
    JOINED(SERVICE, AWSVPC ".securityGroups[]", NULL,
           "ec2 describe-security-groups --group-ids {}"),
    RULE(SERVICE, AWSVPC ".subnets[]", NULL, "ec2 describe-subnets --subnet-ids {}"),
    RULE(SERVICE, "services[]", NULL,
         "ecs describe-task-definition --task-definition {taskDefinition}"),
    RULE(SERVICE, "services[].loadBalancers[]", NULL,
         "elbv2 describe-target-groups --target-group-arns {targetGroupArn}"),
    RULE(SERVICE, "services[].loadBalancers[]", NULL,
         "elbv2 describe-target-health --target-group-arn {targetGroupArn}"),
    RULE(SERVICE, "services[].loadBalancers[]", NULL,
         "elbv2 describe-target-group-attributes --target-group-arn {targetGroupArn}"),
    RULE(GROUPS, "TargetGroups[].LoadBalancerArns[]", NULL,
         "elbv2 describe-load-balancers --load-balancer-arns {}"),
    RULE(GROUPS, "TargetGroups[].LoadBalancerArns[]", NULL,
         "elbv2 describe-listeners --load-balancer-arn {}"),
    RULE("elbv2 describe-listeners", "Listeners[]", NULL,
         "elbv2 describe-rules --listener-arn {ListenerArn}"),
    JOINED("elbv2 describe-load-balancers", "LoadBalancers[].SecurityGroups[]", NULL,
           "ec2 describe-security-groups --group-ids {}"),
};

/* Logs come as JSON too. */
static bool is_text(const char *const *argv)
{
    (void)argv;
    return false;
}

static const char *option_of(const char *const *argv, const char *option)
{
    for (size_t i = 0; argv[i]; i++)
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    return NULL;
}

/* "aws/iam-get-role-web.json": the operation, and the last name that it was asked about. */
static char *name_of(const char *const *argv)
{
    const char *what = NULL;
    for (size_t i = 3; argv[i] && argv[i + 1]; i += 2)
        if (strcmp(argv[i], "--output") != 0 && strcmp(argv[i], "--region") != 0 &&
            strcmp(argv[i], "--version-id") != 0 && strcmp(argv[i], "--start-time") != 0 &&
            strcmp(argv[i], "--max-items") != 0 && strcmp(argv[i], "--image-ids") != 0)
            what = argv[i + 1];
    const char *last = what ? strrchr(what, '/') : NULL;
    last = last ? last + 1 : what;
    if (strcmp(argv[1], "logs") == 0) {
        const char *stream = option_of(argv, "--log-stream-names");
        return xasprintf("log/%s.json", stream ? stream : "events");
    }
    return xasprintf("aws/%s-%s%s%s.json", argv[1], argv[2], last ? "-" : "", last ? last : "");
}

/* Of another account's registry nothing can be had but a refusal. */
static bool is_worth(const char *const *call, const char *const *parent)
{
    const char *registry = option_of(call, "--registry-id");
    const char *definition = option_of(parent, "--task-definition");
    if (!registry || !definition || !str_starts(definition, "arn:"))
        return true;
    char *account = xasprintf(":%s:", registry);
    bool own = strstr(definition, account) != NULL;
    free(account);
    return own;
}

void ecs_plan_init(struct ecs_plan *plan, const struct ecs_name *name)
{
    int64_t since = clock_now() / (CLOCK_SECOND / 1000) - (int64_t)LOG_HOURS * 3600 * 1000;
    *plan = (struct ecs_plan){
        .variables = {{"cluster", name->cluster},
                      {"task", name->task},
                      {"service", name->service},
                      {"resource", name->resource},
                      {"whole", name->task || name->service ? NULL : name->cluster},
                      {"since", plan->since}},
        .options = {{"--output", "json", false}, {"--region", name->region, false}},
    };
    snprintf(plan->since, sizeof plan->since, "%lld", (long long)since);
    plan->plan = (struct follow_plan){
        .program = "aws",
        .rules = rules,
        .rules_len = ARRAY_LEN(rules),
        .variables = plan->variables,
        .variables_len = ARRAY_LEN(plan->variables),
        .options = plan->options,
        .options_len = ARRAY_LEN(plan->options),
        .is_text = is_text,
        .name = name_of,
        .is_worth = is_worth,
        .is_absent = ecs_is_absent,
        .absent = ecs_absent,
        .about = name,
    };
}
