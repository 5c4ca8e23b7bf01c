/* Stage: check. Judges packets by security groups. Reads aws.security_groups and the flat
 * aws.security_group_rules; writes which rule lets them through, or that none does. Groups only allow,
 * and remember connections: answers need no rule. */
#include "reason/network_rules.h"

#include "base/json.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct judging {
    struct view *view;
    const struct flow *flow;
    const struct record *allows, *may, *seen;
    const char *group, *whom; /* of the rule that allows or may */
    const char *depends, *missing;
    const char *unknown; /* a group that is not in the evidence */
};

const char *flow_ports(struct view *view, const struct flow *flow)
{
    return flow->low == flow->high ? arena_printf(view->scratch, "%d", flow->low)
                                   : arena_printf(view->scratch, "%d to %d", flow->low, flow->high);
}

enum cover flow_covered(const struct flow *flow, const cJSON *rule, const char *low,
                        const char *high)
{
    int64_t from = -1, to = -1;
    if (!json_int(rule, low, &from) || !json_int(rule, high, &to) || from < 0)
        return COVER_ALL;
    if (flow->low >= from && flow->high <= to)
        return COVER_ALL;
    return flow->high < from || flow->low > to ? COVER_NONE : COVER_PART;
}

bool flow_protocol(const struct flow *flow, const char *protocol)
{
    if (!protocol || strcmp(protocol, "-1") == 0 || strcmp(protocol, "all") == 0)
        return true;
    return str_equal(protocol, flow->protocol) ||
           strcmp(protocol, strcmp(flow->protocol, "udp") == 0 ? "17" : "6") == 0;
}

/* ---- prefix lists ---- */

static void cover_each(const cJSON *list, const char *member, const struct place *place,
                       enum cover *cover)
{
    struct cidr block;
    const cJSON *item;
    cJSON_ArrayForEach (item, list) {
        const char *text = member ? json_str(item, member) : cJSON_GetStringValue(item);
        enum cover one = text && cidr_parse(text, &block) ? place_covered(place, &block)
                                                          : COVER_NONE;
        *cover = one > *cover ? one : *cover;
    }
}

/* "com.amazonaws.eu-west-1.s3" is the list of all addresses of that service. */
static bool is_of_service(const char *name, const char *service)
{
    const char *dot = name ? strrchr(name, '.') : NULL;
    return dot && service && str_starts(name, "com.amazonaws.") && strcmp(dot + 1, service) == 0;
}

enum cover prefix_list_covers(struct view *view, const char *id, const struct place *place,
                              bool *known)
{
    enum cover cover = COVER_NONE;
    *known = false;
    for (const struct record *r = NULL; (r = view_next(view, "aws.prefix_lists", r));) {
        const char *own = json_str(r->doc, "PrefixListId");
        const char *cidr = json_str(r->doc, "Cidr");
        if (own && strcmp(own, id) == 0) {
            const char *name = json_str(r->doc, "PrefixListName");
            if (is_of_service(name, place->service)) {
                *known = true;
                return COVER_ALL;
            }
            const cJSON *blocks = json_at(r->doc, "Cidrs");
            /* A list of another service does not hold this one. */
            *known = *known || cJSON_IsArray(blocks) ||
                     (place->service && name && str_starts(name, "com.amazonaws."));
            cover_each(blocks, NULL, place, &cover);
        } else if (!own && cidr && r->source && strstr(r->source->name, id)) {
            struct cidr block;
            *known = true;
            enum cover one = cidr_parse(cidr, &block) ? place_covered(place, &block) : COVER_NONE;
            cover = one > cover ? one : cover;
        }
    }
    return cover;
}

/* ---- rules ---- */

static void meet(struct judging *judging, const struct record *record, const char *group,
                 const char *whom, enum cover cover, const char *depends, const char *missing)
{
    if (cover == COVER_NONE || judging->allows || (cover == COVER_PART && judging->may))
        return;
    judging->group = group;
    judging->whom = whom;
    if (cover == COVER_ALL) {
        judging->allows = record;
    } else {
        judging->may = record;
        judging->depends = depends;
        judging->missing = missing;
    }
}

static void meet_block(struct judging *judging, const struct record *record, const char *group,
                       const char *text, enum cover ports)
{
    struct cidr block;
    if (!text)
        return;
    enum cover cover = cidr_parse(text, &block) ? place_covered(judging->flow->other, &block)
                                                : COVER_NONE;
    meet(judging, record, group, text, cover < ports ? cover : ports,
         arena_printf(judging->view->scratch, "%s holds only some of the addresses", text), NULL);
}

static void meet_group(struct judging *judging, const struct record *record, const char *group,
                       const char *whom, enum cover ports)
{
    const struct place *other = judging->flow->other;
    if (!whom)
        return;
    enum cover cover = place_list_has(&other->groups, whom)        ? COVER_ALL
                       : other->groups_apply && !other->groups.len ? COVER_PART
                                                                   : COVER_NONE;
    meet(judging, record, group, whom, cover < ports ? cover : ports,
         arena_printf(judging->view->scratch, "which security groups %s has is not known",
                      other->name),
         "aws.network_interfaces");
}

static void meet_list(struct judging *judging, const struct record *record, const char *group,
                      const char *id, enum cover ports)
{
    bool known;
    if (!id)
        return;
    enum cover cover = prefix_list_covers(judging->view, id, judging->flow->other, &known);
    if (!known)
        cover = COVER_PART;
    meet(judging, record, group, id, cover < ports ? cover : ports,
         arena_printf(judging->view->scratch,
                      known ? "prefix list %s holds only some of the addresses"
                            : "what prefix list %s holds is not in the evidence",
                      id),
         known ? NULL : "aws.prefix_lists");
}

static void judge_permission(struct judging *judging, const struct record *record,
                             const char *group, const cJSON *permission)
{
    static const char *const lists[][2] = {{"IpRanges", "CidrIp"}, {"Ipv6Ranges", "CidrIpv6"}};
    const cJSON *one;
    enum cover ports = flow_covered(judging->flow, permission, "FromPort", "ToPort");
    if (!flow_protocol(judging->flow, json_str(permission, "IpProtocol")) || ports == COVER_NONE)
        return;
    for (int i = 0; i < 2; i++) {
        cJSON_ArrayForEach (one, json_at(permission, lists[i][0])) {
            meet_block(judging, record, group, json_str(one, lists[i][1]), ports);
        }
    }
    cJSON_ArrayForEach (one, json_at(permission, "UserIdGroupPairs")) {
        meet_group(judging, record, group, json_str(one, "GroupId"), ports);
    }
    cJSON_ArrayForEach (one, json_at(permission, "PrefixListIds")) {
        meet_list(judging, record, group, json_str(one, "PrefixListId"), ports);
    }
}

static void judge_object(struct judging *judging, const struct record *record, const char *group)
{
    const char *member = judging->flow->egress ? "IpPermissionsEgress" : "IpPermissions";
    const cJSON *rules = json_at(record->doc, member), *rule;
    char place[64];
    int at = 0;
    /* AWS prints an empty list for no rules: a member that is not there was cut away. */
    if (!cJSON_IsArray(rules)) {
        judging->unknown = judging->unknown ? judging->unknown : group;
        return;
    }
    snprintf(place, sizeof place, "/%s", member);
    if (!judging->seen)
        judging->seen = answer_part(judging->view, record, place, rules, rules);
    cJSON_ArrayForEach (rule, rules) {
        if (judging->allows)
            return;
        snprintf(place, sizeof place, "/%s/%d", member, at++);
        judge_permission(judging, answer_part(judging->view, record, place, rule, rule), group,
                         rule);
    }
}

/* describe-security-group-rules: one record for each rule. False: none is of GROUP. */
static bool judge_flat(struct judging *judging, const char *group)
{
    bool found = false;
    struct view *view = judging->view;
    for (const struct record *r = NULL; (r = view_next(view, "aws.security_group_rules", r));) {
        if (!str_equal(json_str(r->doc, "GroupId"), group))
            continue;
        found = true;
        enum cover ports = flow_covered(judging->flow, r->doc, "FromPort", "ToPort");
        if (json_bool(r->doc, "IsEgress") != judging->flow->egress || ports == COVER_NONE ||
            !flow_protocol(judging->flow, json_str(r->doc, "IpProtocol")))
            continue;
        judging->seen = judging->seen ? judging->seen : r;
        meet_block(judging, r, group, json_str(r->doc, "CidrIpv4"), ports);
        meet_block(judging, r, group, json_str(r->doc, "CidrIpv6"), ports);
        meet_group(judging, r, group, json_str(r->doc, "ReferencedGroupInfo.GroupId"), ports);
        meet_list(judging, r, group, json_str(r->doc, "PrefixListId"), ports);
    }
    return found;
}

static void judge_group(struct judging *judging, const char *group)
{
    const struct record *record = place_object(judging->view, "aws.security_groups", "GroupId",
                                               group);
    if (record)
        judge_object(judging, record, group);
    else if (!judge_flat(judging, group) && !judging->unknown)
        judging->unknown = group;
}

/* ---- the sentence ---- */

static const char *all_groups(const struct judging *judging)
{
    const struct place_list *groups = &judging->flow->self->groups;
    const char *text = groups->items[0];
    for (int i = 1; i < groups->len; i++)
        text = arena_printf(judging->view->scratch, "%s, %s", text, groups->items[i]);
    return text;
}

static void say(const struct judging *judging, struct answer *out)
{
    struct view *view = judging->view;
    const struct flow *flow = judging->flow;
    const char *way = flow->egress ? "out to" : "in from", *ports = flow_ports(view, flow);
    if (judging->allows)
        return answer_set(out, view, ANSWER_YES, NULL, judging->allows,
                          "security group %s lets %s %s %s %s", judging->group, flow->protocol,
                          ports, way, judging->whom);
    if (judging->may)
        return answer_set(out, view, ANSWER_UNDECIDABLE,
                          judging->missing ? judging->missing : "security-group", judging->may,
                          "security group %s may let %s %s %s %s, but %s", judging->group,
                          flow->protocol, ports, way, flow->other->name, judging->depends);
    if (judging->unknown)
        return answer_set(out, view, ANSWER_UNDECIDABLE, "aws.security_groups", judging->seen,
                          "the rules of security group %s of %s are not in the evidence",
                          judging->unknown, flow->self->name);
    answer_set(out, view, ANSWER_NO, "security-group", judging->seen,
               "no rule of security group %s lets %s %s %s %s", all_groups(judging), flow->protocol,
               ports, way, flow->other->name);
}

void groups_judge(struct view *view, const struct flow *flow, struct answer *out)
{
    struct judging judging = {.view = view, .flow = flow};
    if (!flow->self->groups.len)
        return answer_set(out, view, ANSWER_UNDECIDABLE, "aws.network_interfaces",
                          flow->self->record, "which security groups %s has is not in the evidence",
                          flow->self->name);
    for (int i = 0; i < flow->self->groups.len && !judging.allows; i++)
        judge_group(&judging, flow->self->groups.items[i]);
    say(&judging, out);
}
