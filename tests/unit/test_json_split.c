/* The splitter: the same pieces however the text is portioned, nested rules, what is cut out, caps, and
 * texts that end anywhere. */
#include "base/json.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char dump[] =
    "{ \"configs\": [\n"
    " {\"@type\": \"type.googleapis.com/envoy.admin.v3.ListenersConfigDump\", \"version_info\": "
    "\"7\",\n"
    "  \"dynamic_listeners\": [\n"
    "   {\"name\": \"a\\\"\\\\\", \"chains\": [{\"n\": 1}, {\"n\": 2, \"x\": \"]}\"}]},\n"
    "   {\"name\": \"b\", \"chains\": []}, \"text, } ]\", -1.5e3 ,null]},\n"
    " {\"@type\":\"type.googleapis.com/envoy.admin.v3.RoutesConfigDump\",\"a/b~c\": [true,false]}\n"
    "], \"last\": [[1, 2], [3]] }\n";

struct collected {
    struct buf text;
    int oversize;
};

static void collect(void *user, const struct json_piece *piece)
{
    struct collected *collected = user;
    buf_addf(&collected->text, "%d %s < %s %s %s @%" PRIu64 "+%" PRIu64 " ", piece->rule,
             piece->pointer, piece->parent, piece->array, piece->config_type, piece->offset,
             piece->len);
    json_write(&collected->text, piece->value, false);
    buf_addch(&collected->text, '\n');
}

static void refuse(void *user, const char *pointer, uint64_t len)
{
    struct collected *collected = user;
    buf_addf(&collected->text, "too large %s +%" PRIu64 "\n", pointer, len);
    collected->oversize++;
}

/* Splits TEXT in portions of STEP bytes, each in memory of its own so that sanitizers see overreads. */
static bool split_by(const char *const *rules, size_t max, const char *text, size_t len,
                     size_t step, struct collected *out, struct err *err)
{
    struct json_split *split = json_split_new(rules, max, collect, refuse, out);
    bool good = true;
    for (size_t at = 0; good && at < len; at += step) {
        size_t part = len - at < step ? len - at : step;
        char *bytes = malloc(part);
        memcpy(bytes, text + at, part);
        good = json_split_feed(split, bytes, part, err);
        free(bytes);
    }
    if (good)
        good = json_split_end(split, err);
    json_split_free(split);
    return good;
}

static char *pieces_of(const char *const *rules, const char *text)
{
    struct collected out = {.oversize = 0};
    struct err err = ERR_INIT;
    buf_init(&out.text, 1 << 20);
    if (!split_by(rules, 1 << 20, text, strlen(text), 4096, &out, &err))
        fail_msg("%s", err.text);
    return buf_take(&out.text);
}

static const char *const nested[] = {"configs.*.dynamic_listeners", "**.chains", "**.a/b~c", NULL};

static void inner_before_outer(void **state)
{
    (void)state;
    char *pieces = pieces_of(nested, dump);
    assert_string_equal(
        pieces,
        "1 /configs/0/dynamic_listeners/0/chains/0 < /configs/0/dynamic_listeners/0 chains "
        "ListenersConfigDump @162+8 {\"n\":1}\n"
        "1 /configs/0/dynamic_listeners/0/chains/1 < /configs/0/dynamic_listeners/0 chains "
        "ListenersConfigDump @172+19 {\"n\":2,\"x\":\"]}\"}\n"
        "0 /configs/0/dynamic_listeners/0 <  dynamic_listeners ListenersConfigDump @133+60 "
        "{\"name\":\"a\\\"\\\\\",\"chains\":[]}\n"
        "0 /configs/0/dynamic_listeners/1 <  dynamic_listeners ListenersConfigDump @198+27 "
        "{\"name\":\"b\",\"chains\":[]}\n"
        "0 /configs/0/dynamic_listeners/2 <  dynamic_listeners ListenersConfigDump @227+11 "
        "\"text, } ]\"\n"
        "0 /configs/0/dynamic_listeners/3 <  dynamic_listeners ListenersConfigDump @240+6 -1500\n"
        "0 /configs/0/dynamic_listeners/4 <  dynamic_listeners ListenersConfigDump @248+4 null\n"
        "2 /configs/1/a~1b~0c/0 <  a/b~c RoutesConfigDump @330+4 true\n"
        "2 /configs/1/a~1b~0c/1 <  a/b~c RoutesConfigDump @335+5 false\n"
        "-1  <    @0+369 {\"configs\":[{\"@type\":\"type.googleapis.com/envoy.admin.v3."
        "ListenersConfigDump\",\"version_info\":\"7\",\"dynamic_listeners\":[]},{\"@type\":"
        "\"type.googleapis.com/envoy.admin.v3.RoutesConfigDump\",\"a/b~c\":[]}],"
        "\"last\":[[1,2],[3]]}\n");
    free(pieces);
}

static void any_portion(void **state)
{
    (void)state;
    char *whole = pieces_of(nested, dump);
    for (size_t step = 1; step < sizeof dump; step++) {
        struct collected out = {.oversize = 0};
        struct err err = ERR_INIT;
        buf_init(&out.text, 1 << 20);
        assert_true(split_by(nested, 1 << 20, dump, sizeof dump - 1, step, &out, &err));
        assert_string_equal(out.text.data, whole);
        buf_release(&out.text);
    }
    free(whole);
}

/* Whatever came before the cut stands, nothing else comes, and the error says where it ends. */
static void any_end(void **state)
{
    (void)state;
    char *whole = pieces_of(nested, dump);
    for (size_t len = 0; len < sizeof dump - 2; len++) {
        struct collected out = {.oversize = 0};
        struct err err = ERR_INIT;
        buf_init(&out.text, 1 << 20);
        assert_false(split_by(nested, 1 << 20, dump, len, 7, &out, &err));
        assert_true(strncmp(whole, buf_str(&out.text), out.text.len) == 0);
        assert_non_null(strstr(err.text, len < 1 ? "holds no JSON" : "ends in the middle of"));
        buf_release(&out.text);
    }
    free(whole);
}

static void says_where_it_ends(void **state)
{
    (void)state;
    struct collected out = {.oversize = 0};
    struct err err = ERR_INIT;
    buf_init(&out.text, 1 << 20);
    split_by(nested, 1 << 20, dump, 190, 64, &out, &err);
    assert_string_equal(err.text, "ends in the middle of the document at "
                                  "'/configs/0/dynamic_listeners/0/chains/1/x' after 190 bytes");
    buf_release(&out.text);
}

static void dropped_rules(void **state)
{
    (void)state;
    static const char *const rules[] = {"!configs.*.dynamic_listeners", "**.chains", "!last", NULL};
    char *pieces = pieces_of(rules, dump);
    assert_null(strstr(pieces, "\"name\""));
    assert_non_null(strstr(pieces, "1 /configs/0/dynamic_listeners/0/chains/1 <"));
    assert_non_null(strstr(pieces, "\"dynamic_listeners\":[]"));
    assert_non_null(strstr(pieces, "\"last\":[]"));
    free(pieces);
}

static void stars(void **state)
{
    (void)state;
    static const char *const text =
        "{\"a\":{\"b\":{\"x\":[1]},\"x\":[2]},\"x\":[3],\"l\":[{\"x\":[4]}]}";
    static const char *const one[] = {"*.x", NULL}, *const any[] = {"**.x", NULL};
    static const char *const middle[] = {"a.**.x", NULL}, *const two[] = {"*.*.x", NULL};
    const struct {
        const char *const *rules;
        const char *got;
    } cases[] = {{one, "2"}, {any, "1234"}, {middle, "12"}, {two, "14"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *pieces = pieces_of(cases[i].rules, text), got[16] = "";
        for (char *line = strtok(pieces, "\n"); line; line = strtok(NULL, "\n"))
            if (line[0] == '0')
                strncat(got, strrchr(line, ' ') + 1, 1);
        assert_string_equal(got, cases[i].got);
        free(pieces);
    }
}

static void root_array(void **state)
{
    (void)state;
    static const char *const rules[] = {"", NULL};
    char *pieces = pieces_of(rules, " [{\"a\":1},\n[2]] ");
    assert_string_equal(pieces,
                        "0 /0 <    @2+7 {\"a\":1}\n0 /1 <    @11+3 [2]\n-1  <    @0+15 []\n");
    free(pieces);
}

static void oversize(void **state)
{
    (void)state;
    static const char *const rules[] = {"l", "**.in", NULL};
    static const char text[] = "{\"l\":[{\"a\":\"0123456789012345678901234567890123456789\","
                               "\"in\":[7]},{\"b\":1}]}";
    struct collected out = {.oversize = 0};
    struct err err = ERR_INIT;
    buf_init(&out.text, 1 << 20);
    assert_true(split_by(rules, 32, text, sizeof text - 1, 5, &out, &err));
    assert_string_equal(out.text.data, "1 /l/0/in/0 < /l/0 in  @60+1 7\n"
                                       "too large /l/0 +57\n"
                                       "0 /l/1 <  l  @64+7 {\"b\":1}\n"
                                       "-1  <    @0+73 {\"l\":[]}\n");
    buf_release(&out.text);
}

/* A tree may not become many times as large as its text. */
static void tree_too_large(void **state)
{
    (void)state;
    static const char *const rules[] = {"l", NULL};
    struct buf text;
    struct collected out = {.oversize = 0};
    struct err err = ERR_INIT;
    buf_init(&text, 1 << 20);
    buf_init(&out.text, 1 << 20);
    buf_adds(&text, "{\"l\":[[1");
    for (int i = 0; i < 30000; i++)
        buf_adds(&text, ",1");
    buf_adds(&text, "],8]}");
    assert_true(split_by(rules, 64 << 10, text.data, text.len, 4096, &out, &err));
    assert_int_equal(out.oversize, 1);
    assert_non_null(strstr(out.text.data, "0 /l/1 <"));
    buf_release(&text);
    buf_release(&out.text);
}

static void assert_error(const char *text, const char *why)
{
    struct collected out = {.oversize = 0};
    struct err err = ERR_INIT;
    buf_init(&out.text, 1 << 20);
    assert_false(split_by(nested, 1 << 20, text, strlen(text), 3, &out, &err));
    if (!strstr(err.text, why))
        fail_msg("'%s' is not in '%s'", why, err.text);
    buf_release(&out.text);
}

static void errors(void **state)
{
    (void)state;
    assert_error("{'configs': []}", "Python's printing");
    assert_error("{\"a\": NaN}", "not JSON at byte 6");
    assert_error("{\"a\": 1}\n{\"b\": 2}", "more text behind the end of the document (byte 9)");
    assert_error("{\"a\": 1]", "not JSON at byte 7");
    assert_error("{\"a\" 1}", "not JSON at byte 5");
    assert_error("{\"a\": 1,}", "not JSON at byte 8");
    assert_error("plain text", "not JSON at byte 0");
    assert_error("\"a\": [1]", "not JSON at byte 0");
    assert_error("{\"configs\":[{\"dynamic_listeners\":[tru]}]}",
                 "'/configs/0/dynamic_listeners/0'");
    char deep[JSON_DEPTH_MAX + 2];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_error(deep, "nested deeper than 200 levels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inner_before_outer),
        cmocka_unit_test(any_portion),
        cmocka_unit_test(any_end),
        cmocka_unit_test(says_where_it_ends),
        cmocka_unit_test(dropped_rules),
        cmocka_unit_test(stars),
        cmocka_unit_test(root_array),
        cmocka_unit_test(oversize),
        cmocka_unit_test(tree_too_large),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests_name("json_split", tests, NULL, NULL);
}
