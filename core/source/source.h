/* A source: named bytes and where they came from. Collectors make sources, readers read them,
 * reports cite them; nobody trusts them. The bytes stay on disk: a source is never whole in
 * memory. */
#ifndef DEBRIEF_SOURCE_SOURCE_H
#define DEBRIEF_SOURCE_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct source_problem {
    const char *text;
    struct source_problem *next;
};

struct source_redaction { /* replacements made before it came here */
    const char *kind;
    uint64_t count;
    struct source_redaction *next;
};

struct source {
    const char *name;   /* path name inside the target: "admin/stats.txt", "log/envoy.log" */
    const char *path;   /* the file that holds the bytes; NULL when nothing could be got */
    const char *origin; /* URL, path or archive member, for people */
    const char *kind;   /* what a reader recognised: "stats", "log.envoy"; "" before reading */
    uint64_t size;      /* bytes as stored */
    uint64_t records;   /* records that the reader took from it */
    char sha256[65];    /* lower-case hex, as received (before redaction); "" until known */
    bool asked;         /* a request was made for it, or the user named it */
    bool complete;      /* collecting reached its end */
    bool missing;       /* collecting failed altogether: no bytes */
    bool unrecognised;
    bool shared; /* tells of a cluster; only what concerns this target (sources.focus) is taken */
    bool dumps_wait; /* it holds a dump, which is read when it is known what of it can be of use */
    bool pseudonyms; /* its identities are pseudonyms already */
    struct source_problem *problems; /* in order of appearance */
    struct source_redaction *redactions;
};

/* The pods, NAMESPACE/POD, that a target is about, when a cluster's files tell of others too. */
struct source_focus {
    const char **pods;
    size_t len;
    bool except; /* these are other targets' */
};

struct sources {
    struct arena *arena; /* owns every string above */
    struct source_focus focus;
    struct source *items;
    size_t len, cap;
    uint32_t *slots; /* items by hash of their name, index + 1; 0 is free */
    size_t slots_cap;
};

void sources_init(struct sources *sources);
void sources_release(struct sources *sources);
/* The new source is valid until the next add; refer to it by index before that. NAME is made safe
 * (characters other than [A-Za-z0-9._/-] become '_', no leading '/', no "..", no endless parts) and
 * unique ("envoy.log", then "envoy-2.log"); "bundle.json" is the index's alone. */
struct source *sources_add(struct sources *sources, const char *name);
/* Takes the source at INDEX out of the list. */
void sources_remove(struct sources *sources, size_t index);
/* The namespace that a shared source is read for; NULL: any. */
const char *sources_namespace(const struct sources *sources, const struct source *source,
                              size_t *len);
/* NAME as it came, or made safe. */
struct source *sources_find(const struct sources *sources, const char *name);
/* TEXT is made valid UTF-8; beyond 50 problems of one source the rest is not listed. */
void source_problem(struct sources *sources, struct source *source, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether it is a file that somebody keeps and edits, not an answer that was asked for. */
bool source_is_manifest(const struct source *source);

/* The `sources` rows of a report (contract: name, kind, bytes, sha256, records, problems). */
cJSON *source_report(const struct source *source);

#endif
