/* Command: collect. Gathers each target in a child process into a working bundle and packs it for keeping.
 * Writes bundles, prints where they are; deliberately runs no check and needs none. */
#include "collect/collect.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "cli/child.h"
#include "cli/cli.h"
#include "cli/session.h"
#include "cli/workdir.h"
#include "source/bundle.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKING_MS 120000

struct collecting { /* one target */
    const struct target *target;
    const struct options *options;
    const struct redact_policy *redact;
    char *dir;  /* the working bundle */
    char *path; /* where the bundle goes */
};

static bool is_archive_name(const char *path)
{
    static const char *const endings[] = {".tar.gz", ".tgz", ".tar.zst", ".zip", NULL};
    size_t len = strlen(path);
    for (size_t i = 0; endings[i]; i++) {
        size_t end = strlen(endings[i]);
        if (len > end && strcmp(path + len - end, endings[i]) == 0)
            return true;
    }
    return false;
}

/* "2026-11-21T08:00:00Z" as "20261121T080000Z". */
static void compact_time(char out[CLOCK_TEXT_MAX])
{
    char text[CLOCK_TEXT_MAX], *to = out;
    clock_text(clock_now() / CLOCK_SECOND * CLOCK_SECOND, text);
    for (const char *from = text; *from; from++)
        if (*from != '-' && *from != ':')
            *to++ = *from;
    *to = '\0';
}

/* A name for the bundle of TARGET: what must not stand in it must not stand above it. */
static char *file_name(const struct target *target, const struct redact_policy *redact)
{
    char *shown = redact_leaving(target->name, strlen(target->name), SIZE_MAX, redact, NULL);
    char *name = session_file_name(shown);
    free(shown);
    return name;
}

static char *default_path(const struct targets *targets, const struct redact_policy *redact)
{
    char time[CLOCK_TEXT_MAX];
    compact_time(time);
    if (targets->len != 1)
        return xasprintf("debrief-%s", time);
    char *name = file_name(&targets->items[0], redact);
    char *path = xasprintf("debrief-%s-%s.tar.gz", name, time);
    free(name);
    return path;
}

/* In the child. */
static int collect_one(void *user, int fd)
{
    const struct collecting *job = user;
    struct collect_options how = session_collect_options(job->options);
    struct bundle bundle;
    struct err err = ERR_INIT;
    (void)fd;
    if (!collect_target(job->target, &how, job->dir, &err) ||
        !bundle_open(&bundle, job->dir, &err)) {
        err_prefix(&err, "%s", job->target->name);
        return cli_fail(&err);
    }
    int status = session_judge_bundle(&bundle);
    if (!bundle_pack(&bundle, job->path, job->redact, &err) ||
        !redact_policy_save(job->redact, &err))
        status = cli_fail(&err);
    bundle_release(&bundle);
    return status;
}

static bool is_taken(const struct collecting *jobs, size_t len, const char *path)
{
    for (size_t i = 0; i < len; i++)
        if (strcmp(jobs[i].path, path) == 0)
            return true;
    return false;
}

static char *member_path(const struct collecting *jobs, size_t index, const char *dir)
{
    char *name = file_name(jobs[index].target, jobs[index].redact);
    char *path = xasprintf("%s/%s.tar.gz", dir, name);
    for (int number = 2; is_taken(jobs, index, path); number++) {
        free(path);
        path = xasprintf("%s/%s-%d.tar.gz", dir, name, number);
    }
    free(name);
    return path;
}

static bool make_jobs(struct collecting *jobs, const struct targets *targets, const char *path,
                      const char *work, const struct options *options,
                      const struct redact_policy *redact, struct err *err)
{
    if (targets->len != 1 && mkdir(path, 0777) != 0)
        return err_set(err, "cannot make the directory '%s': %s", path, strerror(errno));
    for (size_t i = 0; i < targets->len; i++) {
        jobs[i].target = &targets->items[i];
        jobs[i].options = options;
        jobs[i].redact = redact;
        jobs[i].path = targets->len == 1 ? xstrdup(path) : member_path(jobs, i, path);
        jobs[i].dir = xasprintf("%s/%zu", work, i);
        if (mkdir(jobs[i].dir, 0700) != 0)
            return err_set(err, "cannot make the directory '%s': %s", jobs[i].dir, strerror(errno));
    }
    return true;
}

static int run_jobs(struct collecting *jobs, size_t len, const struct options *options)
{
    const struct collect_options how = session_collect_options(options);
    int64_t limit = collect_limit_ms(&how) + PACKING_MS;
    size_t at_once = options->jobs ? (size_t)options->jobs : 8;
    struct child_job *children = xcalloc(len + 1, sizeof *children);
    int status = STATUS_OK;
    for (size_t i = 0; i < len; i++)
        children[i] = (struct child_job){.work = collect_one,
                                         .user = &jobs[i],
                                         .stdin_too = jobs[i].target->kind == TARGET_FILES};
    bool interrupted = !child_run(children, len, at_once, limit);
    for (size_t i = 0; i < len; i++) {
        if (children[i].status != STATUS_OK)
            status = STATUS_FAILED;
        if (children[i].status < 0 && !interrupted)
            cli_warn("%s: collecting %s", jobs[i].target->name, children[i].trouble);
        buf_release(&children[i].out);
    }
    free(children);
    return interrupted ? STATUS_INTERRUPTED : status;
}

static int collect_all(const struct targets *targets, const char *path,
                       const struct options *options, const struct redact_policy *redact)
{
    struct err err = ERR_INIT;
    char *work = workdir_new(&err);
    struct collecting *jobs = xcalloc(targets->len + 1, sizeof *jobs);
    int status;
    if (work && make_jobs(jobs, targets, path, work, options, redact, &err))
        status = run_jobs(jobs, targets->len, options);
    else
        status = cli_fail(&err);
    if (status != STATUS_INTERRUPTED && access(path, F_OK) == 0)
        printf("%s\n", path);
    for (size_t i = 0; i < targets->len; i++) {
        free(jobs[i].path);
        free(jobs[i].dir);
    }
    free(jobs);
    workdir_free(work);
    return status;
}

static int collect_targets(const struct targets *targets, const struct options *options,
                           const struct redact_policy *redact)
{
    struct err err = ERR_INIT;
    if (options->dry_run) {
        struct collect_options how = session_collect_options(options);
        for (size_t i = 0; i < targets->len; i++)
            collect_dry_run(&targets->items[i], &how);
        return STATUS_OK;
    }
    char *path = options->bundle ? xstrdup(options->bundle) : default_path(targets, redact);
    int status;
    if (targets->len != 1 && is_archive_name(path)) {
        err_set(&err, "%zu targets do not fit into one bundle; give a directory: --bundle DIR",
                targets->len);
        status = cli_usage(&err);
    } else if (access(path, F_OK) == 0) {
        err_set(&err, "'%s' exists already; nothing is overwritten", path);
        status = cli_fail(&err);
    } else {
        status = collect_all(targets, path, options, redact);
    }
    free(path);
    return status;
}

int collect_command(const struct options *options)
{
    struct targets targets;
    struct redact_policy *redact;
    struct err err = ERR_INIT;
    if (!session_redaction(&redact, options, &err))
        return cli_usage(&err);
    int status = session_targets(&targets, options);
    if (status == STATUS_OK) {
        status = collect_targets(&targets, options, redact);
        targets_release(&targets);
    }
    redact_policy_free(redact);
    return status;
}
