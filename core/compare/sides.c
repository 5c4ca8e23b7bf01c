/* Stage: compare. Makes sorted tables of the facts that a reader sent. Reads the message as text that may
 * be wrong in any way: what has another shape than agreed is left out. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "compare/compare.h"
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 16384 };

#define SEPARATOR '\x1f' /* evidence cannot hold it: control characters are replaced */

static int longest_first(const void *a, const void *b)
{
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;
    size_t left_len = strlen(left), right_len = strlen(right);
    return left_len == right_len ? strcmp(left, right) : left_len < right_len ? 1 : -1;
}

static void take_own(struct comparison *all, struct compare_side *side)
{
    const cJSON *own = json_at(side->facts, "own"), *each;
    size_t len = 0;
    const char **names = arena_alloc(all->arena,
                                     ((size_t)cJSON_GetArraySize(own) + 1) * sizeof *names);
    cJSON_ArrayForEach (each, own) {
        if (cJSON_IsString(each) && each->valuestring[0])
            names[len++] = each->valuestring;
    }
    qsort(names, len, sizeof *names, longest_first);
    side->own = names;
}

static const char *text_at(const cJSON *array, size_t index)
{
    return cJSON_GetStringValue(cJSON_GetArrayItem(array, (int)index));
}

static void place_fact(const struct compare_side *side, struct compare_fact *fact, const cJSON *row)
{
    const cJSON *source = cJSON_GetArrayItem(row, 0);
    const cJSON *sources = json_at(side->facts, "sources");
    const char *locator = text_at(row, 1);
    if (cJSON_IsNumber(source) && source->valuedouble >= 0)
        fact->source = text_at(sources, (size_t)source->valueint);
    fact->locator = locator ? locator : "";
}

static void take_keys(struct comparison *all, const struct compare_side *side,
                      const struct compare_rule *rule, struct compare_fact *fact, const cJSON *keys)
{
    struct buf key, name;
    buf_init(&key, KEY_MAX);
    buf_init(&name, KEY_MAX);
    for (size_t i = 0; rule->keys[i]; i++) {
        const char *text = text_at(keys, i);
        text = text ? text : "";
        buf_adds(&key, compare_plain(all, side, COMPARE_TEXT, text));
        buf_addch(&key, SEPARATOR);
        if (*text)
            buf_addf(&name, "%s%s", name.len ? " " : "", text);
    }
    fact->key = arena_strdup(all->arena, buf_str(&key));
    fact->name = arena_strdup(all->arena, buf_str(&name));
    buf_release(&key);
    buf_release(&name);
}

static void take_cells(struct comparison *all, const struct compare_side *side,
                       const struct compare_rule *rule, struct compare_fact *fact,
                       const cJSON *cells)
{
    struct buf canon;
    fact->cells = arena_alloc(all->arena, COMPARE_COLUMNS_MAX * sizeof *fact->cells);
    fact->plain = arena_alloc(all->arena, COMPARE_COLUMNS_MAX * sizeof *fact->plain);
    buf_init(&canon, 4 * KEY_MAX);
    for (size_t i = 0; i < COMPARE_COLUMNS_MAX && rule->columns[i].name; i++) {
        const struct compare_column *column = &rule->columns[i];
        const char *text = text_at(cells, i);
        fact->cells[i] = text;
        fact->plain[i] = text ? compare_plain(all, side, column->how, text) : column->unset;
        buf_addf(&canon, "%s%c", fact->plain[i] ? fact->plain[i] : "", SEPARATOR);
    }
    fact->canon = arena_strdup(all->arena, buf_str(&canon));
    buf_release(&canon);
}

static int by_key(const void *a, const void *b)
{
    const struct compare_fact *left = a, *right = b;
    int order = strcmp(left->key, right->key);
    return order ? order : strcmp(left->canon, right->canon);
}

/* What several sources tell in the same words is one fact; of rows that are counted each is. */
static void sort_facts(struct compare_table *table, bool counted)
{
    size_t kept = 0;
    qsort(table->facts, table->len, sizeof *table->facts, by_key);
    for (size_t i = 0; i < table->len; i++)
        if (counted || i == 0 || by_key(&table->facts[i], &table->facts[kept - 1]) != 0)
            table->facts[kept++] = table->facts[i];
    table->len = kept;
}

static void take_table(struct comparison *all, struct compare_side *side, const cJSON *from)
{
    size_t rules;
    double index;
    const struct compare_rule *rule = compare_rules(&rules);
    const char *state = json_str(from, "state");
    const cJSON *rows = json_at(from, "rows"), *row;
    if (!json_num(from, "rule", &index) || index < 0 || index >= (double)rules)
        return;
    rule += (size_t)index;
    struct compare_table *table = &side->tables[(size_t)index];
    table->len = 0;
    table->how = json_str(from, "how");
    table->there = state && strcmp(state, "absent") != 0;
    table->complete = str_equal(state, "complete") && !json_bool(from, "cut");
    table->facts = arena_alloc(all->arena,
                               ((size_t)cJSON_GetArraySize(rows) + 1) * sizeof *table->facts);
    cJSON_ArrayForEach (row, rows) {
        struct compare_fact *fact = &table->facts[table->len++];
        place_fact(side, fact, row);
        take_keys(all, side, rule, fact, cJSON_GetArrayItem(row, 2));
        take_cells(all, side, rule, fact, cJSON_GetArrayItem(row, 3));
    }
    sort_facts(table, rule->several);
}

static void take_stats(struct comparison *all, struct compare_side *side)
{
    const cJSON *rows = json_at(side->facts, "stats.rows"), *row;
    const char *state = json_str(side->facts, "stats.state");
    struct compare_table *table = &side->stats;
    table->how = json_str(side->facts, "stats.how");
    table->there = state && strcmp(state, "absent") != 0;
    table->complete = str_equal(state, "complete") && !json_bool(side->facts, "stats.cut");
    table->facts = arena_alloc(all->arena,
                               ((size_t)cJSON_GetArraySize(rows) + 1) * sizeof *table->facts);
    cJSON_ArrayForEach (row, rows) {
        const cJSON *value = cJSON_GetArrayItem(row, 2);
        struct compare_fact *fact = &table->facts[table->len];
        place_fact(side, fact, row);
        if (!cJSON_IsNumber(value) || !*fact->locator)
            continue;
        table->len++;
        fact->value = value->valuedouble;
        fact->name = fact->locator;
        fact->canon = "";
        fact->key = compare_plain(all, side, COMPARE_TEXT, fact->name);
    }
    sort_facts(table, false);
}

void compare_side_init(struct comparison *all, struct compare_side *side, const cJSON *target)
{
    size_t rules;
    const cJSON *table;
    compare_rules(&rules);
    side->target = target;
    side->facts = json_at(target, "facts");
    side->tables = arena_alloc(all->arena, rules * sizeof *side->tables);
    const char *gathered = json_str(side->facts, "gathered");
    if (gathered)
        clock_parse(gathered, strlen(gathered), &side->gathered);
    json_num(side->facts, "uptime", &side->uptime);
    take_own(all, side);
    cJSON_ArrayForEach (table, json_at(side->facts, "tables")) {
        take_table(all, side, table);
    }
    take_stats(all, side);
}

const struct compare_table *compare_table_of(const struct compare_side *side, const char *evidence)
{
    size_t rules;
    const struct compare_rule *rule = compare_rules(&rules);
    for (size_t i = 0; i < rules; i++)
        if (strcmp(rule[i].evidence, evidence) == 0)
            return &side->tables[i];
    BUG("no rule compares '%s'", evidence);
}

const struct compare_fact *compare_find(const struct compare_table *table, const char *key, int n)
{
    size_t len = 0, low = 0, high = table->len;
    while (n-- > 0 && key[len])
        len += strcspn(key + len, "\x1f") + 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strncmp(table->facts[middle].key, key, len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < table->len && strncmp(table->facts[low].key, key, len) == 0;
    return found ? &table->facts[low] : NULL;
}
