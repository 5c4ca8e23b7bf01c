/* Applicability: what is refused, what applies, and the reason when it does not. */
#include "check/applies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_valid(void **state)
{
    static const struct {
        const char *text, *wrong; /* wrong NULL: it is well-formed */
    } rows[] = {
        {NULL, NULL},
        {"", NULL},
        {"envoy >= 1.24", NULL},
        {"envoy>=1.24,mesh=istio|consul, mode != gateway ,platform = ecs", NULL},
        {"envoy = 1.36|1.37", NULL},
        {"envoy", "'envoy' is no comparison"},
        {"envoy >= ", "'envoy >=' has no value"},
        {"envoy >= 1.x", "'1.x' is no version"},
        {"envoy >= 1..2", "'1..2' is no version"},
        {"envoy >= 1.24|1.25", "can only be compared with = or !="},
        {"mesh > istio", "can only be compared with = or !="},
        {"colour = red", "'colour' is no fact"},
        {"any", NULL},
        {"mode = sidecar|client-only", NULL},
        {"mesh = istoi", "'istoi' is no mesh; there are appmesh"},
        {"mode != proxyless|gate", "'gate' is no mode"},
        {"platform = any", "'any' is no platform"},
        {"any, mesh = istio", "'any' is no comparison"},
        {"mesh = istio,", NULL},
        {"mesh = istio,,mode = gateway", "is no comparison"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_INIT;
        bool valid = applies_valid(rows[i].text, &err);
        if (valid != !rows[i].wrong)
            fail_msg("'%s': %s", rows[i].text, err.text);
        if (rows[i].wrong && !strstr(err.text, rows[i].wrong))
            fail_msg("'%s': '%s' does not say '%s'", rows[i].text, err.text, rows[i].wrong);
    }
}

static void test_applies(void **state)
{
    static const struct {
        const char *text, *version, *mesh;
        bool applies;
    } rows[] = {
        {NULL, "1.36.4", "istio", true},
        {"envoy >= 1.24", "1.24.0", NULL, true},
        {"envoy >= 1.24", "1.23.9", NULL, false},
        {"envoy >= 1.24", "2.0.0", NULL, true},
        {"envoy >= 1.24", "1.100.0", NULL, true},
        {"envoy > 1.24", "1.24.7", NULL, false}, /* 1.24 is all of 1.24.x */
        {"envoy > 1.24.3", "1.24.7", NULL, true},
        {"envoy <= 1.24", "1.24.7", NULL, true},
        {"envoy < 1.24", "1.24.0", NULL, false},
        {"envoy < 1.24", "1.9", NULL, true},
        {"envoy = 1.36", "1.36.4", NULL, true},
        {"envoy != 1.36", "1.36.4", NULL, false},
        {"envoy = 1.36|1.40", "1.40.0-dev", NULL, true},
        {"envoy = 1.3", "1.36.4", NULL, false},
        {"envoy >= 1.24", NULL, NULL, true}, /* not known: applies */
        {"mesh = istio|consul", "1.36.4", "consul", true},
        {"mesh = istio|consul", "1.36.4", "appmesh", false},
        {"mesh = istio", "1.36.4", NULL, true},
        {"mesh != appmesh", "1.36.4", "appmesh", false},
        {"mesh = istio, envoy >= 1.24", "1.20.0", "istio", false},
        {"mesh != istio|consul", NULL, "consul", false},
        {"mesh != istio|consul", NULL, "kuma", true},
        {"any", "1.20.0", "istio", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct applies_facts facts = {.values = {rows[i].version, rows[i].mesh}};
        if (applies_to(rows[i].text, &facts, NULL) != rows[i].applies)
            fail_msg("'%s' for envoy %s in %s", rows[i].text, rows[i].version, rows[i].mesh);
    }
}

static void test_reason(void **state)
{
    struct applies_facts facts = {.values = {"1.20.3", "istio", "sidecar", "ecs"}};
    struct err why = ERR_INIT;
    (void)state;
    assert_false(applies_to("mesh = istio,  envoy  >= 1.24 ", &facts, &why));
    assert_string_equal(why.text, "envoy is 1.20.3, and this is about envoy  >= 1.24");
    assert_false(applies_to("mode = gateway", &facts, &why));
    assert_string_equal(why.text, "mode is sidecar, and this is about mode = gateway");
    assert_false(applies_to("platform = kubernetes", &facts, &why));
    assert_string_equal(applies_column(APPLIES_ENVOY), "version");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_applies),
        cmocka_unit_test(test_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
