/* The finding builder: what checks say becomes the report's JSON, within caps, clean and redacted. */
#include "asked.h"
#include "base/clock.h"
#include "debrief/plugin.h"

#define FINDINGS                                                                                   \
    ",\"findings\":[{\"id\":\"x.bad\",\"title\":\"Bad\",\"worst\":30},"                            \
    "{\"id\":\"x.odd\",\"title\":\"Odd\",\"worst\":20}]"                                           \
    ",\"events\":[{\"name\":\"e\",\"pattern\":\"e\"}]"
#define EVENT "event.x.e"

static cJSON *only_finding(struct builder *builder)
{
    cJSON *findings = builder_findings(builder);
    assert_int_equal(cJSON_GetArraySize(findings), 1);
    cJSON *finding = cJSON_DetachItemFromArray(findings, 0);
    cJSON_Delete(findings);
    return finding;
}

static void expect_text(const cJSON *json, const char *path, const char *wanted)
{
    const char *text = json_str(json, path);
    if (!text || strcmp(text, wanted) != 0)
        fail_msg("%s is '%s', not '%s'", path, text ? text : "(absent)", wanted);
}

static void test_whole_finding(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, FINDINGS);
    struct record *record = asked_add(&asked, EVENT, 7, 1700000000 * CLOCK_SECOND, "message",
                                      "it is bad");
    record->excerpt = "[..] it is bad";
    struct builder *builder = builder_new(&asked.check, asked.evidence, NULL);
    struct builder_finding *finding = builder_report(builder, "x.bad", "listener", "l1",
                                                     "l1 is bad");
    builder_confidence(finding, DEBRIEF_LIKELY);
    builder_when(finding, DEBRIEF_NOW);
    builder_cite(finding, record);
    builder_cite(finding, record);
    builder_cite(finding, NULL);
    builder_advise(finding, "mend it", "mend l1");
    builder_advise(finding, "mend it", "mend l1");
    builder_snippet(finding, "or write", "a.yaml", "a: 1\n");
    builder_reference(finding, "https://example.org/a");
    builder_reference(finding, "https://example.org/a");
    builder_candidate(finding, "x.odd", "looks so", NULL);
    builder_candidate(finding, "x.odd", NULL, "and not so");
    cJSON *json = only_finding(builder);
    char *text = cJSON_PrintUnformatted(json);
    assert_string_equal(
        text,
        "{\"id\":\"x.bad\",\"severity\":\"error\",\"confidence\":\"likely\","
        "\"subject\":{\"kind\":\"listener\",\"name\":\"l1\"},\"state\":\"now\","
        "\"first\":\"2023-11-14T22:13:20Z\",\"last\":\"2023-11-14T22:13:20Z\",\"count\":1,"
        "\"title\":\"Bad\",\"message\":\"l1 is bad\",\"check\":\"x\","
        "\"fingerprint\":\"ab1e49c86a98fabc003dcbbedd881961\","
        "\"candidates\":[{\"id\":\"x.odd\",\"for\":[\"looks so\"],\"against\":[\"and not so\"]}],"
        "\"evidence\":[{\"source\":\"log/envoy.log\",\"sha256\":"
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
        "\"locator\":\"line 7\",\"excerpt\":\"[..] it is bad\",\"time\":\"2023-11-14T22:13:20Z\"}],"
        "\"fix\":[{\"text\":\"mend it\",\"command\":\"mend l1\"},{\"text\":\"or write\","
        "\"snippet\":{\"path\":\"a.yaml\",\"text\":\"a: 1\\n\"}}],"
        "\"references\":[\"https://example.org/a\"]}");
    assert_int_equal(builder_worst(builder), DEBRIEF_ERROR);
    assert_null(builder_fault(builder));
    free(text);
    cJSON_Delete(json);
    builder_free(builder);
    asked_release(&asked);
}

static void test_same_subject_is_same_finding(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, FINDINGS);
    struct builder *builder = builder_new(&asked.check, asked.evidence, NULL);
    struct builder_finding *first = builder_report(builder, "x.bad", "listener", "l1",
                                                   "first words");
    assert_ptr_equal(builder_report(builder, "x.bad", "listener", "l1", "other words"), first);
    assert_ptr_not_equal(builder_report(builder, "x.bad", "listener", "l2", "m"), first);
    assert_ptr_not_equal(builder_report(builder, "x.bad", "cluster", "l1", "m"), first);
    assert_ptr_not_equal(builder_report(builder, "x.odd", "listener", "l1", "m"), first);
    cJSON *findings = builder_findings(builder);
    assert_int_equal(cJSON_GetArraySize(findings), 4);
    expect_text(findings->child, "message", "first words");
    for (const cJSON *a = findings->child; a; a = a->next)
        for (const cJSON *b = a->next; b; b = b->next)
            assert_string_not_equal(json_str(a, "fingerprint"), json_str(b, "fingerprint"));
    cJSON_Delete(findings);
    builder_free(builder);
    asked_release(&asked);
}

static void test_severity_is_capped(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, FINDINGS);
    struct builder *builder = builder_new(&asked.check, asked.evidence, NULL);
    struct builder_finding *odd = builder_report(builder, "x.odd", "proxy", "envoy", "m");
    builder_severity(odd, DEBRIEF_ERROR);
    assert_int_equal(builder_worst(builder), DEBRIEF_WARNING);
    builder_severity(odd, DEBRIEF_INFO);
    assert_int_equal(builder_worst(builder), DEBRIEF_INFO);
    builder_severity(odd, 25);
    assert_string_equal(builder_fault(builder), "gave 'x.odd' the severity 25, which there is not");
    builder_free(builder);
    asked_release(&asked);
}

static void test_citations(void **state)
{
    struct asked asked;
    double count = 0;
    (void)state;
    asked_init(&asked, FINDINGS);
    struct builder *builder = builder_new(&asked.check, asked.evidence, NULL);
    struct builder_finding *finding = builder_report(builder, "x.bad", "proxy", "envoy", "m");
    for (int i = 1; i <= 20; i++)
        builder_cite(finding,
                     asked_add(&asked, EVENT, (uint64_t)i, i * CLOCK_SECOND, "message", "m"));
    builder_cite(finding, asked_add(&asked, EVENT, 21, 5 * CLOCK_SECOND, "repeats", "10"));
    cJSON *json = only_finding(builder);
    const cJSON *cited = json_at(json, "evidence");
    assert_int_equal(cJSON_GetArraySize(cited), 8); /* the first seven and the last */
    expect_text(cited->child, "locator", "line 1");
    expect_text(cited->child->prev, "locator", "line 21");
    assert_true(json_num(json, "count", &count) && count == 30);
    expect_text(json, "first", "1970-01-01T00:00:01Z");
    expect_text(json, "last", "1970-01-01T00:00:20Z");
    cJSON_Delete(json);
    builder_span(finding, 0, 90 * CLOCK_SECOND, 500);
    builder_span(finding, 0, 0, 3); /* less than is known already */
    json = only_finding(builder);
    assert_true(json_num(json, "count", &count) && count == 500);
    expect_text(json, "last", "1970-01-01T00:01:30Z");
    cJSON_Delete(json);
    builder_free(builder);
    asked_release(&asked);
}

/* A record without an excerpt is quoted by its fields; settings are not counted. */
static void test_quotes(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, FINDINGS);
    struct record *stat = asked_add(&asked, "stats", 0, 0, "name", "server.live");
    evidence_set(asked.evidence, stat, "value", "1");
    stat->pointer = "server.live";
    struct record *ready = asked_add(&asked, "certs", 0, 0, "role", "leaf");
    evidence_set(asked.evidence, ready, "path", "<inline>");
    ready->pointer = "/certificates/0";
    struct builder *builder = builder_new(&asked.check, asked.evidence, NULL);
    struct builder_finding *finding = builder_report(builder, "x.bad", "proxy", "envoy", "m");
    builder_cite(finding, stat);
    builder_cite(finding, ready);
    cJSON *json = only_finding(builder);
    expect_text(json, "evidence[0].excerpt", "server.live: 1");
    expect_text(json, "evidence[0].locator", "server.live");
    expect_text(json, "evidence[1].excerpt", "role: leaf, path: <inline>");
    expect_text(json, "evidence[1].locator", "/certificates/0");
    assert_null(json_at(json, "count"));
    assert_null(json_at(json, "first"));
    assert_null(json_at(json, "evidence[0].time"));
    cJSON_Delete(json);
    builder_free(builder);
    asked_release(&asked);
}

#define SECRET "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"

static void test_text_is_clean(void **state)
{
    struct asked asked;
    (void)state;
    struct redact_policy *policy = redact_policy_new(&(struct redact_options){0}, NULL);
    asked_init(&asked, FINDINGS);
    for (int redact = 0; redact < 2; redact++) {
        struct builder *builder = builder_new(&asked.check, asked.evidence, redact ? policy : NULL);
        struct record *record = asked_add(&asked, EVENT, 1, 0, "message", "m");
        record->excerpt = "key " SECRET " used";
        struct builder_finding *finding = builder_report(builder, "x.bad", "proxy",
                                                         "broken \xff name", "the key is " SECRET);
        builder_cite(finding, record);
        builder_advise(finding, "rotate " SECRET, "rotate --key " SECRET);
        builder_ask(builder, "log", "is " SECRET " used?", "look");
        cJSON *json = only_finding(builder), *asks = builder_asks(builder);
        char *text = cJSON_PrintUnformatted(json), *asked_text = cJSON_PrintUnformatted(asks);
        assert_int_equal(strstr(text, SECRET) != NULL, !redact);
        assert_int_equal(strstr(asked_text, SECRET) != NULL, !redact);
        expect_text(json, "subject.name", "broken \xef\xbf\xbd name");
        free(text);
        free(asked_text);
        cJSON_Delete(json);
        cJSON_Delete(asks);
        builder_free(builder);
    }
    redact_policy_free(policy);
    asked_release(&asked);
}

static void test_long_text_is_cut(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, FINDINGS);
    char *text = xcalloc(1, 100001);
    memset(text, 'x', 100000);
    struct builder *builder = builder_new(&asked.check, asked.evidence, NULL);
    builder_advise(builder_report(builder, "x.bad", "proxy", text, text), text, text);
    cJSON *json = only_finding(builder);
    assert_true(strlen(json_str(json, "message")) == 2048 + 3);
    assert_true(strlen(json_str(json, "subject.name")) == 512 + 3);
    assert_string_equal(json_str(json, "message") + 2048, "\xe2\x80\xa6");
    cJSON_Delete(json);
    free(text);
    builder_free(builder);
    asked_release(&asked);
}

static void test_faults(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, FINDINGS);
    struct builder *builder = builder_new(&asked.check, asked.evidence, NULL);
    struct builder_finding *nowhere = builder_report(builder, "x.undeclared", "proxy", "e", "m");
    assert_non_null(nowhere); /* and can be used on */
    builder_severity(nowhere, DEBRIEF_ERROR);
    builder_cite(nowhere, asked_add(&asked, EVENT, 1, 0, "message", "m"));
    builder_advise(nowhere, "a", NULL);
    builder_candidate(nowhere, "x.bad", "for", NULL);
    assert_string_equal(builder_fault(builder),
                        "reported 'x.undeclared', which it does not declare");
    builder_set_fault(builder, "a later one");
    builder_place_fault(builder, "x.lua:3: ");
    builder_place_fault(builder, "x.lua:9: ");
    assert_string_equal(builder_fault(builder),
                        "x.lua:3: reported 'x.undeclared', which it does not declare");
    assert_int_equal(builder_worst(builder), 0);
    builder_free(builder);
    builder = builder_new(&asked.check, asked.evidence, NULL);
    builder_report(builder, "x.bad", "", "e", "m");
    assert_string_equal(builder_fault(builder), "reported 'x.bad' about no kind of subject");
    builder_free(builder);
    builder = builder_new(&asked.check, asked.evidence, NULL);
    builder_ask(builder, "log", NULL, "look");
    assert_string_equal(builder_fault(builder), "asked without saying which evidence, why and how");
    builder_free(builder);
    asked_release(&asked);
}

/* What is not known gets a name all the same: a sentence with "unknown" beats no sentence. */
static void test_unknown_name(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, FINDINGS);
    struct builder *builder = builder_new(&asked.check, asked.evidence, NULL);
    builder_report(builder, "x.bad", "image", NULL, NULL);
    cJSON *json = only_finding(builder);
    expect_text(json, "subject.name", "unknown");
    expect_text(json, "message", "Bad");
    cJSON_Delete(json);
    builder_free(builder);
    asked_release(&asked);
}

static void test_not_applicable_drops_findings(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, FINDINGS);
    struct builder *builder = builder_new(&asked.check, asked.evidence, NULL);
    builder_report(builder, "x.bad", "proxy", "envoy", "m");
    builder_ask(builder, "log", "why", "how");
    builder_ask(builder, "log", "why", "how");
    builder_not_applicable(builder, "no proxy");
    cJSON *findings = builder_findings(builder);
    assert_int_equal(cJSON_GetArraySize(findings), 0);
    assert_int_equal(builder_worst(builder), 0);
    assert_string_equal(builder_inapplicable(builder), "no proxy");
    assert_int_equal(builder_asks_len(builder), 1);
    cJSON_Delete(findings);
    builder_free(builder);
    asked_release(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_finding),
        cmocka_unit_test(test_same_subject_is_same_finding),
        cmocka_unit_test(test_severity_is_capped),
        cmocka_unit_test(test_citations),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_text_is_clean),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_unknown_name),
        cmocka_unit_test(test_not_applicable_drops_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
