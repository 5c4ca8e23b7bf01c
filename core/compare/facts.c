/* Stage: compare, in the reader. Picks what the rules name out of the evidence of one target and puts
 * it into one bounded message. Deliberately judges nothing: what differs is for the supervisor, which
 * has both. */
#include "compare/facts.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "compare/rules.h"
#include "evidence/identity.h"
#include "finding/names.h"
#include "finding/ways.h"
#include "source/redact.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FACTS_MAX = 6 << 20, /* bytes of all texts: half of what a message may be, quotes included */
    ROWS_MAX = 20000,    /* of one table */
    TEXT_MAX = 2048,     /* bytes of one value */
    SET_MAX = 1 << 20,   /* of a set before it is cut */
};

struct gathering {
    struct evidence *evidence;
    struct names names;
    cJSON *sources;
    const struct source **seen; /* in the order of `sources` */
    size_t seen_len, spent;
    const struct redact_policy *redact;
};

/* ---- what is needed ---- */

static void need_name(struct need_set *needs, const char *name, const char *glob)
{
    struct need_term term = {.name = name};
    if (glob) {
        term.filters[0].glob = glob;
        term.filters_len = 1;
    }
    need_set_add(needs, &(struct need){.optional = true, .terms = &term, .terms_len = 1});
}

void facts_need(struct need_set *needs)
{
    size_t len;
    const struct compare_rule *rules = compare_rules(&len);
    need_set_begin(needs);
    for (size_t i = 0; i < len; i++)
        need_name(needs, rules[i].evidence, NULL);
    const struct compare_stat *stats = compare_stats(&len);
    need_name(needs, "stats", "server.uptime");
    for (size_t i = 0; i < len; i++)
        need_name(needs, "stats", stats[i].glob);
    need_name(needs, "k8s.pods", NULL); /* whose own names and addresses these are */
}

/* ---- texts: all of them leave through here ---- */

/* NAME, where the value has one, tells that it is a secret; it is not part of the result. */
static cJSON *text_item(struct gathering *gathering, const char *name, const char *value)
{
    struct buf said;
    buf_init(&said, 2 * TEXT_MAX);
    if (name)
        buf_addf(&said, "%.*s=", TEXT_MAX, name);
    size_t lead = said.len;
    buf_add(&said, value, strnlen(value, TEXT_MAX));
    char *text = redact_leaving(buf_str(&said), said.len, 2 * TEXT_MAX, gathering->redact, NULL);
    bool led = lead <= strlen(text) && strncmp(text, buf_str(&said), lead) == 0;
    cJSON *item = cJSON_CreateString(text + (led ? lead : 0));
    gathering->spent += strlen(item->valuestring) + sizeof "\"\",";
    buf_release(&said);
    free(text);
    return item;
}

/* A set that is too long is cut behind the same members, in whatever order they came. */
static cJSON *cell_item(struct gathering *gathering, const struct compare_column *column,
                        const char *name, const char *value)
{
    struct buf set;
    bool is_set = column->how == COMPARE_SET || column->how == COMPARE_HOLDER;
    if (!is_set || strlen(value) <= TEXT_MAX)
        return text_item(gathering, name, value);
    buf_init(&set, SET_MAX);
    compare_set(&set, value, false);
    cJSON *item = text_item(gathering, name, buf_str(&set));
    buf_release(&set);
    return item;
}

/* As they stand in the other texts: without what must not leave. */
static cJSON *own_names(struct gathering *gathering)
{
    cJSON *names = facts_own(gathering->evidence), *own = cJSON_CreateArray();
    const cJSON *each;
    cJSON_ArrayForEach (each, names) {
        cJSON_AddItemToArray(own, text_item(gathering, NULL, each->valuestring));
    }
    cJSON_Delete(names);
    return own;
}

static int source_index(struct gathering *gathering, const struct source *source)
{
    for (size_t i = gathering->seen_len; i > 0; i--)
        if (gathering->seen[i - 1] == source)
            return (int)i - 1;
    cJSON_AddItemToArray(gathering->sources, text_item(gathering, NULL, source->name));
    gathering->seen[gathering->seen_len++] = source;
    return (int)gathering->seen_len - 1;
}

/* ---- tables ---- */

static bool fits_any(const char *const *globs, const char *text)
{
    for (; *globs; globs++)
        if (str_glob(*globs, text))
            return true;
    return false;
}

static bool is_of_rule(const struct compare_rule *rule, const struct record *record)
{
    char number[32];
    struct buf key;
    if (rule->only) {
        const char *value = record_text(record, rule->only, number);
        if (!value || !str_glob(rule->only_glob, value))
            return false;
    }
    if (!rule->ignored && !rule->considered)
        return true;
    buf_init(&key, 4096);
    for (const char *const *column = rule->keys; *column; column++) {
        const char *value = record_text(record, *column, number);
        buf_addf(&key, "%s%s", column == rule->keys ? "" : " ", value ? value : "");
    }
    bool counts = (!rule->ignored || !fits_any(rule->ignored, buf_str(&key))) &&
                  (!rule->considered || fits_any(rule->considered, buf_str(&key)));
    buf_release(&key);
    return counts;
}

/* The name of a variable or setting is what its key ends with. */
static const char *value_name(const struct compare_rule *rule, const struct record *record,
                              char number[32])
{
    int last = 0;
    if (!rule->columns[0].name || strcmp(rule->columns[0].name, "value") != 0 || !rule->keys[0])
        return NULL;
    while (rule->keys[last + 1])
        last++;
    return record_text(record, rule->keys[last], number);
}

/* The record of the proxy is put together from many places: its one column has its own. */
static struct record placed(const struct gathering *gathering, const struct compare_rule *rule,
                            const struct record *record)
{
    struct record place = *record;
    if (strcmp(rule->evidence, "proxy") == 0)
        identity_place(gathering->evidence, rule->columns[0].name, &place.source, &place.line,
                       &place.pointer);
    return place;
}

/* Which members of a list were read depends on their order, where there are too many of them. */
static bool is_cut(const struct record *record, const char *column)
{
    char name[64], number[32];
    snprintf(name, sizeof name, "%s_cut", column);
    return str_equal(record_text(record, name, number), "yes");
}

static cJSON *row_of(struct gathering *gathering, const struct compare_rule *rule,
                     const struct record *record)
{
    char number[32], place[32], name[32];
    const struct record where = placed(gathering, rule, record);
    cJSON *row = cJSON_CreateArray();
    cJSON_AddItemToArray(row, cJSON_CreateNumber(source_index(gathering, where.source)));
    cJSON_AddItemToArray(row, text_item(gathering, NULL, record_locator(&where, place)));
    cJSON *keys = cJSON_CreateArray(), *cells = cJSON_CreateArray();
    cJSON_AddItemToArray(row, keys);
    cJSON_AddItemToArray(row, cells);
    for (const char *const *column = rule->keys; *column; column++) {
        const char *value = record_text(record, *column, number);
        cJSON_AddItemToArray(keys, text_item(gathering, NULL, value ? value : ""));
    }
    const char *named = value_name(rule, record, name);
    for (const struct compare_column *column = rule->columns; column->name; column++) {
        const char *value = record_text(record, column->name, number);
        if (value && is_cut(record, column->name))
            value = "more than are read";
        cJSON_AddItemToArray(cells, value ? cell_item(gathering, column, named, value)
                                          : cJSON_CreateNull());
    }
    return row;
}

static const char *const state_names[] = {"absent", "partial", "complete"};

/* How NAME is supplied here, where nothing supplies it. */
static void put_how(cJSON *table, const struct gathering *gathering, const char *name)
{
    struct buf how;
    const struct dictionary_row *row = dictionary_find(name);
    if (!row || evidence_state(gathering->evidence, name) != EVIDENCE_ABSENT)
        return;
    buf_init(&how, TEXT_MAX);
    ways_fit(&how, row->how, gathering->evidence, &gathering->names);
    json_put_str(table, "how", buf_str(&how));
    buf_release(&how);
}

static cJSON *table_of(struct gathering *gathering, size_t index)
{
    size_t len, count = 0;
    const struct compare_rule *rule = &compare_rules(&len)[index];
    const struct record *record = NULL;
    bool cut = false;
    cJSON *table = cJSON_CreateObject();
    json_put_num(table, "rule", (double)index);
    json_put_str(table, "state", state_names[evidence_state(gathering->evidence, rule->evidence)]);
    put_how(table, gathering, rule->evidence);
    cJSON *rows = json_put_array(table, "rows");
    while (!cut && (record = evidence_next(gathering->evidence, rule->evidence, record))) {
        if (!is_of_rule(rule, record))
            continue;
        cut = count++ >= ROWS_MAX || gathering->spent > FACTS_MAX;
        if (!cut)
            cJSON_AddItemToArray(rows, row_of(gathering, rule, record));
    }
    json_put_bool(table, "cut", cut);
    return table;
}

/* ---- statistics: those that tell of trouble first, then zeros, which tell that it was looked ---- */

/* False: there were more than are taken. */
static bool add_stats(struct gathering *gathering, cJSON *rows, bool zeros)
{
    const struct record *record = NULL;
    char number[32];
    double value;
    int count = 0;
    while ((record = evidence_next(gathering->evidence, "stats", record))) {
        const char *name = record_text(record, "name", number);
        if (!name || !record_number(record, "value", &value) || !compare_stat_find(name) ||
            (value == 0) != zeros)
            continue;
        if (count++ >= ROWS_MAX || gathering->spent > FACTS_MAX)
            return false;
        cJSON *row = cJSON_CreateArray();
        cJSON_AddItemToArray(row, cJSON_CreateNumber(source_index(gathering, record->source)));
        cJSON_AddItemToArray(row, text_item(gathering, NULL, name));
        cJSON_AddItemToArray(row, cJSON_CreateNumber(value));
        cJSON_AddItemToArray(rows, row);
    }
    return true;
}

static void put_stats(cJSON *facts, struct gathering *gathering)
{
    cJSON *stats = json_put_object(facts, "stats");
    json_put_str(stats, "state", state_names[evidence_state(gathering->evidence, "stats")]);
    put_how(stats, gathering, "stats");
    cJSON *rows = json_put_array(stats, "rows");
    bool whole = add_stats(gathering, rows, false);
    whole = add_stats(gathering, rows, true) && whole;
    json_put_bool(stats, "cut", !whole);
}

static void put_uptime(cJSON *facts, const struct evidence *evidence)
{
    double seconds;
    const struct record *proxy = evidence_next(evidence, "proxy", NULL);
    const struct record *uptime = evidence_find(evidence, "stats", "server.uptime");
    if ((proxy && record_number(proxy, "uptime_s", &seconds)) ||
        (uptime && record_number(uptime, "value", &seconds)))
        json_put_num(facts, "uptime", seconds);
}

cJSON *facts_gather(struct evidence *evidence, int64_t when, const struct redact_policy *redact)
{
    char time[CLOCK_TEXT_MAX];
    size_t len;
    cJSON *facts = cJSON_CreateObject();
    /* Identities are replaced in the whole row, when all is known. */
    struct gathering gathering = {.evidence = evidence, .redact = redact_policy_secrets(redact)};
    const struct sources *all = evidence_sources(evidence);
    gathering.seen = xcalloc(all->len + 1, sizeof *gathering.seen);
    compare_rules(&len);
    names_find(&gathering.names, evidence);
    if (when)
        json_put_str(facts, "gathered", clock_text(when, time));
    put_uptime(facts, evidence);
    cJSON_AddItemToObject(facts, "own", own_names(&gathering));
    gathering.sources = json_put_array(facts, "sources");
    cJSON *tables = json_put_array(facts, "tables");
    for (size_t i = 0; i < len; i++)
        cJSON_AddItemToArray(tables, table_of(&gathering, i));
    put_stats(facts, &gathering);
    free(gathering.seen);
    return facts;
}
