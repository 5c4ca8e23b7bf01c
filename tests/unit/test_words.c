/* Texts about several meshes, cut down to the one at hand. */
#include "base/buf.h"
#include "finding/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void lists(void **state)
{
    (void)state;
    static const char limit[] = "raise it (Istio: connectionPool (outlier too); a second one; App "
                                "Mesh: the virtual node's) or wait";
    static const struct {
        struct words words;
        const char *text, *wanted; /* wanted NULL: nothing is left */
    } rows[] = {
        {{"", ""}, limit, limit},
        {{"istio", "kubernetes"},
         limit,
         "raise it (connectionPool (outlier too); a second one) or wait"},
        {{"appmesh", ""}, limit, "raise it (the virtual node's) or wait"},
        {{"consul", ""}, limit, "raise it or wait"},
        {{"", "kubernetes"}, limit, limit},
        {{"appmesh", "ecs"}, "ECS: set taskRoleArn", "set taskRoleArn"},
        {{"appmesh", "kubernetes"}, "ECS: set taskRoleArn", NULL},
        {{"appmesh", ""}, "ECS: set taskRoleArn", "ECS: set taskRoleArn"},
        {{"appmesh", "ecs"}, "EC2: attach an instance role", NULL},
        {{"appmesh", "ecs"}, "App Mesh on ECS: a", "a"},
        {{"appmesh", "kubernetes"}, "App Mesh on ECS: a", NULL},
        {{"istio", ""}, "App Mesh: a; elsewhere b", "b"},
        {{"appmesh", ""}, "App Mesh: a; elsewhere b", "a"},
        {{"", "ecs"}, "App Mesh: a; elsewhere b", "App Mesh: a; elsewhere b"},
        {{"consul", ""}, "ports (Istio: 15000; Consul and Envoy Gateway: 1)", "ports (1)"},
        {{"istio", ""}, "wait (15 s; App Mesh: a; Istio: b)", "wait (15 s; b)"},
        {{"kuma", ""}, "wait (15 s; App Mesh: a; Istio: b)", "wait (15 s)"},
        {{"istio", ""}, "a (Istio: b", "a (Istio: b"},
        {{"istio", ""}, "a (see Istio: b)", "a (see Istio: b)"},
        {{"istio", ""}, "Istio's (ECS) Consul: b", "Istio's (ECS) Consul: b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 4096);
        bool fits = words_fit(&out, rows[i].text, &rows[i].words);
        assert_int_equal(fits, rows[i].wanted != NULL);
        assert_string_equal(buf_str(&out), rows[i].wanted ? rows[i].wanted : "");
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists)};
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
