/* Redaction of a JSON tree: every text in it, names of members excepted. */
#ifndef DEBRIEF_SOURCE_REDACT_JSON_H
#define DEBRIEF_SOURCE_REDACT_JSON_H

#include "source/redact.h"
#include <cjson/cJSON.h>

/* In place. What is called one of EXCEPT (ends with NULL) stays. COUNTS is added to. */
void redact_json(cJSON *tree, const char *const *except, const struct redact_policy *policy,
                 struct redact_counts *counts);

/* Learns who is named in the texts of TREE, where POLICY replaces identities. */
void redact_json_learn(const cJSON *tree, const struct redact_policy *policy);

/* Counts the marks in the texts of TREE that redaction has left there before. */
void redact_json_count(const cJSON *tree, const struct redact_policy *policy,
                       struct redact_counts *counts);

#endif
