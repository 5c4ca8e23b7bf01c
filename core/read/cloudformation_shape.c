/* Stage: read. Resources of CloudFormation in the shape in which the service's own API answers, so that
 * a template gives the evidence that a live account gives. Makes trees. Deliberately knows only what
 * checks read: names of members, security groups with their rules, roles with their policies. */
#include "base/json.h"
#include "base/str.h"
#include "read/cloudformation.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* ---- names of members ---- */

static const char *special_name(const char *name)
{
    static const char *const names[][2] = {
        {"ProxyConfigurationProperties", "properties"},
        {"FilesystemId", "fileSystemId"},
        {"FSxWindowsFileServerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i][0]) == 0)
            return names[i][1];
    return NULL;
}

/* "TLS" is tls, "EFSVolume" is efsVolume, "Name" is name. */
static void lower_first(char *name)
{
    size_t run = 0;
    while (isupper((unsigned char)name[run]) || (run && isdigit((unsigned char)name[run])))
        run++;
    if (run > 1 && islower((unsigned char)name[run]))
        run--;
    for (size_t i = 0; i < run; i++)
        name[i] = (char)tolower((unsigned char)name[i]);
}

static bool keeps_names(const char *name)
{
    static const char *const names[] = {"Options", "DockerLabels", "DriverOpts", "Labels"};
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void rename_member(cJSON *child)
{
    const char *special = special_name(child->string);
    if (!special) {
        lower_first(child->string);
        return;
    }
    if (strlen(special) <= strlen(child->string))
        memcpy(child->string, special, strlen(special) + 1);
}

void cloudformation_camel(cJSON *properties)
{
    for (cJSON *child = properties ? properties->child : NULL; child; child = child->next) {
        if (!keeps_names(child->string))
            cloudformation_camel(child);
        if (child->string)
            rename_member(child);
    }
}

void cloudformation_text(cJSON *tree)
{
    if (tree && cJSON_IsRaw(tree))
        tree->type = (tree->type & ~0xFF) | cJSON_String;
    for (cJSON *child = tree ? tree->child : NULL; child; child = child->next)
        cloudformation_text(child);
}

/* ---- security groups ---- */

static void add_pair(cJSON *permission, const char *list, const char *name, const char *value)
{
    cJSON *array = cJSON_AddArrayToObject(permission, list), *pair = cJSON_CreateObject();
    cJSON_AddItemToArray(array, pair);
    cJSON_AddStringToObject(pair, name, value);
}

static bool is_scalar(const cJSON *value)
{
    return cJSON_IsString(value) || cJSON_IsNumber(value);
}

/* Whom the rule lets in; false when that is not known. */
static bool add_peer(cJSON *permission, const cJSON *rule)
{
    static const char *const peers[][3] = {
        {"CidrIp", "IpRanges", "CidrIp"},
        {"CidrIpv6", "Ipv6Ranges", "CidrIpv6"},
        {"SourceSecurityGroupId", "UserIdGroupPairs", "GroupId"},
        {"SourceSecurityGroupName", "UserIdGroupPairs", "GroupName"},
        {"DestinationSecurityGroupId", "UserIdGroupPairs", "GroupId"},
        {"SourcePrefixListId", "PrefixListIds", "PrefixListId"},
        {"DestinationPrefixListId", "PrefixListIds", "PrefixListId"}};
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        const char *value = json_str(rule, peers[i][0]);
        if (value)
            add_pair(permission, peers[i][1], peers[i][2], value);
        if (value)
            return true;
    }
    return false;
}

/* A rule of which something is open must not look closed: it stands as one whose addresses nobody
 * knows, which is what a prefix list is to everybody who has not asked for its entries. */
static cJSON *permission_of(const cJSON *rule)
{
    cJSON *permission = cJSON_CreateObject();
    const cJSON *protocol = member(rule, "IpProtocol"), *from = member(rule, "FromPort"),
                *to = member(rule, "ToPort");
    char number[32];
    bool known = is_scalar(protocol) && (!from || is_scalar(from)) && (!to || is_scalar(to));
    double port;
    cJSON_AddStringToObject(permission, "IpProtocol",
                            known ? json_scalar(protocol, "", number) : "-1");
    if (known && json_num(from, "", &port))
        cJSON_AddNumberToObject(permission, "FromPort", port);
    if (known && json_num(to, "", &port))
        cJSON_AddNumberToObject(permission, "ToPort", port);
    if (!known || !add_peer(permission, rule))
        add_pair(permission, "PrefixListIds", "PrefixListId", "pl-unknown");
    return permission;
}

static void add_rules(cJSON *permissions, const cJSON *rules)
{
    const cJSON *rule;
    if (rules && !cJSON_IsArray(rules)) {
        cJSON_AddItemToArray(permissions, permission_of(NULL));
        return;
    }
    cJSON_ArrayForEach (rule, rules)
        cJSON_AddItemToArray(permissions, permission_of(cJSON_IsObject(rule) ? rule : NULL));
}

/* Rules that are resources of their own and name this group. */
static int add_rule_resources(struct cloudformation *template, cJSON *permissions, const char *type,
                              const char *group)
{
    int added = 0;
    const cJSON *resource;
    cJSON_ArrayForEach (resource, template->resources) {
        if (!str_equal(json_str(resource, "Type"), type) ||
            cloudformation_is_off(template, json_str(resource, "Condition")))
            continue;
        cJSON *rule = cloudformation_value(template, member(resource, "Properties"));
        if (str_equal(json_str(rule, "GroupId"), group)) {
            cJSON_AddItemToArray(permissions, permission_of(rule));
            added++;
        }
        cJSON_Delete(rule);
    }
    return added;
}

cJSON *cloudformation_security_group(struct cloudformation *template, const cJSON *resource,
                                     const cJSON *properties)
{
    const char *id = resource->string;
    cJSON *group = cJSON_CreateObject();
    cJSON_AddStringToObject(group, "GroupId", id);
    cJSON_AddStringToObject(group, "GroupName",
                            json_str(properties, "GroupName") ? json_str(properties, "GroupName")
                                                              : id);
    cJSON *in = cJSON_AddArrayToObject(group, "IpPermissions");
    cJSON *out = cJSON_AddArrayToObject(group, "IpPermissionsEgress");
    add_rules(in, member(properties, "SecurityGroupIngress"));
    add_rules(out, member(properties, "SecurityGroupEgress"));
    add_rule_resources(template, in, "AWS::EC2::SecurityGroupIngress", id);
    if (!cJSON_GetArraySize(out)) { /* what EC2 gives a group that says nothing of egress */
        cJSON *all = cJSON_CreateObject();
        cJSON_AddStringToObject(all, "IpProtocol", "-1");
        add_pair(all, "IpRanges", "CidrIp", "0.0.0.0/0");
        cJSON_AddItemToArray(out, all);
    }
    add_rule_resources(template, out, "AWS::EC2::SecurityGroupEgress", id);
    return group;
}

/* ---- roles ---- */

static void add_policy(cJSON *policies, const cJSON *policy)
{
    cJSON *copy = cJSON_CreateObject();
    const char *name = json_str(policy, "PolicyName");
    cJSON *document = cJSON_Duplicate(member(policy, "PolicyDocument"), 1);
    if (!document) {
        cJSON_Delete(copy);
        return;
    }
    cloudformation_text(document);
    cJSON_AddStringToObject(copy, "PolicyName", name ? name : "inline");
    cJSON_AddItemToObject(copy, "PolicyDocument", document);
    cJSON_AddItemToArray(policies, copy);
}

static void attach(cJSON *attached, const char *arn)
{
    const char *slash = strrchr(arn, '/');
    cJSON *policy = cJSON_CreateObject();
    cJSON_AddStringToObject(policy, "PolicyName", slash ? slash + 1 : arn);
    cJSON_AddStringToObject(policy, "PolicyArn", arn);
    cJSON_AddItemToArray(attached, policy);
}

static bool lists(const cJSON *array, const char *name)
{
    const cJSON *element;
    cJSON_ArrayForEach (element, array) {
        if (str_equal(json_str(element, ""), name))
            return true;
    }
    return false;
}

/* Policies that are resources of their own and name this role. */
static void add_policy_resources(struct cloudformation *template, cJSON *role, const char *name)
{
    const cJSON *resource;
    cJSON_ArrayForEach (resource, template->resources) {
        const char *type = json_str(resource, "Type");
        bool inl = str_equal(type, "AWS::IAM::Policy") || str_equal(type, "AWS::IAM::RolePolicy");
        bool managed = str_equal(type, "AWS::IAM::ManagedPolicy");
        if ((!inl && !managed) || cloudformation_is_off(template, json_str(resource, "Condition")))
            continue;
        cJSON *policy = cloudformation_value(template, member(resource, "Properties"));
        bool mine = lists(member(policy, "Roles"), name) ||
                    str_equal(json_str(policy, "RoleName"), name);
        if (mine && inl)
            add_policy(cJSON_GetObjectItem(role, "RolePolicyList"), policy);
        if (mine && managed)
            attach(cJSON_GetObjectItem(role, "AttachedManagedPolicies"), resource->string);
        cJSON_Delete(policy);
    }
}

cJSON *cloudformation_role(struct cloudformation *template, const cJSON *resource,
                           const cJSON *properties)
{
    char name[CLOUDFORMATION_NAME_MAX], arn[CLOUDFORMATION_NAME_MAX];
    const cJSON *element;
    cloudformation_name(template, resource, name);
    cloudformation_role_arn(name, arn);
    cJSON *role = cJSON_CreateObject();
    cJSON_AddStringToObject(role, "RoleName", name);
    cJSON_AddStringToObject(role, "Arn", arn);
    cJSON *trust = cJSON_Duplicate(member(properties, "AssumeRolePolicyDocument"), 1);
    cloudformation_text(trust);
    if (trust)
        cJSON_AddItemToObject(role, "AssumeRolePolicyDocument", trust);
    cJSON *inl = cJSON_AddArrayToObject(role, "RolePolicyList");
    cJSON *attached = cJSON_AddArrayToObject(role, "AttachedManagedPolicies");
    cJSON_ArrayForEach (element, member(properties, "Policies"))
        add_policy(inl, element);
    cJSON_ArrayForEach (element, member(properties, "ManagedPolicyArns")) {
        bool text = cJSON_IsString(element) || cJSON_IsRaw(element);
        if (text)
            attach(attached, element->valuestring);
    }
    add_policy_resources(template, role, name);
    return role;
}
