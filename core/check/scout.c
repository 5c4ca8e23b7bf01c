/* Stage: check. Reads plugin files in a child process and writes what is in them, or why they cannot
 * be used. Deliberately does not judge the metadata (check/metadata.c) and keeps nothing loaded. */
#include "check/scout.h"

#include "base/clock.h"
#include "base/json.h"
#include "check/describe.h"
#include "check/loader.h"
#include "check/message.h"
#include "check/process.h"
#include "script/script.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Loading takes milliseconds; a host that is out of memory or disk bandwidth makes seconds of them. */
enum { DEADLINE_S = 10, SOFT_DEADLINE_MS = 8000, TICK_MS = 50, MEMORY_MAX_MB = 512 };

/* ---- in the child ---- */

static cJSON *look_into_so(const char *path, cJSON *answer, struct err *err)
{
    struct debrief_stamp stamp;
    bool fits = loader_stamp(path, &stamp, err);
    if (stamp.name[0])
        json_put_str(answer, "name", stamp.name);
    struct loader *loader = fits ? loader_open(path, err) : NULL;
    if (!loader)
        return NULL;
    cJSON *plugin = describe_plugin(loader, err);
    if (!plugin)
        err_prefix(err, "'%s'", path);
    return plugin;
}

static cJSON *look_into_lua(const char *path, struct err *err)
{
    int64_t deadline = clock_monotonic() + SOFT_DEADLINE_MS * (CLOCK_SECOND / 1000);
    cJSON *plugin = script_describe(path, deadline, err);
    if (!plugin)
        err_prefix(err, "'%s'", path);
    return plugin;
}

static bool look_into(const struct scout_file *file, int index, int fd)
{
    struct err err = ERR_INIT;
    cJSON *begin = cJSON_CreateObject(), *answer = cJSON_CreateObject();
    json_put_num(begin, "begin", index);
    bool heard = message_send(fd, begin);
    cJSON_Delete(begin);
    json_put_num(answer, "end", index);
    cJSON *plugin = file->lua ? look_into_lua(file->path, &err)
                              : look_into_so(file->path, answer, &err);
    if (plugin)
        cJSON_AddItemToObject(answer, "plugin", plugin);
    else
        json_put_str(answer, "refused", err.text);
    heard = heard && message_send(fd, answer);
    cJSON_Delete(answer);
    return heard;
}

_Noreturn static void be_scout(const struct scout_file *files, size_t len, size_t first, int fd)
{
    process_default_faults();
    process_cap_memory((size_t)MEMORY_MAX_MB << 21);
    for (size_t i = first; i < len; i++)
        if (!look_into(&files[i], (int)i, fd))
            break;
    _exit(0);
}

/* ---- in the parent ---- */

struct watch { /* one scout at work */
    struct scout_file *files;
    size_t len, next; /* next: the first file that it has not answered for */
    bool busy;        /* it announced `next` and has not come back */
    int64_t since;
    struct arena *arena;
    struct message_reader reader;
};

static void take_message(struct watch *watch, cJSON *message)
{
    double index;
    if (json_num(message, "begin", &index) && index == (double)watch->next) {
        watch->busy = true;
        watch->since = clock_monotonic();
    } else if (json_num(message, "end", &index) && index == (double)watch->next) {
        struct scout_file *file = &watch->files[watch->next++];
        const char *refused = json_str(message, "refused"), *name = json_str(message, "name");
        file->plugin = cJSON_DetachItemFromObjectCaseSensitive(message, "plugin");
        file->refused = refused ? arena_strdup(watch->arena, refused) : NULL;
        file->name = name ? arena_strdup(watch->arena, name) : NULL;
        watch->busy = false;
    }
}

static bool take_messages(struct watch *watch)
{
    bool sound = message_reader_fill(&watch->reader);
    cJSON *message;
    while (watch->next < watch->len && (message = message_reader_next(&watch->reader))) {
        take_message(watch, message);
        cJSON_Delete(message);
    }
    return sound;
}

/* Why the scout must not go on; NULL: let it. */
static const char *objection(const struct watch *watch, pid_t pid)
{
    if (watch->busy && clock_monotonic() - watch->since > DEADLINE_S * CLOCK_SECOND)
        return "was still loading after 10 s";
    if (process_rss(pid) > (size_t)MEMORY_MAX_MB << 20)
        return "grew above 512 MB while it was loaded";
    return NULL;
}

static const char *attend(struct watch *watch, pid_t pid)
{
    struct pollfd poller = {.fd = watch->reader.fd, .events = POLLIN};
    while (watch->next < watch->len && !watch->reader.eof) {
        if (poll(&poller, 1, TICK_MS) > 0 && !take_messages(watch))
            return "says more than 16 MB about itself";
        const char *why = watch->reader.eof ? NULL : objection(watch, pid);
        if (why)
            return why;
    }
    return NULL;
}

static void refuse(struct watch *watch, const char *why)
{
    struct scout_file *file = &watch->files[watch->next++];
    file->refused = arena_printf(watch->arena, "'%s' %s", file->path, why);
}

static void refuse_all(struct watch *watch, const char *why)
{
    while (watch->next < watch->len)
        refuse(watch, why);
}

/* Runs one scout from file NEXT on; whatever happens, at least one file is answered for. */
static void send_scout(struct watch *watch)
{
    int fds[2], status = 0;
    if (!process_pipe(fds)) {
        refuse_all(watch, "was not looked into: no pipe to be had");
        return;
    }
    pid_t pid = process_fork(fds[1], 0);
    if (pid == 0)
        be_scout(watch->files, watch->len, watch->next, fds[1]);
    close(fds[1]);
    message_reader_init(&watch->reader, fds[0]);
    watch->busy = false;
    const char *why = pid < 0 ? NULL : attend(watch, pid);
    if (pid < 0)
        refuse_all(watch, "was not looked into: no process to be had");
    else if (why || watch->next == watch->len)
        process_kill(pid);
    if (pid > 0)
        process_reap(pid, true, &status);
    char text[PROCESS_REASON_MAX + 32];
    if (watch->next < watch->len && !why) {
        char reason[PROCESS_REASON_MAX];
        snprintf(text, sizeof text, "%s while it was loaded", process_reason(status, reason));
        why = text;
    }
    if (watch->next < watch->len)
        refuse(watch, why);
    message_reader_release(&watch->reader);
    close(fds[0]);
}

void scout_files(struct scout_file *files, size_t len, struct arena *arena)
{
    struct watch watch = {.files = files, .len = len, .arena = arena};
    while (watch.next < len)
        send_scout(&watch);
}
