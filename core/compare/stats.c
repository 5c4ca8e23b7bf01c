/* Stage: compare. Statistics whose meaning is trouble, on both sides. A counter is judged by what the
 * other side's rate leads to expect in this side's time of running, so that a longer life is no difference.
 * Reads facts, writes differences. */
#include "base/alloc.h"
#include "compare/compare.h"
#include <math.h>
#include <string.h>

/* Less than a tenth of what the other one's rate leads to expect, where at least three are expected. */
enum { TENTH = 10, EXPECTED_MIN = 3 };

struct judging {
    struct comparison *all;
    const struct compare_stat *rule;
    const struct compare_fact *facts[2]; /* NULL: that side does not have it */
    const bool *told[2];                 /* by rule: that side has some of its statistics */
};

static double value_of(const struct judging *judging, int side)
{
    return judging->facts[side] ? judging->facts[side]->value : 0;
}

/* HIGH's rate leads to expect as many on the other side as would be seen there. Where a single one tells
 * something, none is rarer, unless the other side has hardly lived. */
static bool is_rarer(const struct judging *judging, int high)
{
    const struct compare_side *sides = judging->all->sides;
    double many = value_of(judging, high), few = value_of(judging, !high);
    bool one_tells = judging->rule->least <= 1 && few == 0;
    if (many < judging->rule->least)
        return false;
    if (sides[high].uptime <= 0 || sides[!high].uptime <= 0)
        return few == 0 && (one_tells || many >= EXPECTED_MIN);
    double expected = many / sides[high].uptime * sides[!high].uptime;
    if (one_tells)
        return expected * TENTH >= 1;
    return expected >= EXPECTED_MIN && few * TENTH <= expected;
}

static bool differs(const struct judging *judging)
{
    double a = value_of(judging, 0), b = value_of(judging, 1);
    if (judging->rule->kind == STAT_COUNTER)
        return is_rarer(judging, 0) || is_rarer(judging, 1);
    return (a == 0) != (b == 0) && fmax(a, b) >= judging->rule->least;
}

static const char *value_text(const struct judging *judging, int side)
{
    double hours = judging->all->sides[side].uptime / 3600, value = value_of(judging, side);
    struct arena *arena = judging->all->arena;
    if (!judging->facts[side])
        return NULL;
    if (judging->rule->kind != STAT_COUNTER || hours < 1 || value == 0)
        return arena_printf(arena, "%.15g", value);
    return arena_printf(arena, "%.15g (%.3g an hour)", value, value / hours);
}

/* Which rules' statistics SIDE tells at all: one that filters them out has none by any name. */
static const bool *told_by(const struct comparison *all, int side)
{
    size_t len;
    const struct compare_table *table = &all->sides[side].stats;
    const struct compare_stat *rules = compare_stats(&len);
    bool *told = arena_alloc(all->arena, len * sizeof *told);
    for (size_t i = 0; i < table->len; i++) {
        const struct compare_stat *rule = compare_stat_find(table->facts[i].name);
        if (rule)
            told[rule - rules] = true;
    }
    return told;
}

static bool told_better(const struct judging *judging)
{
    const char *evidence = judging->rule->instead;
    const struct compare_side *sides = judging->all->sides;
    return evidence && compare_table_of(&sides[0], evidence)->there &&
           compare_table_of(&sides[1], evidence)->there;
}

static void judge(struct judging *judging)
{
    size_t rules;
    int lacking = judging->facts[0] ? 1 : 0; /* or none is */
    const struct compare_fact *named = judging->facts[!lacking];
    judging->rule = compare_stat_find(named->name);
    if (!judging->rule || told_better(judging) || !differs(judging))
        return;
    bool missing = !judging->facts[lacking];
    if (missing &&
        (judging->rule->kind == STAT_LOW || !judging->all->sides[lacking].stats.complete ||
         !judging->told[lacking][judging->rule - compare_stats(&rules)]))
        return;
    const struct compare_difference difference = {
        .kind = "stat",
        .noun = "stat",
        .name = named->name,
        .change = "value",
        .unset = "no such statistic",
        .why = judging->rule->why,
        .weight = judging->rule->weight,
        .values = {value_text(judging, 0), value_text(judging, 1)},
        .facts = {judging->facts[0], judging->facts[1]},
    };
    compare_add(judging->all, &difference);
}

void compare_statistics(struct comparison *all)
{
    const struct compare_table *a = &all->sides[0].stats, *b = &all->sides[1].stats;
    const bool *const told[2] = {told_by(all, 0), told_by(all, 1)};
    size_t i = 0, j = 0;
    while (a->there && b->there && (i < a->len || j < b->len)) {
        int order = i == a->len ? 1 : j == b->len ? -1 : strcmp(a->facts[i].key, b->facts[j].key);
        struct judging judging = {.all = all, .told = {told[0], told[1]}};
        if (order <= 0)
            judging.facts[0] = &a->facts[i++];
        if (order >= 0)
            judging.facts[1] = &b->facts[j++];
        judge(&judging);
    }
}
