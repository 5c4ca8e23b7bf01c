/* Who the proxy is: readers note what they see, each note with a rank, and after the last reader the
 * best notes become the one `proxy` record. */
#ifndef DEBRIEF_EVIDENCE_IDENTITY_H
#define DEBRIEF_EVIDENCE_IDENTITY_H

#include "evidence/evidence.h"

/* How much a note is worth; of two notes with the same rank the first one stands, but a mesh, mode or
 * platform on which they differ counts as unknown. */
enum identity_rank {
    IDENTITY_FAINT = 5,    /* how it is run, where something else may stand around that: docker */
    IDENTITY_GUESS = 10,   /* the shape of a log line, an address, a cluster's name */
    IDENTITY_HINT = 20,    /* a variable, a node id's shape, a bootstrap that may be another's */
    IDENTITY_STATED = 30,  /* the proxy's own words: its log, its configuration dump, /ready */
    IDENTITY_CERTAIN = 40, /* /server_info */
};

/* COLUMN is one of the `proxy` record's columns (dictionary). VALUE and POINTER are copied; NULL or
 * empty values are ignored. LINE or POINTER say where it stands, as in a record. */
void identity_note(struct evidence *evidence, const struct source *source, uint64_t line,
                   const char *pointer, enum identity_rank rank, const char *column,
                   const char *value);

/* ---- what readers see, and what it tells (identity_signs.c) ---- */

/* A node id, by its shape: mesh, mode, platform. Also notes the id itself as node_id with RANK. */
void identity_note_node(struct evidence *evidence, const struct source *source, const char *pointer,
                        enum identity_rank rank, const char *node_id);

/* node.user_agent_name: "envoy", or a gRPC library that speaks xDS without a proxy. */
void identity_note_agent(struct evidence *evidence, const struct source *source,
                         const char *pointer, const char *agent);

/* node.metadata, by the names of its members. */
void identity_note_metadata(struct evidence *evidence, const struct source *source,
                            const char *pointer, const cJSON *metadata);

/* An environment variable of the proxy; most tell nothing. */
void identity_note_variable(struct evidence *evidence, const struct source *source, uint64_t line,
                            const char *pointer, const char *name, const char *value);

/* The name of a cluster or xDS server. */
void identity_note_xds(struct evidence *evidence, const struct source *source, const char *pointer,
                       const char *server);

/* The text with which an xDS server ends a stream: it names resources and rights. */
void identity_note_words(struct evidence *evidence, const struct source *source, uint64_t line,
                         const char *text);

/* A container's image; NULL is ignored. */
void identity_note_image(struct evidence *evidence, const struct source *source, uint64_t line,
                         const char *pointer, const char *image);

/* The metadata of a pod, or of a template of pods: labels and annotations. */
void identity_note_pod(struct evidence *evidence, const struct source *source, const char *pointer,
                       const cJSON *metadata);

/* A pod's service account; NULL is ignored. */
void identity_note_account(struct evidence *evidence, const struct source *source, uint64_t line,
                           const char *pointer, const char *account);

/* Where the `proxy` record has COLUMN from, as in a record; false: it is not known. */
bool identity_place(struct evidence *evidence, const char *column, const struct source **source,
                    uint64_t *line, const char **pointer);

/* Makes the `proxy` record; none when nothing was noted. Called once, after the last reader. */
void identity_find(struct evidence *evidence);

#endif
