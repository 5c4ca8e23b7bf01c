/* The command line: the one table of options and its parser. Reads argv, writes struct options.
 * Deliberately knows no abbreviations: a script must not change its meaning when an option is added. */
#include "cli/options.h"
#include "base/alloc.h"
#include "base/str.h"
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

enum kind {
    KIND_SWITCH,
    KIND_TEXT,
    KIND_LIST,
    KIND_DURATION,
    KIND_TIME,
    KIND_NUMBER,
    KIND_CHOICE,
    KIND_SHARD
};

#define AT(member) offsetof(struct options, member)
#define GATHERING  (FOR_CHECK | FOR_COLLECT)
#define ASKING     (GATHERING | FOR_EVIDENCE | FOR_DIFF)
#define REPORTING  (FOR_CHECK | FOR_REPORT | FOR_MERGE | FOR_DIFF)
#define CONFIGURED (ASKING | FOR_LIST | FOR_EXPLAIN | FOR_VERSION)
#define WITH_CHECKS                                                                                \
    (FOR_CHECK | FOR_EVIDENCE | FOR_DIFF | FOR_LIST | FOR_EXPLAIN | FOR_LINT | FOR_TEST |          \
     FOR_VERSION)

static const struct option_row rows[] = {
    {'o', "output", "FORMAT[=FILE]",
     "the format of the result, to standard output or into FILE; may be repeated with FILEs",
     REPORTING | FOR_EVIDENCE | FOR_LIST, KIND_LIST, AT(output), NULL},
    {0, "evidence", "PATH",
     "a further file or directory about the one target (a log, a manifest, describe-tasks output); "
     "may be "
     "repeated",
     GATHERING, KIND_LIST, AT(evidence), NULL},
    {0, "targets", "FILE", "read targets from FILE: one a line, then optionally name=NAME; or YAML",
     GATHERING, KIND_TEXT, AT(targets), NULL},
    {0, "kube", "[NAMESPACE/][KIND/]NAME",
     "ask the cluster, by kubectl, about this pod (or deploy/NAME, ds/NAME, sts/NAME, svc/NAME); "
     "evidence about the one target, or the target itself: like k8s:...",
     GATHERING, KIND_TEXT, AT(kube), NULL},
    {0, "aws", "CLUSTER/TASK",
     "ask AWS, by aws, about this task (or CLUSTER/service/NAME, mesh/MESH/virtualNode/NAME, an "
     "ARN); evidence about the one target, or the target itself: like ecs:...",
     GATHERING, KIND_TEXT, AT(aws), NULL},
    {0, "host", NULL,
     "read what this machine says of its Envoy: capabilities, limits, sockets, settings, resolver, "
     "clock, packet filter; evidence about the one target, or the target itself",
     GATHERING, KIND_SWITCH, AT(host), NULL},
    {0, "probe", NULL,
     "also connect, from this machine, to what the evidence names: the management server, the "
     "admin "
     "page, what a load balancer or a readiness probe asks (DNS, TCP, TLS, GET); at most 8 places",
     GATHERING, KIND_SWITCH, AT(probe), NULL},
    {0, "bundle", "PATH",
     "where the bundle goes: .tar.gz, .tar.zst or .zip, else a directory; for several targets a "
     "directory",
     FOR_COLLECT, KIND_TEXT, AT(bundle), NULL},
    {0, "select", "LIST", "only these checks: ids, globs, sections, tag:NAME, separated by commas",
     FOR_CHECK | FOR_LIST, KIND_TEXT, AT(select), NULL},
    {0, "skip", "LIST", "not these checks; wins over --select", FOR_CHECK | FOR_LIST, KIND_TEXT,
     AT(skip), NULL},
    {0, "param", "CHECK.NAME=VALUE",
     "set a check's parameter (debrief explain CHECK lists them); also 'params' in debrief.yaml",
     FOR_CHECK, KIND_LIST, AT(param), NULL},
    {0, "plugin-path", "DIR", "look for more sections in DIR; also DEBRIEF_PLUGIN_PATH",
     WITH_CHECKS, KIND_LIST, AT(plugin_path), NULL},
    {0, "config", "FILE",
     "take the configuration from FILE instead of DEBRIEF_CONFIG, ./debrief.yaml, that of the user "
     "(~/.config/debrief/debrief.yaml) or of this machine (/etc/debrief/debrief.yaml)",
     CONFIGURED, KIND_TEXT, AT(config_path), NULL},
    {0, "no-config", NULL, "take none of them", CONFIGURED, KIND_SWITCH, AT(no_config), NULL},
    {0, "baseline", "REPORT.json",
     "compare with this earlier report: only findings that are new or worse make the exit status",
     FOR_CHECK | FOR_REPORT | FOR_MERGE, KIND_TEXT, AT(baseline), NULL},
    {0, "fail-on", "LEVEL",
     "from which level on the exit status is not 0: error (default), warning, incomplete, never",
     REPORTING, KIND_CHOICE, AT(fail_on), "error|warning|incomplete|never"},
    {0, "exit", "RULE",
     "what the exit status means: contract (default), or nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 "
     "UNKNOWN (usage errors and failures too), whatever --fail-on says",
     FOR_CHECK | FOR_REPORT | FOR_MERGE, KIND_CHOICE, AT(exit), "contract|nagios"},
    {0, "dry-run", NULL, "print what would be asked of whom, and ask nothing", GATHERING,
     KIND_SWITCH, AT(dry_run), NULL},
    {0, "sample", "DURATION",
     "ask the admin address for its counters a second time after DURATION, and tell what happens "
     "now from what happened before",
     GATHERING, KIND_DURATION, AT(sample_ms), NULL},
    {0, "since", "TIME",
     "leave out log lines and events before TIME: 2026-11-21T08:00:00Z, or how long before the "
     "evidence was gathered (30m, 2h)",
     FOR_CHECK | FOR_EVIDENCE, KIND_TIME, AT(since), NULL},
    {0, "until", "TIME", "leave out log lines and events after TIME", FOR_CHECK | FOR_EVIDENCE,
     KIND_TIME, AT(until), NULL},
    {0, "timeout", "DURATION", "how long one target may take: 500ms, 10s, 1m30s (default 60s)",
     ASKING, KIND_DURATION, AT(timeout_ms), NULL},
    {0, "jobs", "N", "how many targets at the same time (default: one per processor)", GATHERING,
     KIND_NUMBER, AT(jobs), NULL},
    {0, "shard", "I/N",
     "only every Nth target, beginning with the Ith; debrief merge joins the reports", GATHERING,
     KIND_SHARD, AT(shard), NULL},
    {0, "cacert", "FILE", "trust this certificate authority for an https admin address", ASKING,
     KIND_TEXT, AT(cacert), NULL},
    {0, "cert", "FILE", "client certificate for an https admin address", ASKING, KIND_TEXT,
     AT(cert), NULL},
    {0, "key", "FILE", "its private key", ASKING, KIND_TEXT, AT(key), NULL},
    {0, "redact", "WHAT",
     "secrets (default), or identities: also accounts, addresses, names of hosts and users, under "
     "pseudonyms that are equal where these are",
     ASKING, KIND_CHOICE, AT(redact), "secrets|identities"},
    {0, "redact-map", "FILE",
     "keep who is who in FILE, for yourself alone; pseudonyms are the same with the same FILE",
     ASKING, KIND_TEXT, AT(redact_map), NULL},
    {0, "no-redact", NULL, "leave secrets in excerpts and bundles as they are", ASKING, KIND_SWITCH,
     AT(no_redact), NULL},
    {0, "compare", NULL,
     "OLD and NEW are two targets, one that works and one that does not: both are gathered, "
     "checked "
     "and compared by version, options, bootstrap, environment, listeners, clusters, routes, "
     "certificates and statistics",
     FOR_DIFF, KIND_SWITCH, AT(compare), NULL},
    {0, "dictionary", NULL, "print the dictionary of evidence names instead (Markdown)",
     FOR_EVIDENCE, KIND_SWITCH, AT(dictionary), NULL},
    {0, "lang", "LANG", "the language of the new section: lua (default) or c", FOR_NEW, KIND_CHOICE,
     AT(lang), "lua|c"},
    {0, "dir", "DIR", "make it in DIR (default: here)", FOR_NEW, KIND_TEXT, AT(dir), NULL},
    {'q', "quiet", NULL, "one line per target", REPORTING | FOR_LINT | FOR_TEST, KIND_SWITCH,
     AT(quiet), NULL},
    {'v', "verbose", NULL, "every check with its outcome, every proof, every problem",
     REPORTING | FOR_EVIDENCE | FOR_LIST, KIND_SWITCH, AT(verbose), NULL},
    {0, "color", "WHEN", "auto (default: on a terminal, unless NO_COLOR is set), always, never",
     REPORTING, KIND_CHOICE, AT(color), "auto|always|never"},
    {'h', "help", NULL, "print this help", FOR_ALL, KIND_SWITCH, AT(help), NULL},
};

const struct option_row *options_rows(size_t *len)
{
    *len = ARRAY_LEN(rows);
    return rows;
}

static void list_add(struct text_list *list, char *item)
{
    list->items = xrealloc(list->items, (list->len + 1) * sizeof *list->items);
    list->items[list->len++] = item;
}

static bool take_choice(int *out, const struct option_row *row, const char *value, struct err *err)
{
    int index = 0;
    for (const char *at = row->choices; *at; index++) {
        size_t len = strcspn(at, "|");
        if (strlen(value) == len && strncmp(at, value, len) == 0) {
            *out = index;
            return true;
        }
        at += len + (at[len] == '|');
    }
    return err_set(err, "option '--%s' takes %s, not '%s'", row->name, row->choices, value);
}

static bool take_shard(struct options *options, const char *value, struct err *err)
{
    char first[24] = "";
    const char *slash = strchr(value, '/');
    if (slash && (size_t)(slash - value) < sizeof first)
        memcpy(first, value, (size_t)(slash - value));
    if (slash && str_to_int64(first, &options->shard_index) &&
        str_to_int64(slash + 1, &options->shard_count) && options->shard_index >= 1 &&
        options->shard_index <= options->shard_count && options->shard_count <= 100000)
        return true;
    return err_set(err, "option '--shard' takes I/N with 1 <= I <= N, not '%s'", value);
}

static bool take_value(struct options *options, const struct option_row *row, char *value,
                       struct err *err)
{
    void *at = (char *)options + row->offset;
    int64_t *number = at;
    switch ((enum kind)row->kind) {
    case KIND_SWITCH:
        *(bool *)at = true;
        return true;
    case KIND_LIST:
        list_add(at, value);
        return true;
    case KIND_TEXT:
        *(const char **)at = value;
        return true;
    case KIND_DURATION:
        if (str_to_duration(value, number) && *number > 0)
            return true;
        return err_set(err, "option '--%s' takes a duration (500ms, 10s, 1m30s), not '%s'",
                       row->name, value);
    case KIND_TIME:
        if (clock_bound_parse(value, at))
            return true;
        return err_set(err,
                       "option '--%s' takes a time (2026-11-21T08:00:00Z) or how long ago (30m, "
                       "2h), not '%s'",
                       row->name, value);
    case KIND_NUMBER:
        if (str_to_int64(value, number) && *number >= 1 && *number <= 1024)
            return true;
        return err_set(err, "option '--%s' takes a number from 1 to 1024, not '%s'", row->name,
                       value);
    case KIND_CHOICE:
        return take_choice(at, row, value, err);
    case KIND_SHARD:
        return take_shard(options, value, err);
    }
    BUG("option '%s' has no kind", row->name);
}

static const struct option_row *row_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

static const struct option_row *row_by_letter(char letter)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

struct walk { /* through argv */
    char **arguments;
    size_t len, at;
};

static bool take_option(struct options *options, struct walk *walk, const struct option_row *row,
                        const char *shown, char *attached, struct err *err)
{
    if (!row)
        return err_set(err, "unknown option '%s'", shown);
    if (!(row->commands & options->command->bit))
        return err_set(err, "option '%s' is not for '%s'", shown, options->command->name);
    if (!row->argument && attached)
        return err_set(err, "option '%s' takes no value", shown);
    if (row->argument && !attached) {
        if (walk->at == walk->len)
            return err_set(err, "option '%s' needs a value: %s", shown, row->argument);
        attached = walk->arguments[walk->at++];
    }
    return take_value(options, row, attached, err);
}

static bool take_long(struct options *options, struct walk *walk, char *argument, struct err *err)
{
    char *equals = strchr(argument, '=');
    size_t len = equals ? (size_t)(equals - argument) : strlen(argument);
    char *shown = xstrndup(argument, len);
    bool ok = take_option(options, walk, row_by_name(argument + 2, len - 2), shown,
                          equals ? equals + 1 : NULL, err);
    free(shown);
    return ok;
}

/* "-o json", "-ojson", "-qv". */
static bool take_letters(struct options *options, struct walk *walk, char *argument,
                         struct err *err)
{
    for (char *at = argument + 1; *at; at++) {
        const struct option_row *row = row_by_letter(*at);
        const char shown[] = {'-', *at, 0};
        bool takes = row && row->argument;
        if (!take_option(options, walk, row, shown, takes && at[1] ? at + 1 : NULL, err))
            return false;
        if (takes)
            break;
    }
    return true;
}

bool options_parse(struct options *options, const struct command *command, char **arguments,
                   size_t len, struct err *err)
{
    struct walk walk = {arguments, len, 0};
    bool only_operands = false, ok = true;
    *options = (struct options){
        .command = command, .fail_on = FAIL_ON_UNSET, .redact = REDACT_WHAT_UNSET};
    while (ok && walk.at < walk.len) {
        char *argument = walk.arguments[walk.at++];
        if (only_operands || argument[0] != '-' || !argument[1])
            list_add(&options->operands, argument);
        else if (strcmp(argument, "--") == 0)
            only_operands = true;
        else if (argument[1] == '-')
            ok = take_long(options, &walk, argument, err);
        else
            ok = take_letters(options, &walk, argument, err);
    }
    return ok;
}

void options_release(struct options *options)
{
    free(options->operands.items);
    free(options->output.items);
    free(options->plugin_path.items);
    free(options->param.items);
    free(options->evidence.items);
    config_free(options->config);
    cJSON_Delete(options->baseline_report);
    *options = (struct options){0};
}
