/* What Kubernetes Secrets hold is replaced, in whatever portions it comes. */
#include "source/redact_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool to_buf(void *user, const char *bytes, size_t len)
{
    buf_add(user, bytes, len);
    return true;
}

static void check(const char *text, const char *expected)
{
    for (size_t portion = 1; portion < 40; portion += 6) {
        struct buf out;
        uint64_t replaced;
        size_t len = strlen(text);
        buf_init(&out, 1 << 16);
        struct redact_map *map = redact_map_new(redact_map_form(text, len), to_buf, &out);
        for (size_t at = 0; at < len; at += portion)
            redact_map_feed(map, text + at, len - at < portion ? len - at : portion);
        redact_map_end(map, &replaced);
        redact_map_free(map);
        assert_string_equal(buf_str(&out), expected);
        buf_release(&out);
    }
}

static void test_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned form;
    } rows[] = {
        {"kind: Secret", REDACT_MAP_YAML},
        {"kind: \"Secret\"\n", REDACT_MAP_YAML},
        {"- kind: SecretList\r\n", REDACT_MAP_YAML},
        {"{\"kind\":\"Secret\"}", REDACT_MAP_JSON},
        {"\"data\":\n  \"a\": \"b\"\n\"kind\": \"Secret\"\n", REDACT_MAP_YAML},
        {"{\"kind\":\"Secret\"}\n---\nkind: Secret\n", REDACT_MAP_JSON | REDACT_MAP_YAML},
        {",\n  \"kind\" : \"Secret\",", REDACT_MAP_JSON},
        {"\"kind\" : \"Secret\",", REDACT_MAP_JSON | REDACT_MAP_YAML}, /* cut in front of it */
        {"kind: SecretProviderClass", REDACT_MAP_NONE},
        {"kind: ConfigMap\nname: Secret", REDACT_MAP_NONE},
        {"a kind of Secret", REDACT_MAP_NONE},
        {"kind", REDACT_MAP_NONE},
        {"", REDACT_MAP_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(redact_map_form(rows[i].text, strlen(rows[i].text)), rows[i].form);
}

static void test_json(void **state)
{
    (void)state;
    check("{\"data\":{\"a\":\"x\\\"y\",\"b\":\"z\"},\"kind\":\"Secret\",\"name\":\"n\"}",
          "{\"data\":{\"a\":\"[redacted:secret]\",\"b\":\"[redacted:secret]\"},\"kind\":\"Secret\","
          "\"name\":\"n\"}");
    check("{\"kind\": \"Secret\", \"metadata\": {\"annotations\": "
          "{\"kubectl.kubernetes.io/last-applied-configuration\": \"{\\\"data\\\":1}\"}}}",
          "{\"kind\": \"Secret\", \"metadata\": {\"annotations\": "
          "{\"kubectl.kubernetes.io/last-applied-configuration\": \"[redacted:secret]\"}}}");
    check("{\"kind\":\"Secret\",\"stringData\":{\"a\":\"cut",
          "{\"kind\":\"Secret\",\"stringData\":{\"a\":\"");
    check("}}]]\"kind\":\"Secret\"\"data\":{{{\"a\":\"b\"",
          "}}]]\"kind\":\"Secret\"\"data\":{{{\"a\":\""
          "[redacted:secret]\"");
}

static void test_yaml(void **state)
{
    (void)state;
    check("kind: Secret\ndata:\n  a: eA==\n  b: 'y'\nmetadata:\n  name: n\n",
          "kind: Secret\ndata:\n  a: \"[redacted:secret]\"\n  b: "
          "\"[redacted:secret]\"\nmetadata:\n  name: n\n");
    check("items:\n- data:\n    a: |\n      one\n\n      two: 2\n    b: \"x\n      y\"\n  kind: "
          "Secret\n",
          "items:\n- data:\n    a: |\n      [redacted:secret]\n\n      [redacted:secret]\n"
          "    b: \"[redacted:secret]\"\n\n  kind: Secret\n");
    check("kind: Secret\nmetadata:\n  annotations:\n"
          "    kubectl.kubernetes.io/last-applied-configuration: |\n      {\"data\": {\"q\": "
          "\"x\"}}\n  name: n\n",
          "kind: Secret\nmetadata:\n  annotations:\n"
          "    kubectl.kubernetes.io/last-applied-configuration: |\n      [redacted:secret]\n  "
          "name: n\n");
    check("kind: Secret\nstringData: {a: x}\n---\nkind: Pod\n",
          "kind: Secret\nstringData: \"[redacted:secret]\"\n---\nkind: Pod\n");
}

static void test_quoted_yaml(void **state)
{
    (void)state;
    check("\"apiVersion\": \"v1\"\n\"data\":\n  \"pw\": \"aGVsbG8=\"\n  \"a: b\": "
          "\"eA==\"\n\"kind\": \"Secret\"\n\"metadata\":\n  \"name\": \"n\"\n",
          "\"apiVersion\": \"v1\"\n\"data\":\n  \"pw\": \"[redacted:secret]\"\n  \"a: b\": "
          "\"[redacted:secret]\"\n\"kind\": \"Secret\"\n\"metadata\":\n  \"name\": \"n\"\n");
    check("'apiVersion': v1\n'kind': 'Secret'\n'stringData':\n  'it''s': |\n    x\n",
          "'apiVersion': v1\n'kind': 'Secret'\n'stringData':\n  'it''s': |\n    "
          "[redacted:secret]\n");
}

static void test_both_in_one_file(void **state)
{
    (void)state;
    check("# a 5\" screen\nkind: Secret\ndata:\n  a: x\n---\n{\"kind\":\"Secret\",\"data\":{\"b\":"
          "\"y\"}}\n",
          "# a 5\" screen\nkind: Secret\ndata:\n  a: \"[redacted:secret]\"\n---\n{\"kind\":"
          "\"Secret\",\"data\":{\"b\":\"[redacted:secret]\"}}\n");
}

static void test_nothing_is_touched_without_a_secret(void **state)
{
    (void)state;
    check("kind: ConfigMap\ndata:\n  a: b\n", "kind: ConfigMap\ndata:\n  a: b\n");
}

static void test_a_long_value(void **state)
{
    (void)state;
    char text[40000] = "kind: Secret\ndata:\n  a: ";
    size_t len = strlen(text);
    memset(text + len, 'x', 30000);
    strcpy(text + len + 30000, "\n  b: y\n");
    check(text, "kind: Secret\ndata:\n  a: \"[redacted:secret]\"\n  b: \"[redacted:secret]\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_quoted_yaml),
        cmocka_unit_test(test_both_in_one_file),
        cmocka_unit_test(test_nothing_is_touched_without_a_secret),
        cmocka_unit_test(test_a_long_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
