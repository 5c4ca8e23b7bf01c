/* The driver: shapes, what is not recognised, what nobody wants, files asked for by name, documents and
 * lines at their edges. */
#include "given.h"
#include "read/peek.h"
#include "read/readers.h"

static void assert_shape(const char *text, enum peek_shape shape, const char *key)
{
    struct arena *arena = arena_new();
    struct peek peek;
    peek_init(&peek, arena, "x", text, strlen(text), true);
    if (peek.shape != shape)
        fail_msg("shape of '%.40s' is %d, not %d", text, (int)peek.shape, (int)shape);
    assert_true(!key || peek_has_key(&peek, key));
    assert_false(peek_has_key(&peek, "inner"));
    arena_free(arena);
}

static void shapes(void **state)
{
    (void)state;
    assert_shape("", PEEK_EMPTY, NULL);
    assert_shape(" \r\n\t", PEEK_EMPTY, NULL);
    assert_shape("{\"a\": {\"inner\": 1}, \"b,\\\"\": \"inner\", \"c\": [", PEEK_JSON_OBJECT, "c");
    assert_shape("[{\"a\": 1, \"b\": [{\"inner\": 2}]}, {\"inner\": 3}]", PEEK_JSON_ARRAY, "b");
    assert_shape("[]", PEEK_JSON_ARRAY, NULL);
    assert_shape("[1, 2]", PEEK_JSON_ARRAY, NULL);
    assert_shape("[2026-11-21 08:00:00.123][1][info][main] [source/x.cc:1] text", PEEK_TEXT, NULL);
    assert_shape("[24][config]Stream", PEEK_TEXT, NULL);
    assert_shape("a: 1\nb:\n  inner: 2\nc:\n", PEEK_YAML, "c");
    assert_shape("# c\n---\nkind: X\n---\ninner: Y\n", PEEK_YAML, "kind");
    assert_shape("- a: 1\n  b:\n    inner: 2\n- inner: 3\n", PEEK_YAML, "b");
    assert_shape("node: {id: x}\n", PEEK_YAML, "node");
    assert_shape("server.live: 1\nserver.state: 0\n", PEEK_TEXT, NULL);
    assert_shape("Warning: something is wrong\nmore of it\n", PEEK_TEXT, NULL);
    assert_shape("\x7f"
                 "ELF\x02\x01\x01\x03\x04\x05",
                 PEEK_BINARY, NULL);
}

static void not_recognised(void **state)
{
    (void)state;
    struct given given;
    given_text(&given, "a.json", "{\"1\": 2}");
    assert_true(given.sources.items[0].unrecognised);
    assert_string_equal(given_kind(&given), "");
    given_release(&given);
    given_text(&given, "a.json", "{\"some\": \"pattern matches\"}");
    assert_false(given.sources.items[0].unrecognised);
    assert_string_equal(given_kind(&given), "text");
    given_release(&given);
    given_text(&given, "a.json", "  \n");
    assert_false(given.sources.items[0].unrecognised);
    assert_string_equal(given_problem(&given), "is empty");
    given_release(&given);
    given_bytes(&given, "a.log", "\x00\x01\x02\x03\x00", 5);
    assert_true(given.sources.items[0].unrecognised);
    given_release(&given);
}

struct wanting {
    struct given given;
    struct arena *arena;
    struct need_set needs;
};

/* TEXT: the needs of one check, separated by ';'. */
static void want(struct wanting *w, const char *text, const char *name, const char *bytes)
{
    struct need need;
    char *rest;
    memset(w, 0, sizeof *w);
    w->arena = arena_new();
    need_set_init(&w->needs);
    need_set_begin(&w->needs);
    for (char *one = strtok_r(arena_strdup(w->arena, text), ";", &rest); one;
         one = strtok_r(NULL, ";", &rest)) {
        assert_true(need_parse(w->arena, one, &need, NULL));
        need_set_add(&w->needs, &need);
    }
    given_write(&w->given, bytes, strlen(bytes));
    sources_init(&w->given.sources);
    struct source *source = sources_add(&w->given.sources, name);
    source->path = w->given.path;
    source->complete = true;
    w->given.evidence = evidence_new(&w->given.sources, &w->needs);
    read_all(w->given.evidence, NULL);
}

static void release(struct wanting *w)
{
    given_release(&w->given);
    need_set_release(&w->needs);
    arena_free(w->arena);
}

static void nobody_wants_it(void **state)
{
    (void)state;
    struct wanting w;
    want(&w, "hosts", "admin/certs.json", "{\"certificates\": [{\"ca_cert\": [{");
    assert_string_equal(given_kind(&w.given), "certs");
    assert_null(given_problem(&w.given));
    assert_int_equal(evidence_state(w.given.evidence, "certs"), EVIDENCE_ABSENT);
    release(&w);
    want(&w, "certs", "admin/certs.json", "{\"certificates\": [{\"ca_cert\": [{");
    assert_non_null(strstr(given_problem(&w.given), "ends in the middle"));
    assert_int_equal(evidence_state(w.given.evidence, "certs"), EVIDENCE_PARTIAL);
    release(&w);
}

/* A dump's routes are of use only to a check that can still be asked. */
static void dumps_are_narrowed(void **state)
{
    static const char dump[] =
        "{\"configs\": [{\"@type\": \"type.googleapis.com/envoy.admin.v3.RoutesConfigDump\", "
        "\"static_route_configs\": [{\"route_config\": {\"name\": \"r\", \"virtual_hosts\": "
        "[{\"name\": \"v\", \"domains\": [\"*\"]}]}}]}]}";
    (void)state;
    struct wanting w;
    want(&w, "xds.virtual_hosts", "config_dump.json", dump);
    assert_int_equal(given_count(&w.given, "xds.virtual_hosts"), 1);
    release(&w);
    want(&w, "xds.resources;?xds.virtual_hosts", "config_dump.json", dump);
    assert_int_equal(given_count(&w.given, "xds.virtual_hosts"), 1);
    release(&w);
    want(&w, "aws.target_health;?xds.virtual_hosts", "config_dump.json", dump);
    assert_int_equal(given_count(&w.given, "xds.virtual_hosts"), 0);
    release(&w);
    want(&w, "aws.target_health | xds.resources;xds.virtual_hosts", "config_dump.json", dump);
    assert_int_equal(given_count(&w.given, "xds.virtual_hosts"), 1);
    release(&w);
}

static void files_by_name(void **state)
{
    (void)state;
    struct wanting w;
    want(&w, "file.team-owners_1", "site/Team-Owners 1.yaml", "team: pay\nlist:\n- {n: 1}\n");
    assert_string_equal(given_field(&w.given, "file.team-owners_1", 0, "list[0].n"), "1");
    assert_int_equal(evidence_state(w.given.evidence, "file.team-owners_1"), EVIDENCE_COMPLETE);
    release(&w);
    want(&w, "file.flat", "flat.yml", "a: 1\nb: two\n");
    assert_string_equal(given_field(&w.given, "file.flat", 0, "b"), "two");
    release(&w);
    want(&w, "file.notes", "notes.txt", "one\ntwo\n");
    assert_string_equal(given_field(&w.given, "file.notes", 1, "text"), "two");
    assert_int_equal(given_record(&w.given, "file.notes", 1)->line, 2);
    release(&w);
    want(&w, "file.many", "many.json", "{\"a\": 1}\n{\"a\": 2}\n");
    assert_false(w.given.sources.items[0].unrecognised);
    assert_string_equal(given_field(&w.given, "file.many", 1, "a"), "2");
    assert_string_equal(given_record(&w.given, "file.many", 1)->pointer, "/1");
    release(&w);
    want(&w, "file.stats", "admin/stats.txt", "server.live: 1\n");
    assert_string_equal(given_kind(&w.given), "stats");
    assert_string_equal(given_field(&w.given, "file.stats", 0, "text"), "server.live: 1");
    release(&w);
}

static void documents_at_their_edges(void **state)
{
    (void)state;
    struct wanting w;
    want(&w, "file.d", "d.yaml", "---\na: 1\n---\nb: [2\n");
    assert_int_equal(given_count(&w.given, "file.d"), 1);
    assert_string_equal(given_field(&w.given, "file.d", 0, "a"), "1");
    assert_non_null(strstr(given_problem(&w.given), "not YAML at line"));
    assert_int_equal(evidence_state(w.given.evidence, "file.d"), EVIDENCE_PARTIAL);
    release(&w);
    want(&w, "file.d", "d.json", "{\"a\": 1}\n$ ");
    assert_int_equal(evidence_state(w.given.evidence, "file.d"), EVIDENCE_COMPLETE);
    assert_non_null(strstr(given_problem(&w.given), "is ignored"));
    release(&w);
    want(&w, "file.d", "d.json", "{\"a\": 1}\n{\"b\": ");
    assert_int_equal(given_count(&w.given, "file.d"), 1);
    assert_int_equal(evidence_state(w.given.evidence, "file.d"), EVIDENCE_PARTIAL);
    release(&w);
}

static void long_lines(void **state)
{
    (void)state;
    struct wanting w;
    size_t len = 300000;
    char *text = malloc(len + 16);
    memset(text, 'x', len);
    strcpy(text + len, "\nshort\nlast");
    want(&w, "file.l", "l.txt", text);
    assert_int_equal(given_count(&w.given, "file.l"), 3);
    assert_string_equal(given_field(&w.given, "file.l", 2, "text"), "last");
    assert_string_equal(given_problem(&w.given), "lines above 64 kB were cut");
    release(&w);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),          cmocka_unit_test(not_recognised),
        cmocka_unit_test(nobody_wants_it), cmocka_unit_test(dumps_are_narrowed),
        cmocka_unit_test(files_by_name),   cmocka_unit_test(documents_at_their_edges),
        cmocka_unit_test(long_lines),
    };
    return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
