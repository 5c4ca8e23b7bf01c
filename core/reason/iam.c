/* Stage: check. Answers whether a role may do something, over the policies that the evidence holds. Reads
 * them through the check's view, writes an answer with the statement that decides. Deliberately knows
 * nothing of service control policies and sessions: no answer of AWS shows them to the one who asks. */
#include "reason/iam.h"

#include "base/json.h"
#include "base/str.h"
#include "reason/iam_role.h"
#include "reason/managed.h"
#include "reason/policy.h"

#include <stdio.h>
#include <string.h>

struct hit {
    const struct record *record;
    const char *text; /* "statement 2 ('Pull') of inline policy 'x'" */
    const char *depends;
};

struct asking {
    struct view *view;
    const struct iam_question *question;
    struct iam_role role;
    /* what the policies say together; `record` NULL: nothing does */
    struct hit allows, denies, may_allow, may_deny, near, broken, ungiven, unowned;
    const struct record *seen; /* one of the policies */
    bool account_only;
};

/* ---- one document ---- */

static int index_of(const cJSON *statement)
{
    int at = 0;
    for (const cJSON *one = statement; one->prev && one->prev->next; one = one->prev)
        at++;
    return at;
}

static struct hit make_hit(struct asking *asking, const struct iam_document *document,
                           const cJSON *tree, const cJSON *statement)
{
    struct view *view = asking->view;
    bool list = cJSON_IsArray(json_at(tree, "Statement"));
    int at = list ? index_of(statement) : 0;
    const char *sid = json_str(statement, "Sid");
    bool whole = cJSON_IsObject(document->node);
    char *place = list ? arena_printf(view->scratch, "%s/Statement/%d", document->place, at)
                       : arena_printf(view->scratch, "%s/Statement", document->place);
    struct hit hit = {
        .record = answer_part(view, document->record, whole ? place : document->place,
                              whole ? statement : NULL, statement),
        .text = sid ? arena_printf(view->scratch, "statement '%s' of %s", sid, document->label)
                    : arena_printf(view->scratch, "statement %d of %s", at + 1, document->label)};
    return hit;
}

static void keep_hit(struct asking *asking, struct hit *hit, const struct iam_document *document,
                     const cJSON *tree, const cJSON *statement, const char *depends)
{
    if (!statement || hit->record)
        return;
    *hit = make_hit(asking, document, tree, statement);
    hit->depends = depends;
}

static void keep_problem(struct asking *asking, const struct iam_document *document,
                         const char *problem)
{
    if (asking->broken.record)
        return;
    asking->broken = (struct hit){
        answer_part(asking->view, document->record, document->place, document->node,
                    document->node),
        arena_printf(asking->view->scratch, "%s is no valid policy: %s", document->label, problem),
        NULL};
}

static void consider(struct asking *asking, const struct iam_document *document,
                     const struct policy_question *question)
{
    struct policy_answer said;
    char problem[200];
    cJSON *owned;
    const cJSON *tree = policy_document(document->node, &owned, problem);
    asking->seen = asking->seen ? asking->seen : document->record;
    if (!tree)
        return keep_problem(asking, document, problem);
    policy_judge(tree, question, &said);
    if (said.problem[0])
        keep_problem(asking, document, said.problem);
    bool owned_by_role = !document->unowned;
    if (!owned_by_role && (said.allows || said.denies || said.may_allow || said.may_deny)) {
        const cJSON *any = said.allows      ? said.allows
                           : said.denies    ? said.denies
                           : said.may_allow ? said.may_allow
                                            : said.may_deny;
        keep_hit(asking, &asking->unowned, document, tree, any, NULL);
    } else if (owned_by_role) {
        keep_hit(asking, &asking->allows, document, tree, said.allows, NULL);
        keep_hit(asking, &asking->denies, document, tree, said.denies, NULL);
        keep_hit(asking, &asking->may_allow, document, tree, said.may_allow, said.depends);
        keep_hit(asking, &asking->may_deny, document, tree, said.may_deny, said.depends);
        keep_hit(asking, &asking->near, document, tree, said.near, NULL);
        asking->account_only = asking->account_only || (said.allows && said.account_only);
    }
    cJSON_Delete(owned);
}

/* ---- the role's own policies ---- */

static void consider_own(void *user, const struct iam_document *document)
{
    struct asking *asking = user;
    const struct policy_question question = {.action = asking->question->action,
                                             .resource = asking->question->resource};
    if (document->node)
        return consider(asking, document, &question);
    /* An attached policy whose document is not given: its name tells, when AWS wrote it. */
    enum policy_fit fit = document->by_aws ? managed_allows(document->name, question.action)
                                           : POLICY_MAYBE;
    const struct record *part = answer_part(asking->view, document->record, document->place, NULL,
                                            document->record->doc);
    struct hit hit = {part, document->label, NULL};
    if (document->unowned && fit != POLICY_NO && !asking->unowned.record)
        asking->unowned = hit;
    else if (fit == POLICY_YES && !asking->allows.record)
        asking->allows = hit;
    else if (fit == POLICY_MAYBE && !asking->ungiven.record)
        asking->ungiven = hit;
    asking->seen = asking->seen ? asking->seen : document->record;
}

/* Sentences say who, what and where in the same words. */
static const char *may(struct asking *asking)
{
    const struct iam_question *question = asking->question;
    const char *on = strcmp(question->resource, "*") == 0 ? "" : " on ";
    return arena_printf(asking->view->scratch, "%s%s%s", question->action, on,
                        *on ? question->resource : "");
}

static void say(struct asking *asking, struct answer *out, enum answer_decision decision,
                const char *reason, const struct hit *hit, const char *text)
{
    answer_set(out, asking->view, decision, reason, hit ? hit->record : asking->seen, "%s", text);
}

#define SAY(decision, reason, hit, ...)                                                            \
    say(asking, out, decision, reason, hit, arena_printf(asking->view->scratch, __VA_ARGS__))

/* Nothing that is given grants it. */
static void answer_silence(struct asking *asking, struct answer *out)
{
    const char *role = asking->role.name, *wanted = may(asking);
    const struct hit *near = asking->near.record ? &asking->near : NULL;
    bool whole = asking->role.inline_whole && asking->role.attached_whole;
    if (asking->may_allow.record)
        return SAY(ANSWER_UNDECIDABLE, "condition", &asking->may_allow, "%s may allow %s, but %s",
                   asking->may_allow.text, wanted, asking->may_allow.depends);
    if (asking->unowned.record)
        return SAY(ANSWER_UNDECIDABLE, "owner", &asking->unowned,
                   "%s speaks of %s, but the evidence does not say that it belongs to role '%s'",
                   asking->unowned.text, wanted, role);
    if (asking->ungiven.record)
        return SAY(ANSWER_UNDECIDABLE, "attached-policy", &asking->ungiven,
                   "what %s of role '%s' holds is not in the evidence, and nothing else grants %s",
                   asking->ungiven.text, role, wanted);
    if (!asking->seen && !whole)
        return SAY(ANSWER_UNDECIDABLE, "no-policies", NULL,
                   "no policy of role '%s' is in the evidence", role);
    if (near)
        return SAY(whole ? ANSWER_NO : ANSWER_UNDECIDABLE,
                   whole ? "other-resource" : "more-policies", near,
                   "%s allows the action, but not on %s%s", near->text, asking->question->resource,
                   whole ? "" : "; whether the role has further policies is not in evidence");
    if (!whole)
        return SAY(
            ANSWER_UNDECIDABLE, "more-policies", NULL,
            "none of the policies given for role '%s' grants %s; whether they are all is not "
            "in evidence",
            role, wanted);
    if (!asking->seen)
        asking->seen = asking->role.record;
    SAY(ANSWER_NO, "not-granted", NULL, "no policy of role '%s' grants %s", role, wanted);
}

static void answer_own(struct asking *asking, struct answer *out)
{
    iam_role_policies(asking->view, &asking->role, consider_own, asking);
    if (asking->denies.record)
        return SAY(ANSWER_NO, "explicit-deny", &asking->denies, "%s denies %s", asking->denies.text,
                   may(asking));
    if (asking->broken.record)
        return SAY(ANSWER_UNDECIDABLE, "syntax", &asking->broken, "%s", asking->broken.text);
    if (asking->allows.record && asking->may_deny.record)
        return SAY(ANSWER_UNDECIDABLE, "condition", &asking->may_deny, "%s may deny %s, but %s",
                   asking->may_deny.text, may(asking), asking->may_deny.depends);
    if (asking->allows.record)
        return SAY(ANSWER_YES, NULL, &asking->allows, "%s allows %s", asking->allows.text,
                   may(asking));
    answer_silence(asking, out);
}

/* ---- what bounds them, and what the other side says ---- */

static struct asking other_side(const struct asking *asking)
{
    return (struct asking){
        .view = asking->view, .question = asking->question, .role = asking->role};
}

static struct policy_question ask_as(const struct asking *asking)
{
    return (struct policy_question){.action = asking->question->action,
                                    .resource = asking->question->resource,
                                    .has_principal = true,
                                    .principal = asking->role.arn,
                                    .account = asking->role.account};
}

/* A boundary grants nothing; what it does not allow is denied. */
static void apply_boundary(struct asking *asking, struct answer *out)
{
    struct iam_document document;
    if (!asking->role.boundary || out->decision != ANSWER_YES)
        return;
    struct asking bound = other_side(asking);
    const struct policy_question question = {.action = asking->question->action,
                                             .resource = asking->question->resource};
    bool given = iam_role_managed(asking->view, asking->role.boundary, &document);
    document.label = arena_printf(asking->view->scratch, "the permissions boundary '%s'",
                                  document.name);
    if (given)
        consider(&bound, &document, &question);
    if (given && bound.allows.record && !bound.denies.record && !bound.may_deny.record)
        return;
    bool unsure = !given || bound.broken.record || bound.may_allow.record ||
                  (bound.allows.record && bound.may_deny.record);
    if (bound.denies.record || !unsure)
        return SAY(ANSWER_NO, "boundary", bound.denies.record ? &bound.denies : NULL,
                   "%s of role '%s' does not allow %s", document.label, asking->role.name,
                   may(asking));
    SAY(ANSWER_UNDECIDABLE, "boundary", NULL,
        given ? "whether %s allows %s depends on its conditions"
              : "%s is not in the evidence, and may forbid %s",
        document.label, may(asking));
}

/* The policy of the ECR repository that RESOURCE names; an ARN ends in ":ACCOUNT:repository/NAME". */
static const struct record *repository_policy(struct asking *asking, const char *account)
{
    const char *name = strstr(asking->question->resource, ":repository/");
    if (!name)
        return NULL;
    name += strlen(":repository/");
    for (const struct record *r = NULL;
         (r = view_next(asking->view, "aws.repository_policies", r));) {
        const char *registry = json_str(r->doc, "registryId");
        if (str_equal(json_str(r->doc, "repositoryName"), name) &&
            (!registry || !*account || strcmp(registry, account) == 0))
            return r;
    }
    return NULL;
}

static const char *repository_account(struct asking *asking)
{
    const char *resource = asking->question->resource, *colon = resource;
    for (int i = 0; colon && i < 4; i++) {
        colon = strchr(colon, ':');
        colon += colon != NULL;
    }
    size_t len = colon ? strspn(colon, "0123456789") : 0;
    return len == 12 ? arena_strndup(asking->view->scratch, colon, len) : "";
}

static void answer_foreign(struct asking *asking, struct answer *out, const struct asking *theirs,
                           const char *account)
{
    if (!theirs->seen)
        return SAY(
            ANSWER_UNDECIDABLE, "repository-policy", NULL,
            "role '%s' is allowed %s by its own policies, but the repository is account %s's, "
            "whose repository policy is not in the evidence",
            asking->role.name, may(asking), account);
    if (theirs->allows.record)
        return;
    if (theirs->may_allow.record)
        return SAY(ANSWER_UNDECIDABLE, "condition", &theirs->may_allow, "%s may allow %s, but %s",
                   theirs->may_allow.text, may(asking), theirs->may_allow.depends);
    asking->seen = theirs->seen;
    SAY(ANSWER_NO, "repository-policy", theirs->near.record ? &theirs->near : NULL,
        "the repository policy of account %s does not allow %s to account %s", account, may(asking),
        asking->role.account);
}

static void apply_repository(struct asking *asking, struct answer *out)
{
    if (!strstr(asking->question->resource, ":repository/"))
        return;
    const char *account = repository_account(asking);
    const struct record *policy = repository_policy(asking, account);
    struct asking theirs = other_side(asking);
    const struct policy_question question = ask_as(asking);
    if (policy)
        consider(&theirs,
                 &(struct iam_document){.record = policy,
                                        .place = "/policyText",
                                        .node = json_at(policy->doc, "policyText"),
                                        .label = "the repository policy"},
                 &question);
    bool foreign = asking->role.account && *account && strcmp(asking->role.account, account) != 0;
    if (theirs.denies.record)
        return SAY(ANSWER_NO, "explicit-deny", &theirs.denies, "%s denies %s", theirs.denies.text,
                   may(asking));
    /* It grants what the role's own policies are silent on; not what they or its boundary refuse. */
    bool silent = out->decision == ANSWER_NO && !str_equal(out->reason, "explicit-deny") &&
                  !asking->role.boundary;
    if (silent && !foreign && theirs.allows.record && !theirs.account_only &&
        theirs.may_deny.record)
        return SAY(ANSWER_UNDECIDABLE, "condition", &theirs.may_deny, "%s may deny %s, but %s",
                   theirs.may_deny.text, may(asking), theirs.may_deny.depends);
    if (silent && !foreign && theirs.allows.record && !theirs.account_only)
        return SAY(ANSWER_YES, NULL, &theirs.allows, "%s allows %s", theirs.allows.text,
                   may(asking));
    if (out->decision != ANSWER_YES)
        return;
    if (theirs.broken.record)
        return SAY(ANSWER_UNDECIDABLE, "syntax", &theirs.broken, "%s", theirs.broken.text);
    if (theirs.may_deny.record)
        return SAY(ANSWER_UNDECIDABLE, "condition", &theirs.may_deny, "%s may deny %s, but %s",
                   theirs.may_deny.text, may(asking), theirs.may_deny.depends);
    if (foreign)
        answer_foreign(asking, out, &theirs, account);
}

/* An endpoint without a policy of its own lets everything through. */
static void apply_endpoint(struct asking *asking, struct answer *out)
{
    const char *id = asking->question->endpoint;
    const struct record *endpoint = NULL;
    for (const struct record *r = NULL;
         id && (r = view_next(asking->view, "aws.vpc_endpoints", r));)
        if (str_equal(json_str(r->doc, "VpcEndpointId"), id))
            endpoint = r;
    if (!id || out->decision == ANSWER_NO)
        return;
    if (!endpoint)
        return SAY(ANSWER_UNDECIDABLE, "endpoint-policy", NULL,
                   "VPC endpoint %s is not in the evidence", id);
    const cJSON *node = json_at(endpoint->doc, "PolicyDocument");
    if (!node)
        return;
    struct asking theirs = other_side(asking);
    const struct policy_question question = ask_as(asking);
    consider(&theirs,
             &(struct iam_document){
                 .record = endpoint,
                 .place = "/PolicyDocument",
                 .node = node,
                 .label = arena_printf(asking->view->scratch, "the policy of VPC endpoint %s", id)},
             &question);
    if (theirs.denies.record)
        return SAY(ANSWER_NO, "endpoint-policy", &theirs.denies, "%s denies %s", theirs.denies.text,
                   may(asking));
    if (theirs.broken.record)
        return SAY(ANSWER_UNDECIDABLE, "syntax", &theirs.broken, "%s", theirs.broken.text);
    if (theirs.may_deny.record || (!theirs.allows.record && theirs.may_allow.record)) {
        const struct hit *hit = theirs.may_deny.record ? &theirs.may_deny : &theirs.may_allow;
        return SAY(ANSWER_UNDECIDABLE, "condition", hit, "%s may decide %s, but %s", hit->text,
                   may(asking), hit->depends);
    }
    asking->seen = answer_part(asking->view, endpoint, "/PolicyDocument", NULL, node);
    if (!theirs.allows.record)
        SAY(ANSWER_NO, "endpoint-policy", theirs.near.record ? &theirs.near : NULL,
            "the policy of VPC endpoint %s does not allow %s", id, may(asking));
}

void iam_ask(struct view *view, const struct iam_question *question, struct answer *out)
{
    struct asking asking = {.view = view, .question = question};
    if (question->role) {
        iam_role_find(view, question->role, &asking.role);
        answer_own(&asking, out);
        apply_boundary(&asking, out);
        apply_repository(&asking, out);
    } else {
        answer_set(out, view, ANSWER_YES, NULL, NULL, "nothing forbids %s", may(&asking));
    }
    apply_endpoint(&asking, out);
}
