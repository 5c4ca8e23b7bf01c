/* Stage: check. Evaluates one IAM policy document for one action and resource. Reads a JSON tree, writes
 * the statements that decide. Deliberately evaluates no condition: their keys are known to AWS alone, so
 * a statement under a condition only may hold. */
#include "reason/policy.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_MAX = 2048, DOCUMENT_MAX = 1 << 20 };

static enum policy_fit least(enum policy_fit a, enum policy_fit b)
{
    return a < b ? a : b;
}

static enum policy_fit most(enum policy_fit a, enum policy_fit b)
{
    return a > b ? a : b;
}

/* ---- patterns ---- */

/* Copies TEXT, lower case when FOLD; a variable becomes '*'. False when it does not fit. */
static bool prepare(const char *text, bool fold, char out[PATTERN_MAX], bool *variable)
{
    size_t len = 0;
    for (const char *p = text; *p; p++) {
        if (len + 1 >= PATTERN_MAX)
            return false;
        const char *end = p[0] == '$' && p[1] == '{' ? strchr(p, '}') : NULL;
        if (variable && end) {
            out[len++] = end == p + 3 && p[2] == '$' ? '$' : '*';
            *variable = true;
            p = end;
        } else {
            out[len++] = (char)(fold ? tolower((unsigned char)*p) : *p);
        }
    }
    out[len] = '\0';
    return true;
}

enum policy_fit policy_pattern(const char *pattern, const char *text, bool action)
{
    char glob[PATTERN_MAX], plain[PATTERN_MAX];
    bool variable = false;
    if (!prepare(pattern, action, glob, &variable) || !prepare(text, action, plain, NULL))
        return POLICY_MAYBE;
    if (!str_glob(glob, plain))
        return POLICY_NO;
    return variable ? POLICY_MAYBE : POLICY_YES;
}

/* ---- reading the document ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void decode(struct buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        int high = *p == '%' ? hex_digit(p[1]) : -1;
        int low = high >= 0 ? hex_digit(p[2]) : -1;
        if (low >= 0)
            p += 2;
        buf_addch(out, low >= 0 ? (char)(high << 4 | low) : *p == '+' ? ' ' : *p);
    }
}

const cJSON *policy_document(const cJSON *node, cJSON **owned, char problem[200])
{
    struct err err = ERR_INIT;
    *owned = NULL;
    problem[0] = '\0';
    if (cJSON_IsObject(node))
        return node;
    if (!cJSON_IsString(node)) {
        snprintf(problem, 200, "it is no JSON object");
        return NULL;
    }
    struct buf text;
    buf_init(&text, DOCUMENT_MAX);
    const char *start = node->valuestring + strspn(node->valuestring, " \t\r\n");
    if (*start == '%')
        decode(&text, start);
    else
        buf_adds(&text, start);
    *owned = json_parse(buf_str(&text), text.len, &err);
    buf_release(&text);
    if (!*owned)
        snprintf(problem, 200, "it is no JSON: %.150s", err.text);
    else if (!cJSON_IsObject(*owned))
        snprintf(problem, 200, "it is no JSON object");
    return problem[0] ? NULL : *owned;
}

/* ---- statements ---- */

struct judging {
    const struct policy_question *question;
    struct policy_answer *out;
    const char *depends; /* of the statement at hand */
};

static void wrong(struct judging *judging, const cJSON *node, const char *what)
{
    if (judging->out->problem[0])
        return;
    snprintf(judging->out->problem, sizeof judging->out->problem, "%s", what);
    judging->out->wrong = node;
}

/* How TEXT fits the pattern or list of patterns at NODE. */
static enum policy_fit fits_list(struct judging *judging, const cJSON *node, const char *text,
                                 bool action)
{
    enum policy_fit fit = POLICY_NO;
    if (cJSON_IsString(node))
        return policy_pattern(node->valuestring, text, action);
    if (!cJSON_IsArray(node)) {
        wrong(judging, node,
              action ? "its actions are neither a text nor a list of texts"
                     : "its resources are neither a text nor a list of texts");
        return POLICY_NO;
    }
    for (const cJSON *item = node->child; item && fit != POLICY_YES; item = item->next) {
        if (cJSON_IsString(item))
            fit = most(fit, policy_pattern(item->valuestring, text, action));
        else
            wrong(judging, item, "a list of patterns holds something that is no text");
    }
    return fit;
}

/* NAME or "Not" NAME, exactly one of which must be there. */
static enum policy_fit fits_either(struct judging *judging, const cJSON *statement,
                                   const char *name, const char *not_name, const char *text,
                                   bool action)
{
    const cJSON *yes = cJSON_GetObjectItemCaseSensitive(statement, name);
    const cJSON *no = cJSON_GetObjectItemCaseSensitive(statement, not_name);
    if (yes && no) {
        wrong(judging, statement,
              action ? "it has both Action and NotAction" : "it has both Resource and NotResource");
        return POLICY_NO;
    }
    if (yes)
        return fits_list(judging, yes, text, action);
    if (no)
        return (enum policy_fit)(POLICY_YES - fits_list(judging, no, text, action));
    /* A repository's policy is about the repository and may leave it out. */
    if (!action && judging->question->has_principal)
        return POLICY_YES;
    wrong(judging, statement,
          action ? "it has neither Action nor NotAction"
                 : "it has neither Resource nor NotResource");
    return POLICY_NO;
}

static const char *role_name(const char *arn)
{
    const char *slash = arn ? strrchr(arn, '/') : NULL;
    return slash ? slash + 1 : NULL;
}

/* An ARN as a policy writes it, against the ARN of the role that asks. */
static enum policy_fit fits_arn(const struct policy_question *question, const char *arn,
                                bool *account_only)
{
    size_t digits = strspn(arn, "0123456789");
    if (digits == 12 && !arn[12]) {
        *account_only = true;
        return question->account ? str_equal(arn, question->account) ? POLICY_YES : POLICY_NO
                                 : POLICY_MAYBE;
    }
    if (str_starts(arn, "arn:") && str_ends(arn, ":root")) {
        const char *account = strstr(arn, "::");
        *account_only = true;
        if (!account || !question->account)
            return POLICY_MAYBE;
        return strncmp(account + 2, question->account, strlen(question->account)) == 0 ? POLICY_YES
                                                                                       : POLICY_NO;
    }
    if (question->principal && strcmp(arn, question->principal) == 0)
        return POLICY_YES;
    const char *name = role_name(question->principal);
    if (!question->principal || (name && strstr(arn, ":assumed-role/") && strstr(arn, name)))
        return POLICY_MAYBE;
    return POLICY_NO;
}

static enum policy_fit fits_principals(const struct policy_question *question, const cJSON *node,
                                       bool *account_only)
{
    enum policy_fit fit = POLICY_NO;
    bool only = true;
    const cJSON *item = cJSON_IsArray(node) ? node->child : node;
    for (; item; item = cJSON_IsArray(node) ? item->next : NULL) {
        bool account = false;
        const char *text = cJSON_IsString(item) ? item->valuestring : "";
        enum policy_fit one = strcmp(text, "*") == 0 ? POLICY_YES
                                                     : fits_arn(question, text, &account);
        if (one == POLICY_YES && !account)
            only = false;
        fit = most(fit, one);
    }
    *account_only = only;
    return fit;
}

static enum policy_fit fits_principal(struct judging *judging, const cJSON *statement,
                                      bool *account_only)
{
    const cJSON *principal = cJSON_GetObjectItemCaseSensitive(statement, "Principal");
    *account_only = false;
    if (!judging->question->has_principal)
        return POLICY_YES;
    if (cJSON_GetObjectItemCaseSensitive(statement, "NotPrincipal")) {
        judging->depends = "it names principals by exclusion";
        return POLICY_MAYBE;
    }
    if (cJSON_IsString(principal))
        return strcmp(principal->valuestring, "*") == 0 ? POLICY_YES : POLICY_NO;
    if (!cJSON_IsObject(principal)) {
        wrong(judging, statement, "it names no principal");
        return POLICY_NO;
    }
    const cJSON *aws = cJSON_GetObjectItemCaseSensitive(principal, "AWS");
    enum policy_fit fit = aws ? fits_principals(judging->question, aws, account_only) : POLICY_NO;
    if (fit == POLICY_MAYBE)
        judging->depends = "it names principals, and which one asks is not known";
    return fit;
}

static void judge_statement(struct judging *judging, const cJSON *statement)
{
    struct policy_answer *out = judging->out;
    const struct policy_question *question = judging->question;
    const char *effect = json_str(statement, "Effect");
    bool allow = str_equal(effect, "Allow"), account_only;
    judging->depends = "it names a variable";
    if (!cJSON_IsObject(statement))
        return wrong(judging, statement, "a statement is no object");
    if (!allow && !str_equal(effect, "Deny"))
        return wrong(judging, statement, "its Effect is neither Allow nor Deny");
    enum policy_fit action = fits_either(judging, statement, "Action", "NotAction",
                                         question->action, true);
    enum policy_fit resource = fits_either(judging, statement, "Resource", "NotResource",
                                           question->resource, false);
    enum policy_fit fit = least(least(action, resource),
                                fits_principal(judging, statement, &account_only));
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(statement, "Condition")) > 0) {
        fit = least(fit, POLICY_MAYBE);
        judging->depends = "it has a condition";
    }
    if (allow && action == POLICY_YES && resource == POLICY_NO && !out->near)
        out->near = statement;
    if (fit == POLICY_YES && allow && (!out->allows || (out->account_only && !account_only))) {
        out->allows = statement;
        out->account_only = account_only;
    } else if (fit == POLICY_YES && !allow && !out->denies) {
        out->denies = statement;
    } else if (fit == POLICY_MAYBE && !(allow ? out->may_allow : out->may_deny)) {
        *(allow ? &out->may_allow : &out->may_deny) = statement;
        if (!allow || !out->depends)
            out->depends = judging->depends;
    }
}

void policy_judge(const cJSON *document, const struct policy_question *question,
                  struct policy_answer *out)
{
    struct judging judging = {.question = question, .out = out};
    const cJSON *statements = cJSON_GetObjectItemCaseSensitive(document, "Statement");
    memset(out, 0, sizeof *out);
    if (cJSON_IsObject(statements))
        return judge_statement(&judging, statements);
    if (!cJSON_IsArray(statements))
        return wrong(&judging, document, "it has no Statement");
    for (const cJSON *one = statements->child; one; one = one->next)
        judge_statement(&judging, one);
}
