/* Stage: check. Judges where a packet goes by the route table of its subnet. Reads aws.route_tables;
 * writes the route that takes it, or that none does. What lies behind a transit gateway, a peering or an
 * appliance is another network's story, and stays undecidable. */
#include "reason/network_rules.h"

#include "base/json.h"
#include "base/str.h"

#include <string.h>

static bool is_for(const cJSON *associations, const char *subnet)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, associations) {
        if (subnet ? str_equal(json_str(one, "SubnetId"), subnet) : json_bool(one, "Main"))
            return true;
    }
    return false;
}

/* The table that names the subnet, else the main one of its VPC. */
static const struct record *table_of(struct view *view, const char *subnet, const char *vpc,
                                     bool *main)
{
    *main = false;
    for (const struct record *r = NULL; (r = view_next(view, "aws.route_tables", r));)
        if (is_for(json_at(r->doc, "Associations"), subnet))
            return r;
    *main = true;
    for (const struct record *r = NULL; (r = view_next(view, "aws.route_tables", r));)
        if (vpc && str_equal(json_str(r->doc, "VpcId"), vpc) &&
            is_for(json_at(r->doc, "Associations"), NULL))
            return r;
    return NULL;
}

struct way {
    const cJSON *route;
    int at, bits;
    const char *unsure; /* a prefix list that may hold it */
};

/* A gateway endpoint's route holds the addresses of its service. */
static bool leads_to_gateway(const cJSON *route, const struct place *to)
{
    const char *id = to->gateway ? json_str(to->gateway->doc, "VpcEndpointId") : NULL;
    return id && str_equal(json_str(route, "GatewayId"), id);
}

/* The list of a gateway endpoint's route holds its own service and no other, whoever prints the list. */
static bool of_other_service(struct view *view, const cJSON *route, const struct place *to)
{
    const struct record *endpoint = place_object(view, "aws.vpc_endpoints", "VpcEndpointId",
                                                 json_str(route, "GatewayId"));
    const char *name = endpoint ? json_str(endpoint->doc, "ServiceName") : NULL;
    const char *dot = name ? strrchr(name, '.') : NULL;
    return dot && to->service && strcmp(dot + 1, to->service) != 0;
}

static void try_route(struct view *view, const struct place *to, const cJSON *route, int at,
                      struct way *way)
{
    struct cidr block;
    const char *text = json_str(route, "DestinationCidrBlock");
    const char *list = json_str(route, "DestinationPrefixListId");
    if (!text)
        text = json_str(route, "DestinationIpv6CidrBlock");
    int bits = -1;
    if (leads_to_gateway(route, to)) {
        bits = 128;
    } else if (list && of_other_service(view, route, to)) {
        return;
    } else if (list) {
        bool known;
        enum cover cover = prefix_list_covers(view, list, to, &known);
        if (!known || cover == COVER_PART)
            way->unsure = list;
        bits = known && cover == COVER_ALL ? 127 : -1;
    } else if (text && cidr_parse(text, &block) && place_covered(to, &block) == COVER_ALL) {
        bits = block.bits;
    }
    if (bits > way->bits)
        *way = (struct way){route, at, bits, way->unsure};
}

static const char *target_of(const cJSON *route)
{
    static const char *const members[] = {
        "GatewayId",          "NatGatewayId",  "TransitGatewayId", "VpcPeeringConnectionId",
        "NetworkInterfaceId", "InstanceId",    "LocalGatewayId",   "EgressOnlyInternetGatewayId",
        "CarrierGatewayId",   "CoreNetworkArn"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_str(route, members[i]))
            return json_str(route, members[i]);
    return "an unnamed target";
}

static const char *destination_of(const cJSON *route)
{
    const char *text = json_str(route, "DestinationCidrBlock");
    text = text ? text : json_str(route, "DestinationIpv6CidrBlock");
    text = text ? text : json_str(route, "DestinationPrefixListId");
    return text ? text : "?";
}

static void through_internet_gateway(struct view *view, const struct place *from,
                                     const char *target, const struct record *part,
                                     const char *table, struct answer *out)
{
    if (from->public_address == 0)
        return answer_set(out, view, ANSWER_NO, "public-address", part,
                          "route table %s leads to internet gateway %s, but %s has no public "
                          "address",
                          table, target, from->name);
    if (from->public_address < 0)
        return answer_set(out, view, ANSWER_UNDECIDABLE, "aws.network_interfaces", part,
                          "route table %s leads to internet gateway %s; whether %s has a public "
                          "address is not in the evidence",
                          table, target, from->name);
    answer_set(out, view, ANSWER_YES, NULL, part, "route table %s leads it to internet gateway %s",
               table, target);
}

static void follow(struct view *view, const struct place *from, const struct place *to,
                   const struct record *record, const struct way *way, struct answer *out)
{
    const char *target = target_of(way->route), *table = json_str(record->doc, "RouteTableId");
    const char *place = arena_printf(view->scratch, "/Routes/%d", way->at);
    const struct record *part = answer_part(view, record, place, way->route, way->route);
    table = table ? table : "?";
    if (str_equal(json_str(way->route, "State"), "blackhole"))
        return answer_set(out, view, ANSWER_NO, "route", part,
                          "the route of table %s to %s leads to %s, which does not exist any more "
                          "(blackhole)",
                          table, destination_of(way->route), target);
    if (str_starts(target, "igw-"))
        return through_internet_gateway(view, from, target, part, table, out);
    if (strcmp(target, "local") == 0 && to->outside && !to->ranges_len)
        return answer_set(out, view, ANSWER_UNDECIDABLE, "route", part,
                          "where %s lies is not in the evidence", to->name);
    if (strcmp(target, "local") == 0 || str_starts(target, "nat-") || str_starts(target, "vpce-"))
        return answer_set(out, view, ANSWER_YES, NULL, part, "route table %s leads it to %s", table,
                          strcmp(target, "local") == 0 ? "the VPC itself" : target);
    answer_set(out, view, ANSWER_UNDECIDABLE, "next-hop", part,
               "route table %s leads it to %s, and what is behind that is not in the evidence",
               table, target);
}

void route_judge(struct view *view, const struct place *from, const struct place *to,
                 const char *subnet, struct answer *out)
{
    bool main;
    const struct record *table = table_of(view, subnet, from->vpc, &main);
    struct way way = {.bits = -1};
    const cJSON *route;
    int at = 0;
    bool same = to->vpc && from->vpc && strcmp(to->vpc, from->vpc) == 0;
    bool unknown = !to->ranges_len || !table; /* then the groups alone are asked */
    if (!to->outside && (same || ((!to->vpc || !from->vpc) && unknown)))
        return answer_set(out, view, ANSWER_YES, NULL, NULL, "it stays in the VPC");
    if (!table)
        return answer_set(out, view, ANSWER_UNDECIDABLE, "aws.route_tables", NULL,
                          "the route table of %s is not in the evidence", subnet);
    cJSON_ArrayForEach (route, json_at(table->doc, "Routes")) {
        try_route(view, to, route, at++, &way);
    }
    const char *id = json_str(table->doc, "RouteTableId");
    if (way.route && !(way.unsure && way.bits < 127))
        return follow(view, from, to, table, &way, out);
    if (way.route) {
        follow(view, from, to, table, &way, out);
        if (out->decision != ANSWER_NO)
            return;
    }
    if (way.unsure)
        return answer_set(out, view, ANSWER_UNDECIDABLE, "aws.prefix_lists", table,
                          "route table %s sends prefix list %s elsewhere, and what the list holds "
                          "is not in the evidence",
                          id ? id : "?", way.unsure);
    answer_set(out, view, ANSWER_NO, "route",
               answer_part(view, table, "/Routes", json_at(table->doc, "Routes"),
                           json_at(table->doc, "Routes")),
               "route table %s of %s%s has no route to %s", id ? id : "?", subnet,
               main ? " (the VPC's main table)" : "", to->name);
}
