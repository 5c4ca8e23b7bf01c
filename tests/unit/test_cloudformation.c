/* CloudFormation: what a template decides is read like the service's own answer, the rest is not known. */
#include "base/alloc.h"
#include "given.h"

#define HEAD "AWSTemplateFormatVersion: '2010-09-09'\n"
#define PORT "Parameters:\n  Port: {Type: Number, Default: 8080}\n  Mesh: {Type: String}\n"
#define TASK(container, properties)                                                                \
    HEAD PORT "Resources:\n"                                                                       \
              "  Task:\n"                                                                          \
              "    Type: AWS::ECS::TaskDefinition\n"                                               \
              "    Properties:\n"                                                                  \
              "      NetworkMode: awsvpc\n"                                                        \
              "      ProxyConfiguration:\n"                                                        \
              "        Type: APPMESH\n"                                                            \
              "        ContainerName: envoy\n"                                                     \
              "        ProxyConfigurationProperties:\n" properties                                 \
              "      ContainerDefinitions:\n" container

/* The trap: two ways to write one port. */
static void test_port_by_sub_and_by_ref(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "t.yaml",
               TASK("      - {Name: app, Image: 'a:1', PortMappings: [{ContainerPort: !Ref "
                    "Port}]}\n",
                    "        - {Name: AppPorts, Value: !Sub '${Port}'}\n"
                    "        - {Name: EgressIgnoredPorts, Value: !Sub '22,${Mesh}'}\n"));
    assert_string_equal(given_kind(&given), "cloudformation");
    assert_string_equal(given_field(&given, "capture", 0, "app_ports"), "8080");
    assert_string_equal(given_field(&given, "containers", 0, "ports"), "8080");
    assert_string_equal(given_field(&given, "containers", 0, "workload"), "Task");
    assert_string_equal(given_field(&given, "capture", 0, "ignored_ports"), "(none)");
    assert_string_equal(given_field(&given, "capture", 0, "unknown"), "ignored_ports");
    given_release(&given);
}

static void test_place_is_the_templates(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "t.yaml",
               TASK("      - {Name: app, Environment: [{Name: A, Value: '1'}]}\n",
                    "        - {Name: AppPorts, Value: '80'}\n"));
    assert_string_equal(given_record(&given, "env", 0)->pointer,
                        "/Resources/Task/Properties/ContainerDefinitions/0/Environment/0");
    given_release(&given);
}

static const char *value_of_image(const char *image)
{
    static char text[512];
    struct given given;
    char *template = xasprintf(HEAD
                               "Parameters:\n  P: {Type: String, Default: x}\n"
                               "  S: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /p}\n"
                               "Mappings: {M: {x: {image: 'm:1'}}}\n"
                               "Conditions:\n  IsX: !Equals [!Ref P, x]\n"
                               "  NotX: !Not [{Condition: IsX}]\n"
                               "  Loop: !And [{Condition: Loop}, {Condition: IsX}]\n"
                               "  Open: !Equals [!Ref 'AWS::Region', eu-west-1]\n"
                               "Resources:\n  Role: {Type: 'AWS::IAM::Role', Properties: {}}\n"
                               "  Task: {Type: 'AWS::ECS::TaskDefinition', Properties: "
                               "{ContainerDefinitions: [{Name: app, Image: %s}]}}\n",
                               image);
    given_text(&given, "t.yaml", template);
    const char *value = given_field(&given, "containers", 0, "image");
    snprintf(text, sizeof text, "%s", value);
    given_release(&given);
    free(template);
    return text;
}

static void test_functions(void **state)
{
    static const char *const values[][2] = {
        {"!Ref P", "x"},
        {"!Sub 'r/${P}:1'", "r/x:1"},
        {"!Sub ['${A}/${!P}', {A: !Ref P}]", "x/${P}"},
        {"!Join ['/', [r, !Ref P]]", "r/x"},
        {"!Select [1, !Split [',', 'a:1,b:2']]", "b:2"},
        {"!FindInMap [M, !Ref P, image]", "m:1"},
        {"!If [IsX, 'yes:1', 'no:1']", "yes:1"},
        {"!If [NotX, 'yes:1', 'no:1']", "no:1"},
        /* what the template does not decide */
        {"!Ref S", "(none)"},
        {"!If [Open, 'yes:1', 'no:1']", "(none)"},
        {"!If [Loop, 'yes:1', 'no:1']", "(none)"},
        {"!If [Nowhere, 'yes:1', 'no:1']", "(none)"},
        {"!Sub '${AWS::AccountId}.dkr'", "(none)"},
        {"!ImportValue other", "(none)"},
        {"!Ref Nothing", "(none)"},
        {"!GetAtt Nothing.Arn", "(none)"},
        {"!GetAtt 7", "(none)"},
        {"!Select [9, [a]]", "(none)"},
        {"!Frobnicate x", "(none)"},
        {"'{{resolve:ssm:/p}}'", "(none)"},
        {"!Ref 'AWS::NoValue'", "(none)"},
        {"!Join [',']", "(none)"},
        {"!Sub []", "(none)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(value_of_image(values[i][0]), values[i][1]) != 0)
            fail_msg("%s is %s, not %s", values[i][0], value_of_image(values[i][0]), values[i][1]);
}

static void test_conditions_switch_off(void **state)
{
    struct given given;
    (void)state;
    given_text(
        &given, "t.json",
        "{\"AWSTemplateFormatVersion\":\"2010-09-09\",\"Conditions\":{\"No\":{\"Fn::Equals\":"
        "[\"a\",\"b\"]}},\"Resources\":{\"T\":{\"Type\":\"AWS::ECS::TaskDefinition\","
        "\"Condition\":\"No\",\"Properties\":{\"ContainerDefinitions\":[{\"Name\":\"a\"}]}}}}");
    assert_int_equal(given_count(&given, "containers"), 0);
    given_release(&given);
}

static void test_security_group(void **state)
{
    struct given given;
    char buf[32];
    (void)state;
    given_text(&given, "t.yaml",
               HEAD
               "Parameters: {Cidr: {Type: String}}\n"
               "Resources:\n"
               "  Group:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n"
               "      SecurityGroupIngress:\n"
               "      - {IpProtocol: tcp, FromPort: 80, ToPort: '80', CidrIp: 10.0.0.0/8}\n"
               "      - {IpProtocol: tcp, FromPort: 81, ToPort: 81, CidrIp: !Ref Cidr}\n"
               "  Other: {Type: 'AWS::EC2::SecurityGroup', Properties: {}}\n"
               "  Rule:\n    Type: AWS::EC2::SecurityGroupIngress\n    Properties: {GroupId: "
               "!GetAtt Group.GroupId, IpProtocol: '-1', SourceSecurityGroupId: !Ref Other}\n");
    const struct record *group = given_record(&given, "aws.security_groups", 0);
    static const char *const fields[][2] = {
        {"GroupId", "Group"},
        {"IpPermissions[0].FromPort", "80"},
        {"IpPermissions[0].IpRanges[0].CidrIp", "10.0.0.0/8"},
        /* open, and so neither open to all nor closed */
        {"IpPermissions[1].PrefixListIds[0].PrefixListId", "pl-unknown"},
        {"IpPermissions[2].UserIdGroupPairs[0].GroupId", "Other"},
        {"IpPermissionsEgress[0].IpRanges[0].CidrIp", "0.0.0.0/0"}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_string_equal(record_text(group, fields[i][0], buf), fields[i][1]);
    given_release(&given);
}

static void test_role_with_policies(void **state)
{
    struct given given;
    char buf[32];
    (void)state;
    given_text(
        &given, "t.yaml",
        HEAD "Resources:\n"
             "  Role:\n    Type: AWS::IAM::Role\n    Properties:\n"
             "      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AWSAppMeshEnvoyAccess']\n"
             "  Policy:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: p\n"
             "      Roles: [!Ref Role]\n      PolicyDocument: {Statement: [{Effect: Allow, Action: "
             "'appmesh:*', Resource: !Sub 'arn:aws:appmesh:${AWS::Region}:*:mesh/m'}]}\n");
    const struct record *role = given_record(&given, "aws.roles", 0);
    assert_string_equal(record_text(role, "RoleName", buf), "Role");
    assert_string_equal(record_text(role, "AttachedManagedPolicies[0].PolicyArn", buf),
                        "arn:aws:iam::aws:policy/AWSAppMeshEnvoyAccess");
    assert_string_equal(
        record_text(role, "RolePolicyList[0].PolicyDocument.Statement[0].Resource", buf),
        "arn:aws:appmesh:${AWS::Region}:*:mesh/m");
    given_release(&given);
}

static void test_mesh_and_target_group(void **state)
{
    struct given given;
    char buf[32];
    (void)state;
    given_text(&given, "t.yaml",
               HEAD
               "Resources:\n"
               "  Node:\n    Type: AWS::AppMesh::VirtualNode\n    Properties:\n"
               "      MeshName: m\n      VirtualNodeName: n\n"
               "      Spec: {Listeners: [{PortMapping: {Port: 80, Protocol: http}, TLS: {Mode: "
               "STRICT}}], ServiceDiscovery: {AWSCloudMap: {ServiceName: s}}}\n"
               "  Group:\n    Type: AWS::ElasticLoadBalancingV2::TargetGroup\n"
               "    Properties: {Protocol: HTTP, Port: 80}\n");
    const struct record *node = given_record(&given, "aws.appmesh", 0);
    assert_string_equal(record_text(node, "virtualNodeName", buf), "n");
    assert_string_equal(record_text(node, "kind", buf), "virtualNode");
    assert_string_equal(record_text(node, "spec.listeners[0].tls.mode", buf), "STRICT");
    assert_string_equal(record_text(node, "spec.serviceDiscovery.awsCloudMap.serviceName", buf),
                        "s");
    assert_string_equal(given_field(&given, "aws.target_groups", 0, "check_path"), "/");
    assert_string_equal(given_field(&given, "aws.target_groups", 0, "check_port"), "traffic-port");
    given_release(&given);
}

static void test_nonsense(void **state)
{
    static const char *const texts[] = {
        HEAD "Resources: [1, 2]\n",
        HEAD "Resources: {A: 1, B: {Type: 7}, C: {Type: 'AWS::ECS::TaskDefinition'}, D: {Type: "
             "'AWS::IAM::Role', Properties: [x]}}\n",
        HEAD "Parameters: 7\nConditions: [a]\nMappings: x\nResources: {T: {Type: "
             "'AWS::ECS::TaskDefinition', Condition: Q, Properties: {Family: !FindInMap x, "
             "ContainerDefinitions: !Split [1, 2]}}}\n",
        HEAD};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        given_text(&given, "t.yaml", texts[i]);
        given_release(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_by_sub_and_by_ref),
        cmocka_unit_test(test_place_is_the_templates),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_conditions_switch_off),
        cmocka_unit_test(test_security_group),
        cmocka_unit_test(test_role_with_policies),
        cmocka_unit_test(test_mesh_and_target_group),
        cmocka_unit_test(test_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
