/* Collect: which external commands may be run at all. Reads an argument vector and one table; writes
 * nothing. The verbs are the readers' own: nothing here changes anything, and what would print a
 * credential (Secrets, tokens, passwords) is not among them although its verb says get. */
#include "collect/command.h"

#include "base/str.h"

#include <string.h>

static const struct verb {
    const char *program, *first, *second; /* globs over the first two arguments; NULL: any */
} verbs[] = {
    {"aws", "acm", "describe-*"},
    {"aws", "acm", "list-*"},
    {"aws", "appmesh", "describe-*"},
    {"aws", "appmesh", "list-*"},
    {"aws", "ec2", "describe-*"},
    {"aws", "ec2", "get-managed-prefix-list-entries"},
    {"aws", "ecr", "describe-*"},
    {"aws", "ecr", "get-repository-policy"},
    {"aws", "ecs", "describe-*"},
    {"aws", "ecs", "list-*"},
    {"aws", "elbv2", "describe-*"},
    {"aws", "iam", "get-instance-profile"},
    {"aws", "iam", "get-policy"},
    {"aws", "iam", "get-policy-version"},
    {"aws", "iam", "get-role"},
    {"aws", "iam", "get-role-policy"},
    {"aws", "iam", "list-*"},
    {"aws", "logs", "describe-*"},
    {"aws", "logs", "filter-log-events"},
    {"aws", "servicediscovery", "get-*"},
    {"aws", "servicediscovery", "list-*"},
    {"kubectl", "config", "current-context"},
    {"kubectl", "get", NULL},
    {"kubectl", "logs", NULL},
    {"kubectl", "port-forward", NULL},
    {"kubectl", "version", NULL},
};

static bool fits(const char *glob, const char *argument)
{
    return !glob || (argument && str_glob(glob, argument));
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
    for (size_t i = 0; argv[0] && i < sizeof verbs / sizeof *verbs; i++)
        listed = listed || (strcmp(argv[0], verbs[i].program) == 0 && argv[1] &&
                            fits(verbs[i].first, argv[1]) && fits(verbs[i].second, argv[2]));
    if (!listed)
        return err_set(err, "'%s %s %s' is not among the commands that only read",
                       argv[0] ? argv[0] : "", argv[0] && argv[1] ? argv[1] : "",
                       argv[0] && argv[1] && argv[2] ? argv[2] : "");
    bool kubectl = strcmp(argv[0], "kubectl") == 0;
    for (size_t i = kubectl ? 2 : 3; argv[i]; i++)
        if (is_barred(argv[i]))
            return err_set(err, "'%s' is not passed to %s", argv[i], argv[0]);
    return true;
}
