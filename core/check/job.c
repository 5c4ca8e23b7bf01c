/* Stage: check, in the supervisor. Starts the collector and the reader of one target, reads what they
 * and the runners say, kills what hangs or grows, and books the records. Deliberately parses nothing
 * but their short messages: evidence never enters this process. */
#include "check/job.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "check/process.h"
#include "check/runner.h"
#include "check/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COLLECT_GRACE_S = 2 };

void job_init(struct job *job, const struct target *target, const struct plan *plan,
              const struct collect_options *collect, const struct job_limits *limits,
              const struct redact_policy *redact, char *dir)
{
    *job = (struct job){
        .target = target,
        .plan = plan,
        .collect = collect,
        .limits = limits,
        .redact = redact,
        .dir = dir,
        .current = -1,
        .checks = xcalloc(plan->checks_len, sizeof *job->checks),
    };
}

static void kill_all(const struct job *job)
{
    if (job->runner && process_is_child(job->runner, job->pid))
        process_kill(job->runner);
    process_kill(job->pid);
}

static void reap(struct job *job)
{
    int status;
    kill_all(job);
    process_reap(job->pid, true, &status);
    job->pid = 0;
    close(job->reader.fd);
    message_reader_release(&job->reader);
}

void job_release(struct job *job)
{
    if (job->pid)
        reap(job);
    for (size_t i = 0; i < job->plan->checks_len; i++) {
        cJSON_Delete(job->checks[i].record);
        cJSON_Delete(job->checks[i].findings);
        cJSON_Delete(job->checks[i].asks);
        cJSON_Delete(job->checks[i].walks);
        cJSON_Delete(job->checks[i].missing);
    }
    free(job->checks);
    cJSON_Delete(job->about);
    free(job->trouble);
    free(job->runner_reason);
    free(job->dir);
}

/* ---- booking ---- */

/* Exactly one record per check: the first one stands. */
static void book_error(struct job *job, size_t i, const char *reason, double elapsed_ms)
{
    if (i < job->plan->checks_len && !job->checks[i].record)
        job->checks[i].record = runner_record(job->plan->checks[i].meta->id, "error", reason,
                                              elapsed_ms);
}

static void book_rest(struct job *job, const char *reason)
{
    for (size_t i = 0; i < job->plan->checks_len; i++)
        book_error(job, i, reason, 0);
}

static void book_refused(struct job *job)
{
    for (size_t i = 0; i < job->plan->checks_len; i++)
        if (job->plan->checks[i].refused)
            book_error(job, i, job->plan->checks[i].refused, 0);
}

static cJSON *detach(cJSON *message, const char *name)
{
    return cJSON_DetachItemFromObjectCaseSensitive(message, name);
}

static void book_end(struct job *job, size_t i, cJSON *message)
{
    struct job_check *check = &job->checks[i];
    const char *id = json_str(message, "record.id");
    if (check->record)
        return;
    if (!id || strcmp(id, job->plan->checks[i].meta->id) != 0) {
        book_error(job, i, "what it answered cannot be understood", 0);
        return;
    }
    check->record = detach(message, "record");
    check->findings = detach(message, "findings");
    check->asks = detach(message, "asks");
    check->walks = detach(message, "walks");
    check->missing = detach(message, "missing");
}

/* ---- messages ---- */

static void forget_runner(struct job *job)
{
    job->runner = 0;
    job->current = -1;
    free(job->runner_reason);
    job->runner_reason = NULL;
}

static void take_death(struct job *job, int status)
{
    char text[PROCESS_REASON_MAX];
    const char *reason = job->runner_reason;
    if (job->current >= 0)
        book_error(job, (size_t)job->current, reason ? reason : process_reason(status, text),
                   runner_elapsed_ms(job->current_since));
    forget_runner(job);
}

static void set_trouble(struct job *job, const char *what, const char *why)
{
    char *text = job->trouble ? xasprintf("%s; %s %s", job->trouble, what, why)
                              : xasprintf("%s %s", what, why);
    free(job->trouble);
    job->trouble = text;
}

static void take_message(struct job *job, cJSON *message)
{
    double number;
    const char *text;
    bool known = json_num(message, "begin", &number) || json_num(message, "end", &number) ||
                 json_num(message, "refused", &number);
    if (known && (number < 0 || number >= (double)job->plan->checks_len))
        return;
    if (cJSON_HasObjectItem(message, "begin")) {
        job->current = (int)number;
        job->current_since = clock_monotonic();
    } else if (cJSON_HasObjectItem(message, "end")) {
        book_end(job, (size_t)number, message);
        job->current = -1;
    } else if (cJSON_HasObjectItem(message, "refused")) {
        text = json_str(message, "why");
        book_error(job, (size_t)number, text ? text : "refused", 0);
        job->current = -1;
    } else if (json_num(message, "runner", &number)) {
        forget_runner(job);
        job->runner = (pid_t)number;
    } else if (json_num(message, "died", &number)) {
        take_death(job, (int)number);
    } else if (cJSON_HasObjectItem(message, "target") && !job->about) {
        job->about = detach(message, "target");
    } else if ((text = json_str(message, "failed"))) {
        set_trouble(job,
                    job->phase == JOB_COLLECTING ? "collecting failed:" : "reading failed:", text);
    } else if (json_bool(message, "done")) {
        job->done = true;
    }
}

/* False: a line is too long. */
static bool take_messages(struct job *job)
{
    bool sound = message_reader_fill(&job->reader);
    cJSON *message;
    while ((message = message_reader_next(&job->reader))) {
        take_message(job, message);
        cJSON_Delete(message);
    }
    return sound;
}

/* ---- phases ---- */

static void finish(struct job *job, const char *reason)
{
    book_rest(job, reason);
    job->phase = JOB_DONE;
}

/* Standard input is the collector's when the target names it. */
static unsigned collector_flags(const struct target *target, bool *interactive)
{
    *interactive = false;
    for (size_t i = 0; i < target->evidence_len; i++) {
        if (strcmp(target->evidence[i], "-") != 0)
            continue;
        *interactive = isatty(STDIN_FILENO);
        return *interactive ? PROCESS_STDIN | PROCESS_GROUP : PROCESS_STDIN;
    }
    return 0;
}

static void start_phase(struct job *job, enum job_phase phase, int64_t limit_ms, unsigned flags)
{
    int fds[2];
    if (!process_pipe(fds)) {
        set_trouble(job, "no pipe:", strerror(errno));
        finish(job, job->trouble);
        return;
    }
    struct worker worker = {
        .fd = fds[1],
        .dir = job->dir,
        .target = job->target,
        .plan = job->plan,
        .collect = job->collect,
        .redact = job->redact,
        .since = job->limits->since,
        .until = job->limits->until,
        .memory_max = job->limits->memory,
        .check_timeout_ms = job->limits->check_ms,
    };
    job->phase = phase;
    pid_t pid = process_fork(fds[1], flags);
    if (pid == 0 && phase == JOB_COLLECTING)
        worker_collect(&worker);
    if (pid == 0)
        worker_read(&worker);
    close(fds[1]);
    if (pid < 0) {
        set_trouble(job, "no process:", strerror(errno));
        close(fds[0]);
        finish(job, job->trouble);
        return;
    }
    job->pid = pid;
    message_reader_init(&job->reader, fds[0]);
    job->end_reason = NULL;
    job->since = clock_monotonic();
    job->deadline = limit_ms ? job->since + limit_ms * (CLOCK_SECOND / 1000) : 0;
}

void job_start(struct job *job)
{
    bool interactive;
    unsigned flags = collector_flags(job->target, &interactive);
    book_refused(job);
    if (mkdir(job->dir, 0700) != 0) {
        char *why = xasprintf("'%s': %s", job->dir, strerror(errno));
        set_trouble(job, "no working directory", why);
        free(why);
        finish(job, job->trouble);
        return;
    }
    /* The collector keeps the time itself; this is for the case that it cannot. A person who types
     * has all the time there is. */
    int64_t limit = interactive ? 0 : job->limits->collect_ms + COLLECT_GRACE_S * 1000;
    start_phase(job, JOB_COLLECTING, limit, flags);
}

/* The child is gone: what now? */
static void move_on(struct job *job, int status)
{
    char text[PROCESS_REASON_MAX];
    const char *why = job->end_reason ? job->end_reason : process_reason(status, text);
    take_messages(job);
    close(job->reader.fd);
    message_reader_release(&job->reader);
    job->pid = 0;
    process_kill_group(job->runner); /* the runner dies with its reader, its children do not */
    forget_runner(job);
    bool reading = job->phase == JOB_READING;
    if (job->end_reason || status)
        set_trouble(job, reading ? "reading" : "collecting", why);
    if (!reading)
        start_phase(job, JOB_READING, job->limits->read_ms, 0);
    else
        finish(job, job->done || !job->trouble ? "it was passed over" : job->trouble);
}

/* ---- watching ---- */

static const char *span(int64_t ms, char out[CLOCK_TEXT_MAX])
{
    return clock_span(ms * (CLOCK_SECOND / 1000), out);
}

static char *objection_to_runner(const struct job *job, int64_t now)
{
    char text[CLOCK_TEXT_MAX];
    int64_t limit = job->limits->check_ms * (CLOCK_SECOND / 1000);
    if (now - job->current_since > limit)
        return xasprintf("still running after %s", span(job->limits->check_ms, text));
    if (process_rss(job->runner) > job->limits->memory)
        return xasprintf("grew above %zu MB", job->limits->memory >> 20);
    return NULL;
}

static void watch_runner(struct job *job, int64_t now)
{
    int current = job->current;
    if (current < 0 || !job->runner || job->runner_reason)
        return;
    char *reason = objection_to_runner(job, now);
    if (!reason)
        return;
    take_messages(job); /* it may have come through in this very moment */
    if (job->current == current && !job->runner_reason && process_is_child(job->runner, job->pid)) {
        job->runner_reason = reason;
        process_kill(job->runner);
        return;
    }
    free(reason);
}

static const char *objection_to_child(const struct job *job, int64_t now)
{
    if (job->deadline && now > job->deadline && !job->about)
        return "took too long and was ended";
    if (process_rss(job->pid) > job->limits->memory)
        return "grew above its memory cap and was ended";
    return NULL;
}

static void watch_child(struct job *job, int64_t now)
{
    const char *reason = objection_to_child(job, now);
    if (!reason || job->end_reason)
        return;
    job->end_reason = reason;
    kill_all(job);
}

void job_attend(struct job *job)
{
    int status;
    if (!job->pid)
        return;
    if (!take_messages(job) && !job->end_reason) {
        job->end_reason = "was ended: it answered with more than 16 MB";
        kill_all(job);
    }
    if (process_reap(job->pid, false, &status)) {
        move_on(job, status);
        return;
    }
    int64_t now = clock_monotonic();
    watch_runner(job, now);
    watch_child(job, now);
}

void job_stop(struct job *job, const char *reason)
{
    if (job->pid) {
        take_messages(job);
        reap(job);
        forget_runner(job);
    }
    finish(job, reason);
}

const char *job_activity(const struct job *job, int64_t *since)
{
    *since = job->since;
    if (job->phase == JOB_COLLECTING)
        return "collecting";
    if (job->phase != JOB_READING)
        return NULL;
    if (job->current < 0)
        return job->about ? NULL : "reading";
    *since = job->current_since;
    return job->plan->checks[job->current].meta->id;
}
