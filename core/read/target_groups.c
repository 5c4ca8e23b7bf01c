/* Stage: read. Target groups of load balancers, from `aws elbv2 describe-target-groups`: above all what
 * they ask of their targets. Writes target_groups. */
#include "read/target_groups.h"
#include "base/json.h"
#include "read/containers.h"
#include "read/readers.h"

void target_groups_add(struct reading *reading, const cJSON *group, const char *pointer)
{
    static const char *const cells[][2] = {{"arn", "TargetGroupArn"},
                                           {"name", "TargetGroupName"},
                                           {"protocol", "Protocol"},
                                           {"protocol_version", "ProtocolVersion"},
                                           {"port", "Port"},
                                           {"check_protocol", "HealthCheckProtocol"},
                                           {"check_port", "HealthCheckPort"},
                                           {"check_path", "HealthCheckPath"},
                                           {"matcher", "Matcher.HttpCode"},
                                           {"matcher", "Matcher.GrpcCode"},
                                           {"check_interval", "HealthCheckIntervalSeconds"},
                                           {"unhealthy_count", "UnhealthyThresholdCount"},
                                           {"target_type", "TargetType"}};
    struct record *record = reading_add(reading, "aws.target_groups", pointer);
    for (size_t i = 0; record && i < sizeof cells / sizeof *cells; i++)
        containers_set(reading, record, cells[i][0], group, cells[i][1]);
    if (record)
        containers_set_list(reading, record, "load_balancers", json_at(group, "LoadBalancerArns"),
                            NULL, ",");
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    (void)line;
    const cJSON *data = json_at(document, "data"), *group;
    int index = 0;
    cJSON_ArrayForEach (group, json_at(data ? data : document, "TargetGroups")) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s%s/TargetGroups/%d", prefix, data ? "/data" : "", index++);
        target_groups_add(reading, group, place);
    }
}

static void read_groups(struct reading *reading)
{
    reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
    evidence_supplied(reading->evidence, "aws.target_groups", reading->complete);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_YAML)
        return 0;
    if (peek_has_key(peek, "TargetGroups"))
        return 95;
    return peek_has_key(peek, "data") && peek_has(peek, "\"TargetGroups\"") ? 90 : 0;
}

static const char *const supplies[] = {"aws.target_groups", NULL};

const struct reader read_target_groups = {
    .kind = "aws.target_groups", .supplies = supplies, .recognise = recognise, .read = read_groups};
