/* Stage: report. Reads evidence by the table of rules, writes the report's `timeline`. Memory is bounded
 * by the table: each rule keeps a few entries and counts the rest. Deliberately asks for no evidence of
 * its own: the timeline shows what the checks looked at. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "source/redact.h"
#include "timeline/timeline.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 240, CITED_FIRST = 8, CITED_MAX = 2 * CITED_FIRST };

struct entry {
    int64_t first, last;
    uint64_t count;
    char *text;
    const struct record *cited[CITED_MAX]; /* the first ones, and a ring of the last ones */
    size_t seen;                           /* records in all */
};

struct gathering {
    struct evidence *evidence;
    cJSON *array;
    const struct redact_policy *redact;
};

struct kept { /* the entries of one rule */
    const struct timeline_rule *rule;
    struct entry entries[TIMELINE_PER_RULE];
    size_t len;
    uint64_t more;    /* events that found no place */
    uint64_t records; /* that were looked at: of some events the reader keeps a part */
};

/* Where a rule's fields are: in the record, or in an item of a list in its document first. */
struct moment {
    const struct record *record;
    const cJSON *item;
};

static const char *field(const struct moment *moment, const char *name, char buf[32])
{
    const char *text = moment->item ? json_scalar(moment->item, name, buf) : NULL;
    if (!text && record_can_have(moment->record, name))
        text = record_text(moment->record, name, buf);
    return text && *text ? text : NULL;
}

/* ---- words ---- */

/* Appends the template up to END; false when a value that stands there is not known. */
static bool fill(struct buf *out, const struct moment *moment, const char *at, const char *end)
{
    while (at < end) {
        char name[64], value[32];
        const char *stop = *at == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;
        if (!stop) {
            buf_addch(out, *at++);
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)(stop - at - 1), at + 1);
        const char *text = field(moment, name, value);
        if (!text)
            return false;
        buf_adds(out, text);
        at = stop + 1;
    }
    return true;
}

static bool words(struct buf *out, const struct moment *moment, const char *text)
{
    const char *end = text + strlen(text);
    for (const char *at = text; at < end;) {
        const char *open = memchr(at, '[', (size_t)(end - at));
        if (!fill(out, moment, at, open ? open : end))
            return false;
        if (!open)
            return true;
        const char *shut = memchr(open, ']', (size_t)(end - open));
        size_t before = out->len;
        if (!fill(out, moment, open + 1, shut))
            buf_cut(out, before);
        at = shut + 1;
    }
    return true;
}

/* ---- keeping ---- */

static bool same_run(const struct entry *entry, const char *text, int64_t time)
{
    return strcmp(entry->text, text) == 0 && time >= entry->first - TIMELINE_EPISODE &&
           time <= entry->last + TIMELINE_EPISODE;
}

static struct entry *entry_for(struct kept *kept, const char *text, int64_t time)
{
    for (size_t i = kept->len; i-- > 0;)
        if (same_run(&kept->entries[i], text, time))
            return &kept->entries[i];
    if (kept->len == TIMELINE_PER_RULE)
        return NULL;
    struct entry *entry = &kept->entries[kept->len++];
    *entry = (struct entry){.first = time, .last = time, .text = xstrdup(text)};
    return entry;
}

static void keep(struct kept *kept, const struct moment *moment, const char *text, int64_t time,
                 uint64_t count)
{
    struct entry *entry = entry_for(kept, text, time);
    if (!entry) {
        kept->more += count;
        return;
    }
    size_t slot = entry->seen < CITED_MAX ? entry->seen : CITED_FIRST + entry->seen % CITED_FIRST;
    entry->cited[slot] = moment->record;
    entry->seen++;
    entry->count += count;
    entry->first = time < entry->first ? time : entry->first;
    entry->last = time > entry->last ? time : entry->last;
}

static uint64_t count_of(const struct moment *moment)
{
    char value[32];
    int64_t count = 0;
    static const char *const names[] = {"repeats", "count"};
    for (size_t i = 0; i < ARRAY_LEN(names) && count < 1; i++) {
        const char *text = moment->item ? NULL : field(moment, names[i], value);
        if (text && !str_to_int64(text, &count))
            count = 0;
    }
    return count < 1 ? 1 : (uint64_t)count;
}

static int64_t time_of(const struct timeline_rule *rule, const struct moment *moment)
{
    char value[32];
    int64_t time = 0;
    if (!rule->time)
        return moment->record->time;
    const char *text = field(moment, rule->time, value);
    if (!text || !clock_parse(text, strlen(text), &time))
        return 0;
    return time;
}

static bool meant(const struct timeline_rule *rule, const struct moment *moment)
{
    char value[32];
    return !rule->where || str_equal(field(moment, rule->where, value), rule->what);
}

static void take(const struct gathering *all, struct kept *kept, const struct moment *moment)
{
    const struct timeline_rule *rule = kept->rule;
    struct buf text;
    int64_t time = meant(rule, moment) ? time_of(rule, moment) : 0;
    if (time <= 0)
        return;
    buf_init(&text, 4096);
    if (words(&text, moment, rule->text)) {
        char *line = redact_leaving(buf_str(&text), text.len, TEXT_MAX, all->redact, NULL);
        for (char *at = line; *at; at++)
            *at = *at == '\n' || *at == '\r' || *at == '\t' ? ' ' : *at;
        keep(kept, moment, line, time, count_of(moment));
        free(line);
    }
    buf_release(&text);
}

static void take_record(const struct gathering *all, struct kept *kept, const struct record *record)
{
    const struct timeline_rule *rule = kept->rule;
    kept->records++;
    if (!rule->each) {
        take(all, kept, &(struct moment){.record = record});
        return;
    }
    const cJSON *item;
    cJSON_ArrayForEach (item, json_at(record->doc, rule->each))
        take(all, kept, &(struct moment){record, item});
}

/* ---- writing ---- */

static void put_time(cJSON *row, const char *name, int64_t time)
{
    char text[CLOCK_TEXT_MAX];
    json_put_str(row, name, clock_text(time, text));
}

static void put_place(cJSON *row, const struct record *record)
{
    char place[32], clean[512];
    const char *locator = record_locator(record, place);
    if (record->source)
        json_put_str(row, "source", record->source->name);
    str_to_utf8(clean, sizeof clean, locator, strlen(locator));
    json_put_str(row, "locator", clean);
}

/* Whether the record is a line of a log whose times tell no zone. */
static bool zone_assumed(const struct evidence *evidence, const struct record *record)
{
    char value[32];
    if (!record->line || !record->source)
        return false;
    const struct record *log = evidence_next_with(evidence, "log", "source", record->source->name,
                                                  NULL);
    return log && str_equal(record_text(log, "zone", value), "assumed");
}

static cJSON *put_entry(const struct gathering *all, const struct kept *kept,
                        const struct entry *entry)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(all->array, row);
    put_time(row, "time", entry->first);
    if (entry->last != entry->first)
        put_time(row, "last", entry->last);
    if (entry->count > 1)
        json_put_num(row, "count", (double)entry->count);
    json_put_str(row, "lane", timeline_lane_name(kept->rule->lane));
    json_put_str(row, "text", entry->text);
    put_place(row, entry->cited[0]);
    if (!kept->rule->time && zone_assumed(all->evidence, entry->cited[0]))
        json_put_str(row, "zone", "assumed");
    cJSON *cited = json_put_array(row, TIMELINE_CITED);
    for (size_t i = 1; i < CITED_MAX && i < entry->seen; i++) {
        cJSON *place = cJSON_CreateObject();
        cJSON_AddItemToArray(cited, place);
        put_place(place, entry->cited[i]);
    }
    return row;
}

/* Events that have no entry: too many of their kind, or counted by their reader only. */
static uint64_t count_more(const struct gathering *all, const struct kept *kept)
{
    const struct timeline_rule *rule = kept->rule;
    uint64_t seen = evidence_count(all->evidence, rule->evidence);
    bool every_record = !rule->each && !rule->where && !rule->time;
    return kept->more + (every_record && seen > kept->records ? seen - kept->records : 0);
}

static void write_rule(const struct gathering *all, struct kept *kept)
{
    cJSON *row = NULL;
    uint64_t more = count_more(all, kept);
    for (size_t i = 0; i < kept->len; i++) {
        struct entry *entry = &kept->entries[i];
        if (kept->len == 1) {
            entry->count += more;
            more = 0;
        }
        row = put_entry(all, kept, entry);
        free(entry->text);
    }
    if (row && more)
        json_put_num(row, "more", (double)more);
}

static void gather_rule(const struct gathering *all, const struct timeline_rule *rule)
{
    struct kept kept = {.rule = rule};
    const struct record *record = NULL;
    while ((record = evidence_next(all->evidence, rule->evidence, record)))
        take_record(all, &kept, record);
    write_rule(all, &kept);
}

/* How long the process runs is known, and when it was asked. */
static void gather_start(const struct gathering *all, int64_t gathered)
{
    double uptime;
    struct record place = {0}; /* of the uptime: the record may have its name from elsewhere */
    const struct record *proxy = evidence_next(all->evidence, "proxy", NULL);
    if (!proxy || !gathered || !record_number(proxy, "uptime_s", &uptime) || uptime < 0 ||
        uptime > 1e9 ||
        !identity_place(all->evidence, "uptime_s", &place.source, &place.line, &place.pointer))
        return;
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(all->array, row);
    put_time(row, "time", (gathered / CLOCK_SECOND - (int64_t)uptime) * CLOCK_SECOND);
    json_put_str(row, "lane", timeline_lane_name(LANE_PROXY));
    json_put_str(row, "text", "this Envoy process starts (by its uptime)");
    put_place(row, &place);
}

cJSON *timeline_gather(struct evidence *evidence, int64_t gathered,
                       const struct redact_policy *redact)
{
    struct gathering all = {evidence, cJSON_CreateArray(), redact};
    gather_start(&all, gathered);
    for (const struct timeline_rule *rule = timeline_rules; rule->evidence; rule++)
        gather_rule(&all, rule);
    return all.array;
}
