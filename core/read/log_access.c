/* Stage: read. Fields of access log lines in JSON. Their names are the operator's choice; these are the
 * ones that Istio, Envoy Gateway, Contour and Envoy's documentation use. Reads one line, writes cells. */
#include "read/log_access.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include <string.h>

enum { NAMES_MAX = 6 };

static const struct {
    const char *column, *names[NAMES_MAX];
} columns[] = {
    {"method", {"method", "request_method", "req_method", ":method", "requestMethod"}},
    {"path", {"path", "x-envoy-origin-path", "request_path", "uri_path", ":path", "requestPath"}},
    {"protocol", {"protocol"}},
    {"code", {"response_code", "responseCode"}},
    {"flags", {"response_flags", "responseFlags"}},
    {"user_agent", {"user_agent", "user-agent", "userAgent"}},
    {"authority", {"authority", ":authority", "requested_host", "host", "requestedHost"}},
    {"upstream", {"upstream_host", "upstreamHost"}},
    {"cluster", {"upstream_cluster", "upstreamCluster"}},
    {"details", {"response_code_details", "responseCodeDetails"}},
    {"transport", {"upstream_transport_failure_reason", "upstreamTransportFailureReason"}},
};

static const char *member(const cJSON *object, const char *const *names, char number[32])
{
    const char *value = NULL;
    for (int i = 0; i < NAMES_MAX && names[i] && !value; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, names[i]);
        value = item ? json_scalar(item, "", number) : NULL;
    }
    return value;
}

static void set_time(struct record *record, const cJSON *object)
{
    static const char *const names[NAMES_MAX] = {"start_time", "startTime", "timestamp",
                                                 "@timestamp", "time"};
    char number[32];
    const char *time = member(object, names, number);
    if (time)
        clock_parse(time, strlen(time), &record->time);
}

void log_access_json(struct evidence *evidence, struct record *record, const char *line, size_t len)
{
    const char *open = memchr(line, '{', len);
    if (!str_starts(record_name(record), "access.") || !open)
        return;
    while (len && line[len - 1] != '}')
        len--;
    cJSON *object = line + len > open ? json_parse(open, (size_t)(line + len - open), NULL) : NULL;
    for (size_t i = 0; i < ARRAY_LEN(columns) && cJSON_IsObject(object); i++) {
        char number[32];
        const char *value = member(object, columns[i].names, number);
        if (value)
            evidence_set(evidence, record, columns[i].column, value);
    }
    if (cJSON_IsObject(object))
        set_time(record, object);
    cJSON_Delete(object);
}
