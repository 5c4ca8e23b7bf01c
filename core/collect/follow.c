/* Collect: the running of a plan of calls. Reads answers as they come, writes each to the bundle as
 * the program printed it, and asks what the rules make of it, several at once. Deliberately goes on
 * past every failure but three: nothing else is asked when the first call shows that what the target
 * names is not there, when the program cannot ask at all, and when it keeps hanging. */
#include "collect/follow.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/command.h"
#include "collect/follow_said.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    AT_ONCE = 4,
    CALLS_MAX = 150,
    CALL_MS = 20000,
    HANGS_MAX = 2,
    TEXT_MB = 64,
    JSON_MB = 24,
};

struct call {
    struct follow_words argv;
    char *text;
    char *name, *path; /* of the source */
    bool started, done;
};

struct following {
    struct collection *collection;
    const struct follow_plan *plan;
    int64_t until;
    struct call calls[CALLS_MAX];
    size_t len;
    struct command *running[AT_ONCE];
    size_t running_call[AT_ONCE], running_len;
    size_t left_out; /* calls beyond the maximum */
    unsigned hangs;
    char stop[1200]; /* why nothing else is asked; "" while it is */
};

static const char *const *argv_of(const struct call *call)
{
    return (const char *const *)call->argv.items;
}

static bool is_first(const struct following *following, const struct call *call)
{
    return call == following->calls;
}

/* ---- the queue ---- */

static bool has_option(const struct follow_words *words, const char *option)
{
    for (size_t i = 0; i < words->len; i++)
        if (strcmp(words->items[i], option) == 0)
            return true;
    return false;
}

static void add_options(const struct follow_plan *plan, struct follow_words *words)
{
    bool text = plan->is_text((const char *const *)words->items);
    for (size_t i = 0; i < plan->options_len; i++) {
        const struct follow_option *option = &plan->options[i];
        if (!option->value || (text && option->json_only) || has_option(words, option->name))
            continue;
        follow_words_add(words, xstrdup(option->name));
        follow_words_add(words, xstrdup(option->value));
    }
}

static bool is_known(const struct following *following, const char *text)
{
    for (size_t i = 0; i < following->len; i++)
        if (strcmp(following->calls[i].text, text) == 0)
            return true;
    return false;
}

/* Takes WORDS, which begin with the program. */
static void enqueue(struct following *following, struct follow_words words)
{
    add_options(following->plan, &words);
    char *text = command_text((const char *const *)words.items);
    bool room = following->len < CALLS_MAX, known = is_known(following, text);
    if (room && !known) {
        following->calls[following->len++] = (struct call){.argv = words, .text = text};
        return;
    }
    following->left_out += !known;
    follow_words_release(&words);
    free(text);
}

static void add_call(struct following *following, const struct follow_rule *rule,
                     const cJSON *const *nodes, size_t len, const struct call *parent)
{
    const struct follow_plan *plan = following->plan;
    struct follow_words words = {0};
    const char *const *argv = parent ? argv_of(parent) : NULL;
    follow_words_add(&words, xstrdup(plan->program));
    if (follow_fill_joined(plan, rule->call, nodes, len, argv, &words) &&
        (!parent || plan->is_worth((const char *const *)words.items, argv)))
        enqueue(following, words);
    else
        follow_words_release(&words);
}

/* Whether CALL ("kubectl get pod web") begins with one of the alternatives of FROM. */
static bool is_from(const char *from, const struct call *call)
{
    const char *text = strchr(call->text, ' ') + 1;
    while (*from) {
        size_t len = strcspn(from, "|");
        if (strncmp(text, from, len) == 0 && (text[len] == ' ' || text[len] == '\0'))
            return true;
        from += len + (from[len] == '|');
    }
    return false;
}

static void apply_rules(struct following *following, const struct call *call, const cJSON *answer)
{
    const struct follow_plan *plan = following->plan;
    for (size_t i = 0; i < plan->rules_len; i++) {
        const struct follow_rule *rule = &plan->rules[i];
        if (!rule->from || !is_from(rule->from, call))
            continue;
        size_t len;
        const cJSON **nodes = follow_select(rule, answer, &len);
        if (rule->joined && len)
            add_call(following, rule, nodes, len, call);
        for (size_t k = 0; !rule->joined && k < len; k++)
            add_call(following, rule, nodes + k, 1, call);
        free(nodes);
    }
}

/* ---- answers ---- */

/* Behind what a wrapper may have printed in front. */
static const char *json_begin(const char *text, size_t *len)
{
    const char *at = text;
    while (at && *at != '{' && *at != '[') {
        at = memchr(at, '\n', *len - (size_t)(at - text));
        at = at && at + 1 < text + *len ? at + 1 : NULL;
    }
    *len -= at ? (size_t)(at - text) : *len;
    return at;
}

static char *slurp(const char *path, size_t size)
{
    char *text = xmalloc(size + 1);
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(text, 1, size, file) : 0;
    if (file)
        fclose(file);
    memset(text + got, 0, size + 1 - got);
    return text;
}

/* False: the answer says that what the target names is not there. */
static bool take_json(struct following *following, const struct call *call, size_t size)
{
    const struct follow_plan *plan = following->plan;
    char *text = slurp(call->path, size);
    size_t len = size;
    const char *json = json_begin(text, &len);
    cJSON *answer = json ? json_parse(json, len, NULL) : NULL;
    bool there = !answer || !is_first(following, call) || !plan->is_absent ||
                 !plan->is_absent(answer);
    if (answer && there) {
        apply_rules(following, call, answer);
        if (plan->on_answer)
            plan->on_answer(plan->user, argv_of(call), answer);
    }
    cJSON_Delete(answer);
    free(text);
    return there;
}

static struct source *keep(struct following *following, const struct call *call, const char *name,
                           const char *path, uint64_t size)
{
    struct bundle *bundle = &following->collection->bundle;
    struct source *source = collection_add(following->collection, name, call->text);
    source->path = arena_strdup(bundle->sources.arena, path);
    source->size = size;
    source->complete = true;
    return source;
}

/* What a failing program said is evidence: it names the action and the resource. */
static void keep_said(struct following *following, const struct call *call, const char *said)
{
    char *name = xasprintf("%s.stderr.txt", call->name);
    char *path = collection_path(following->collection, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && collection_write(fd, said, strlen(said)))
        keep(following, call, name, path, strlen(said));
    if (fd >= 0)
        close(fd);
    free(path);
    free(name);
}

static void judge_absent(struct following *following, const struct call *call)
{
    char *why = following->plan->absent(following->plan->about);
    snprintf(following->stop, sizeof following->stop, "%s", why);
    free(why);
    collection_missing(following->collection, call->name, call->text, "%s", following->stop);
}

/* True when there is no sense in asking anything else. */
static bool is_final(const struct following *following, const struct call *call,
                     enum follow_failure failure)
{
    return failure == FOLLOW_SHUT || (is_first(following, call) && failure != FOLLOW_DENIED);
}

static void judge_failed(struct following *following, const struct call *call,
                         const struct command_result *result)
{
    struct collection *collection = following->collection;
    struct follow_said said;
    follow_said(argv_of(call), result->said, result->status, &said);
    if (said.failure == FOLLOW_NOTHING)
        return;
    if (said.failure == FOLLOW_ABSENT && is_first(following, call)) {
        judge_absent(following, call);
        return;
    }
    bool final = is_final(following, call, said.failure);
    if (final)
        snprintf(following->stop, sizeof following->stop, "%s", said.text);
    if (result->size) {
        struct source *source = keep(following, call, call->name, call->path, result->size);
        source->complete = false;
        source_problem(&collection->bundle.sources, source, "not all of it could be had: %s",
                       said.text);
    } else {
        collection_missing(collection, call->name, call->text, "%s", said.text);
    }
    if (result->said[0] && !final)
        keep_said(following, call, result->said);
}

static void judge_cut(struct following *following, const struct call *call,
                      const struct command_result *result, const char *why)
{
    struct collection *collection = following->collection;
    if (!result->size) {
        collection_missing(collection, call->name, call->text, "%s", why);
        return;
    }
    struct source *source = keep(following, call, call->name, call->path, result->size);
    source->complete = false;
    source_problem(&collection->bundle.sources, source, "%s; what came until then was kept", why);
}

static void judge(struct following *following, const struct call *call,
                  const struct command_result *result)
{
    bool text = following->plan->is_text(argv_of(call));
    switch (result->outcome) {
    case COMMAND_DONE:
        if (!text && !take_json(following, call, result->size))
            judge_absent(following, call);
        else if (result->size)
            keep(following, call, call->name, call->path, result->size);
        break;
    case COMMAND_FAILED:
        judge_failed(following, call, result);
        break;
    case COMMAND_TOO_LARGE:
        judge_cut(following, call, result, "the answer is longer than is kept");
        break;
    case COMMAND_LATE:
    case COMMAND_STOPPED:
        following->hangs++;
        judge_cut(following, call, result, "did not answer within its time and was ended");
        if (is_first(following, call) || following->hangs >= HANGS_MAX)
            snprintf(following->stop, sizeof following->stop, "'%s' did not answer before",
                     following->plan->program);
        break;
    }
    struct source *source = sources_find(&following->collection->bundle.sources, call->name);
    if (!source || !source->path)
        unlink(call->path);
}

/* ---- running ---- */

/* Names are taken before they are filled: two calls that run must not write one file. */
static void name_call(struct following *following, struct call *call)
{
    char *name = following->plan->name(argv_of(call));
    bool taken = false;
    for (size_t i = 0; i < following->len; i++) {
        const struct call *other = &following->calls[i];
        taken = taken || (other != call && str_equal(other->name, name));
    }
    size_t number = (size_t)(call - following->calls) + 1;
    const char *dot = strrchr(name, '.');
    call->name = taken && dot ? xasprintf("%.*s-%zu%s", (int)(dot - name), name, number, dot)
                              : xstrdup(name);
    call->path = collection_path(following->collection, call->name);
    free(name);
}

static void start(struct following *following, size_t index)
{
    struct call *call = &following->calls[index];
    int64_t left = (following->until - clock_monotonic()) / (CLOCK_SECOND / 1000);
    struct err err = ERR_INIT;
    bool text = following->plan->is_text(argv_of(call));
    name_call(following, call);
    call->started = true;
    const struct command_spec spec = {
        .argv = argv_of(call),
        .out_path = call->path,
        .out_max = (uint64_t)(text ? TEXT_MB : JSON_MB) << 20,
        .timeout_ms = left < CALL_MS ? left : CALL_MS,
    };
    struct command *command = NULL;
    if (left <= 0)
        err_set(&err, "not asked: the time limit was reached");
    else if (following->stop[0])
        err_set(&err, "not asked: %s", following->stop);
    else
        command = command_start(&spec, &err);
    if (!command) {
        collection_missing(following->collection, call->name, call->text, "%s", err.text);
        if (is_first(following, call))
            snprintf(following->stop, sizeof following->stop, "%s", err.text);
        return;
    }
    following->running[following->running_len] = command;
    following->running_call[following->running_len++] = index;
}

static void finish(struct following *following, size_t slot)
{
    struct command_result result;
    size_t index = following->running_call[slot];
    command_finish(following->running[slot], &result);
    following->running_len--;
    following->running[slot] = following->running[following->running_len];
    following->running_call[slot] = following->running_call[following->running_len];
    judge(following, &following->calls[index], &result);
}

static void finish_one(struct following *following)
{
    if (following->running_len)
        finish(following, command_wait(following->running, following->running_len, INT64_MAX));
}

/* False: without what the first call asks for there is nothing to ask about. */
static bool run(struct following *following)
{
    size_t next = 0;
    if (following->len)
        start(following, next++);
    finish_one(following);
    if (following->stop[0])
        return false;
    while (next < following->len || following->running_len) {
        while (next < following->len && following->running_len < AT_ONCE)
            start(following, next++);
        finish_one(following);
    }
    return true;
}

bool follow_run(struct collection *collection, const struct follow_plan *plan, int64_t until)
{
    struct following *following = xcalloc(1, sizeof *following);
    following->collection = collection;
    following->plan = plan;
    following->until = until;
    for (size_t i = 0; i < plan->rules_len; i++)
        if (!plan->rules[i].from)
            add_call(following, &plan->rules[i], NULL, 0, NULL);
    bool there = run(following);
    if (following->left_out)
        collection_missing(collection, "further", plan->program,
                           "more than %d calls were to be made; %zu were left out", CALLS_MAX,
                           following->left_out);
    for (size_t i = 0; i < following->len; i++) {
        follow_words_release(&following->calls[i].argv);
        free(following->calls[i].text);
        free(following->calls[i].name);
        free(following->calls[i].path);
    }
    free(following);
    return there;
}

/* ---- the dry run ---- */

static bool names_unknown(const struct follow_plan *plan, const char *call)
{
    for (size_t i = 0; i < plan->variables_len; i++) {
        char *place = xasprintf("{$%s", plan->variables[i].name);
        bool unknown = !plan->variables[i].value && strstr(call, place);
        free(place);
        if (unknown)
            return true;
    }
    return false;
}

/* Rules may differ in what they look at only. */
static bool stood_before(const struct follow_plan *plan, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (!plan->rules[i].from == !plan->rules[index].from &&
            strcmp(plan->rules[i].call, plan->rules[index].call) == 0)
            return true;
    return false;
}

static void print_pattern(const struct follow_plan *plan, const struct follow_rule *rule)
{
    struct follow_words words = {0};
    follow_words_add(&words, xstrdup(plan->program));
    follow_pattern(plan, rule->call, &words);
    add_options(plan, &words);
    fputs(rule->from ? "then:" : "", stdout);
    for (size_t i = 0; i < words.len; i++)
        printf("%s%s", i || rule->from ? " " : "", words.items[i]);
    putchar('\n');
    follow_words_release(&words);
}

void follow_dry_run(const struct follow_plan *plan)
{
    for (size_t i = 0; i < plan->rules_len; i++)
        if (!names_unknown(plan, plan->rules[i].call) && !stood_before(plan, i))
            print_pattern(plan, &plan->rules[i]);
}
