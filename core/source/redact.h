/* The one choke point for what must not leave, with two callers: the bundle writer (streams) and
 * whatever goes into a report (texts). What is found is replaced by "[redacted:KIND]", so the same
 * findings come from raw and from redacted evidence, and redacting twice changes nothing. */
#ifndef DEBRIEF_SOURCE_REDACT_H
#define DEBRIEF_SOURCE_REDACT_H

#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A secret that only the user knows the look of: the first group of PATTERN (PCRE2), or the whole
 * match when it has none, is replaced by "[redacted:NAME]". It is looked for in each line alone. */
struct redact_pattern {
    const char *name; /* a-z, 0-9 and '-', at most 32; none of the built-in kinds */
    const char *pattern;
};

struct redact_options {
    const struct redact_pattern *patterns; /* copied */
    size_t patterns_len;
    bool identities; /* accounts, addresses, names of hosts and users: under pseudonyms */
    const char *map; /* the file that keeps them (pseudonym.h); NULL: none */
};

enum { REDACT_PATTERNS_MAX = 40, REDACT_KINDS_MAX = 64 };

/* What is removed; made once, before any process is forked. NULL everywhere: nothing is. */
struct redact_policy;
/* NULL with an error that names the pattern, or the map, which cannot be used. */
struct redact_policy *redact_policy_new(const struct redact_options *options, struct err *err);
void redact_policy_free(struct redact_policy *policy);

/* Parts of POLICY, which owns them; NULL of NULL. For texts on the way to a report, whose identities are
 * replaced when all is known (redact_json.h): */
const struct redact_policy *redact_policy_secrets(const struct redact_policy *policy);
/* and for what has been redacted before: addresses do not show that they are pseudonyms. */
const struct redact_policy *redact_policy_again(const struct redact_policy *policy);

/* Adds the pseudonyms that this process has given to the map, when there is one. */
bool redact_policy_save(const struct redact_policy *policy, struct err *err);

/* The pseudonyms of this policy (pseudonym.h); NULL: identities stay. */
struct pseudonyms *redact_policy_names(const struct redact_policy *policy);

/* The name of kind I: the built-in ones ("aws-key", "authorization" ...), then those of the user's
 * patterns; NULL behind the last one. */
const char *redact_kind(const struct redact_policy *policy, size_t i);

struct redact_counts {
    uint64_t total; /* replacements made; by kind in the order of redact_kind() */
    uint64_t by_kind[REDACT_KINDS_MAX];
};

/* N more of the kind "secret", which were replaced before (redact_map.h). */
void redact_count_secrets(struct redact_counts *counts, uint64_t n);

/* Appends TEXT to OUT with secrets replaced. For texts that fit in memory. COUNTS may be NULL. */
void redact_text(struct buf *out, const char *text, size_t len, const struct redact_policy *policy,
                 struct redact_counts *counts);

/* TEXT as it may leave for people and their tools: redacted, valid UTF-8, cut to less than CAP bytes
 * (SIZE_MAX: whole). The caller's to free; *CUT, when asked for: whether some of it was left out. */
char *redact_leaving(const char *text, size_t len, size_t cap, const struct redact_policy *policy,
                     bool *cut);

/* For streams of any size: feed in any portions; a secret may span portions. */
struct redact_stream;
typedef bool redact_sink_fn(void *user, const char *bytes, size_t len);
struct redact_stream *redact_stream_new(const struct redact_policy *policy, redact_sink_fn *sink,
                                        void *user);
bool redact_stream_feed(struct redact_stream *redact, const char *bytes, size_t len);
bool redact_stream_end(struct redact_stream *redact, struct redact_counts *counts);
void redact_stream_free(struct redact_stream *redact);

#endif
