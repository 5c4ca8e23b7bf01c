/* Arguments and lists become targets, or an error that says what to write instead. */
#include "collect/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

static char one_log[] = "one.log", two_log[] = "two.log", dir[] = "dir", gone[] = "gone",
            fleet[] = "fleet", dash[] = "-", url[] = "http://h:1", h1[] = "h:1", h2[] = "h:2";

static void assert_one(const char *argument, enum target_kind kind, const char *address)
{
    struct targets targets;
    struct err err = ERR_INIT;
    char *copy = xstrdup(argument);
    targets_init(&targets);
    assert_true(targets_from_arguments(&targets, &copy, 1, &err));
    assert_int_equal(targets.len, 1);
    assert_int_equal(targets.items[0].kind, kind);
    assert_string_equal(targets.items[0].name, argument);
    assert_string_equal(targets.items[0].address, address);
    targets_release(&targets);
    free(copy);
}

static void assert_no(const char *argument, const char *why)
{
    struct targets targets;
    struct err err = ERR_INIT;
    char *copy = xstrdup(argument);
    targets_init(&targets);
    assert_false(targets_from_arguments(&targets, &copy, 1, &err));
    assert_string_equal(err.text, why);
    targets_release(&targets);
    free(copy);
}

static void test_addresses(void **state)
{
    (void)state;
    assert_one("http://127.0.0.1:9901", TARGET_ADMIN, "http://127.0.0.1:9901");
    assert_one("http://envoy.example.com:9901/", TARGET_ADMIN, "http://envoy.example.com:9901");
    assert_one("https://[::1]:9901", TARGET_ADMIN, "https://[::1]:9901");
    assert_one("https://envoy", TARGET_ADMIN, "https://envoy");
    assert_one("localhost:15000", TARGET_ADMIN, "http://localhost:15000");
    assert_one("[::1]:15000", TARGET_ADMIN, "http://[::1]:15000");
    assert_one("unix:/tmp/nobody.sock", TARGET_UNIX, "/tmp/nobody.sock");
    assert_one("unix:///tmp/nobody.sock", TARGET_UNIX, "/tmp/nobody.sock");
    assert_one("unix:@envoy", TARGET_UNIX, "@envoy");
    assert_one("k8s:shop/web-1", TARGET_KUBE, "shop/web-1");
    assert_one("k8s:shop/deploy/web", TARGET_KUBE, "shop/deploy/web");
    assert_one("ecs:prod/0123abcd", TARGET_ECS, "prod/0123abcd");
    assert_one("ecs:arn:aws:ecs:eu-west-1:111122223333:task/prod/0123abcd", TARGET_ECS,
               "arn:aws:ecs:eu-west-1:111122223333:task/prod/0123abcd");
}

static void test_what_is_no_target(void **state)
{
    (void)state;
    assert_no("nosuch.log", "no such file or address 'nosuch.log'; an admin address looks like "
                            "http://127.0.0.1:9901");
    assert_no("localhost:99999",
              "no such file or address 'localhost:99999'; an admin address looks "
              "like http://127.0.0.1:9901");
    assert_no("localhost:", "no such file or address 'localhost:'; an admin address looks like "
                            "http://127.0.0.1:9901");
    assert_no("http://", "'http://' is no address; an admin address looks like "
                         "http://127.0.0.1:9901");
    assert_no("http://h:1/stats", "'http://h:1/stats' names a page; give the address alone: "
                                  "http://h:1");
    assert_no("http://u:p@h:1", "'h:1' stands behind a user name; Envoy's admin address knows "
                                "none");
    assert_no("unix:", "'unix:' names no socket; a Unix socket looks like unix:/tmp/envoy.sock");
}

static void test_an_existing_path_wins(void **state)
{
    (void)state;
    assert_int_equal(chdir(scratch_dir), 0);
    scratch_put("localhost:9901", "a file with an odd name");
    assert_one("localhost:9901", TARGET_FILES, "localhost:9901");
}

static void make_archive(const char *name)
{
    char *command = xasprintf("cd '%s' && tar czf '%s' -C dir a.log", scratch_dir, name);
    assert_int_equal(system(command), 0);
    free(command);
}

static void test_kinds_by_content(void **state)
{
    (void)state;
    assert_int_equal(chdir(scratch_dir), 0);
    scratch_put("dir/a.log", "text");
    make_archive("not-named-so.log");
    scratch_put("text.tar.gz", "this is no archive, whatever its name");
    assert_one("dir", TARGET_DIRECTORY, "dir");
    assert_one("not-named-so.log", TARGET_ARCHIVE, "not-named-so.log");
    assert_one("text.tar.gz", TARGET_FILES, "text.tar.gz");
}

static void test_plain_files_are_one_target(void **state)
{
    struct targets targets;
    struct err err = ERR_INIT;
    char *arguments[] = {one_log, url, dash, two_log};
    (void)state;
    assert_int_equal(chdir(scratch_dir), 0);
    scratch_put("one.log", "1");
    scratch_put("two.log", "2");
    targets_init(&targets);
    assert_true(targets_from_arguments(&targets, arguments, ARRAY_LEN(arguments), &err));
    assert_int_equal(targets.len, 2);
    assert_int_equal(targets.items[0].kind, TARGET_FILES);
    assert_string_equal(targets.items[0].name, "one.log (+2)");
    assert_int_equal(targets.items[0].evidence_len, 3);
    assert_string_equal(targets.items[0].evidence[1], "-");
    assert_string_equal(targets.items[1].name, "http://h:1");
    targets_release(&targets);
    assert_true(targets_from_arguments(&targets, arguments + 2, 1, &err));
    assert_string_equal(targets.items[0].name, "stdin");
    targets_release(&targets);
}

/* The collector is another process, to which descriptors of this one mean nothing. */
static void test_a_descriptor_of_ours(void **state)
{
    struct targets targets;
    struct err err = ERR_INIT;
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    char *argument = xasprintf("/dev/fd/%d", ends[0]);
    char *expected = xasprintf("/proc/%ld/fd/%d", (long)getpid(), ends[0]);
    targets_init(&targets);
    assert_true(targets_from_arguments(&targets, &argument, 1, &err));
    assert_string_equal(targets.items[0].name, argument);
    assert_string_equal(targets.items[0].evidence[0], expected);
    targets_release(&targets);
    close(ends[0]), close(ends[1]);
    free(argument), free(expected);
}

static void test_a_directory_of_bundles(void **state)
{
    struct targets targets;
    struct err err = ERR_INIT;
    char *argument = fleet;
    (void)state;
    assert_int_equal(chdir(scratch_dir), 0);
    scratch_put("dir/a.log", "text");
    scratch_put("fleet/b/bundle.json", "{}");
    make_archive("fleet/a.tar.gz");
    targets_init(&targets);
    assert_true(targets_from_arguments(&targets, &argument, 1, &err));
    assert_int_equal(targets.len, 2);
    assert_string_equal(targets.items[0].name, "fleet#a.tar.gz");
    assert_int_equal(targets.items[0].kind, TARGET_ARCHIVE);
    assert_string_equal(targets.items[1].name, "fleet#b");
    assert_string_equal(targets.items[1].address, "fleet/b");
    targets_release(&targets);
    scratch_put("fleet/envoy.log", "and a log: a directory like any other");
    assert_true(targets_from_arguments(&targets, &argument, 1, &err));
    assert_int_equal(targets.len, 1);
    assert_int_equal(targets.items[0].kind, TARGET_DIRECTORY);
    targets_release(&targets);
}

static void test_evidence(void **state)
{
    struct targets targets;
    struct err err = ERR_INIT;
    char *address[] = {h1, h2}, *paths[] = {one_log, dir}, *nothing[] = {gone};
    (void)state;
    assert_int_equal(chdir(scratch_dir), 0);
    scratch_put("one.log", "1");
    scratch_put("dir/a.log", "text");
    targets_init(&targets);
    assert_true(targets_from_arguments(&targets, address, 1, &err));
    assert_true(targets_add_evidence(&targets, paths, 2, &err));
    assert_int_equal(targets.items[0].kind, TARGET_ADMIN);
    assert_int_equal(targets.items[0].evidence_len, 2);
    assert_true(targets_from_arguments(&targets, address + 1, 1, &err));
    assert_false(targets_add_evidence(&targets, paths, 1, &err));
    assert_non_null(strstr(err.text, "--evidence belongs to one target, and there are 2"));
    targets_release(&targets);
    assert_false(targets_add_evidence(&targets, nothing, 1, &err));
    assert_string_equal(err.text, "cannot use evidence 'gone': No such file or directory");
    assert_true(targets_add_evidence(&targets, paths, 2, &err));
    assert_int_equal(targets.len, 1);
    assert_int_equal(targets.items[0].kind, TARGET_FILES);
    assert_string_equal(targets.items[0].name, "one.log (+1)");
    targets_release(&targets);
    assert_true(targets_add_evidence(&targets, paths + 1, 1, &err));
    assert_int_equal(targets.items[0].kind, TARGET_DIRECTORY);
    targets_release(&targets);
}

static bool read_list(struct targets *targets, const char *text, struct err *err)
{
    assert_int_equal(chdir(scratch_dir), 0);
    scratch_put("list", text);
    targets_init(targets);
    return targets_from_list(targets, "list", err);
}

static void test_live(void **state)
{
    struct targets targets;
    struct err err = ERR_INIT;
    char *two[] = {h1, h2};
    (void)state;
    targets_init(&targets);
    assert_true(targets_add_live(&targets, "shop/web-1", "prod/abc", &err)); /* the target itself */
    assert_int_equal(targets.len, 1);
    assert_int_equal(targets.items[0].kind, TARGET_KUBE);
    assert_string_equal(targets.items[0].name, "k8s:shop/web-1");
    assert_null(targets.items[0].kube);
    assert_string_equal(targets.items[0].aws, "prod/abc");
    targets_release(&targets);
    assert_true(targets_from_arguments(&targets, two, 2, &err));
    assert_true(targets_add_live(&targets, NULL, NULL, &err));
    assert_false(targets_add_live(&targets, "web-1", NULL, &err));
    assert_non_null(strstr(err.text, "belong to one target, and there are 2"));
    assert_false(targets_add_live(&targets, "--all/x", NULL, &err));
    targets_release(&targets);
}

static void test_lines(void **state)
{
    struct targets targets;
    struct err err = ERR_INIT;
    (void)state;
    scratch_put("one.log", "1");
    assert_true(read_list(&targets,
                          "# proxies\n\nhttp://a:9901\r\n  b:15000   name=gateway b # east\n"
                          "one.log name=log#1",
                          &err));
    assert_int_equal(targets.len, 3);
    assert_string_equal(targets.items[0].name, "http://a:9901");
    assert_string_equal(targets.items[1].name, "gateway b");
    assert_string_equal(targets.items[1].address, "http://b:15000");
    assert_string_equal(targets.items[2].name, "log#1");
    assert_int_equal(targets.items[2].kind, TARGET_FILES);
    targets_release(&targets);
}

static void assert_bad_list(const char *text, const char *why)
{
    struct targets targets;
    struct err err = ERR_INIT;
    assert_false(read_list(&targets, text, &err));
    assert_non_null(strstr(err.text, why));
    targets_release(&targets);
}

static void test_bad_lists(void **state)
{
    (void)state;
    assert_bad_list("a:1\nnosuch\n", "'list' line 2: no such file or address 'nosuch'");
    assert_bad_list("a:1 label=x\n", "line 1: 'label=x' is not expected behind a target");
    assert_bad_list("# nothing\n", "names no target");
    assert_bad_list("", "names no target");
    assert_bad_list("- {target: 'a:1', nmae: x}\n", "entry 1: 'nmae' is not known");
    assert_bad_list("- name: x\n", "entry 1: expected a target");
    assert_bad_list("- target: a:1\n  evidence: [gone]\n", "entry 1: cannot use evidence 'gone'");
    assert_bad_list("- target: a:1\n- [\n", "cannot read the list 'list'");
    struct targets targets;
    struct err err = ERR_INIT;
    targets_init(&targets);
    assert_false(targets_from_list(&targets, "nolist", &err));
    assert_string_equal(err.text, "cannot read 'nolist': No such file or directory");
}

static void test_yaml(void **state)
{
    struct targets targets;
    struct err err = ERR_INIT;
    (void)state;
    scratch_put("one.log", "1");
    assert_true(read_list(&targets,
                          "# fleet\n- http://a:9901\n- target: b:15000\n  name: gateway\n"
                          "  labels: {zone: east}\n  evidence: [one.log]\n",
                          &err));
    assert_int_equal(targets.len, 2);
    assert_string_equal(targets.items[0].address, "http://a:9901");
    assert_string_equal(targets.items[1].name, "gateway");
    assert_string_equal(targets.items[1].evidence[0], "one.log");
    targets_release(&targets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_what_is_no_target),
        cmocka_unit_test(test_an_existing_path_wins),
        cmocka_unit_test(test_kinds_by_content),
        cmocka_unit_test(test_plain_files_are_one_target),
        cmocka_unit_test(test_a_descriptor_of_ours),
        cmocka_unit_test(test_a_directory_of_bundles),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_bad_lists),
        cmocka_unit_test(test_yaml),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
