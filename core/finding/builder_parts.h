/* The inside of the finding builder, shared by builder.c (what checks say) and builder_json.c (what leaves
 * for the report). Inner header of finding/. */
#ifndef DEBRIEF_FINDING_BUILDER_PARTS_H
#define DEBRIEF_FINDING_BUILDER_PARTS_H

#include "finding/builder.h"
#include "finding/names.h"
#include "finding/words.h"

enum {
    NAME_CAP = 512,
    MESSAGE_CAP = 2048,
    SNIPPET_CAP = 16384,
    CITATIONS_KEPT = 8,
    WALKS_CAP = 16,
    LIST_CAP = 50, /* fix steps, references, candidates, asks, findings apart */
    FINDINGS_CAP = 500,
};

struct builder_finding {
    struct builder *builder;
    struct builder_finding *next;
    const struct check_finding *type;
    const char *kind, *name, *message;
    int severity, confidence, when;
    int64_t first, last;
    uint64_t cited, counted; /* events cited; what span() said */
    const struct record *citations[CITATIONS_KEPT];
    size_t citations_len;
    cJSON *fix, *references, *candidates; /* arrays; NULL while empty */
};

struct builder {
    struct arena *arena;
    const struct plan_check *check;
    const struct evidence *evidence;
    const struct redact_policy *redact;
    char *fault, *inapplicable;
    bool placed; /* the fault says where it happened */
    struct builder_finding *findings, **end;
    size_t findings_len;
    struct builder_finding nowhere; /* where reports go after a fault */
    cJSON *asks, *walks;
    struct names *names; /* NULL until a command is written */
    size_t work;         /* what may still be looked through for lines of citations */
    struct words words;  /* the mesh and platform that texts are fitted to */
};

/* TEXT as it may leave: redacted, valid UTF-8, at most CAP bytes. Nothing when it is NULL or empty. */
void builder_put(struct builder *builder, cJSON *object, const char *name, const char *text,
                 size_t cap);

#endif
