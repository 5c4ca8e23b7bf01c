/* Stage: compare, in the supervisor. Two targets with their facts become one list of differences, and a
 * list of what could not be compared. Reads rows of the report, writes a part of the document; the rules
 * say what counts, this file only what is done with it. */
#include "compare/compare.h"
#include "base/json.h"
#include "base/str.h"
#include "evidence/dictionary.h"
#include <string.h>

static const char *const side_names[] = {"a", "b"};

static const char *hash_of(const cJSON *target, const char *source)
{
    const cJSON *row;
    cJSON_ArrayForEach (row, json_at(target, "sources")) {
        if (str_equal(json_str(row, "name"), source))
            return json_str(row, "sha256");
    }
    return NULL;
}

static void put_side(const struct comparison *all, cJSON *row, int side,
                     const struct compare_difference *difference)
{
    const struct compare_fact *fact = difference->facts[side];
    cJSON *object = json_put_object(row, side_names[side]);
    json_put_str(object, "value", difference->values[side]);
    if (!difference->values[side] && strcmp(difference->change, "value") == 0)
        json_put_str(object, "meaning", difference->unset);
    if (!fact || !fact->source)
        return;
    cJSON *evidence = json_put_object(object, "evidence");
    json_put_str(evidence, "source", fact->source);
    json_put_str(evidence, "sha256", hash_of(all->sides[side].target, fact->source));
    json_put_str(evidence, "locator", fact->locator);
}

cJSON *compare_row(const struct comparison *all, const struct compare_difference *difference)
{
    cJSON *row = cJSON_CreateObject();
    json_put_str(row, "kind", difference->kind);
    json_put_str(row, "what", difference->noun);
    json_put_str(row, "name", difference->name);
    json_put_str(row, "column", difference->column);
    json_put_str(row, "change", difference->change);
    put_side(all, row, 0, difference);
    put_side(all, row, 1, difference);
    json_put_str(row, "note", difference->note);
    json_put_str(row, "why", difference->why);
    json_put_num(row, "weight", difference->weight);
    return row;
}

/* ---- what could not be compared ---- */

static bool says(const cJSON *row, const char *member, const char *text)
{
    return str_equal(json_str(row, member), text);
}

static void add_name(cJSON *names, const char *name)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, names) {
        if (str_equal(each->valuestring, name))
            return;
    }
    cJSON_AddItemToArray(names, cJSON_CreateString(name));
}

/* What is supplied in the same way is asked for once. */
static void put_uncompared(cJSON *rows, const char *evidence, const char *reason, int side,
                           const char *how)
{
    cJSON *row;
    cJSON_ArrayForEach (row, rows) {
        if (says(row, "how", how) && says(row, reason, side_names[side])) {
            add_name(cJSON_GetObjectItemCaseSensitive(row, "evidence"), evidence);
            return;
        }
    }
    row = cJSON_CreateObject();
    add_name(json_put_array(row, "evidence"), evidence);
    json_put_str(row, reason, side_names[side]);
    json_put_str(row, "how", how);
    cJSON_AddItemToArray(rows, row);
}

/* A source of this evidence was read on SIDE, and holds none of it: to ask for that source would be idle. */
static bool source_was_read(const struct comparison *all, int side, const char *evidence)
{
    size_t len;
    const struct compare_rule *rules = compare_rules(&len);
    const struct dictionary_row *row = dictionary_find(evidence), *other;
    for (size_t i = 0; row && i < len; i++) {
        other = dictionary_find(rules[i].evidence);
        if (all->sides[side].tables[i].there && other && strcmp(other->sources, row->sources) == 0)
            return true;
    }
    return false;
}

static void note_gap(const struct comparison *all, cJSON *rows, const char *evidence,
                     const struct compare_table *a, const struct compare_table *b)
{
    int lacking = a->there ? 1 : 0;
    if (a->there != b->there && (a->there ? a : b)->len && !source_was_read(all, lacking, evidence))
        put_uncompared(rows, evidence, "only_in", !lacking, (a->there ? b : a)->how);
}

static cJSON *uncompared(const struct comparison *all)
{
    size_t len;
    const struct compare_rule *rules = compare_rules(&len);
    cJSON *rows = cJSON_CreateArray();
    for (size_t i = 0; i < len; i++) {
        const struct compare_table *a = &all->sides[0].tables[i], *b = &all->sides[1].tables[i];
        note_gap(all, rows, rules[i].evidence, a, b);
        if (all->unjudged[i])
            put_uncompared(rows, rules[i].evidence, "partial_in", a->complete ? 1 : 0, NULL);
    }
    note_gap(all, rows, "stats", &all->sides[0].stats, &all->sides[1].stats);
    return rows;
}

/* ---- the whole ---- */

cJSON *compare_targets(const cJSON *a, const cJSON *b)
{
    size_t rules;
    compare_rules(&rules);
    struct comparison all = {.arena = arena_new(), .differences = cJSON_CreateArray()};
    all.unjudged = arena_alloc(all.arena, rules * sizeof *all.unjudged);
    compare_side_init(&all, &all.sides[0], a);
    compare_side_init(&all, &all.sides[1], b);
    for (size_t i = 0; i < rules; i++)
        compare_table_rule(&all, i);
    compare_statistics(&all);
    compare_join_alike(&all);
    compare_rank(&all);
    cJSON *result = cJSON_CreateObject();
    cJSON_AddItemToObject(result, "differences", all.differences);
    cJSON_AddItemToObject(result, "not_compared", uncompared(&all));
    arena_free(all.arena);
    return result;
}
