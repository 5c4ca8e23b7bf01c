/* Stage: check, in a runner. The function table that C plugins call: evidence through the check's
 * view, findings into its builder. Deliberately holds no logic of its own; Lua has the same two. */
#include "check/host.h"

#include "base/alloc.h"
#include "check/loader.h"
#include "debrief/plugin.h"
#include "finding/ways.h"
#include "reason/iam.h"
#include "reason/network.h"
#include "reason/walk.h"

#include <string.h>

static struct view *view_of(struct debrief_ctx *ctx)
{
    return ctx->opaque;
}

static const struct record *record_of(const struct debrief_record *record)
{
    return (const struct record *)record;
}

static struct builder_finding *finding_of(struct debrief_finding *finding)
{
    return (struct builder_finding *)finding;
}

static const struct debrief_record *host_next(struct debrief_ctx *ctx, const char *name,
                                              const struct debrief_record *after)
{
    return (const struct debrief_record *)view_next(view_of(ctx), name, record_of(after));
}

static const char *host_text(struct debrief_ctx *ctx, const struct debrief_record *record,
                             const char *field)
{
    return view_text(view_of(ctx), record_of(record), field);
}

static int32_t host_number(struct debrief_ctx *ctx, const struct debrief_record *record,
                           const char *field, double *out)
{
    return view_number(view_of(ctx), record_of(record), field, out);
}

static int64_t host_time(struct debrief_ctx *ctx, const struct debrief_record *record)
{
    (void)ctx;
    return record ? record_of(record)->time : 0;
}

static uint64_t host_count(struct debrief_ctx *ctx, const char *name)
{
    return view_count(view_of(ctx), name);
}

static uint32_t host_state(struct debrief_ctx *ctx, const char *name)
{
    switch (view_state(view_of(ctx), name)) {
    case EVIDENCE_COMPLETE:
        return DEBRIEF_COMPLETE;
    case EVIDENCE_PARTIAL:
        return DEBRIEF_PARTIAL;
    default:
        return DEBRIEF_ABSENT;
    }
}

static int64_t host_now(struct debrief_ctx *ctx)
{
    return view_of(ctx)->gathered;
}

static const char *host_param(struct debrief_ctx *ctx, const char *name)
{
    const char *value = view_param(view_of(ctx), name, NULL);
    return value ? value : "";
}

static struct debrief_finding *host_report(struct debrief_ctx *ctx, const char *id,
                                           const char *subject_kind, const char *subject_name,
                                           const char *message)
{
    return (struct debrief_finding *)builder_report(view_of(ctx)->builder, id, subject_kind,
                                                    subject_name, message);
}

static void host_severity(struct debrief_finding *finding, uint32_t severity)
{
    builder_severity(finding_of(finding), (int)severity);
}

static void host_confidence(struct debrief_finding *finding, uint32_t confidence)
{
    builder_confidence(finding_of(finding), (int)confidence);
}

static void host_when(struct debrief_finding *finding, uint32_t when)
{
    builder_when(finding_of(finding), (int)when);
}

static void host_cite(struct debrief_finding *finding, const struct debrief_record *record)
{
    builder_cite(finding_of(finding), record_of(record));
}

static void host_span(struct debrief_finding *finding, int64_t first, int64_t last, uint64_t count)
{
    builder_span(finding_of(finding), first, last, count);
}

static void host_advise(struct debrief_finding *finding, const char *text, const char *command)
{
    builder_advise(finding_of(finding), text, command);
}

static void host_snippet(struct debrief_finding *finding, const char *text, const char *path,
                         const char *content)
{
    builder_snippet(finding_of(finding), text, path, content);
}

static void host_reference(struct debrief_finding *finding, const char *url)
{
    builder_reference(finding_of(finding), url);
}

static void host_candidate(struct debrief_finding *finding, const char *id, const char *speaks_for,
                           const char *speaks_against)
{
    builder_candidate(finding_of(finding), id, speaks_for, speaks_against);
}

static void host_ask(struct debrief_ctx *ctx, const char *evidence, const char *why,
                     const char *how)
{
    builder_ask(view_of(ctx)->builder, evidence, why, how);
}

static void host_not_applicable(struct debrief_ctx *ctx, const char *reason)
{
    builder_not_applicable(view_of(ctx)->builder, reason);
}

/* A plugin of an older minor version passes a shorter request. */
static struct walk_request request_of(const struct debrief_request *given)
{
    struct debrief_request all = {0};
    memcpy(&all, given, given->size < sizeof all ? given->size : sizeof all);
    return (struct walk_request){.listener = all.listener,
                                 .address = all.address,
                                 .port = (int)all.port,
                                 .direction = all.direction,
                                 .method = all.method,
                                 .host = all.host,
                                 .path = all.path,
                                 .tls = all.tls != 0,
                                 .sni = all.sni,
                                 .alpn = all.alpn,
                                 .tcp = all.tcp != 0};
}

struct shown_walk { /* what a plugin holds of a walk, and what it stands for */
    struct debrief_walk shown;
    const struct walk *walk;
};

static const struct debrief_walk *host_walk(struct debrief_ctx *ctx,
                                            const struct debrief_request *given)
{
    struct view *view = view_of(ctx);
    const struct walk_request request = request_of(given);
    const struct walk *walk = walk_request(view, &request);
    struct shown_walk *out = arena_alloc(view->scratch, sizeof *out);
    const struct debrief_hop **hops = arena_alloc(view->scratch, WALK_HOPS_MAX * sizeof *hops);
    for (int i = 0; i < walk->len; i++) {
        struct debrief_hop *hop = arena_alloc(view->scratch, sizeof *hop);
        *hop = (struct debrief_hop){walk->hops[i].kind, walk->hops[i].name, walk->hops[i].why,
                                    (const struct debrief_record *)walk->hops[i].record};
        hops[i] = hop;
    }
    out->walk = walk;
    out->shown = (struct debrief_walk){.ends = walk_end_word(walk->end),
                                       .status = (uint32_t)walk->status,
                                       .hops_len = (uint32_t)walk->len,
                                       .hops = hops,
                                       .broke = walk->broke >= 0 ? hops[walk->broke] : NULL,
                                       .flag = walk->flag,
                                       .unknown = walk->unknown,
                                       .depends = walk->depends};
    return &out->shown;
}

static void host_walked(struct debrief_finding *finding, const struct debrief_walk *walk)
{
    if (walk)
        builder_walked((struct builder_finding *)finding, ((const struct shown_walk *)walk)->walk);
}

static uint32_t give(const struct answer *answer, const char **why,
                     const struct debrief_record **record)
{
    if (why)
        *why = answer->why;
    if (record)
        *record = (const struct debrief_record *)answer->record;
    return (uint32_t)answer->decision;
}

static uint32_t host_iam(struct debrief_ctx *ctx, const char *role, const char *action,
                         const char *resource, const char **why,
                         const struct debrief_record **record)
{
    struct answer answer;
    iam_ask(view_of(ctx),
            &(struct iam_question){.role = role, .action = action, .resource = resource}, &answer);
    return give(&answer, why, record);
}

static uint32_t host_path(struct debrief_ctx *ctx, const char *from, const char *to, uint32_t port,
                          const char *protocol, const char **why,
                          const struct debrief_record **record)
{
    struct answer answer;
    network_ask(
        view_of(ctx),
        &(struct network_question){.from = from, .to = to, .port = (int)port, .protocol = protocol},
        &answer);
    return give(&answer, why, record);
}

static const char *host_fact(struct debrief_ctx *ctx, const char *name)
{
    struct view *view = view_of(ctx);
    char buf[32];
    const char *known = ways_fact(view->evidence, name, buf);
    return known ? arena_strdup(view->scratch, known) : NULL;
}

static const struct debrief_host host = {
    .size = sizeof(struct debrief_host),
    .next = host_next,
    .text = host_text,
    .number = host_number,
    .time = host_time,
    .count = host_count,
    .state = host_state,
    .now = host_now,
    .param = host_param,
    .report = host_report,
    .severity = host_severity,
    .confidence = host_confidence,
    .when = host_when,
    .cite = host_cite,
    .span = host_span,
    .advise = host_advise,
    .snippet = host_snippet,
    .reference = host_reference,
    .candidate = host_candidate,
    .ask = host_ask,
    .not_applicable = host_not_applicable,
    .walk = host_walk,
    .iam = host_iam,
    .path = host_path,
    .fact = host_fact,
    .walked = host_walked,
};

struct loaded { /* plugins of this runner */
    const struct plugin *plugin;
    struct loader *loader;
    struct loaded *next;
};

static const struct loader *load(const struct plugin *plugin, struct err *err)
{
    static struct loaded *all; /* as long as the process: code is never unloaded */
    for (struct loaded *one = all; one; one = one->next)
        if (one->plugin == plugin)
            return one->loader;
    struct loader *loader = loader_open(plugin->path, err);
    if (!loader)
        return NULL;
    struct loaded *one = xmalloc(sizeof *one);
    *one = (struct loaded){plugin, loader, all};
    all = one;
    return loader;
}

void host_run(struct view *view)
{
    const struct check_meta *meta = view->check->meta;
    struct debrief_check check;
    struct err err = ERR_INIT;
    const struct loader *loader = load(meta->plugin, &err);
    if (!loader) {
        builder_set_fault(view->builder, "%s", err.text);
        return;
    }
    if (!loader_check(loader, meta->index, &check) || strcmp(check.id, meta->id) != 0) {
        builder_set_fault(view->builder, "'%s' has changed since it was looked into: run again",
                          meta->plugin->path);
        return;
    }
    struct debrief_ctx ctx = {.host = &host, .opaque = view};
    check.run(&ctx);
}
