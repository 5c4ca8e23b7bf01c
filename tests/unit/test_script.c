/* The Lua side: what scripts are told when they are wrong, and that the editor's annotations are true. */
#include "base/buf.h"
#include "check/metadata.h"
#include "script/bind.h"
#include "script/definition.h"
#include "script/sandbox.h"
#include "script/script.h"
#include "script/use.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

#define CHECK(more) "return debrief.check { id = 'x', title = '?', " more "}"
#define RUN         "run = function() end"

static void expect_refusal(const char *script, const char *wanted)
{
    struct err err = ERR_INIT;
    char *path = scratch_write("x.lua", script, strlen(script));
    cJSON *json = script_describe(path, 0, &err);
    if (json)
        fail_msg("not refused: %s", script);
    if (!strstr(err.text, wanted))
        fail_msg("%s: '%s' does not say '%s'", script, err.text, wanted);
    free(path);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refusal("return 1", "does not return debrief.check");
    expect_refusal("return { 1, 2 }", "does not return debrief.check");
    expect_refusal("return { id = 'x', title = '?' }", "does not return debrief.check");
    expect_refusal("debrief.check()", "x.lua:1: bad argument #1 to 'check'");
    expect_refusal("return debrief.check {}", "x.lua:1: check: 'id' is missing");
    expect_refusal(CHECK("findings = {}"), "check 'x' has neither 'run' nor 'lines'");
    expect_refusal(CHECK("findings = {}, lines = {}, " RUN),
                   "check 'x' has both 'run' and 'lines'");
    expect_refusal(CHECK(RUN), "check 'x': 'findings' is missing");
    expect_refusal(CHECK("findings = {}, need = {}, " RUN),
                   "unknown key 'need': did you mean 'needs'?");
    expect_refusal(CHECK("findings = {}, colour = 1, " RUN), "unknown key 'colour'");
    expect_refusal(CHECK("findings = {}, 7, " RUN), "its keys must be names");
    expect_refusal(CHECK("findings = {}, needs = 'stats', " RUN),
                   "'needs' must be a list of strings");
    expect_refusal(CHECK("findings = {}, needs = { a = 'stats' }, " RUN), "'needs' must be a list");
    expect_refusal(CHECK("findings = {}, needs = { 'a', [3] = 'b' }, " RUN), "without gaps");
    expect_refusal(CHECK("findings = {}, tags = { 1 }, " RUN),
                   "must be strings throughout, not number");
    expect_refusal(CHECK("findings = { ['x.a'] = {} }, " RUN),
                   "'findings' 'x.a': 'title' is missing");
    expect_refusal(CHECK("findings = { ['x.a'] = { title = 'A', severity = 'fatal' } }, " RUN),
                   "severity 'fatal' is none of error, warning, info");
    expect_refusal(
        CHECK("findings = {}, params = { p = { type = 'text', default = 1, help = 'h' } }, " RUN),
        "type 'text' is none of string, number, bool, duration");
    expect_refusal(CHECK("findings = {}, events = { e = { patern = 'x' } }, " RUN),
                   "unknown key 'patern': did you mean 'pattern'?");
}

static void test_modules(void **state)
{
    struct err err = ERR_INIT;
    static const char script[] =
        "local xds = debrief.use 'xds_stream' assert(xds == debrief.use 'xds_stream') "
        "assert(xds.seconds('2026-11-21T08:00:00Z') == 1795248000) " CHECK("findings = {}, " RUN);
    (void)state;
    char *path = scratch_write("x.lua", script, strlen(script));
    cJSON *json = script_describe(path, 0, &err);
    assert_string_equal(err.text, "");
    assert_non_null(json);
    cJSON_Delete(json);
    free(path);
    expect_refusal("debrief.use 'xds'", "x.lua:1: there is no module 'xds', only ");
    expect_refusal("debrief.use '../modules/xds_stream'", "there is no module");
    expect_refusal("debrief.use()", "bad argument #1 to 'use'");
}

#define LINES(row)                                                                                 \
    CHECK("events = { e = [[a (?<who>b)]] }, needs = { 'log.start' },"                             \
          " findings = { ['x.f'] = { title = 'F', severity = 'info' } }, lines = { " row " }")
#define SUBJECT "subject = { kind = 'proxy', name = 'envoy' }, message = 'm'"

static void test_line_refusals(void **state)
{
    (void)state;
    expect_refusal(LINES("{ event = 'e', finding = 'x.f', message = 'm' }"),
                   "'subject' is missing");
    expect_refusal(LINES("{ event = 'z', finding = 'x.f', " SUBJECT " }"),
                   "lines[1]: there is no event 'z'");
    expect_refusal(LINES("{ event = 'e', finding = 'x.g', " SUBJECT " }"),
                   "lines[1]: the check declares no finding 'x.g'");
    expect_refusal(LINES("{ event = 'e', finding = 'x.f', when = { what = 'x' }, " SUBJECT " }"),
                   "lines[1]: its event has no column 'what'");
    expect_refusal(LINES("{ event = 'e', finding = 'x.f', when = { who = '(' }, " SUBJECT " }"),
                   "lines[1]: wrong: 'pattern '(' is not valid");
    expect_refusal(
        LINES("{ event = 'e', finding = 'x.f', fix = { { text = '%{who|whom}' } }, " SUBJECT " }"),
        "lines[1]: its event has no column 'whom'");
    expect_refusal(
        LINES("{ event = 'e', finding = 'x.f', fix = { { text = '%{who' } }, " SUBJECT " }"),
        "lines[1]: no closing brace");
    expect_refusal(LINES("{ event = 'e', finding = 'x.f', severity = 'bad', " SUBJECT " }"),
                   "lines[1]: there is no severity 'bad'");
    expect_refusal(
        LINES("{ event = 'log.start', finding = 'x.f', when = { who = 'x' }, " SUBJECT " }"),
        "lines[1]: its event has no column 'who'");
}

static void test_description(void **state)
{
    static const char script[] =
        "local c = "
        "debrief.check { id = 'x', title = '?', version = '2', tags = { 't' }, applies = 'mesh = "
        "istio',"
        " needs = { 'stats' }, events = { b = 'bb', a = { pattern = 'aa', caseless = true } },"
        " findings = { ['x.f'] = { title = 'F', severity = 'warning', explains = { 'y.g' } } },"
        " params = { d = { type = 'duration', default = '1s', help = 'h' }, n = { type = 'number', "
        "default = 3, help = 'h' },"
        "  b = { type = 'bool', default = false, help = 'h' } }, " RUN " } return { c }";
    struct err err = ERR_INIT;
    (void)state;
    char *path = scratch_write("x.lua", script, strlen(script));
    cJSON *json = script_describe(path, 0, &err);
    if (!json)
        fail_msg("%s", err.text);
    char *text = cJSON_PrintUnformatted(json);
    assert_string_equal(
        text,
        "{\"checks\":[{\"id\":\"x\",\"title\":\"?\",\"version\":\"2\",\"applies\":\"mesh = istio\","
        "\"tags\":[\"t\"],\"needs\":[\"stats\"],\"events\":[{\"name\":\"a\",\"pattern\":\"aa\","
        "\"caseless\":true},"
        "{\"name\":\"b\",\"pattern\":\"bb\"}],\"findings\":[{\"id\":\"x.f\",\"title\":\"F\","
        "\"explains\":[\"y.g\"],"
        "\"worst\":20}],\"params\":[{\"name\":\"b\",\"help\":\"h\",\"type\":3,\"default\":"
        "\"false\"},"
        "{\"name\":\"d\",\"help\":\"h\",\"type\":4,\"default\":\"1s\"},"
        "{\"name\":\"n\",\"help\":\"h\",\"type\":2,\"default\":\"3\"}]}],\"version\":\"2\"}");
    free(text);
    cJSON_Delete(json);
    free(path);
}

/* ---- the annotations in lua/debrief/api.lua ---- */

static char *annotations;

/* [-0, +0, -] Every function of the table on top is annotated as PREFIX and its name. */
static size_t expect_annotated(lua_State *L, const char *prefix)
{
    size_t len = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        char *line = xasprintf("\nfunction %s%s(", prefix, lua_tostring(L, -2));
        if (!strstr(annotations, line))
            fail_msg("lua/debrief/api.lua does not have%s", line);
        free(line);
        len++;
    }
    return len;
}

static size_t count_annotated(const char *prefix)
{
    size_t len = 0;
    char *line = xasprintf("\nfunction %s", prefix);
    for (const char *at = annotations; (at = strstr(at, line)); at++)
        len++;
    free(line);
    return len;
}

static void expect_metatable(lua_State *L, const char *name, const char *prefix)
{
    luaL_getmetatable(L, name);
    lua_getfield(L, -1, "__index");
    assert_int_equal(expect_annotated(L, prefix), count_annotated(prefix));
    lua_pop(L, 2);
}

static void test_annotations(void **state)
{
    size_t len;
    (void)state;
    annotations = scratch_read(TEST_DATA "/../../lua/debrief/api.lua", &len);
    struct sandbox *sandbox = sandbox_new(0);
    lua_State *L = sandbox_state(sandbox);
    bind_evidence_open(L);
    bind_finding_open(L);
    lua_newtable(L);
    bind_tools_open(L);
    bind_registry_open(L);
    definition_open(L);
    use_open(L);
    assert_int_equal(expect_annotated(L, "debrief."), count_annotated("debrief."));
    expect_metatable(L, BIND_EVIDENCE, "Evidence:");
    expect_metatable(L, BIND_FINDING, "Finding:");
    sandbox_free(sandbox);
    free(annotations);
}

/* Registries by region: account, host, the ARN for a policy, and the way back from an account. */
static void test_registry(void **state)
{
    static const char *const rows[][4] = {
        {"us-west-2", "840364872350", "840364872350.dkr.ecr.us-west-2.amazonaws.com",
         "arn:aws:ecr:us-west-2:840364872350:repository/aws-appmesh-envoy"},
        {"cn-north-1", "919366029133", "919366029133.dkr.ecr.cn-north-1.amazonaws.com.cn",
         "arn:aws-cn:ecr:cn-north-1:919366029133:repository/aws-appmesh-envoy"}};
    static const char *const columns[] = {"region", "account", "host", "arn"};
    (void)state;
    struct sandbox *sandbox = sandbox_new(0);
    lua_State *L = sandbox_state(sandbox);
    lua_newtable(L);
    bind_registry_open(L);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t j = 0; j < 4; j++) {
            lua_getfield(L, 1, "registry");
            lua_pushstring(L, rows[i][0]);
            lua_call(L, 1, 1);
            lua_getfield(L, -1, columns[j]);
            assert_string_equal(lua_tostring(L, -1), rows[i][j]);
            lua_settop(L, 1);
        }
    }
    lua_getfield(L, 1, "registry");
    lua_pushliteral(L, "123456789012");
    lua_call(L, 1, 1);
    assert_true(lua_isnil(L, -1));
    /* An account of AWS that publishes for no region of App Mesh's. */
    lua_getfield(L, 1, "registry");
    lua_pushliteral(L, "602401143452");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "region");
    assert_true(lua_isnil(L, -1));
    lua_getfield(L, -2, "account");
    assert_string_equal(lua_tostring(L, -1), "602401143452");
    sandbox_free(sandbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_line_refusals),
        cmocka_unit_test(test_modules),     cmocka_unit_test(test_description),
        cmocka_unit_test(test_annotations), cmocka_unit_test(test_registry),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
