/* Stage: finding. Writes what a check reported as the JSON of the report: findings, asks, walks. Reads the
 * builder's own rows; every text passes builder_put(). Who explains whom is correlate.c's business. */
#include "base/clock.h"
#include "base/json.h"
#include "debrief/plugin.h"
#include "finding/builder_parts.h"
#include "finding/fingerprint.h"
#include "finding/manifest.h"
#include "finding/quote.h"
#include "reason/walk.h"

#include <stdio.h>
#include <string.h>

static const char *severity_name(int severity)
{
    return severity == DEBRIEF_ERROR ? "error" : severity == DEBRIEF_WARNING ? "warning" : "info";
}

static const char *confidence_name(int confidence)
{
    return confidence == DEBRIEF_CERTAIN  ? "certain"
           : confidence == DEBRIEF_LIKELY ? "likely"
                                          : "possible";
}

static const char *when_name(int when)
{
    return when == DEBRIEF_NOW ? "now" : when == DEBRIEF_BEFORE ? "before" : "unknown";
}

static void put_fingerprint(cJSON *json, const struct builder_finding *finding)
{
    char hex[FINGERPRINT_LEN + 1];
    fingerprint_of(hex, finding->type->id, finding->kind, finding->name);
    json_put_str(json, "fingerprint", hex);
}

static void put_time(cJSON *object, const char *name, int64_t time)
{
    char text[CLOCK_TEXT_MAX];
    if (time > 0)
        json_put_str(object, name, clock_text(time, text));
}

static void put_citation(cJSON *array, struct builder *builder, const struct record *record)
{
    char place[32];
    struct buf excerpt;
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(array, row);
    builder_put(builder, row, "source", record->source ? record->source->name : NULL, NAME_CAP);
    if (record->source && record->source->sha256[0])
        json_put_str(row, "sha256", record->source->sha256);
    builder_put(builder, row, "locator", record_locator(record, place), MESSAGE_CAP);
    uint64_t line = manifest_line(record, &builder->work);
    if (line)
        json_put_num(row, "line", (double)line);
    buf_init(&excerpt, 4 * MESSAGE_CAP);
    quote_record(&excerpt, record);
    builder_put(builder, row, "excerpt", buf_str(&excerpt), MESSAGE_CAP);
    buf_release(&excerpt);
    put_time(row, "time", record->time);
}

static void put_list(cJSON *json, const char *name, const cJSON *list)
{
    if (list)
        cJSON_AddItemToObject(json, name, cJSON_Duplicate(list, true));
    else
        json_put_array(json, name);
}

static cJSON *finding_json(struct builder *builder, const struct builder_finding *finding)
{
    cJSON *json = cJSON_CreateObject();
    uint64_t count = finding->counted > finding->cited ? finding->counted : finding->cited;
    json_put_str(json, "id", finding->type->id);
    json_put_str(json, "severity", severity_name(finding->severity));
    json_put_str(json, "confidence", confidence_name(finding->confidence));
    cJSON *subject = json_put_object(json, "subject");
    json_put_str(subject, "kind", finding->kind);
    json_put_str(subject, "name", finding->name);
    json_put_str(json, "state", when_name(finding->when));
    put_time(json, "first", finding->first);
    put_time(json, "last", finding->last);
    if (count)
        json_put_num(json, "count", (double)count);
    json_put_str(json, "title", finding->type->title);
    json_put_str(json, "message", finding->message);
    json_put_str(json, "check", builder->check->meta->id);
    put_fingerprint(json, finding);
    put_list(json, "candidates", finding->candidates);
    cJSON *citations = json_put_array(json, "evidence");
    for (size_t i = 0; i < finding->citations_len; i++)
        put_citation(citations, builder, finding->citations[i]);
    put_list(json, "fix", finding->fix);
    put_list(json, "references", finding->references);
    return json;
}

cJSON *builder_findings(const struct builder *builder)
{
    cJSON *array = cJSON_CreateArray();
    for (const struct builder_finding *f = builder->findings; f; f = f->next)
        if (!builder->inapplicable)
            cJSON_AddItemToArray(array, finding_json(f->builder, f));
    return array;
}

cJSON *builder_asks(const struct builder *builder)
{
    return cJSON_Duplicate(builder->asks, true);
}

cJSON *builder_walks(const struct builder *builder)
{
    return builder->inapplicable ? cJSON_CreateArray() : cJSON_Duplicate(builder->walks, true);
}

static cJSON *hop_json(struct builder *builder, const struct walk_hop *hop)
{
    char place[32];
    cJSON *json = cJSON_CreateObject();
    json_put_str(json, "kind", hop->kind);
    builder_put(builder, json, "name", hop->name, NAME_CAP);
    builder_put(builder, json, "why", hop->why, MESSAGE_CAP);
    if (hop->record && hop->record->source) {
        builder_put(builder, json, "source", hop->record->source->name, NAME_CAP);
        builder_put(builder, json, "locator", record_locator(hop->record, place), MESSAGE_CAP);
    }
    return json;
}

void builder_walked(struct builder_finding *finding, const struct walk *walk)
{
    struct builder *builder = finding->builder;
    if (!finding->type || cJSON_GetArraySize(builder->walks) == WALKS_CAP)
        return;
    cJSON *json = cJSON_CreateObject();
    builder_put(builder, json, "request", walk->request, MESSAGE_CAP);
    json_put_str(json, "direction", walk->direction);
    json_put_str(json, "ends", walk_end_word(walk->end));
    if (walk->status)
        json_put_num(json, "status", walk->status);
    builder_put(builder, json, "flag", walk->flag, NAME_CAP);
    builder_put(builder, json, "unknown", walk->unknown, MESSAGE_CAP);
    builder_put(builder, json, "depends", walk->depends, MESSAGE_CAP);
    json_put_str(json, "check", builder->check->meta->id);
    json_put_str(json, "finding", finding->type->id);
    cJSON *hops = json_put_array(json, "hops");
    for (int i = 0; i < walk->len; i++) {
        cJSON *hop = hop_json(builder, &walk->hops[i]);
        if (i == walk->broke)
            json_put_bool(hop, "broke", true);
        cJSON_AddItemToArray(hops, hop);
    }
    cJSON_AddItemToArray(builder->walks, json);
}
