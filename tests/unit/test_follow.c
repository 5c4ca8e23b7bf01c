/* Names become plans, answers become the words of the next call, and nothing hostile gets through. */
#include "base/alloc.h"
#include "base/json.h"
#include "collect/ecs.h"
#include "collect/kube.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const struct follow_variable variables[] = {{"task", "abc"}, {"unknown", NULL}};
static const struct follow_plan plan = {.variables = variables, .variables_len = 2};
static const char *const parent[] = {"aws",         "iam", "list-role-policies",
                                     "--role-name", "web", NULL};

static void add_words(struct buf *joined, struct follow_words *words)
{
    for (size_t i = 0; i < words->len; i++)
        buf_addf(joined, "%s%s", joined->len ? " " : "", words->items[i]);
    follow_words_release(words);
}

static char *words_of(const struct follow_rule *rule, const char *text)
{
    struct follow_words words = {0};
    struct buf joined;
    size_t len;
    cJSON *answer = json_parse(text, strlen(text), NULL);
    const cJSON **nodes = follow_select(rule, answer, &len);
    buf_init(&joined, 4096);
    if (rule->joined && len && follow_fill_joined(&plan, rule->call, nodes, len, parent, &words))
        follow_words_add(&words, xstrdup("."));
    add_words(&joined, &words);
    for (size_t i = 0; !rule->joined && i < len; i++) {
        if (follow_fill(&plan, rule->call, nodes[i], parent, &words))
            follow_words_add(&words, xstrdup("."));
        else
            follow_words_release(&words);
        add_words(&joined, &words);
    }
    free(nodes);
    cJSON_Delete(answer);
    return buf_take(&joined);
}

static void assert_words(const struct follow_rule rule, const char *answer, const char *expected)
{
    char *words = words_of(&rule, answer);
    assert_string_equal(words ? words : "", expected);
    free(words);
}

static void test_members(void **state)
{
    const char *answer = "{\"tasks\":[{\"a\":[{\"name\":\"eni\",\"v\":\"e-1\"},{\"name\":\"mac\","
                         "\"v\":\"00\"}]},{\"a\":[{\"name\":\"eni\",\"v\":\"e-2\"}]}]}";
    (void)state;
    assert_words((struct follow_rule){"", "tasks[].a[]", "name=eni", "x --id {v}", false}, answer,
                 "x --id e-1 . x --id e-2 .");
    assert_words((struct follow_rule){"", "tasks[].a[]", "name=eni", "x --ids {v}", true}, answer,
                 "x --ids e-1 e-2 .");
    assert_words((struct follow_rule){"", "tasks[].b[]", NULL, "x {v}", false}, answer, "");
    assert_words((struct follow_rule){"", "tasks", NULL, "x {v}", false}, answer, "");
}

static void test_parts(void **state)
{
    const char *answer = "{\"arn\":\"arn:aws:iam::1:role/path/web\",\"group\":\"service:web\","
                         "\"image\":\"111122223333.dkr.ecr.eu-west-1.amazonaws.com/a/b:v1\","
                         "\"mesh\":\"arn:aws:appmesh:eu-west-1:1:mesh/m/virtualNode/n\"}";
    (void)state;
    assert_words((struct follow_rule){"", "", NULL, "{arn|name} {group|last} {$task}", false},
                 answer, "web web abc .");
    assert_words((struct follow_rule){"", "", NULL,
                                      "{image|image-account} {image|image-region} "
                                      "{image|image-repository} {image|image-id}",
                                      false},
                 answer, "111122223333 eu-west-1 a/b imageTag=v1 .");
    assert_words((struct follow_rule){"", "", NULL, "{mesh|mesh} {mesh|virtualNode}", false},
                 answer, "m n .");
    assert_words((struct follow_rule){"", "", NULL, "{mesh|virtualGateway}", false}, answer, "");
    assert_words((struct follow_rule){"", "", NULL, "--role {^--role-name}", false}, answer,
                 "--role web .");
    assert_words((struct follow_rule){"", "", NULL, "{^--other}", false}, answer, "");
    assert_words((struct follow_rule){"", "", NULL, "{$unknown}", false}, answer, "");
}

static void test_hostile_answers(void **state)
{
    const struct follow_rule rule = {"", "a[]", NULL, "get node {}", false};
    (void)state;
    assert_words(rule, "{\"a\":[\"--raw=/x\",\"-n\",\"\",7,null,{},\"a\\nb\",\"fine\"]}",
                 "get node fine .");
    assert_words(rule, "{\"a\":\"no array\"}", "");
    assert_words(rule, "[]", "");
}

static void assert_pod(const char *text, const char *namespace, const char *kind, const char *name)
{
    struct kube_name parsed;
    assert_true(kube_name_parse(&parsed, text, NULL));
    assert_string_equal(parsed.namespace ? parsed.namespace : "", namespace);
    assert_string_equal(parsed.kind, kind);
    assert_string_equal(parsed.name, name);
    kube_name_release(&parsed);
}

static void test_names_in_a_cluster(void **state)
{
    static const char *const wrong[] = {
        "",      "/",       "a/",    "/a",        "a/b/c",         "-n/web",
        "a b/c", "a/b/c/d", "A/web", "a/deploy/", "shop/deploy/-x"};
    struct kube_name name;
    (void)state;
    assert_pod("web-1", "", "pod", "web-1");
    assert_pod("shop/web-1", "shop", "pod", "web-1");
    assert_pod("deploy/web", "", "deployment", "web");
    assert_pod("shop/sts/db", "shop", "statefulset", "db");
    assert_pod("shop/svc/web", "shop", "service", "web");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (kube_name_parse(&name, wrong[i], NULL))
            fail_msg("'%s' passes", wrong[i]);
}

static void assert_task(const char *text, const char *cluster, const char *task,
                        const char *service, const char *region)
{
    struct ecs_name name;
    assert_true(ecs_name_parse(&name, text, NULL));
    assert_string_equal(name.cluster ? name.cluster : "", cluster);
    assert_string_equal(name.task ? name.task : "", task);
    assert_string_equal(name.service ? name.service : "", service);
    assert_string_equal(name.region ? name.region : "", region);
    ecs_name_release(&name);
}

static void test_names_in_ecs(void **state)
{
    static const char *const wrong[] = {"", "/", "prod/", "-x/y", "a/b/c", "prod/x y", "arn:aws"};
    struct ecs_name name;
    (void)state;
    assert_task("prod/abc", "prod", "abc", "", "");
    assert_task("prod/task/abc", "prod", "abc", "", "");
    assert_task("prod/service/web", "prod", "", "web", "");
    assert_task("prod", "prod", "", "", "");
    assert_task("arn:aws:ecs:eu-west-1:1:task/prod/abc", "prod", "abc", "", "eu-west-1");
    assert_task("arn:aws:ecs:eu-west-1:1:service/prod/web", "prod", "", "web", "eu-west-1");
    assert_task("arn:aws:ecs:eu-west-1:1:cluster/prod", "prod", "", "", "eu-west-1");
    assert_task("arn:aws:appmesh:eu-west-1:1:mesh/m/virtualNode/n", "", "", "", "eu-west-1");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (ecs_name_parse(&name, wrong[i], NULL))
            fail_msg("'%s' passes", wrong[i]);
}

static void assert_ports(const char *text, int first, size_t len)
{
    int ports[KUBE_PORTS_MAX];
    cJSON *pod = json_parse(text, strlen(text), NULL);
    assert_int_equal(kube_admin_ports(pod, ports), len);
    assert_int_equal(ports[0], first);
    cJSON_Delete(pod);
}

static void test_where_the_admin_page_listens(void **state)
{
    (void)state;
    assert_ports("{\"spec\":{\"containers\":[{\"name\":\"istio-proxy\"}]}}", 15000, 1);
    assert_ports("{\"spec\":{\"initContainers\":[{\"name\":\"istio-proxy\",\"restartPolicy\":"
                 "\"Always\"}]}}",
                 15000, 1);
    assert_ports("{\"spec\":{\"containers\":[{\"name\":\"consul-dataplane\",\"args\":"
                 "[\"-envoy-admin-bind-port=19001\"]}]}}",
                 19001, 2);
    assert_ports(
        "{\"spec\":{\"containers\":[{\"name\":\"envoy\",\"args\":[\"--config-yaml admin:\\n"
        "  address:\\n    socket_address:\\n      port_value: 19000\\n\"]}]}}",
        19000, 1);
    assert_ports("{\"spec\":{\"containers\":[{\"name\":\"x\",\"env\":[{\"name\":"
                 "\"ENVOY_ADMIN_ACCESS_PORT\",\"value\":\"9902\"}]}]}}",
                 9902, 1);
    assert_ports("{\"spec\":{\"containers\":[{\"name\":\"web\"}]}}", 9901, 3);
    assert_ports("[]", 9901, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),         cmocka_unit_test(test_parts),
        cmocka_unit_test(test_hostile_answers), cmocka_unit_test(test_names_in_a_cluster),
        cmocka_unit_test(test_names_in_ecs),    cmocka_unit_test(test_where_the_admin_page_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
