/* Pastes: what several tools have printed, in one text, and what mail programs, chats and consoles have
 * made of it. */
#include "given.h"

#define TASKS                                                                                      \
    "{\n    \"tasks\": [\n        {\n            \"taskArn\": "                                    \
    "\"arn:aws:ecs:us-west-2:1:task/c/t\",\n"                                                      \
    "            \"lastStatus\": \"STOPPED\",\n"                                                   \
    "            \"stoppedReason\": \"it said \\\"no\\\"\"\n        }\n    ],\n    \"failures\": " \
    "[]\n}\n"
#define POD                                                                                        \
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web-1\n  namespace: shop\n  annotations:\n"     \
    "    note: |\n      some\n\n      text\nspec:\n  containers:\n  - name: envoy\n    image: "    \
    "e:1\n"
#define LOG "[2026-11-21 08:00:00.123][12][warning][config] [a.cc:163] gRPC config rejected\n"

static const char *place(const struct given *given, const char *name, int n)
{
    static char buf[64];
    const struct record *record = given_record(given, name, n);
    return record ? record_locator(record, buf) : "(none)";
}

/* One tool's output after the other: each is read by its reader, and cited where it stands. */
static void each_region_has_its_reader(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "p.txt",
               "hello,\n\n$ kubectl -n shop get pod web-1 -o yaml\n" POD
               "$ kubectl -n shop logs web-1\n" LOG "$ aws ecs describe-tasks --tasks t\n" TASKS
               "$ curl localhost:9901/ready\nLIVE\nroot@web-1:/# curl localhost:9901/stats\n"
               "server.live: 1\nlistener_manager.lds.update_rejected: 3\n"
               "/ # curl localhost:9901/clusters\na::10.0.0.1:80::cx_active::1\n");
    assert_string_equal(given_kind(&given), "paste");
    assert_null(given_problem(&given));
    assert_string_equal(place(&given, "k8s.pods", 0), "line 4");
    assert_string_equal(place(&given, "containers", 0), "line 4/spec/containers/0");
    assert_string_equal(given_field(&given, "k8s.pods", 0, "metadata.annotations.note"),
                        "some\n\ntext\n");
    assert_string_equal(given_field(&given, "log", 0, "shape"), "log.envoy");
    assert_string_equal(place(&given, "aws.tasks", 0), "line 21/tasks/0");
    assert_string_equal(given_field(&given, "aws.tasks", 0, "stoppedReason"), "it said \"no\"");
    assert_string_equal(place(&given, "ready", 0), "line 32");
    assert_int_equal(given_count(&given, "stats"), 2);
    assert_string_equal(given_field(&given, "hosts", 0, "address"), "10.0.0.1:80");
    assert_string_equal(place(&given, "hosts", 0), "line 37");
    given_release(&given);
}

static void as_people_send_it(void **state)
{
    static const struct {
        const char *text, *place;
    } pastes[] = {
        {TASKS, "/tasks/0"},
        {"Hi\n```json\n" TASKS "```\nand so on\n", "line 3/tasks/0"},
        {"```" TASKS "```\n", "line 1/tasks/0"},
        {"I see\n> > $ aws ecs describe-tasks\n> > {\n> >   \"tasks\": [ {\n> >\n"
         "> >   \"taskArn\": \"arn:aws:ecs:us-west-2:1:task/c/t\",\n> >   \"lastStatus\": "
         "\"STOPPED\""
         "\n> > } ]\n> > }\nno idea\n",
         "line 3/tasks/0"},
        {"| $ aws ecs describe-tasks\n| {\n|   \"tasks\": [ {\n|\n"
         "|   \"taskArn\": \"arn:aws:ecs:us-west-2:1:task/c/t\",\n|   \"lastStatus\": \"STOPPED\"\n"
         "| } ]\n| }\n",
         "line 2/tasks/0"},
        {"$ aws ecs describe-tasks\r\n{\r\n  \"tasks\": [ {\r\n"
         "  \"taskArn\": \"arn:aws:ecs:us-west-2:1:task/c/t\",\r\n  \"lastStatus\": \"STOPPED\"\r\n"
         "} ]\r\n}\r\n",
         "line 2/tasks/0"},
        {"$ aws ecs describe-tasks\n{[1;39m\n  [34;1m\"tasks\"[0m: [ {\n"
         "  \"taskArn\": [0;32m\"arn:aws:ecs:us-west-2:1:task/c/t\"[0m,\n  \"lastStatus\": "
         "\"STOPPED\"\n"
         "} ]\n}\n",
         "line 2/tasks/0"},
        {"here\n{ &quot;tasks&quot;: [ { &quot;taskArn&quot;: "
         "&quot;arn:aws:ecs:us-west-2:1:task/c/t&quot;,\n&quot;lastStatus&quot;: "
         "&quot;STOPPED&quot;&nbsp;} ] }\n",
         "line 2/tasks/0"},
        {"here\n{ \xE2\x80\x9Ctasks\xE2\x80\x9D: [ { \xE2\x80\x9CtaskArn\xE2\x80\x9D: "
         "\xE2\x80\x9C"
         "arn:aws:ecs:us-west-2:1:task/c/t\xE2\x80\x9D,\n  "
         "\xE2\x80\x9ClastStatus\xE2\x80\x9D:\xC2\xA0\xE2\x80\x9CSTOPPED\xE2\x80\x9D } ] }\n",
         "line 2/tasks/0"},
        {"1 $ aws ecs describe-tasks\n2 {\n3   \"tasks\": [ {\n"
         "4   \"taskArn\": \"arn:aws:ecs:us-west-2:1:task/c/t\",\n5   \"lastStatus\": \"STOPPED\"\n"
         "6 } ]\n7 }\n",
         "line 2/tasks/0"},
        {"2026-11-21T08:00:00.1234567Z ##[group]Run aws\n2026-11-21T08:00:00.1234567Z {\n"
         "2026-11-21T08:00:00.1234567Z   \"tasks\": [ {\n2026-11-21T08:00:00.1234567Z   "
         "\"taskArn\": \"arn:aws:ecs:us-west-2:1:task/c/t\",\n2026-11-21T08:00:00.1234567Z   "
         "\"lastStatus\": \"STOPPED\"\n2026-11-21T08:00:00.1234567Z } ]\n"
         "2026-11-21T08:00:00.1234567Z }\n2026-11-21T08:00:00.1234567Z done\n",
         "line 2/tasks/0"},
        {"$ aws ecs describe-tasks\n" TASKS "$ date\n" TASKS, "line 2/tasks/0"},
        {"{\"taskArns\": []}\n" TASKS, "line 2/tasks/0"},
        {"boto3 says\n{'tasks': [{'taskArn': 'arn:aws:ecs:us-west-2:1:task/c/t', 'startedBy': "
         "None,\n"
         " 'lastStatus': 'STOPPED', 'stoppedAt': datetime.datetime(2026, 11, 21, 8, 0),\n"
         " 'stoppedReason': \"it didn't \", 'group': 'a \"b\" \\'c\\''}]}\n",
         "line 2/tasks/0"},
        {"$ aws ecs describe-tasks --output table\n----------------------------------------\n"
         "|             DescribeTasks            |\n+--------------------------------------+\n"
         "||                tasks               ||\n|+-------------+----------------------+|\n"
         "||  lastStatus |  STOPPED             ||\n||  taskArn    |  a:task/c/t          ||\n"
         "|+-------------+----------------------+|\n|||            containers            |||\n"
         "||+-----------------+--------------+||\n|||      image      |     name     |||\n"
         "||+-----------------+--------------+||\n|||  a:1            |  a           |||\n"
         "|||  b:1            |  b           |||\n||+-----------------+--------------+||\n",
         "line 2/tasks/0"},
        {"$ aws ecs describe-tasks --output text\n"
         "TASKS\ta:cluster/c\t256\t2026-11-21T08:00:00+00:00\tSTOPPED\tFalse\tservice:w\tSTOPPED\t"
         "FARGATE\t512\t1.4.0\tEssentialContainerExited\t2026-11-21T08:00:00+00:00\tEssential "
         "container in task exited\ta:task/c/t\ta:task-definition/w:1\t3\n"
         "ATTACHMENTS\t1\tDELETED\tElasticNetworkInterface\nDETAILS\tsubnetId\tsubnet-1\n"
         "CONTAINERS\ta:container/c/t/1\t0\t1\tUNKNOWN\te:1\tSTOPPED\tenvoy\ta:task/c/t\n",
         "line 2/tasks/0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pastes / sizeof *pastes; i++) {
        struct given given;
        print_message("%s\n", pastes[i].text);
        given_text(&given, "p.txt", pastes[i].text);
        assert_null(given_problem(&given));
        assert_string_equal(place(&given, "aws.tasks", 0), pastes[i].place);
        assert_string_equal(given_field(&given, "aws.tasks", 0, "lastStatus"), "STOPPED");
        assert_int_equal(evidence_state(given.evidence, "aws.tasks"), EVIDENCE_COMPLETE);
        given_release(&given);
    }
}

/* What somebody left out, or a terminal cut, is said, and the rest is read. */
static void parts_are_missing(void **state)
{
    static const char *const pastes[] = {
        "$ aws x\n{\n \"tasks\": [\n  {\n   \"taskArn\": \"a:task/c/t\",\n   ...\n"
        "   \"lastStatus\": \"STOPPED\",\n   \"containers\": [...],\n   \"group\": ...\n  },\n  "
        "...\n ]\n}\n",
        "$ aws x\n{\n \"tasks\": [\n  {\n   \"taskArn\": \"a:task/c/t\",\n"
        "   \"lastStatus\": \"STOPPED\",\n   \"containers\": [\n$ date\nToday\n",
        "$ aws x\n{\n \"tasks\": [\n  {\n   \"taskArn\": \"a:task/c/t\",\n"
        "   \"lastStatus\": \"STOPPED\",\n   \"containers\": [\n" LOG,
    };
    (void)state;
    for (size_t i = 0; i < sizeof pastes / sizeof *pastes; i++) {
        struct given given;
        print_message("%s\n", pastes[i]);
        given_text(&given, "p.txt", pastes[i]);
        assert_string_equal(given_field(&given, "aws.tasks", 0, "lastStatus"), "STOPPED");
        assert_int_equal(evidence_state(given.evidence, "aws.tasks"), EVIDENCE_PARTIAL);
        assert_non_null(given_problem(&given));
        given_release(&given);
    }
}

/* A terminal of 57 columns, and a mail program that wraps at blanks. */
static void wrapped_strings(void **state)
{
    static const char *const pastes[] = {
        "$ aws x\n{\"tasks\": [{\"taskArn\": \"a:task/c/t\", \"lastStatus\": \"STOPP\n"
        "ED\", \"stoppedReason\": \"ResourceInitializationError: unabl\n"
        "e to pull secrets\"}]}\n"
        "ok\n",
        "$ aws x\n{\"tasks\": [{\"taskArn\": \"a:task/c/t\", \"lastStatus\":\n"
        "\"STOPPED\", \"stoppedReason\": \"ResourceInitializationError:\nunable to "
        "pull\nsecrets\"}]}\n",
    };
    static const char *const reasons[] = {"ResourceInitializationError: unable to pull secrets",
                                          "ResourceInitializationError: unable to pull secrets"};
    (void)state;
    for (size_t i = 0; i < sizeof pastes / sizeof *pastes; i++) {
        struct given given;
        print_message("%s\n", pastes[i]);
        given_text(&given, "p.txt", pastes[i]);
        assert_string_equal(given_field(&given, "aws.tasks", 0, "lastStatus"), "STOPPED");
        assert_string_equal(given_field(&given, "aws.tasks", 0, "stoppedReason"), reasons[i]);
        given_release(&given);
    }
}

/* A log is a log, though its lines are JSON or it talks of YAML; no line is lost, none is read twice. */
static void what_is_no_paste(void **state)
{
    static const struct {
        const char *text, *kind;
    } texts[] = {
        {LOG LOG "apiVersion: v1\n" LOG, "log.envoy"},
        {"{\"level\":\"info\",\"msg\":\"x\",\"time\":\"2026-11-21T08:00:01Z\"}\n" LOG, "log.envoy"},
        {"note\n{\"level\":\"info\",\"msg\":\"x\",\"time\":\"2026-11-21T08:00:01Z\"}\n", "text"},
        {"* Connected to a (10.0.0.1) port 80\n> GET / HTTP/1.1\n> Host: a\n>\n< HTTP/1.1 200 OK\n",
         "host"},
        {"---\n" POD "---\n" POD, "kubernetes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct given given;
        print_message("%s\n", texts[i].text);
        given_text(&given, "p.txt", texts[i].text);
        assert_string_equal(given_kind(&given), texts[i].kind);
        given_release(&given);
    }
}

/* What nobody can read is named, and scanned as text. */
static void unread_is_said(void **state)
{
    struct given given;
    (void)state;
    given_text(&given, "p.txt",
               "hello\n{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 2\n  }\n}\n$ aws ecs "
               "describe-tasks\n" TASKS);
    assert_non_null(strstr(given_problem(&given), "lines 2 to 7 hold JSON with a, b"));
    assert_string_equal(place(&given, "aws.tasks", 0), "line 9/tasks/0");
    given_release(&given);
}

/* Never slow, never greedy, whatever it is made of. */
static void hostile(void **state)
{
    enum { LEN = 3 << 20 };
    static const char *const units[] = {"{\n",
                                        "[{\"\n",
                                        "{\"a\":\n",
                                        "{\"a\":1}\n",
                                        "---\na:\n",
                                        "$ aws x\n{\"tasks\":[{\"taskArn\":\"lastStatus\"}]}\n",
                                        "> \n",
                                        "``````\n",
                                        "| \n",
                                        "1 {\"",
                                        "\"\\",
                                        "&quot;[0m",
                                        "apiVersion: v1\nkind: Pod\n",
                                        "+---\n|| a |\n"};
    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct given given;
        char *text = malloc(LEN);
        size_t unit = strlen(units[i]);
        for (size_t at = 0; at < LEN; at++)
            text[at] = units[i][at % unit];
        text[LEN / 2] = '\0';
        print_message("%s\n", units[i]);
        given_bytes(&given, "p.txt", text, LEN);
        given_release(&given);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_region_has_its_reader),
        cmocka_unit_test(as_people_send_it),
        cmocka_unit_test(parts_are_missing),
        cmocka_unit_test(wrapped_strings),
        cmocka_unit_test(what_is_no_paste),
        cmocka_unit_test(unread_is_said),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
