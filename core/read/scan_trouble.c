/* Stage: read. Reads a short text and where patterns matched in it, writes the lines that speak of
 * trouble and matched nothing. Deliberately knows no cause: words of trouble are not findings. */
#include "read/scan_trouble.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "read/log_unwrap.h"
#include <stdlib.h>
#include <string.h>

/* Words that stand for a fault, not followed by what takes it back: "errors: 0", "error=null". Names of
 * settings and statistics (max_failure, error-budget) are none. */
#define WORDS                                                                                      \
    "(?<![\\w.\\-/])(?:error|errors|failed|failure|fails|denied|refused|forbidden|unauthorized|"   \
    "unable to|cannot|could not|can't|couldn't|fatal|panic|exception|timed out|timeout "           \
    "(?:exceeded|expired|waiting)|deadline exceeded|unhealthy|not found|unreachable|"              \
    "crash(?:ed|ing|loopbackoff)|segmentation fault|invalid|rejected|no such|expired|"             \
    "HTTP/[0-9.]+\"? (?:5\\d\\d|4\\d\\d))(?![\\w\\-/])(?!\\W{0,3}(?:0|null|none|nil|false|\"\"|"   \
    "''|ok)(?!\\w))"

/* Whole lines that deny it. */
#define DENIALS "\\b(?:no|without|zero|0|ignor\\w+) (?:\\w+ )?(?:error|errors|failure|failures)\\b"

struct regex *trouble_words(void)
{
    struct err err = ERR_INIT;
    struct regex *words = regex_new("^(?!.*" DENIALS ").*?" WORDS, REGEX_CASELESS, &err);
    if (!words)
        BUG("%s", err.text);
    return words;
}

void trouble_match(struct trouble *trouble, size_t end)
{
    if (!trouble->watching)
        return;
    if (!trouble->ends)
        trouble->ends = xcalloc(TROUBLE_ENDS_MAX, sizeof *trouble->ends);
    if (trouble->len < TROUBLE_ENDS_MAX)
        trouble->ends[trouble->len++] = end;
    else
        trouble->watching = false; /* too much is known here to look for the rest */
}

static int by_value(const void *left, const void *right)
{
    const size_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* A proxy warns of much that is no trouble; in other texts a warning may be all that there is. */
static bool is_quiet(const struct log_header *header)
{
    bool proxy = header->kind == LOG_ENVOY || header->kind == LOG_ISTIO ||
                 header->kind == LOG_CONSUL;
    return (proxy && strcmp(header->level, "warning") == 0) || strcmp(header->level, "info") == 0 ||
           strcmp(header->level, "debug") == 0 || strcmp(header->level, "trace") == 0;
}

struct search {   /* line after line */
    size_t match; /* the first end behind this line's beginning */
    bool known;   /* the record that this line belongs to was understood, or is of no interest */
};

/* Whether the line is one that nobody understood. What goes on with a line that was understood is. */
static bool is_unexplained(const struct trouble *trouble, struct search *search,
                           const struct regex *words, const char *text, size_t start, size_t end)
{
    struct log_line line;
    struct regex_span span;
    bool matched = false;
    for (; search->match < trouble->len && trouble->ends[search->match] <= end; search->match++)
        matched |= trouble->ends[search->match] > start;
    log_unwrap_line(text + start, end - start, &line);
    if (line.blank || line.header.kind != LOG_NONE)
        search->known = is_quiet(&line.header) || line.header.kind == LOG_ACCESS;
    search->known |= matched;
    return !search->known && end > start &&
           regex_match(words, text + start, end - start, 0, &span, 1);
}

static void write_line(const struct scan_view *view, size_t start, size_t end,
                       struct evidence *evidence, const struct source *source)
{
    struct record *record = evidence_add(evidence, "unexplained", source);
    if (!record)
        return;
    record->line = scan_view_place(view, start);
    evidence_excerpt(evidence, record, view->text + start, end - start);
    evidence_set(evidence, record, "text", record->excerpt);
    struct log_line line;
    log_unwrap_line(view->text + start, end - start, &line);
    if (line.header.level[0])
        evidence_set(evidence, record, "level", line.header.level);
}

void trouble_write(struct trouble *trouble, const struct scan_view *view, const struct regex *words,
                   struct evidence *evidence, const struct source *source)
{
    struct search search = {0};
    uint64_t seen = 0, before = evidence_count(evidence, "unexplained");
    if (trouble->len)
        qsort(trouble->ends, trouble->len, sizeof *trouble->ends, by_value);
    for (size_t at = 0; trouble->watching && at < view->len;) {
        size_t end = scan_line_end(view->text, view->len, at);
        size_t most = end - at < SCAN_RECORD_MAX ? end : at + SCAN_RECORD_MAX;
        if (is_unexplained(trouble, &search, words, view->text, at, most) && seen++ < TROUBLE_KEPT)
            write_line(view, at, most, evidence, source);
        at = end + 1;
    }
    evidence_counted(evidence, "unexplained", before + seen);
    free(trouble->ends);
    *trouble = (struct trouble){0};
}
