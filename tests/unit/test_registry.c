/* The registry: what is found where, in which order, who wins, and what is refused. */
#include "check/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

#define SCRIPT(id, more)                                                                           \
    "return debrief.check { id = '" id "', title = '?', findings = {" more "},"                    \
    " run = function() end }"

static struct registry registry;

static void load(const char *const *folders, size_t len)
{
    char *paths[4];
    struct err err = ERR_INIT;
    for (size_t i = 0; i < len; i++)
        paths[i] = xasprintf("%s/%s", scratch_dir, folders[i]);
    if (!registry_load(&registry, (const char *const *)paths, len, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < len; i++)
        free(paths[i]);
}

static const struct plugin *find_plugin(const char *end)
{
    for (size_t i = 0; i < registry.plugins_len; i++) {
        const char *path = registry.plugins[i].path;
        if (strlen(path) >= strlen(end) && strcmp(path + strlen(path) - strlen(end), end) == 0)
            return &registry.plugins[i];
    }
    fail_msg("no plugin '%s'", end);
    return NULL;
}

static void test_found(void **state)
{
    static const char *const folders[] = {"found"};
    (void)state;
    scratch_put("found/beta/beta.lua",
                SCRIPT("beta", "['beta.x'] = { title = 'X', severity = 'info' }"));
    scratch_put("found/beta/more.lua", SCRIPT("beta/more", ""));
    scratch_put("found/alone.lua", SCRIPT("alone", ""));
    scratch_put("found/beta/README.md", "no plugin");
    scratch_put("found/beta/.hidden.lua", SCRIPT("hidden", ""));
    scratch_put("found/.hidden/x.lua", SCRIPT("hidden", ""));
    scratch_put("found/beta/cases/deep.lua", SCRIPT("deep", ""));
    load(folders, 1);
    assert_int_equal(registry.plugins_len, 3);
    assert_string_equal(registry.plugins[0].name, "alone");
    assert_string_equal(registry.plugins[1].name, "beta");
    assert_string_equal(registry.plugins[2].name, "beta/more");
    assert_string_equal(registry.plugins[2].kind, "lua");
    assert_int_equal(registry.checks_len, 3);
    assert_string_equal(registry.checks[0].id, "alone");
    assert_string_equal(registry.checks[1].id, "beta");
    assert_string_equal(registry.checks[2].section, "beta");
    assert_ptr_equal(registry_check(&registry, "beta/more"), &registry.checks[2]);
    assert_null(registry_check(&registry, "gamma"));
    const struct check_finding *finding = NULL;
    assert_ptr_equal(registry_finding(&registry, "beta.x", &finding), &registry.checks[1]);
    assert_string_equal(finding->title, "X");
    assert_null(registry_finding(&registry, "beta.y", NULL));
    registry_release(&registry);
}

static void test_first_wins(void **state)
{
    static const char *const folders[] = {"one", "two", "one"};
    (void)state;
    scratch_put("one/s/s.lua", SCRIPT("s", ""));
    scratch_put("two/s/s.lua", SCRIPT("s", ""));
    scratch_put("two/t/t.lua", SCRIPT("t", ""));
    load(folders, 3);
    assert_int_equal(registry.plugins_len, 3); /* a file seen twice is one */
    assert_int_equal(registry.checks_len, 2);
    assert_null(find_plugin("one/s/s.lua")->refused);
    assert_non_null(strstr(find_plugin("two/s/s.lua")->refused, "its check 's' is in"));
    assert_true(find_plugin("two/s/s.lua")->redundant);
    assert_string_equal(registry_check(&registry, "s")->plugin->path,
                        find_plugin("one/s/s.lua")->path);
    registry_release(&registry);
}

static void test_refused(void **state)
{
    static const char *const folders[] = {"bad"};
    (void)state;
    scratch_put("bad/crash/crash.so", "no ELF");
    scratch_put("bad/id/id.lua", SCRIPT("Loud", ""));
    scratch_put("bad/syntax/syntax.lua", "return {");
    scratch_put("bad/twice/twice.lua", "local c = "
                                       "debrief.check { id = 'twice', title = '?', findings = {},"
                                       " run = function() end } return { c, c }");
    scratch_put("bad/well/well.lua", SCRIPT("well", ""));
    load(folders, 1);
    assert_non_null(strstr(find_plugin("crash.so")->refused, "has no debrief stamp"));
    assert_non_null(strstr(find_plugin("id.lua")->refused, "'Loud' is no check id"));
    assert_non_null(strstr(find_plugin("syntax.lua")->refused, "syntax.lua:1:"));
    assert_non_null(strstr(find_plugin("twice.lua")->refused, "check 'twice' is there twice"));
    assert_false(find_plugin("twice.lua")->redundant);
    assert_int_equal(registry.checks_len, 1);
    for (size_t i = 0; i < registry.plugins_len; i++)
        if (registry.plugins[i].refused)
            assert_non_null(strstr(registry.plugins[i].refused, registry.plugins[i].path));
    registry_release(&registry);
}

static void test_unreadable_directory(void **state)
{
    static const char *const dirs[] = {"/nowhere/at/all"};
    struct err err = ERR_INIT;
    (void)state;
    assert_false(registry_load(&registry, dirs, 1, &err));
    assert_string_equal(
        err.text, "plugin directory '/nowhere/at/all' cannot be read: No such file or directory");
}

static void test_dirs(void **state)
{
    struct arena *arena = arena_new();
    char extra[] = "/c";
    char *const extras[] = {extra};
    size_t len;
    (void)state;
    setenv("DEBRIEF_PLUGIN_PATH", "/a::/b:", 1);
    const char *const *dirs = registry_dirs(arena, extras, 1, &len);
    assert_true(len >= 3); /* the program's own may come behind them */
    assert_string_equal(dirs[0], "/c");
    assert_string_equal(dirs[1], "/a");
    assert_string_equal(dirs[2], "/b");
    unsetenv("DEBRIEF_PLUGIN_PATH");
    dirs = registry_dirs(arena, NULL, 0, &len);
    assert_true(len <= 1);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),   cmocka_unit_test(test_first_wins),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_unreadable_directory),
        cmocka_unit_test(test_dirs),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
