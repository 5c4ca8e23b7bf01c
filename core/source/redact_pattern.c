/* Source: secrets that only the user knows the look of. Reads text in portions, looks at it line by
 * line, writes it with each match replaced. Deliberately knows no matches beyond a line: how much of
 * a log a pattern may take is then clear to whoever writes it. */
#include "source/redact_pattern.h"

#include "base/alloc.h"
#include "base/regex.h"

#include <stdlib.h>
#include <string.h>

enum { MARK_MAX = 48 }; /* a mark is shorter */

struct rule {
    char *name;
    struct regex *regex;
    size_t kind;
};

struct redact_patterns {
    struct rule rules[REDACT_PATTERNS_MAX];
    size_t len;
};

struct redact_matching {
    const struct redact_patterns *patterns;
    struct redact_counts *counts;
    redact_sink_fn *sink;
    void *user;
    size_t len;
    bool failed;
    char text[REDACT_LINE_MAX + 1]; /* of one line, its end not included; ends with NUL */
};

struct redact_patterns *redact_patterns_new(void)
{
    return xcalloc(1, sizeof(struct redact_patterns));
}

void redact_patterns_free(struct redact_patterns *patterns)
{
    for (size_t i = 0; patterns && i < patterns->len; i++) {
        regex_free(patterns->rules[i].regex);
        free(patterns->rules[i].name);
    }
    free(patterns);
}

const char *redact_patterns_add(struct redact_patterns *patterns,
                                const struct redact_pattern *pattern, size_t kind, struct err *err)
{
    struct regex *regex = regex_new(pattern->pattern, 0, err);
    if (!regex) {
        err_prefix(err, "pattern '%s' of redaction cannot be used", pattern->name);
        return NULL;
    }
    struct rule *rule = &patterns->rules[patterns->len++];
    *rule = (struct rule){xstrdup(pattern->name), regex, kind};
    return rule->name;
}

/* ---- one window ---- */

struct match {
    size_t start, end;
    const struct rule *rule; /* NULL: none */
};

/* Whether AT stands within a mark that redaction has left. */
static bool in_mark(const char *text, size_t at)
{
    static const char mark[] = "[redacted:";
    size_t back = 0;
    while (back < MARK_MAX && back < at && text[at - back] != '[' &&
           (back == 0 || text[at - back] != ']'))
        back++;
    return strncmp(text + at - back, mark, sizeof mark - 1) == 0;
}

/* A match of nothing (a pattern such as "x*") replaces nothing; a mark of ours is no secret. */
static bool is_secret(const char *text, const struct regex_span *span)
{
    return span->end > span->start && !in_mark(text, span->start);
}

static bool next_of(const struct rule *rule, const char *text, size_t len, size_t from,
                    struct match *match)
{
    struct regex_span spans[2];
    int cap = regex_groups(rule->regex) > 0 ? 2 : 1;
    while (from <= len && regex_match(rule->regex, text, len, from, spans, cap)) {
        const struct regex_span *span = &spans[cap - 1];
        if (span->start != SIZE_MAX && span->start >= from && is_secret(text, span)) {
            *match = (struct match){span->start, span->end, rule};
            return true;
        }
        from = spans[0].end > from ? spans[0].end : from + 1;
    }
    return false;
}

/* The first one to begin; of several the longest. */
static struct match next_match(const struct redact_matching *matching, size_t from)
{
    struct match best = {0}, one;
    for (size_t i = 0; i < matching->patterns->len; i++) {
        if (!next_of(&matching->patterns->rules[i], matching->text, matching->len, from, &one))
            continue;
        if (!best.rule || one.start < best.start || (one.start == best.start && one.end > best.end))
            best = one;
    }
    return best;
}

static void put(struct redact_matching *matching, const char *bytes, size_t len)
{
    if (len && !matching->failed)
        matching->failed = !matching->sink(matching->user, bytes, len);
}

static void put_mark(struct redact_matching *matching, const struct rule *rule)
{
    put(matching, "[redacted:", strlen("[redacted:"));
    put(matching, rule->name, strlen(rule->name));
    put(matching, "]", 1);
    matching->counts->total++;
    matching->counts->by_kind[rule->kind]++;
}

/* Writes what is settled: matches that begin before LIMIT, and the text up to there. */
static void judge(struct redact_matching *matching, size_t limit)
{
    size_t at = 0;
    matching->text[matching->len] = '\0';
    for (;;) {
        struct match match = next_match(matching, at);
        if (!match.rule || match.start >= limit)
            break;
        put(matching, matching->text + at, match.start - at);
        put_mark(matching, match.rule);
        at = match.end;
    }
    if (at < limit) {
        put(matching, matching->text + at, limit - at);
        at = limit;
    }
    matching->len -= at;
    memmove(matching->text, matching->text + at, matching->len);
}

/* ---- portions ---- */

struct redact_matching *redact_matching_new(const struct redact_patterns *patterns,
                                            struct redact_counts *counts, redact_sink_fn *sink,
                                            void *user)
{
    struct redact_matching *matching = xcalloc(1, sizeof *matching);
    matching->patterns = patterns;
    matching->counts = counts;
    matching->sink = sink;
    matching->user = user;
    return matching;
}

void redact_matching_free(struct redact_matching *matching)
{
    free(matching);
}

static void take(struct redact_matching *matching, const char *bytes, size_t len)
{
    while (len) {
        size_t room = REDACT_LINE_MAX - matching->len, n = len < room ? len : room;
        memcpy(matching->text + matching->len, bytes, n);
        matching->len += n;
        bytes += n;
        len -= n;
        if (matching->len == REDACT_LINE_MAX)
            judge(matching, matching->len - REDACT_LINE_OVERLAP);
    }
}

bool redact_matching_feed(struct redact_matching *matching, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    while (bytes < end) {
        const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));
        take(matching, bytes, (size_t)((line_end ? line_end : end) - bytes));
        if (!line_end)
            break;
        judge(matching, matching->len);
        put(matching, "\n", 1);
        bytes = line_end + 1;
    }
    return !matching->failed;
}

bool redact_matching_end(struct redact_matching *matching)
{
    judge(matching, matching->len);
    return !matching->failed;
}
