/* Evidence for people and for scripts: an overview of names, records as table or JSON, the dictionary as
 * Markdown. */
#ifndef DEBRIEF_CLI_EVIDENCE_VIEW_H
#define DEBRIEF_CLI_EVIDENCE_VIEW_H

#include "base/buf.h"
#include "evidence/evidence.h"
#include "report/report.h"
#include "source/redact.h"
#include <stdbool.h>
#include <stddef.h>

struct evidence_names { /* sorted */
    const char **items; /* borrowed strings */
    size_t len;
};

/* Adds NAME when GLOB fits it (NULL: all). */
void evidence_names_add(struct evidence_names *names, const char *name, const char *glob);
void evidence_names_release(struct evidence_names *names);

struct evidence_view {
    const struct evidence *evidence;
    const struct evidence_names *names;
    const char *target;
    bool records; /* with the records, not only how many */
    const struct redact_policy *redact;
    const struct report_style *style;
};

void evidence_view_text(const struct evidence_view *view, struct buf *out);
void evidence_view_json(const struct evidence_view *view, struct buf *out);
void evidence_view_dictionary(struct buf *out);

#endif
