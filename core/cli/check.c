/* Command: check. The way through from targets to the report, stage by stage. Reads the command line,
 * writes the report; every stage is somebody else's. */
#include "base/clock.h"
#include "base/json.h"
#include "check/examine.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/session.h"
#include "policy/ruling.h"
#include "source/redact_json.h"

static struct examine_options examine_options_of(const struct options *options, struct plan *plan,
                                                 const struct redact_policy *redact)
{
    struct examine_options examine = {
        .collect = session_collect_options(options),
        .jobs = (int)options->jobs,
        .redact = redact,
        .since = options->since,
        .until = options->until,
        .quiet = options->quiet,
        .verbose = options->verbose,
    };
    examine.collect.wanted = examine_wants;
    examine.collect.user = plan;
    return examine;
}

static cJSON *policy_of(const struct plan *plan)
{
    cJSON *policy = ruling_policy(plan->config);
    cJSON *left_out = plan->left_out_len ? json_put_array(policy, "left_out") : NULL;
    for (size_t i = 0; i < plan->left_out_len; i++)
        cJSON_AddItemToArray(left_out, cJSON_CreateString(plan->left_out[i]));
    return policy;
}

/* A waiver may name a host, a path a person. */
static void hide_identities(cJSON *policy, const struct redact_policy *redact)
{
    static const char *const except[] = {"sha256",  "finding", "severity", "state",
                                         "expires", "fail_on", "left_out", NULL};
    struct redact_counts counts = {0};
    if (!policy || !redact_policy_names(redact))
        return;
    redact_json_learn(policy, redact);
    redact_json(policy, except, redact, &counts);
}

static int examine(const struct targets *targets, struct plan *plan, const struct outputs *outputs,
                   const struct options *options, const struct redact_policy *redact)
{
    struct examine_options how = examine_options_of(options, plan, redact);
    if (options->dry_run) {
        for (size_t i = 0; i < targets->len; i++)
            collect_dry_run(&targets->items[i], &how.collect);
        return STATUS_OK;
    }
    bool interrupted = false;
    int64_t started = clock_now();
    cJSON *rows = examine_targets(targets, plan, &how, &interrupted);
    cJSON *report = report_new(rows, plan->registry, started, clock_now());
    cJSON *policy = policy_of(plan);
    hide_identities(policy, redact);
    report_put_policy(report, policy);
    int status = output_report(outputs, report, options, interrupted);
    cJSON_Delete(report);
    return session_keep_names(redact, status);
}

static int with_plan(struct plan *plan, const struct outputs *outputs,
                     const struct options *options)
{
    struct targets targets;
    struct redact_policy *redact;
    struct err err = ERR_INIT;
    if (!session_redaction(&redact, options, &err))
        return cli_usage(&err);
    int status = session_targets(&targets, options);
    if (status == STATUS_OK) {
        status = examine(&targets, plan, outputs, options, redact);
        targets_release(&targets);
    }
    redact_policy_free(redact);
    return status;
}

static int with_registry(const struct registry *registry, const struct outputs *outputs,
                         const struct options *options)
{
    struct plan plan;
    struct err err = ERR_INIT;
    if (!session_plan(&plan, registry, options, &err))
        return cli_usage(&err);
    session_warn_policy(registry, options);
    int status = with_plan(&plan, outputs, options);
    plan_release(&plan);
    return status;
}

int check_command(const struct options *options)
{
    return session_run(options, report_writer_names(), with_registry);
}
