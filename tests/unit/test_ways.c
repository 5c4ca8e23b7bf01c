/* Commands filled in: the names of the pod or task, the way that the platform has, the admin page. */
#include "given.h"

#include "finding/ways.h"

static const char istio[] =
    "{\"version\": \"a/1.30.1/Clean/RELEASE\", \"state\": \"LIVE\", \"node\": {\"id\": "
    "\"sidecar~10.0.0.1~web-6d4-x2x.shop~shop.svc.cluster.local\", \"metadata\": "
    "{\"ISTIO_VERSION\": \"1.22.0\"}}}";

static const char deployment[] =
    "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web, namespace: shop}\nspec: "
    "{template: {spec: {serviceAccountName: web, containers: [{name: app, image: app}, {name: "
    "envoy, "
    "image: 'x/aws-appmesh-envoy:v1.27.2.0-prod'}]}}}\n";

static const char task[] =
    "{\"tasks\": [{\"taskArn\": \"arn:aws:ecs:eu-west-1:111122223333:task/prod/0123abcd\", "
    "\"clusterArn\": \"arn:aws:ecs:eu-west-1:111122223333:cluster/prod\", \"group\": "
    "\"service:orders\", \"taskDefinitionArn\": "
    "\"arn:aws:ecs:eu-west-1:111122223333:task-definition/orders:7\", \"lastStatus\": \"RUNNING\", "
    "\"containers\": [{\"name\": \"envoy\", \"lastStatus\": \"RUNNING\"}]}]}";

static const char hostile[] =
    "kind: Pod\napiVersion: v1\nmetadata: {name: 'web; rm -rf ~', namespace: shop}\nspec: "
    "{containers: [{name: envoy, image: 'envoyproxy/envoy:v1.31.0'}]}\n";

static const char two_pods[] =
    "kind: Pod\napiVersion: v1\nmetadata: {name: a, namespace: shop}\nspec: {containers: [{name: "
    "envoy, image: envoy}]}\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: b, namespace: "
    "shop}\nspec: {containers: [{name: envoy, image: envoy}]}\n";

static void assert_filled(const char *evidence, const char *text, const char *wanted)
{
    struct given given;
    struct names names;
    struct buf out;
    given_text(&given, "x", evidence);
    names_find(&names, given.evidence);
    buf_init(&out, 4096);
    ways_fill(&out, text, given.evidence, &names);
    if (strcmp(buf_str(&out), wanted) != 0)
        fail_msg("'%s' became '%s', not '%s'", text, buf_str(&out), wanted);
    buf_release(&out);
    given_release(&given);
}

static void names(void **state)
{
    (void)state;
    static const char command[] = "kubectl logs POD -c CONTAINER";
    assert_filled("nothing\n", command, command);
    assert_filled(istio, command, "kubectl logs web-6d4-x2x -n shop -c istio-proxy");
    assert_filled(deployment, command, "kubectl logs deploy/web -n shop -c envoy");
    assert_filled(deployment, "kubectl get sa SERVICEACCOUNT -n NAMESPACE; PODS MYPOD POD_NAME",
                  "kubectl get sa web -n shop; PODS MYPOD POD_NAME");
    assert_filled(deployment, "kubectl -n NAMESPACE delete pod POD",
                  "kubectl -n shop delete pod POD");
    assert_filled(deployment, "kubectl get pod POD -o json",
                  "kubectl get deploy/web -n shop -o json");
    assert_filled(task, "CLUSTERNAME TASK SERVICE FAMILY GROUP",
                  "prod 0123abcd orders orders:7 GROUP");
    assert_filled(deployment, "debrief check k8s:NAMESPACE/POD, or kubectl logs POD",
                  "debrief check k8s:shop/deploy/web, or kubectl logs deploy/web -n shop");
    assert_filled(hostile, command, "kubectl logs POD -c envoy");
    assert_filled(two_pods, command, command);
}

static void tokens(void **state)
{
    (void)state;
    assert_filled(istio, "@log@",
                  "kubectl logs web-6d4-x2x -n shop -c istio-proxy --timestamps > envoy.log");
    assert_filled(
        task, "@status@",
        "aws ecs describe-tasks --cluster prod --tasks 0123abcd --output json > tasks.json");
    assert_filled(istio, "first @inside ls -l /var/run@, then",
                  "first kubectl exec web-6d4-x2x -n shop -c istio-proxy -- ls -l /var/run, then");
    assert_filled("nothing\n", "@inside id@", "id, inside the proxy's container");
    assert_filled("nothing\n", "a@b @ @c@ @log", "a@b @ @c@ @log");
}

static void admin_page(void **state)
{
    (void)state;
    static const char command[] =
        "curl -s 'http://ADMIN/stats?filter=a|b'; curl -s http://ADMIN/certs";
    assert_filled("nothing\n", command,
                  "curl -s 'http://127.0.0.1:9901/stats?filter=a|b'; curl -s "
                  "http://127.0.0.1:9901/certs");
    assert_filled(
        istio, command,
        "kubectl exec web-6d4-x2x -n shop -c istio-proxy -- pilot-agent request GET "
        "'stats?filter=a|b'; kubectl exec web-6d4-x2x -n shop -c istio-proxy -- pilot-agent "
        "request GET 'certs'");
    assert_filled(istio, "curl -s -X POST http://ADMIN/healthcheck/ok",
                  "kubectl exec web-6d4-x2x -n shop -c istio-proxy -- pilot-agent request POST "
                  "'healthcheck/ok'");
    assert_filled(
        deployment, "curl -s http://ADMIN/certs > certs.json",
        "kubectl exec deploy/web -n shop -c envoy -- curl -s 'http://127.0.0.1:9901/certs' "
        "> certs.json");
    assert_filled(
        two_pods, command,
        "kubectl port-forward POD 9901 & sleep 2; curl -s "
        "'http://127.0.0.1:9901/stats?filter=a|b'; curl -s 'http://127.0.0.1:9901/certs'");
    assert_filled("admin: {address: {pipe: {path: /run/a.sock}}}\nstatic_resources: {}\n", command,
                  "curl -s --unix-socket /run/a.sock http://localhost'/stats?filter=a|b'; curl -s "
                  "--unix-socket /run/a.sock http://localhost/certs");
}

/* Who was asked is known from the bundle, or from the bootstrap; an index may say anything. */
static void known_address(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *text, *wanted;
    } rows[] = {
        {"http://10.0.0.5:19901/stats", "@debrief@ --sample 10s",
         "debrief check http://10.0.0.5:19901 --sample 10s"},
        {"https://[fd00::5]:9901/stats", "curl -s http://ADMIN/certs",
         "curl -s https://[fd00::5]:9901/certs"},
        {"http://x$(id):1/stats", "@debrief@",
         "debrief check http://HOST:9901 (the proxy's admin address)"},
        {"http://x", "@debrief@ --sample 10s", "debrief check http://HOST:9901 --sample 10s"},
        {"", "@debrief@", "debrief check http://HOST:9901 (the proxy's admin address)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given given;
        struct names found;
        struct buf out;
        given_text(&given, "admin/stats.txt", "server.uptime: 1\n");
        evidence_sources(given.evidence)->items[0].origin = rows[i].origin;
        names_find(&found, given.evidence);
        buf_init(&out, 4096);
        ways_fill(&out, rows[i].text, given.evidence, &found);
        assert_string_equal(buf_str(&out), rows[i].wanted);
        buf_release(&out);
        given_release(&given);
    }
    assert_filled("admin: {address: {pipe: {path: /run/a.sock}}}\nstatic_resources: {}\n",
                  "@debrief@", "debrief check unix:/run/a.sock");
}

/* The dictionary's alternatives. */
static void alternatives(void **state)
{
    (void)state;
    static const char how[] = "kubectl get pods -n NAMESPACE -o json, or aws ecs describe-tasks";
    static const char *const rows[][2] = {
        {"nothing\n", how},
        {istio, "debrief check k8s:shop/web-6d4-x2x; or: kubectl get pods -n shop -o json"},
        {task, "debrief check ecs:prod/0123abcd; or: aws ecs describe-tasks"},
        {two_pods, "kubectl get pods -n NAMESPACE -o json"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given given;
        struct names found;
        struct buf out;
        given_text(&given, "x", rows[i][0]);
        names_find(&found, given.evidence);
        buf_init(&out, 4096);
        ways_fit(&out, how, given.evidence, &found);
        assert_string_equal(buf_str(&out), rows[i][1]);
        buf_release(&out);
        given_release(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),        cmocka_unit_test(tokens),
        cmocka_unit_test(admin_page),   cmocka_unit_test(known_address),
        cmocka_unit_test(alternatives),
    };
    return cmocka_run_group_tests_name("ways", tests, NULL, NULL);
}
