/* Facts: what a comparison wants of one target's evidence, picked in its reader and sent to the
 * supervisor beside the target's row:
 *   {"gathered":"2026-11-21T08:00:00Z","uptime":11,"own":["10.0.0.7","orders-7c9d-x2b"],
 *    "sources":["admin/config_dump.json",...],
 *    "tables":[{"rule":3,"state":"complete","cut":false,"how":"absent: to supply it",
 *               "rows":[[SOURCE,"locator",["key",...],["cell" or null,...]],...]},...],
 *    "stats":{"state":"complete","cut":false,"rows":[[SOURCE,"name","value"],...]}}
 * Rules are counted as in compare/rules.h. Texts are redacted and bounded. */
#ifndef DEBRIEF_COMPARE_FACTS_H
#define DEBRIEF_COMPARE_FACTS_H

#include "evidence/evidence.h"
#include "evidence/need.h"
#include "source/redact.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Adds to NEEDS what the rules read, so that sources are asked for and records kept. */
void facts_need(struct need_set *needs);

/* The facts of EVIDENCE, gathered at WHEN (ns since the epoch; 0: not known); the caller's. */
cJSON *facts_gather(struct evidence *evidence, int64_t when, const struct redact_policy *redact);

/* own.c: the names and addresses by which this instance tells itself from its siblings. */
cJSON *facts_own(const struct evidence *evidence);

#endif
