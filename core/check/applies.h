/* Applicability: "envoy >= 1.24, mesh = istio|consul, mode != gateway, platform = ecs". All clauses
 * must hold; a fact that is not known never stands in the way. "any" says that a check applies to
 * every proxy; no text at all means the same, but leaves open whether somebody thought about it. */
#ifndef DEBRIEF_CHECK_APPLIES_H
#define DEBRIEF_CHECK_APPLIES_H

#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>

enum applies_fact { APPLIES_ENVOY, APPLIES_MESH, APPLIES_MODE, APPLIES_PLATFORM, APPLIES_FACTS };

struct applies_facts { /* NULL where not known */
    const char *values[APPLIES_FACTS];
};

/* The column of evidence `proxy` that holds this fact. */
const char *applies_column(enum applies_fact fact);

/* Whether evidence `proxy` may hold VALUE there. */
bool applies_knows(enum applies_fact fact, const char *value);

/* Whether TEXT is well-formed; NULL is (always applies). */
bool applies_valid(const char *text, struct err *err);

/* Whether a check with the (valid) TEXT applies; when not, WHY gets the reason. */
bool applies_to(const char *text, const struct applies_facts *facts, struct err *why);

#endif
