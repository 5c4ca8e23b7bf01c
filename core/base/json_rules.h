/* The rules of json_split: which arrays to take, by the path that leads to them. All rules together
 * are one automaton whose states are made when a path first reaches them, so that a step costs the
 * same however many rules there are. */
#ifndef DEBRIEF_BASE_JSON_RULES_H
#define DEBRIEF_BASE_JSON_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct json_rules;

struct json_rules *json_rules_new(const char *const *texts); /* NULL-terminated, borrowed */
void json_rules_free(struct json_rules *rules);

enum {
    JSON_RULES_START = 0,
    JSON_RULES_DEAD = 1
}; /* states: the root's, and "nothing fits below" */

/* One level down from STATE: to the member NAME, or into an array when NAME is NULL. */
int json_rules_step(struct json_rules *rules, int state, const char *name, size_t len);
int json_rules_taken(const struct json_rules *rules, int state); /* the rule that fits, -1: none */
/* Whether what the rule takes is thrown away: its text begins with '!'. */
bool json_rules_drops(const struct json_rules *rules, int rule);

#endif
