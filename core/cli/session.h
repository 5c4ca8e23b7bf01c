/* What several commands begin with: the registry of checks, the plan, the targets of the call. */
#ifndef DEBRIEF_CLI_SESSION_H
#define DEBRIEF_CLI_SESSION_H

#include "check/plan.h"
#include "check/registry.h"
#include "cli/options.h"
#include "cli/output.h"
#include "collect/collect.h"
#include "collect/target.h"
#include "source/bundle.h"
#include "source/redact.h"
#include <cjson/cJSON.h>

/* Reads the configuration of the call into OPTIONS, where its plugin path joins that of the command line,
 * and says on standard error when it is one that nobody named. False with a usage error. */
bool session_config(struct options *options, struct err *err);

/* Loads the registry from the plugin path and says on standard error which plugins are not used. */
bool session_registry(struct registry *registry, const struct options *options, struct err *err);

/* The work of a command, with what it needs; OUTPUTS is empty where it writes no formats. Returns the exit
 * status. */
typedef int session_work(const struct registry *registry, const struct outputs *outputs,
                         const struct options *options);

/* Opens the destinations of the call among FORMATS (NULL: the command has none), loads the registry, does
 * WORK, and releases both. Returns its status, or the usage error that was said. */
int session_run(const struct options *options, const char *formats, session_work *work);

/* Says on standard error which severities and waivers of the configuration are for findings that no check
 * has: misspelt, or of a section that is not installed here. */
void session_warn_policy(const struct registry *registry, const struct options *options);

/* Makes the plan of the call; a usage error otherwise. */
bool session_plan(struct plan *plan, const struct registry *registry, const struct options *options,
                  struct err *err);

/* The targets that the call names, by itself or in a list, less those of other shards. None named: the
 * one on this host. Returns STATUS_OK, or the exit status after it said what is wrong. */
int session_targets(struct targets *targets, const struct options *options);

/* The one target that OPERAND stands for; the caller releases TARGETS in any case. False with a usage error:
 * it stands for none or for several. */
bool session_one_target(struct targets *targets, char *operand, struct err *err);

/* What must not leave, as far as options say; *POLICY is NULL with --no-redact. False with a usage error. */
bool session_redaction(struct redact_policy **policy, const struct options *options,
                       struct err *err);

/* Keeps who is who where the call says so. Returns STATUS, or what a failure of that makes of it. */
int session_keep_names(const struct redact_policy *redact, int status);

/* A saved report. NULL after it said what is wrong: a file that is not there is a usage error, one that
 * is no report a failure; *STATUS says which. */
cJSON *session_report(const char *path, int *status);

/* Reads the report given as --baseline into OPTIONS, before anything takes time: output_report() compares
 * with it. STATUS_OK, or the exit status after it said what is wrong. */
int session_baseline(struct options *options);

/* How to collect, as far as options say. */
struct collect_options session_collect_options(const struct options *options);

/* Says on standard error what did not come back. STATUS_FAILED where nothing at all did. */
int session_judge_bundle(const struct bundle *bundle);

/* PATH is usable as a file name: characters other than [A-Za-z0-9.-] become '_'. The caller's to free. */
char *session_file_name(const char *name);

#endif
