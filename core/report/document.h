/* Reading the report document: what several writers want to know of it in the same words. Missing members
 * and members of another type never fail: a report may have been edited by hand. */
#ifndef DEBRIEF_REPORT_DOCUMENT_H
#define DEBRIEF_REPORT_DOCUMENT_H

#include "base/buf.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

/* The text at PATH (json_at), or FALLBACK. */
const char *document_str(const cJSON *object, const char *path, const char *fallback);

/* info 0, warning 1, error 2. */
int document_severity(const cJSON *finding);

/* Whether a waiver that has not expired takes FINDING out of the counts and the exit status. */
bool document_waived(const cJSON *finding);

/* Whether FINDING may make the exit status: it is not waived, and beside a baseline it is new or worse. */
bool document_decides(const cJSON *finding);

/* How many of ROWS have this VALUE. */
int document_count(const cJSON *rows, const char *member, const char *value);

/* How many findings of TARGET have this severity and are not waived: what the contract calls errors and
 * warnings. */
int document_findings(const cJSON *target, const char *severity);

/* Whether FINDING asks to be acted on by itself: it is a cause that is not waived, or a warning or an error
 * all of whose causes are waived or were made notes by the configuration, which cover nothing else. */
bool document_stands(const cJSON *target, const cJSON *finding);

/* The same where causes are found by FIND: for those who ask of every finding, see relations.h. */
typedef const cJSON *document_find_fn(const void *where, const char *id);
bool document_stands_among(const cJSON *finding, document_find_fn *find, const void *where);

/* The most probable root cause of TARGET among those that stand; else one that is waived; else NULL. */
const cJSON *document_first_cause(const cJSON *target);

/* What else than FINDING itself may be the cause, and it: its candidates; NULL where none is but itself. */
const cJSON *document_rivals(const cJSON *finding);

/* The timeline of TARGET where it tells an order of events, one of which a finding rests on; else NULL: the
 * start of a proxy alone is no story. */
const cJSON *document_timeline(const cJSON *target);

/* "3 jwt, 1 password": what was removed from the evidence of TARGET, by kind; nothing when nothing was. */
void document_redactions(struct buf *out, const cJSON *target);

/* Appends TEXT as valid UTF-8 without control characters other than tab and line end. */
void document_text(struct buf *out, const char *text);

/* Where a proof stands: "log/envoy.log:16", "admin/config_dump.json:/configs/2",
 * "manifest/pod.yaml:12:/spec". */
void document_place(struct buf *out, const cJSON *proof);

/* Whether the proxy of TARGET was asked and gave no page at all: what else is known of it is old. */
bool document_unreachable(const cJSON *target);

#endif
