/* Stage: compare. Lays the rows of one rule's tables side by side and puts down what differs and matters.
 * A row that is missing where not all was read is no difference. Reads facts, writes differences. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "compare/compare.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct laying { /* of one rule */
    struct comparison *all;
    const struct compare_rule *rule;
    size_t index;
    const struct compare_table *tables[2];
};

struct run { /* facts of one side with the same key */
    const struct compare_fact *facts;
    size_t len;
};

/* ---- a row that one side lacks ---- */

static bool is_owned(const struct compare_rule *rule, const struct compare_fact *fact)
{
    for (const char *const *glob = rule->owned; glob && *glob; glob++)
        if (str_glob(*glob, fact->name))
            return true;
    return !rule->owned;
}

/* The lacking side has others of the kind, and what this row is a part of. */
static bool is_expected(const struct laying *laying, const struct compare_fact *fact, int having)
{
    const struct compare_rule *rule = laying->rule;
    if (rule->within && !compare_find(laying->tables[!having], fact->key, rule->within))
        return false;
    if (!rule->parent)
        return true;
    const struct compare_side *sides = laying->all->sides;
    const struct compare_table *own = compare_table_of(&sides[having], rule->parent);
    const struct compare_table *other = compare_table_of(&sides[!having], rule->parent);
    return !compare_find(own, fact->key, rule->parent_keys) ||
           compare_find(other, fact->key, rule->parent_keys);
}

static void put_missing(struct laying *laying, const struct compare_fact *fact, int having)
{
    const struct compare_rule *rule = laying->rule;
    if (!rule->missing || !is_owned(rule, fact) || !is_expected(laying, fact, having))
        return;
    if (!laying->tables[!having]->complete) {
        laying->all->unjudged[laying->index] = true;
        return;
    }
    struct compare_difference difference = {
        .kind = rule->kind,
        .noun = rule->noun,
        .name = fact->name,
        .change = having ? "only-in-b" : "only-in-a",
        .why = rule->missing_why,
        .weight = rule->missing,
    };
    difference.facts[having] = fact;
    compare_add(laying->all, &difference);
}

/* ---- columns ---- */

/* How much it matters that a number is another: having none counts, a little more or less does not. */
static int count_weight(const struct compare_column *column, const char *a, const char *b)
{
    double left, right;
    if (!str_to_double(a, &left) || !str_to_double(b, &right))
        return 0;
    double low = fmin(left, right), high = fmax(left, right);
    if (column->how == COMPARE_RISEN)
        return low == 0 && high >= 3 ? column->weight : 0;
    return low == 0 ? column->weight : low * 2 <= high ? column->weight / 2 : 0;
}

static int column_weight(const struct compare_column *column, const char *a, const char *b)
{
    if (!a || !b || strcmp(a, b) == 0)
        return 0;
    if (column->how == COMPARE_COUNT || column->how == COMPARE_RISEN)
        return count_weight(column, a, b);
    return column->weight;
}

/* "4 minor versions apart", in the arena; NULL where there is nothing to tell. */
static const char *version_note(const struct laying *laying, const char *a, const char *b)
{
    long left[2], right[2];
    char *end;
    const char *texts[2] = {a, b};
    long *into[2] = {left, right};
    for (int i = 0; i < 2; i++) {
        into[i][0] = strtol(texts[i], &end, 10);
        if (*end != '.')
            return NULL;
        into[i][1] = strtol(end + 1, &end, 10);
    }
    long apart = labs(left[1] - right[1]);
    if (left[0] != right[0])
        return "another major version";
    if (!apart)
        return "a patch release apart";
    return arena_printf(laying->all->arena, "%ld minor version%s apart", apart,
                        apart == 1 ? "" : "s");
}

static void put_column(struct laying *laying, const struct compare_fact *a,
                       const struct compare_fact *b, size_t i)
{
    const struct compare_column *column = &laying->rule->columns[i];
    bool plain = strcmp(column->name, "value") == 0;
    struct compare_difference difference = {
        .kind = column->kind ? column->kind : laying->rule->kind,
        .noun = laying->rule->noun,
        .name = a->name,
        .column = plain ? NULL : column->name,
        .change = "value",
        .unset = column->unset,
        .why = column->why,
        .weight = column_weight(column, a->plain[i], b->plain[i]),
        .note = column->how == COMPARE_VERSION ? version_note(laying, a->plain[i], b->plain[i])
                                               : NULL,
        .values = {a->cells[i], b->cells[i]},
        .facts = {a, b},
    };
    compare_add(laying->all, &difference);
}

/* What is configured and what is served have the same columns: they are told once. */
static bool parent_tells(const struct laying *laying, const struct compare_fact *fact)
{
    const struct compare_rule *rule = laying->rule;
    const struct compare_side *sides = laying->all->sides;
    if (!rule->parent_tells)
        return false;
    for (int i = 0; i < 2; i++)
        if (!compare_find(compare_table_of(&sides[i], rule->parent), fact->key, rule->parent_keys))
            return false;
    return true;
}

static void compare_columns(struct laying *laying, const struct compare_fact *a,
                            const struct compare_fact *b)
{
    const struct compare_column *columns = laying->rule->columns;
    int most = -1, most_weight = 0;
    if (parent_tells(laying, a))
        return;
    for (int i = 0; i < COMPARE_COLUMNS_MAX && columns[i].name; i++) {
        int weight = column_weight(&columns[i], a->plain[i], b->plain[i]);
        if (weight && !laying->rule->heaviest)
            put_column(laying, a, b, (size_t)i);
        if (weight > most_weight) {
            most = i;
            most_weight = weight;
        }
    }
    if (most >= 0 && laying->rule->heaviest)
        put_column(laying, a, b, (size_t)most);
}

/* ---- rows ---- */

static bool any_equal(struct run a, struct run b)
{
    for (size_t i = 0; i < a.len; i++)
        for (size_t j = 0; j < b.len; j++)
            if (strcmp(a.facts[i].canon, b.facts[j].canon) == 0)
                return true;
    return false;
}

/* Of rows that are counted, those that are on both sides are out; the others are laid side by side. */
static void compare_counted(struct laying *laying, struct run a, struct run b)
{
    const struct compare_fact **left = xcalloc(a.len + 1, sizeof *left);
    const struct compare_fact **right = xcalloc(b.len + 1, sizeof *right);
    size_t i = 0, j = 0, lefts = 0, rights = 0;
    while (i < a.len || j < b.len) {
        int order = i == a.len ? 1 : j == b.len ? -1 : strcmp(a.facts[i].canon, b.facts[j].canon);
        if (order < 0)
            left[lefts++] = &a.facts[i];
        if (order > 0)
            right[rights++] = &b.facts[j];
        i += order <= 0;
        j += order >= 0;
    }
    for (size_t k = 0; k < lefts || k < rights; k++) {
        if (k >= lefts)
            put_missing(laying, right[k], 1);
        else if (k >= rights)
            put_missing(laying, left[k], 0);
        else
            compare_columns(laying, left[k], right[k]);
    }
    free(left);
    free(right);
}

static void compare_runs(struct laying *laying, struct run a, struct run b)
{
    if (laying->rule->several)
        compare_counted(laying, a, b);
    else if (!b.len)
        put_missing(laying, a.facts, 0);
    else if (!a.len)
        put_missing(laying, b.facts, 1);
    else if (!any_equal(a, b))
        compare_columns(laying, a.facts, b.facts);
}

static struct run run_at(const struct compare_table *table, size_t at)
{
    struct run run = {.facts = &table->facts[at]};
    while (at + run.len < table->len && strcmp(run.facts->key, run.facts[run.len].key) == 0)
        run.len++;
    return run;
}

/* Of the same evidence, an earlier rule picks what tells it better: where there is some of that. */
static bool told_better(const struct laying *laying)
{
    const char *evidence = laying->rule->instead;
    const struct compare_side *sides = laying->all->sides;
    if (!evidence)
        return false;
    const struct compare_table *a = compare_table_of(&sides[0], evidence);
    const struct compare_table *b = compare_table_of(&sides[1], evidence);
    bool other = strcmp(evidence, laying->rule->evidence) != 0;
    return a->there && b->there && (other || (a->len && b->len));
}

void compare_table_rule(struct comparison *all, size_t rule)
{
    size_t len, i = 0, j = 0;
    struct laying laying = {.all = all, .index = rule, .rule = &compare_rules(&len)[rule]};
    const struct compare_table *a = &all->sides[0].tables[rule], *b = &all->sides[1].tables[rule];
    laying.tables[0] = a;
    laying.tables[1] = b;
    if (!a->there || !b->there || told_better(&laying))
        return;
    while (i < a->len || j < b->len) {
        struct run left = i < a->len ? run_at(a, i) : (struct run){0};
        struct run right = j < b->len ? run_at(b, j) : (struct run){0};
        int order = !left.len ? 1 : !right.len ? -1 : strcmp(left.facts->key, right.facts->key);
        if (order > 0)
            left = (struct run){0};
        if (order < 0)
            right = (struct run){0};
        compare_runs(&laying, left, right);
        i += left.len;
        j += right.len;
    }
}
