/* Child processes of commands that gather or read outside of `check`. Starts them, collects what they
 * write, ends them by time limit or signal. Knows nothing of what they do. */
#include "cli/child.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "check/process.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUT_MAX (256u << 20)

static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
    signalled = number;
}

/* INT and TERM are let in only while waiting, so that none is lost between looking and waiting. */
static void guard_signals(sigset_t *waiting)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, waiting);
    sigdelset(waiting, SIGINT);
    sigdelset(waiting, SIGTERM);
}

static void start(struct child_job *job, int64_t limit_ms)
{
    int fds[2];
    buf_init(&job->out, OUT_MAX);
    job->status = -1;
    job->fd = -1;
    job->deadline = limit_ms ? clock_monotonic() + limit_ms * (CLOCK_SECOND / 1000) : INT64_MAX;
    if (!process_pipe(fds)) {
        snprintf(job->trouble, sizeof job->trouble, "cannot make a pipe: %s", strerror(errno));
        return;
    }
    job->pid = process_fork(fds[1], job->stdin_too ? PROCESS_STDIN | PROCESS_GROUP : 0);
    if (job->pid == 0)
        _exit(job->work(job->user, fds[1]));
    close(fds[1]);
    if (job->pid < 0) {
        snprintf(job->trouble, sizeof job->trouble, "cannot fork: %s", strerror(errno));
        close(fds[0]);
        return;
    }
    job->fd = fds[0];
}

static void finish(struct child_job *job, const char *killed_for)
{
    int status = 0;
    char reason[PROCESS_REASON_MAX];
    if (killed_for)
        process_kill(job->pid);
    close(job->fd);
    job->fd = -1;
    process_reap(job->pid, true, &status);
    if (killed_for)
        snprintf(job->trouble, sizeof job->trouble, "%s", killed_for);
    else if (WIFEXITED(status))
        job->status = WEXITSTATUS(status);
    else
        snprintf(job->trouble, sizeof job->trouble, "%s", process_reason(status, reason));
}

static void take_output(struct child_job *job)
{
    char portion[65536];
    ssize_t got = read(job->fd, portion, sizeof portion);
    if (got > 0)
        buf_add(&job->out, portion, (size_t)got);
    else if (got == 0 || errno != EINTR)
        finish(job, NULL);
}

static int64_t next_deadline(const struct child_job *jobs, size_t len)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < len; i++)
        if (jobs[i].fd >= 0 && jobs[i].deadline < next)
            next = jobs[i].deadline;
    return next;
}

static void wait_for_output(struct child_job *jobs, struct pollfd *polls, size_t len,
                            const sigset_t *mask)
{
    int64_t until = next_deadline(jobs, len), left = until - clock_monotonic();
    left = left < 0 ? 0 : left;
    struct timespec limit = {left / CLOCK_SECOND, left % CLOCK_SECOND};
    for (size_t i = 0; i < len; i++)
        polls[i] = (struct pollfd){.fd = jobs[i].fd, .events = POLLIN};
    if (ppoll(polls, len, until == INT64_MAX ? NULL : &limit, mask) < 0)
        return; /* a signal; the caller looks */
    for (size_t i = 0; i < len; i++)
        if (jobs[i].fd >= 0 && polls[i].revents)
            take_output(&jobs[i]);
        else if (jobs[i].fd >= 0 && jobs[i].deadline <= clock_monotonic())
            finish(&jobs[i], "did not end in time");
}

static size_t count_running(const struct child_job *jobs, size_t len)
{
    size_t running = 0;
    for (size_t i = 0; i < len; i++)
        running += jobs[i].fd >= 0;
    return running;
}

bool child_run(struct child_job *jobs, size_t len, size_t at_once, int64_t limit_ms)
{
    sigset_t mask;
    size_t started = 0;
    struct pollfd *polls = xcalloc(len + 1, sizeof *polls);
    guard_signals(&mask);
    do {
        while (started < len && count_running(jobs, started) < at_once && !signalled)
            start(&jobs[started++], limit_ms);
        if (count_running(jobs, started))
            wait_for_output(jobs, polls, started, &mask);
    } while (!signalled && (started < len || count_running(jobs, started)));
    for (size_t i = 0; i < started; i++)
        if (jobs[i].fd >= 0)
            finish(&jobs[i], "interrupted");
    for (size_t i = started; i < len; i++) {
        jobs[i].status = -1;
        buf_init(&jobs[i].out, OUT_MAX);
    }
    free(polls);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return !signalled;
}
