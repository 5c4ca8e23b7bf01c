/* Needs against the state of the evidence: what is missing, what is enough. */
#include "asked.h"
#include "base/buf.h"
#include "check/judge.h"

struct supply {
    const char *name; /* NULL: none */
    bool complete;
};

static void judge(const char *members, const struct supply supplies[2], bool ready, bool conclusive,
                  const char *reason, int missing_len)
{
    struct asked asked;
    struct buf said;
    asked_init(&asked, members);
    for (int i = 0; i < 2; i++)
        if (supplies[i].name)
            evidence_supplied(asked.evidence, supplies[i].name, supplies[i].complete);
    buf_init(&said, 1024);
    cJSON *missing = cJSON_CreateArray();
    if (judge_ready(asked.check.meta, asked.evidence, &said, missing) != ready)
        fail_msg("%s: ready is not %d", members, ready);
    if (ready && judge_conclusive(asked.check.meta, asked.evidence, &said, missing) != conclusive)
        fail_msg("%s: conclusive is not %d", members, conclusive);
    assert_string_equal(buf_str(&said), reason);
    assert_int_equal(cJSON_GetArraySize(missing), missing_len);
    const cJSON *row;
    cJSON_ArrayForEach (row, missing) {
        assert_non_null(json_str(row, "evidence"));
        assert_true(strlen(json_str(row, "how")) > 10);
    }
    cJSON_Delete(missing);
    buf_release(&said);
    asked_release(&asked);
}

#define NEEDS(list) ",\"needs\":[" list "]"
#define EVENTS      ",\"events\":[{\"name\":\"e\",\"pattern\":\"e\"}]"

static void test_judging(void **state)
{
    static const struct {
        const char *members;
        struct supply supplies[2];
        bool ready, conclusive;
        const char *reason;
        int missing;
    } rows[] = {
        {"", {{NULL}}, true, true, "", 0},
        {NEEDS("\"stats\""), {{NULL}}, false, false, "missing: stats", 1},
        {NEEDS("\"stats\""), {{"stats", true}}, true, true, "", 0},
        {NEEDS("\"stats\""),
         {{"stats", false}},
         true,
         false,
         "not enough to tell, there is only a part of: stats",
         1},
        {NEEDS("\"log.xds_closed | stats{a.*} | stats{b.*}\",\"certs\""),
         {{NULL}},
         false,
         false,
         "missing: log.xds_closed or stats, certs",
         2},
        {NEEDS("\"log.xds_closed | stats\""), {{"log", true}}, true, true, "", 0},
        {NEEDS("\"log.xds_closed | stats\""), {{"log", false}, {"stats", true}}, true, true, "", 0},
        /* Every required need must be whole: "nothing found" in a part proves nothing. */
        {NEEDS("\"stats\",\"certs\""),
         {{"stats", false}, {"certs", true}},
         true,
         false,
         "not enough to tell, there is only a part of: stats",
         1},
        {NEEDS("\"stats\",\"?certs\""), {{"stats", true}}, true, true, "", 0},
        /* Only optional needs: one of them must be there. */
        {NEEDS("\"?stats\",\"?certs\""), {{NULL}}, false, false, "missing: stats, certs", 2},
        {NEEDS("\"?stats\",\"?certs\""), {{"certs", true}}, true, true, "", 0},
        {NEEDS("\"?stats\""),
         {{"stats", false}},
         true,
         false,
         "not enough to tell, there is only a part of: stats",
         1},
        /* Events of its own are found in texts. */
        {EVENTS, {{NULL}}, false, false, "missing: text", 1},
        {EVENTS, {{"text", true}}, true, true, "", 0},
        {EVENTS NEEDS("\"event.e\""), {{NULL}}, false, false, "missing: text", 1},
        {EVENTS NEEDS("\"stats\""), {{"stats", true}}, true, true, "", 0},
        {EVENTS NEEDS("\"?stats\""), {{"text", true}}, true, true, "", 0},
        {NEEDS("\"file.mine\""), {{NULL}}, false, false, "missing: file.mine", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        judge(rows[i].members, rows[i].supplies, rows[i].ready, rows[i].conclusive, rows[i].reason,
              rows[i].missing);
}

/* A source that would have had it and could not be read is named. */
static void test_failed_source(void **state)
{
    struct asked asked;
    struct buf said;
    (void)state;
    asked_init(&asked, NEEDS("\"log.start\""));
    source_problem(&asked.sources, &asked.sources.items[0], "cannot be opened");
    buf_init(&said, 1024);
    cJSON *missing = cJSON_CreateArray();
    assert_false(judge_ready(asked.check.meta, asked.evidence, &said, missing));
    assert_string_equal(buf_str(&said),
                        "missing: log.start (source 'log/envoy.log': cannot be opened)");
    cJSON_Delete(missing);
    buf_release(&said);
    asked_release(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judging),
                                       cmocka_unit_test(test_failed_source)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
