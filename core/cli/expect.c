/* Commands: lint and test. Reads expect.json of a case and compares a report with it. */
#include "cli/expect.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/slurp.h"
#include "base/str.h"
#include "cli/expect_words.h"
#include <string.h>

#define EXPECT_MAX (1u << 20)

enum type { TYPE_TEXT, TYPE_TEXTS, TYPE_NUMBER, TYPE_ASK };

static const struct {
    const char *name;
    enum type type;
} members[] = {
    {"top", TYPE_TEXTS},   {"also", TYPE_TEXTS},     {"never", TYPE_TEXTS},
    {"skip", TYPE_TEXTS},  {"found", TYPE_TEXTS},    {"ask", TYPE_ASK},
    {"exit", TYPE_NUMBER}, {"now", TYPE_TEXT},       {"about", TYPE_TEXT},
    {"source", TYPE_TEXT}, {"select", TYPE_TEXT},    {"param", TYPE_TEXTS},
    {"says", TYPE_TEXTS},  {"not_says", TYPE_TEXTS}, {"not_applicable", TYPE_TEXTS},
    {"pass", TYPE_TEXTS},
};

static bool are_texts(const cJSON *array)
{
    const cJSON *each;
    if (!cJSON_IsArray(array))
        return false;
    cJSON_ArrayForEach (each, array) {
        if (!cJSON_IsString(each))
            return false;
    }
    return true;
}

static bool has_type(const cJSON *value, enum type type)
{
    switch (type) {
    case TYPE_TEXT:
        return cJSON_IsString(value);
    case TYPE_TEXTS:
        return are_texts(value);
    case TYPE_NUMBER:
        return cJSON_IsNumber(value);
    case TYPE_ASK:
        return cJSON_IsBool(value) || cJSON_IsString(value);
    }
    BUG("no such type %d", (int)type);
}

static bool is_valid(const cJSON *expect, struct err *err)
{
    const cJSON *member;
    if (!cJSON_IsObject(expect) || !json_at(expect, "top"))
        return err_set(err, "it is no object with the list \"top\"");
    cJSON_ArrayForEach (member, expect) {
        size_t i = 0;
        while (i < ARRAY_LEN(members) && strcmp(members[i].name, member->string) != 0)
            i++;
        if (i == ARRAY_LEN(members))
            return err_set(err, "unknown member '%s'", member->string);
        if (!has_type(member, members[i].type))
            return err_set(err, "member '%s' has the wrong type", member->string);
    }
    return true;
}

cJSON *expect_load(const char *path, struct err *err)
{
    struct buf text;
    buf_init(&text, EXPECT_MAX);
    if (!slurp_path(&text, path, err)) {
        buf_release(&text);
        return NULL;
    }
    cJSON *expect = json_parse(buf_str(&text), text.len, err);
    buf_release(&text);
    if (expect && is_valid(expect, err))
        return expect;
    err_prefix(err, "'%s'", path);
    cJSON_Delete(expect);
    return NULL;
}

bool expect_has(const cJSON *expect, const char *name, const char *text)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(expect, name)) {
        if (str_equal(each->valuestring, text))
            return true;
    }
    return false;
}

__attribute__((format(printf, 2, 3))) static void differ(struct buf *why, const char *format, ...)
{
    va_list args;
    if (why->len)
        buf_adds(why, "; ");
    va_start(args, format);
    buf_vaddf(why, format, args);
    va_end(args);
}

static void compare_findings(const cJSON *expect, const cJSON *target, struct buf *why)
{
    const cJSON *finding;
    bool quiet = cJSON_GetArraySize(json_at(expect, "top")) == 0;
    const char *first = json_str(target, "findings[0].id");
    if (!quiet && !expect_has(expect, "top", first))
        differ(why, "rank 1 is %s", first ? first : "nothing");
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        const char *id = json_str(finding, "id"), *severity = json_str(finding, "severity");
        if (!id || str_equal(severity, "info"))
            continue;
        bool allowed = !quiet && (expect_has(expect, "top", id) || expect_has(expect, "also", id) ||
                                  expect_has(expect, "found", id));
        if (!allowed)
            differ(why, "unexpected %s %s", severity ? severity : "finding", id);
        else if (expect_has(expect, "never", id))
            differ(why, "%s stands in 'never'", id);
    }
}

/* What must be among the findings, at whatever rank and severity. */
static void compare_found(const cJSON *expect, const cJSON *target, struct buf *why)
{
    const cJSON *wanted, *finding;
    cJSON_ArrayForEach (wanted, json_at(expect, "found")) {
        bool found = false;
        cJSON_ArrayForEach (finding, json_at(target, "findings")) {
            found |= str_equal(json_str(finding, "id"), wanted->valuestring);
        }
        if (!found)
            differ(why, "%s is not found", wanted->valuestring);
    }
}

/* The checks that the list named OUTCOME holds must end so. */
static void compare_outcome(const cJSON *expect, const cJSON *target, const char *outcome,
                            struct buf *why)
{
    const cJSON *check, *wanted;
    cJSON_ArrayForEach (wanted, json_at(expect, outcome)) {
        const char *got = "not there";
        cJSON_ArrayForEach (check, json_at(target, "checks")) {
            if (str_equal(json_str(check, "id"), wanted->valuestring))
                got = json_str(check, "outcome");
        }
        if (!str_equal(got, outcome))
            differ(why, "check %s is %s, not %s", wanted->valuestring, got, outcome);
    }
}

static void compare_checks(const cJSON *expect, const cJSON *target, struct buf *why)
{
    const cJSON *check;
    cJSON_ArrayForEach (check, json_at(target, "checks")) {
        if (str_equal(json_str(check, "outcome"), "error"))
            differ(why, "check %s ended in error: %s", json_str(check, "id"),
                   json_str(check, "reason"));
    }
    compare_outcome(expect, target, "skip", why);
    compare_outcome(expect, target, "not_applicable", why);
    compare_outcome(expect, target, "pass", why);
}

static bool ask_holds(const cJSON *ask, const char *text)
{
    static const char *const parts[] = {"evidence", "why", "how"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *part = json_str(ask, parts[i]);
        if (part && strstr(part, text))
            return true;
    }
    return false;
}

static void compare_asks(const cJSON *expect, const cJSON *target, struct buf *why)
{
    const cJSON *wanted = json_at(expect, "ask"), *asks = json_at(target, "asks"), *ask;
    bool some = cJSON_GetArraySize(asks) > 0;
    if (cJSON_IsBool(wanted) && cJSON_IsTrue(wanted) != some)
        differ(why, some ? "it asks for something" : "it asks for nothing");
    if (!cJSON_IsString(wanted))
        return;
    cJSON_ArrayForEach (ask, asks) {
        if (ask_holds(ask, wanted->valuestring))
            return;
    }
    differ(why, "no ask speaks of '%s'", wanted->valuestring);
}

bool expect_met(const cJSON *expect, const cJSON *report, int status, struct buf *why)
{
    size_t before = why->len;
    double wanted = 0;
    const cJSON *target = json_at(report, "targets[0]");
    int targets = cJSON_GetArraySize(json_at(report, "targets"));
    if (targets != 1)
        differ(why, "the evidence gave %d targets, not one", targets);
    compare_findings(expect, target, why);
    compare_found(expect, target, why);
    compare_checks(expect, target, why);
    compare_asks(expect, target, why);
    expect_words(expect, target, why);
    if (json_num(expect, "exit", &wanted) && status != (int)wanted)
        differ(why, "exit status %d, not %.0f", status, wanted);
    return why->len == before;
}
