/* Stage: report. Renders the document as Prometheus' text exposition, for node_exporter's textfile
 * collector: findings, outcomes of checks, verdicts, the run itself. Reads the document only.
 * Deliberately leaves messages and excerpts out: a label that changes makes a new series each time. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/writers.h"
#include <stdlib.h>
#include <string.h>

struct family { /* one metric: its samples, to be sorted and freed of doubles */
    struct buf *out;
    struct buf line; /* the sample at hand */
    char **samples;
    size_t len, cap;
};

/* The one way of a text into the output: as the value of a label. */
static void add_value(struct buf *out, const char *text)
{
    struct buf clean;
    buf_init(&clean, REPORT_SIZE_MAX);
    document_text(&clean, text);
    for (const char *at = buf_str(&clean); *at; at++) {
        if (*at == '\n')
            buf_adds(out, "\\n");
        else if (*at == '\\' || *at == '"')
            buf_addf(out, "\\%c", *at);
        else
            buf_addch(out, *at);
    }
    buf_release(&clean);
}

static void begin(struct family *family, struct buf *out, const char *name, const char *help)
{
    *family = (struct family){.out = out};
    buf_init(&family->line, REPORT_SIZE_MAX);
    buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void begin_sample(struct family *family, const char *name)
{
    buf_clear(&family->line);
    buf_addf(&family->line, "%s{", name);
}

static void add_label(struct family *family, const char *name, const char *text)
{
    const char *line = buf_str(&family->line);
    buf_addf(&family->line, "%s%s=\"", line[family->line.len - 1] == '{' ? "" : ",", name);
    add_value(&family->line, text);
    buf_addch(&family->line, '"');
}

static void end_sample(struct family *family, int value)
{
    buf_addf(&family->line, "} %d", value);
    if (family->len == family->cap) {
        family->cap = family->cap ? family->cap * 2 : 64;
        family->samples = xrealloc(family->samples, family->cap * sizeof *family->samples);
    }
    family->samples[family->len++] = xstrdup(buf_str(&family->line));
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Bytes of SAMPLE up to its value. */
static size_t labels_len(const char *sample)
{
    return (size_t)(strrchr(sample, ' ') - sample);
}

/* Reports that were merged may name one target twice, and one series that comes twice makes a collector
 * refuse the whole file: of several the greatest value stays. */
static void end(struct family *family)
{
    if (family->len)
        qsort(family->samples, family->len, sizeof *family->samples, compare);
    for (size_t i = 0; i < family->len; i++) {
        const char *sample = family->samples[i];
        const char *next = i + 1 < family->len ? family->samples[i + 1] : "";
        size_t len = labels_len(sample) + 1;
        if (strncmp(sample, next, len) != 0)
            buf_addf(family->out, "%s\n", sample);
    }
    for (size_t i = 0; i < family->len; i++)
        free(family->samples[i]);
    free(family->samples);
    buf_release(&family->line);
}

static void write_findings(struct buf *out, const cJSON *targets)
{
    static const char name[] = "debrief_finding";
    static const char *const labels[][2] = {
        {"id", "id"},
        {"severity", "severity"},
        {"role", "role"},
        {"confidence", "confidence"},
        {"state", "state"},
        {"subject_kind", "subject.kind"},
        {"subject", "subject.name"},
        {"baseline", "baseline"},
    };
    const cJSON *target, *finding;
    struct family family;
    begin(&family, out, name,
          "A finding of the last run; waived: a waiver takes it out of counts.");
    cJSON_ArrayForEach (target, targets) {
        cJSON_ArrayForEach (finding, json_at(target, "findings")) {
            begin_sample(&family, name);
            add_label(&family, "target", document_str(target, "name", ""));
            for (size_t i = 0; i < ARRAY_LEN(labels); i++)
                add_label(&family, labels[i][0], document_str(finding, labels[i][1], ""));
            add_label(&family, "waived", document_waived(finding) ? "true" : "false");
            end_sample(&family, 1);
        }
    }
    end(&family);
}

static void write_outcomes(struct buf *out, const cJSON *targets)
{
    static const char name[] = "debrief_check_outcome";
    const cJSON *target, *check;
    struct family family;
    begin(
        &family, out, name,
        "How a check ended: pass, fail, skip, not_applicable or error; 1 for the outcome it had.");
    cJSON_ArrayForEach (target, targets) {
        cJSON_ArrayForEach (check, json_at(target, "checks")) {
            begin_sample(&family, name);
            add_label(&family, "target", document_str(target, "name", ""));
            add_label(&family, "check", document_str(check, "id", ""));
            add_label(&family, "outcome", document_str(check, "outcome", ""));
            end_sample(&family, 1);
        }
    }
    end(&family);
}

/* The numbers are the states of monitoring plugins, so that one threshold fits both. */
static int verdict_number(const cJSON *target)
{
    static const char *const verdicts[] = {"ok", "warning", "error"};
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
        if (str_equal(json_str(target, "verdict"), verdicts[i]))
            return (int)i;
    return 3;
}

static void write_targets(struct buf *out, const cJSON *targets)
{
    static const char verdict[] = "debrief_target_verdict";
    static const char incomplete[] = "debrief_target_incomplete";
    const cJSON *target;
    struct family family;
    begin(&family, out, verdict, "0 ok, 1 warning, 2 error, 3 unknown: nothing could be judged.");
    cJSON_ArrayForEach (target, targets) {
        begin_sample(&family, verdict);
        add_label(&family, "target", document_str(target, "name", ""));
        end_sample(&family, verdict_number(target));
    }
    end(&family);
    begin(&family, out, incomplete,
          "1 when a source could not be read to its end or a check ended in error.");
    cJSON_ArrayForEach (target, targets) {
        begin_sample(&family, incomplete);
        add_label(&family, "target", document_str(target, "name", ""));
        end_sample(&family, report_target_incomplete(target));
    }
    end(&family);
}

static bool time_of(const cJSON *report, const char *member, int64_t *out)
{
    const char *text = json_str(report, member);
    return text && clock_parse(text, strlen(text), out) > 0;
}

static void write_run(struct buf *out, const cJSON *report)
{
    int64_t started, finished;
    struct family family;
    begin(&family, out, "debrief_build_info", "The version of the program that made the report.");
    begin_sample(&family, "debrief_build_info");
    add_label(&family, "version", document_str(report, "tool.version", ""));
    end_sample(&family, 1);
    end(&family);
    if (!time_of(report, "finished", &finished))
        return;
    buf_addf(out,
             "# HELP debrief_run_timestamp_seconds When the run finished, in Unix time.\n"
             "# TYPE debrief_run_timestamp_seconds gauge\n"
             "debrief_run_timestamp_seconds %.3f\n",
             (double)(finished / 1000000) / 1e3);
    if (time_of(report, "started", &started))
        buf_addf(out,
                 "# HELP debrief_run_duration_seconds How long the run took.\n"
                 "# TYPE debrief_run_duration_seconds gauge\n"
                 "debrief_run_duration_seconds %.3f\n",
                 (double)((finished - started) / 1000000) / 1e3);
}

bool prometheus_report(struct buf *out, const cJSON *report, const struct report_style *style,
                       struct err *err)
{
    (void)style;
    const cJSON *targets = json_at(report, "targets");
    write_run(out, report);
    write_targets(out, targets);
    write_outcomes(out, targets);
    write_findings(out, targets);
    return out->overflow ? err_set(err, "the report is larger than %u MB", REPORT_SIZE_MAX >> 20)
                         : true;
}
