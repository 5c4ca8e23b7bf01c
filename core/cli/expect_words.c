/* Commands: test. Compares the words of a report with the patterns of expect.json: what findings and what the
 * checks' own asks say. Deliberately leaves out what the host asks for missing evidence: its ways to
 * supply it are the dictionary's, and cover every platform. */
#include "cli/expect_words.h"
#include "base/json.h"
#include "base/regex.h"
#include "base/str.h"
#include "report/report.h"
#include <string.h>

enum { WORDS_MAX = 4 << 20 };

/* One line of its own, so that a pattern never spans two texts. */
static void add_line(struct buf *words, const char *text)
{
    for (; text && *text; text++)
        buf_addch(words, *text == '\n' ? ' ' : *text);
    buf_addch(words, '\n');
}

static void add_list(struct buf *words, const cJSON *list)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, list) {
        add_line(words, cJSON_IsString(each) ? each->valuestring : NULL);
    }
}

static void add_finding(struct buf *words, const cJSON *finding)
{
    const cJSON *each;
    add_line(words, json_str(finding, "title"));
    add_line(words, json_str(finding, "message"));
    cJSON_ArrayForEach (each, json_at(finding, "candidates")) {
        add_list(words, json_at(each, "for"));
        add_list(words, json_at(each, "against"));
    }
    cJSON_ArrayForEach (each, json_at(finding, "fix")) {
        add_line(words, json_str(each, "text"));
        add_line(words, json_str(each, "command"));
        add_line(words, json_str(each, "snippet.text"));
    }
}

static void gather(struct buf *words, const cJSON *target)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(target, "findings")) {
        add_finding(words, each);
    }
    cJSON_ArrayForEach (each, json_at(target, "asks")) {
        const char *why = json_str(each, "why");
        if (why && str_starts(why, REPORT_NEEDED_BY))
            continue;
        add_line(words, why);
        add_line(words, json_str(each, "how"));
    }
}

static struct buf *next_difference(struct buf *why)
{
    if (why->len)
        buf_adds(why, "; ");
    return why;
}

static void compare(const struct buf *words, const char *pattern, bool wanted, struct buf *why)
{
    struct err err = ERR_INIT;
    struct regex_span span;
    struct regex *regex = regex_new(pattern, REGEX_CASELESS, &err);
    const char *text = buf_str(words);
    if (!regex) {
        buf_addf(next_difference(why), "'%s' is no pattern: %s", pattern, err.text);
        return;
    }
    bool said = regex_match(regex, text, words->len, 0, &span, 1);
    regex_free(regex);
    if (!said && wanted)
        buf_addf(next_difference(why), "nothing says '%s'", pattern);
    if (!said || wanted)
        return;
    size_t start = span.start;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    buf_addf(next_difference(why), "'%s' is said: \"%.*s\"", pattern,
             (int)strcspn(text + start, "\n"), text + start);
}

void expect_words(const cJSON *expect, const cJSON *target, struct buf *why)
{
    struct buf words;
    const cJSON *pattern;
    buf_init(&words, WORDS_MAX);
    gather(&words, target);
    cJSON_ArrayForEach (pattern, json_at(expect, "says")) {
        compare(&words, pattern->valuestring, true, why);
    }
    cJSON_ArrayForEach (pattern, json_at(expect, "not_says")) {
        compare(&words, pattern->valuestring, false, why);
    }
    buf_release(&words);
}
