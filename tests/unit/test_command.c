/* Only what reads is run; what runs is bounded in time and size and leaves nothing behind. */
#include "base/alloc.h"
#include "base/clock.h"
#include "collect/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

#include <signal.h>

enum { WORDS = 8 };

static void test_only_verbs_that_read(void **state)
{
    static const char *const may[][WORDS] = {
        {"aws", "ecs", "describe-tasks", "--cluster", "c"},
        {"aws", "ecs", "list-tasks"},
        {"aws", "iam", "get-role-policy", "--role-name", "r"},
        {"aws", "logs", "filter-log-events"},
        {"aws", "elbv2", "describe-target-health"},
        {"aws", "ec2", "describe-route-tables", "--filters", "Name=vpc-id,Values=vpc-1"},
        {"kubectl", "get", "pod", "web", "-n", "shop", "-o", "json"},
        {"kubectl", "logs", "web", "--previous"},
        {"kubectl", "port-forward", "pod/web", ":15000"},
        {"kubectl", "version"},
        {"kubectl", "config", "current-context"},
        {"iptables-save", "-c"},
        {"ip6tables-save", "-c"},
        {"nft", "list", "ruleset"},
    };
    static const char *const may_not[][WORDS] = {
        {NULL},
        {"aws"},
        {"kubectl"},
        {"sh", "-c", "true"},
        {"/usr/bin/aws", "ecs", "describe-tasks"},
        {"aws", "--debug", "ecs", "describe-tasks"},
        {"aws", "ecs", "update-service"},
        {"aws", "ecs", "execute-command"},
        {"aws", "ecs", "run-task"},
        {"aws", "ecr", "get-login-password"},
        {"aws", "ecr", "get-authorization-token"},
        {"aws", "ecr", "batch-get-image"},
        {"aws", "secretsmanager", "get-secret-value"},
        {"aws", "ssm", "get-parameter"},
        {"aws", "sts", "get-session-token"},
        {"aws", "iam", "create-access-key"},
        {"aws", "ec2", "get-password-data"},
        {"aws", "logs", "delete-log-group"},
        {"aws", "ecs", "describe-tasks", "--tasks", "file:///etc/passwd"},
        {"aws", "ecs", "describe-tasks", "--endpoint-url", "x"},
        {"kubectl", "delete", "pod", "web"},
        {"kubectl", "exec", "web"},
        {"kubectl", "apply"},
        {"kubectl", "config", "view"},
        {"kubectl", "config", "use-context", "other"},
        {"kubectl", "get", "secrets"},
        {"kubectl", "get", "pods,secrets"},
        {"kubectl", "get", "secret/token"},
        {"kubectl", "get", "--raw=/api/v1/secrets"},
        {"kubectl", "get", "pod", "web", "--as=admin"},
        {"kubectl", "get", "-f", "https://example.com/x.yaml"},
        {"kubectl", "-n", "shop", "delete"},
        {"iptables-save"},
        {"iptables-save", "-c", "-f", "/etc/rules"},
        {"iptables-save", "-M", "/tmp/own"},
        {"nft", "flush", "ruleset"},
        {"nft", "list", "ruleset", "-f", "/tmp/rules"},
    };
    struct err err = ERR_INIT;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(may); i++)
        if (!command_allowed(may[i], &err))
            fail_msg("%s", err.text);
    for (size_t i = 0; i < ARRAY_LEN(may_not); i++) {
        const struct command_spec spec = {may_not[i], "never", 1, 1000, NULL};
        if (command_allowed(may_not[i], &err))
            fail_msg("%s %s is allowed", may_not[i][0], may_not[i][1]);
        assert_null(command_start(&spec, &err));
    }
    assert_int_not_equal(access("never", F_OK), 0);
}

static char *content_of(const char *name)
{
    size_t len;
    char *path = scratch_path(name), *text = scratch_read(path, &len);
    free(path);
    return text;
}

/* A kubectl of our own, first on PATH. */
static void play(const char *script)
{
    char *program = xasprintf("#!/bin/sh\n%s\n", script);
    char *search = xasprintf("%s:/usr/bin:/bin", scratch_dir);
    scratch_put("kubectl", program);
    assert_int_equal(chmod("kubectl", 0700), 0);
    setenv("PATH", search, 1);
    free(search);
    free(program);
}

static struct command_result run(uint64_t max, int64_t timeout_ms)
{
    static const char *const argv[] = {"kubectl", "get", "pods", NULL};
    const struct command_spec spec = {argv, "out", max, timeout_ms, NULL};
    struct err err = ERR_INIT;
    struct command_result result;
    struct command *command = command_start(&spec, &err);
    if (!command)
        fail_msg("%s", err.text);
    assert_int_equal(command_wait(&command, 1, INT64_MAX), 0);
    command_finish(command, &result);
    return result;
}

static void test_output_and_status(void **state)
{
    (void)state;
    play("echo answer; printf 'a \\033[31mword\\033[0m\\377' >&2; exit 3");
    struct command_result result = run(100, 5000);
    assert_int_equal(result.outcome, COMMAND_FAILED);
    assert_int_equal(result.status, 3);
    assert_int_equal(result.size, 7);
    assert_string_equal(result.said, "a word\xEF\xBF\xBD");
    char *text = content_of("out");
    assert_string_equal(text, "answer\n");
    free(text);
}

static void test_standard_input_is_empty_and_nothing_is_inherited(void **state)
{
    (void)state;
    int kept = dup(0);
    play("cat; ls /proc/self/fd | wc -l");
    struct command_result result = run(100, 5000);
    assert_int_equal(result.outcome, COMMAND_DONE);
    char *text = content_of("out");
    assert_int_equal(atoi(text), 4); /* three, and the one that ls itself opens */
    free(text);
    close(kept);
}

static void test_the_cap(void **state)
{
    (void)state;
    play("yes");
    struct command_result result = run(1000, 5000);
    assert_int_equal(result.outcome, COMMAND_TOO_LARGE);
    assert_int_equal(result.size, 1000);
}

/* Whether the process whose number stands in the file PID is gone. */
static bool is_gone(void)
{
    char *text = content_of("pid");
    pid_t pid = atoi(text);
    free(text);
    for (int i = 0; i < 100; i++) {
        if (pid > 1 && kill(pid, 0) != 0)
            return true;
        usleep(20000);
    }
    return false;
}

static void test_the_deadline_ends_the_whole_group(void **state)
{
    (void)state;
    play("sleep 60 & echo $! >pid; trap '' TERM; wait");
    int64_t before = clock_monotonic();
    struct command_result result = run(1000, 300);
    assert_int_equal(result.outcome, COMMAND_LATE);
    assert_true(clock_monotonic() - before < 5 * CLOCK_SECOND);
    assert_true(is_gone());
}

static void test_a_child_left_behind_holds_nothing_up(void **state)
{
    (void)state;
    play("sleep 60 & echo $! >pid; echo answer");
    int64_t before = clock_monotonic();
    struct command_result result = run(1000, 20000);
    assert_int_equal(result.outcome, COMMAND_DONE);
    assert_int_equal(result.size, 7);
    assert_true(clock_monotonic() - before < 5 * CLOCK_SECOND);
    assert_true(is_gone());
}

static void test_it_ends_with_us(void **state)
{
    static const char *const argv[] = {"kubectl", "get", "pods", NULL};
    const struct command_spec spec = {argv, "out", 100, 60000, NULL};
    (void)state;
    play("sleep 60 & echo $! >pid; echo answer; wait");
    unlink("pid");
    pid_t pid = fork();
    if (pid == 0) {
        struct command *command = command_start(&spec, NULL);
        command_wait(&command, 1, INT64_MAX);
        _exit(0);
    }
    for (int i = 0; i < 250 && access("pid", F_OK) != 0; i++)
        usleep(20000);
    usleep(50000);
    kill(pid, SIGKILL);
    assert_true(is_gone());
}

static void test_not_installed(void **state)
{
    static const char *const argv[] = {"kubectl", "get", "pods", NULL};
    const struct command_spec spec = {argv, "out", 100, 60000, NULL};
    struct err err = ERR_INIT;
    (void)state;
    setenv("PATH", "/nowhere", 1);
    assert_null(command_start(&spec, &err));
    assert_string_equal(err.text, "'kubectl' is not installed here (not found on PATH)");
}

static void test_as_one_would_type_it(void **state)
{
    static const char *const argv[] = {"kubectl", "get", "pods", "-l", "a in (b,'c')", "", NULL};
    (void)state;
    char *text = command_text(argv);
    assert_string_equal(text, "kubectl get pods -l 'a in (b,'\\''c'\\'')' ''");
    free(text);
}

static int begin(void **state)
{
    return scratch_begin(state) || chdir(scratch_dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_verbs_that_read),
        cmocka_unit_test(test_as_one_would_type_it),
        cmocka_unit_test(test_output_and_status),
        cmocka_unit_test(test_standard_input_is_empty_and_nothing_is_inherited),
        cmocka_unit_test(test_the_cap),
        cmocka_unit_test(test_the_deadline_ends_the_whole_group),
        cmocka_unit_test(test_a_child_left_behind_holds_nothing_up),
        cmocka_unit_test(test_it_ends_with_us),
        cmocka_unit_test(test_not_installed),
    };
    return cmocka_run_group_tests(tests, begin, scratch_end);
}
