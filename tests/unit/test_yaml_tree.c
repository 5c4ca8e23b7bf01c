/* yaml_tree.c: small YAML files with their lines; config.c: whatever a configuration holds, it is read or
 * refused, never half of it. */
#include "base/yaml_tree.h"
#include "policy/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct yaml_tree *tree_of(struct arena *arena, const char *text, size_t len,
                                       struct err *err)
{
    *err = (struct err)ERR_INIT;
    return yaml_tree_parse(arena, "f.yaml", text, len, err);
}

static void test_lines_and_values(void **state)
{
    (void)state;
    static const char text[] = "# a comment\n"
                               "one: 1\n"
                               "list:\n"
                               "  - 'true'\n"
                               "  - >\n"
                               "    folded\n"
                               "    text\n"
                               "empty:\n";
    struct arena *arena = arena_new();
    struct err err;
    const struct yaml_tree *root = tree_of(arena, text, strlen(text), &err);
    assert_non_null(root);
    assert_int_equal(root->kind, YAML_TREE_MAPPING);
    const struct yaml_tree *one = root->first, *list = one->next, *empty = list->next;
    assert_string_equal(one->name, "one");
    assert_string_equal(one->text, "1");
    assert_true(one->plain);
    assert_int_equal(one->line, 2);
    assert_int_equal(list->kind, YAML_TREE_LIST);
    assert_int_equal(list->line, 3);
    assert_false(list->first->plain);
    assert_int_equal(list->first->line, 4);
    assert_null(list->first->name);
    assert_string_equal(list->first->next->text, "folded text\n");
    assert_int_equal(list->first->next->line, 5);
    assert_string_equal(empty->text, "");
    assert_int_equal(empty->line, 8);
    assert_null(empty->next);
    arena_free(arena);
}

static void expect_empty(const char *text)
{
    struct arena *arena = arena_new();
    struct err err;
    const struct yaml_tree *root = tree_of(arena, text, strlen(text), &err);
    if (!root || root->kind != YAML_TREE_MAPPING || root->first)
        fail_msg("'%s': %s", text, err.text);
    arena_free(arena);
}

static void test_nothing_is_an_empty_mapping(void **state)
{
    (void)state;
    expect_empty("");
    expect_empty("# only this\n\n");
    expect_empty("{}");
    expect_empty("\xef\xbb\xbf# a mark\r\n");
}

static void expect_refused(const char *text, const char *why)
{
    struct arena *arena = arena_new();
    struct err err;
    if (tree_of(arena, text, strlen(text), &err) || !strstr(err.text, why))
        fail_msg("'%.40s' should be refused with '%s', not '%s'", text, why, err.text);
    arena_free(arena);
}

static void test_refused_with_the_line(void **state)
{
    (void)state;
    expect_refused("a: 1\nb: 2\na: 3\n", "f.yaml:3: 'a' stands here twice, first in line 1");
    expect_refused("a:\n  - &x 1\n  - *x\n", "f.yaml:3: aliases");
    expect_refused("a: !!int 1\n", "f.yaml:1: tags");
    expect_refused("a: !Ref 1\n", "f.yaml:1: tags");
    expect_refused("!x {a: 1}\n", "f.yaml:1: tags");
    expect_refused("a: 1\n---\nb: 2\n", "f.yaml:2: a second document");
    expect_refused("{[a]: 1}\n", "f.yaml:1: a name that is no text");
    expect_refused("a: 1\n\tb: 2\n", "f.yaml:2: not YAML");
    expect_refused("a: [1\n", "f.yaml:2: not YAML");
    expect_refused("a: \"x\\0y\"\n", "f.yaml:1: a NUL character");
    expect_refused("a: \xff\n", "f.yaml:1: not YAML");
}

static void test_caps(void **state)
{
    (void)state;
    size_t len = YAML_TREE_SIZE_MAX + 1;
    char *text = malloc(len + 1);
    memset(text, '#', len);
    text[len] = '\0';
    expect_refused(text, "larger than 1 MB");
    memset(text, '[', len - 1);
    text[len - 1] = '\0';
    expect_refused(text, "nested deeper than 16 levels");
    for (size_t i = 0; i + 2 < len; i += 2)
        memcpy(text + i, "- ", 2);
    expect_refused(text, "nested deeper than 16 levels");
    strcpy(text, "[");
    for (size_t i = 1; i < 400000; i += 2)
        memcpy(text + i, "1,", 3);
    expect_refused(text, "more than 50000 entries");
    free(text);
}

/* A configuration in which every key stands, cut at every place and with every byte changed in turn: it is
 * taken or refused with a line, whatever is left of it. */
static const char whole[] = "params: {a.b: 1}\n"
                            "plugin-path: [x]\n"
                            "select: [a]\n"
                            "skip: ['b*']\n"
                            "fail-on: never\n"
                            "severity:\n  a.b: info\n"
                            "redact: {patterns: [{name: n, pattern: '(p)'}]}\n"
                            "waivers:\n- finding: a.b\n  reason: >-\n    r\n  owner: \"o\"\n"
                            "  target: '*'\n  expires: 2026-12-31\n";

static char path[] = "/tmp/test_config.XXXXXX";

static void write_file(const char *text, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fwrite(text, 1, len, file);
    fclose(file);
}

static bool load(const char *text, size_t len, struct config **config)
{
    struct err err = ERR_INIT;
    write_file(text, len);
    bool ok = config_load(config, path, &err);
    if (!ok && !strstr(err.text, path))
        fail_msg("'%.*s': an error that does not name the file: '%s'", (int)len, text, err.text);
    if (ok == !*config)
        fail_msg("'%.*s': %s", (int)len, text, err.text);
    return ok;
}

static void test_whole_configuration(void **state)
{
    (void)state;
    struct config *config;
    assert_true(load(whole, strlen(whole), &config));
    assert_int_equal(config->params_len, 1);
    assert_string_equal(config->params[0].check, "a");
    assert_string_equal(config->params[0].value, "1");
    assert_string_equal(config->plugin_path[0], "/tmp/x");
    assert_string_equal(config->select, "a");
    assert_string_equal(config->skip, "b*");
    assert_string_equal(config->fail_on, "never");
    assert_int_equal(config->severities_len, 1);
    assert_int_equal(config->redact_patterns_len, 1);
    assert_string_equal(config->redact_patterns[0].pattern, "(p)");
    assert_int_equal(config->waivers_len, 1);
    assert_string_equal(config->waivers[0].reason, "r");
    assert_int_equal(config->waivers[0].line, 10);
    config_free(config);
}

static void test_damaged_configurations(void **state)
{
    (void)state;
    static const char bytes[] = "\0\t\n :-[]{}&*!|>'\"%@`#,?\\\xff\xc3z0";
    struct config *config;
    size_t taken = 0;
    for (size_t len = 0; len < strlen(whole); len++) {
        taken += load(whole, len, &config);
        config_free(config);
    }
    assert_true(taken > 1 && taken < strlen(whole) / 2);
    for (size_t at = 0; at < strlen(whole); at++) {
        char damaged[sizeof whole];
        memcpy(damaged, whole, sizeof whole);
        for (size_t i = 0; i + 1 < sizeof bytes; i++) {
            damaged[at] = bytes[i];
            load(damaged, strlen(whole), &config);
            config_free(config);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_and_values),
        cmocka_unit_test(test_nothing_is_an_empty_mapping),
        cmocka_unit_test(test_refused_with_the_line),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_whole_configuration),
        cmocka_unit_test(test_damaged_configurations),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
