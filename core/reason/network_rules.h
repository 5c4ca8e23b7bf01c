/* The parts of a way through the network, one by one; inside of core/reason only. */
#ifndef DEBRIEF_REASON_NETWORK_RULES_H
#define DEBRIEF_REASON_NETWORK_RULES_H

#include "reason/place.h"

struct flow {
    const struct place *self, *other; /* whose rules are read, and who is at the other end */
    bool egress;                      /* from self to other */
    int low, high;                    /* ports: one, or those that answers go to */
    const char *protocol;             /* "tcp", "udp" */
};

/* The security groups of flow->self. */
void groups_judge(struct view *view, const struct flow *flow, struct answer *out);
/* The network ACL of SUBNET, for packets of flow. */
void acl_judge(struct view *view, const struct flow *flow, const char *subnet, struct answer *out);
/* The route from SUBNET, where FROM is, to TO. *local: it stays in the VPC. */
void route_judge(struct view *view, const struct place *from, const struct place *to,
                 const char *subnet, struct answer *out);

/* How the prefix list ID covers PLACE; *known: what it holds is in the evidence. */
enum cover prefix_list_covers(struct view *view, const char *id, const struct place *place,
                              bool *known);
/* "443", "32768 to 60999" */
const char *flow_ports(struct view *view, const struct flow *flow);
/* A range of ports at LOW and HIGH of RULE, none or -1 being all, against those of flow. */
enum cover flow_covered(const struct flow *flow, const cJSON *rule, const char *low,
                        const char *high);
/* "-1", "tcp", "6" */
bool flow_protocol(const struct flow *flow, const char *protocol);

#endif
