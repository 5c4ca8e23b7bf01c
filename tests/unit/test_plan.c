/* The plan: selection, parameters, needs and patterns, refused plugins among the checks. */
#include "check/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

static struct registry registry;

static int set_up(void **state)
{
    char *dirs[2];
    struct err err = ERR_INIT;
    if (scratch_begin(state) != 0)
        return -1;
    scratch_put(
        "plugins/a/a.lua",
        "local function run() end return {"
        " debrief.check { id = 'a', title = '?', tags = { 'mesh' }, findings = {}, run = run,"
        "  needs = { 'log.xds_closed | stats{grpc.*}' }, events = { e = 'eee' },"
        "  params = { n = { type = 'number', default = 3, help = 'h' } } },"
        " debrief.check { id = 'a/two', title = '?', findings = {}, run = run, needs = { 'certs' } "
        "} }");
    scratch_put("plugins/b/b.lua", "return debrief.check { id = 'b', title = '?', tags = { 'ecs' },"
                                   " findings = {}, run = function() end }");
    scratch_put("plugins/broken/broken.lua", "return {");
    scratch_put("plugins/a2/a/a.lua", "not seen: too deep");
    scratch_put("copies/b/b.lua", "a broken copy");
    scratch_put("copies/a/a.lua", "return debrief.check { id = 'a', title = '?', findings = {},"
                                  " run = function() end }");
    dirs[0] = xasprintf("%s/plugins", scratch_dir);
    dirs[1] = xasprintf("%s/copies", scratch_dir);
    bool loaded = registry_load(&registry, (const char *const *)dirs, 2, &err);
    free(dirs[0]);
    free(dirs[1]);
    return loaded ? 0 : -1;
}

static int tear_down(void **state)
{
    registry_release(&registry);
    return scratch_end(state);
}

static void expect(const char *select, const char *skip, const char *wanted)
{
    struct plan plan;
    struct err err = ERR_INIT;
    struct plan_options options = {.select = select, .skip = skip};
    char ids[256] = "";
    if (!plan_make(&plan, &registry, &options, &err)) {
        strcpy(ids, err.text);
    } else {
        for (size_t i = 0; i < plan.checks_len; i++)
            sprintf(ids + strlen(ids), "%s%s", i ? " " : "", plan.checks[i].meta->id);
        plan_release(&plan);
    }
    assert_string_equal(ids, wanted);
}

static void test_selection(void **state)
{
    (void)state;
    expect(NULL, NULL, "a a/two b b/refused broken");
    expect("", NULL, "a a/two b b/refused broken");
    expect("a", NULL, "a a/two"); /* a section: all of it */
    expect("a/two", NULL, "a/two");
    expect("b,a/*", NULL, "a/two b b/refused");
    expect("tag:mesh", NULL, "a");
    expect("tag:*", NULL, "a b");
    expect(NULL, "a", "b b/refused broken");
    expect("a", "a/two", "a");
    expect("b*", "broken,b/*", "b");
    expect("a", "a", "");
    expect("nothing", NULL, "no check matches 'nothing' of --select; 'debrief list' shows them");
    expect(NULL, "tag:none", "no check matches 'tag:none' of --skip; 'debrief list' shows them");
}

static void test_refused_plugin(void **state)
{
    struct plan plan;
    struct err err = ERR_INIT;
    (void)state;
    assert_true(plan_make(&plan, &registry, &(struct plan_options){.select = "broken"}, &err));
    assert_int_equal(plan.checks_len, 1);
    assert_non_null(strstr(plan.checks[0].refused, "broken.lua"));
    assert_null(registry_check(&registry, "broken")); /* it is in plans only */
    plan_release(&plan);
    /* The copy of 'a' is not used either, but nothing is lost by that: it has no record of its own. */
    assert_true(plan_make(&plan, &registry, &(struct plan_options){.select = "b/refused"}, &err));
    assert_non_null(strstr(plan.checks[0].refused, "copies/b/b.lua"));
    plan_release(&plan);
}

static void test_needs_and_patterns(void **state)
{
    struct plan plan;
    struct err err = ERR_INIT;
    bool builtin = false, own = false;
    (void)state;
    assert_true(plan_make(&plan, &registry, &(struct plan_options){0}, &err));
    assert_true(need_set_wants(&plan.needs, "stats", "grpc.ads.x"));
    assert_false(need_set_wants(&plan.needs, "stats", "cluster.x"));
    assert_true(need_set_wants(&plan.needs, "event.a.e", NULL));
    assert_true(need_set_wants(&plan.needs, "certs", NULL));
    for (size_t i = 0; i < plan.patterns_len; i++) {
        builtin |= strcmp(plan.patterns[i].event, "log.xds_closed") == 0;
        own |= strcmp(plan.patterns[i].event, "event.a.e") == 0 &&
               strcmp(plan.patterns[i].pattern, "eee") == 0;
        assert_string_not_equal(plan.patterns[i].event, "log.bind_failed"); /* nobody needs it */
    }
    assert_true(builtin && own);
    plan_release(&plan);
    assert_true(
        plan_make(&plan, &registry, &(struct plan_options){.select = "b", .skip = "b/*"}, &err));
    assert_int_equal(plan.patterns_len, 0);
    assert_int_equal(plan.needs.len, 0);
    plan_release(&plan);
}

static void test_params(void **state)
{
    static const struct {
        const char *text, *wrong; /* wrong NULL: it is fine */
    } rows[] = {
        {"a.n=4", NULL},
        {"a.n=x", "parameter 'a.n=x': 'x' is no number"},
        {"a.m=4", "check 'a' has no such parameter as in 'a.m=4'"},
        {"a.nn=4", "check 'a' has no such parameter"},
        {"z.n=4", "parameter 'z.n=4' is for no selected check"},
        {"a.n", "is not of the form CHECK.NAME=VALUE"},
        {"n=4", "is not of the form CHECK.NAME=VALUE"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct plan plan;
        struct err err = ERR_INIT;
        char *param = xstrdup(rows[i].text);
        struct plan_options options = {.params = &param, .params_len = 1};
        bool made = plan_make(&plan, &registry, &options, &err);
        if (made != !rows[i].wrong || (rows[i].wrong && !strstr(err.text, rows[i].wrong)))
            fail_msg("'%s': '%s'", rows[i].text, err.text);
        if (made) {
            assert_string_equal(plan.checks[0].params[0], "4");
            plan_release(&plan);
        }
        free(param);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selection),
        cmocka_unit_test(test_refused_plugin),
        cmocka_unit_test(test_needs_and_patterns),
        cmocka_unit_test(test_params),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
