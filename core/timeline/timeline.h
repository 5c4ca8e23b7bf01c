/* The timeline of a target: what its sources say happened, in the order in which it happened, whatever
 * clock, log or API told it. An entry is one event or a run of equal ones. Made in two steps: what the
 * evidence tells, where the evidence is; what the findings add, once they are correlated. */
#ifndef DEBRIEF_TIMELINE_TIMELINE_H
#define DEBRIEF_TIMELINE_TIMELINE_H

#include "evidence/evidence.h"
#include "source/redact.h"
#include <cjson/cJSON.h>

enum {
    TIMELINE_PER_RULE = 12, /* entries of one kind of event; the rest is counted in `more` */
};

/* Member of an entry between the two steps: further places that it stands for. */
#define TIMELINE_CITED "cited"

/* Equal events that are no further apart than this are one entry with a count. */
#define TIMELINE_EPISODE (3600 * CLOCK_SECOND)

enum timeline_lane { LANE_PROXY, LANE_CONFIG, LANE_REQUESTS, LANE_PLATFORM, LANE_CERTIFICATES };

/* How records become events: a row for each kind of moment that some evidence tells. */
struct timeline_rule {
    const char *evidence; /* its name */
    /* What tells the time: a field (RFC 3339 or epoch seconds); NULL: the record's own time. */
    const char *time;
    /* The event's words: {field} stands for a value, [a part in brackets] vanishes when a value in it
     * is not known; without brackets the event vanishes. */
    const char *text;
    enum timeline_lane lane;
    const char *each;         /* of objects: the list whose items are the events; else NULL */
    const char *where, *what; /* only records whose field `where` is `what` (NULL: is not known) */
};

extern const struct timeline_rule timeline_rules[]; /* ends with `evidence` NULL */

const char *timeline_lane_name(enum timeline_lane lane); /* "proxy", "config" ... */

/* What the evidence tells, as the report's `timeline` (docs/report.schema.json), in order of time.
 * GATHERED: when the evidence was gathered, ns since the epoch; 0: not known. REDACT: what must not leave. */
cJSON *timeline_gather(struct evidence *evidence, int64_t gathered,
                       const struct redact_policy *redact);

/* Joins the `findings` of the report's TARGET to its `timeline`: an entry that a finding cites names it,
 * and a finding with a time that no entry shows gets an entry of its own. */
void timeline_join(cJSON *target);

#endif
