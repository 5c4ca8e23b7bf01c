/* Stage: collect, read and check, each in a process of its own. Reads a target, then the bundle that
 * came of it; writes messages to the supervisor. Deliberately holds the only place where evidence and
 * checks meet in one process: the runner, which can be lost. */
#include "check/worker.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "check/message.h"
#include "check/process.h"
#include "check/runner.h"
#include "evidence/identity.h"
#include "evidence/resources.h"
#include "read/read.h"
#include "read/scan.h"
#include "source/bundle.h"
#include "source/identity_stage.h"
#include "source/redact_json.h"
#include "timeline/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE_CAP = 512 }; /* bytes of an unexplained line */

struct progress {           /* shared by a reader and its runners: what outlives a crash */
    volatile uint32_t next; /* the check after the one that was begun last */
    volatile uint32_t finished;
};

struct hearing {
    const struct worker *worker;
    struct bundle bundle;
    struct evidence *evidence;
    bool *refused; /* checks whose patterns cannot be used */
    struct progress *progress;
};

static bool send_text(int fd, const char *name, const char *text)
{
    cJSON *message = cJSON_CreateObject();
    json_put_str(message, name, text);
    bool heard = message_send(fd, message);
    cJSON_Delete(message);
    return heard;
}

static bool send_number(int fd, const char *name, double number)
{
    cJSON *message = cJSON_CreateObject();
    json_put_num(message, name, number);
    bool heard = message_send(fd, message);
    cJSON_Delete(message);
    return heard;
}

void worker_collect(const struct worker *worker)
{
    struct err err = ERR_INIT;
    if (!collect_target(worker->target, worker->collect, worker->dir, &err))
        send_text(worker->fd, "failed", err.text);
    _exit(0);
}

/* ---- the reader ---- */

static void send_refused(const struct worker *worker, size_t index, const char *why)
{
    cJSON *message = cJSON_CreateObject();
    json_put_num(message, "refused", (double)index);
    json_put_str(message, "why", why);
    message_send(worker->fd, message);
    cJSON_Delete(message);
}

/* The log engine cannot use the pattern of EVENT: only its check suffers. */
static void refuse_event(void *user, const char *event, const char *why)
{
    struct hearing *hearing = user;
    const struct plan *plan = hearing->worker->plan;
    for (size_t i = 0; i < plan->checks_len; i++) {
        const struct check_meta *meta = plan->checks[i].meta;
        for (size_t j = 0; j < meta->events_len; j++) {
            if (strcmp(meta->events[j].evidence, event) != 0 || hearing->refused[i])
                continue;
            char *text = xasprintf("event '%s' cannot be looked for: %s", meta->events[j].name,
                                   why);
            hearing->refused[i] = true;
            send_refused(hearing->worker, i, text);
            free(text);
        }
    }
}

static void declare(struct evidence *evidence, const struct plan *plan)
{
    for (size_t i = 0; i < plan->needs.len; i++) {
        const char *name = plan->needs.terms[i].name;
        if (str_starts(name, "event.") || str_starts(name, "file."))
            evidence_declare(evidence, name);
    }
}

/* A collector that was ended has written no index: what it had got is there nevertheless. */
static bool open_bundle(struct bundle *bundle, const char *dir, struct err *err)
{
    char *index = xasprintf("%s/" BUNDLE_INDEX, dir);
    bool finished = access(index, F_OK) == 0;
    free(index);
    if (finished)
        return bundle_open(bundle, dir, err);
    bundle_init(bundle, dir, NULL);
    return bundle_add_directory(bundle, dir, err);
}

static int64_t gathered(const struct hearing *hearing)
{
    return hearing->bundle.when ? hearing->bundle.when : clock_now();
}

static int64_t bound_at(const struct hearing *hearing, struct clock_bound bound)
{
    return clock_bound_at(bound, gathered(hearing));
}

static void read_evidence(struct hearing *hearing)
{
    const struct plan *plan = hearing->worker->plan;
    hearing->evidence = evidence_new(&hearing->bundle.sources, &plan->needs);
    evidence_set_window(hearing->evidence, bound_at(hearing, hearing->worker->since),
                        bound_at(hearing, hearing->worker->until));
    declare(hearing->evidence, plan);
    struct scan *scan = scan_new(plan->patterns, plan->patterns_len, hearing->evidence,
                                 refuse_event, hearing);
    read_all(hearing->evidence,
             scan); /* its thread ends with it: none may live when runners are forked */
    scan_free(scan);
    identity_find(hearing->evidence);
    evidence_finish(hearing->evidence);
    resources_find(hearing->evidence);
}

static void put_envoy(cJSON *target, const struct evidence *evidence)
{
    static const char *const columns[][2] = {{"version", "version"}, {"state", "state"},
                                             {"node", "node_id"},    {"mesh", "mesh"},
                                             {"mode", "mode"},       {"platform", "platform"}};
    char buf[32];
    cJSON *envoy = json_put_object(target, "envoy");
    const struct record *proxy = evidence_next(evidence, "proxy", NULL);
    for (size_t i = 0; proxy && i < ARRAY_LEN(columns); i++)
        json_put_str(envoy, columns[i][0], record_text(proxy, columns[i][1], buf));
}

static void put_bound(cJSON *window, const char *name, int64_t time)
{
    char text[CLOCK_TEXT_MAX];
    if (time)
        json_put_str(window, name, clock_text(time, text));
}

/* What time was asked for, where one was. */
static void put_window(cJSON *target, const struct hearing *hearing)
{
    if (!evidence_bounded(hearing->evidence))
        return;
    cJSON *window = json_put_object(target, "window");
    put_bound(window, "since", bound_at(hearing, hearing->worker->since));
    put_bound(window, "until", bound_at(hearing, hearing->worker->until));
}

static void put_line(cJSON *lines, const struct record *record, const struct redact_policy *redact)
{
    char place[32], value[32];
    const char *said = record_text(record, "text", value);
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(lines, row);
    char *clean = redact_leaving(said, strlen(said), LINE_CAP, redact, NULL);
    json_put_str(row, "source", record->source->name);
    json_put_str(row, "locator", record_locator(record, place));
    json_put_str(row, "text", clean);
    free(clean);
    json_put_str(row, "level", record_text(record, "level", value));
}

/* Lines that speak of trouble and that no check knows. When only some checks were asked, that tells
 * nothing. */
static void put_unexplained(cJSON *target, const struct hearing *hearing)
{
    const struct worker *worker = hearing->worker;
    const struct record *record = NULL;
    if (worker->plan->checks_len < worker->plan->registry->checks_len)
        return;
    cJSON *lines = json_put_array(target, "unexplained");
    while ((record = evidence_next(hearing->evidence, "unexplained", record)))
        put_line(lines, record, redact_policy_secrets(worker->redact));
}

static bool was_asked(const struct hearing *hearing)
{
    return str_starts(hearing->bundle.how ? hearing->bundle.how : "", "asked ");
}

/* When the proxy was asked; 0: of files that somebody saved nobody knows. */
static int64_t asked_at(const struct hearing *hearing)
{
    return was_asked(hearing) ? hearing->bundle.when : 0;
}

static void put_word(void *user, const char *word)
{
    cJSON_AddItemToArray(user, cJSON_CreateString(word));
}

/* Who is named in the evidence; the supervisor never sees it. */
static void put_named(cJSON *target, const struct hearing *hearing)
{
    struct pseudonyms *names = redact_policy_names(hearing->worker->redact);
    if (!names)
        return;
    identity_learn(names, &hearing->bundle.sources);
    pseudonyms_each(names, put_word, json_put_array(target, "named"));
}

/* What was removed before the evidence came here, and whether that was of identities, too. */
static void put_redactions(cJSON *target, const struct sources *sources)
{
    cJSON *rows = json_put_array(target, "redactions");
    size_t with_pseudonyms = 0, read = 0;
    for (size_t i = 0; i < sources->len; i++) {
        const struct source *source = &sources->items[i];
        for (const struct source_redaction *each = source->redactions; each; each = each->next) {
            cJSON *row = cJSON_CreateObject();
            json_put_str(row, "source", source->name);
            json_put_str(row, "kind", each->kind);
            json_put_num(row, "count", (double)each->count);
            cJSON_AddItemToArray(rows, row);
        }
        read += !source->missing;
        with_pseudonyms += source->pseudonyms && !source->missing;
    }
    json_put_bool(target, "pseudonyms", read > 0 && with_pseudonyms == read);
}

/* What readers say of sources, and who the proxy says it is, may quote evidence. */
static void clean_facts(cJSON *target, const struct redact_policy *redact)
{
    static const char *const ours[] = {"kind", "sha256", NULL};
    struct redact_counts counts = {0};
    redact_json(target, ours, redact_policy_secrets(redact), &counts);
}

static void send_target(const struct hearing *hearing)
{
    const struct sources *all = &hearing->bundle.sources;
    cJSON *message = cJSON_CreateObject();
    cJSON *target = json_put_object(message, "target");
    put_envoy(target, hearing->evidence);
    cJSON *sources = json_put_array(target, "sources");
    cJSON *unrecognised = json_put_array(target, "unrecognised");
    for (size_t i = 0; i < all->len; i++) {
        if (all->items[i].shared && !all->items[i].records)
            continue; /* it tells of others only, and is listed with what is nobody's own */
        if (all->items[i].unrecognised)
            cJSON_AddItemToArray(unrecognised, cJSON_CreateString(all->items[i].name));
        if (!all->items[i].unrecognised || all->items[i].problems)
            cJSON_AddItemToArray(sources, source_report(&all->items[i]));
    }
    clean_facts(target, hearing->worker->redact);
    put_window(target, hearing);
    put_named(target, hearing);
    put_redactions(target, all);
    put_unexplained(target, hearing);
    cJSON_AddItemToObject(target, "timeline",
                          timeline_gather(hearing->evidence, asked_at(hearing),
                                          redact_policy_secrets(hearing->worker->redact)));
    if (hearing->worker->plan->facts)
        cJSON_AddItemToObject(target, "facts",
                              hearing->worker->plan->facts(hearing->evidence, gathered(hearing),
                                                           hearing->worker->redact));
    message_send(hearing->worker->fd, message);
    cJSON_Delete(message);
}

/* ---- runners ---- */

static bool ask_all(const struct hearing *hearing, const struct runner *runner, size_t first)
{
    int fd = hearing->worker->fd;
    bool heard = send_number(fd, "runner", getpid());
    for (size_t i = first; heard && i < runner->plan->checks_len; i++) {
        if (hearing->refused[i] || runner->plan->checks[i].refused)
            continue;
        hearing->progress->next = (uint32_t)i + 1;
        heard = send_number(fd, "begin", (double)i);
        cJSON *end = runner_ask(runner, i);
        if (heard && !message_send(fd, end))
            send_refused(hearing->worker, i, "its answer is longer than 16 MB");
        cJSON_Delete(end);
    }
    return heard;
}

_Noreturn static void be_runner(const struct hearing *hearing, size_t first)
{
    const struct worker *worker = hearing->worker;
    struct runner runner = {
        .plan = worker->plan,
        .evidence = hearing->evidence,
        .redact = redact_policy_secrets(worker->redact),
        .gathered = gathered(hearing),
        .asked = was_asked(hearing),
        .soft_timeout_ms = worker->check_timeout_ms * 4 / 5,
    };
    process_default_faults();
    process_cap_memory(2 * worker->memory_max);
    hearing->progress->finished = ask_all(hearing, &runner, first);
    _exit(0);
}

/* Forks a runner for the checks from FIRST on and waits; returns where to go on. */
static size_t run_from(const struct hearing *hearing, size_t first)
{
    struct progress *progress = hearing->progress;
    int status = 0;
    progress->next = (uint32_t)first;
    progress->finished = 0;
    pid_t pid = process_fork(hearing->worker->fd, 0);
    if (pid == 0)
        be_runner(hearing, first);
    if (pid > 0)
        process_reap(pid, true, &status);
    if (progress->finished)
        return hearing->worker->plan->checks_len;
    send_number(hearing->worker->fd, "died", status);
    if (progress->next > first)
        return progress->next;
    send_refused(hearing->worker, first, pid < 0 ? strerror(errno) : "no process could ask it");
    return first + 1;
}

void worker_read(const struct worker *worker)
{
    struct hearing hearing = {.worker = worker};
    struct err err = ERR_INIT;
    size_t len = worker->plan->checks_len;
    hearing.refused = xcalloc(len, sizeof *hearing.refused);
    hearing.progress = mmap(NULL, sizeof *hearing.progress, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (hearing.progress == MAP_FAILED || !open_bundle(&hearing.bundle, worker->dir, &err)) {
        send_text(worker->fd, "failed", err.text[0] ? err.text : strerror(errno));
        _exit(0);
    }
    read_evidence(&hearing);
    send_target(&hearing);
    for (size_t next = 0; next < len;)
        next = run_from(&hearing, next);
    cJSON *done = cJSON_CreateObject();
    json_put_bool(done, "done", true);
    message_send(worker->fd, done);
    _exit(0);
}
