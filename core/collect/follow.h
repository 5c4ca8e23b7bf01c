/* Following: questions to a cloud or a cluster whose arguments stand in earlier answers. A plan is a
 * table of rules, "this member of that answer names the next thing to ask for"; it is bounded in
 * number and in time, and what cannot be had costs that answer only. */
#ifndef DEBRIEF_COLLECT_FOLLOW_H
#define DEBRIEF_COLLECT_FOLLOW_H

#include "collect/collection.h"

#include <cjson/cJSON.h>

/* A call is written as its words behind the program's name. A word may hold {PATH} (a member of the
 * node that the rule is about, {} the node itself), {^OPTION} (what that option was in the call that
 * was answered) or {$NAME} (a variable of the plan), each with a filter behind '|': see
 * follow_fill.c. A call with a part that is not there, or empty, is not made. */
struct follow_rule {
    const char *from; /* "get pod|get job": the first words of the answered call; NULL: a start */
    const char *each; /* members of the answer, "tasks[].attachments[]"; "" the answer itself */
    const char *when; /* "name=glob" or "name" (is there) of such a node; NULL: all of them */
    const char *call;
    bool joined; /* one call for all nodes: words that hold members are repeated */
};

struct follow_variable {
    const char *name, *value; /* value NULL: not known, calls that name it are not made */
};

struct follow_option { /* added to each call that does not have it */
    const char *name, *value;
    bool json_only; /* not to calls whose answer is text */
};

struct follow_plan {
    const char *program;
    const struct follow_rule *rules;
    size_t rules_len;
    const struct follow_variable *variables;
    size_t variables_len;
    const struct follow_option *options; /* value NULL: not added */
    size_t options_len;
    /* Whether the answer to this call is text and not JSON. */
    bool (*is_text)(const char *const *argv);
    /* Name of the source for an answer; the caller's to free. */
    char *(*name)(const char *const *argv);
    /* Whether CALL, which a rule made from an answer to PARENT, is worth asking. */
    bool (*is_worth)(const char *const *call, const char *const *parent);
    /* The first call asks for what the target names, and alone: without it nothing else is asked.
     * Whether ANSWER says that it is not there (NULL: never), and what to say then about ABOUT: a
     * sentence, the caller's to free. */
    bool (*is_absent)(const cJSON *answer);
    char *(*absent)(const void *about);
    const void *about;
    /* Sees every JSON answer; NULL: nobody does. */
    void (*on_answer)(void *user, const char *const *argv, const cJSON *answer);
    void *user;
};

/* Asks, until nothing is left to ask or UNTIL (clock_monotonic) is reached. False: the first call showed that
 * there is nothing to ask about. */
bool follow_run(struct collection *collection, const struct follow_plan *plan, int64_t until);

/* The lines of a dry run: starts exactly, the others as patterns. */
void follow_dry_run(const struct follow_plan *plan);

/* ---- follow_fill.c ---- */

struct follow_words { /* NULL-terminated when it is used as an argument vector */
    char **items;
    size_t len;
    size_t left_out; /* that were too many */
};

void follow_words_release(struct follow_words *words);
void follow_words_add(struct follow_words *words, char *word); /* takes WORD */

/* The nodes of ANSWER that EACH and WHEN select; the caller's to free, *LEN of them. */
const cJSON **follow_select(const struct follow_rule *rule, const cJSON *answer, size_t *len);

/* CALL for one node, appended to OUT; false when a part is missing or cannot be passed on. NODE and
 * PARENT may be NULL. */
bool follow_fill(const struct follow_plan *plan, const char *call, const cJSON *node,
                 const char *const *parent, struct follow_words *out);

/* The same for all of NODES at once. */
bool follow_fill_joined(const struct follow_plan *plan, const char *call, const cJSON *const *nodes,
                        size_t len, const char *const *parent, struct follow_words *out);

/* CALL for people, "--role-name <taskRoleArn>"; variables are filled in. */
void follow_pattern(const struct follow_plan *plan, const char *call, struct follow_words *out);

#endif
