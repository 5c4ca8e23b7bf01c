/* Command: evidence. Makes single values fit to leave: valid UTF-8, redacted unless asked otherwise. */
#include "cli/evidence_cell.h"
#include "base/json.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

char *evidence_cell_clean(const char *text, const struct redact_policy *redact)
{
    return redact_leaving(text, strlen(text), SIZE_MAX, redact, NULL);
}

static void clean_strings(cJSON *node, const struct redact_policy *redact, int depth)
{
    cJSON *child;
    if (cJSON_IsString(node)) {
        char *clean = evidence_cell_clean(node->valuestring, redact);
        cJSON_SetValuestring(node, clean);
        free(clean);
    }
    cJSON_ArrayForEach (child, node) {
        if (depth < JSON_DEPTH_MAX)
            clean_strings(child, redact, depth + 1);
    }
}

cJSON *evidence_cell_document(const cJSON *document, const struct redact_policy *redact)
{
    cJSON *copy = cJSON_Duplicate(document, true);
    clean_strings(copy, redact, 0);
    return copy;
}

const char *evidence_cell_state(const struct evidence *evidence, const char *name)
{
    static const char *const states[] = {"absent", "partial", "complete"};
    return states[evidence_state(evidence, name)];
}
