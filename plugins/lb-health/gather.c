/* Section lb-health, gathering: which checks fail, and how. Reads the access log's health checks, the
 * health of targets, and what ECS says of both; writes troubles. Checks by the kubelet belong to
 * another section. */
#define _POSIX_C_SOURCE 200809L
#include "lb-health.h"
#include <stdlib.h>
#include <string.h>

/* ---- troubles ---- */

static bool same(const struct trouble *a, const struct trouble *b)
{
    return a->symptom == b->symptom && a->code == b->code && a->port == b->port &&
           strcmp(a->host, b->host) == 0 && strcmp(a->path, b->path) == 0;
}

static struct trouble *find(struct troubles *troubles, const struct trouble *t)
{
    for (int i = 0; i < troubles->len; i++)
        if (same(&troubles->items[i], t))
            return &troubles->items[i];
    if (troubles->len == TROUBLES_MAX)
        return NULL;
    troubles->items[troubles->len] = *t;
    return &troubles->items[troubles->len++];
}

static void add(struct lb *lb, struct troubles *troubles, const struct trouble *t,
                const struct debrief_record *record)
{
    struct trouble *trouble = find(troubles, t);
    if (!trouble)
        return;
    int64_t time = debrief_time(lb->ctx, record);
    if (time && (!trouble->first || time < trouble->first))
        trouble->first = time;
    if (time > trouble->last)
        trouble->last = time;
    trouble->count++;
    if (trouble->cites_len < TROUBLE_CITES)
        trouble->cites[trouble->cites_len++] = record;
}

static void set(char *out, size_t cap, const char *value)
{
    snprintf(out, cap, "%s", value && strcmp(value, "-") != 0 ? value : "");
}

static int port_of(const char *authority)
{
    const char *colon = authority ? strrchr(authority, ':') : NULL;
    return colon && !strchr(colon, ']') ? atoi(colon + 1) : 0;
}

/* ---- the access log ---- */

static bool is_load_balancer(const char *user_agent)
{
    return user_agent && strncmp(user_agent, "kube-probe", 10) != 0;
}

static void forget(struct troubles *troubles, const struct trouble *t)
{
    for (int i = 0; i < troubles->len; i++) {
        struct trouble *item = &troubles->items[i];
        if (strcmp(item->host, t->host) != 0 || strcmp(item->path, t->path) != 0)
            continue;
        *item = troubles->items[--troubles->len];
        i--;
    }
}

/* In time order: an answer in the 200s ends what the same question met before. */
static void gather_access(struct lb *lb, struct troubles *troubles)
{
    DEBRIEF_EACH (lb->ctx, "access.health_check", record) {
        if (!is_load_balancer(debrief_text(lb->ctx, record, "user_agent")))
            continue;
        struct trouble t = {.symptom = ANSWERED};
        t.code = (int)debrief_num(lb->ctx, record, "code", 0);
        t.flags = debrief_text(lb->ctx, record, "flags");
        t.upstream = debrief_text(lb->ctx, record, "upstream");
        set(t.host, sizeof t.host, debrief_text(lb->ctx, record, "authority"));
        set(t.path, sizeof t.path, debrief_text(lb->ctx, record, "path"));
        t.port = port_of(t.host);
        troubles->checker_seen = true;
        if (t.code >= 400)
            add(lb, troubles, &t, record);
        else if (t.code >= 200)
            forget(troubles, &t);
    }
}

/* ---- what the load balancer says ---- */

/* "Health checks failed with these codes: [404]" */
static int code_in(const char *text)
{
    const char *open = text ? strchr(text, '[') : NULL;
    return open ? atoi(open + 1) : 0;
}

static void set_symptom(struct trouble *t, const char *reason, const char *description)
{
    const char *said = description ? description : "";
    t->code = code_in(description);
    if (t->code || lb_is(reason, "Target.ResponseCodeMismatch"))
        t->symptom = ANSWERED;
    else if (lb_is(reason, "Target.Timeout") || strstr(said, "timed out"))
        t->symptom = SILENT;
    else
        t->symptom = BROKEN;
}

/* Only failures of the check itself: a target that is new, leaving or unused is not sick. */
static bool is_sick(const char *state, const char *reason)
{
    if (!state || strncmp(state, "unhealthy", 9) != 0)
        return false;
    return !reason || strncmp(reason, "Target.", 7) == 0;
}

static void gather_targets(struct lb *lb, struct troubles *troubles)
{
    DEBRIEF_EACH (lb->ctx, "aws.target_health", record) {
        const char *target = debrief_text(lb->ctx, record, "target");
        const char *reason = debrief_text(lb->ctx, record, "reason");
        const char *port = debrief_text(lb->ctx, record, "port");
        troubles->checker_seen = true;
        if (!is_sick(debrief_text(lb->ctx, record, "state"), reason))
            continue;
        struct trouble t = {.symptom = BROKEN};
        set_symptom(&t, reason, debrief_text(lb->ctx, record, "description"));
        t.port = (int)debrief_num(lb->ctx, record, "check_port", port ? atoi(port) : 0);
        t.by_instance = target && strncmp(target, "i-", 2) == 0;
        snprintf(t.target, sizeof t.target, "%s%s%s", target ? target : "?", port ? ":" : "",
                 port ? port : "");
        set(t.path, sizeof t.path, lb_group(lb, "check_path"));
        set(t.arn, sizeof t.arn, lb_group(lb, "arn"));
        add(lb, troubles, &t, record);
    }
}

/* "(service web) (port 8080) is unhealthy in (target-group ARN) due to (reason ...)" */
static void gather_service_events(struct lb *lb, struct troubles *troubles)
{
    DEBRIEF_EACH (lb->ctx, "event.unhealthy", record) {
        struct trouble t = {.symptom = BROKEN};
        set_symptom(&t, NULL, debrief_text(lb->ctx, record, "why"));
        t.port = (int)debrief_num(lb->ctx, record, "port", 0);
        set(t.arn, sizeof t.arn, debrief_text(lb->ctx, record, "arn"));
        set(t.path, sizeof t.path, lb_group(lb, "check_path"));
        troubles->checker_seen = true;
        add(lb, troubles, &t, record);
    }
}

/* A sentence that was copied without its beginning: all that is known is the answer. */
static void gather_sentences(struct lb *lb, struct troubles *troubles)
{
    DEBRIEF_EACH (lb->ctx, "event.sentence", record) {
        struct trouble t = {.symptom = ANSWERED};
        t.code = (int)debrief_num(lb->ctx, record, "code", 0);
        set(t.path, sizeof t.path, lb_group(lb, "check_path"));
        troubles->checker_seen = true;
        add(lb, troubles, &t, record);
    }
}

void gather(struct lb *lb, struct troubles *troubles)
{
    gather_access(lb, troubles);
    gather_targets(lb, troubles);
    gather_service_events(lb, troubles);
    tried_gather(lb, troubles);
    if (!troubles->checker_seen)
        gather_sentences(lb, troubles);
}
