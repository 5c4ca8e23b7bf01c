/* May this role do that: policies as AWS prints them, and what follows from them. */
#include "base/str.h"
#include "reason/iam.h"
#include "reason/policy.h"
#include "reasoned.h"

#define REPOSITORY "arn:aws:ecr:eu-west-1:222222222222:repository/app"
#define ROLE       "{'Role':{'RoleName':'exec','Arn':'arn:aws:iam::222222222222:role/exec'}}"
#define INLINE(statements)                                                                         \
    "{'RoleName':'exec','PolicyName':'p','PolicyDocument':{'Version':'2012-10-17','Statement'"     \
    ":" statements "}}"
#define DETAILS(inlines, attached)                                                                 \
    "{'RoleDetailList':[{'RoleName':'exec','Arn':'arn:aws:iam::222222222222:role/exec',"           \
    "'RolePolicyList':[" inlines "],'AttachedManagedPolicies':[" attached "]}]}"
#define OWN(statements) "{'PolicyName':'p','PolicyDocument':{'Statement':" statements "}}"
#define MANAGED(name)                                                                              \
    "{'PolicyName':'" name "','PolicyArn':'arn:aws:iam::aws:policy/service-role/" name "'}"
#define SITE(name)                                                                                 \
    "{'PolicyName':'" name "','PolicyArn':'arn:aws:iam::222222222222:policy/" name "'}"
#define ALLOW_ALL "{'Effect':'Allow','Action':'ecr:*','Resource':'*'}"

struct row {
    const char *what;
    const char *given[5];
    enum answer_decision decision;
    const char *reason, *why; /* a part of it */
};

static const struct row rows[] = {
    {"granted by an inline policy",
     {ROLE, INLINE("[{'Sid':'Pull','Effect':'Allow','Action':['ecr:Batch*'],'Resource':'*'}]")},
     ANSWER_YES,
     NULL,
     "statement 'Pull' of inline policy 'p' allows ecr:BatchGetImage"},
    {"case of actions does not matter, a single statement may stand alone",
     {ROLE, INLINE("{'Effect':'Allow','Action':'ECR:batchgetIMAGE','Resource':'" REPOSITORY "'}")},
     ANSWER_YES,
     NULL,
     "statement 1"},
    {"case of resources does",
     {DETAILS(OWN("{'Effect':'Allow','Action':'ecr:*','Resource':"
                  "'arn:aws:ecr:eu-west-1:222222222222:repository/App'}"),
              "")},
     ANSWER_NO,
     "other-resource",
     "allows the action, but not on arn:aws:ecr"},
    {"an explicit deny wins",
     {DETAILS(OWN("[" ALLOW_ALL ",{'Effect':'Deny','NotAction':'ecr:Get*','Resource':'*'}]"), "")},
     ANSWER_NO,
     "explicit-deny",
     "statement 2 of inline policy 'p' denies"},
    {"NotAction and NotResource",
     {ROLE, INLINE("{'Effect':'Allow','NotAction':'iam:*','NotResource':'arn:aws:s3:::*'}")},
     ANSWER_YES,
     NULL,
     "statement 1"},
    {"a condition is unknown",
     {DETAILS(OWN("{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'Bool':{'a':'b'}}}"),
              "")},
     ANSWER_UNDECIDABLE,
     "condition",
     "may allow ecr:BatchGetImage"},
    {"a deny under a condition leaves open what is allowed",
     {ROLE, INLINE("[" ALLOW_ALL ",{'Effect':'Deny','Action':'*','Resource':'*','Condition':"
                   "{'StringNotEquals':{'aws:SourceVpce':'vpce-1'}}}]")},
     ANSWER_UNDECIDABLE,
     "condition",
     "may deny"},
    {"but what nothing allows stays denied",
     {DETAILS(OWN("{'Effect':'Deny','Action':'*','Resource':'*','Condition':{'Bool':{'a':'b'}}}"),
              "")},
     ANSWER_NO,
     "not-granted",
     "no policy of role 'exec' grants"},
    {"an empty condition is none",
     {ROLE, INLINE("{'Effect':'Allow','Action':'*','Resource':'*','Condition':{}}")},
     ANSWER_YES,
     NULL,
     ""},
    {"a variable may be anything",
     {ROLE, INLINE("{'Effect':'Allow','Action':'ecr:*','Resource':"
                   "'arn:aws:ecr:*:*:repository/${aws:PrincipalTag/app}'}")},
     ANSWER_UNDECIDABLE,
     "condition",
     "it names a variable"},
    {"nothing is known of the role", {ROLE}, ANSWER_UNDECIDABLE, "no-policies", "no policy"},
    {"other policies may exist",
     {ROLE, INLINE("{'Effect':'Allow','Action':'logs:*','Resource':'*'}")},
     ANSWER_UNDECIDABLE,
     "more-policies",
     "whether they are all"},
    {"unless the lists say that there are none",
     {ROLE, INLINE("{'Effect':'Allow','Action':'logs:*','Resource':'*'}"), "{'PolicyNames':['p']}",
      "{'AttachedPolicies':[]}"},
     ANSWER_NO,
     "not-granted",
     "no policy of role 'exec' grants"},
    {"a listed policy that is not given",
     {ROLE, INLINE("{'Effect':'Allow','Action':'logs:*','Resource':'*'}"),
      "{'PolicyNames':['p','q']}", "{'AttachedPolicies':[]}"},
     ANSWER_UNDECIDABLE,
     "more-policies",
     "whether they are all"},
    {"a policy of AWS that is known by name",
     {DETAILS("", MANAGED("AmazonECSTaskExecutionRolePolicy"))},
     ANSWER_YES,
     NULL,
     "managed policy 'AmazonECSTaskExecutionRolePolicy' allows"},
    {"one that does not speak of ecr",
     {DETAILS("", MANAGED("AmazonSSMManagedInstanceCore"))},
     ANSWER_NO,
     "not-granted",
     "no policy"},
    {"one that is not known",
     {DETAILS("", MANAGED("AmazonSomethingNew"))},
     ANSWER_UNDECIDABLE,
     "attached-policy",
     "what managed policy 'AmazonSomethingNew'"},
    {"the name alone does not make it AWS's",
     {DETAILS("", SITE("AmazonECSTaskExecutionRolePolicy"))},
     ANSWER_UNDECIDABLE,
     "attached-policy",
     "managed policy"},
    {"a policy of the site, with its document",
     {DETAILS("", SITE("site")),
      "{'Policies':[{'Arn':'arn:aws:iam::222222222222:policy/site','PolicyVersionList':["
      "{'IsDefaultVersion':false,'Document':{'Statement':[" ALLOW_ALL "]}},"
      "{'IsDefaultVersion':true,'Document':{'Statement':[]}}]}]}"},
     ANSWER_NO,
     "not-granted",
     "no policy"},
    {"get-policy-version names no policy: the only one is the only one's",
     {ROLE, "{'AttachedPolicies':[" SITE("site") "]}", "{'PolicyNames':[]}",
      "{'PolicyVersion':{'VersionId':'v3','IsDefaultVersion':true,'Document':'%7B%22Statement%22%3A"
      "%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22ecr%3A*%22%2C%22Resource%22%3A%22*%22%7D"
      "%7D'}}"},
     ANSWER_YES,
     NULL,
     "managed policy 'site' allows"},
    {"a document saved alone",
     {"{'Version':'2012-10-17','Statement':[" ALLOW_ALL "]}"},
     ANSWER_YES,
     NULL,
     "the policy document in"},
    {"whose, when there are several roles",
     {"{'Roles':[{'RoleName':'exec'},{'RoleName':'task'}]}",
      "{'Version':'2012-10-17','Statement':[" ALLOW_ALL "]}"},
     ANSWER_UNDECIDABLE,
     "owner",
     "does not say that it belongs to role 'exec'"},
    {"a policy that is none",
     {ROLE, INLINE("[" ALLOW_ALL ",{'Effect':'allow','Action':'*','Resource':'*'}]")},
     ANSWER_UNDECIDABLE,
     "syntax",
     "its Effect is neither Allow nor Deny"},
    {"Action and NotAction",
     {ROLE, INLINE("{'Effect':'Allow','Action':'*','NotAction':'s3:*','Resource':'*'}")},
     ANSWER_UNDECIDABLE,
     "syntax",
     "both Action and NotAction"},
    {"a document cut short, as text",
     {"{'RoleName':'exec','PolicyName':'p','PolicyDocument':'%7B%22Statement%22%3A%5B'}"},
     ANSWER_UNDECIDABLE,
     "syntax",
     "no valid policy"},
    {"a broken policy does not hide a deny",
     {ROLE, INLINE("[3,{'Effect':'Deny','Action':'ecr:*','Resource':'*'}]")},
     ANSWER_NO,
     "explicit-deny",
     "denies"},
    {"a boundary that does not allow it",
     {"{'RoleDetailList':[{'RoleName':'exec','RolePolicyList':[" OWN(
          ALLOW_ALL) "],"
                     "'AttachedManagedPolicies':[],'PermissionsBoundary':{'PermissionsBoundaryArn':"
                     "'arn:aws:iam::222222222222:policy/edge'}}]}",
      "{'Policies':[{'Arn':'arn:aws:iam::222222222222:policy/edge','PolicyVersionList':["
      "{'IsDefaultVersion':true,'Document':{'Statement':[{'Effect':'Allow','Action':'s3:*',"
      "'Resource':'*'}]}}]}]}"},
     ANSWER_NO,
     "boundary",
     "permissions boundary 'edge'"},
    {"a version that is not in force",
     {ROLE, "{'AttachedPolicies':[" SITE("site") "]}", "{'PolicyNames':[]}",
      "{'PolicyVersion':{'VersionId':'v1','IsDefaultVersion':false,'Document':{'Statement':"
      "[" ALLOW_ALL "]}}}"},
     ANSWER_UNDECIDABLE,
     "attached-policy",
     "what managed policy 'site'"},
    {"an empty list of attached policies, and two roles it may be of",
     {"{'Roles':[{'RoleName':'exec'},{'RoleName':'task'}]}",
      INLINE("{'Effect':'Allow','Action':'logs:*','Resource':'*'}"), "{'AttachedPolicies':[]}"},
     ANSWER_UNDECIDABLE,
     "more-policies",
     "whether they are all"},
    {"a question mark is one letter",
     {DETAILS(OWN("{'Effect':'Allow','Action':'ecr:BatchGetImag?','Resource':"
                  "'arn:aws:ecr:eu-west-?:222222222222:repository/ap?"
                  "?'}"),
              "")},
     ANSWER_NO,
     "other-resource",
     "but not on"},
    {"brackets are letters like others",
     {DETAILS(OWN("{'Effect':'Allow','Action':'ecr:[A-Z]*','Resource':'*'}"), "")},
     ANSWER_NO,
     "not-granted",
     "no policy"},
    {"Deny with NotResource",
     {ROLE, INLINE("[" ALLOW_ALL ",{'Effect':'Deny','Action':'*','NotResource':"
                   "'arn:aws:ecr:*:222222222222:repository/other'}]")},
     ANSWER_NO,
     "explicit-deny",
     "statement 2"},
    {"a deny of something else under a condition",
     {ROLE, INLINE("[" ALLOW_ALL ",{'Effect':'Deny','Action':'s3:*','Resource':'*','Condition':"
                   "{'Bool':{'aws:SecureTransport':'false'}}}]")},
     ANSWER_YES,
     NULL,
     "statement 1"},
    {"what the boundary refuses the repository does not grant",
     {"{'RoleDetailList':[{'RoleName':'exec','Arn':'arn:aws:iam::222222222222:role/exec',"
      "'RolePolicyList':[" OWN(ALLOW_ALL) "],'AttachedManagedPolicies':[],'PermissionsBoundary':{"
                                          "'PermissionsBoundaryArn':"
                                          "'arn:aws:iam::222222222222:policy/edge'}}]}",
      "{'Policies':[{'Arn':'arn:aws:iam::222222222222:policy/edge','PolicyVersionList':["
      "{'IsDefaultVersion':true,'Document':{'Statement':[]}}]}]}",
      "{'registryId':'222222222222','repositoryName':'app','policyText':'{\\\"Statement\\\":[{"
      "\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\","
      "\\\"Action\\\":\\\"ecr:*\\\"}]}'}"},
     ANSWER_NO,
     "boundary",
     "permissions boundary 'edge'"},
    {"the repository denies it",
     {ROLE, INLINE(ALLOW_ALL),
      "{'registryId':'222222222222','repositoryName':'app','policyText':'{\\\"Statement\\\":[{"
      "\\\"Sid\\\":\\\"no\\\",\\\"Effect\\\":\\\"Deny\\\",\\\"Principal\\\":\\\"*\\\","
      "\\\"Action\\\":\\\"ecr:BatchGetImage\\\"}]}'}"},
     ANSWER_NO,
     "explicit-deny",
     "statement 'no' of the repository policy denies"},
    {"the repository grants it by itself, in the same account",
     {DETAILS("", ""),
      "{'registryId':'222222222222','repositoryName':'app','policyText':'{\\\"Statement\\\":[{"
      "\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":{\\\"AWS\\\":"
      "\\\"arn:aws:iam::222222222222:role/exec\\\"},\\\"Action\\\":\\\"ecr:*\\\"}]}'}"},
     ANSWER_YES,
     NULL,
     "statement 1 of the repository policy allows"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct reasoned reasoned;
        struct answer answer;
        reasoned_init(&reasoned);
        for (int j = 0; j < 5 && row->given[j]; j++) {
            char name[32];
            snprintf(name, sizeof name, "aws/%d.json", j);
            reasoned_add(&reasoned, name, row->given[j]);
        }
        reasoned_read(&reasoned);
        iam_ask(&reasoned.view,
                &(struct iam_question){
                    .role = "exec", .action = "ecr:BatchGetImage", .resource = REPOSITORY},
                &answer);
        if (answer.decision != row->decision || !str_equal(answer.reason, row->reason) ||
            !strstr(answer.why, row->why))
            fail_msg("%s: %d, %s: %s", row->what, answer.decision,
                     answer.reason ? answer.reason : "-", answer.why);
        reasoned_release(&reasoned);
    }
}

static void test_foreign_repository(void **state)
{
    struct reasoned reasoned;
    struct answer answer;
    (void)state;
    reasoned_init(&reasoned);
    reasoned_add(&reasoned, "a.json", DETAILS(OWN(ALLOW_ALL), ""));
    reasoned_add(&reasoned, "b.json",
                 "{'registryId':'333333333333','repositoryName':'shared','policyText':'{"
                 "\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":{\\\"AWS\\\":["
                 "\\\"arn:aws:iam::444444444444:root\\\"]},\\\"Action\\\":\\\"ecr:*\\\"}}'}");
    reasoned_read(&reasoned);
    struct iam_question question = {
        .role = "arn:aws:sts::222222222222:assumed-role/exec/0123",
        .action = "ecr:BatchGetImage",
        .resource = "arn:aws:ecr:eu-west-1:333333333333:repository/shared"};
    iam_ask(&reasoned.view, &question, &answer);
    assert_int_equal(answer.decision, ANSWER_NO);
    assert_string_equal(answer.reason, "repository-policy");
    question.resource = "arn:aws:ecr:eu-west-1:333333333333:repository/other";
    iam_ask(&reasoned.view, &question, &answer);
    assert_int_equal(answer.decision, ANSWER_UNDECIDABLE);
    assert_string_equal(answer.reason, "repository-policy");
    reasoned_release(&reasoned);
}

static void test_endpoint(void **state)
{
    struct reasoned reasoned;
    struct answer answer;
    (void)state;
    reasoned_init(&reasoned);
    reasoned_add(&reasoned, "a.json",
                 "{'VpcEndpoints':[{'VpcEndpointId':'vpce-1','PolicyDocument':'{\\\"Statement\\\":["
                 "{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":"
                 "\\\"s3:GetObject\\\",\\\"Resource\\\":\\\"arn:aws:s3:::mine/*\\\"}]}'},"
                 "{'VpcEndpointId':'vpce-2'}]}");
    reasoned_read(&reasoned);
    struct iam_question question = {
        .action = "s3:GetObject", .resource = "arn:aws:s3:::starport/x", .endpoint = "vpce-1"};
    iam_ask(&reasoned.view, &question, &answer);
    assert_int_equal(answer.decision, ANSWER_NO);
    assert_string_equal(answer.reason, "endpoint-policy");
    assert_string_equal(answer.record->pointer, "/VpcEndpoints/0/PolicyDocument");
    assert_non_null(strstr(answer.record->excerpt, "arn:aws:s3:::mine/*"));
    assert_null(view_text(&reasoned.view, answer.record, "Effect"));
    question.endpoint = "vpce-2";
    iam_ask(&reasoned.view, &question, &answer);
    assert_int_equal(answer.decision, ANSWER_YES);
    reasoned_release(&reasoned);
}

static void test_record(void **state)
{
    struct reasoned reasoned;
    struct answer answer;
    (void)state;
    reasoned_init(&reasoned);
    reasoned_add(&reasoned, "a.json", DETAILS(OWN("[" ALLOW_ALL "]"), ""));
    reasoned_read(&reasoned);
    iam_ask(&reasoned.view,
            &(struct iam_question){.role = "exec", .action = "ecr:X", .resource = "*"}, &answer);
    assert_string_equal(answer.record->pointer,
                        "/RoleDetailList/0/RolePolicyList/0/PolicyDocument/Statement/0");
    assert_string_equal(view_text(&reasoned.view, answer.record, "Action"), "ecr:*");
    reasoned_release(&reasoned);
}

/* Whatever a document holds, it is judged or refused. */
static void test_hostile(void **state)
{
    static const char *const documents[] = {
        "[]",
        "3",
        "null",
        "{'Statement':[[[]]]}",
        "{'Statement':{'Effect':3}}",
        "{'Statement':[{'Effect':'Allow','Action':[{}],'Resource':[3]}]}",
        "{'Statement':[{'Effect':'Deny','Action':{},'Resource':'*'}]}",
        "{'Statement':[{'Effect':'Allow','Principal':{'AWS':[3,{}]},'Action':'*'}]}",
        "{'Statement':[{'Effect':'Allow','Action':'${','Resource':'${${}}${'}]}",
        "{'Statement':{'Effect':'Allow','Action':'**********************************a*b*c*d*e',"
        "'Resource':'*****************************************************************z'}}"};
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        char text[512], problem[200];
        struct policy_answer said;
        struct err err = ERR_INIT;
        cJSON *owned;
        snprintf(text, sizeof text, "%s", documents[i]);
        for (char *p = text; *p; p++)
            *p = *p == '\'' ? '"' : *p;
        cJSON *json = json_parse(text, strlen(text), &err);
        const cJSON *tree = policy_document(json, &owned, problem);
        for (int principal = 0; tree && principal < 2; principal++) {
            policy_judge(tree,
                         &(struct policy_question){.action = "ecr:BatchGetImage",
                                                   .resource = REPOSITORY,
                                                   .has_principal = principal == 1},
                         &said);
            assert_null(said.allows);
            assert_null(said.denies);
        }
        cJSON_Delete(owned);
        cJSON_Delete(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_foreign_repository),
        cmocka_unit_test(test_endpoint), cmocka_unit_test(test_record),
        cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests_name("iam", tests, NULL, NULL);
}
