/* The command line: what commands that run checks or gather evidence begin with. Reads options, writes
 * registry, plan and targets; gathers nothing itself. */
#include "cli/session.h"
#include "base/alloc.h"
#include "base/str.h"
#include "base/suggest.h"
#include "cli/cli.h"
#include "source/hash.h"
#include "source/tell.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool session_config(struct options *options, struct err *err)
{
    struct text_list *dirs = &options->plugin_path;
    if (options->no_config && options->config_path)
        return err_set(err, "--config and --no-config exclude each other");
    if (options->no_config)
        return true;
    if (!config_load(&options->config, options->config_path, err))
        return false;
    const struct config *config = options->config;
    if (!config)
        return true;
    if (config->found_here)
        cli_warn(
            "taking the configuration '%s' from the current directory; --no-config leaves it out",
            config->path);
    if (config->plugin_path_len)
        dirs->items = xrealloc(dirs->items,
                               (dirs->len + config->plugin_path_len) * sizeof *dirs->items);
    for (size_t i = 0; i < config->plugin_path_len; i++)
        dirs->items[dirs->len++] = config->plugin_path[i];
    return true;
}

bool session_registry(struct registry *registry, const struct options *options, struct err *err)
{
    struct arena *arena = arena_new();
    size_t len;
    const char *const *dirs = registry_dirs(arena, options->plugin_path.items,
                                            options->plugin_path.len, &len);
    bool ok = registry_load(registry, dirs, len, err);
    arena_free(arena);
    for (size_t i = 0; ok && i < registry->plugins_len; i++)
        if (registry->plugins[i].refused && (options->verbose || !registry->plugins[i].redundant))
            cli_warn("not used: %s", registry->plugins[i].refused);
    return ok;
}

int session_run(const struct options *options, const char *formats, session_work *work)
{
    struct outputs outputs = {0};
    struct registry registry;
    struct err err = ERR_INIT;
    int status;
    if (formats && !outputs_init(&outputs, options, formats, &err))
        return cli_usage(&err);
    if (session_registry(&registry, options, &err)) {
        status = work(&registry, &outputs, options);
        registry_release(&registry);
    } else {
        status = cli_usage(&err);
    }
    outputs_release(&outputs);
    return status;
}

static bool is_declared(const struct registry *registry, const char *glob)
{
    for (size_t i = 0; i < registry->checks_len; i++)
        for (size_t j = 0; j < registry->checks[i].findings_len; j++)
            if (str_glob(glob, registry->checks[i].findings[j].id))
                return true;
    return false;
}

static void warn_undeclared(const struct registry *registry, const struct config *config,
                            const char *finding, size_t line)
{
    struct suggest suggest;
    if (is_declared(registry, finding))
        return;
    suggest_init(&suggest, finding);
    for (size_t i = 0; i < registry->checks_len; i++)
        for (size_t j = 0; j < registry->checks[i].findings_len; j++)
            suggest_offer(&suggest, registry->checks[i].findings[j].id);
    char *near = suggest_text(&suggest);
    cli_warn("%s:%zu: no check has a finding '%s'%s%s", config->path, line, finding,
             *near ? "; near it: " : "", near);
    free(near);
}

void session_warn_policy(const struct registry *registry, const struct options *options)
{
    const struct config *config = options->config;
    for (size_t i = 0; config && i < config->severities_len; i++)
        warn_undeclared(registry, config, config->severities[i].finding,
                        config->severities[i].line);
    for (size_t i = 0; config && i < config->waivers_len; i++)
        warn_undeclared(registry, config, config->waivers[i].finding, config->waivers[i].line);
}

bool session_plan(struct plan *plan, const struct registry *registry, const struct options *options,
                  struct err *err)
{
    const struct plan_options plan_options = {
        .select = options->select,
        .skip = options->skip,
        .params = options->param.items,
        .params_len = options->param.len,
        .config = options->config,
    };
    return plan_make(plan, registry, &plan_options, err);
}

/* Moves the targets of other shards behind the end and forgets them. */
static void keep_shard(struct targets *targets, const struct options *options)
{
    size_t kept = 0;
    for (size_t i = 0; i < targets->len; i++) {
        if ((int64_t)i % options->shard_count != options->shard_index - 1)
            continue;
        struct target other = targets->items[kept];
        targets->items[kept++] = targets->items[i];
        targets->items[i] = other;
    }
    struct targets dropped;
    targets_init(&dropped);
    dropped.len = targets->len - kept;
    dropped.items = xcalloc(dropped.len + 1, sizeof *dropped.items);
    memcpy(dropped.items, targets->items + kept, dropped.len * sizeof *dropped.items);
    targets_release(&dropped);
    targets->len = kept;
}

static bool take_named(struct targets *targets, const struct options *options, struct err *err)
{
    if (options->targets && !targets_from_list(targets, options->targets, err))
        return false;
    if (options->operands.len &&
        !targets_from_arguments(targets, options->operands.items, options->operands.len, err))
        return false;
    if (options->evidence.len &&
        !targets_add_evidence(targets, options->evidence.items, options->evidence.len, err))
        return false;
    return targets_add_live(targets, options->kube, options->aws, err) &&
           (!options->host || targets_add_host(targets, err));
}

static bool has_admin(const struct targets *targets)
{
    for (size_t i = 0; i < targets->len; i++)
        if (target_has_admin(&targets->items[i]))
            return true;
    return false;
}

static void warn_left_out(const char *target, size_t kept, size_t left_out)
{
    cli_warn("%s stands for more than is asked at once: %zu are taken, %zu are left out", target,
             kept, left_out);
}

int session_targets(struct targets *targets, const struct options *options)
{
    struct err err = ERR_INIT;
    targets_init(targets);
    if (!take_named(targets, options, &err)) {
        targets_release(targets);
        return cli_usage(&err);
    }
    bool named = options->targets || options->operands.len || options->evidence.len ||
                 options->kube || options->aws || options->host;
    if (!named && options->dry_run) {
        targets_discover_dry_run();
        return STATUS_OK;
    }
    if (!named && !targets_discover(targets, &err)) {
        targets_release(targets);
        return cli_fail(&err);
    }
    if (!named)
        cli_warn("no target named: taking %s", targets->items[0].name);
    if (!options->dry_run)
        targets_expand(targets, warn_left_out);
    if (options->shard_count)
        keep_shard(targets, options);
    if (options->sample_ms && !has_admin(targets))
        cli_warn(
            "--sample: no target has an admin address that is asked, so there is no second sample");
    return STATUS_OK;
}

/* What stands for several targets is refused, however many there are. */
static void ignore_left_out(const char *target, size_t kept, size_t left_out)
{
    (void)target, (void)kept, (void)left_out;
}

bool session_one_target(struct targets *targets, char *operand, struct err *err)
{
    targets_init(targets);
    if (!targets_from_arguments(targets, &operand, 1, err))
        return false;
    targets_expand(targets, ignore_left_out);
    return targets->len == 1 ||
           err_set(err, "'%s' holds %zu targets; name one of them, as '%s'", operand, targets->len,
                   targets->len ? targets->items[0].name : "NAME#MEMBER");
}

int session_keep_names(const struct redact_policy *redact, int status)
{
    struct err err = ERR_INIT;
    if (redact_policy_save(redact, &err))
        return status;
    int failed = cli_fail(&err);
    return status == STATUS_INTERRUPTED || status == STATUS_ERRORS ? status : failed;
}

bool session_redaction(struct redact_policy **policy, const struct options *options,
                       struct err *err)
{
    const struct config *config = options->config;
    bool configured = config && config->redact_identities && !options->no_redact &&
                      options->redact == REDACT_WHAT_UNSET;
    const struct redact_options redact = {
        .patterns = config ? config->redact_patterns : NULL,
        .patterns_len = config ? config->redact_patterns_len : 0,
        .identities = configured || options->redact == REDACT_WHAT_IDENTITIES,
        .map = options->redact_map,
    };
    *policy = NULL;
    if (options->no_redact && (redact.identities || redact.map))
        return err_set(err, "--no-redact and --redact%s exclude each other",
                       redact.identities ? "" : "-map");
    if (redact.map && !redact.identities)
        return err_set(err, "--redact-map keeps pseudonyms; give --redact identities, too");
    if (!options->no_redact)
        *policy = redact_policy_new(&redact, err);
    if (*policy)
        tell_hide(redact.patterns, redact.patterns_len);
    return options->no_redact || *policy;
}

cJSON *session_report(const char *path, int *status)
{
    struct err err = ERR_INIT;
    cJSON *report = report_load(path, &err);
    if (!report)
        *status = strcmp(path, "-") != 0 && access(path, R_OK) != 0 ? cli_usage(&err)
                                                                    : cli_fail(&err);
    return report;
}

int session_baseline(struct options *options)
{
    struct err err = ERR_INIT;
    int status = STATUS_OK;
    if (!options->baseline)
        return STATUS_OK;
    if (strcmp(options->baseline, "-") == 0) {
        err_set(&err, "--baseline takes a file, not standard input");
        return cli_usage(&err);
    }
    options->baseline_report = session_report(options->baseline, &status);
    if (options->baseline_report && !hash_file(options->baseline, options->baseline_sha256, &err))
        return cli_fail(&err);
    return status;
}

struct collect_options session_collect_options(const struct options *options)
{
    struct collect_options collect = {
        .timeout_ms = options->timeout_ms,
        .sample_ms = options->sample_ms,
        .cacert = options->cacert,
        .cert = options->cert,
        .key = options->key,
        .probe = options->probe,
    };
    return collect;
}

int session_judge_bundle(const struct bundle *bundle)
{
    size_t got = 0;
    for (size_t i = 0; i < bundle->sources.len; i++) {
        const struct source *source = &bundle->sources.items[i];
        got += !source->missing;
        for (const struct source_problem *each = source->problems; each; each = each->next)
            cli_warn("%s: %s: %s", bundle->target, source->name, each->text);
    }
    if (!got)
        cli_warn("%s: nothing at all could be read", bundle->target);
    return got ? STATUS_OK : STATUS_FAILED;
}

char *session_file_name(const char *name)
{
    char *safe = xstrdup(name);
    for (char *at = safe; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '.' && *at != '-')
            *at = '_';
    return safe;
}
