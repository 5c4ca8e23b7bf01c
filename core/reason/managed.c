/* Stage: check. The table of AWS's own policies that roles of tasks and nodes carry. Reads nothing.
 * Deliberately small: a policy that is not here is not known, which is an answer too. */
#include "reason/managed.h"

#include "base/str.h"

#include <stddef.h>

/* What pulls images has these four rights and no other. */
#define PULL                                                                                       \
    "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer",  \
        "ecr:BatchGetImage"
#define READ                                                                                       \
    "ecr:GetRepositoryPolicy", "ecr:DescribeRepositories", "ecr:ListImages", "ecr:DescribeImages", \
        "ecr:GetLifecyclePolicy", "ecr:GetLifecyclePolicyPreview", "ecr:ListTagsForResource",      \
        "ecr:DescribeImageScanFindings"
#define WRITE_LOGS "logs:CreateLogStream", "logs:PutLogEvents"

/* `grants`: on any resource. `services`: further services of which it allows something, not told what. */
static const struct managed {
    const char *name;
    const char *grants[18];
    const char *services[8];
} table[] = {
    {"AWSAppMeshEnvoyAccess", {"appmesh:StreamAggregatedResources"}, {NULL}},
    {"AWSXRayDaemonWriteAccess", {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, {"xray:*"}},
    {"AdministratorAccess", {"*"}, {NULL}},
    {"AmazonEC2ContainerRegistryFullAccess", {"ecr:*"}, {"cloudtrail:*", "iam:*"}},
    {"AmazonEC2ContainerRegistryPowerUser",
     {PULL, READ, "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
      "ecr:PutImage"},
     {NULL}},
    {"AmazonEC2ContainerRegistryPullOnly", {PULL, "ecr:BatchImportUpstreamImage"}, {NULL}},
    {"AmazonEC2ContainerRegistryReadOnly", {PULL, READ}, {NULL}},
    {"AmazonEC2ContainerServiceforEC2Role",
     {PULL, WRITE_LOGS, "ecs:Poll", "ecs:RegisterContainerInstance", "ecs:Submit*"},
     {"ecs:*", "ec2:*"}},
    {"AmazonECSTaskExecutionRolePolicy", {PULL, WRITE_LOGS}, {NULL}},
    {"AmazonEKSFargatePodExecutionRolePolicy", {PULL}, {NULL}},
    {"AmazonEKSWorkerNodePolicy", {"eks:DescribeCluster"}, {"ec2:*", "eks-auth:*"}},
    {"AmazonEKS_CNI_Policy", {NULL}, {"ec2:*"}},
    {"AmazonSSMManagedInstanceCore", {NULL}, {"ssm:*", "ssmmessages:*", "ec2messages:*"}},
    {"CloudWatchAgentServerPolicy",
     {WRITE_LOGS, "cloudwatch:PutMetricData"},
     {"ec2:*", "logs:*", "ssm:*", "xray:*"}},
};

static bool any_fits(const char *const *patterns, const char *action)
{
    for (; *patterns; patterns++)
        if (policy_pattern(*patterns, action, true) == POLICY_YES)
            return true;
    return false;
}

enum policy_fit managed_allows(const char *name, const char *action)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!str_equal(table[i].name, name))
            continue;
        if (any_fits(table[i].grants, action))
            return POLICY_YES;
        return any_fits(table[i].services, action) ? POLICY_MAYBE : POLICY_NO;
    }
    return POLICY_MAYBE;
}
