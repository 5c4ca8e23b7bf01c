/* Needs: reading them, refusing mistakes, and what a set of them wants. */
#include "evidence/need.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct need parse(const char *text)
{
    struct need need;
    struct err err = ERR_INIT;
    if (!need_parse(arena, text, &need, &err))
        fail_msg("%s", err.text);
    return need;
}

static void assert_refused(const char *text, const char *why)
{
    struct need need;
    struct err err = ERR_INIT;
    assert_false(need_parse(arena, text, &need, &err));
    if (!strstr(err.text, why))
        fail_msg("'%s' is not in '%s'", why, err.text);
}

static void reads(void **state)
{
    (void)state;
    struct need need = parse("log.xds_closed | stats{grpc.*.streams_closed_*}");
    assert_string_equal(need.text, "log.xds_closed | stats{grpc.*.streams_closed_*}");
    assert_false(need.optional);
    assert_int_equal(need.terms_len, 2);
    assert_string_equal(need.terms[0].name, "log.xds_closed");
    assert_int_equal(need.terms[0].filters_len, 0);
    assert_string_equal(need.terms[1].name, "stats");
    assert_null(need.terms[1].filters[0].column);
    assert_string_equal(need.terms[1].filters[0].glob, "grpc.*.streams_closed_*");
}

static void reads_filters(void **state)
{
    (void)state;
    struct need need = parse(" ? xds.resources{ type = listener , state=rejected } ");
    assert_true(need.optional);
    assert_int_equal(need.terms[0].filters_len, 2);
    assert_string_equal(need.terms[0].filters[0].column, "type");
    assert_string_equal(need.terms[0].filters[0].glob, "listener");
    assert_string_equal(need.terms[0].filters[1].column, "state");
    assert_string_equal(need_term_key(&need.terms[0]), "listener");
    need = parse("xds.resources{state=rejected}");
    assert_null(need_term_key(&need.terms[0]));
}

/* Istio's cluster names hold bars. */
static void bars_in_braces(void **state)
{
    (void)state;
    struct need need = parse("clusters{outbound|80||*}|hosts{outbound|80||*}");
    assert_int_equal(need.terms_len, 2);
    assert_string_equal(need.terms[0].filters[0].glob, "outbound|80||*");
    assert_string_equal(need.terms[1].name, "hosts");
}

static void refuses(void **state)
{
    (void)state;
    assert_refused("log.nothing", "there is no evidence 'log.nothing'");
    assert_refused("event.", "there is no evidence 'event.'");
    assert_refused("", "an alternative is empty");
    assert_refused("stats |", "an alternative is empty");
    assert_refused("stats{", "the brace behind 'stats' is not closed");
    assert_refused("stats{a} b", "the brace behind 'stats' is not closed");
    assert_refused("stats{}", "an empty filter");
    assert_refused("ready{LIVE}", "has no key column");
    assert_refused("stats{nmae=x}", "has no column 'nmae'");
    assert_refused("stats{a,b,c,d,e}", "more than 4 filters");
    parse("event.denied{code=7}");
    parse("file.owners");
}

static struct need_set set_of(const char *const *texts)
{
    struct need_set set;
    need_set_init(&set);
    for (; *texts; texts++) {
        struct need need = parse(*texts);
        need_set_add(&set, &need);
    }
    return set;
}

static void wants(void **state)
{
    (void)state;
    struct need_set set = set_of(
        (const char *const[]){"stats{cluster.*.upstream_cx_overflow} | stats{server.*}",
                              "?xds.resources{state=rejected}", NULL});
    assert_true(need_set_wants(&set, "stats", "cluster.a.upstream_cx_overflow"));
    assert_true(need_set_wants(&set, "stats", "server.state"));
    assert_false(need_set_wants(&set, "stats", "cluster.a.upstream_cx_total"));
    assert_true(need_set_wants(&set, "stats", NULL));
    assert_true(need_set_wants(&set, "xds.resources", "cluster"));
    assert_false(need_set_wants(&set, "xds.routes", NULL));
    need_set_release(&set);
}

static void wants_sources(void **state)
{
    (void)state;
    struct need_set set = set_of(
        (const char *const[]){"stats{server.*}", "event.denied", "file.owners", NULL});
    assert_true(need_set_wants_source(&set, "admin/stats.txt"));
    assert_true(need_set_wants_source(&set, "sample-2/admin/stats.txt"));
    assert_true(need_set_wants_source(&set, "log/envoy.log"));
    assert_true(need_set_wants_source(&set, "file/owners.yaml"));
    assert_false(need_set_wants_source(&set, "admin/config_dump.json"));
    assert_false(need_set_wants_source(&set, "admin/clusters.json"));
    need_set_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),          cmocka_unit_test(reads_filters),
        cmocka_unit_test(bars_in_braces), cmocka_unit_test(refuses),
        cmocka_unit_test(wants),          cmocka_unit_test(wants_sources),
    };
    return cmocka_run_group_tests_name("need", tests, make_arena, free_arena);
}
