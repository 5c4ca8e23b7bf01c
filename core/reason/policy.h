/* One IAM policy document and one question: which statement allows it, which denies it, and which may,
 * if a condition holds that nobody but AWS can evaluate. Knows JSON, not evidence. */
#ifndef DEBRIEF_REASON_POLICY_H
#define DEBRIEF_REASON_POLICY_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* "No", "that depends on what the document does not say", "yes". */
enum policy_fit { POLICY_NO, POLICY_MAYBE, POLICY_YES };

struct policy_question {
    const char *action;   /* "ecr:BatchGetImage" */
    const char *resource; /* an ARN, or "*" for actions that know no resource */
    /* Who asks; for policies of resources and endpoints, which name principals. */
    bool has_principal;
    const char *principal; /* ARN of the role; NULL: not known */
    const char *account;   /* its account; NULL: not known */
};

struct policy_answer { /* statements, NULL where there is none */
    const cJSON *allows, *denies, *may_allow, *may_deny;
    const cJSON *near; /* allows the action, on other resources only */
    bool account_only; /* `allows` names the account, which leaves the choice to its own policies */
    const char *depends; /* what may_allow or may_deny depend on, for a sentence */
    char problem[200];   /* why the document cannot be judged; empty: it can */
    const cJSON *wrong;  /* the node that `problem` is about; NULL: the document */
};

/* The document at NODE, which the CLI prints as an object and the raw API as text, URL-encoded or not.
 * NULL and PROBLEM when it is neither. *owned: the caller's to cJSON_Delete, and not a part of NODE. */
const cJSON *policy_document(const cJSON *node, cJSON **owned, char problem[200]);

void policy_judge(const cJSON *document, const struct policy_question *question,
                  struct policy_answer *out);

/* Whether PATTERN, with its '*' and '?', fits a text; ACTION: whatever the case. Variables ("${...}")
 * may hold anything. */
enum policy_fit policy_pattern(const char *pattern, const char *text, bool action);

#endif
