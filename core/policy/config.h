/* The configuration file debrief.yaml: which one is used, and what stands in it. It is read before
 * anything else happens and changes nothing by itself: the plan takes parameters and selection from it,
 * ruling.h severities and waivers. */
#ifndef DEBRIEF_POLICY_CONFIG_H
#define DEBRIEF_POLICY_CONFIG_H

#include "base/arena.h"
#include "base/err.h"
#include "source/redact.h"
#include <stdbool.h>
#include <stddef.h>

#define CONFIG_NAME "debrief.yaml"

struct config_param { /* a check's parameter, as --param sets it */
    const char *check, *name, *value;
    size_t line;
};

struct config_severity {
    const char *finding; /* an id or a glob */
    int severity;        /* enum debrief_severity */
    size_t line;
    size_t *met; /* how many findings, counted by ruling_apply() */
};

struct config_waiver {
    const char *finding, *target; /* globs */
    const char *reason, *owner;
    const char *expires; /* "2026-12-31": the last day on which it holds, in UTC */
    size_t line;
    bool expired; /* on the day on which the file was read */
    size_t *met;  /* how many findings, counted by ruling_apply() */
};

struct config {
    struct arena *arena;
    const char *path; /* as it is shown */
    char sha256[65];
    bool
        found_here; /* in the current directory, named by nobody: it may have come with the evidence */
    struct config_param *params;
    size_t params_len;
    char **plugin_path; /* relative ones are made relative to the file */
    size_t plugin_path_len;
    const char *select, *skip; /* lists with commas, as on the command line; NULL */
    size_t select_line, skip_line;
    const char *fail_on;                /* "warning"; NULL */
    struct config_severity *severities; /* the first that matches counts */
    size_t severities_len;
    struct config_waiver *waivers;
    size_t waivers_len;
    struct redact_pattern *redact_patterns; /* that redact_policy_new() takes */
    size_t redact_patterns_len;
    bool redact_identities; /* as --redact identities */
};

/* The file that is used: NAMED, else $DEBRIEF_CONFIG, else ./debrief.yaml, else that of the user, else
 * that of the machine; "none" is none. *config is NULL where there is none. False with a usage error
 * "FILE:LINE: ..." */
bool config_load(struct config **config, const char *named, struct err *err);
void config_free(struct config *config); /* NULL is fine */

#endif
