/* Command: diff --compare. Gathers and checks two targets as `check` does, and writes what is new in the
 * findings of the second one and what differs between them. Reads the command line; the comparison itself
 * is core/compare's. */
#include "cli/diff_compare.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "check/examine.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/session.h"
#include "compare/compare.h"
#include "compare/document.h"
#include "compare/facts.h"
#include "report/diff.h"
#include "report/match.h"
#include <string.h>

struct pair {
    struct targets named[2]; /* what each operand stands for */
    cJSON *rows;             /* of the report, A and B */
    struct plan *plan;
    struct redact_policy *redact;
    int64_t started;
    bool interrupted;
};

/* Each operand alone: plain files that are named together would be one target. */
static bool name_targets(struct pair *pair, const struct options *options, struct err *err)
{
    return session_one_target(&pair->named[0], options->operands.items[0], err) &&
           session_one_target(&pair->named[1], options->operands.items[1], err);
}

static void examine(struct pair *pair, const struct options *options)
{
    struct target both[2] = {pair->named[0].items[0], pair->named[1].items[0]};
    const struct targets targets = {.items = both, .len = 2};
    struct examine_options how = {
        .collect = session_collect_options(options),
        .redact = pair->redact,
        .quiet = options->quiet,
        .verbose = options->verbose,
    };
    how.collect.wanted = examine_wants;
    how.collect.user = pair->plan;
    pair->started = clock_now();
    pair->rows = examine_targets(&targets, pair->plan, &how, &pair->interrupted);
}

static cJSON *report_of(const struct pair *pair, int side, int64_t finished)
{
    cJSON *targets = cJSON_CreateArray();
    cJSON *row = cJSON_Duplicate(cJSON_GetArrayItem(pair->rows, side), true);
    cJSON_DeleteItemFromObjectCaseSensitive(row, "facts");
    cJSON_AddItemToArray(targets, row);
    return report_new(targets, pair->plan->registry, pair->started, finished);
}

static bool write_all(const struct outputs *outputs, const cJSON *document,
                      const struct options *options)
{
    bool ok = true;
    for (size_t i = 0; i < outputs->len; i++) {
        struct buf bytes;
        struct err err = ERR_INIT;
        struct report_style style = output_style(&outputs->items[i], options);
        buf_init(&bytes, REPORT_SIZE_MAX);
        if (strcmp(outputs->items[i].format, "text") == 0) {
            compare_text(&bytes, document, &style);
        } else {
            json_write(&bytes, document, true);
            buf_addch(&bytes, '\n');
        }
        if (!output_write(&outputs->items[i], &bytes, &err)) {
            cli_warn("%s", err.text);
            ok = false;
        }
        buf_release(&bytes);
    }
    return ok;
}

/* By what is new in B; where one of the two could not be read there is nothing to rely on. */
static int status_of(const cJSON *a, cJSON *b, const struct options *options)
{
    match_mark(b, a, NULL, NULL);
    int status = report_exit(b, (enum fail_on)options->fail_on);
    bool unread = str_equal(json_str(a, "summary.verdict"), "unknown");
    return status != STATUS_ERRORS && unread ? STATUS_FAILED : status;
}

static int tell(const struct pair *pair, const struct outputs *outputs,
                const struct options *options)
{
    int64_t finished = clock_now();
    if (pair->interrupted)
        return STATUS_INTERRUPTED;
    cJSON *differences = compare_targets(cJSON_GetArrayItem(pair->rows, 0),
                                         cJSON_GetArrayItem(pair->rows, 1));
    cJSON *a = report_of(pair, 0, finished), *b = report_of(pair, 1, finished);
    cJSON *changes = diff_document(a, b);
    cJSON *document = compare_document(a, b, changes, differences);
    int status = status_of(a, b, options);
    if (!write_all(outputs, document, options) && status != STATUS_ERRORS)
        status = STATUS_FAILED;
    cJSON_Delete(document);
    cJSON_Delete(changes);
    cJSON_Delete(differences);
    cJSON_Delete(a);
    cJSON_Delete(b);
    return status;
}

static int with_registry(const struct registry *registry, const struct outputs *outputs,
                         const struct options *options)
{
    struct plan plan;
    struct pair pair = {.plan = &plan};
    struct err err = ERR_INIT;
    int status;
    if (!session_redaction(&pair.redact, options, &err))
        return cli_usage(&err);
    if (!session_plan(&plan, registry, options, &err)) {
        redact_policy_free(pair.redact);
        return cli_usage(&err);
    }
    session_warn_policy(registry, options);
    plan.facts = facts_gather;
    facts_need(&plan.needs);
    targets_init(&pair.named[0]);
    targets_init(&pair.named[1]);
    if (name_targets(&pair, options, &err)) {
        examine(&pair, options);
        status = session_keep_names(pair.redact, tell(&pair, outputs, options));
    } else {
        status = cli_usage(&err);
    }
    cJSON_Delete(pair.rows);
    targets_release(&pair.named[0]);
    targets_release(&pair.named[1]);
    plan_release(&plan);
    redact_policy_free(pair.redact);
    return status;
}

int diff_compare_command(const struct options *options)
{
    return session_run(options, "text, json", with_registry);
}
