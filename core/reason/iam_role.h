/* The policies of one role: which documents of the evidence are its own, and whether they are all. */
#ifndef DEBRIEF_REASON_IAM_ROLE_H
#define DEBRIEF_REASON_IAM_ROLE_H

#include "reason/answer.h"

struct iam_role {
    const char *name, *arn, *account;  /* NULL where not known */
    const struct record *record;       /* of aws.roles; NULL */
    const char *boundary;              /* ARN of the permissions boundary; NULL: none known */
    bool inline_whole, attached_whole; /* nothing else belongs to it */
};

struct iam_document {
    const struct record *record;
    const char *place; /* of the document, below the record's pointer */
    const cJSON *node; /* NULL: the document is not given */
    const char *label; /* "inline policy 'x'", for a sentence */
    const char *name;  /* of the policy; "" where it has none */
    bool by_aws;       /* AWS wrote it, and its name says what it holds */
    bool unowned;      /* nothing says whose it is */
};

void iam_role_find(struct view *view, const char *name_or_arn, struct iam_role *out);

/* Calls EACH for each policy of ROLE, attached ones without a document included. */
typedef void iam_document_fn(void *user, const struct iam_document *document);
void iam_role_policies(struct view *view, struct iam_role *role, iam_document_fn *each, void *user);

/* The managed policy ARN, when its document is given. */
bool iam_role_managed(struct view *view, const char *arn, struct iam_document *out);

#endif
