/* Reports: the result is computed once, as the JSON document of contract.md, and every writer renders
 * that document and nothing else, so `debrief report FILE` gives the same bytes as the run itself. */
#ifndef DEBRIEF_REPORT_REPORT_H
#define DEBRIEF_REPORT_REPORT_H

#include "base/buf.h"
#include "base/err.h"
#include "check/registry.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

/* How the `why` of an ask begins that stands for missing evidence; ids of checks follow. */
#define REPORT_NEEDED_BY "needed by "

#define REPORT_SCHEMA   "debrief.report/1"
#define REPORT_SIZE_MAX (1024u << 20) /* bytes of a report, written or read */

enum fail_on {
    FAIL_ON_UNSET = -1, /* as the report's policy says, else as FAIL_ON_ERROR */
    FAIL_ON_ERROR,
    FAIL_ON_WARNING,
    FAIL_ON_INCOMPLETE,
    FAIL_ON_NEVER
};

enum report_status { /* exit statuses, by the contract */
                     STATUS_OK = 0,
                     STATUS_FAILED = 1,
                     STATUS_USAGE = 2,
                     STATUS_ERRORS = 3,
                     STATUS_WARNINGS = 4,
                     STATUS_INCOMPLETE = 5,
                     STATUS_INTERRUPTED = 130,
};

/* Puts the document together: takes TARGETS, fills tool, times, summary, verdict. */
cJSON *report_new(cJSON *targets, const struct registry *registry, int64_t started,
                  int64_t finished);

/* Reads a saved report ("-": standard input); refuses another schema, with what it is. */
cJSON *report_load(const char *path, struct err *err);

/* Computes `summary` anew from the targets, which changed: merged, compared with a baseline. What is
 * gone since a baseline stays as it was counted. */
void report_summarise(cJSON *report);

/* Puts POLICY (taken; NULL: nothing) and the members of targets and findings where the contract has
 * them: for those who add to a finished report. */
void report_put_policy(cJSON *report, cJSON *policy);
void report_arrange(cJSON *report);

/* Whether a source of this target could not be read to its end, or a check ended in error. */
bool report_target_incomplete(const cJSON *target);

/* Exit status by the contract, from the document alone (130 and 2 are the caller's). */
int report_exit(const cJSON *report, enum fail_on fail_on);

/* The state of a monitoring plugin, for an exit status that warnings make non-zero too: what the format
 * "nagios" says and `--exit nagios` exits with. */
enum report_state { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };
enum report_state report_nagios(int status);

struct report_style { /* for writers that are read by people */
    bool color, unicode;
    int width; /* columns; 0: do not wrap */
    bool quiet, verbose;
};

struct report_writer {
    const char *name; /* "text", "json" */
    bool (*write)(struct buf *out, const cJSON *report, const struct report_style *style,
                  struct err *err);
};

const struct report_writer *report_writer_find(const char *name); /* NULL: no such format */
const char *report_writer_names(void);                            /* "text, json" */

#endif
