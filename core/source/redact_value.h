/* Whether what stands behind a telling name is evidence after all: where the secret is kept, whether
 * there is one, what it is called. A report needs that, and it is no secret. */
#ifndef DEBRIEF_SOURCE_REDACT_VALUE_H
#define DEBRIEF_SOURCE_REDACT_VALUE_H

#include <stdbool.h>
#include <stddef.h>

/* The value is TEXT[start..end), its name stands at TELLING or around it. WEAK: the name is one of
 * more than secrets (KAFKA_PARTITION_KEY, SERVICE_AUTH), and words behind it are words. */
bool redact_value_is_evidence(const char *text, size_t telling, size_t start, size_t end,
                              bool weak);

#endif
