/* YAML as JSON text: types, anchors, merge keys, short tags, several documents, caps. */
#include "base/buf.h"
#include "base/json.h"
#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct input {
    const char *text;
    size_t left, step;
};

static bool pull(void *user, char *bytes, size_t cap, size_t *got)
{
    struct input *input = user;
    *got = input->left < cap ? input->left : cap;
    if (*got > input->step)
        *got = input->step;
    memcpy(bytes, input->text, *got);
    input->text += *got;
    input->left -= *got;
    return true;
}

static void begin(void *user, int index, size_t line)
{
    buf_addf(user, "%s%d@%zu ", index ? " " : "", index, line);
}

static bool add(void *user, const char *json, size_t len)
{
    buf_add(user, json, len);
    return true;
}

static void end(void *user)
{
    buf_addch(user, ';');
}

static bool convert(const char *text, size_t step, struct buf *out, struct err *err)
{
    struct input input = {text, strlen(text), step};
    struct yaml_sink sink = {begin, add, end, out, NULL};
    buf_init(out, 64 << 20);
    return yaml_to_json(pull, &input, &sink, err);
}

static void say_broken(void *user, const char *why)
{
    buf_addf(user, "!%s!", why);
}

/* Portions of any size: a marker may lie across them. */
static void assert_documents(const char *text, const char *wanted)
{
    for (size_t step = 1; step < 60; step++) {
        struct buf out;
        struct err err = ERR_INIT;
        struct input input = {text, strlen(text), step};
        struct yaml_sink sink = {begin, add, end, &out, say_broken};
        buf_init(&out, 64 << 10);
        yaml_to_json(pull, &input, &sink, &err);
        assert_string_equal(buf_str(&out), wanted);
        buf_release(&out);
    }
}

static void assert_json(const char *text, const char *json)
{
    for (size_t step = 1; step < 100; step += 33) {
        struct buf out;
        struct err err = ERR_INIT;
        if (!convert(text, step, &out, &err))
            fail_msg("%s", err.text);
        assert_string_equal(buf_str(&out), json);
        buf_release(&out);
    }
}

static void assert_error(const char *text, const char *why)
{
    struct buf out;
    struct err err = ERR_INIT;
    assert_false(convert(text, 4096, &out, &err));
    if (!strstr(err.text, why))
        fail_msg("'%s' is not in '%s'", why, err.text);
    buf_release(&out);
}

static void types(void **state)
{
    (void)state;
    assert_json("[~, null, '', \"\", true, False, yes, 'true', text]",
                "0@1 [null,null,\"\",\"\",true,false,\"yes\",\"true\",\"text\"];");
    assert_json("[1, -2, +3, 1.50, .5, 1., 1e3, 0x1F, 0o17, 1_000, .inf, .nan, 1.2.3]",
                "0@1 [1,-2,3,1.50,0.5,1,1e3,31,\"0o17\",\"1_000\",\".inf\",\".nan\",\"1.2.3\"];");
    assert_json("[012345678901, 0, 0.5, 840364872350]",
                "0@1 [\"012345678901\",0,0.5,840364872350];");
    assert_json("- !!str 12\n- \"a\\tb\\x01\\\"\"\n- |\n  two\n  lines\n",
                "0@1 [\"12\",\"a\\u0009b\\u0001\\\"\",\"two\\u000alines\\u000a\"];");
    assert_json("a:\nb: []\n1: {}\n", "0@1 {\"a\":null,\"b\":[],\"1\":{}};");
}

static void documents(void **state)
{
    (void)state;
    assert_json("# first\na: 1\n---\n- 2\n---\nthree\n", "0@2 {\"a\":1}; 1@3 [2]; 2@5 \"three\";");
}

static void anchors(void **state)
{
    (void)state;
    assert_json("a: &x {k: [1, &y two]}\nb: *x\nc: *y\n",
                "0@1 {\"a\":{\"k\":[1,\"two\"]},\"b\":{\"k\":[1,\"two\"]},\"c\":\"two\"};");
    assert_json("- &x 1\n- &x 2\n- *x\n", "0@1 [1,2,2];");
    assert_error("a: *nobody\n", "an unknown alias");
    assert_error("a: &x\n  b: *x\n", "an alias inside its own anchor");
    assert_error("a: &x 1\n---\nb: *x\n", "line 3: an unknown alias");
}

static void merge_keys(void **state)
{
    (void)state;
    assert_json("base: &b {x: 1, y: 2}\nmine:\n  <<: *b\n  y: 3\n",
                "0@1 {\"base\":{\"x\":1,\"y\":2},\"mine\":{\"y\":3,\"x\":1}};");
    assert_json(
        "- &a {x: 1}\n- &b {x: 2, z: 3}\n- {<<: [*a, *b], w: 4}\n- {'<<': 5}\n- {<<: 6}\n",
        "0@1 [{\"x\":1},{\"x\":2,\"z\":3},{\"w\":4,\"x\":1,\"z\":3},{\"<<\":5},{\"<<\":6}];");
    assert_error("- &a [1]\n- {<<: *a}\n", "an alias that is no mapping");
}

static void short_tags(void **state)
{
    (void)state;
    assert_json("a: !Ref X\nb: !Sub '${X}-1'\nc: !If [P, !GetAtt Q.Arn, 2]\n",
                "0@1 {\"a\":{\"Ref\":\"X\"},\"b\":{\"Fn::Sub\":\"${X}-1\"},"
                "\"c\":{\"Fn::If\":[\"P\",{\"Fn::GetAtt\":\"Q.Arn\"},2]}};");
}

static void bombs(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_adds(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++) {
        buf_addf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buf_addf(&text, "%s*a%d", j ? ", " : "", i - 1);
        buf_adds(&text, "]\n");
    }
    assert_error(text.data, "larger than 1 MB");
    buf_clear(&text);
    buf_adds(&text, "a: &a \"");
    for (int i = 0; i < 90000; i++)
        buf_adds(&text, "0123456789");
    buf_adds(&text, "\"\nl:\n");
    for (int i = 0; i < 30; i++)
        buf_adds(&text, "- *a\n");
    assert_error(text.data, "aliases expand to more than 16 MB");
    buf_clear(&text);
    for (int i = 0; i < 5000; i++)
        buf_adds(&text, "[");
    assert_error(text.data, "nested too deep");
    buf_release(&text);
}

static void broken(void **state)
{
    (void)state;
    assert_error("a: 1\nb: [1, 2\nc: 3\n", "not YAML at line");
    assert_error("a: \"\xff\xfe\"\n", "not YAML at line");
    assert_error("? [1, 2]\n: 3\n", "a name that is no text");
    struct buf out;
    struct err err = ERR_INIT;
    assert_false(convert("a: 1\n---\nb: {\n---\n", 4096, &out, &err));
    assert_true(strncmp(out.data, "0@1 {\"a\":1}; 1@2 {\"b\":{", 18) == 0);
    buf_release(&out);
}

static bool stop(void *user, const char *json, size_t len)
{
    (void)json;
    (void)len;
    ++*(int *)user;
    return false;
}

static void ignore_document(void *user, int index, size_t line)
{
    (void)user;
    (void)index;
    (void)line;
}

static void ignore_end(void *user)
{
    (void)user;
}

static void the_sink_may_stop(void **state)
{
    (void)state;
    int calls = 0;
    struct input input = {"a: 1\n---\nb: 2\n---\nc: 3\n", 23, 100};
    struct yaml_sink sink = {ignore_document, stop, ignore_end, &calls, NULL};
    struct err err = ERR_INIT;
    assert_true(yaml_to_json(pull, &input, &sink, &err));
    assert_int_equal(calls, 1);
}

/* Whatever comes out for a text cut anywhere, nothing breaks and whole documents are JSON. */
static void any_end(void **state)
{
    (void)state;
    static const char text[] = "a: &x {k: [1, !Ref y]}\nb:\n  <<: *x\n  c: |\n    d\n---\n- *z\n";
    for (size_t len = 0; len < sizeof text; len++) {
        char *cut = strndup(text, len);
        struct buf out;
        struct err err = ERR_INIT;
        bool good = convert(cut, 3, &out, &err);
        assert_true(good || err.text[0]);
        char *stop_at = out.data ? strchr(out.data, ';') : NULL;
        if (stop_at) {
            cJSON *tree = json_parse(out.data + 4, (size_t)(stop_at - out.data - 4), &err);
            assert_non_null(tree);
            cJSON_Delete(tree);
        }
        buf_release(&out);
        free(cut);
    }
}

static void broken_documents(void **state)
{
    (void)state;
    assert_documents("a: 1\n---\nb: x\n c: y\n\td: z\n---\nc: 3\n",
                     "0@1 {\"a\":1}; 1@2 {\"b\":\"x c\"!not YAML at line 4: mapping values are not "
                     "allowed in this context! 2@6 {\"c\":3};");
    assert_documents(
        "[1\n---\n2\n---\n}\n--- 4\n",
        "0@1 [1!not YAML at line 2: did not find expected ',' or ']'! 1@2 2; 2@4 !not YAML "
        "at line 5: did not find expected node content! 3@6 4;");
    assert_documents(
        "# first\n%YAML 1.1\n---\n|\n  text\n  ---\n...\n# between\n%YAML 1.1\n--- 2\n---",
        "0@2 \"text\\u000a---\\u000a\"; 1@9 2; 2@11 null;");
    assert_documents("---x: 1\n", "0@1 {\"---x\":1};");
    assert_documents("\n  \n# nothing\n", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_documents),
        cmocka_unit_test(types),
        cmocka_unit_test(documents),
        cmocka_unit_test(anchors),
        cmocka_unit_test(merge_keys),
        cmocka_unit_test(short_tags),
        cmocka_unit_test(bombs),
        cmocka_unit_test(broken),
        cmocka_unit_test(the_sink_may_stop),
        cmocka_unit_test(any_end),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
