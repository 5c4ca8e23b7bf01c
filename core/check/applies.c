/* Stage: check. Reads a check's `applies` text and what is known of the proxy; says whether the check
 * applies and if not why. Deliberately treats an unknown fact as no obstacle: a check that asks in vain
 * is better than one that is silent because a version was not in the evidence. */
#include "check/applies.h"

#include "base/alloc.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static const char everywhere[] = "any";

static const struct {
    const char *key, *column;
    const char *values; /* what evidence `proxy` may hold there; NULL: a version */
} facts_table[APPLIES_FACTS] = {
    [APPLIES_ENVOY] = {"envoy", "version", NULL},
    [APPLIES_MESH] = {"mesh", "mesh",
                      "appmesh|service-connect|istio|consul|kuma|contour|envoy-gateway|gloo|cilium|"
                      "traffic-director"},
    [APPLIES_MODE] = {"mode", "mode", "sidecar|gateway|client-only|proxyless"},
    [APPLIES_PLATFORM] = {"platform", "platform", "ecs|kubernetes|docker"},
};

/* Two-character operators first: the first that fits is taken. */
static const char *const operators[] = {">=", "<=", "!=", ">", "<", "="};

struct clause {
    enum applies_fact fact;
    const char *op;
    char text[128];  /* as written, for reasons */
    char value[128]; /* alternatives, still joined by '|' */
};

const char *applies_column(enum applies_fact fact)
{
    return facts_table[fact].column;
}

static void copy_trimmed(char *out, size_t cap, const char *start, const char *end)
{
    while (start < end && strchr(" \t\n", *start))
        start++;
    while (end > start && strchr(" \t\n", end[-1]))
        end--;
    size_t len = (size_t)(end - start) < cap ? (size_t)(end - start) : cap - 1;
    memcpy(out, start, len);
    out[len] = '\0';
}

static bool is_version(const char *text)
{
    if (!*text || text[strspn(text, "0123456789.")] != '\0' || strstr(text, ".."))
        return false;
    return text[0] != '.' && text[strlen(text) - 1] != '.';
}

static bool find_fact(const char *key, struct clause *out, struct err *err)
{
    for (int i = 0; i < APPLIES_FACTS; i++) {
        if (strcmp(key, facts_table[i].key) == 0) {
            out->fact = (enum applies_fact)i;
            return true;
        }
    }
    return err_set(err, "'%s' is no fact to decide by: envoy, mesh, mode or platform", key);
}

static const char *find_operator(const char *text, const char **op)
{
    const char *at = strpbrk(text, "<>!=");
    for (size_t i = 0; at && i < ARRAY_LEN(operators); i++) {
        if (str_starts(at, operators[i])) {
            *op = operators[i];
            return at;
        }
    }
    return NULL;
}

/* Takes the next of several alternatives out of *LIST; false at the end. */
static bool next_value(const char **list, char value[128])
{
    const char *end = *list + strcspn(*list, "|");
    if (!**list)
        return false;
    copy_trimmed(value, 128, *list, end);
    *list = *end ? end + 1 : end;
    return true;
}

static bool is_among(const char *list, const char *wanted)
{
    char value[128];
    while (next_value(&list, value))
        if (strcmp(value, wanted) == 0)
            return true;
    return false;
}

bool applies_knows(enum applies_fact fact, const char *value)
{
    const char *known = facts_table[fact].values;
    return known && is_among(known, value);
}

/* A misspelt value would silence the check for ever. */
static bool check_words(const struct clause *clause, struct err *err)
{
    const char *known = facts_table[clause->fact].values, *at = clause->value;
    char value[128];
    while (known && next_value(&at, value))
        if (!is_among(known, value))
            return err_set(err, "'%s' is no %s; there are %s", value, facts_table[clause->fact].key,
                           known);
    return true;
}

static bool check_value(const struct clause *clause, struct err *err)
{
    bool equality = strcmp(clause->op, "=") == 0 || strcmp(clause->op, "!=") == 0;
    if (!*clause->value)
        return err_set(err, "'%s' has no value", clause->text);
    if (clause->fact == APPLIES_ENVOY && !strchr(clause->value, '|') && !is_version(clause->value))
        return err_set(err, "'%s' is no version like 1.24", clause->value);
    if ((clause->fact != APPLIES_ENVOY || strchr(clause->value, '|')) && !equality)
        return err_set(err, "'%s' can only be compared with = or !=", clause->text);
    return check_words(clause, err);
}

static bool parse_clause(const char *start, const char *end, struct clause *out, struct err *err)
{
    char key[32];
    copy_trimmed(out->text, sizeof out->text, start, end);
    const char *at = find_operator(out->text, &out->op);
    if (!at)
        return err_set(err, "'%s' is no comparison like 'envoy >= 1.24'", out->text);
    copy_trimmed(key, sizeof key, out->text, at);
    copy_trimmed(out->value, sizeof out->value, at + strlen(out->op), at + strlen(at));
    return find_fact(key, out, err) && check_value(out, err);
}

typedef bool clause_fn(const struct clause *clause, void *user, struct err *err);

static bool each_clause(const char *text, clause_fn *fn, void *user, struct err *err)
{
    while (text && *text && strcmp(text, everywhere) != 0) {
        const char *end = text + strcspn(text, ",");
        struct clause clause;
        if (!parse_clause(text, end, &clause, err) || !fn(&clause, user, err))
            return false;
        text = *end ? end + 1 : end;
    }
    return true;
}

static bool accept_clause(const struct clause *clause, void *user, struct err *err)
{
    (void)clause, (void)user, (void)err;
    return true;
}

bool applies_valid(const char *text, struct err *err)
{
    return each_clause(text, accept_clause, NULL, err) || err_prefix(err, "applies '%s'", text);
}

/* Compares as many components as WANTED gives, so that "1.24" stands for all of 1.24.x. */
static int compare_versions(const char *known, const char *wanted)
{
    for (;;) {
        unsigned long a = strtoul(known, (char **)&known, 10);
        unsigned long b = strtoul(wanted, (char **)&wanted, 10);
        if (a != b)
            return a < b ? -1 : 1;
        if (*wanted != '.')
            return 0;
        wanted++;
        known += *known == '.';
    }
}

static bool equals_any(const struct clause *clause, const char *known)
{
    char value[128];
    for (const char *at = clause->value; next_value(&at, value);) {
        bool same = clause->fact == APPLIES_ENVOY ? compare_versions(known, value) == 0
                                                  : strcmp(known, value) == 0;
        if (same)
            return true;
    }
    return false;
}

static bool holds(const struct clause *clause, const char *known)
{
    if (strcmp(clause->op, "=") == 0)
        return equals_any(clause, known);
    if (strcmp(clause->op, "!=") == 0)
        return !equals_any(clause, known);
    int order = compare_versions(known, clause->value);
    switch (clause->op[0]) {
    case '<':
        return clause->op[1] ? order <= 0 : order < 0;
    default:
        return clause->op[1] ? order >= 0 : order > 0;
    }
}

static bool test_clause(const struct clause *clause, void *user, struct err *why)
{
    const struct applies_facts *facts = user;
    const char *known = facts->values[clause->fact];
    if (!known || !*known || holds(clause, known))
        return true;
    return err_set(why, "%s is %s, and this is about %s", facts_table[clause->fact].key, known,
                   clause->text);
}

bool applies_to(const char *text, const struct applies_facts *facts, struct err *why)
{
    return each_clause(text, test_clause, (void *)facts, why);
}
