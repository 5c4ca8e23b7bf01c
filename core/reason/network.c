/* Stage: check. Follows a connection from one end to the other: groups, routes, ACLs and back. Reads the
 * parts' judgements, writes one answer: the first part that is closed decides; then what is not known;
 * open only when every part is. */
#include "reason/network.h"

#include "base/json.h"
#include "reason/network_rules.h"

#include <stdio.h>
#include <string.h>

/* Where systems and NAT gateways let answers come to. */
enum { ANSWERS_LOW = 32768, ANSWERS_HIGH = 60999 };

struct path {
    struct view *view;
    const struct network_question *question;
    struct place from, to;
    struct answer closed, unsure;
    const struct record *first; /* that let it through */
    const char *open;           /* the sentence, when all is open */
};

static void take(struct path *path, const struct answer *part)
{
    if (part->decision == ANSWER_NO && !path->closed.why)
        path->closed = *part;
    else if (part->decision == ANSWER_UNDECIDABLE && !path->unsure.why)
        path->unsure = *part;
    if (part->decision != ANSWER_YES)
        return;
    path->first = path->first ? path->first : part->record;
    path->open = path->open ? arena_printf(path->view->scratch, "%s; %s", path->open, part->why)
                            : part->why;
}

static struct flow flow_of(const struct path *path, bool at_start, bool answers)
{
    const char *protocol = path->question->protocol;
    return (struct flow){.self = at_start ? &path->from : &path->to,
                         .other = at_start ? &path->to : &path->from,
                         .egress = at_start != answers,
                         .low = answers ? ANSWERS_LOW : path->question->port,
                         .high = answers ? ANSWERS_HIGH : path->question->port,
                         .protocol = protocol ? protocol : "tcp"};
}

static void judge_groups(struct path *path, bool at_start)
{
    struct answer part;
    struct flow flow = flow_of(path, at_start, false);
    if (!flow.self->groups_apply)
        return;
    groups_judge(path->view, &flow, &part);
    take(path, &part);
}

/* One of several subnets that is closed does not close the way: which one is taken is not known. */
static void take_one_of(struct path *path, struct answer *part, const struct place *self)
{
    if (part->decision == ANSWER_NO && self->subnets.len > 1) {
        part->decision = ANSWER_UNDECIDABLE;
        part->why = arena_printf(path->view->scratch, "%s, which is one of %d subnets of %s",
                                 part->why, self->subnets.len, self->name);
    }
    take(path, part);
}

/* A list is asked only about what crosses the border of its subnet. */
static void judge_acls(struct path *path, bool at_start)
{
    const struct place *self = at_start ? &path->from : &path->to;
    for (int i = 0; i < self->subnets.len; i++) {
        const char *subnet = self->subnets.items[i];
        struct answer part;
        struct flow flow = flow_of(path, at_start, false), back = flow_of(path, at_start, true);
        if (path->from.subnets.len == 1 && path->to.subnets.len == 1 &&
            place_list_has(&flow.other->subnets, subnet))
            return;
        acl_judge(path->view, &flow, subnet, &part);
        take_one_of(path, &part, self);
        acl_judge(path->view, &back, subnet, &part);
        take_one_of(path, &part, self);
    }
}

static void judge_route(struct path *path, const struct place *from, const struct place *to)
{
    struct answer part;
    if (!from->subnets_apply)
        return;
    if (!from->subnets.len) {
        answer_set(&part, path->view, ANSWER_UNDECIDABLE, "aws.network_interfaces", from->record,
                   "the subnet of %s is not in the evidence", from->name);
        return take(path, &part);
    }
    for (int i = 0; i < from->subnets.len; i++) {
        route_judge(path->view, from, to, from->subnets.items[i], &part);
        /* Without the endpoints, a private one may answer where the way to the internet ends. */
        if (part.decision == ANSWER_NO && to->service && to->endpoints_unknown)
            answer_set(&part, path->view, ANSWER_UNDECIDABLE, "aws.vpc_endpoints", part.record,
                       "%s; whether there is a VPC endpoint for %s is not in the evidence",
                       part.why, to->service);
        take_one_of(path, &part, from);
    }
}

/* A gateway endpoint that no route leads to is not used. */
static void name_unused_gateway(struct path *path)
{
    const struct record *gateway = path->to.gateway;
    if (!gateway || !path->closed.why || strcmp(path->closed.reason, "route") != 0)
        return;
    const char *id = json_str(gateway->doc, "VpcEndpointId");
    path->closed.why = arena_printf(path->view->scratch,
                                    "%s, and it does not lead to gateway endpoint %s either",
                                    path->closed.why, id ? id : "?");
}

/* Without private DNS the service's name leads past the endpoint. */
static void name_endpoint_without_dns(struct path *path)
{
    const struct record *endpoint = path->to.unnamed;
    const char *reason = path->closed.reason;
    if (!endpoint || !path->closed.why ||
        (strcmp(reason, "route") != 0 && strcmp(reason, "public-address") != 0))
        return;
    const char *id = json_str(endpoint->doc, "VpcEndpointId");
    path->closed.why = arena_printf(path->view->scratch,
                                    "%s, and endpoint %s is not used: its private DNS is off",
                                    path->closed.why, id ? id : "?");
}

static bool found(struct path *path, const struct place *place, struct answer *out)
{
    if (place->unknown)
        answer_set(out, path->view, ANSWER_UNDECIDABLE, place->missing, NULL, "%s", place->unknown);
    return !place->unknown;
}

void network_ask(struct view *view, const struct network_question *question, struct answer *out)
{
    struct path path = {.view = view, .question = question};
    place_find(view, question->from, NULL, &path.from);
    place_find(view, question->to, &path.from, &path.to);
    if (!found(&path, &path.from, out) || !found(&path, &path.to, out))
        return;
    judge_groups(&path, true);
    judge_route(&path, &path.from, &path.to);
    judge_acls(&path, true);
    judge_groups(&path, false);
    judge_acls(&path, false);
    if (path.from.outside)
        judge_route(&path, &path.to, &path.from);
    name_unused_gateway(&path);
    name_endpoint_without_dns(&path);
    if (path.closed.why)
        *out = path.closed;
    else if (path.unsure.why)
        *out = path.unsure;
    else if (!path.open)
        answer_set(out, view, ANSWER_UNDECIDABLE, "aws.network_interfaces", NULL,
                   "nothing of the way from %s to %s is in the evidence", path.from.name,
                   path.to.name);
    else
        answer_set(out, view, ANSWER_YES, NULL, path.first, "%s", path.open);
}
