/* Lines that a container runtime has cut into records, as CRI ("... stderr P ...") and Docker (no line
 * end in "log") do behind 8 or 16 kB: a secret may go on in the next record. */
#ifndef DEBRIEF_SOURCE_REDACT_SPLIT_H
#define DEBRIEF_SOURCE_REDACT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether what ends at TEXT[at] goes on at TEXT[*next], behind what stands around records. */
bool redact_split_goes_on(const char *text, size_t len, size_t at, size_t *next);

#endif
