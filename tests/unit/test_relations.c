/* relations.c: who explains whom when ids are shared, what an edited report claims on one side alone, and that
 * the number of links is bound by what the report says. */
#include "base/buf.h"
#include "base/json.h"
#include "report/relations.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CAUSE(id, name, explains)                                                                  \
    "{\"id\":\"" id "\",\"role\":\"cause\",\"severity\":\"error\",\"subject\":{\"name\":\"" name   \
    "\"},\"explains\":[" explains "],\"explained_by\":[]}"
#define FOLLOWS(id, name, causes)                                                                  \
    "{\"id\":\"" id "\",\"role\":\"consequence\",\"severity\":\"error\",\"subject\":{\"name\":\""  \
    "" name "\"},\"explains\":[],\"explained_by\":[" causes "]}"
#define WAIVED                                                                                     \
    "{\"id\":\"a\",\"role\":\"cause\",\"severity\":\"error\",\"explains\":[\"b\"],\"waiver\":{"    \
    "\"state\":\"active\"}}"

/* The links of the findings in TEXT as "0>1 0>2", those that stand as "+0". */
static void expect(const char *text, const char *wanted)
{
    struct relations relations;
    struct buf got;
    buf_init(&got, 4096);
    buf_addf(&got, "{\"findings\":[%s]}", text);
    cJSON *target = json_parse(buf_str(&got), got.len, NULL);
    assert_non_null(target);
    buf_clear(&got);
    relations_init(&relations, target);
    for (size_t i = 0; i < relations.len; i++) {
        if (relations.items[i].stands)
            buf_addf(&got, "+%zu ", i);
        for (size_t j = relations.starts[i]; j < relations.starts[i + 1]; j++)
            buf_addf(&got, "%zu>%zu ", relations.edges[j].from, relations.edges[j].to);
    }
    assert_string_equal(buf_str(&got), wanted);
    relations_release(&relations);
    cJSON_Delete(target);
    buf_release(&got);
}

static void links_need_both_sides(void **state)
{
    (void)state;
    expect(CAUSE("a", "x", "\"b\"") "," FOLLOWS("b", "y", "\"a\""), "+0 0>1 ");
    expect(CAUSE("a", "x", "") "," FOLLOWS("b", "y", "\"a\""), "+0 ");
    expect(CAUSE("a", "x", "\"b\"") "," FOLLOWS("b", "y", ""), "+0 +1 ");
    expect(CAUSE("a", "x", "\"a\""), "+0 ");
}

static void twins_are_told_apart_by_their_subject(void **state)
{
    (void)state;
    expect(CAUSE("a", "x", "\"b\"") "," CAUSE("a", "y", "\"b\"") "," FOLLOWS(
               "b", "y", "\"a\"") "," FOLLOWS("b", "x", "\"a\""),
           "+0 0>3 +1 1>2 ");
    expect(CAUSE("a", "x", "\"b\"") "," CAUSE("a", "y", "\"b\"") "," FOLLOWS("b", "z", "\"a\""),
           "+0 0>2 +1 1>2 ");
    expect(CAUSE("a", "x", "\"b\"") "," FOLLOWS("b", "y", "\"a\"") "," FOLLOWS("b", "z", "\"a\""),
           "+0 0>1 0>2 ");
}

static void an_edited_report_is_no_trouble(void **state)
{
    (void)state;
    expect(CAUSE("a", "x", "\"b\",\"b\",7,null") "," FOLLOWS("b", "y", "\"a\",\"a\",{},[]"),
           "+0 0>1 ");
    expect("7,null,\"a\",[],{\"id\":3,\"explains\":\"b\",\"explained_by\":{}}", "");
    expect(WAIVED "," FOLLOWS("b", "y", "\"a\""), "0>1 +1 ");
}

/* Of findings that are equal in all, the first stands for them: else the links grew as their square. */
static void equals_have_one_cause(void **state)
{
    enum { EACH = 100 };
    struct relations relations;
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 20);
    buf_adds(&text, "{\"findings\":[");
    for (int i = 0; i < EACH; i++)
        buf_adds(&text, CAUSE("a", "x", "\"b\"") ",");
    for (int i = 0; i < EACH; i++)
        buf_addf(&text, "%s%s", i ? "," : "", FOLLOWS("b", "x", "\"a\""));
    buf_adds(&text, "]}");
    cJSON *target = json_parse(buf_str(&text), text.len, NULL);
    assert_non_null(target);
    relations_init(&relations, target);
    assert_int_equal(relations.edges_len, EACH);
    assert_int_equal(relations_standing(&relations), EACH);
    relations_release(&relations);
    cJSON_Delete(target);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_need_both_sides),
        cmocka_unit_test(twins_are_told_apart_by_their_subject),
        cmocka_unit_test(an_edited_report_is_no_trouble),
        cmocka_unit_test(equals_have_one_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
