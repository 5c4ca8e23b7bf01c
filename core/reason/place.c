/* Stage: check. Finds where traffic starts or ends. Reads tasks, interfaces, instances, subnets and
 * endpoints; writes a place. Deliberately takes nothing for known that no record says: an address that
 * no interface of the evidence has lies in its subnet, and its groups are unknown. */
#include "reason/place.h"

#include "base/json.h"
#include "base/str.h"

#include <string.h>

static void add(struct place_list *list, const char *item)
{
    if (item && list->len < PLACE_LIST_MAX && !place_list_has(list, item))
        list->items[list->len++] = item;
}

bool place_list_has(const struct place_list *list, const char *item)
{
    for (int i = 0; i < list->len; i++)
        if (str_equal(list->items[i], item))
            return true;
    return false;
}

static void add_range(struct place *place, const char *text)
{
    if (text && place->ranges_len < PLACE_LIST_MAX &&
        cidr_parse(text, &place->ranges[place->ranges_len]))
        place->ranges_len++;
}

static void add_each(struct place_list *list, const cJSON *array, const char *member)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, array) {
        add(list, member ? json_str(item, member) : cJSON_GetStringValue(item));
    }
}

const struct record *place_object(struct view *view, const char *name, const char *member,
                                  const char *value)
{
    for (const struct record *r = NULL; value && (r = view_next(view, name, r));)
        if (str_equal(json_str(r->doc, member), value))
            return r;
    return NULL;
}

enum cover place_covered(const struct place *place, const struct cidr *block)
{
    enum cover all = COVER_ALL, any = COVER_NONE;
    if (place->anywhere)
        return block->bits == 0      ? (block->v6 ? COVER_PART : COVER_ALL)
               : cidr_private(block) ? COVER_NONE
                                     : COVER_PART;
    for (int i = 0; i < place->ranges_len; i++) {
        enum cover one = cidr_covers(block, &place->ranges[i]);
        all = one < all ? one : all;
        any = one > any ? one : any;
    }
    if (!place->ranges_len) /* some private address, no more is known */
        return block->bits == 0 && !block->v6 ? COVER_ALL : COVER_PART;
    return all == COVER_ALL ? COVER_ALL : any == COVER_NONE ? COVER_NONE : COVER_PART;
}

/* ---- subnets ---- */

static void know_vpc(struct view *view, struct place *place)
{
    for (int i = 0; i < place->subnets.len && !place->vpc; i++) {
        const struct record *subnet = place_object(view, "aws.subnets", "SubnetId",
                                                   place->subnets.items[i]);
        place->vpc = subnet ? json_str(subnet->doc, "VpcId") : NULL;
    }
}

static void use_subnet_ranges(struct view *view, struct place *place)
{
    for (int i = 0; i < place->subnets.len; i++) {
        const struct record *subnet = place_object(view, "aws.subnets", "SubnetId",
                                                   place->subnets.items[i]);
        add_range(place, subnet ? json_str(subnet->doc, "CidrBlock") : NULL);
    }
}

/* ---- things that have an address ---- */

static void at_interface(struct place *place, const struct record *record)
{
    const cJSON *one;
    place->record = place->record ? place->record : record;
    place->vpc = json_str(record->doc, "VpcId");
    add(&place->subnets, json_str(record->doc, "SubnetId"));
    add_each(&place->groups, json_at(record->doc, "Groups"), "GroupId");
    if (!place->ranges_len)
        add_range(place, json_str(record->doc, "PrivateIpAddress"));
    place->public_address = json_str(record->doc, "Association.PublicIp") != NULL;
    cJSON_ArrayForEach (one, json_at(record->doc, "PrivateIpAddresses")) {
        place->public_address |= json_str(one, "Association.PublicIp") != NULL;
    }
}

static void at_instance(struct place *place, const struct record *record)
{
    place->record = place->record ? place->record : record;
    place->vpc = json_str(record->doc, "VpcId");
    add(&place->subnets, json_str(record->doc, "SubnetId"));
    add_each(&place->groups, json_at(record->doc, "SecurityGroups"), "GroupId");
    add_range(place, json_str(record->doc, "PrivateIpAddress"));
    const char *address = json_str(record->doc, "PublicIpAddress");
    place->public_address = address && *address;
}

static const char *last_part(const char *text)
{
    const char *slash = text ? strrchr(text, '/') : NULL;
    return slash ? slash + 1 : text;
}

/* What the task's service asked for: the interface of a stopped task is gone, its settings are not. */
static void as_service(struct view *view, struct place *place, const cJSON *task)
{
    const char *group = json_str(task, "group");
    if (!group || !str_starts(group, "service:"))
        return;
    const struct record *service = place_object(view, "aws.services", "serviceName",
                                                group + strlen("service:"));
    const cJSON *settings = service
                                ? json_at(service->doc, "networkConfiguration.awsvpcConfiguration")
                                : NULL;
    if (service && !settings)
        settings = json_at(service->doc, "deployments[0].networkConfiguration.awsvpcConfiguration");
    add_each(&place->groups, json_at(settings, "securityGroups"), NULL);
    if (!place->subnets.len && cJSON_GetArraySize(json_at(settings, "subnets")) == 1)
        add_each(&place->subnets, json_at(settings, "subnets"), NULL);
    const char *assign = json_str(settings, "assignPublicIp");
    if (assign)
        place->public_address = strcmp(assign, "ENABLED") == 0;
}

static const char *detail(const cJSON *task, const char *name)
{
    const cJSON *attachment, *one;
    cJSON_ArrayForEach (attachment, json_at(task, "attachments")) {
        cJSON_ArrayForEach (one, json_at(attachment, "details")) {
            if (str_equal(json_str(one, "name"), name))
                return json_str(one, "value");
        }
    }
    return NULL;
}

/* In bridge and host mode a task's traffic is its instance's. */
static void on_instance(struct view *view, struct place *place, const cJSON *task)
{
    const struct record *container = place_object(view, "aws.container_instances",
                                                  "containerInstanceArn",
                                                  json_str(task, "containerInstanceArn"));
    const struct record *instance = container
                                        ? place_object(view, "aws.instances", "InstanceId",
                                                       json_str(container->doc, "ec2InstanceId"))
                                        : NULL;
    if (instance)
        at_instance(place, instance);
}

static void at_task(struct view *view, struct place *place, const struct record *record)
{
    const cJSON *task = record->doc;
    place->name = arena_printf(view->scratch, "task %s", last_part(json_str(task, "taskArn")));
    place->record = record;
    const char *address = detail(task, "privateIPv4Address");
    if (!address)
        address = json_str(task, "containers[0].networkInterfaces[0].privateIpv4Address");
    add_range(place, address);
    const struct record *interface = place_object(
        view, "aws.network_interfaces", "NetworkInterfaceId", detail(task, "networkInterfaceId"));
    if (interface) {
        at_interface(place, interface);
    } else if (detail(task, "networkInterfaceId") || !json_str(task, "containerInstanceArn")) {
        add(&place->subnets, detail(task, "subnetId"));
        as_service(view, place, task);
    } else {
        on_instance(view, place, task);
    }
    know_vpc(view, place);
}

static const struct record *task_of(struct view *view, const char *name)
{
    for (const struct record *r = NULL; (r = view_next(view, "aws.tasks", r));)
        if (str_equal(last_part(json_str(r->doc, "taskArn")), last_part(name)))
            return r;
    return NULL;
}

/* ---- addresses ---- */

/* The interface that has the address, be it a further one (pods of EKS have these). */
static const struct record *interface_of(struct view *view, const char *text)
{
    for (const struct record *r = NULL; (r = view_next(view, "aws.network_interfaces", r));) {
        const cJSON *one;
        if (str_equal(json_str(r->doc, "PrivateIpAddress"), text))
            return r;
        cJSON_ArrayForEach (one, json_at(r->doc, "PrivateIpAddresses")) {
            if (str_equal(json_str(one, "PrivateIpAddress"), text))
                return r;
        }
    }
    return NULL;
}

static bool find_address(struct view *view, struct place *place, const char *text)
{
    const struct record *r = interface_of(view, text);
    if (r) {
        add_range(place, text);
        at_interface(place, r);
        return true;
    }
    r = place_object(view, "aws.instances", "PrivateIpAddress", text);
    if (r) {
        at_instance(place, r);
        return true;
    }
    for (r = NULL; (r = view_next(view, "aws.tasks", r));) {
        if (str_equal(detail(r->doc, "privateIPv4Address"), text)) {
            at_task(view, place, r);
            return true;
        }
    }
    return false;
}

static void at_address(struct view *view, struct place *place, const char *text)
{
    struct cidr block;
    if (find_address(view, place, text))
        return know_vpc(view, place);
    add_range(place, text);
    for (const struct record *r = NULL; (r = view_next(view, "aws.subnets", r));) {
        const char *range = json_str(r->doc, "CidrBlock");
        if (!range || !cidr_parse(range, &block) ||
            cidr_covers(&block, &place->ranges[0]) != COVER_ALL)
            continue;
        add(&place->subnets, json_str(r->doc, "SubnetId"));
        place->vpc = json_str(r->doc, "VpcId");
        place->record = r;
        return;
    }
    /* A private address that no subnet given holds may still lie in the VPC. */
    place->outside = !cidr_private(&place->ranges[0]);
    place->groups_apply = place->subnets_apply = !place->outside;
}

/* ---- services of AWS ---- */

/* "api.ecr.eu-west-1.amazonaws.com" -> "ecr.api"; NULL for other names. The names of private endpoints
 * are those of the service, turned round; the registry and the buckets have a name of their own in front.
 * REGION: NULL when the name holds none. */
static const char *service_of(struct view *view, const char *host, const char **region)
{
    const char *end = strstr(host, ".amazonaws.com");
    *region = NULL;
    if (!end)
        return NULL;
    char *name = arena_strndup(view->scratch, host, (size_t)(end - host));
    char *dot = strrchr(name, '.');
    if (strcmp(name, "s3") == 0 || (dot && strcmp(dot, ".s3") == 0))
        return "s3";
    if (!dot) /* a global name: endpoints answer to regional ones */
        return NULL;
    *region = dot + 1;
    if (strstr(name, ".dkr.ecr."))
        return "ecr.dkr";
    if (str_starts(name, "api.ecr."))
        return "ecr.api";
    if (str_starts(name, "s3.") || strstr(name, ".s3."))
        return "s3";
    *dot = '\0';
    return name;
}

/* "com.amazonaws.eu-west-1.ecr.api" is an endpoint of one region. */
static bool in_region(const char *full, const char *region)
{
    const char *own = strstr(full, "amazonaws.");
    size_t len = region ? strlen(region) : 0;
    own = own ? own + strlen("amazonaws.") : NULL;
    return !len || !own || (strncmp(own, region, len) == 0 && own[len] == '.');
}

static bool serves(const struct record *endpoint, const char *service, const char *region,
                   const char *vpc)
{
    const char *full = json_str(endpoint->doc, "ServiceName"),
               *own = json_str(endpoint->doc, "VpcId"), *state = json_str(endpoint->doc, "State");
    if (!full || (vpc && own && strcmp(vpc, own) != 0) ||
        (state && strcmp(state, "available") != 0))
        return false;
    size_t len = strlen(full), tail = strlen(service);
    return in_region(full, region) && len > tail && full[len - tail - 1] == '.' &&
           strcmp(full + len - tail, service) == 0;
}

static void at_endpoint(struct view *view, struct place *place, const struct record *record)
{
    const cJSON *id;
    place->record = record;
    place->name = arena_printf(view->scratch, "VPC endpoint %s",
                               json_str(record->doc, "VpcEndpointId"));
    place->vpc = json_str(record->doc, "VpcId");
    place->anywhere = place->outside = false;
    place->groups_apply = place->subnets_apply = true;
    add_each(&place->groups, json_at(record->doc, "Groups"), "GroupId");
    add_each(&place->subnets, json_at(record->doc, "SubnetIds"), NULL);
    cJSON_ArrayForEach (id, json_at(record->doc, "NetworkInterfaceIds")) {
        const struct record *interface = place_object(
            view, "aws.network_interfaces", "NetworkInterfaceId", cJSON_GetStringValue(id));
        if (!interface) {
            place->ranges_len = 0;
            break;
        }
        add_range(place, json_str(interface->doc, "PrivateIpAddress"));
    }
    if (!place->ranges_len)
        use_subnet_ranges(view, place);
}

/* A service answers at its private endpoint where there is one, else on the internet. */
static void at_service(struct view *view, struct place *place, const char *service,
                       const char *region, const struct place *near)
{
    place->service = service;
    place->anywhere = place->outside = true;
    place->groups_apply = place->subnets_apply = false;
    place->endpoints_unknown = view_state(view, "aws.vpc_endpoints") != EVIDENCE_COMPLETE;
    for (const struct record *r = NULL; (r = view_next(view, "aws.vpc_endpoints", r));) {
        if (!serves(r, service, region, near ? near->vpc : NULL))
            continue;
        if (str_equal(json_str(r->doc, "VpcEndpointType"), "Gateway"))
            place->gateway = place->gateway ? place->gateway : r;
        else if (json_bool(r->doc, "PrivateDnsEnabled"))
            return at_endpoint(view, place, r);
        else
            place->unnamed = r;
    }
}

/* ---- which of them ---- */

static void not_given(struct view *view, struct place *place, const char *what, const char *name,
                      const char *evidence)
{
    place->unknown = arena_printf(view->scratch, "%s %s is not in the evidence", what, name);
    place->missing = evidence;
}

static void find_object(struct view *view, struct place *place, const char *name)
{
    const struct record *r;
    if (str_starts(name, "sg-")) {
        add(&place->groups, name);
        place->subnets_apply = false;
    } else if (str_starts(name, "subnet-")) {
        add(&place->subnets, name);
        place->groups_apply = false;
        place->record = place_object(view, "aws.subnets", "SubnetId", name);
        use_subnet_ranges(view, place);
        know_vpc(view, place);
    } else if (str_starts(name, "eni-")) {
        r = place_object(view, "aws.network_interfaces", "NetworkInterfaceId", name);
        if (r)
            at_interface(place, r);
        else
            not_given(view, place, "network interface", name, "aws.network_interfaces");
    } else if (str_starts(name, "i-")) {
        r = place_object(view, "aws.instances", "InstanceId", name);
        if (r)
            at_instance(place, r);
        else
            not_given(view, place, "instance", name, "aws.instances");
    } else {
        r = place_object(view, "aws.vpc_endpoints", "VpcEndpointId", name);
        if (r)
            at_endpoint(view, place, r);
        else
            not_given(view, place, "VPC endpoint", name, "aws.vpc_endpoints");
    }
}

static bool is_object(const char *name)
{
    static const char *const starts[] = {"sg-", "subnet-", "eni-", "i-", "vpce-"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (str_starts(name, starts[i]) && !strchr(name, '.'))
            return true;
    return false;
}

void place_find(struct view *view, const char *name, const struct place *near, struct place *out)
{
    struct cidr block;
    const struct record *task;
    const char *service, *region;
    *out = (struct place){
        .name = name, .groups_apply = true, .subnets_apply = true, .public_address = -1};
    if (strcmp(name, "internet") == 0) {
        *out = (struct place){
            .name = "the internet", .anywhere = true, .outside = true, .public_address = 1};
    } else if (is_object(name)) {
        find_object(view, out, name);
    } else if (!strchr(name, '/') && cidr_parse(name, &block)) {
        at_address(view, out, name);
    } else if (str_starts(name, "com.amazonaws.")) {
        const char *start = name + strlen("com.amazonaws."), *dot = strchr(start, '.');
        region = dot ? arena_strndup(view->scratch, start, (size_t)(dot - start)) : NULL;
        at_service(view, out, dot ? dot + 1 : name, region, near);
    } else if ((task = task_of(view, name))) {
        at_task(view, out, task);
    } else if ((service = service_of(view, name, &region))) {
        at_service(view, out, service, region, near);
    } else if (strchr(name, '.')) {
        *out = (struct place){.name = name, .anywhere = true, .outside = true, .public_address = 1};
    } else {
        not_given(view, out, "task", name, "aws.tasks");
    }
}
