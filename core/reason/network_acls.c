/* Stage: check. Judges packets by the network ACL of a subnet. Reads aws.network_acls; writes which entry
 * decides. The entries are tried in the order of their numbers, the first that fits decides, and the
 * list remembers nothing: answers need an entry of their own. */
#include "reason/network_rules.h"

#include "base/json.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

enum { ENTRIES_MAX = 512 };

struct entry {
    const cJSON *json;
    int at; /* in the list */
    int64_t number;
};

static const struct record *acl_of(struct view *view, const char *subnet)
{
    for (const struct record *r = NULL; (r = view_next(view, "aws.network_acls", r));) {
        const cJSON *one;
        cJSON_ArrayForEach (one, json_at(r->doc, "Associations")) {
            if (str_equal(json_str(one, "SubnetId"), subnet))
                return r;
        }
    }
    return NULL;
}

/* The entry after NUMBER in the order of numbers, of the flow's direction. */
static bool next_entry(const cJSON *entries, bool egress, int64_t number, struct entry *out)
{
    const cJSON *one;
    bool found = false;
    int at = 0;
    cJSON_ArrayForEach (one, entries) {
        int64_t own = 0;
        int place = at++;
        if (json_bool(one, "Egress") != egress || !json_int(one, "RuleNumber", &own) ||
            own <= number || (found && own >= out->number))
            continue;
        *out = (struct entry){one, place, own};
        found = true;
    }
    return found;
}

static enum cover entry_covers(const struct flow *flow, const cJSON *entry)
{
    struct cidr block;
    const char *text = json_str(entry, "CidrBlock");
    if (!text)
        text = json_str(entry, "Ipv6CidrBlock");
    if (!flow_protocol(flow, json_str(entry, "Protocol")) || !text || !cidr_parse(text, &block))
        return COVER_NONE;
    enum cover who = place_covered(flow->other, &block);
    enum cover ports = flow_covered(flow, entry, "PortRange.From", "PortRange.To");
    return who < ports ? who : ports;
}

static void say(struct view *view, const struct flow *flow, const struct record *acl,
                const struct entry *entry, struct answer *out)
{
    bool allows = str_equal(json_str(entry->json, "RuleAction"), "allow");
    const char *place = arena_printf(view->scratch, "/Entries/%d", entry->at);
    const struct record *part = answer_part(view, acl, place, entry->json, entry->json);
    const char *id = json_str(acl->doc, "NetworkAclId");
    const char *rule = entry->number == 32767
                           ? "its last rule"
                           : arena_printf(view->scratch, "rule %" PRId64, entry->number);
    const char *ports = flow_ports(view, flow);
    if (allows)
        return answer_set(out, view, ANSWER_YES, NULL, part, "network ACL %s lets it through (%s)",
                          id ? id : "?", rule);
    answer_set(out, view, ANSWER_NO, "network-acl", part,
               "network ACL %s denies %s %s %s %s (%s)%s", id ? id : "?", flow->protocol, ports,
               flow->egress ? "out to" : "in from", flow->other->name, rule,
               flow->low == flow->high ? "" : ", the ports that answers go to");
}

void acl_judge(struct view *view, const struct flow *flow, const char *subnet, struct answer *out)
{
    struct entry entry = {.json = NULL}, unsure = {.json = NULL};
    const struct record *acl = acl_of(view, subnet);
    if (!acl)
        return answer_set(out, view, ANSWER_UNDECIDABLE, "aws.network_acls", NULL,
                          "the network ACL of %s is not in the evidence", subnet);
    const cJSON *entries = json_at(acl->doc, "Entries");
    int64_t number = -1;
    for (int i = 0; i < ENTRIES_MAX && next_entry(entries, flow->egress, number, &entry); i++) {
        enum cover cover = entry_covers(flow, entry.json);
        number = entry.number;
        if (cover == COVER_PART && !unsure.json)
            unsure = entry;
        if (cover != COVER_ALL)
            continue;
        if (unsure.json &&
            !str_equal(json_str(unsure.json, "RuleAction"), json_str(entry.json, "RuleAction")))
            break;
        return say(view, flow, acl, &entry, out);
    }
    const char *id = json_str(acl->doc, "NetworkAclId");
    if (unsure.json)
        return answer_set(out, view, ANSWER_UNDECIDABLE, "network-acl",
                          answer_part(view, acl,
                                      arena_printf(view->scratch, "/Entries/%d", unsure.at),
                                      unsure.json, unsure.json),
                          "rule %" PRId64 " of network ACL %s covers only some of what passes "
                          "between %s and %s",
                          unsure.number, id ? id : "?", flow->self->name, flow->other->name);
    answer_set(out, view, ANSWER_NO, "network-acl", acl,
               "no rule of network ACL %s lets %s %s %s %s", id ? id : "?", flow->protocol,
               flow_ports(view, flow), flow->egress ? "out to" : "in from", flow->other->name);
}
