/* Is the way open: security groups, ACLs, routes and endpoints as AWS prints them. */
#include "base/str.h"
#include "reason/cidr.h"
#include "reason/network.h"
#include "reasoned.h"

#define TASK                                                                                       \
    "{'tasks':[{'taskArn':'arn:aws:ecs:eu-west-1:1:task/c/"                                        \
    "t1','lastStatus':'STOPPED','attachments'"                                                     \
    ":[{'type':'ElasticNetworkInterface','details':[{'name':'subnetId','value':'subnet-a'},"       \
    "{'name':'networkInterfaceId','value':'eni-1'}]}]}]}"
#define INTERFACE(public)                                                                          \
    "{'NetworkInterfaces':[{'NetworkInterfaceId':'eni-1','SubnetId':'subnet-a','VpcId':'vpc-1',"   \
    "'PrivateIpAddress':'10.0.1.5','Groups':[{'GroupId':'sg-task'}]" public "}]}"
#define PUBLIC ",'Association':{'PublicIp':'52.1.2.3'}"
#define SUBNETS                                                                                    \
    "{'Subnets':[{'SubnetId':'subnet-a','VpcId':'vpc-1','CidrBlock':'10.0.1.0/24'},"               \
    "{'SubnetId':'subnet-b','VpcId':'vpc-1','CidrBlock':'10.0.2.0/24'}]}"
#define GROUP(egress)                                                                              \
    "{'SecurityGroups':[{'GroupId':'sg-task','IpPermissions':[],'IpPermissionsEgress':[" egress "]}"
#define GROUPS(egress) GROUP(egress) "]}"
#define ALL            "{'IpProtocol':'-1','IpRanges':[{'CidrIp':'0.0.0.0/0'}]}"
#define TCP(from, to, cidr)                                                                        \
    "{'IpProtocol':'tcp','FromPort':" #from ",'ToPort':" #to ",'IpRanges':[{'CidrIp':'" cidr "'}]" \
    "}"
#define LIST(id)                                                                                   \
    "{'IpProtocol':'tcp','FromPort':443,'ToPort':443,'PrefixListIds':[{'PrefixListId':'" id "'}]}"
#define ROUTES(more)                                                                               \
    "{'RouteTables':[{'RouteTableId':'rtb-1','VpcId':'vpc-1','Associations':[{'Main':false,"       \
    "'SubnetId':'subnet-a'}],'Routes':[{'DestinationCidrBlock':'10.0.0.0/"                         \
    "16','GatewayId':'local'}" more "]}]}"
#define DEFAULT(member, target) ",{'DestinationCidrBlock':'0.0.0.0/0','" member "':'" target "'}"
#define ENTRY(number, egress, action, cidr, ports)                                                 \
    "{'RuleNumber':" #number ",'Protocol':'6','Egress':" #egress ",'RuleAction':'" action          \
    "','CidrBlock':'" cidr "'" ports "}"
#define PORTS(from, to) ",'PortRange':{'From':" #from ",'To':" #to "}"
#define LAST                                                                                       \
    "{'RuleNumber':32767,'Protocol':'-1','Egress':true,'RuleAction':'deny','CidrBlock':"           \
    "'0.0.0.0/0'},{'RuleNumber':32767,'Protocol':'-1','Egress':false,'RuleAction':'deny',"         \
    "'CidrBlock':'0.0.0.0/0'}"
#define ACL(entries)                                                                               \
    "{'NetworkAcls':[{'NetworkAclId':'acl-1','VpcId':'vpc-1','Associations':[{'SubnetId':"         \
    "'subnet-a'},{'SubnetId':'subnet-b'}],'Entries':[" entries LAST "]}]}"
#define ACL_OPEN                                                                                   \
    ACL(ENTRY(100, true, "allow", "0.0.0.0/0", "") "," ENTRY(100, false, "allow", "0.0.0.0/0",     \
                                                             "") ",")
#define NO_ENDPOINTS "{'VpcEndpoints':[]}"
#define ENDPOINT                                                                                   \
    "{'VpcEndpoints':[{'VpcEndpointId':'vpce-1','VpcEndpointType':'Interface','VpcId':'vpc-1',"    \
    "'ServiceName':'com.amazonaws.eu-west-1.ecr.api','State':'available','PrivateDnsEnabled':"     \
    "true,"                                                                                        \
    "'SubnetIds':['subnet-b'],'Groups':[{'GroupId':'sg-end'}]}]}"
#define END_GROUP(ingress)                                                                         \
    "{'SecurityGroups':[{'GroupId':'sg-end','IpPermissionsEgress':[],'IpPermissions':[" ingress    \
    "]}]}"
#define GATEWAY                                                                                    \
    "{'VpcEndpoints':[{'VpcEndpointId':'vpce-s3','VpcEndpointType':'Gateway','VpcId':'vpc-1',"     \
    "'ServiceName':'com.amazonaws.eu-west-1.s3','State':'available'}]}"
#define TO_GATEWAY ",{'DestinationPrefixListId':'pl-1','GatewayId':'vpce-s3'}"
#define S3_LIST                                                                                    \
    "{'PrefixLists':[{'PrefixListId':'pl-1','PrefixListName':'com.amazonaws.eu-west-1.s3',"        \
    "'Cidrs':['52.218.0.0/17']}]}"

#define API "api.ecr.eu-west-1.amazonaws.com"
#define S3  "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"

struct row {
    const char *what, *to;
    const char *given[8];
    enum answer_decision decision;
    const char *reason, *why;
};

static const struct row rows[] = {
    {"open through a NAT gateway",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(DEFAULT("NatGatewayId", "nat-1")), ACL_OPEN,
      NO_ENDPOINTS},
     ANSWER_YES,
     NULL,
     "security group sg-task lets tcp 443 out to 0.0.0.0/0; route table rtb-1"},
    {"an internet gateway wants a public address",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(DEFAULT("GatewayId", "igw-1")), ACL_OPEN,
      NO_ENDPOINTS},
     ANSWER_NO,
     "public-address",
     "task t1 has no public address"},
    {"which it has",
     API,
     {TASK, INTERFACE(PUBLIC), SUBNETS, GROUPS(ALL), ROUTES(DEFAULT("GatewayId", "igw-1")),
      ACL_OPEN, NO_ENDPOINTS},
     ANSWER_YES,
     NULL,
     "internet gateway igw-1"},
    {"no route at all",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(""), ACL_OPEN, NO_ENDPOINTS},
     ANSWER_NO,
     "route",
     "route table rtb-1 of subnet-a has no route to"},
    {"without the endpoints that may be a private way",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(""), ACL_OPEN},
     ANSWER_UNDECIDABLE,
     "aws.vpc_endpoints",
     "whether there is a VPC endpoint for ecr.api"},
    {"but public.ecr.aws has none",
     "public.ecr.aws",
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(""), ACL_OPEN},
     ANSWER_NO,
     "route",
     "has no route to public.ecr.aws"},
    {"a route into nothing",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL),
      ROUTES(",{'DestinationCidrBlock':'0.0.0.0/0','NatGatewayId':'nat-1','State':'blackhole'}"),
      ACL_OPEN, NO_ENDPOINTS},
     ANSWER_NO,
     "route",
     "blackhole"},
    {"what is behind a transit gateway is not known",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(DEFAULT("TransitGatewayId", "tgw-1")),
      ACL_OPEN, NO_ENDPOINTS},
     ANSWER_UNDECIDABLE,
     "next-hop",
     "tgw-1"},
    {"no rule outwards",
     API,
     {TASK, INTERFACE(""), SUBNETS,
      GROUPS(TCP(80, 80, "0.0.0.0/0") "," TCP(443, 443, "10.0.0.0/8")),
      ROUTES(DEFAULT("NatGatewayId", "nat-1")), ACL_OPEN, NO_ENDPOINTS},
     ANSWER_NO,
     "security-group",
     "no rule of security group sg-task lets tcp 443 out to"},
    {"a group that is not given",
     API,
     {TASK, INTERFACE(""), SUBNETS, ROUTES(DEFAULT("NatGatewayId", "nat-1")), ACL_OPEN,
      NO_ENDPOINTS},
     ANSWER_UNDECIDABLE,
     "aws.security_groups",
     "security group sg-task of task t1"},
    {"a prefix list that is not given",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(LIST("pl-9")), ROUTES(DEFAULT("NatGatewayId", "nat-1")),
      ACL_OPEN, NO_ENDPOINTS},
     ANSWER_UNDECIDABLE,
     "aws.prefix_lists",
     "what prefix list pl-9 holds"},
    {"rules one by one",
     API,
     {TASK, INTERFACE(""), SUBNETS,
      "{'SecurityGroupRules':[{'SecurityGroupRuleId':'sgr-1','GroupId':'sg-task','IsEgress':true,"
      "'IpProtocol':'tcp','FromPort':443,'ToPort':443,'CidrIpv4':'0.0.0.0/0'}]}",
      ROUTES(DEFAULT("NatGatewayId", "nat-1")), ACL_OPEN, NO_ENDPOINTS},
     ANSWER_YES,
     NULL,
     "security group sg-task lets"},
    {"the ACL denies it, by an earlier rule",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(DEFAULT("NatGatewayId", "nat-1")),
      ACL(ENTRY(100, true, "allow", "0.0.0.0/0",
                "") "," ENTRY(90, true, "deny", "0.0.0.0/0",
                              PORTS(400, 500)) "," ENTRY(100, false, "allow", "0.0.0.0/0", "") ","),
      NO_ENDPOINTS},
     ANSWER_NO,
     "network-acl",
     "network ACL acl-1 denies tcp 443 out to"},
    {"answers do not come back",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(DEFAULT("NatGatewayId", "nat-1")),
      ACL(ENTRY(100, true, "allow", "0.0.0.0/0", "") "," ENTRY(100, false, "allow", "0.0.0.0/0",
                                                               PORTS(443, 443)) ","),
      NO_ENDPOINTS},
     ANSWER_NO,
     "network-acl",
     "the ports that answers go to"},
    {"some answers do",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(DEFAULT("NatGatewayId", "nat-1")),
      ACL(ENTRY(100, true, "allow", "0.0.0.0/0", "") "," ENTRY(100, false, "allow", "0.0.0.0/0",
                                                               PORTS(50000, 65535)) ","),
      NO_ENDPOINTS},
     ANSWER_UNDECIDABLE,
     "network-acl",
     "covers only some"},
    {"an ACL that is not given",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(DEFAULT("NatGatewayId", "nat-1")),
      NO_ENDPOINTS},
     ANSWER_UNDECIDABLE,
     "aws.network_acls",
     "network ACL of subnet-a"},
    {"a private endpoint's own group",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(""), ACL_OPEN, ENDPOINT,
      END_GROUP(TCP(443, 443, "10.9.0.0/16"))},
     ANSWER_NO,
     "security-group",
     "no rule of security group sg-end lets tcp 443 in from task t1"},
    {"which names the task's group",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(""), ACL_OPEN, ENDPOINT,
      END_GROUP("{'IpProtocol':'tcp','FromPort':443,'ToPort':443,'UserIdGroupPairs':[{'GroupId':"
                "'sg-task'}]}")},
     ANSWER_YES,
     NULL,
     "security group sg-end lets tcp 443 in from sg-task"},
    {"S3 by its gateway endpoint and prefix list",
     S3,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(LIST("pl-1")), ROUTES(TO_GATEWAY), ACL_OPEN, GATEWAY,
      S3_LIST},
     ANSWER_YES,
     NULL,
     "leads it to vpce-s3"},
    {"a gateway endpoint that no route leads to",
     S3,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(""), ACL_OPEN, GATEWAY, S3_LIST},
     ANSWER_NO,
     "route",
     "does not lead to gateway endpoint vpce-s3 either"},
    {"groups that allow the VPC only do not allow S3",
     S3,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(TCP(443, 443, "10.0.0.0/16")), ROUTES(TO_GATEWAY),
      ACL_OPEN, GATEWAY, S3_LIST},
     ANSWER_NO,
     "security-group",
     "sg-task"},
    {"the interface of a stopped task is gone: its service tells",
     API,
     {"{'tasks':[{'taskArn':'arn:aws:ecs:eu-west-1:1:task/c/t1','lastStatus':'STOPPED','group':"
      "'service:web','attachments':[{'details':[{'name':'subnetId','value':'subnet-a'}]}]}]}",
      "{'services':[{'serviceArn':'a','serviceName':'web','networkConfiguration':{"
      "'awsvpcConfiguration':{'subnets':['subnet-a'],'securityGroups':['sg-task'],"
      "'assignPublicIp':'DISABLED'}}}]}",
      SUBNETS, GROUPS(ALL), ROUTES(DEFAULT("GatewayId", "igw-1")), ACL_OPEN, NO_ENDPOINTS},
     ANSWER_NO,
     "public-address",
     "task t1 has no public address"},
    {"the main table, when none names the subnet",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL),
      "{'RouteTables':[{'RouteTableId':'rtb-m','VpcId':'vpc-1','Associations':[{'Main':true}],"
      "'Routes':[]}]}",
      ACL_OPEN, NO_ENDPOINTS},
     ANSWER_NO,
     "route",
     "rtb-m of subnet-a (the VPC's main table)"},
    {"the longest prefix wins",
     "8.8.8.8",
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL),
      ROUTES(DEFAULT("NatGatewayId", "nat-1") ",{'DestinationCidrBlock':'8.8.8.0/24','GatewayId':"
                                              "'vgw-1'}"),
      ACL_OPEN, NO_ENDPOINTS},
     ANSWER_UNDECIDABLE,
     "next-hop",
     "vgw-1"},
    {"within the VPC",
     "10.0.2.9",
     {TASK, INTERFACE(""), SUBNETS, GROUPS(TCP(443, 443, "10.0.2.0/24")), ROUTES(""), ACL_OPEN},
     ANSWER_UNDECIDABLE,
     "aws.network_interfaces",
     "which security groups 10.0.2.9 has"},
    {"a group whose outward rules were cut away",
     API,
     {TASK, INTERFACE(""), SUBNETS, "{'SecurityGroups':[{'GroupId':'sg-task','IpPermissions':[]}]}",
      ROUTES(DEFAULT("NatGatewayId", "nat-1")), ACL_OPEN, NO_ENDPOINTS},
     ANSWER_UNDECIDABLE,
     "aws.security_groups",
     "the rules of security group sg-task"},
    {"a group that lets out nothing",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(""), ROUTES(DEFAULT("NatGatewayId", "nat-1")), ACL_OPEN,
      NO_ENDPOINTS},
     ANSWER_NO,
     "security-group",
     "no rule of security group sg-task"},
    {"an endpoint without private DNS is not what the name leads to",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(""), ACL_OPEN,
      "{'VpcEndpoints':[{'VpcEndpointId':'vpce-1','VpcEndpointType':'Interface','VpcId':'vpc-1',"
      "'ServiceName':'com.amazonaws.eu-west-1.ecr.api','PrivateDnsEnabled':false,'SubnetIds':["
      "'subnet-b'],'Groups':[{'GroupId':'sg-end'}]}]}"},
     ANSWER_NO,
     "route",
     "endpoint vpce-1 is not used: its private DNS is off"},
    {"nor is one of another region",
     "api.ecr.us-east-1.amazonaws.com",
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(""), ACL_OPEN, ENDPOINT,
      END_GROUP(TCP(443, 443, "0.0.0.0/0"))},
     ANSWER_NO,
     "route",
     "has no route to api.ecr.us-east-1.amazonaws.com"},
    {"a global name is answered on the internet",
     "sts.amazonaws.com",
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(""), ACL_OPEN,
      "{'VpcEndpoints':[{'VpcEndpointId':'vpce-9','VpcEndpointType':'Interface','VpcId':'vpc-1',"
      "'ServiceName':'com.amazonaws.eu-west-1.sts','PrivateDnsEnabled':true,'SubnetIds':["
      "'subnet-b'],'Groups':[{'GroupId':'sg-end'}]}]}",
      END_GROUP(TCP(443, 443, "0.0.0.0/0"))},
     ANSWER_NO,
     "route",
     "has no route to sts.amazonaws.com"},
    {"the gateway endpoint of S3 is no way to the registry's API",
     API,
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL), ROUTES(TO_GATEWAY), ACL_OPEN, GATEWAY},
     ANSWER_NO,
     "route",
     "has no route to api.ecr"},
    {"a peer that is gone",
     "10.50.0.7",
     {TASK, INTERFACE(""), SUBNETS, GROUPS(ALL),
      ROUTES(",{'DestinationCidrBlock':'10.50.0.0/16','VpcPeeringConnectionId':'pcx-1','State':"
             "'blackhole'}"),
      ACL_OPEN},
     ANSWER_NO,
     "route",
     "leads to pcx-1, which does not exist any more"},
    {"IPv6 alone lets no IPv4 out",
     "10.0.2.9",
     {TASK, INTERFACE(""), SUBNETS,
      GROUPS("{'IpProtocol':'-1','IpRanges':[],'Ipv6Ranges':[{'CidrIpv6':'::/0'}]}"), ROUTES(""),
      ACL_OPEN},
     ANSWER_NO,
     "security-group",
     "no rule of security group sg-task"},
    {"port 0 is one port, and the number of a protocol its name",
     API,
     {TASK, INTERFACE(""), SUBNETS,
      GROUPS(TCP(0, 0, "0.0.0.0/0") ",{'IpProtocol':'17','FromPort':443,'ToPort':443,'IpRanges':[{"
                                    "'CidrIp':'0.0.0.0/0'}]}"),
      ROUTES(DEFAULT("NatGatewayId", "nat-1")), ACL_OPEN, NO_ENDPOINTS},
     ANSWER_NO,
     "security-group",
     "no rule of security group sg-task"},
    {"an unknown group may let out what a known one does not",
     API,
     {TASK,
      "{'NetworkInterfaces':[{'NetworkInterfaceId':'eni-1','SubnetId':'subnet-a','VpcId':'vpc-1',"
      "'PrivateIpAddress':'10.0.1.5','Groups':[{'GroupId':'sg-task'},{'GroupId':'sg-lost'}]}]}",
      SUBNETS, GROUPS(""), ROUTES(DEFAULT("NatGatewayId", "nat-1")), ACL_OPEN, NO_ENDPOINTS},
     ANSWER_UNDECIDABLE,
     "aws.security_groups",
     "sg-lost"},
    {"nothing but the task",
     API,
     {TASK},
     ANSWER_UNDECIDABLE,
     "aws.network_interfaces",
     "which security groups task t1 has"},
};

static void ask(const char *const *given, size_t len, const struct network_question *question,
                struct reasoned *reasoned, struct answer *out)
{
    reasoned_init(reasoned);
    for (size_t j = 0; j < len && given[j]; j++) {
        char name[32];
        snprintf(name, sizeof name, "aws/%zu.json", j);
        reasoned_add(reasoned, name, given[j]);
    }
    reasoned_read(reasoned);
    network_ask(&reasoned->view, question, out);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct reasoned reasoned;
        struct answer answer;
        ask(row->given, 8, &(struct network_question){.from = "t1", .to = row->to, .port = 443},
            &reasoned, &answer);
        if (answer.decision != row->decision || !str_equal(answer.reason, row->reason) ||
            !strstr(answer.why, row->why))
            fail_msg("%s: %d, %s: %s", row->what, answer.decision,
                     answer.reason ? answer.reason : "-", answer.why);
        reasoned_release(&reasoned);
    }
}

static void test_groups_alone(void **state)
{
    static const char *const given[] = {
        "{'SecurityGroups':[{'GroupId':'sg-lb','IpPermissionsEgress':[" ALL "]},{'GroupId':'sg-t',"
        "'IpPermissions':[{'IpProtocol':'tcp','FromPort':8000,'ToPort':8999,'UserIdGroupPairs':["
        "{'GroupId':'sg-lb'}]}]}]}"};
    struct reasoned reasoned;
    struct answer answer;
    struct network_question question = {.from = "sg-lb", .to = "sg-t", .port = 8080};
    (void)state;
    ask(given, 1, &question, &reasoned, &answer);
    assert_int_equal(answer.decision, ANSWER_YES);
    question.port = 9901;
    network_ask(&reasoned.view, &question, &answer);
    assert_int_equal(answer.decision, ANSWER_NO);
    assert_string_equal(answer.record->pointer, "/SecurityGroups/1/IpPermissions");
    question.protocol = "udp";
    question.port = 8080;
    network_ask(&reasoned.view, &question, &answer);
    assert_int_equal(answer.decision, ANSWER_NO);
    reasoned_release(&reasoned);
}

static void test_unknown_places(void **state)
{
    static const char *const names[] = {"eni-9", "i-9", "vpce-9", "no-such-task", ""};
    struct reasoned reasoned;
    struct answer answer;
    (void)state;
    reasoned_init(&reasoned);
    reasoned_read(&reasoned);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        network_ask(&reasoned.view,
                    &(struct network_question){.from = names[i], .to = "internet", .port = 443},
                    &answer);
        assert_int_equal(answer.decision, ANSWER_UNDECIDABLE);
        assert_true(str_starts(answer.reason, "aws."));
    }
    reasoned_release(&reasoned);
}

/* Odd numbers, odd types, odd blocks: nothing is let through by accident. */
static void test_hostile(void **state)
{
    static const char *const given[] = {
        TASK,
        INTERFACE(""),
        SUBNETS,
        GROUPS("3,[],{'IpProtocol':'tcp','FromPort':'x','ToPort':1e99,'IpRanges':[{'CidrIp':"
               "'0.0.0.0/99'},{'CidrIp':'0.0.0.0/-1'},{'CidrIp':3},7]},{'IpProtocol':6,"
               "'UserIdGroupPairs':'no'}"),
        ROUTES(",3,{'DestinationCidrBlock':'::/0/0'},{'DestinationCidrBlock':'999.0.0.0/0'}"),
        "{'NetworkAcls':[{'NetworkAclId':'acl-1','Associations':[3,{'SubnetId':'subnet-a'}],"
        "'Entries':[3,{'RuleNumber':1},{'RuleNumber':1e300,'CidrBlock':'0.0.0.0/0'}]}]}",
        "{'VpcEndpoints':[{'VpcEndpointId':'vpce-1','ServiceName':''},{'VpcEndpointId':'vpce-2',"
        "'ServiceName':'x','SubnetIds':3,'Groups':{}}]}"};
    struct reasoned reasoned;
    struct answer answer;
    (void)state;
    ask(given, 7, &(struct network_question){.from = "t1", .to = API, .port = 443}, &reasoned,
        &answer);
    assert_int_equal(answer.decision, ANSWER_NO);
    reasoned_release(&reasoned);
}

static void test_blocks(void **state)
{
    struct cidr a, b;
    (void)state;
    assert_true(cidr_parse("10.0.0.0/12", &a) && cidr_parse("10.15.1.1", &b));
    assert_int_equal(cidr_covers(&a, &b), COVER_ALL);
    assert_int_equal(cidr_covers(&b, &a), COVER_PART);
    assert_true(cidr_parse("10.16.0.0/12", &b));
    assert_int_equal(cidr_covers(&a, &b), COVER_NONE);
    assert_true(cidr_parse("::/0", &a));
    assert_int_equal(cidr_covers(&a, &b), COVER_NONE);
    assert_true(cidr_parse("fd00::1", &b) && cidr_private(&b));
    assert_int_equal(cidr_covers(&a, &b), COVER_ALL);
    assert_false(cidr_parse("", &a) || cidr_parse("10.0.0/8", &a) || cidr_parse("1.2.3.4/", &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_groups_alone),
        cmocka_unit_test(test_unknown_places), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_blocks)};
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
