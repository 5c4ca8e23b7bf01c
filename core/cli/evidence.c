/* Command: evidence. Collects and reads one target in a child process as `check` does, and writes what
 * checks would see: an overview, or the records of some names, as a table or as JSON. */
#include "evidence/evidence.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "check/registry.h"
#include "cli/child.h"
#include "cli/cli.h"
#include "cli/evidence_view.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/workdir.h"
#include "evidence/identity.h"
#include "evidence/resources.h"
#include "read/read.h"
#include "read/scan.h"
#include "source/bundle.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct viewing {
    const struct options *options;
    const struct target *target;
    const struct registry *registry;
    const struct redact_policy *redact;
    const char *dir;
    const char *format;
    struct report_style style;
};

/* All log patterns there are: the built-in ones and those of every check. */
static struct scan_pattern *all_patterns(const struct registry *registry, size_t *len)
{
    size_t builtin, all;
    const struct scan_pattern *rows = scan_builtin(&builtin);
    all = builtin;
    for (size_t i = 0; i < registry->checks_len; i++)
        all += registry->checks[i].events_len;
    struct scan_pattern *patterns = xcalloc(all + 1, sizeof *patterns);
    memcpy(patterns, rows, builtin * sizeof *patterns);
    *len = builtin;
    for (size_t i = 0; i < registry->checks_len; i++)
        for (size_t j = 0; j < registry->checks[i].events_len; j++) {
            const struct check_event *event = &registry->checks[i].events[j];
            patterns[(*len)++] = (struct scan_pattern){
                .event = event->evidence, .pattern = event->pattern, .caseless = event->caseless};
        }
    return patterns;
}

static void read_evidence(struct evidence *evidence, const struct registry *registry)
{
    size_t len;
    struct scan_pattern *patterns = all_patterns(registry, &len);
    for (size_t i = 0; i < len; i++)
        if (str_starts(patterns[i].event, "event."))
            evidence_declare(evidence, patterns[i].event);
    struct scan *scan = scan_new(patterns, len, evidence, NULL, NULL);
    read_all(evidence, scan);
    identity_find(evidence);
    evidence_finish(evidence);
    resources_find(evidence);
    scan_free(scan);
    free(patterns);
}

/* Names of the dictionary and of the checks' own events that GLOB fits. */
static struct evidence_names names_of(const struct registry *registry, const char *glob)
{
    struct evidence_names names = {0};
    size_t rows;
    const struct dictionary_row *const *row = dictionary_rows(&rows);
    for (size_t i = 0; i < rows; i++)
        evidence_names_add(&names, row[i]->name, glob);
    for (size_t i = 0; i < registry->checks_len; i++)
        for (size_t j = 0; j < registry->checks[i].events_len; j++)
            evidence_names_add(&names, registry->checks[i].events[j].evidence, glob);
    return names;
}

static bool send(int fd, const struct buf *bytes)
{
    for (size_t done = 0; done < bytes->len;) {
        ssize_t wrote = write(fd, bytes->data + done, bytes->len - done);
        if (wrote < 0)
            return false;
        done += (size_t)wrote;
    }
    return true;
}

static int show(struct bundle *bundle, const struct viewing *viewing, int fd)
{
    const struct options *options = viewing->options;
    const char *glob = options->operands.len > 1 ? options->operands.items[1] : NULL;
    struct evidence *evidence = evidence_new(&bundle->sources, NULL);
    int64_t when = bundle->when ? bundle->when : clock_now();
    evidence_set_window(evidence, clock_bound_at(options->since, when),
                        clock_bound_at(options->until, when));
    struct evidence_names names = names_of(viewing->registry, glob);
    const char *name = viewing->target->name;
    char *target = redact_leaving(name, strlen(name), SIZE_MAX, viewing->redact, NULL);
    struct evidence_view view = {
        .evidence = evidence,
        .names = &names,
        .target = target,
        .records = glob != NULL,
        .redact = redact_policy_secrets(viewing->redact),
        .style = &viewing->style,
    };
    struct buf out;
    buf_init(&out, REPORT_SIZE_MAX);
    read_evidence(evidence, viewing->registry);
    if (strcmp(viewing->format, "json") == 0)
        evidence_view_json(&view, &out);
    else
        evidence_view_text(&view, &out);
    int status = send(fd, &out) ? STATUS_OK : STATUS_FAILED;
    if (out.overflow)
        cli_warn("the evidence is larger than %zu MB and was cut", out.max >> 20);
    buf_release(&out);
    evidence_names_release(&names);
    evidence_free(evidence);
    free(target);
    return status;
}

/* What leaves is read from what may leave: a value alone does not tell that its name makes it a
 * secret. */
static bool open_redacted(struct bundle *bundle, const char *dir,
                          const struct redact_policy *redact, struct err *err)
{
    struct bundle raw;
    if (!bundle_open(&raw, dir, err))
        return false;
    char *path = xasprintf("%s/redacted", dir);
    bool opened = bundle_pack(&raw, path, redact, err) && bundle_open(bundle, path, err) &&
                  redact_policy_save(redact, err);
    free(path);
    bundle_release(&raw);
    return opened;
}

/* In the child. */
static int view_target(void *user, int fd)
{
    const struct viewing *viewing = user;
    struct collect_options how = session_collect_options(viewing->options);
    struct bundle bundle;
    struct err err = ERR_INIT;
    if (!collect_target(viewing->target, &how, viewing->dir, &err) ||
        !(viewing->redact ? open_redacted(&bundle, viewing->dir, viewing->redact, &err)
                          : bundle_open(&bundle, viewing->dir, &err)))
        return cli_fail(&err);
    int status = show(&bundle, viewing, fd);
    int judged = session_judge_bundle(&bundle);
    status = status == STATUS_OK ? judged : status;
    bundle_release(&bundle);
    return status;
}

static int run_view(struct viewing *viewing, const struct output *output)
{
    struct err err = ERR_INIT;
    char *dir = workdir_new(&err);
    if (!dir)
        return cli_fail(&err);
    viewing->dir = dir;
    viewing->format = output->format;
    viewing->style = output_style(output, viewing->options);
    struct child_job job = {.work = view_target, .user = viewing, .stdin_too = true};
    bool done = child_run(&job, 1, 1, 0);
    int status = done ? job.status : STATUS_INTERRUPTED;
    if (done && status < 0) {
        err_set(&err, "reading '%s' failed: %s", viewing->target->name, job.trouble);
        status = cli_fail(&err);
    } else if (done && job.out.len && !output_write(output, &job.out, &err)) {
        status = cli_fail(&err);
    }
    buf_release(&job.out);
    workdir_free(dir);
    return status;
}

static int view_one(struct viewing *viewing, const struct output *output)
{
    struct redact_policy *redact;
    struct err err = ERR_INIT;
    if (!session_redaction(&redact, viewing->options, &err))
        return cli_usage(&err);
    viewing->redact = redact;
    int status = run_view(viewing, output);
    redact_policy_free(redact);
    return status;
}

static bool is_name(const struct registry *registry, const char *glob, struct err *err)
{
    struct evidence_names names = names_of(registry, glob);
    bool known = names.len > 0;
    evidence_names_release(&names);
    return known ||
           err_set(err, "no evidence has the name '%s'; see 'debrief evidence --dictionary'", glob);
}

static int with_registry(const struct registry *registry, const struct outputs *outputs,
                         const struct options *options)
{
    struct targets targets;
    struct err err = ERR_INIT;
    const struct text_list *operands = &options->operands;
    if (operands->len > 1 && !is_name(registry, operands->items[1], &err))
        return cli_usage(&err);
    int status;
    if (!session_one_target(&targets, operands->items[0], &err)) {
        status = cli_usage(&err);
    } else {
        struct viewing viewing = {
            .options = options, .target = &targets.items[0], .registry = registry};
        status = view_one(&viewing, &outputs->items[0]);
    }
    targets_release(&targets);
    return status;
}

static int print_dictionary(void)
{
    struct buf out;
    struct err err = ERR_INIT;
    const struct output output = {NULL, NULL};
    buf_init(&out, REPORT_SIZE_MAX);
    evidence_view_dictionary(&out);
    int status = output_write(&output, &out, &err) ? STATUS_OK : cli_fail(&err);
    buf_release(&out);
    return status;
}

int evidence_command(const struct options *options)
{
    struct err err = ERR_INIT;
    if (options->dictionary)
        return print_dictionary();
    if (options->output.len > 1) {
        err_set(&err, "'evidence' writes one format at a time");
        return cli_usage(&err);
    }
    return session_run(options, "text, json", with_registry);
}
