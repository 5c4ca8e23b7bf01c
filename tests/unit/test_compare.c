/* compare: facts that are not as agreed harm nothing, own names are taken out, counters go by their rates. */
#include "base/json.h"
#include "compare/compare.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static cJSON *target(const char *facts)
{
    struct err err = ERR_INIT;
    cJSON *row = cJSON_CreateObject();
    cJSON *parsed = json_parse(facts, strlen(facts), &err);
    assert_non_null(parsed);
    json_put_str(row, "name", "x");
    cJSON_AddItemToObject(row, "facts", parsed);
    return row;
}

/* How many differences there are; the first one's name goes into NAME. */
static int compared(const char *a, const char *b, char name[64])
{
    cJSON *left = target(a), *right = target(b);
    cJSON *result = compare_targets(left, right);
    const cJSON *rows = json_at(result, "differences");
    const char *first = json_str(rows, "[0].name");
    int count = cJSON_GetArraySize(rows);
    if (name)
        strcpy(name, first ? first : "");
    cJSON_Delete(result);
    cJSON_Delete(left);
    cJSON_Delete(right);
    return count;
}

static void test_facts_of_another_shape_harm_nothing(void **state)
{
    static const char *const shapes[] = {
        "null",
        "[]",
        "{\"tables\":3,\"stats\":[],\"own\":{\"a\":1},\"sources\":7}",
        "{\"tables\":[null,{},{\"rule\":-1},{\"rule\":1e9,\"rows\":[[]]},{\"rule\":\"x\"}]}",
        "{\"tables\":[{\"rule\":0,\"state\":\"complete\",\"rows\":[null,1,[],[[]],[9,9,9,9],"
        "[-1,\"l\",[1,2],[3]],[1e300,\"l\",\"k\",\"c\"]]}]}",
        "{\"tables\":[{\"rule\":0,\"state\":\"complete\",\"rows\":{\"a\":[0,\"l\",[],[\"1.2\"]]}},"
        "{\"rule\":0,\"state\":\"complete\",\"rows\":[]}]}",
        "{\"stats\":{\"state\":\"complete\",\"rows\":[[],[0,1,2],[0,\"\",1],[0,\"x\",\"1\"]]},"
        "\"uptime\":\"x\",\"gathered\":\"never\",\"own\":[\"\",null,\"a\"]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++)
            assert_int_equal(compared(shapes[i], shapes[j], NULL), 0);
}

#define STATS(uptime, rows)                                                                        \
    "{\"uptime\":" #uptime ",\"sources\":[\"s\"],\"stats\":{\"state\":\"complete\",\"rows\":" rows \
    "}}"
#define FAILS(n) "[[0,\"cluster.a.upstream_cx_connect_fail\"," #n "]]"

static void test_counters_go_by_their_rates(void **state)
{
    char name[64];
    (void)state;
    assert_int_equal(compared(STATS(1000, FAILS(1000)), STATS(10, FAILS(10)), NULL), 0);
    assert_int_equal(compared(STATS(1000, FAILS(1000)), STATS(1, FAILS(0)), NULL), 0);
    assert_int_equal(compared(STATS(1000, FAILS(1000)), STATS(100, FAILS(0)), name), 1);
    assert_string_equal(name, "cluster.a.upstream_cx_connect_fail");
    assert_int_equal(compared(STATS(1000, FAILS(2)), STATS(1000, FAILS(0)), NULL), 0);
}

static void test_own_names_are_words(void **state)
{
    struct comparison all = {.arena = arena_new()};
    const char *const own[] = {"orders-7c9d-x2", "10.0.0.7", NULL};
    const struct compare_side side = {.own = own};
    static const char *const texts[][2] = {
        {"http://10.0.0.7:80/orders-7c9d-x2", "http://(own):80/(own)"},
        {"10.0.0.70", "10.0.0.70"},
        {"110.0.0.7", "110.0.0.7"},
        {"orders-7c9d-x22", "orders-7c9d-x22"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(compare_plain(&all, &side, COMPARE_TEXT, texts[i][0]), texts[i][1]);
    assert_string_equal(compare_plain(&all, &side, COMPARE_SET, "b,a, b,10.0.0.7"), "(own),a,b");
    assert_string_equal(compare_plain(&all, &side, COMPARE_HOLDER, "inline:77,file:/x"),
                        "file:/x,inline");
    assert_string_equal(compare_plain(&all, &side, COMPARE_NUMBER, "10.0"), "10");
    assert_string_equal(compare_plain(&all, &side, COMPARE_SWITCH, "0"), "false");
    arena_free(all.arena);
}

/* What the supervisor relies on: every rule has what its kind of comparison needs. */
static void test_rules_are_whole(void **state)
{
    size_t len;
    const struct compare_rule *rules = compare_rules(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        int columns = 0;
        assert_non_null(rules[i].columns);
        assert_true(!rules[i].missing == !rules[i].missing_why);
        for (const struct compare_column *column = rules[i].columns; column->name; column++)
            columns++;
        assert_true(columns <= COMPARE_COLUMNS_MAX && (columns || rules[i].missing));
    }
    const struct compare_stat *stats = compare_stats(&len);
    for (size_t i = 0; i < len; i++)
        assert_true(stats[i].least >= 1 && stats[i].weight <= 100 && stats[i].why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_of_another_shape_harm_nothing),
        cmocka_unit_test(test_counters_go_by_their_rates),
        cmocka_unit_test(test_own_names_are_words),
        cmocka_unit_test(test_rules_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
