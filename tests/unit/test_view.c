/* What a check may see: what it declared, what its filters let through, and no more. */
#include "asked.h"
#include "base/clock.h"
#include "check/view.h"

static struct view look(struct asked *asked)
{
    return (struct view){
        .check = &asked->check,
        .evidence = asked->evidence,
        .builder = builder_new(&asked->check, asked->evidence, NULL),
        .scratch = asked->arena,
        .gathered = CLOCK_SECOND,
    };
}

static void add_stat(struct asked *asked, const char *name, const char *value)
{
    struct record *record = asked_add(asked, "stats", 0, 0, "name", name);
    evidence_set(asked->evidence, record, "value", value);
}

static void test_filters(void **state)
{
    struct asked asked;
    (void)state;
    asked_init(&asked, ",\"needs\":[\"stats{grpc.*.closed_*} | stats{server.*}\","
                       "\"?xds.resources{type=listener,state=a*}\"]");
    add_stat(&asked, "grpc.ads.closed_7", "4");
    add_stat(&asked, "cluster.a.x", "1");
    add_stat(&asked, "server.live", "1");
    asked_add(&asked, "xds.resources", 0, 0, "type", "listener"); /* no state: does not pass */
    struct record *resource = asked_add(&asked, "xds.resources", 0, 0, "type", "listener");
    evidence_set(asked.evidence, resource, "state", "active");
    struct view view = look(&asked);
    const struct record *record = view_next(&view, "stats", NULL);
    assert_string_equal(view_text(&view, record, "name"), "grpc.ads.closed_7");
    record = view_next(&view, "stats", record);
    assert_string_equal(view_text(&view, record, "name"), "server.live");
    assert_null(view_next(&view, "stats", record));
    assert_int_equal(view_count(&view, "stats"), 2);
    assert_ptr_equal(view_find(&view, "stats", "server.live"), record);
    assert_null(view_find(&view, "stats", "cluster.a.x"));
    assert_ptr_equal(view_next(&view, "xds.resources", NULL), resource);
    assert_int_equal(view_count(&view, "xds.resources"), 1);
    assert_null(builder_fault(view.builder));
    builder_free(view.builder);
    asked_release(&asked);
}

static void add_pod(struct asked *asked, const char *name, const char *workload)
{
    struct record *record = asked_add(asked, "containers", 0, 0, "name", name);
    evidence_set(asked->evidence, record, "workload", workload);
}

static const char *next_name(struct view *view, const char *workload, const struct record **at)
{
    *at = view_next_with(view, "containers", "workload", workload, *at);
    return *at ? view_text(view, *at, "name") : NULL;
}

static void test_by_field(void **state)
{
    struct asked asked;
    char pod[32];
    (void)state;
    asked_init(&asked, ",\"needs\":[\"containers{name=e*} | containers{name=app}\"]");
    for (int i = 0; i < 1000; i++) {
        snprintf(pod, sizeof pod, "pod-%d", i);
        add_pod(&asked, "app", pod);
        add_pod(&asked, "envoy", pod);
        add_pod(&asked, "other", pod); /* the filter hides it */
    }
    add_pod(&asked, "envoy", NULL);
    struct view view = look(&asked);
    const struct record *at = NULL;
    assert_string_equal(next_name(&view, "pod-711", &at), "app");
    assert_string_equal(next_name(&view, "pod-711", &at), "envoy");
    assert_null(next_name(&view, "pod-711", &at));
    assert_null(next_name(&view, "pod-1000", &at));
    assert_string_equal(next_name(&view, NULL, &at), "envoy");
    assert_null(next_name(&view, NULL, &at));
    assert_null(view_next_with(&view, "containers", "colour", NULL, NULL)); /* not "not known" */
    assert_string_equal(builder_fault(view.builder),
                        "asked for 'colour', which evidence 'containers' does not have");
    builder_free(view.builder);
    asked_release(&asked);
}

static void test_own_events(void **state)
{
    struct asked asked;
    double number = 0;
    (void)state;
    asked_init(&asked, ",\"events\":[{\"name\":\"e\",\"pattern\":\"e\"}]");
    asked_add(&asked, "event.x.e", 3, 0, "repeats", "12");
    evidence_supplied(asked.evidence, "text", true);
    struct view view = look(&asked);
    const struct record *record = view_next(&view, "event.e", NULL);
    assert_true(view_number(&view, record, "repeats", &number) && number == 12);
    assert_null(view_text(&view, record, "message"));
    assert_false(view_number(&view, record, "message", &number));
    assert_int_equal(view_count(&view, "event.e"), 1);
    assert_int_equal(view_state(&view, "event.e"), EVIDENCE_COMPLETE);
    assert_null(builder_fault(view.builder));
    builder_free(view.builder);
    asked_release(&asked);
}

static void expect_fault(struct view *view, const char *wanted)
{
    assert_string_equal(builder_fault(view->builder), wanted);
    builder_free(view->builder);
    view->builder = builder_new(view->check, view->evidence, NULL);
}

static void test_faults(void **state)
{
    struct asked asked;
    int type = 0;
    (void)state;
    asked_init(&asked, ",\"needs\":[\"stats\",\"certs\"],"
                       "\"params\":[{\"name\":\"p\",\"type\":2,\"default\":\"3\",\"help\":\"h\"}]");
    add_stat(&asked, "a", "1");
    struct view view = look(&asked);
    const struct record *record = view_next(&view, "stats", NULL);
    assert_null(view_next(&view, "clusters", NULL));
    expect_fault(&view, "read evidence 'clusters', which its needs do not name");
    assert_int_equal(view_state(&view, "event.none"), EVIDENCE_ABSENT);
    expect_fault(&view, "read evidence 'event.none', which its needs do not name");
    assert_null(view_text(&view, record, "colour"));
    expect_fault(&view, "asked for 'colour', which evidence 'stats' does not have");
    assert_null(view_next(&view, "certs", record));
    expect_fault(&view, "took a record of 'stats' for one of 'certs'");
    assert_null(view_text(&view, NULL, "name"));
    expect_fault(&view, "asked for a field of no record");
    assert_string_equal(view_param(&view, "p", &type), "3");
    assert_int_equal(type, 2);
    assert_null(view_param(&view, "q", NULL));
    expect_fault(&view, "asked for parameter 'q', which it does not declare");
    builder_free(view.builder);
    asked_release(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_by_field),
        cmocka_unit_test(test_own_events),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
