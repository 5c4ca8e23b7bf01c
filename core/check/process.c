/* Stage: check, process side. Forks children that are fully in their parent's hand and says what
 * became of them. Deliberately knows nothing of what they do. */
#include "check/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static void close_all_but(int keep)
{
    if (keep > 3)
        close_range(3, (unsigned)keep - 1, 0);
    if (close_range(keep < 3 ? 3 : (unsigned)keep + 1, ~0u, 0) == 0)
        return;
    for (int fd = 3; fd < 1024; fd++) /* a kernel before 5.9 */
        if (fd != keep)
            close(fd);
}

static void reset_signals(void)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    sigset_t none;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        signal(ours[i], SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_up_child(pid_t parent, int fd, unsigned flags)
{
    if (!(flags & PROCESS_GROUP))
        setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    reset_signals();
    close_all_but(fd);
    int null = flags & PROCESS_STDIN ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        close(null);
    }
    dup2(STDERR_FILENO, STDOUT_FILENO);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* evidence may hold secrets */
}

pid_t process_fork(int fd, unsigned flags)
{
    pid_t parent = getpid();
    fflush(stdout);
    fflush(stderr);
    pid_t pid = fork();
    if (pid == 0)
        set_up_child(parent, fd, flags);
    else if (pid > 0 && !(flags & PROCESS_GROUP))
        setpgid(pid, pid); /* whoever comes first */
    return pid;
}

bool process_pipe(int fds[2])
{
    return pipe2(fds, O_CLOEXEC) == 0;
}

void process_kill(pid_t pid)
{
    if (pid <= 1)
        return;
    if (getpgid(pid) == pid)
        kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}

void process_kill_group(pid_t leader)
{
    if (leader > 1)
        kill(-leader, SIGKILL);
}

bool process_reap(pid_t pid, bool wait, int *status)
{
    pid_t got;
    do {
        got = waitpid(pid, status, wait ? 0 : WNOHANG);
    } while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    if (got < 0)
        *status = 0;
    process_kill_group(pid);
    return true;
}

bool process_is_child(pid_t pid, pid_t parent)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *end = strrchr(text, ')'); /* the name may hold anything */
    char state;
    int ppid;
    return end && sscanf(end + 1, " %c %d", &state, &ppid) == 2 && ppid == parent && state != 'Z';
}

static size_t statm(pid_t pid, int field)
{
    char path[64];
    unsigned long values[2] = {0, 0};
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int got = fscanf(file, "%lu %lu", &values[0], &values[1]);
    fclose(file);
    return got == 2 ? values[field] * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

size_t process_rss(pid_t pid)
{
    return statm(pid, 1);
}

void process_cap_memory(size_t more)
{
    if (SANITIZED)
        return;
    rlim_t cap = statm(getpid(), 0) + more;
    setrlimit(RLIMIT_AS, &(struct rlimit){cap, cap});
}

void process_default_faults(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        signal(faults[i], SIG_DFL);
}

const char *process_reason(int status, char out[PROCESS_REASON_MAX])
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        snprintf(out, PROCESS_REASON_MAX,
                 "was killed by SIGKILL, as the kernel does when memory is short");
    } else if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        snprintf(out, PROCESS_REASON_MAX, "crashed with SIG%s", name ? name : "?");
    } else {
        snprintf(out, PROCESS_REASON_MAX, "ended with status %d instead of returning",
                 WEXITSTATUS(status));
    }
    return out;
}
