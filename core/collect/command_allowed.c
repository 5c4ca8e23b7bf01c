/* Collect: which external commands may be run at all. Reads an argument vector and one table; writes
 * nothing. The verbs are the readers' own: nothing here changes anything, and what would print a
 * credential (Secrets, tokens, passwords) is not among them although its verb says get. */
#include "collect/command.h"

#include "base/str.h"

#include <string.h>

static const struct verb {
    const char *program, *first, *second; /* globs over the first two arguments; NULL: any */
    bool alone;                           /* nothing may follow */
} verbs[] = {
    {"aws", "acm", "describe-*", false},
    {"aws", "acm", "list-*", false},
    {"aws", "appmesh", "describe-*", false},
    {"aws", "appmesh", "list-*", false},
    {"aws", "ec2", "describe-*", false},
    {"aws", "ec2", "get-managed-prefix-list-entries", false},
    {"aws", "ecr", "describe-*", false},
    {"aws", "ecr", "get-repository-policy", false},
    {"aws", "ecs", "describe-*", false},
    {"aws", "ecs", "list-*", false},
    {"aws", "elbv2", "describe-*", false},
    {"aws", "iam", "get-instance-profile", false},
    {"aws", "iam", "get-policy", false},
    {"aws", "iam", "get-policy-version", false},
    {"aws", "iam", "get-role", false},
    {"aws", "iam", "get-role-policy", false},
    {"aws", "iam", "list-*", false},
    {"aws", "logs", "describe-*", false},
    {"aws", "logs", "filter-log-events", false},
    {"aws", "servicediscovery", "get-*", false},
    {"aws", "servicediscovery", "list-*", false},
    {"ip6tables-save", "-c", "", true},
    {"iptables-save", "-c", "", true},
    {"kubectl", "config", "current-context", false},
    {"kubectl", "get", NULL, false},
    {"kubectl", "logs", NULL, false},
    {"kubectl", "port-forward", NULL, false},
    {"kubectl", "version", NULL, false},
    {"nft", "list", "ruleset", true},
};

/* An argument that is not there is "". */
static bool fits(const char *glob, const char *argument)
{
    return !glob || str_glob(glob, argument);
}

static bool is_row(const struct verb *verb, const char *const *argv, size_t len)
{
    return len > 1 && strcmp(argv[0], verb->program) == 0 && fits(verb->first, argv[1]) &&
           fits(verb->second, len > 2 ? argv[2] : "") && (!verb->alone || len <= 3);
}

/* The verb reads, the argument does not: a local file, a credential, another way to the server. */
static bool is_barred(const char *argument)
{
    static const char *const globs[] = {
        "*://*", "secret*",   "*,secret*",       "--raw*",       "--kubeconfig*", "--token*",
        "--as*", "*/secret*", "--endpoint-url*", "--cli-input*", "-f*",           "--filename*"};
    for (size_t i = 0; i < sizeof globs / sizeof *globs; i++)
        if (str_glob(globs[i], argument))
            return true;
    return false;
}

bool command_allowed(const char *const *argv, struct err *err)
{
    bool listed = false;
    size_t len = 0;
    while (argv[len])
        len++;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        listed = listed || is_row(&verbs[i], argv, len);
    if (!listed)
        return err_set(err, "'%s %s %s' is not among the commands that only read",
                       argv[0] ? argv[0] : "", argv[0] && argv[1] ? argv[1] : "",
                       argv[0] && argv[1] && argv[2] ? argv[2] : "");
    bool kubectl = strcmp(argv[0], "kubectl") == 0;
    for (size_t i = kubectl ? 2 : 3; i < len; i++)
        if (is_barred(argv[i]))
            return err_set(err, "'%s' is not passed to %s", argv[i], argv[0]);
    return true;
}
