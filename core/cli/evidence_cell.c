/* Command: evidence. Makes single values fit to leave: valid UTF-8, redacted unless asked otherwise. */
#include "cli/evidence_cell.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "source/redact.h"
#include <stdlib.h>
#include <string.h>

#define CELL_MAX (1u << 20)

static char *to_utf8(const char *text, size_t len)
{
    char *clean = xmalloc(len * 3 + 1);
    str_to_utf8(clean, len * 3 + 1, text, len);
    return clean;
}

char *evidence_cell_clean(const char *text, bool redact)
{
    if (!redact)
        return to_utf8(text, strlen(text));
    struct buf redacted;
    struct redact_counts counts = {0};
    buf_init(&redacted, CELL_MAX);
    redact_text(&redacted, text, strlen(text), &counts);
    char *clean = to_utf8(buf_str(&redacted), redacted.len);
    buf_release(&redacted);
    return clean;
}

static void clean_strings(cJSON *node, bool redact, int depth)
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

cJSON *evidence_cell_document(const cJSON *document, bool redact)
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
