/* Base: matching paths against rules, one level at a time, for json_split. Reads and writes memory
 * only. The rules are a set of small automata (a bit for each part of a rule that was reached); sets of
 * them become numbered states, made on demand, with one transition for each name that rules mention. */
#include "base/json_rules.h"
#include "base/alloc.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 64, PARTS_MAX = 15, NAMES_MAX = 64, STATES_MAX = 512 };
enum { SYMBOL_INDEX, SYMBOL_OTHER, SYMBOL_NAMES }; /* into an array, a name of no rule, the names */

struct part {
    enum { PART_NAME, PART_ONE, PART_ANY } kind; /* a member's name, "*", "**" */
    int symbol;
};

struct rule {
    int parts_len;
    bool drops;
    struct part parts[PARTS_MAX];
};

struct state {
    uint16_t reached[RULES_MAX];            /* bit I: the first I parts of the rule fit the path */
    int16_t next[SYMBOL_NAMES + NAMES_MAX]; /* -1: not made yet */
    int taken;
};

struct json_rules {
    int rules_len, names_len, states_len, states_cap;
    struct rule rules[RULES_MAX];
    struct {
        const char *text;
        size_t len;
    } names[NAMES_MAX];
    struct state *states;
};

static int symbol_of(const struct json_rules *rules, const char *name, size_t len)
{
    if (!name)
        return SYMBOL_INDEX;
    for (int i = 0; i < rules->names_len; i++)
        if (rules->names[i].len == len && memcmp(rules->names[i].text, name, len) == 0)
            return SYMBOL_NAMES + i;
    return SYMBOL_OTHER;
}

static struct part make_part(struct json_rules *rules, const char *text, size_t len)
{
    if (len == 1 && *text == '*')
        return (struct part){PART_ONE, 0};
    if (len == 2 && strncmp(text, "**", 2) == 0)
        return (struct part){PART_ANY, 0};
    int symbol = symbol_of(rules, text, len);
    if (symbol == SYMBOL_OTHER) {
        if (rules->names_len == NAMES_MAX)
            BUG("more than %d names in rules", NAMES_MAX);
        symbol = SYMBOL_NAMES + rules->names_len;
        rules->names[rules->names_len].text = text;
        rules->names[rules->names_len++].len = len;
    }
    return (struct part){PART_NAME, symbol};
}

static void add_rule(struct json_rules *rules, const char *text)
{
    if (rules->rules_len == RULES_MAX)
        BUG("more than %d rules", RULES_MAX);
    struct rule *rule = &rules->rules[rules->rules_len++];
    rule->drops = *text == '!';
    for (const char *at = text + rule->drops; *at;) {
        if (rule->parts_len == PARTS_MAX)
            BUG("rule '%s' has more than %d parts", text, PARTS_MAX);
        size_t len = strcspn(at, ".");
        rule->parts[rule->parts_len++] = make_part(rules, at, len);
        at += len;
        at += *at == '.';
    }
}

/* "**" may stand for nothing: who stands before it stands behind it as well. */
static uint16_t skip_any(const struct rule *rule, unsigned reached)
{
    for (int i = 0; i < rule->parts_len; i++)
        if ((reached >> i & 1) && rule->parts[i].kind == PART_ANY)
            reached |= 2u << i;
    return (uint16_t)reached;
}

static uint16_t step_rule(const struct rule *rule, unsigned from, int symbol)
{
    unsigned to = 0;
    for (int i = 0; i < rule->parts_len; i++) {
        const struct part *part = &rule->parts[i];
        if (!(from >> i & 1) || (part->kind == PART_NAME && part->symbol != symbol))
            continue;
        to |= part->kind == PART_ANY ? 1u << i : 2u << i;
    }
    return skip_any(rule, to);
}

/* The number of the state with these reached parts, made when there is none. A document made to reach
 * very many of them finds that nothing fits any more. */
static int state_of(struct json_rules *rules, const uint16_t reached[RULES_MAX])
{
    for (int i = 0; i < rules->states_len; i++)
        if (memcmp(rules->states[i].reached, reached, sizeof rules->states[i].reached) == 0)
            return i;
    if (rules->states_len == STATES_MAX)
        return JSON_RULES_DEAD;
    if (rules->states_len == rules->states_cap) {
        rules->states_cap = rules->states_cap ? rules->states_cap * 2 : 16;
        rules->states = xrealloc(rules->states, (size_t)rules->states_cap * sizeof *rules->states);
    }
    struct state *state = &rules->states[rules->states_len];
    memcpy(state->reached, reached, sizeof state->reached);
    memset(state->next, -1, sizeof state->next);
    state->taken = -1;
    for (int i = rules->rules_len - 1; i >= 0; i--)
        if (reached[i] >> rules->rules[i].parts_len & 1)
            state->taken = i;
    return rules->states_len++;
}

struct json_rules *json_rules_new(const char *const *texts)
{
    struct json_rules *rules = xcalloc(1, sizeof *rules);
    for (; texts && *texts; texts++)
        add_rule(rules, *texts);
    uint16_t reached[RULES_MAX] = {0}, none[RULES_MAX] = {0};
    for (int i = 0; i < rules->rules_len; i++)
        reached[i] = skip_any(&rules->rules[i], 1);
    reached[0] |= 1; /* never equal to "nothing", even without rules */
    state_of(rules, reached);
    state_of(rules, none);
    return rules;
}

void json_rules_free(struct json_rules *rules)
{
    if (!rules)
        return;
    free(rules->states);
    free(rules);
}

static int make_step(struct json_rules *rules, int from, int symbol)
{
    uint16_t reached[RULES_MAX] = {0};
    for (int i = 0; i < rules->rules_len; i++)
        reached[i] = step_rule(&rules->rules[i], rules->states[from].reached[i], symbol);
    int to = state_of(rules, reached);
    rules->states[from].next[symbol] = (int16_t)to;
    return to;
}

int json_rules_step(struct json_rules *rules, int state, const char *name, size_t len)
{
    if (state == JSON_RULES_DEAD)
        return state;
    int symbol = symbol_of(rules, name, len);
    int to = rules->states[state].next[symbol];
    return to >= 0 ? to : make_step(rules, state, symbol);
}

int json_rules_taken(const struct json_rules *rules, int state)
{
    return rules->states[state].taken;
}

bool json_rules_drops(const struct json_rules *rules, int rule)
{
    return rules->rules[rule].drops;
}
