/* The finding builder: what checks say, C and Lua alike, becomes the JSON of the report's `findings`
 * and `asks`. All text is made valid UTF-8, cut to sane lengths and passed through redaction here, the
 * one place where evidence leaves for a report. */
#ifndef DEBRIEF_FINDING_BUILDER_H
#define DEBRIEF_FINDING_BUILDER_H

#include "check/plan.h"
#include "evidence/evidence.h"
#include "source/redact.h"
#include <cjson/cJSON.h>

struct builder; /* one check on one target */
struct builder_finding;

struct builder *builder_new(const struct plan_check *check, const struct evidence *evidence,
                            const struct redact_policy *redact);
void builder_free(struct builder *builder);

/* What the check did wrong ("reported 'x.y', which it does not declare"); NULL when nothing. */
const char *builder_fault(const struct builder *builder);
void builder_set_fault(struct builder *builder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Says where in a script it happened ("site.lua:12: "); the first place stands. */
void builder_place_fault(struct builder *builder, const char *place);

/* Never NULL: after a fault it returns a finding that leads nowhere. Same id and subject: same one. */
struct builder_finding *builder_report(struct builder *builder, const char *id,
                                       const char *subject_kind, const char *subject_name,
                                       const char *message);
void builder_severity(struct builder_finding *finding, int severity);
void builder_confidence(struct builder_finding *finding, int confidence);
void builder_when(struct builder_finding *finding, int when);
void builder_cite(struct builder_finding *finding, const struct record *record); /* NULL: nothing */
void builder_span(struct builder_finding *finding, int64_t first, int64_t last, uint64_t count);
void builder_advise(struct builder_finding *finding, const char *text, const char *command);
void builder_snippet(struct builder_finding *finding, const char *text, const char *path,
                     const char *content);
void builder_reference(struct builder_finding *finding, const char *url);
void builder_candidate(struct builder_finding *finding, const char *id, const char *speaks_for,
                       const char *speaks_against);
/* The finding rests on the way of this request (reason/walk.h). */
struct walk;
void builder_walked(struct builder_finding *finding, const struct walk *walk);
void builder_ask(struct builder *builder, const char *evidence, const char *why, const char *how);
void builder_not_applicable(struct builder *builder, const char *reason);

const char *builder_inapplicable(const struct builder *builder); /* the reason, or NULL */
size_t builder_asks_len(const struct builder *builder);
/* The worst severity reported so far, 0 when none. */
int builder_worst(const struct builder *builder);
/* Fresh arrays, the caller's; what the contract says of findings less role, rank and links. */
cJSON *builder_findings(const struct builder *builder);
cJSON *builder_asks(const struct builder *builder);
cJSON *builder_walks(const struct builder *builder);

#endif
