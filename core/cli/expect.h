/* What a case expects (docs/cases.md), and whether a report is that. */
#ifndef DEBRIEF_CLI_EXPECT_H
#define DEBRIEF_CLI_EXPECT_H

#include "base/buf.h"
#include "base/err.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

/* Reads and checks PATH: known members of the right types only. NULL with err. */
cJSON *expect_load(const char *path, struct err *err);

/* Whether REPORT and the exit STATUS are what EXPECT says; WHY is told each difference. */
bool expect_met(const cJSON *expect, const cJSON *report, int status, struct buf *why);

/* Whether the array NAME of EXPECT holds TEXT. */
bool expect_has(const cJSON *expect, const char *name, const char *text);

#endif
