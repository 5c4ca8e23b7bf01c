/* What a policy holds. Inner header of redaction; everybody else knows redact.h. */
#ifndef DEBRIEF_SOURCE_REDACT_POLICY_H
#define DEBRIEF_SOURCE_REDACT_POLICY_H

#include "source/pseudonym.h"
#include "source/redact.h"
#include "source/redact_pattern.h"

struct redact_policy {
    struct redact_patterns *patterns; /* NULL: none */
    struct pseudonyms *names;         /* NULL: identities stay */
    bool again;                       /* for what was redacted before */
    struct redact_policy *parts[2];   /* secrets, again; NULL in parts, and without identities */
    const char *kinds[REDACT_KINDS_MAX];
    size_t kinds_len;
};

#endif
