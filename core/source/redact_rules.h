/* What a secret looks like. One row per shape: the text that announces it, and one group around the
 * secret itself, which alone is replaced. */
#ifndef DEBRIEF_SOURCE_REDACT_RULES_H
#define DEBRIEF_SOURCE_REDACT_RULES_H

#include <stdbool.h>
#include <stddef.h>

enum redact_kind { /* in the order of redact_kinds() */
                   REDACT_AWS_KEY,
                   REDACT_AUTHORIZATION,
                   REDACT_JWT,
                   REDACT_PRIVATE_KEY,
                   REDACT_URL_PASSWORD,
                   REDACT_PASSWORD,
                   REDACT_SECRET, /* what a store of secrets held */
                   REDACT_TOKEN,  /* known by its own look */
                   REDACT_PRESIGNED,
                   REDACT_RANDOM, /* high entropy under a telling name */
                   /* Identities: the three kinds of identity_scan.h. */
                   REDACT_ACCOUNT,
                   REDACT_ADDRESS,
                   REDACT_NAME,
};

enum {
    /* How far apart the first byte of an announcement and the first byte of its secret can be. */
    REDACT_REACH = 700,
    /* A secret is looked at as a whole when it is shorter than this. */
    REDACT_OVERLAP = 1 << 14,
};

struct redact_hit {
    size_t match, start, end; /* of the announcement; of the secret */
    enum redact_kind kind;
    bool key_begins; /* START..END is empty, a private key in PEM follows */
    const char
        *stops; /* the secret goes on until one of these, should END be the end of the text */
};

/* The first secret that is announced in TEXT[from..to), or not at all. What follows TO is looked at
 * only to find where the secret ends. */
bool redact_rules_next(const char *text, size_t len, size_t from, size_t to,
                       struct redact_hit *hit);

/* Calls BACK for each stretch of TEXT that may announce a secret, in order; stretches touch at
 * most. A coarse and fast look, so that the patterns see next to nothing of a healthy log. */
typedef void redact_stretch_fn(void *user, size_t from, size_t to);
void redact_rules_scan(const char *text, size_t len, redact_stretch_fn *stretch, void *user);

#endif
