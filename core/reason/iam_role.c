/* Stage: check. Finds the policies of a role among the documents given. Reads aws.roles, aws.policies,
 * aws.policy_names and aws.attached_policies; writes what it found to its caller. Some answers of AWS do
 * not repeat the role they are about: then the source's name, or there being one role only, tells. */
#include "reason/iam_role.h"

#include "base/json.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum belongs { NOT_ITS, UNKNOWN_WHOSE, ITS };

/* ---- the role ---- */

static const char *last_part(const char *text)
{
    const char *slash = strrchr(text, '/');
    return slash ? slash + 1 : text;
}

/* "arn:aws:iam::123456789012:role/x" -> "123456789012" */
static const char *account_of(struct view *view, const char *arn)
{
    const char *at = arn ? strstr(arn, "::") : NULL;
    size_t len = at ? strspn(at + 2, "0123456789") : 0;
    return len == 12 ? arena_strndup(view->scratch, at + 2, len) : NULL;
}

/* "arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION" is a session of role NAME. */
static const char *name_of(struct view *view, const char *given)
{
    const char *session = strstr(given, ":assumed-role/");
    if (!session)
        return last_part(given);
    session += strlen(":assumed-role/");
    return arena_strndup(view->scratch, session, strcspn(session, "/"));
}

void iam_role_find(struct view *view, const char *name_or_arn, struct iam_role *out)
{
    *out = (struct iam_role){.name = name_of(view, name_or_arn)};
    if (strstr(name_or_arn, ":role/"))
        out->arn = name_or_arn;
    out->account = account_of(view, strstr(name_or_arn, ":sts::") ? strstr(name_or_arn, ":sts:")
                                                                  : out->arn);
    for (const struct record *r = NULL; (r = view_next(view, "aws.roles", r));) {
        if (!str_equal(json_str(r->doc, "RoleName"), out->name))
            continue;
        /* get-account-authorization-details tells more than get-role: prefer it. */
        if (!out->record || json_at(r->doc, "RolePolicyList"))
            out->record = r;
        const char *boundary = json_str(r->doc, "PermissionsBoundary.PermissionsBoundaryArn");
        out->boundary = boundary ? boundary : out->boundary;
        out->arn = json_str(r->doc, "Arn") ? json_str(r->doc, "Arn") : out->arn;
    }
    if (!out->account)
        out->account = account_of(view, out->arn);
    const cJSON *details = out->record ? out->record->doc : NULL;
    out->inline_whole = cJSON_IsArray(json_at(details, "RolePolicyList"));
    out->attached_whole = cJSON_IsArray(json_at(details, "AttachedManagedPolicies"));
}

/* ---- whose a document is ---- */

/* The longest name of the evidence in the source's name, so that "task" is not seen in "task-exec". */
static void note_name(const char *source, const char *name, const char **best)
{
    if (name && *name && strstr(source, name) && (!*best || strlen(name) > strlen(*best)))
        *best = name;
}

static bool other_roles(struct view *view, const struct iam_role *role)
{
    for (const struct record *r = NULL; (r = view_next(view, "aws.roles", r));)
        if (json_str(r->doc, "RoleName") && !str_equal(json_str(r->doc, "RoleName"), role->name))
            return true;
    return false;
}

static enum belongs belongs(struct view *view, const struct iam_role *role,
                            const struct record *record)
{
    static const char *const names[] = {"aws.roles", "aws.policies"};
    const char *best = NULL, *source = record->source ? record->source->name : "";
    bool others = false;
    note_name(source, role->name, &best);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (const struct record *r = NULL; (r = view_next(view, names[i], r));) {
            const char *name = json_str(r->doc, "RoleName");
            note_name(source, name, &best);
            others = others || (name && strcmp(name, role->name) != 0);
        }
    }
    if (best)
        return strcmp(best, role->name) == 0 ? ITS : NOT_ITS;
    return others ? UNKNOWN_WHOSE : ITS;
}

/* ---- its documents ---- */

struct finding {
    struct view *view;
    struct iam_role *role;
    iam_document_fn *each;
    void *user;
};

static void give(const struct finding *finding, const struct record *record, const char *place,
                 const cJSON *node, const char *kind, const char *name, bool unowned)
{
    const char *label = *name ? arena_printf(finding->view->scratch, "%s '%s'", kind, name) : kind;
    struct iam_document document = {.record = record,
                                    .place = place,
                                    .node = node,
                                    .label = label,
                                    .name = name,
                                    .unowned = unowned};
    finding->each(finding->user, &document);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void give_details(const struct finding *finding)
{
    const struct record *record = finding->role->record;
    const cJSON *one;
    int at = 0;
    if (!record)
        return;
    cJSON_ArrayForEach (one, json_at(record->doc, "RolePolicyList")) {
        give(finding, record,
             arena_printf(finding->view->scratch, "/RolePolicyList/%d/PolicyDocument", at++),
             json_at(one, "PolicyDocument"), "inline policy", or_empty(json_str(one, "PolicyName")),
             false);
    }
}

static void give_inline(const struct finding *finding)
{
    struct view *view = finding->view;
    for (const struct record *r = NULL; (r = view_next(view, "aws.policies", r));)
        if (str_equal(json_str(r->doc, "RoleName"), finding->role->name) &&
            json_at(r->doc, "PolicyDocument"))
            give(finding, r, "/PolicyDocument", json_at(r->doc, "PolicyDocument"), "inline policy",
                 or_empty(json_str(r->doc, "PolicyName")), false);
}

static bool names_principal(const cJSON *document)
{
    const cJSON *statement = json_at(document, "Statement");
    if (cJSON_IsArray(statement))
        statement = statement->child;
    return json_at(statement, "Principal") || json_at(statement, "NotPrincipal");
}

/* A document that was saved alone: the source's name is all that it is called. */
static void give_alone(const struct finding *finding)
{
    struct view *view = finding->view;
    for (const struct record *r = NULL; (r = view_next(view, "aws.policies", r));) {
        if (!json_at(r->doc, "Statement") || names_principal(r->doc))
            continue;
        enum belongs whose = belongs(view, finding->role, r);
        if (whose != NOT_ITS)
            give(finding, r, "", r->doc, "the policy document in", r->source ? r->source->name : "",
                 whose == UNKNOWN_WHOSE);
    }
}

static bool given_inline(struct view *view, const char *role, const char *policy)
{
    for (const struct record *r = NULL; (r = view_next(view, "aws.policies", r));)
        if (str_equal(json_str(r->doc, "RoleName"), role) &&
            str_equal(json_str(r->doc, "PolicyName"), policy))
            return true;
    return false;
}

/* list-role-policies names the inline policies: are all of them given? */
static void note_names(const struct finding *finding)
{
    struct view *view = finding->view;
    for (const struct record *r = NULL; (r = view_next(view, "aws.policy_names", r));) {
        if (belongs(view, finding->role, r) != ITS)
            continue;
        bool all = true;
        const cJSON *one;
        cJSON_ArrayForEach (one, json_at(r->doc, "PolicyNames")) {
            all = all && cJSON_IsString(one) &&
                  given_inline(view, finding->role->name, one->valuestring);
        }
        finding->role->inline_whole |= all;
    }
}

/* ---- managed policies ---- */

/* A version that is in force: the others of a policy say nothing of today. */
static bool in_force(const struct record *record)
{
    const cJSON *is_default = json_at(record->doc, "IsDefaultVersion");
    return json_at(record->doc, "VersionId") && !cJSON_IsFalse(is_default);
}

/* The longest name of an attached policy in SOURCE, so that "site" is not seen in "site-logs". */
static const char *policy_in(struct view *view, const char *source, const char *name)
{
    const char *best = NULL;
    note_name(source, name, &best);
    for (const struct record *r = NULL; (r = view_next(view, "aws.attached_policies", r));)
        note_name(source, json_str(r->doc, "PolicyName"), &best);
    return best;
}

/* The policy's name is in the name of the source that get-policy-version was saved in. */
static const struct record *version_named(struct view *view, const char *name)
{
    for (const struct record *r = NULL; (r = view_next(view, "aws.policies", r));)
        if (in_force(r) && r->source && str_equal(policy_in(view, r->source->name, name), name))
            return r;
    return NULL;
}

/* get-policy-version does not name its policy: one version and one attached policy are each other's. */
static const struct record *only_version(struct view *view)
{
    const struct record *only = NULL;
    int attached = 0;
    for (const struct record *r = NULL; (r = view_next(view, "aws.attached_policies", r));)
        attached++;
    for (const struct record *r = NULL; (r = view_next(view, "aws.policies", r));) {
        if (!in_force(r))
            continue;
        if (only)
            return NULL;
        only = r;
    }
    return attached <= 1 ? only : NULL;
}

static bool default_version(struct view *view, const struct record *record,
                            struct iam_document *out)
{
    int at = 0;
    const cJSON *one;
    cJSON_ArrayForEach (one, json_at(record->doc, "PolicyVersionList")) {
        if (json_bool(one, "IsDefaultVersion")) {
            out->record = record;
            out->place = arena_printf(view->scratch, "/PolicyVersionList/%d/Document", at);
            out->node = json_at(one, "Document");
            return out->node != NULL;
        }
        at++;
    }
    return false;
}

bool iam_role_managed(struct view *view, const char *arn, struct iam_document *out)
{
    const char *name = last_part(arn);
    *out = (struct iam_document){.label = arena_printf(view->scratch, "managed policy '%s'", name),
                                 .name = name};
    for (const struct record *r = NULL; (r = view_next(view, "aws.policies", r));)
        if (str_equal(json_str(r->doc, "Arn"), arn) && default_version(view, r, out))
            return true;
    const struct record *version = version_named(view, name);
    version = version ? version : only_version(view);
    if (!version)
        return false;
    out->record = version;
    out->place = "/Document";
    out->node = json_at(version->doc, "Document");
    return out->node != NULL;
}

static void give_attached(const struct finding *finding, const struct record *record,
                          const char *place, const cJSON *attached, bool unowned)
{
    struct iam_document document;
    const char *arn = json_str(attached, "PolicyArn");
    if (!arn)
        return;
    if (!iam_role_managed(finding->view, arn, &document)) {
        document.record = record;
        document.place = place;
        document.node = NULL;
    }
    document.by_aws = strstr(arn, ":iam::aws:policy/") != NULL;
    document.unowned = unowned;
    finding->each(finding->user, &document);
}

static void give_managed(const struct finding *finding)
{
    struct view *view = finding->view;
    const struct record *record = finding->role->record;
    const cJSON *one;
    int at = 0;
    if (finding->role->attached_whole) {
        cJSON_ArrayForEach (one, json_at(record->doc, "AttachedManagedPolicies")) {
            give_attached(finding, record,
                          arena_printf(view->scratch, "/AttachedManagedPolicies/%d", at++), one,
                          false);
        }
        return;
    }
    bool own = false;
    for (const struct record *r = NULL; (r = view_next(view, "aws.attached_policies", r));) {
        enum belongs whose = belongs(view, finding->role, r);
        own = own || whose == ITS;
        if (whose != NOT_ITS)
            give_attached(finding, r, "", r->doc, whose == UNKNOWN_WHOSE);
    }
    /* An empty list names no role: with several roles, nothing says whose it is. */
    bool empty = view_count(view, "aws.attached_policies") == 0 &&
                 !other_roles(view, finding->role);
    finding->role->attached_whole = view_state(view, "aws.attached_policies") ==
                                        EVIDENCE_COMPLETE &&
                                    (own || empty);
}

void iam_role_policies(struct view *view, struct iam_role *role, iam_document_fn *each, void *user)
{
    struct finding finding = {.view = view, .role = role, .each = each, .user = user};
    if (role->inline_whole)
        give_details(&finding);
    else
        give_inline(&finding);
    give_alone(&finding);
    if (!role->inline_whole)
        note_names(&finding);
    give_managed(&finding);
}
