/* Values of evidence on their way out: valid UTF-8, secrets replaced. Inner header of the command
 * `evidence`. */
#ifndef DEBRIEF_CLI_EVIDENCE_CELL_H
#define DEBRIEF_CLI_EVIDENCE_CELL_H

#include "evidence/evidence.h"
#include "source/redact.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

char *evidence_cell_clean(const char *text, const struct redact_policy *redact); /* to free */
/* The caller's to delete. */
cJSON *evidence_cell_document(const cJSON *document, const struct redact_policy *redact);

/* "absent", "partial", "complete". */
const char *evidence_cell_state(const struct evidence *evidence, const char *name);

#endif
