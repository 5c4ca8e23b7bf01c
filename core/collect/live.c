/* Collect: targets that stand for several proxies. Asks kubectl and aws which pods and tasks there
 * are, and /proc which Envoys, writes targets. Deliberately keeps what has none: a deployment without pods is a finding, and
 * why it has none is collected like everything else. */
#include "collect/live.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/command.h"
#include "collect/ecs.h"
#include "collect/follow_said.h"
#include "collect/host.h"
#include "collect/kube.h"
#include "collect/target_parse.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASK_MS = 15000, ANSWER_MB = 24 };

static cJSON *parse_file(const char *path, size_t size)
{
    char *text = xmalloc(size + 1);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, size, file) : 0;
    if (file)
        fclose(file);
    text[len] = '\0';
    const char *begin = *text == '{' ? text : strstr(text, "\n{"); /* behind a wrapper's words */
    cJSON *answer = begin ? json_parse(begin, len - (size_t)(begin - text), NULL) : NULL;
    free(text);
    return answer;
}

static cJSON *run(const struct command_spec *spec, struct follow_said *why)
{
    struct err err = ERR_INIT;
    struct command_result result;
    struct command *command = command_start(spec, &err);
    if (!command) {
        snprintf(why->text, sizeof why->text, "%s", err.text);
        return NULL;
    }
    command_wait(&command, 1, INT64_MAX);
    command_finish(command, &result);
    if (result.outcome == COMMAND_DONE) {
        cJSON *answer = parse_file(spec->out_path, result.size);
        snprintf(why->text, sizeof why->text, "%s", answer ? "" : "the answer is no JSON");
        return answer;
    }
    if (result.outcome == COMMAND_FAILED)
        follow_said(spec->argv, result.said, result.status, why);
    else
        snprintf(why->text, sizeof why->text, "'%s' did not answer in time, or at too great length",
                 spec->argv[0]);
    return NULL;
}

cJSON *live_ask(const char *const *argv, struct follow_said *why)
{
    char path[] = "/tmp/debrief-XXXXXX";
    struct follow_said unused;
    int fd = mkostemp(path, 0);
    why = why ? why : &unused;
    *why = (struct follow_said){.failure = FOLLOW_OTHER};
    if (fd < 0)
        return NULL;
    close(fd);
    const struct command_spec spec = {argv, path, (uint64_t)ANSWER_MB << 20, ASK_MS, NULL};
    cJSON *answer = run(&spec, why);
    unlink(path);
    return answer;
}

bool targets_add_live(struct targets *targets, const char *kube, const char *aws, struct err *err)
{
    struct kube_name name;
    struct ecs_name task;
    if (kube && !kube_name_parse(&name, kube, err))
        return false;
    if (kube)
        kube_name_release(&name);
    if (aws && !ecs_name_parse(&task, aws, err))
        return false;
    if (aws)
        ecs_name_release(&task);
    if (targets->len > 1 && (kube || aws))
        return err_set(err,
                       "--kube and --aws belong to one target, and there are %zu; name pods and "
                       "tasks as targets: k8s:NAMESPACE/POD, ecs:CLUSTER/TASK",
                       targets->len);
    if (targets->len == 0 && (kube || aws)) {
        const char *text = kube ? kube : aws;
        char *shown = xasprintf("%s:%s", kube ? "k8s" : "ecs", text);
        target_add(targets, kube ? TARGET_KUBE : TARGET_ECS, shown, text);
        free(shown);
        *(kube ? &kube : &aws) = NULL;
    }
    if (kube)
        targets->items[0].kube = xstrdup(kube);
    if (aws)
        targets->items[0].aws = xstrdup(aws);
    return true;
}

bool targets_add_host(struct targets *targets, struct err *err)
{
    if (targets->len > 1)
        return err_set(err, "--host belongs to one target, and there are %zu", targets->len);
    if (targets->len == 0)
        target_add(targets, TARGET_HOST, "host", "");
    else
        targets->items[0].host = true;
    return true;
}

/* The prefix of names of KIND. */
static const char *prefix_of(enum target_kind kind)
{
    return kind == TARGET_KUBE ? "k8s:" : kind == TARGET_ECS ? "ecs:" : "host#";
}

/* What MEMBERS name takes the place of the target at INDEX, with what else was given to it. */
static void replace(struct targets *targets, size_t index, const struct follow_words *members)
{
    struct target *old = &targets->items[index];
    enum target_kind kind = old->kind;
    for (size_t i = 0; i < members->len; i++) {
        char *shown = xasprintf("%s%s", prefix_of(kind), members->items[i]);
        struct target *target = target_add(targets, kind, shown, members->items[i]);
        old = &targets->items[index]; /* adding may have moved it */
        for (size_t k = 0; k < old->evidence_len; k++)
            target_add_evidence(target, old->evidence[k]);
        target->kube = old->kube ? xstrdup(old->kube) : NULL;
        target->aws = old->aws ? xstrdup(old->aws) : NULL;
        target->host = old->host;
        free(shown);
    }
    target_remove(targets, index);
}

/* One Envoy is "host" itself; of several each is a target. */
static void host_members(const struct target *target, struct follow_words *members)
{
    pid_t pids[HOST_ENVOYS_MAX];
    size_t len = *target->address ? 0 : host_envoys(pids);
    for (size_t i = 0; len > 1 && i < len; i++)
        follow_words_add(members, xasprintf("%ld", (long)pids[i]));
}

void targets_expand(struct targets *targets, targets_left_out_fn *left_out)
{
    size_t len = targets->len;
    for (size_t i = 0; i < len;) {
        struct follow_words members = {0};
        const struct target *target = &targets->items[i];
        if (target->kind == TARGET_KUBE)
            kube_pods(target->address, &members, NULL);
        else if (target->kind == TARGET_ECS)
            ecs_tasks(target->address, &members);
        else if (target->kind == TARGET_HOST)
            host_members(target, &members);
        if (members.left_out)
            left_out(target->name, members.len, members.left_out);
        if (members.len) {
            replace(targets, i, &members);
            len--;
        } else {
            i++;
        }
        follow_words_release(&members);
    }
}
