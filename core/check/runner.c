/* Stage: check, in a runner. Reads the plan and the evidence, asks one check and writes its record,
 * findings and asks. Deliberately decides the outcome here and nowhere else: pass or fail is not the
 * check's to say. */
#include "check/runner.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "check/applies.h"
#include "check/host.h"
#include "check/judge.h"
#include "check/view.h"
#include "debrief/plugin.h"
#include "finding/builder.h"
#include "script/script.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 4096 };

struct verdict {
    const char *outcome;
    struct buf reason;
    cJSON *missing;
};

double runner_elapsed_ms(int64_t start)
{
    if (getenv("DEBRIEF_NOW"))
        return 0;
    return round((double)(clock_monotonic() - start) / 1e4) / 100;
}

cJSON *runner_record(const char *id, const char *outcome, const char *reason, double elapsed_ms)
{
    cJSON *record = cJSON_CreateObject();
    json_put_str(record, "id", id);
    json_put_str(record, "outcome", outcome);
    json_put_str(record, "reason", reason);
    json_put_num(record, "elapsed_ms", elapsed_ms);
    return record;
}

static void conclude(struct verdict *verdict, const char *outcome, const char *reason)
{
    verdict->outcome = outcome;
    buf_clear(&verdict->reason);
    buf_adds(&verdict->reason, reason);
}

static bool applies(const struct check_meta *meta, const struct evidence *evidence,
                    struct verdict *verdict)
{
    struct applies_facts facts = {{NULL}};
    struct err why = ERR_INIT;
    char bufs[APPLIES_FACTS][32];
    const struct record *proxy = evidence_next(evidence, "proxy", NULL);
    for (int i = 0; proxy && i < APPLIES_FACTS; i++)
        facts.values[i] = record_text(proxy, applies_column((enum applies_fact)i), bufs[i]);
    if (applies_to(meta->applies, &facts, &why))
        return true;
    conclude(verdict, "not_applicable", why.text);
    return false;
}

static const char *first_why(cJSON *asks)
{
    const char *why = json_str(cJSON_GetArrayItem(asks, 0), "why");
    return why ? why : "";
}

/* The outcome of a check that was asked. */
static void weigh(const struct runner *runner, const struct builder *builder,
                  const struct check_meta *meta, struct verdict *verdict)
{
    if (builder_fault(builder)) {
        conclude(verdict, "error", builder_fault(builder));
    } else if (builder_inapplicable(builder)) {
        conclude(verdict, "not_applicable", builder_inapplicable(builder));
    } else if (builder_worst(builder) > DEBRIEF_INFO) {
        conclude(verdict, "fail", "");
    } else if (builder_asks_len(builder)) {
        cJSON *asks = builder_asks(builder);
        conclude(verdict, "skip", "not enough to tell: ");
        buf_adds(&verdict->reason, first_why(asks));
        cJSON_Delete(asks);
    } else if (builder_worst(builder) == DEBRIEF_INFO ||
               judge_conclusive(meta, runner->evidence, &verdict->reason, verdict->missing)) {
        conclude(verdict, "pass", "");
    } else {
        verdict->outcome = "skip";
    }
}

/* SCRATCH outlives the findings: they may cite what was made for this check alone. */
static void run_check(const struct runner *runner, const struct plan_check *check,
                      struct builder *builder, struct arena *scratch)
{
    struct view view = {
        .check = check,
        .evidence = runner->evidence,
        .builder = builder,
        .scratch = scratch,
        .gathered = runner->gathered,
        .asked = runner->asked,
    };
    if (runner->soft_timeout_ms)
        view.soft_deadline = clock_monotonic() + runner->soft_timeout_ms * (CLOCK_SECOND / 1000);
    if (strcmp(check->meta->plugin->kind, "lua") == 0)
        script_run(check->meta->plugin->path, check->meta->index, &view);
    else
        host_run(&view);
}

cJSON *runner_ask(const struct runner *runner, size_t index)
{
    const struct plan_check *check = &runner->plan->checks[index];
    const struct check_meta *meta = check->meta;
    struct verdict verdict = {.missing = cJSON_CreateArray()};
    int64_t start = clock_monotonic();
    buf_init(&verdict.reason, REASON_MAX);
    struct builder *builder = builder_new(check, runner->evidence, runner->redact);
    struct arena *scratch = arena_new();
    if (check->refused) {
        conclude(&verdict, "error", check->refused);
    } else if (applies(meta, runner->evidence, &verdict)) {
        if (judge_ready(meta, runner->evidence, &verdict.reason, verdict.missing)) {
            run_check(runner, check, builder, scratch);
            weigh(runner, builder, meta, &verdict);
        } else {
            verdict.outcome = "skip";
        }
    }
    bool sound = !builder_fault(builder);
    cJSON *message = cJSON_CreateObject();
    json_put_num(message, "end", (double)index);
    cJSON_AddItemToObject(message, "record",
                          runner_record(meta->id, verdict.outcome, buf_str(&verdict.reason),
                                        runner_elapsed_ms(start)));
    cJSON_AddItemToObject(message, "findings",
                          sound ? builder_findings(builder) : cJSON_CreateArray());
    cJSON_AddItemToObject(message, "asks", sound ? builder_asks(builder) : cJSON_CreateArray());
    cJSON_AddItemToObject(message, "walks", sound ? builder_walks(builder) : cJSON_CreateArray());
    cJSON_AddItemToObject(message, "missing", verdict.missing);
    builder_free(builder);
    arena_free(scratch);
    buf_release(&verdict.reason);
    return message;
}
