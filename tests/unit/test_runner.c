/* One check on one target: applicability, needs, the script, and the outcome that follows. */
#include "asked.h"
#include "check/runner.h"

#include "scratch.h"

struct question {
    const char *members; /* metadata */
    const char *run;     /* body of run(ev) */
    const char *outcome, *reason;
    int findings, asks, missing;
};

#define FINDINGS                                                                                   \
    ",\"findings\":[{\"id\":\"x.bad\",\"title\":\"Bad\",\"worst\":30},"                            \
    "{\"id\":\"x.note\",\"title\":\"Note\",\"worst\":10}]"
#define REPORT "ev:report('x.bad', 'proxy', 'envoy', 'bad')"
#define NOTE   "ev:report('x.note', 'proxy', 'envoy', 'a note')"
#define ASK    "ev:ask { evidence = 'log', why = 'it would tell', how = 'add it' }"

/* `stats` is whole, `certs` in part, `clusters` not there; the proxy is envoy 1.36.4 in istio. */
static const struct question questions[] = {
    {FINDINGS, "", "pass", "", 0, 0, 0},
    {FINDINGS, REPORT, "fail", "", 1, 0, 0},
    {FINDINGS, REPORT ":severity 'info'", "pass", "", 1, 0, 0},
    {FINDINGS, NOTE, "pass", "", 1, 0, 0},
    {FINDINGS, NOTE " " ASK, "skip", "not enough to tell: it would tell", 1, 1, 0},
    {FINDINGS, REPORT " " ASK, "fail", "", 1, 1, 0},
    {FINDINGS, "ev:not_applicable 'no'", "not_applicable", "no", 0, 0, 0},
    {FINDINGS, REPORT " ev:not_applicable 'no'", "not_applicable", "no", 0, 0, 0},
    {FINDINGS, REPORT " error('oops')", "error", "x.lua:3: oops", 0, 0, 0},
    {FINDINGS, "error({})", "error", "table: ", 0, 0, 0},
    {FINDINGS, "ev:report('x.none', 'proxy', 'e', 'm')", "error",
     "x.lua:3: reported 'x.none', which it does not declare", 0, 0, 0},
    {FINDINGS, "pcall(ev.first, ev, 'certs')", "error",
     "read evidence 'certs', which its needs do not name", 0, 0, 0},
    {FINDINGS ",\"applies\":\"envoy >= 1.36, mesh = istio\"", REPORT, "fail", "", 1, 0, 0},
    {FINDINGS ",\"applies\":\"mesh = appmesh\"", REPORT, "not_applicable",
     "mesh is istio, and this is about mesh = appmesh", 0, 0, 0},
    {",\"applies\":\"mesh = appmesh\",\"needs\":[\"clusters\"]", "", "not_applicable",
     "mesh is istio", 0, 0, 0},
    {FINDINGS ",\"needs\":[\"clusters\"]", REPORT, "skip", "missing: clusters", 0, 0, 1},
    {FINDINGS ",\"needs\":[\"?clusters\",\"stats\"]", "", "pass", "", 0, 0, 0},
    {FINDINGS ",\"needs\":[\"certs\"]", "", "skip",
     "not enough to tell, there is only a part of: certs", 0, 0, 1},
    {FINDINGS ",\"needs\":[\"certs\"]", REPORT, "fail", "", 1, 0, 0},
    {FINDINGS ",\"needs\":[\"certs\"]", NOTE, "pass", "", 1, 0, 0},
};

static void ask(const struct question *question)
{
    struct asked asked;
    asked_init(&asked, question->members);
    char *script = xasprintf("return debrief.check { id = 'x', title = '?', findings = {}, run = "
                             "function(ev)\n\n%s\nend }",
                             question->run);
    char *path = scratch_write("x.lua", script, strlen(script));
    asked.plugin.path = path;
    evidence_supplied(asked.evidence, "stats", true);
    evidence_supplied(asked.evidence, "certs", false);
    struct record *proxy = asked_add(&asked, "proxy", 0, 0, "version", "1.36.4");
    evidence_set(asked.evidence, proxy, "mesh", "istio");
    struct plan plan = {.checks = &asked.check, .checks_len = 1};
    struct runner runner = {.plan = &plan, .evidence = asked.evidence, .gathered = 1};
    cJSON *end = runner_ask(&runner, 0);
    const char *outcome = json_str(end, "record.outcome"), *reason = json_str(end, "record.reason");
    if (strcmp(outcome, question->outcome) != 0 ||
        strncmp(reason, question->reason, strlen(question->reason)) != 0 ||
        (*reason && !*question->reason))
        fail_msg("%s, %s: '%s', '%s'", question->members, question->run, outcome, reason);
    assert_int_equal(cJSON_GetArraySize(json_at(end, "findings")), question->findings);
    assert_int_equal(cJSON_GetArraySize(json_at(end, "asks")), question->asks);
    assert_int_equal(cJSON_GetArraySize(json_at(end, "missing")), question->missing);
    cJSON_Delete(end);
    free(path);
    free(script);
    asked_release(&asked);
}

static void test_outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        ask(&questions[i]);
}

static void test_refused(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, "");
    asked.check.refused = "its plugin is broken";
    struct plan plan = {.checks = &asked.check, .checks_len = 1};
    struct runner runner = {.plan = &plan, .evidence = asked.evidence};
    cJSON *end = runner_ask(&runner, 0);
    assert_string_equal(json_str(end, "record.outcome"), "error");
    assert_string_equal(json_str(end, "record.reason"), "its plugin is broken");
    cJSON_Delete(end);
    asked_release(&asked);
}

/* A document's arrays: elements are read by path and can be cited. */
static void test_items(void **state)
{
    static const char run[] =
        "local doc, seen = ev:first 'file.mine', {}\n"
        "for port in ev:items(doc, 'spec.ports') do seen[#seen + 1] = port end\n"
        "for c in ev:items(doc, 'spec.containers') do\n"
        "  seen[#seen + 1] = c.name .. '/' .. tostring(c['limits.cpu']) .. '/' .. "
        "tostring(ev:number(c, 'port'))\n"
        "  ev:report('x.bad', 'container', c.name, table.concat(seen, ' ')):cite(c)\n"
        "end\n"
        "for _ in ev:items(doc, 'spec.nothing') do error 'nothing' end";
    static const char text[] =
        "{\"spec\":{\"ports\":[80,\"http\"],\"containers\":[{\"name\":\"a\",\"port\":1},"
        "{\"name\":\"b\",\"limits\":{\"cpu\":2}}]}}";
    struct asked asked;
    (void)state;
    asked_init(&asked, FINDINGS ",\"needs\":[\"file.mine\"]");
    char *script = xasprintf("return debrief.check { id = 'x', title = '?', findings = {}, run = "
                             "function(ev) %s end }",
                             run);
    char *path = scratch_write("x.lua", script, strlen(script));
    asked.plugin.path = path;
    evidence_declare(asked.evidence, "file.mine");
    evidence_supplied(asked.evidence, "file.mine", true);
    struct record *record = evidence_add(asked.evidence, "file.mine", &asked.sources.items[0]);
    evidence_set_doc(asked.evidence, record, json_parse(text, strlen(text), NULL));
    record->pointer = "/0";
    struct plan plan = {.checks = &asked.check, .checks_len = 1};
    struct runner runner = {.plan = &plan, .evidence = asked.evidence, .gathered = 1};
    cJSON *end = runner_ask(&runner, 0);
    assert_string_equal(json_str(end, "record.reason"), "");
    assert_string_equal(json_str(end, "findings[0].message"), "80 http a/nil/1.0");
    assert_string_equal(json_str(end, "findings[1].message"), "80 http a/nil/1.0 b/2/nil");
    assert_string_equal(json_str(end, "findings[1].evidence[0].locator"), "/0/spec/containers/1");
    assert_string_equal(json_str(end, "findings[1].evidence[0].excerpt"),
                        "{\"name\":\"b\",\"limits\":{\"cpu\":2}}");
    cJSON_Delete(end);
    free(path);
    free(script);
    asked_release(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_items),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
