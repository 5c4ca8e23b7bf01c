/* Strict JSON: what is refused and how it says so, paths, numbers, writing. */
#include "base/json.h"
#include "base/json_relax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static cJSON *parse(const char *text)
{
    struct err err = ERR_INIT;
    cJSON *node = json_parse(text, strlen(text), &err);
    if (!node)
        print_message("%s\n", err.text);
    assert_non_null(node);
    return node;
}

static void assert_refused(const char *text, const char *why)
{
    struct err err = ERR_INIT;
    cJSON *node = json_parse(text, strlen(text), &err);
    assert_null(node);
    if (!strstr(err.text, why))
        fail_msg("'%s' is not in '%s'", why, err.text);
}

static void refuses(void **state)
{
    (void)state;
    assert_refused("", "the text ends too early");
    assert_refused("{\"a\": 1", "the text ends too early");
    assert_refused("{\"a\": 1} x", "more text behind the end of the document");
    assert_refused("{\"a\": 1}\n{\"b\": 2}", "line 2 (byte 9): more text");
    assert_refused("{\n\"a\": 1,\n}", "line 3");
    assert_refused("{'a': 1}", "Python's printing");
    assert_refused("{\"a\": None}", "Python's printing");
    assert_refused("{\"a\": NaN}", "'NaN' is no JSON number");
    assert_refused("{\"a\": -Infinity}", "'-Infinity' is no JSON number");
    assert_refused("Error from server", "unexpected text near 'Error from serve'");
}

static void caps_depth(void **state)
{
    (void)state;
    char text[2 * (JSON_DEPTH_MAX + 1) + 1];
    size_t depth = JSON_DEPTH_MAX;
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    cJSON_Delete(parse(text));
    memset(text, '[', depth + 1);
    assert_refused(text, "nested deeper than 200 levels");
}

static void brackets_in_strings_are_no_depth(void **state)
{
    (void)state;
    char text[1024] = "[\"";
    memset(text + 2, '[', 900);
    strcpy(text + 902, "\\\"[\"]");
    cJSON_Delete(parse(text));
}

static void several_values(void **state)
{
    (void)state;
    const char *text = "{\"a\":1}\n {\"a\":2} ";
    size_t used;
    struct err err = ERR_INIT;
    cJSON *first = json_parse_next(text, strlen(text), &used, &err);
    assert_int_equal(used, 9);
    cJSON *second = json_parse_next(text + used, strlen(text) - used, &used, &err);
    assert_int_equal(used, 8);
    double value;
    assert_true(json_num(second, "a", &value) && value == 2);
    cJSON_Delete(first);
    cJSON_Delete(second);
}

static void paths(void **state)
{
    (void)state;
    cJSON *node = parse(
        "{\"status\": {\"conditions\": [{\"type\": \"Ready\"}, {\"type\": \"X\"}]},"
        "\"labels\": {\"app.kubernetes.io/name\": \"web\"}, \"list\": [[1, 2], [3]]}");
    assert_string_equal(json_str(node, "status.conditions[1].type"), "X");
    assert_string_equal(json_str(node, "labels.\"app.kubernetes.io/name\""), "web");
    double value;
    assert_true(json_num(node, "list[0][1]", &value) && value == 2);
    assert_ptr_equal(json_at(node, ""), node);
    assert_null(json_at(node, "status.conditions[2]"));
    assert_null(json_at(node, "Status"));
    assert_null(json_at(node, "status.conditions.type"));
    assert_null(json_at(node, "status[0]"));
    assert_null(json_at(node, "list[x]"));
    assert_null(json_at(node, "labels.\"app"));
    assert_null(json_at(NULL, "a"));
    assert_null(json_str(node, "list"));
    cJSON_Delete(node);
}

static void scalars(void **state)
{
    (void)state;
    cJSON *node = parse("{\"n\": 3, \"s\": \"3\", \"big\": \"9223372036854775807\", \"f\": 1.5,"
                        "\"t\": true, \"ts\": \"true\", \"null\": null, \"word\": \"x\"}");
    int64_t value;
    double number;
    char text[32];
    assert_true(json_int(node, "n", &value) && value == 3);
    assert_true(json_int(node, "s", &value) && value == 3);
    assert_true(json_int(node, "big", &value) && value == INT64_MAX);
    assert_false(json_int(node, "f", &value));
    assert_false(json_num(node, "word", &number));
    assert_false(json_num(node, "t", &number));
    assert_true(json_bool(node, "t") && json_bool(node, "ts"));
    assert_false(json_bool(node, "n") || json_bool(node, "absent"));
    assert_string_equal(json_scalar(node, "f", text), "1.5");
    assert_string_equal(json_scalar(node, "n", text), "3");
    assert_string_equal(json_scalar(node, "t", text), "true");
    assert_null(json_scalar(node, "null", text));
    cJSON_Delete(node);
}

static void writes(void **state)
{
    (void)state;
    cJSON *node = cJSON_CreateObject();
    json_put_str(node, "text", "a\"b\\c\n\x01 \xc3\xa4");
    json_put_str(node, "nothing", NULL);
    json_put_num(node, "whole", 4294967295.0);
    json_put_num(node, "part", 0.1);
    json_put_num(node, "minus", -0.0);
    json_put_bool(node, "yes", true);
    json_put_str(json_put_array(node, "list"), "", "x");
    json_put_object(node, "empty");
    struct buf out;
    buf_init(&out, 4096);
    json_write(&out, node, false);
    assert_string_equal(out.data,
                        "{\"text\":\"a\\\"b\\\\c\\n\\u0001 \xc3\xa4\",\"whole\":4294967295,"
                        "\"part\":0.1,\"minus\":0,\"yes\":true,\"list\":[\"x\"],"
                        "\"empty\":{}}");
    cJSON *again = parse(out.data);
    buf_clear(&out);
    json_write(&out, json_at(again, "list"), true);
    assert_string_equal(out.data, "[\n  \"x\"\n]");
    buf_release(&out);
    cJSON_Delete(again);
    cJSON_Delete(node);
}

static void relax(const char *text, const char *wanted, size_t line)
{
    char *copy = strdup(text);
    assert_int_equal(json_relax(copy, strlen(text)), line);
    assert_string_equal(copy, wanted);
    free(copy);
}

static void as_people_write_it(void **state)
{
    (void)state;
    relax("{\"a\": [1, 2]}", "{\"a\": [1, 2]}", 0);
    relax("{\n\"a\": [1,2,],\n}", "{\n\"a\": [1,2 ] \n}", 2);
    relax("// x\n{\"a\": 1} // y", "    \n{\"a\": 1}     ", 1);
    relax("{\"u\":\"http://a/*b*/\\\",}\"/* ,\n */}", "{\"u\":\"http://a/*b*/\\\",}\"    \n   }",
          1);
    relax("[1, /* last */ ]", "[1             ]", 1);
    relax("[,1,,]", "[,1, ]", 1); /* what is left is the parser's to refuse */
    relax("[1 / 2, \"x", "[1 / 2, \"x", 0);
    relax("[\"\\", "[\"\\", 0);
    relax("/*", "  ", 1);
    relax("/", "/", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_people_write_it),
        cmocka_unit_test(refuses),
        cmocka_unit_test(caps_depth),
        cmocka_unit_test(brackets_in_strings_are_no_depth),
        cmocka_unit_test(several_values),
        cmocka_unit_test(paths),
        cmocka_unit_test(scalars),
        cmocka_unit_test(writes),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
