/* May this role do this to that? An evaluation of IAM over the documents that the evidence holds:
 * explicit deny wins, conditions are unknown, and what is not given is not guessed. */
#ifndef DEBRIEF_REASON_IAM_H
#define DEBRIEF_REASON_IAM_H

#include "reason/answer.h"

/* What a check that asks must declare among its needs, optional ones too. */
#define IAM_NEEDS                                                                                  \
    "aws.roles, aws.policies, aws.policy_names, aws.attached_policies, aws.repository_policies, "  \
    "aws.vpc_endpoints"

struct iam_question {
    const char *role;     /* name or ARN; NULL: only the endpoint's policy is asked */
    const char *action;   /* "ecr:BatchGetImage" */
    const char *resource; /* ARN or "*" */
    const char *endpoint; /* id of a VPC endpoint that the call goes through; NULL: none */
};

/* YES is granted, NO denied. `reason`: explicit-deny, other-resource (a statement grants the action, but
 * elsewhere), not-granted, repository-policy, endpoint-policy, boundary, condition, syntax,
 * attached-policy (its document is not given), more-policies (they are not known to be all),
 * no-policies, owner (a document does not say whose it is). */
void iam_ask(struct view *view, const struct iam_question *question, struct answer *out);

#endif
