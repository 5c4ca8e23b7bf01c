/* Stage: report. Says in one line what came out for a target, and when nothing did, why: that it could
 * not be reached, is empty, is no evidence. Reads the document only; judges nothing. */
#include "report/text_verdict.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/relations.h"
#include "report/report.h"
#include <string.h>

#define FIELD_MAX (64u << 10)

void text_verdict_add_count(struct buf *out, int count, const char *one, const char *many)
{
    if (count)
        buf_addf(out, "%s%d %s", out->len ? ", " : "", count, count == 1 ? one : many);
}

void text_verdict_fleet(struct buf *out, const cJSON *targets)
{
    static const char *const verdicts[][2] = {{"error", "with errors"},
                                              {"warning", "with warnings"},
                                              {"unknown", "unknown"},
                                              {"ok", "ok"}};
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
        text_verdict_add_count(out, document_count(targets, "verdict", verdicts[i][0]),
                               verdicts[i][1], verdicts[i][1]);
}

/* A row of kind "bundle" tells of trouble with the whole; it is no evidence. */
static bool is_read(const cJSON *source)
{
    const char *kind = document_str(source, "kind", "");
    return *kind && strcmp(kind, "bundle") != 0;
}

int text_verdict_read(const cJSON *target)
{
    int count = 0;
    const cJSON *source;
    cJSON_ArrayForEach (source, json_at(target, "sources")) {
        count += is_read(source);
    }
    return count;
}

/* "cannot reach 'http://127.0.0.1:1': refused" behind the target's own name: "cannot reach it: refused". */
static void add_problem(struct buf *out, const char *problem)
{
    static const char lead[] = "cannot reach '";
    const char *end = str_starts(problem, lead) ? strchr(problem + strlen(lead), '\'') : NULL;
    if (end)
        buf_addf(out, "cannot reach it%s", end + 1);
    else if (str_starts(problem, "is "))
        buf_addf(out, "it %s", problem);
    else
        buf_adds(out, problem);
}

static void add_files_reason(struct buf *out, int failed, int unknown, const char *problem)
{
    if (failed + unknown == 0)
        buf_adds(out, "it is empty");
    else if (!failed)
        buf_addf(out, unknown == 1 ? "not recognised" : "none of its %d files is recognised",
                 unknown);
    else if (failed + unknown == 1)
        add_problem(out, problem);
    else
        buf_addf(out, "none of its %d files could be read", failed + unknown);
}

/* Files that are not recognised; of what could not be read, that is said already. */
static int count_unknown(const cJSON *target)
{
    const cJSON *name, *source;
    int count = 0;
    cJSON_ArrayForEach (name, json_at(target, "unrecognised")) {
        bool failed = false;
        cJSON_ArrayForEach (source, json_at(target, "sources")) {
            failed |= json_at(source, "problems[0]") &&
                      str_equal(json_str(source, "name"), json_str(name, ""));
        }
        count += !failed;
    }
    return count;
}

/* Why nothing at all could be read. */
static void add_reason(struct buf *out, const cJSON *target)
{
    const cJSON *source, *sources = json_at(target, "sources"), *checks = json_at(target, "checks");
    const char *problem = NULL;
    int failed = 0;
    cJSON_ArrayForEach (source, sources) {
        const char *first = json_str(source, "problems[0]"),
                   *name = document_str(source, "name", "");
        if (first && (str_starts(name, "admin/") || *document_str(source, "kind", ""))) {
            add_problem(out, first); /* the address, or the bundle as a whole */
            return;
        }
        failed += first != NULL;
        problem = problem ? problem : first;
    }
    int unknown = count_unknown(target);
    bool done = document_count(checks, "outcome", "error") < cJSON_GetArraySize(checks);
    if (failed + unknown || done)
        add_files_reason(out, failed, unknown, problem);
    else
        buf_adds(out, "unknown, nothing could be judged");
}

struct text_extent text_verdict_extent(const cJSON *target)
{
    const cJSON *checks = json_at(target, "checks");
    int open = document_count(checks, "outcome", "skip") +
               document_count(checks, "outcome", "error");
    int idle = document_count(checks, "outcome", "not_applicable");
    int apply = cJSON_GetArraySize(checks) - idle;
    return (struct text_extent){apply - open, apply, idle};
}

/* How much "nothing wrong found" is worth. */
static void add_extent(struct buf *out, const cJSON *target)
{
    const struct text_extent extent = text_verdict_extent(target);
    buf_adds(out, "nothing wrong found");
    if (extent.judged < extent.apply)
        buf_addf(out, " in what could be judged (%d of %d checks%s)", extent.judged, extent.apply,
                 extent.idle ? " that apply" : "");
    else if (report_target_incomplete(target))
        buf_adds(out, " in what could be looked at");
}

static int count_standing(const cJSON *target)
{
    struct relations relations;
    relations_init(&relations, target);
    int count = (int)relations_standing(&relations);
    relations_release(&relations);
    return count;
}

/* Of what is wrong, how much the baseline did not have. */
static void add_news(struct buf *out, const cJSON *target)
{
    int marked = 0, news = 0;
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (!json_str(finding, "baseline") || !document_severity(finding))
            continue;
        marked++;
        news += document_decides(finding);
    }
    if (marked && news)
        buf_addf(out, "; %d new or worse", news);
    else if (marked)
        buf_adds(out, "; nothing of it new");
}

static void add_waived(struct buf *out, const cJSON *target)
{
    int count = 0;
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        count += document_waived(finding);
    }
    if (count)
        buf_addf(out, "; %d waived", count);
}

void text_verdict(struct buf *out, const cJSON *target)
{
    int errors = document_findings(target, "error");
    int warnings = document_findings(target, "warning");
    int causes = count_standing(target);
    struct buf counts;
    buf_init(&counts, FIELD_MAX);
    text_verdict_add_count(&counts, errors, "error", "errors");
    text_verdict_add_count(&counts, warnings, "warning", "warnings");
    if (counts.len && causes < errors + warnings)
        buf_addf(&counts, " from %d %s", causes, causes == 1 ? "cause" : "causes");
    if (counts.len) {
        buf_adds(out, buf_str(&counts));
        add_news(out, target);
    } else if (str_equal(json_str(target, "verdict"), "ok"))
        add_extent(out, target);
    else if (!text_verdict_read(target))
        add_reason(out, target);
    else if (document_unreachable(target))
        buf_adds(out,
                 "unknown: its admin page does not answer; nothing wrong found in what else was "
                 "read");
    else if (cJSON_GetArraySize(json_at(target, "unexplained")))
        buf_adds(out, "unknown: nothing that debrief knows, but lines that speak of trouble");
    else
        buf_adds(out, "unknown, nothing could be judged");
    add_waived(out, target);
    buf_release(&counts);
}
