/* Source: what is to be removed. Reads what the command line and the configuration say of it, writes
 * a policy. Deliberately judges everything here, before anything is gathered: a pattern that cannot be
 * used must not be noticed when the bundle is on its way. */
#include "source/redact_policy.h"

#include "base/alloc.h"
#include "source/redact_rules.h"

#include <stdlib.h>
#include <string.h>

static const char *const builtin[] = {
    "aws-key", "authorization", "jwt",          "private-key", "url-password", "password", "secret",
    "token",   "presigned-url", "high-entropy", "account-id",  "ip-address",   "name",     NULL,
};

const char *redact_kind(const struct redact_policy *policy, size_t i)
{
    return policy && i < policy->kinds_len ? policy->kinds[i] : NULL;
}

static bool is_known(const struct redact_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->kinds_len; i++)
        if (strcmp(policy->kinds[i], name) == 0)
            return true;
    return false;
}

static bool check_name(const struct redact_policy *policy, const char *name, struct err *err)
{
    size_t len = strlen(name);
    if (!len || len > 32 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
        return err_set(err,
                       "a pattern of redaction cannot be called '%s': a-z, 0-9 and '-', at most 32",
                       name);
    return !is_known(policy, name) ||
           err_set(err, "there is a kind of redaction called '%s' already", name);
}

static bool add_patterns(struct redact_policy *policy, const struct redact_options *options,
                         struct err *err)
{
    if (options->patterns_len > REDACT_PATTERNS_MAX)
        return err_set(err, "%zu patterns of redaction are more than %d", options->patterns_len,
                       REDACT_PATTERNS_MAX);
    if (options->patterns_len)
        policy->patterns = redact_patterns_new();
    for (size_t i = 0; i < options->patterns_len; i++) {
        const struct redact_pattern *pattern = &options->patterns[i];
        if (!check_name(policy, pattern->name, err))
            return false;
        const char *name = redact_patterns_add(policy->patterns, pattern, policy->kinds_len, err);
        if (!name)
            return false;
        policy->kinds[policy->kinds_len++] = name;
    }
    return true;
}

static void add_parts(struct redact_policy *policy)
{
    for (int i = 0; policy->names && i < 2; i++) {
        struct redact_policy *part = xmalloc(sizeof *part);
        *part = *policy;
        part->parts[0] = part->parts[1] = NULL;
        part->names = i == 0 ? NULL : policy->names;
        part->again = i == 1;
        policy->parts[i] = part;
    }
}

struct redact_policy *redact_policy_new(const struct redact_options *options, struct err *err)
{
    struct redact_policy *policy = xcalloc(1, sizeof *policy);
    while (builtin[policy->kinds_len]) {
        policy->kinds[policy->kinds_len] = builtin[policy->kinds_len];
        policy->kinds_len++;
    }
    if (add_patterns(policy, options, err) &&
        (!options->identities || (policy->names = pseudonyms_new(options->map, err)))) {
        add_parts(policy);
        return policy;
    }
    redact_policy_free(policy);
    return NULL;
}

void redact_policy_free(struct redact_policy *policy)
{
    if (!policy)
        return;
    redact_patterns_free(policy->patterns);
    pseudonyms_free(policy->names);
    free(policy->parts[0]);
    free(policy->parts[1]);
    free(policy);
}

const struct redact_policy *redact_policy_secrets(const struct redact_policy *policy)
{
    return policy && policy->parts[0] ? policy->parts[0] : policy;
}

const struct redact_policy *redact_policy_again(const struct redact_policy *policy)
{
    return policy && policy->parts[1] ? policy->parts[1] : policy;
}

struct pseudonyms *redact_policy_names(const struct redact_policy *policy)
{
    return policy ? policy->names : NULL;
}

bool redact_policy_save(const struct redact_policy *policy, struct err *err)
{
    return !policy || !policy->names || pseudonyms_save(policy->names, err);
}
