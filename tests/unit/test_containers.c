/* Small steps that readers of platforms share. */
#include "given.h"

#include "base/json.h"
#include "read/containers.h"

static int64_t time_in(const char *json)
{
    struct err err = ERR_INIT;
    cJSON *tree = json_parse(json, strlen(json), &err);
    assert_non_null(tree);
    int64_t time = containers_time(tree, "t");
    cJSON_Delete(tree);
    return time;
}

static void test_times(void **state)
{
    (void)state;
    assert_int_equal(time_in("{\"t\":1795248300}"), 1795248300000000000);
    assert_int_equal(time_in("{\"t\":1795248300.5}"), 1795248300500000000);
    assert_int_equal(time_in("{\"t\":1795248300500}"), 1795248300500000000);
    assert_int_equal(time_in("{\"t\":\"2026-11-21T08:05:00Z\"}"), 1795248300000000000);
}

static void test_what_is_no_time(void **state)
{
    static const char *const texts[] = {"{}",          "{\"t\":null}", "{\"t\":\"soon\"}",
                                        "{\"t\":-1}",  "{\"t\":0}",    "{\"t\":1e300}",
                                        "{\"t\":[1]}", "{\"t\":true}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(time_in(texts[i]), 0);
}

/* A place that is too long is cut, never written beyond its end. */
static void test_place(void **state)
{
    char place[CONTAINERS_POINTER_MAX], name[CONTAINERS_POINTER_MAX * 2];
    (void)state;
    containers_place(place, "%s/%d", "/items", 7);
    assert_string_equal(place, "/items/7");
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    containers_place(place, "/%s", name);
    assert_int_equal(strlen(place), CONTAINERS_POINTER_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_what_is_no_time),
        cmocka_unit_test(test_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
