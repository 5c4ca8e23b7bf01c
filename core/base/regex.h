/* PCRE2 for what libhs cannot do: named fields of one line that is known to match. Compiled with a
 * match limit, so a hostile line costs a failed match and not a CPU. Matching uses scratch memory
 * inside the regex: one thread at a time. Bytes, not characters: no UTF mode. */
#ifndef DEBRIEF_BASE_REGEX_H
#define DEBRIEF_BASE_REGEX_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

struct regex;

enum regex_flags { REGEX_CASELESS = 1, REGEX_MULTILINE = 2, REGEX_DOTALL = 4, REGEX_BOUNDED = 8 };

struct regex *regex_new(const char *pattern, unsigned flags, struct err *err);
void regex_free(struct regex *regex);

int regex_groups(const struct regex *regex);                    /* how many capture groups */
const char *regex_group_name(const struct regex *regex, int i); /* NULL for an unnamed group */

struct regex_span {
    size_t start, end; /* start == (size_t)-1: the group took no part */
};

/* First match at or after FROM. SPANS[0] is the whole match; at most CAP spans are filled. */
bool regex_match(const struct regex *regex, const char *text, size_t len, size_t from,
                 struct regex_span *spans, int cap);

/* The same, but it begins before TO; what follows TO is looked at, as far as LEN. For a regex made with
 * REGEX_BOUNDED. */
bool regex_match_before(const struct regex *regex, const char *text, size_t len, size_t from,
                        size_t to, struct regex_span *spans, int cap);

#endif
