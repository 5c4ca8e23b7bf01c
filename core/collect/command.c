/* Collect: one external program. Reads its output, writes it to a file, and keeps
 * within its limits. Between this process and the program stands a warden that leads the program's process group
 * and ends it when this process is gone, even when that was killed. Deliberately knows nothing of
 * what programs print. */
#include "collect/command.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "collect/collection.h"
#include "source/ansi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 100, PIPES = 2 };

struct command {
    pid_t warden;
    int pipes[PIPES]; /* standard output and error of the program; -1: at its end */
    int lifeline;     /* when it closes, the warden ends the group */
    int file;
    uint64_t size, max;
    struct buf said;
    int64_t deadline;
    bool ended;
    struct command_result result;
};

/* ---- what one would type ---- */

static bool is_plain(const char *word)
{
    return *word &&
           word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "@%+=:,./_-")] == '\0';
}

char *command_text(const char *const *argv)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; argv[i]; i++) {
        if (i)
            buf_addch(&text, ' ');
        if (is_plain(argv[i])) {
            buf_adds(&text, argv[i]);
            continue;
        }
        buf_addch(&text, '\'');
        for (const char *at = argv[i]; *at; at++)
            buf_addf(&text, *at == '\'' ? "'\\%c'" : "%c", *at);
        buf_addch(&text, '\'');
    }
    return buf_take(&text);
}

/* ---- in the child ---- */

static void on_child(int signal)
{
    (void)signal;
}

static void reset_signals(void)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE};
    sigset_t none;
    sigemptyset(&none);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        signal(ours[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* False with what is wrong in errno. */
static bool enter(const char *net_namespace)
{
    int fd = net_namespace ? open(net_namespace, O_RDONLY | O_CLOEXEC) : -1;
    return !net_namespace || (fd >= 0 && setns(fd, CLONE_NEWNET) == 0);
}

static _Noreturn void become(const struct command_spec *spec, const int pipes[PIPES])
{
    const char *const *argv = spec->argv;
    reset_signals();
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(pipes[0], STDOUT_FILENO) < 0 ||
        dup2(pipes[1], STDERR_FILENO) < 0)
        _exit(127);
    if (!enter(spec->net_namespace)) {
        fprintf(stderr, "cannot enter '%s': %s\n", spec->net_namespace, strerror(errno));
        _exit(126);
    }
    close_range(3, ~0u, 0);
    setenv("AWS_PAGER", "", 1); /* or the second AWS client waits for somebody to press a key */
    execvp(argv[0], (char *const *)argv);
    fprintf(stderr, "cannot run '%s': %s\n", argv[0], strerror(errno));
    _exit(127);
}

static int exit_code(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static _Noreturn void guard(const struct command_spec *spec, const int pipes[PIPES], int lifeline)
{
    sigset_t child, waiting;
    int status;
    setpgid(0, 0);
    reset_signals();
    signal(SIGCHLD, on_child);
    sigemptyset(&child);
    sigemptyset(&waiting);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(spec, pipes);
    if (dup2(lifeline, 0) == 0) /* nothing else may stay open here, least of all the pipes */
        close_range(1, ~0u, 0);
    while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
        struct pollfd wait = {.fd = 0, .events = POLLIN};
        if (ppoll(&wait, 1, NULL, &waiting) > 0)
            kill(0, SIGKILL);
    }
    _exit(pid > 0 ? exit_code(status) : 127);
}

/* ---- starting ---- */

static bool is_installed(const char *program)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t len = strcspn(path, ":");
        char *file = xasprintf("%.*s/%s", (int)len, path, program);
        bool there = len && access(file, X_OK) == 0;
        free(file);
        if (there)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

static bool start(struct command *command, const struct command_spec *spec, struct err *err)
{
    int out[2], said[2], line[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(said, O_CLOEXEC) != 0 || pipe2(line, O_CLOEXEC) != 0)
        return err_set(err, "no pipe: %s", strerror(errno));
    fflush(stdout);
    fflush(stderr);
    command->warden = fork();
    if (command->warden == 0) {
        close(line[1]);
        guard(spec, (int[PIPES]){out[1], said[1]}, line[0]);
    }
    int error = errno;
    if (command->warden > 0)
        setpgid(command->warden, command->warden); /* whoever comes first */
    close(out[1]);
    close(said[1]);
    close(line[0]);
    command->pipes[0] = out[0];
    command->pipes[1] = said[0];
    command->lifeline = line[1];
    for (size_t i = 0; i < PIPES; i++)
        fcntl(command->pipes[i], F_SETFL, O_NONBLOCK);
    return command->warden > 0 || err_set(err, "no process: %s", strerror(error));
}

static void release(struct command *command)
{
    for (size_t i = 0; i < PIPES; i++)
        if (command->pipes[i] >= 0)
            close(command->pipes[i]);
    if (command->lifeline >= 0)
        close(command->lifeline);
    close(command->file);
    buf_release(&command->said);
    free(command);
}

struct command *command_start(const struct command_spec *spec, struct err *err)
{
    if (!command_allowed(spec->argv, err))
        return NULL;
    if (!is_installed(spec->argv[0])) {
        err_set(err, "'%s' is not installed here (not found on PATH)", spec->argv[0]);
        return NULL;
    }
    int file = open(spec->out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        err_set(err, "cannot keep the answer: %s", strerror(errno));
        return NULL;
    }
    struct command *command = xcalloc(1, sizeof *command);
    *command = (struct command){
        .pipes = {-1, -1},
        .lifeline = -1,
        .file = file,
        .max = spec->out_max,
        .deadline = clock_monotonic() + spec->timeout_ms * (CLOCK_SECOND / 1000),
    };
    buf_init(&command->said, COMMAND_SAID_MAX);
    if (!start(command, spec, err)) {
        release(command);
        return NULL;
    }
    return command;
}

/* ---- running ---- */

static void end(struct command *command, enum command_outcome outcome)
{
    int status = 0;
    pid_t got;
    if (command->ended)
        return;
    if (outcome != COMMAND_DONE)
        kill(-command->warden, SIGKILL);
    while ((got = waitpid(command->warden, &status, 0)) < 0 && errno == EINTR)
        ;
    kill(-command->warden, SIGKILL); /* what the program left behind */
    command->ended = true;
    command->result.status = got > 0 ? exit_code(status) : 127;
    command->result.outcome = outcome != COMMAND_DONE       ? outcome
                              : command->result.status == 0 ? COMMAND_DONE
                                                            : COMMAND_FAILED;
}

static void take_out(struct command *command, const char *bytes, size_t len)
{
    uint64_t room = command->max - command->size;
    size_t kept = len < room ? len : (size_t)room;
    command->size += kept;
    bool written = collection_write(command->file, bytes, kept);
    if (!written)
        buf_addf(&command->said, "cannot keep the answer: %s\n", strerror(errno));
    if (!written || kept < len)
        end(command, COMMAND_TOO_LARGE);
}

/* All there is at the moment. */
static void drain(struct command *command, size_t which)
{
    char bytes[1 << 14];
    ssize_t got = 0;
    while (command->pipes[which] >= 0 && !command->ended &&
           (got = read(command->pipes[which], bytes, sizeof bytes)) > 0) {
        if (which == 0)
            take_out(command, bytes, (size_t)got);
        else
            buf_add(&command->said, bytes, (size_t)got);
    }
    bool later = got < 0 && (errno == EAGAIN || errno == EINTR);
    if (got > 0 || later || command->pipes[which] < 0)
        return;
    close(command->pipes[which]);
    command->pipes[which] = -1;
}

/* Takes what came, and notices the end, whichever of its signs comes first: a program may leave
 * children behind that keep its pipes open. */
static void attend(struct command *command)
{
    siginfo_t info = {0};
    bool gone = waitid(P_PID, (id_t)command->warden, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                info.si_pid == command->warden;
    for (size_t i = 0; i < PIPES; i++)
        drain(command, i);
    if (gone)
        end(command, COMMAND_DONE);
    else if (clock_monotonic() >= command->deadline)
        end(command, COMMAND_LATE);
}

static int tick_ms(int64_t until)
{
    int64_t left = (until - clock_monotonic()) / (CLOCK_SECOND / 1000) + 1;
    return left < 0 ? 0 : left < TICK_MS ? (int)left : TICK_MS;
}

static void doze(struct command *const *commands, size_t len, int64_t until)
{
    struct pollfd *waits = xcalloc(len * PIPES + 1, sizeof *waits);
    size_t count = 0;
    bool closed = false; /* between closing its pipes and its end there is nothing to poll */
    for (size_t i = 0; i < len; i++) {
        closed = closed || (commands[i]->pipes[0] < 0 && commands[i]->pipes[1] < 0);
        for (size_t k = 0; k < PIPES; k++)
            if (commands[i]->pipes[k] >= 0)
                waits[count++] = (struct pollfd){.fd = commands[i]->pipes[k], .events = POLLIN};
    }
    int ms = tick_ms(until);
    poll(waits, count, closed && ms > 5 ? 5 : ms);
    free(waits);
}

size_t command_wait(struct command *const *commands, size_t len, int64_t until)
{
    for (;;) {
        for (size_t i = 0; i < len; i++) {
            if (!commands[i]->ended)
                attend(commands[i]);
            if (commands[i]->ended)
                return i;
        }
        if (clock_monotonic() >= until)
            return SIZE_MAX;
        doze(commands, len, until);
    }
}

void command_finish(struct command *command, struct command_result *result)
{
    struct ansi ansi = {0};
    end(command, COMMAND_STOPPED);
    *result = command->result;
    result->size = command->size;
    if (command->said.len)
        command->said.len = ansi_strip(&ansi, command->said.data, command->said.len);
    str_to_utf8(result->said, sizeof result->said, buf_str(&command->said), command->said.len);
    release(command);
}
