/* Is the way open from here to there? Security groups at both ends, network ACLs both ways, route
 * tables, public addresses and VPC endpoints, as the evidence describes them; and which rule decides. */
#ifndef DEBRIEF_REASON_NETWORK_H
#define DEBRIEF_REASON_NETWORK_H

#include "reason/answer.h"

/* What a check that asks must declare among its needs, optional ones too. */
#define NETWORK_NEEDS                                                                              \
    "aws.tasks, aws.services, aws.container_instances, aws.instances, aws.network_interfaces, "    \
    "aws.subnets, aws.security_groups, aws.security_group_rules, aws.network_acls, "               \
    "aws.route_tables, aws.vpc_endpoints, aws.prefix_lists"

struct network_question {
    const char *from, *to; /* task, eni-, i-, sg-, subnet-, vpce-, address, host, "internet" */
    int port;
    const char *protocol; /* "tcp", "udp"; NULL: tcp */
};

/* YES is open, NO closed. `reason`: security-group, network-acl, route, public-address when closed; the
 * evidence that is missing ("aws.network_acls") or prefix-list, next-hop, endpoint when undecidable. */
void network_ask(struct view *view, const struct network_question *question, struct answer *out);

#endif
