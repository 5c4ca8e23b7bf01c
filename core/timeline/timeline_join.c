/* Stage: report. Reads a target's findings and its timeline, writes which entry belongs to which finding,
 * and puts entries in order of time. Deliberately knows no evidence: it runs where findings of all checks
 * come together. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "timeline/timeline.h"
#include <stdlib.h>
#include <string.h>

static bool same_place(const cJSON *place, const cJSON *citation)
{
    return str_equal(json_str(place, "source"), json_str(citation, "source")) &&
           str_equal(json_str(place, "locator"), json_str(citation, "locator"));
}

static bool stands_for(const cJSON *entry, const cJSON *citation)
{
    const cJSON *place;
    if (same_place(entry, citation))
        return true;
    cJSON_ArrayForEach (place, json_at(entry, TIMELINE_CITED)) {
        if (same_place(place, citation))
            return true;
    }
    return false;
}

static bool is_cited(const cJSON *entry, const cJSON *finding)
{
    const cJSON *citation;
    cJSON_ArrayForEach (citation, json_at(finding, "evidence")) {
        if (stands_for(entry, citation))
            return true;
    }
    return false;
}

static void name_finding(cJSON *entry, const char *id)
{
    const cJSON *known;
    cJSON *names = cJSON_GetObjectItemCaseSensitive(entry, "findings");
    if (!names)
        names = json_put_array(entry, "findings");
    cJSON_ArrayForEach (known, names) {
        if (str_equal(known->valuestring, id))
            return;
    }
    cJSON_AddItemToArray(names, cJSON_CreateString(id));
}

static const cJSON *first_timed(const cJSON *finding)
{
    const cJSON *citation;
    cJSON_ArrayForEach (citation, json_at(finding, "evidence")) {
        if (json_str(citation, "time"))
            return citation;
    }
    return NULL;
}

/* A finding whose time no entry shows. */
static void add_finding(cJSON *timeline, const cJSON *finding, const char *id)
{
    const char *first = json_str(finding, "first"), *last = json_str(finding, "last");
    const cJSON *citation = first_timed(finding);
    double count = 0;
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToArray(timeline, entry);
    json_put_str(entry, "time", first);
    if (!str_equal(first, last))
        json_put_str(entry, "last", last);
    if (json_num(finding, "count", &count) && count > 1)
        json_put_num(entry, "count", count);
    json_put_str(entry, "lane", "findings");
    json_put_str(entry, "text", json_str(finding, "title"));
    json_put_str(entry, "source", json_str(citation, "source"));
    json_put_str(entry, "locator", json_str(citation, "locator"));
    name_finding(entry, id);
}

static void join_finding(cJSON *timeline, const cJSON *finding)
{
    const char *id = json_str(finding, "id");
    bool shown = false;
    cJSON *entry;
    cJSON_ArrayForEach (entry, timeline) {
        if (!is_cited(entry, finding))
            continue;
        name_finding(entry, id);
        shown = true;
    }
    if (!shown && json_str(finding, "first"))
        add_finding(timeline, finding, id);
}

static int64_t time_of(const cJSON *entry)
{
    int64_t time = 0;
    const char *text = json_str(entry, "time");
    return text && clock_parse(text, strlen(text), &time) ? time : 0;
}

struct place {
    cJSON *entry;
    int64_t time;
    size_t came; /* its place before */
};

static int by_time(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->came < b->came ? -1 : 1;
}

/* By time; of the same time, as they came. */
static void sort(cJSON *timeline)
{
    size_t len = (size_t)cJSON_GetArraySize(timeline), at = 0;
    struct place *places = xcalloc(len + 1, sizeof *places);
    for (; timeline->child; at++) {
        cJSON *entry = cJSON_DetachItemFromArray(timeline, 0);
        places[at] = (struct place){entry, time_of(entry), at};
    }
    qsort(places, len, sizeof *places, by_time);
    for (size_t i = 0; i < len; i++)
        cJSON_AddItemToArray(timeline, places[i].entry);
    free(places);
}

void timeline_join(cJSON *target)
{
    cJSON *timeline = cJSON_GetObjectItemCaseSensitive(target, "timeline"), *entry;
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings"))
        join_finding(timeline, finding);
    cJSON_ArrayForEach (entry, timeline)
        cJSON_DeleteItemFromObjectCaseSensitive(entry, TIMELINE_CITED);
    sort(timeline);
}
