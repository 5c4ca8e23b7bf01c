/* Metadata of checks: everything that is refused, with the words that say so, and what is read. */
#include "base/json.h"
#include "check/metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct plugin plugin = {.name = "x", .version = "1", .kind = "so", .path = "x.so"};

static bool read_text(struct arena *arena, const char *text, struct check_meta **checks,
                      size_t *len, struct err *err)
{
    cJSON *json = json_parse(text, strlen(text), err);
    if (!json)
        fail_msg("%s: %s", text, err->text);
    bool sound = metadata_read(arena, json, &plugin, checks, len, err);
    cJSON_Delete(json);
    return sound;
}

#define CHECK(members) "{\"checks\":[{\"id\":\"x/y\",\"title\":\"?\"," members "}]}"

static void test_refused(void **state)
{
    static const struct {
        const char *text, *wrong;
    } rows[] = {
        {"{}", "it has no checks"},
        {"{\"checks\":[]}", "it has no checks"},
        {"{\"checks\":[{}]}", "check '?': '' is no check id"},
        {"{\"checks\":[{\"id\":\"X\"}]}", "'X' is no check id"},
        {"{\"checks\":[{\"id\":\"x/y/z\"}]}", "is no check id"},
        {"{\"checks\":[{\"id\":\"x.y\"}]}", "is no check id"},
        {"{\"checks\":[{\"id\":\"x/\"}]}", "is no check id"},
        {"{\"checks\":[{\"id\":\"x\"}]}", "check 'x': it has no title"},
        {"{\"checks\":[{\"id\":\"x\",\"title\":\"\"}]}", "it has no title"},
        {"{\"checks\":[{\"id\":\"x\",\"title\":\"?\"},{\"id\":\"x\",\"title\":\"?\"}]}",
         "check 'x' is there twice"},
        {CHECK("\"applies\":\"colour = red\""), "'colour' is no fact"},
        {CHECK("\"needs\":[\"nothing.there\"]"), "there is no evidence 'nothing.there'"},
        {CHECK("\"needs\":[3]"), "check 'x/y'"},
        {CHECK("\"needs\":[\"event.gone\"]"), "it needs 'event.gone', but has no such event"},
        {CHECK("\"events\":[{\"name\":\"Loud\",\"pattern\":\"x\"}]"), "'Loud' is no event name"},
        {CHECK("\"events\":[{\"name\":\"a\"}]"), "event 'a' has no pattern"},
        {CHECK("\"events\":[{\"name\":\"a\",\"pattern\":\"(\"}]"), "event 'a': pattern '(' is not"},
        {CHECK(
             "\"events\":[{\"name\":\"a\",\"pattern\":\"x\"},{\"name\":\"a\",\"pattern\":\"x\"}]"),
         "event 'a' is there twice"},
        {CHECK("\"findings\":[{\"id\":\"x\"}]"), "'x' is no finding id"},
        {CHECK("\"findings\":[{\"id\":\"other.slug\",\"title\":\"T\",\"worst\":30}]"),
         "does not begin with the section's name, 'x.'"},
        {CHECK("\"findings\":[{\"id\":\"x.a\",\"worst\":30}]"), "finding 'x.a': it has no title"},
        {CHECK("\"findings\":[{\"id\":\"x.a\",\"title\":\"T\",\"worst\":31}]"), "has no severity"},
        {CHECK("\"findings\":[{\"id\":\"x.a\",\"title\":\"T\",\"worst\":30,\"explains\":[\"y\"]}]"),
         "explains 'y', which is no finding id"},
        {CHECK("\"findings\":[{\"id\":\"x.a\",\"title\":\"T\",\"worst\":30},"
               "{\"id\":\"x.a\",\"title\":\"T\",\"worst\":30}]"),
         "finding 'x.a' is there twice"},
        {CHECK("\"params\":[{\"name\":\"p q\"}]"), "'p q' is no parameter name"},
        {CHECK("\"params\":[{\"name\":\"p\",\"type\":2}]"), "parameter 'p' has no default"},
        {CHECK("\"params\":[{\"name\":\"p\",\"type\":2,\"default\":\"x\",\"help\":\"h\"}]"),
         "parameter 'p': 'x' is no number"},
        {CHECK("\"params\":[{\"name\":\"p\",\"type\":2,\"default\":\"1\"}]"),
         "parameter 'p': it has no help"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new();
        struct check_meta *checks;
        struct err err = ERR_INIT;
        size_t len;
        if (read_text(arena, rows[i].text, &checks, &len, &err))
            fail_msg("%s is not refused", rows[i].text);
        if (!strstr(err.text, rows[i].wrong))
            fail_msg("%s: '%s' does not say '%s'", rows[i].text, err.text, rows[i].wrong);
        arena_free(arena);
    }
}

static void test_read(void **state)
{
    struct arena *arena = arena_new();
    struct check_meta *checks;
    struct err err = ERR_INIT;
    size_t len;
    (void)state;
    assert_true(read_text(
        arena,
        "{\"checks\":[{\"id\":\"a\",\"title\":\"A?\"},{\"id\":\"x/"
        "y\",\"title\":\"?\",\"tags\":[\"t\"],"
        "\"applies\":\"mesh = istio\",\"needs\":[\"event.denied | stats{a.*}\",\"?proxy\"],"
        "\"events\":[{\"name\":\"denied\",\"pattern\":\"no\",\"caseless\":true}],"
        "\"findings\":[{\"id\":\"x.f\",\"title\":\"F\",\"worst\":20,\"explains\":[\"z.g\"]}],"
        "\"params\":[{\"name\":\"p\",\"type\":4,\"default\":\"10s\",\"help\":\"h\"}]}]}",
        &checks, &len, &err));
    assert_int_equal(len, 2);
    const struct check_meta *meta = &checks[1];
    assert_string_equal(meta->section, "x");
    assert_int_equal(meta->index, 1);
    assert_ptr_equal(meta->plugin, &plugin);
    assert_string_equal(meta->tags[0], "t");
    assert_null(meta->tags[1]);
    assert_string_equal(meta->events[0].evidence, "event.x.y.denied");
    assert_true(meta->events[0].caseless);
    assert_string_equal(meta->needs[0].text, "event.denied | stats{a.*}");
    assert_string_equal(meta->needs[0].terms[0].name, "event.x.y.denied");
    assert_string_equal(meta->needs[0].terms[1].name, "stats");
    assert_true(meta->needs[1].optional);
    assert_int_equal(meta->findings[0].worst, 20);
    assert_string_equal(meta->findings[0].explains[0], "z.g");
    assert_string_equal(meta->params[0].dflt, "10s");
    assert_null(checks[0].tags[0]);
    assert_int_equal(checks[0].needs_len, 0);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused), cmocka_unit_test(test_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
