/* Section probes: gathers the facts. Reads server_info, /ready, statistics and the phases in the log;
 * writes struct facts. Deliberately judges nothing, but for one thing: without a page that says the
 * state, the log's last phase stands for it once the log has gone on for long enough. */
#define _POSIX_C_SOURCE 200809L
#include "facts.h"
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ll

static const char *const gauge_names[GAUGES] = {
    [CDS_ATTEMPT] = "cluster_manager.cds.update_attempt",
    [CDS_OK] = "cluster_manager.cds.update_success",
    [CDS_REJECTED] = "cluster_manager.cds.update_rejected",
    [CDS_TIMED_OUT] = "cluster_manager.cds.init_fetch_timeout",
    [LDS_ATTEMPT] = "listener_manager.lds.update_attempt",
    [LDS_OK] = "listener_manager.lds.update_success",
    [LDS_REJECTED] = "listener_manager.lds.update_rejected",
    [LDS_TIMED_OUT] = "listener_manager.lds.init_fetch_timeout",
    [WARMING_CLUSTERS] = "cluster_manager.warming_clusters",
    [LISTENERS_STOPPED] = "listener_manager.listener_stopped",
    [LISTENERS_ACTIVE] = "listener_manager.total_listeners_active",
    [SERVER_STATE] = "server.state",
    [SERVER_UPTIME] = "server.uptime",
};

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* ---- statistics ---- */

/* The subscription that a statistic belongs to: kind, and where its name stands. */
static bool split_name(const char *stat, const char *leaf, enum wait_kind *kind, const char **name,
                       size_t *len)
{
    if (!ends_with(stat, leaf))
        return false;
    const char *end = stat + strlen(stat) - strlen(leaf), *routes = strstr(stat, ".rds.");
    if (strncmp(stat, "cluster.", 8) == 0) {
        *kind = WAIT_CLUSTER;
        *name = stat + 8;
    } else if (strncmp(stat, "sds.", 4) == 0) {
        *kind = WAIT_SECRET;
        *name = stat + 4;
    } else if (strncmp(stat, "http.", 5) == 0 && routes) {
        *kind = WAIT_ROUTES;
        *name = routes + 5;
    } else {
        return false;
    }
    *len = end > *name ? (size_t)(end - *name) : 0;
    return *len > 0;
}

static struct wait *find_wait(struct facts *facts, enum wait_kind kind, const char *name,
                              size_t len)
{
    for (size_t i = facts->waits_len; i-- > 0;) {
        struct wait *wait = &facts->waits[i];
        if (wait->kind == kind && strncmp(wait->name, name, len) == 0 && !wait->name[len])
            return wait;
    }
    return NULL;
}

static void add_wait(struct facts *facts, const struct debrief_record *record, const char *stat)
{
    enum wait_kind kind;
    const char *name;
    size_t len;
    if (facts->waits_len == WAITS_MAX || !split_name(stat, ".update_success", &kind, &name, &len))
        return;
    char *copy = strndup(name, len);
    if (!copy)
        return;
    facts->waits[facts->waits_len++] = (struct wait){
        .kind = kind, .name = copy, .warming = -1, .record = record};
}

static void fill_wait(struct facts *facts, const char *stat, double value)
{
    static const struct {
        const char *leaf;
        size_t field;
    } leaves[] = {
        {".update_attempt", offsetof(struct wait, attempts)},
        {".warming_state", offsetof(struct wait, warming)},
        {".health_check.attempt", offsetof(struct wait, checks)},
        {".health_check.success", offsetof(struct wait, checks_ok)},
        {".health_check.failure", offsetof(struct wait, checks_failed)},
    };
    enum wait_kind kind;
    const char *name;
    size_t len;
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        if (!split_name(stat, leaves[i].leaf, &kind, &name, &len))
            continue;
        struct wait *wait = find_wait(facts, kind, name, len);
        if (wait)
            *(double *)((char *)wait + leaves[i].field) = value;
        return;
    }
}

static void read_gauge(struct facts *facts, const struct debrief_record *record, const char *name,
                       double value)
{
    for (int i = 0; i < GAUGES; i++)
        if (strcmp(name, gauge_names[i]) == 0)
            facts->gauges[i] = (struct gauge){value, record};
}

static void read_stats(struct debrief_ctx *ctx, struct facts *facts)
{
    DEBRIEF_EACH (ctx, "stats", r) {
        const char *name = debrief_text(ctx, r, "name");
        double value = debrief_num(ctx, r, "value", -1);
        if (!name || value < 0)
            continue;
        read_gauge(facts, r, name, value);
        if (value == 0)
            add_wait(facts, r, name);
    }
    if (!facts->waits_len)
        return;
    DEBRIEF_EACH (ctx, "stats", r) {
        const char *name = debrief_text(ctx, r, "name");
        if (name)
            fill_wait(facts, name, debrief_num(ctx, r, "value", 0));
    }
}

/* ---- the state ---- */

static enum state state_of(const char *text)
{
    static const struct {
        const char *name;
        enum state state;
    } states[] = {{"LIVE", STATE_LIVE},
                  {"DRAINING", STATE_DRAINING},
                  {"PRE_INITIALIZING", STATE_PRE_INITIALIZING},
                  {"INITIALIZING", STATE_INITIALIZING}};
    for (size_t i = 0; text && i < sizeof states / sizeof *states; i++)
        if (strcmp(text, states[i].name) == 0)
            return states[i].state;
    return STATE_NONE;
}

static void take_state(struct debrief_ctx *ctx, struct facts *facts, const char *evidence)
{
    const struct debrief_record *record = debrief_next(ctx, evidence, NULL);
    enum state state = record ? state_of(debrief_text(ctx, record, "state")) : STATE_NONE;
    if (facts->state != STATE_NONE || state == STATE_NONE)
        return;
    facts->state = state;
    facts->state_record = record;
}

/* server.state lags behind by a flush interval: worth nothing in the first seconds. */
static void take_gauge_state(struct facts *facts)
{
    static const enum state states[] = {STATE_LIVE, STATE_DRAINING, STATE_PRE_INITIALIZING,
                                        STATE_INITIALIZING};
    double value = facts_value(facts, SERVER_STATE);
    if (facts->state != STATE_NONE || !facts_known(facts, SERVER_STATE) || value > 3)
        return;
    if (facts_known(facts, SERVER_UPTIME) && facts_value(facts, SERVER_UPTIME) < 5)
        return;
    facts->state = states[(int)value];
    facts->state_record = facts->gauges[SERVER_STATE].record;
}

static int64_t days_from_civil(int year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t facts_time(const char *text)
{
    int year, month, day, hour, minute, second;
    if (!text ||
        sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) !=
            6 ||
        year < 1970 || month < 1 || month > 12)
        return 0;
    return (days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) *
           SECOND;
}

static int64_t last_time(struct debrief_ctx *ctx, const char *evidence)
{
    int64_t last = 0;
    DEBRIEF_EACH (ctx, evidence, r) {
        if (debrief_time(ctx, r) > last)
            last = debrief_time(ctx, r);
    }
    return last;
}

/* Envoy's own word, or that of the agent that was told in its place. */
static bool is_told_to_stop(const char *step)
{
    return step && (strstr(step, "SIG") || strstr(step, "Agent drain") || strstr(step, "Graceful"));
}

/* "initializing epoch" begins a life; the later steps of log.start belong to it. */
static int64_t last_life(struct debrief_ctx *ctx)
{
    int64_t last = 0;
    DEBRIEF_EACH (ctx, "log.start", r) {
        const char *step = debrief_text(ctx, r, "step");
        if (step && strstr(step, "epoch") && debrief_time(ctx, r) > last)
            last = debrief_time(ctx, r);
    }
    return last;
}

static void read_log(struct debrief_ctx *ctx, struct facts *facts)
{
    int64_t life = last_life(ctx);
    DEBRIEF_EACH (ctx, "log", r) {
        int64_t end = facts_time(debrief_text(ctx, r, "last"));
        if (end > facts->log_end)
            facts->log_end = end;
    }
    DEBRIEF_EACH (ctx, "log.cm_init", r) {
        if (debrief_time(ctx, r) >= life)
            facts->phase = r;
    }
    DEBRIEF_EACH (ctx, "log.stop", r) {
        const char *step = debrief_text(ctx, r, "step");
        if (is_told_to_stop(step) && debrief_time(ctx, r) >= life)
            facts->terminating = r;
    }
    bool started = debrief_next(ctx, "log.workers_started", NULL) != NULL;
    if (started && facts->phase &&
        last_time(ctx, "log.workers_started") >= debrief_time(ctx, facts->phase))
        facts->phase = NULL;
}

/* Without a page that says the state: a phase that the log has not left for a while. */
static void take_log_state(struct debrief_ctx *ctx, struct facts *facts)
{
    if (facts->state != STATE_NONE)
        return;
    const struct debrief_record *started = debrief_next(ctx, "log.workers_started", NULL);
    const char *phase = facts->phase ? debrief_text(ctx, facts->phase, "phase") : NULL;
    if (!phase && started && last_time(ctx, "log.workers_started") >= last_life(ctx)) {
        facts->state = STATE_LIVE;
        facts->state_record = started;
        facts->from_log = true;
        return;
    }
    int64_t since = facts->phase ? debrief_time(ctx, facts->phase) : 0;
    if (!phase || !since || facts->log_end - since < 15 * SECOND)
        return;
    bool clusters_done = strstr(phase, "all clusters initialized") != NULL;
    facts->state = clusters_done ? STATE_INITIALIZING : STATE_PRE_INITIALIZING;
    facts->state_record = facts->phase;
    facts->from_log = true;
}

/* The state that a line of Istio's agent tells: by its name, by its words, or by what it counts. Clusters
 * and no listeners: the next thing is asked for only when the clusters are ready. */
static enum state agent_state(struct debrief_ctx *ctx, const struct debrief_record *line)
{
    const char *why = debrief_text(ctx, line, "why"), *state = debrief_text(ctx, line, "state");
    double clusters = debrief_num(ctx, line, "cds_ok", -1);
    double listeners = debrief_num(ctx, line, "lds_ok", -1);
    bool rejected = debrief_num(ctx, line, "cds_bad", 0) > 0 ||
                    debrief_num(ctx, line, "lds_bad", 0) > 0;
    if (state)
        return state_of(state);
    if (why && strstr(why, "workers have not yet started"))
        return STATE_INITIALIZING;
    if (rejected || clusters < 0 || listeners > 0)
        return STATE_NONE;
    return STATE_PRE_INITIALIZING;
}

/* Istio's agent names its proxy's state or counts what that has accepted, every two seconds until it is
 * ready. */
static void take_agent_state(struct debrief_ctx *ctx, struct facts *facts)
{
    const struct debrief_record *first = debrief_next(ctx, "log.not_ready", NULL), *last = first;
    if (facts->state != STATE_NONE || !first)
        return;
    DEBRIEF_EACH (ctx, "log.not_ready", r)
        last = r;
    DEBRIEF_EACH (ctx, "event.agent_ready", r) {
        if (debrief_time(ctx, r) >= debrief_time(ctx, last))
            return;
    }
    bool brief = debrief_time(ctx, last) &&
                 debrief_time(ctx, last) - debrief_time(ctx, first) < 15 * SECOND;
    enum state state = agent_state(ctx, last);
    if (state == STATE_NONE || (brief && state != STATE_DRAINING))
        return;
    facts->state = state;
    if (debrief_num(ctx, last, "cds_ok", 0) > 0)
        facts->gauges[CDS_OK] = (struct gauge){debrief_num(ctx, last, "cds_ok", 0), last};
    facts->state_record = last;
    facts->from_log = true;
}

void facts_read(struct debrief_ctx *ctx, struct facts *facts)
{
    memset(facts, 0, sizeof *facts);
    const struct debrief_record *proxy = debrief_next(ctx, "proxy", NULL);
    const char *node = proxy ? debrief_text(ctx, proxy, "node_id") : NULL;
    facts->node = node && *node ? node : "envoy";
    read_stats(ctx, facts);
    read_log(ctx, facts);
    facts->uptime = proxy ? debrief_num(ctx, proxy, "uptime_s", -1) : -1;
    if (facts->uptime < 0 && facts_known(facts, SERVER_UPTIME))
        facts->uptime = facts_value(facts, SERVER_UPTIME);
    take_state(ctx, facts, "ready");
    take_state(ctx, facts, "proxy");
    take_gauge_state(facts);
    take_log_state(ctx, facts);
    take_agent_state(ctx, facts);
}

void facts_release(struct facts *facts)
{
    for (size_t i = 0; i < facts->waits_len; i++)
        free(facts->waits[i].name);
}

bool facts_known(const struct facts *facts, enum gauge_id id)
{
    return facts->gauges[id].record != NULL;
}

double facts_value(const struct facts *facts, enum gauge_id id)
{
    return facts_known(facts, id) ? facts->gauges[id].value : 0;
}
