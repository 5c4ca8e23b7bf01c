/* Lines of nodes: block and flow style, several documents, aliases, JSON, and what cannot be read. */
#include "base/yaml_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t line_of(const char *text, const char *pointer)
{
    return yaml_line(text, strlen(text), pointer);
}

static const char pod[] = "# a comment\n"       /* 1 */
                          "kind: Pod\n"         /* 2 */
                          "spec:\n"             /* 3 */
                          "  containers:\n"     /* 4 */
                          "  - name: app\n"     /* 5 */
                          "    ports: [\n"      /* 6 */
                          "      {a: 1},\n"     /* 7 */
                          "      {b: 2}]\n"     /* 8 */
                          "  - name: envoy\n"   /* 9 */
                          "    a/b~c: |\n"      /* 10 */
                          "      x\n"           /* 11 */
                          "  restart: never\n"; /* 12 */

static void test_members_and_elements(void **state)
{
    (void)state;
    assert_int_equal(line_of(pod, ""), 2);
    assert_int_equal(line_of(pod, "/kind"), 2);
    assert_int_equal(line_of(pod, "/spec"), 3);
    assert_int_equal(line_of(pod, "/spec/containers/0"), 5);
    assert_int_equal(line_of(pod, "/spec/containers/0/ports/1/b"), 8);
    assert_int_equal(line_of(pod, "/spec/containers/1"), 9);
    assert_int_equal(line_of(pod, "/spec/containers/1/a~1b~0c"), 10);
    assert_int_equal(line_of(pod, "/spec/restart"), 12);
}

static void test_what_is_not_there_has_the_line_around_it(void **state)
{
    (void)state;
    assert_int_equal(line_of(pod, "/spec/containers/1/image"), 9);
    assert_int_equal(line_of(pod, "/spec/containers/7"), 4);
    assert_int_equal(line_of("a: &x\n  b: 1\nc:\n  <<: *x\n  d: 2\n", "/c/b"), 3);
}

static void test_documents(void **state)
{
    (void)state;
    static const char two[] = "a: 1\n---\n\na: 2\n";
    assert_int_equal(line_of(two, "/1/a"), 4);
    assert_int_equal(line_of(two, "/0/a"), 1);
    assert_int_equal(line_of(two, "/7/a"), 0);
    assert_int_equal(line_of(two, ""), 0);
}

static void test_json(void **state)
{
    (void)state;
    static const char json[] = "{\n\t\"a\": [\n\t\t1,\n\t\t{\"b\\/c\": 2}\n\t]\n}\n";
    assert_int_equal(line_of(json, "/a/0"), 3);
    assert_int_equal(line_of(json, "/a/1/b~1c"), 4);
}

static void test_what_cannot_be_read(void **state)
{
    (void)state;
    char deep[4000];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(line_of("", "/a"), 0);
    assert_int_equal(line_of("}", "/b"), 0);
    assert_int_equal(line_of(deep, "/0/0"), 1);
    assert_int_equal(line_of("a: 1\nb: {\n", "/a"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_and_elements),
        cmocka_unit_test(test_what_is_not_there_has_the_line_around_it),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
