/* Stage: check, the supervisor. Reads targets and a plan, runs a job for each with bounded concurrency
 * and writes the rows of the report. Deliberately has no threads, makes no requests and opens no
 * evidence: whatever a target or a check does, this process comes to its end. */
#include "check/examine.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "check/job.h"
#include "source/tell.h"

#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_MS = 300000, /* at least: what is on disk is worth the time */
    CHECK_MS = 10000,
    MEMORY_MB = 512,
    JOBS_MAX = 8,
    TICK_MS = 50,
    PROGRESS_FIRST_S = 2,
    PROGRESS_EVERY_S = 5,
};

struct examination {
    const struct plan *plan;
    const struct examine_options *options;
    struct collect_options collect;
    struct job_limits limits;
    struct job *jobs;
    cJSON **rows;
    size_t len, started, finished, running_max;
    struct pollfd *pollers;
    char *work_dir;
    bool own_dir, progress;
    int64_t said;     /* when progress was last told */
    sigset_t waiting; /* the signals blocked while waiting */
};

/* ---- signals: blocked except while waiting, so that none is missed ---- */

static volatile sig_atomic_t interruption;

static void on_interrupt(int signal)
{
    interruption = signal;
}

static void on_child(int signal)
{
    (void)signal; /* its only use is to end the wait */
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};

struct saved_signals {
    struct sigaction actions[ARRAY_LEN(signals)];
    sigset_t mask;
};

static void catch_signals(struct saved_signals *saved, sigset_t *waiting)
{
    sigset_t ours;
    interruption = 0;
    sigemptyset(&ours);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaddset(&ours, signals[i]);
    sigprocmask(SIG_BLOCK, &ours, &saved->mask);
    *waiting = saved->mask;
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        struct sigaction action = {.sa_handler = signals[i] == SIGCHLD ? on_child : on_interrupt};
        sigaction(signals[i], &action, &saved->actions[i]);
        if (signals[i] != SIGHUP || saved->actions[i].sa_handler != SIG_IGN)
            sigdelset(waiting, signals[i]); /* nohup stays nohup */
    }
}

static void restore_signals(const struct saved_signals *saved)
{
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &saved->actions[i], NULL);
    sigprocmask(SIG_SETMASK, &saved->mask, NULL);
}

/* ---- the working directory ---- */

static int remove_entry(const char *path, const struct stat *facts, int type, struct FTW *walk)
{
    (void)facts, (void)type, (void)walk;
    remove(path);
    return 0;
}

static void remove_tree(const char *dir)
{
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_work_dir(struct examination *all)
{
    if (all->options->work_dir) {
        all->work_dir = xstrdup(all->options->work_dir);
        return;
    }
    const char *tmp = getenv("TMPDIR");
    all->work_dir = xasprintf("%s/debrief-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    all->own_dir = mkdtemp(all->work_dir) != NULL;
}

/* ---- settings ---- */

bool examine_wants(void *plan, const char *source_name)
{
    const struct plan *made = plan;
    /* Every report says which proxy it is about. */
    return strcmp(source_name, "admin/server_info.json") == 0 ||
           need_set_wants_source(&made->needs, source_name);
}

static int64_t check_timeout(const struct examine_options *options)
{
    int64_t ms;
    const char *text = getenv("DEBRIEF_CHECK_TIMEOUT");
    if (options->check_timeout_ms)
        return options->check_timeout_ms;
    return text && str_to_duration(text, &ms) && ms > 0 ? ms : CHECK_MS;
}

static void settle(struct examination *all)
{
    const struct examine_options *options = all->options;
    all->collect = options->collect;
    if (!all->collect.wanted) {
        all->collect.wanted = examine_wants;
        all->collect.user = (void *)all->plan;
    }
    int64_t collect_ms = collect_limit_ms(&options->collect);
    all->limits = (struct job_limits){
        .collect_ms = collect_ms,
        .read_ms = collect_ms > READ_MS ? collect_ms : READ_MS,
        .check_ms = check_timeout(options),
        .since = options->since,
        .until = options->until,
        .memory = options->memory_max ? options->memory_max : (size_t)MEMORY_MB << 20,
    };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t automatic = processors < 1 ? 1 : processors > JOBS_MAX ? JOBS_MAX : (size_t)processors;
    all->running_max = options->jobs > 0 ? (size_t)options->jobs : automatic;
    all->progress = !options->quiet && (options->verbose || isatty(STDERR_FILENO));
}

/* ---- the loop ---- */

static void start_jobs(struct examination *all)
{
    while (all->started < all->len && all->started - all->finished < all->running_max)
        job_start(&all->jobs[all->started++]);
}

static void close_job(struct examination *all, size_t i)
{
    struct job *job = &all->jobs[i];
    all->rows[i] = job_row(job);
    all->finished++;
    if (all->own_dir)
        remove_tree(job->dir);
}

static void attend_jobs(struct examination *all)
{
    for (size_t i = 0; i < all->started; i++) {
        if (all->rows[i])
            continue;
        job_attend(&all->jobs[i]);
        if (all->jobs[i].phase == JOB_DONE)
            close_job(all, i);
    }
}

static void wait_for_news(struct examination *all)
{
    struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    nfds_t len = 0;
    for (size_t i = 0; i < all->started; i++) {
        const struct job *job = &all->jobs[i];
        if (job->pid && !job->reader.eof)
            all->pollers[len++] = (struct pollfd){.fd = job->reader.fd, .events = POLLIN};
    }
    ppoll(all->pollers, len, &tick, &all->waiting);
}

static void tell_progress(struct examination *all)
{
    int64_t now = clock_monotonic(), since;
    if (!all->progress || now - all->said < PROGRESS_EVERY_S * CLOCK_SECOND)
        return;
    for (size_t i = 0; i < all->started; i++) {
        const struct job *job = &all->jobs[i];
        const char *activity = all->rows[i] ? NULL : job_activity(job, &since);
        if (!activity || now - since < PROGRESS_FIRST_S * CLOCK_SECOND)
            continue;
        bool several = all->len > 1;
        tell("running: %s %lld s%s%s%s", activity, (long long)((now - since) / CLOCK_SECOND),
             several ? " (" : "", several ? job->target->name : "", several ? ")" : "");
        all->said = now;
    }
}

static void stop_jobs(struct examination *all)
{
    for (size_t i = 0; i < all->started; i++) {
        bool read = all->jobs[i].about != NULL;
        if (all->rows[i])
            continue;
        job_stop(&all->jobs[i], "interrupted before it came to its end");
        if (read)
            close_job(all, i);
    }
}

static void run(struct examination *all)
{
    while (all->finished < all->len && !interruption) {
        start_jobs(all);
        attend_jobs(all);
        if (all->finished < all->started)
            wait_for_news(all);
        tell_progress(all);
    }
    stop_jobs(all);
}

static cJSON *take_rows(struct examination *all)
{
    cJSON *targets = cJSON_CreateArray();
    for (size_t i = 0; i < all->len; i++) {
        if (all->rows[i])
            cJSON_AddItemToArray(targets, all->rows[i]);
        job_release(&all->jobs[i]);
    }
    return targets;
}

cJSON *examine_targets(const struct targets *targets, const struct plan *plan,
                       const struct examine_options *options, bool *interrupted)
{
    struct examination all = {.plan = plan, .options = options, .len = targets->len};
    struct saved_signals saved;
    settle(&all);
    make_work_dir(&all);
    all.jobs = xcalloc(all.len, sizeof *all.jobs);
    all.rows = xcalloc(all.len, sizeof *all.rows);
    all.pollers = xcalloc(all.len, sizeof *all.pollers);
    for (size_t i = 0; i < all.len; i++)
        job_init(&all.jobs[i], &targets->items[i], plan, &all.collect, &all.limits, options->redact,
                 xasprintf("%s/%zu", all.work_dir, i + 1));
    catch_signals(&saved, &all.waiting);
    run(&all);
    *interrupted = interruption != 0;
    cJSON *rows = take_rows(&all);
    if (all.own_dir)
        remove_tree(all.work_dir);
    restore_signals(&saved);
    free(all.jobs);
    free(all.rows);
    free(all.pollers);
    free(all.work_dir);
    return rows;
}
