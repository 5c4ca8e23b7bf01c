/* What the two clients print when a call fails, and what is made of it. The texts are theirs. */
#include "collect/follow_said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *program, const char *service, const char *said,
                  enum follow_failure failure, const char *expected)
{
    const char *argv[] = {program, service, NULL};
    struct follow_said out;
    follow_said(argv, said, 1, &out);
    assert_int_equal(out.failure, failure);
    assert_memory_equal(out.text, expected, strlen(expected));
}

static void test_permissions(void **state)
{
    (void)state;
    check("aws", "iam",
          "\nAn error occurred (AccessDenied) when calling the GetRole operation: User: "
          "arn:aws:iam::111122223333:user/me is not authorized to perform: iam:GetRole on "
          "resource: role web "
          "because no identity-based policy allows the iam:GetRole action\n",
          FOLLOW_DENIED,
          "permission missing: iam:GetRole on role web, for arn:aws:iam::111122223333:user/me");
    check(
        "aws", "ecs",
        "An error occurred (AccessDeniedException) when calling the DescribeTasks operation: User: "
        "arn:aws:sts::111122223333:assumed-role/r/me is not authorized to perform: "
        "ecs:DescribeTasks on "
        "resource: arn:aws:ecs:eu-west-1:111122223333:task/prod/0 with an explicit deny in a "
        "service control "
        "policy",
        FOLLOW_DENIED,
        "permission missing: ecs:DescribeTasks on arn:aws:ecs:eu-west-1:111122223333:task/prod/0, "
        "for "
        "arn:aws:sts::111122223333:assumed-role/r/me; a policy denies it explicitly");
    check("aws", "elbv2",
          "An error occurred (AccessDenied) when calling the DescribeRules operation: no",
          FOLLOW_DENIED, "permission missing: elasticloadbalancing:DescribeRules");
    check("aws", "ec2",
          "An error occurred (UnauthorizedOperation) when calling the DescribeSubnets operation: "
          "You are not "
          "authorized to perform this operation.",
          FOLLOW_DENIED, "permission missing: ec2:DescribeSubnets");
    check(
        "kubectl", "logs",
        "Error from server (Forbidden): pods \"web\" is forbidden: User \"me\" cannot get resource "
        "\"pods/log\" in API group \"\" in the namespace \"shop\"",
        FOLLOW_DENIED, "permission missing: get pods/log in namespace shop, for user me");
    check(
        "kubectl", "get",
        "Error from server (Forbidden): virtualnodes.appmesh.k8s.aws is forbidden: User \"me\" "
        "cannot list "
        "resource \"virtualnodes\" in API group \"appmesh.k8s.aws\" at the cluster scope",
        FOLLOW_DENIED,
        "permission missing: list virtualnodes.appmesh.k8s.aws at the cluster scope, for user me");
}

static void test_what_shuts_the_client_out(void **state)
{
    (void)state;
    check("aws", "ecs",
          "Error when retrieving token from sso: Token has expired and refresh failed", FOLLOW_SHUT,
          "the login of aws has expired");
    check("aws", "ecs",
          "The SSO session associated with this profile has expired or is otherwise invalid. To "
          "refresh this SSO "
          "session run aws sso login with the corresponding profile.",
          FOLLOW_SHUT, "the login of aws has expired");
    check("aws", "ecs",
          "An error occurred (ExpiredTokenException) when calling the DescribeTasks operation: The "
          "security token "
          "included in the request is expired",
          FOLLOW_SHUT, "the login of aws has expired");
    check("aws", "ecs",
          "You must specify a region. You can also configure your region by running \"aws "
          "configure\".",
          FOLLOW_SHUT, "aws has no region here");
    check("kubectl", "get", "error: You must be logged in to the server (Unauthorized)",
          FOLLOW_SHUT, "kubectl's login is not valid");
    check("kubectl", "get", "Unable to connect to the server: net/http: TLS handshake timeout",
          FOLLOW_SHUT, "kubectl does not reach the server");
    check("kubectl", "get", "error: context \"prod\" does not exist", FOLLOW_SHUT,
          "kubectl knows no cluster here");
}

static void test_the_words_themselves(void **state)
{
    (void)state;
    check("kubectl", "get",
          "E1121 16:09:42.418038   24732 memcache.go:265] \"Unhandled Error\" err=\"x\"\nerror: "
          "odd\n",
          FOLLOW_OTHER, "error: odd");
    check("kubectl", "get", "E1121 16:09:42.418038   24732 memcache.go:265] only this",
          FOLLOW_OTHER, "E1121");
    check("kubectl", "get", "", FOLLOW_OTHER, "failed without a word (exit status 1)");
    check("kubectl", "get", "error: the server doesn't have a resource type \"meshes\"",
          FOLLOW_NOTHING, "error");
    check("kubectl", "get", "Error from server (NotFound): pods \"web\" not found", FOLLOW_ABSENT,
          "Error");
    check("aws", "ecs", "is not authorized to perform: ", FOLLOW_DENIED, "permission missing: ");
    check("aws", "ecs", "(AccessDenied) when calling the ", FOLLOW_DENIED,
          "permission missing: ecs:");
}

static void test_endless_words(void **state)
{
    (void)state;
    char said[4096];
    memset(said, 'x', sizeof said - 1);
    said[sizeof said - 1] = '\0';
    memcpy(said, "User: ", 6);
    memcpy(said + 1000, " is not authorized to perform: ", 31);
    check("aws", "ecs", said, FOLLOW_DENIED, "permission missing: xxx");
    said[1000] = 'x';
    check("kubectl", "get", said, FOLLOW_OTHER, "xxx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permissions),
        cmocka_unit_test(test_what_shuts_the_client_out),
        cmocka_unit_test(test_the_words_themselves),
        cmocka_unit_test(test_endless_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
