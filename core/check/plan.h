/* The plan: which checks run with which parameters, and hence what must be gathered and looked for.
 * A plugin that was refused is in it too, as a check under the plugin's name that can only end in
 * `error` with the reason: a section that cannot be asked is never silent. */
#ifndef DEBRIEF_CHECK_PLAN_H
#define DEBRIEF_CHECK_PLAN_H

#include "check/registry.h"
#include "evidence/evidence.h"
#include "evidence/need.h"
#include "policy/config.h"
#include "read/scan.h"
#include "source/redact.h"

struct plan_check {
    const struct check_meta *meta;
    const char **params; /* values in the order of meta->params */
    const char *refused; /* why it cannot run: its plugin was refused; NULL */
};

struct plan {
    struct arena *arena;
    const struct registry *registry;
    struct plan_check *checks; /* sorted by id */
    size_t checks_len;
    struct need_set needs;
    struct scan_pattern *patterns; /* built-in ones that some need names, and the checks' own */
    size_t patterns_len;
    const struct config *config; /* severities and waivers for what is found; NULL: none */
    const char **left_out;       /* ids of checks that the configuration leaves out, sorted */
    size_t left_out_len;
    /* What else the reader says of the evidence, beside the row: gathered WHEN; the caller's. NULL:
     * nothing. It goes into the row as `facts`. */
    cJSON *(*facts)(struct evidence *evidence, int64_t when, const struct redact_policy *redact);
};

struct plan_options {
    const char *select, *skip; /* comma lists of ids, globs, sections, tag:NAME; NULL: all, none */
    char *const *params;       /* "CHECK.NAME=VALUE" */
    size_t params_len;
    /* Its parameters hold unless PARAMS says otherwise; so do its select and skip. Borrowed; NULL. */
    const struct config *config;
};

/* False with a usage error: an item of --select or --skip that matches nothing, a parameter that no
 * selected check has (in the configuration: that no check has), a value of the wrong type. */
bool plan_make(struct plan *plan, const struct registry *registry,
               const struct plan_options *options, struct err *err);
void plan_release(struct plan *plan);

#endif
