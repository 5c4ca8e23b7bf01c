/* Stage: read. Health of a load balancer's targets, from `aws elbv2 describe-target-health`. Writes
 * target_health. */
#include "base/json.h"
#include "read/containers.h"
#include "read/readers.h"

static void add_target(struct reading *reading, const cJSON *target, const char *pointer)
{
    static const char *const cells[][2] = {{"target", "Target.Id"},
                                           {"port", "Target.Port"},
                                           {"zone", "Target.AvailabilityZone"},
                                           {"check_port", "HealthCheckPort"},
                                           {"state", "TargetHealth.State"},
                                           {"reason", "TargetHealth.Reason"},
                                           {"description", "TargetHealth.Description"}};
    struct record *record = reading_add(reading, "aws.target_health", pointer);
    for (size_t i = 0; record && i < sizeof cells / sizeof *cells; i++)
        containers_set(reading, record, cells[i][0], target, cells[i][1]);
}

static void read_document(struct reading *reading, const cJSON *document, const char *prefix,
                          uint64_t line)
{
    (void)line;
    const cJSON *data = json_at(document, "data"), *target;
    int index = 0;
    cJSON_ArrayForEach (target, json_at(data ? data : document, "TargetHealthDescriptions")) {
        char place[CONTAINERS_POINTER_MAX];
        containers_place(place, "%s%s/TargetHealthDescriptions/%d", prefix, data ? "/data" : "",
                         index++);
        add_target(reading, target, place);
    }
}

static void read_target_healths(struct reading *reading)
{
    reading_documents(reading, CONTAINERS_DOCUMENT_MAX, read_document);
    evidence_supplied(reading->evidence, "aws.target_health", reading->complete);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_YAML)
        return 0;
    if (peek_has_key(peek, "TargetHealthDescriptions"))
        return 95;
    return peek_has_key(peek, "data") && peek_has(peek, "\"TargetHealthDescriptions\"") ? 90 : 0;
}

static const char *const supplies[] = {"aws.target_health", NULL};

const struct reader read_target_health = {.kind = "aws.target_health",
                                          .supplies = supplies,
                                          .recognise = recognise,
                                          .read = read_target_healths};
