/* Who the proxy is: readers note what they see, each note with a rank, and after the last reader the
 * best notes become the one `proxy` record. */
#ifndef DEBRIEF_EVIDENCE_IDENTITY_H
#define DEBRIEF_EVIDENCE_IDENTITY_H

#include "evidence/evidence.h"

/* How much a note is worth; of two notes with the same rank the first one stands. */
enum identity_rank {
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

/* What a node id tells by its shape: mesh, mode and platform (all as IDENTITY_HINT). Also notes the
 * id itself as node_id with RANK. */
void identity_note_node(struct evidence *evidence, const struct source *source, const char *pointer,
                        enum identity_rank rank, const char *node_id);

/* What the names of node.metadata's members tell. */
void identity_note_metadata(struct evidence *evidence, const struct source *source,
                            const char *pointer, const cJSON *metadata);

/* What an environment variable of the proxy tells; most tell nothing. */
void identity_note_variable(struct evidence *evidence, const struct source *source, uint64_t line,
                            const char *pointer, const char *name, const char *value);

/* What the name of a cluster or xDS server tells. */
void identity_note_xds(struct evidence *evidence, const struct source *source, const char *pointer,
                       const char *server);

/* Makes the `proxy` record; none when nothing was noted. Called once, after the last reader. */
void identity_find(struct evidence *evidence);

#endif
