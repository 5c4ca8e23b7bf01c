/* The options of the command line: one table that drives the parser, the help of every command and the
 * manual. What an option means is documented there and nowhere else. */
#ifndef DEBRIEF_CLI_OPTIONS_H
#define DEBRIEF_CLI_OPTIONS_H

#include "base/clock.h"
#include "base/err.h"
#include "policy/config.h"
#include "report/report.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command_bit { /* which commands take an option */
                   FOR_CHECK = 1 << 0,
                   FOR_COLLECT = 1 << 1,
                   FOR_REPORT = 1 << 2,
                   FOR_DIFF = 1 << 3,
                   FOR_MERGE = 1 << 4,
                   FOR_EVIDENCE = 1 << 5,
                   FOR_LIST = 1 << 6,
                   FOR_EXPLAIN = 1 << 7,
                   FOR_NEW = 1 << 8,
                   FOR_LINT = 1 << 9,
                   FOR_TEST = 1 << 10,
                   FOR_VERSION = 1 << 11, /* debrief --version */
                   FOR_ALL = (1 << 12) - 1,
};

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum exit_rule { EXIT_CONTRACT, EXIT_NAGIOS };
enum section_lang { LANG_LUA, LANG_C };
enum redact_what {
    REDACT_WHAT_UNSET = -1, /* as the configuration says, else secrets */
    REDACT_WHAT_SECRETS,
    REDACT_WHAT_IDENTITIES
};

struct text_list { /* pointers into argv, owned list */
    char **items;
    size_t len;
};

struct options {
    const struct command *command; /* cli/cli.h */
    struct text_list operands, output, plugin_path, param, evidence;
    const char *bundle, *select, *skip, *targets, *cacert, *cert, *key, *dir, *shard, *kube, *aws;
    const char *config_path, *baseline, *redact_map;
    struct config *config;  /* read by session_config(); NULL: none */
    cJSON *baseline_report; /* read by session_baseline(); NULL: none */
    char baseline_sha256[65];
    int64_t timeout_ms, sample_ms, jobs;
    struct clock_bound since, until;
    int64_t shard_index, shard_count; /* 1-based; count 0: no shards */
    int fail_on, exit, color, lang, redact;
    bool host, probe, dry_run, no_redact, no_config, quiet, verbose, dictionary, compare, help;
};

struct option_row {
    char letter;          /* 0: none */
    const char *name;     /* without dashes */
    const char *argument; /* NULL: a switch */
    const char *help;
    unsigned commands;   /* of enum command_bit */
    int kind;            /* how the value is taken, see options.c */
    size_t offset;       /* where in struct options */
    const char *choices; /* "auto|always|never" in the order of the enum; NULL for other kinds */
};

const struct option_row *options_rows(size_t *len);

/* Reads ARGUMENTS (behind the command's name). Options and operands may be mixed; "--" ends options.
 * False with a usage error. */
bool options_parse(struct options *options, const struct command *command, char **arguments,
                   size_t len, struct err *err);
void options_release(struct options *options);

#endif
