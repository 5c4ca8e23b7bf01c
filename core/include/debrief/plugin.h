/* debrief plugin ABI: the only header a section written in C needs. Valid C11 and C++17; nothing to
 * link against. A section is one shared object with one DEBRIEF_PLUGIN(...) in it:
 *
 *     static void run(struct debrief_ctx *ctx) { ... }
 *     static const struct debrief_check checks[] = {{.id = "my-section", .title = "...", .run = run}};
 *     DEBRIEF_PLUGIN("my-section", "1.0.0", checks)
 *
 * Rules that keep old plugins and new hosts (and the reverse) working together:
 *  - Structs only ever grow at their end. The size of every row type travels in the stamp, an ELF note
 *    that the host reads before it loads anything, so it can copy shorter rows of an older plugin.
 *  - DEBRIEF_ABI_MAJOR must match; DEBRIEF_ABI_MINOR may be at most the host's.
 *  - A plugin is asked in a process of its own, with a deadline and a memory cap: a crash or an endless
 *    loop costs that check one `error` record. A plugin is still a program that runs with your rights:
 *    a buggy one is contained, a hostile one is not. Load only what you would run.
 *  - All text is UTF-8 and NUL-terminated. Text a plugin passes is copied. Text it receives is borrowed
 *    and stays valid until run() returns. Calls never fail and never return NULL where a builder is
 *    promised; what the host cannot accept (an id the check did not declare, evidence it did not say it
 *    needs) turns the outcome of the check into `error` with the reason. */
#ifndef DEBRIEF_PLUGIN_H
#define DEBRIEF_PLUGIN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DEBRIEF_ABI_MAJOR 1 /* a meaning or a position changed: must be equal */
#define DEBRIEF_ABI_MINOR 3 /* something was appended: the plugin's must not be above the host's */
#define DEBRIEF_MAGIC     0x64627266u /* "dbrf" */
#define DEBRIEF_NOTE_NAME "debrief"
#define DEBRIEF_NOTE_TYPE 1u
#define DEBRIEF_SYMBOL    "debrief_plugin"

enum debrief_severity { DEBRIEF_INFO = 10, DEBRIEF_WARNING = 20, DEBRIEF_ERROR = 30 };
enum debrief_confidence { DEBRIEF_POSSIBLE = 10, DEBRIEF_LIKELY = 20, DEBRIEF_CERTAIN = 30 };
enum debrief_when { DEBRIEF_UNKNOWN = 0, DEBRIEF_NOW = 1, DEBRIEF_BEFORE = 2 };
enum debrief_evidence { DEBRIEF_ABSENT = 0, DEBRIEF_PARTIAL = 1, DEBRIEF_COMPLETE = 2 };
enum debrief_decision { DEBRIEF_UNDECIDABLE = 0, DEBRIEF_YES = 1, DEBRIEF_NO = 2 };
enum debrief_param_type {
    DEBRIEF_STRING = 1,
    DEBRIEF_NUMBER = 2,
    DEBRIEF_BOOL = 3,
    DEBRIEF_DURATION = 4
};

/* A knob of a check, set by --param CHECK.NAME=VALUE. Lists of rows end at a row of NULLs. */
struct debrief_param {
    const char *name;
    uint32_t type; /* enum debrief_param_type */
    uint32_t reserved;
    const char *dflt; /* as the user would write it */
    const char *help; /* one sentence */
};

/* A log pattern of the check's own. PCRE2 syntax within what libhs takes: no look-around, no
 * back-references. Named groups become fields. Let the pattern END at the field that tells kinds
 * apart: when one event happens too often, a first, a last and one of each ending are kept. Records
 * are read under the name "event.NAME"; what follows the match is their field `rest`. */
struct debrief_event {
    const char *name;
    const char *pattern;
    uint32_t caseless; /* 1: case does not matter */
    uint32_t reserved;
};

/* A finding that the check can give. */
struct debrief_finding_type {
    const char *id;    /* "section.slug" */
    const char *title; /* a few words, no names in it */
    uint32_t worst;    /* enum debrief_severity: never reported above this */
    uint32_t reserved;
    const char *const *explains; /* ids that this can be the cause of; NULL-terminated, or NULL */
};

struct debrief_ctx;

struct debrief_check {
    const char *id;          /* "section" or "section/name" */
    const char *title;       /* the question it asks */
    const char *const *tags; /* NULL-terminated, or NULL */
    /* "envoy >= 1.24, mesh = istio|consul, mode = gateway"; "any" or NULL: always */
    const char *applies;
    const char *const *needs; /* docs/evidence.md; NULL-terminated */
    const struct debrief_event *events;
    const struct debrief_finding_type *findings;
    const struct debrief_param *params;
    void (*run)(struct debrief_ctx *ctx);
};

struct debrief_record;  /* one piece of evidence */
struct debrief_finding; /* a finding under construction */

/* A request to walk through the configuration; NULL and 0: not known. */
struct debrief_request {
    uint32_t size; /* sizeof this struct */
    uint32_t port;
    const char *listener;  /* by name; else it is found by address and port */
    const char *address;   /* IP that the connection goes to */
    const char *direction; /* "inbound", "outbound" */
    const char *method;    /* NULL: GET */
    const char *host;      /* as sent */
    const char *path;      /* NULL: "/" */
    const char *sni;       /* NULL: the host */
    const char *alpn;      /* NULL: http/1.1 */
    uint32_t tls;          /* 1: by TLS */
    uint32_t tcp;          /* 1: a bare connection, no request */
};

struct debrief_hop {
    const char *kind; /* listener, filter-chain, http-filter, route-config, virtual-host, route,
                         cluster, endpoints */
    const char *name; /* "" when it has none */
    const char *why;  /* why this one, or why it breaks here */
    const struct debrief_record *record; /* to cite, or NULL */
};

struct debrief_walk {
    const char *ends; /* forwarded, answered, refused, reset, unknown */
    uint32_t status;  /* 0: the upstream decides, or nobody can tell */
    uint32_t hops_len;
    const struct debrief_hop *const *hops;
    const struct debrief_hop *broke; /* where it fails; NULL */
    const char *flag;                /* response flag in the access log; NULL */
    const char *unknown;             /* why nobody can tell beyond the last hop; NULL */
    const char *depends;             /* what else may decide; NULL */
};

/* The host's functions. They travel in the context, with the size of this table in front. */
struct debrief_host {
    uint32_t size; /* sizeof the host's table: a call at or beyond it is not there */
    uint32_t reserved;
    /* Records of NAME after AFTER (NULL: the first), in time or source order; NULL at the end. NAME
     * must be among the check's needs; only records that its projection lets through are seen. */
    const struct debrief_record *(*next)(struct debrief_ctx *ctx, const char *name,
                                         const struct debrief_record *after);
    /* A field of a record, or a path into a document; NULL when not known. */
    const char *(*text)(struct debrief_ctx *ctx, const struct debrief_record *record,
                        const char *field);
    /* The same as a number: 1 and *out, or 0 when it is not known or no number. */
    int32_t (*number)(struct debrief_ctx *ctx, const struct debrief_record *record,
                      const char *field, double *out);
    int64_t (*time)(struct debrief_ctx *ctx,
                    const struct debrief_record *record);         /* ns, 0 unknown */
    uint64_t (*count)(struct debrief_ctx *ctx, const char *name); /* seen in all, kept or not */
    uint32_t (*state)(struct debrief_ctx *ctx, const char *name); /* enum debrief_evidence */
    int64_t (*now)(
        struct debrief_ctx *ctx); /* when the evidence was gathered, ns since the epoch */
    const char *(*param)(struct debrief_ctx *ctx, const char *name); /* checked and defaulted */
    /* Starts a finding. ID must be declared. Severity is the declared worst until said otherwise,
     * confidence certain, state unknown. Two reports with the same id and subject become one. */
    struct debrief_finding *(*report)(struct debrief_ctx *ctx, const char *id,
                                      const char *subject_kind, const char *subject_name,
                                      const char *message);
    void (*severity)(struct debrief_finding *finding, uint32_t severity);
    void (*confidence)(struct debrief_finding *finding, uint32_t confidence);
    void (*when)(struct debrief_finding *finding, uint32_t when);
    /* Proof: source, place, excerpt and time of the record; also widens first/last/count. A record of
     * NULL is ignored. */
    void (*cite)(struct debrief_finding *finding, const struct debrief_record *record);
    /* How often it happened and when, where that is more than what is cited. 0: leave alone. */
    void (*span)(struct debrief_finding *finding, int64_t first, int64_t last, uint64_t count);
    /* A step that mends it; command may be NULL. */
    void (*advise)(struct debrief_finding *finding, const char *text, const char *command);
    void (*snippet)(struct debrief_finding *finding, const char *text, const char *path,
                    const char *content); /* a fix step with a file to paste */
    void (*reference)(struct debrief_finding *finding, const char *url);
    /* A possible cause of this symptom; speaks_for and speaks_against may be NULL, and the call be
     * made again with the same id to add more. Order of first mention is order of likelihood. */
    void (*candidate)(struct debrief_finding *finding, const char *id, const char *speaks_for,
                      const char *speaks_against);
    /* What would decide a question that the evidence leaves open. */
    void (*ask)(struct debrief_ctx *ctx, const char *evidence, const char *why, const char *how);
    /* The check does not apply here, for this reason; findings given before are dropped. */
    void (*not_applicable)(struct debrief_ctx *ctx, const char *reason);
    /* ---- since minor 1 ---- */
    /* What the proxy would do with a request, by those of xds.listeners, xds.filter_chains,
     * xds.virtual_hosts, xds.routes, xds.clusters, clusters and hosts that the check needs. */
    const struct debrief_walk *(*walk)(struct debrief_ctx *ctx,
                                       const struct debrief_request *request);
    /* May ROLE (name or ARN) do ACTION to RESOURCE (an ARN, or "*")? YES: granted, NO: denied. *why is
     * a sentence, *record what to cite or NULL; either pointer may be NULL. The check declares, as
     * optional needs, what docs/c-plugins.md lists. */
    uint32_t (*iam)(struct debrief_ctx *ctx, const char *role, const char *action,
                    const char *resource, const char **why, const struct debrief_record **record);
    /* Is the network open from FROM (task, network interface, instance, security group, address) to
     * PORT of TO (the same, a host name, a VPC endpoint, "internet")? PROTOCOL "tcp" or "udp". */
    uint32_t (*path)(struct debrief_ctx *ctx, const char *from, const char *to, uint32_t port,
                     const char *protocol, const char **why, const struct debrief_record **record);
    /* ---- since minor 2 ---- */
    /* What is known of where the proxy runs: "mesh", "mode" or "platform" as `applies` names them; NULL:
     * not known. */
    const char *(*fact)(struct debrief_ctx *ctx, const char *name);
    /* ---- since minor 3 ---- */
    /* The finding rests on WALK (made by walk(); NULL is ignored): the report shows its hops. */
    void (*walked)(struct debrief_finding *finding, const struct debrief_walk *walk);
};

/* A text for one mesh ("istio"), one platform ("ecs"), or one mesh on one platform ("appmesh ecs"). */
struct debrief_word {
    const char *where; /* NULL: anywhere; the last row */
    const char *text;
};

struct debrief_ctx {
    const struct debrief_host *host;
    void *opaque; /* the host's own */
};

struct debrief_plugin {
    const char *name;
    const char *version;
    const struct debrief_check *checks;
    uint64_t checks_len;
};

/* What the host reads from the ELF note before it loads the file. A row may end early, as rows of an
 * older minor version do; debrief_plugin and debrief_check end no earlier than here, the others no
 * earlier than before `explains`, `caseless` and `dflt`. */
struct debrief_stamp {
    uint32_t magic, abi_major, abi_minor;
    uint32_t plugin_size, check_size, finding_size, event_size, param_size;
    char name[64];
    char version[32];
};

struct debrief_note {
    uint32_t namesz, descsz, type;
    char name[8]; /* "debrief" and its NUL */
    struct debrief_stamp stamp;
};

#define DEBRIEF_PLUGIN(plugin_name, plugin_version, check_array)                                   \
    extern __attribute__((section(".note.debrief"), aligned(4), visibility("hidden")))             \
    const struct debrief_note debrief_note_;                                                       \
    __attribute__((used)) const struct debrief_note debrief_note_ = {                              \
        8,                                                                                         \
        sizeof(struct debrief_stamp),                                                              \
        DEBRIEF_NOTE_TYPE,                                                                         \
        DEBRIEF_NOTE_NAME,                                                                         \
        {DEBRIEF_MAGIC, DEBRIEF_ABI_MAJOR, DEBRIEF_ABI_MINOR, sizeof(struct debrief_plugin),       \
         sizeof(struct debrief_check), sizeof(struct debrief_finding_type),                        \
         sizeof(struct debrief_event), sizeof(struct debrief_param), plugin_name,                  \
         plugin_version}};                                                                         \
    extern __attribute__((visibility("default"))) const struct debrief_plugin debrief_plugin;      \
    const struct debrief_plugin debrief_plugin = {plugin_name, plugin_version, check_array,        \
                                                  sizeof(check_array) / sizeof((check_array)[0])};

/* ---- plain calls over the host table ---- */

static inline const struct debrief_record *debrief_next(struct debrief_ctx *ctx, const char *name,
                                                        const struct debrief_record *after)
{
    return ctx->host->next(ctx, name, after);
}

/* for (r = debrief_next(ctx, NAME, NULL); r; r = debrief_next(ctx, NAME, r)) */
#define DEBRIEF_EACH(ctx, name, r)                                                                 \
    for (const struct debrief_record *r = debrief_next(ctx, name, NULL); r;                        \
         r = debrief_next(ctx, name, r))

static inline const char *debrief_text(struct debrief_ctx *ctx, const struct debrief_record *record,
                                       const char *field)
{
    return ctx->host->text(ctx, record, field);
}

/* FALLBACK when the field is not known or no number. */
static inline double debrief_num(struct debrief_ctx *ctx, const struct debrief_record *record,
                                 const char *field, double fallback)
{
    double value = 0;
    return ctx->host->number(ctx, record, field, &value) ? value : fallback;
}

static inline int64_t debrief_time(struct debrief_ctx *ctx, const struct debrief_record *record)
{
    return ctx->host->time(ctx, record);
}

static inline uint64_t debrief_count(struct debrief_ctx *ctx, const char *name)
{
    return ctx->host->count(ctx, name);
}

static inline uint32_t debrief_state(struct debrief_ctx *ctx, const char *name)
{
    return ctx->host->state(ctx, name);
}

static inline int64_t debrief_now(struct debrief_ctx *ctx)
{
    return ctx->host->now(ctx);
}

static inline const char *debrief_param(struct debrief_ctx *ctx, const char *name)
{
    return ctx->host->param(ctx, name);
}

/* ID about the subject KIND NAME; the message as for printf, cut at 2047 bytes. */
__attribute__((format(printf, 5, 6))) static inline struct debrief_finding *
debrief_report(struct debrief_ctx *ctx, const char *id, const char *subject_kind,
               const char *subject_name, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return ctx->host->report(ctx, id, subject_kind, subject_name, text);
}

static inline void debrief_severity(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                    uint32_t severity)
{
    ctx->host->severity(finding, severity);
}

static inline void debrief_confidence(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                      uint32_t confidence)
{
    ctx->host->confidence(finding, confidence);
}

static inline void debrief_when(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                uint32_t when)
{
    ctx->host->when(finding, when);
}

static inline void debrief_cite(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                const struct debrief_record *record)
{
    ctx->host->cite(finding, record);
}

static inline void debrief_span(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                int64_t first, int64_t last, uint64_t count)
{
    ctx->host->span(finding, first, last, count);
}

static inline void debrief_advise(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                  const char *text, const char *command)
{
    ctx->host->advise(finding, text, command);
}

static inline void debrief_snippet(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                   const char *text, const char *path, const char *content)
{
    ctx->host->snippet(finding, text, path, content);
}

static inline void debrief_reference(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                     const char *url)
{
    ctx->host->reference(finding, url);
}

static inline void debrief_candidate(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                     const char *id, const char *speaks_for,
                                     const char *speaks_against)
{
    ctx->host->candidate(finding, id, speaks_for, speaks_against);
}

static inline void debrief_ask(struct debrief_ctx *ctx, const char *evidence, const char *why,
                               const char *how)
{
    ctx->host->ask(ctx, evidence, why, how);
}

static inline void debrief_not_applicable(struct debrief_ctx *ctx, const char *reason)
{
    ctx->host->not_applicable(ctx, reason);
}

static inline const struct debrief_walk *debrief_walk(struct debrief_ctx *ctx,
                                                      struct debrief_request request)
{
    request.size = sizeof request;
    return ctx->host->walk(ctx, &request);
}

static inline void debrief_walked(struct debrief_ctx *ctx, struct debrief_finding *finding,
                                  const struct debrief_walk *walk)
{
    ctx->host->walked(finding, walk);
}

static inline uint32_t debrief_iam(struct debrief_ctx *ctx, const char *role, const char *action,
                                   const char *resource, const char **why,
                                   const struct debrief_record **record)
{
    return ctx->host->iam(ctx, role, action, resource, why, record);
}

static inline uint32_t debrief_path(struct debrief_ctx *ctx, const char *from, const char *to,
                                    uint32_t port, const char *protocol, const char **why,
                                    const struct debrief_record **record)
{
    return ctx->host->path(ctx, from, to, port, protocol, why, record);
}

static inline const char *debrief_fact(struct debrief_ctx *ctx, const char *name)
{
    return ctx->host->fact(ctx, name);
}

/* The text for the mesh and platform at hand, the most exact one first: both, the mesh, the platform. */
static inline const char *debrief_pick(struct debrief_ctx *ctx, const struct debrief_word *words)
{
    const char *mesh = debrief_fact(ctx, "mesh"), *platform = debrief_fact(ctx, "platform");
    char both[128];
    snprintf(both, sizeof both, "%s %s", mesh ? mesh : "", platform ? platform : "");
    const char *const wanted[] = {both, mesh, platform};
    for (size_t i = 0; i < 3; i++)
        for (const struct debrief_word *word = words; wanted[i] && word->where; word++)
            if (strcmp(word->where, wanted[i]) == 0)
                return word->text;
    while (words->where)
        words++;
    return words->text;
}

#ifdef __cplusplus
}
#endif

#endif
