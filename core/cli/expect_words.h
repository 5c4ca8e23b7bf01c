/* The words that a case expects of a report (`says`, `not_says`; docs/cases.md). */
#ifndef DEBRIEF_CLI_EXPECT_WORDS_H
#define DEBRIEF_CLI_EXPECT_WORDS_H

#include "base/buf.h"
#include <cjson/cJSON.h>

/* WHY is told each pattern of EXPECT that TARGET does not fit. */
void expect_words(const cJSON *expect, const cJSON *target, struct buf *why);

#endif
