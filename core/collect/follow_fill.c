/* Collect: from an answer to the words of the next call. Reads rules and JSON trees, writes argument
 * vectors. Deliberately refuses what an answer should not be able to say: options, control
 * characters, endless words. */
#include "collect/follow.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/regex.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 200, WORD_MAX = 1024, JOINED_MAX = 50 };

void follow_words_release(struct follow_words *words)
{
    for (size_t i = 0; i < words->len; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct follow_words){0};
}

void follow_words_add(struct follow_words *words, char *word)
{
    words->items = xrealloc(words->items, (words->len + 2) * sizeof *words->items);
    words->items[words->len++] = word;
    words->items[words->len] = NULL;
}

/* ---- nodes ---- */

struct nodes {
    const cJSON **items;
    size_t len;
};

static bool holds(const cJSON *node, const char *when)
{
    char number[32], path[128];
    const char *equals = when ? strchr(when, '=') : NULL;
    size_t len = equals ? (size_t)(equals - when) : when ? strlen(when) : 0;
    if (!when)
        return true;
    snprintf(path, sizeof path, "%.*s", (int)len, when);
    const cJSON *member = json_at(node, path);
    if (!equals)
        return member && !cJSON_IsNull(member) && !cJSON_IsFalse(member);
    const char *value = json_scalar(node, path, number);
    return value && str_glob(equals + 1, value);
}

static void select_nodes(struct nodes *nodes, const cJSON *node, const char *each, const char *when)
{
    if (!node || nodes->len == NODES_MAX)
        return;
    if (*each == '\0') {
        if (holds(node, when))
            nodes->items[nodes->len++] = node;
        return;
    }
    char name[128];
    size_t len = strcspn(each, ".");
    bool array = len > 2 && strncmp(each + len - 2, "[]", 2) == 0;
    snprintf(name, sizeof name, "%.*s", (int)(array ? len - 2 : len), each);
    const char *rest = each + len + (each[len] == '.');
    const cJSON *member = json_at(node, name), *item;
    if (!array)
        select_nodes(nodes, member, rest, when);
    else if (cJSON_IsArray(member))
        cJSON_ArrayForEach (item, member)
            select_nodes(nodes, item, rest, when);
}

const cJSON **follow_select(const struct follow_rule *rule, const cJSON *answer, size_t *len)
{
    struct nodes nodes = {.items = xcalloc(NODES_MAX, sizeof *nodes.items)};
    select_nodes(&nodes, answer, rule->each, rule->when);
    *len = nodes.len;
    return nodes.items;
}

/* ---- filters ---- */

static char *after_last(const char *value, char mark)
{
    const char *at = strrchr(value, mark);
    return xstrdup(at ? at + 1 : value);
}

/* "mesh/M/virtualNode/N", with or without an ARN in front: what stands behind NAME. */
static char *resource_part(const char *value, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = value; (at = strstr(at, name)); at++)
        if ((at == value || strchr("/:", at[-1])) && at[len] == '/')
            return xstrndup(at + len + 1, strcspn(at + len + 1, "/"));
    return NULL;
}

/* ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG or @DIGEST */
static char *image_part(const char *value, const char *part)
{
    const char *mark = strstr(value, ".dkr.ecr"), *slash = strchr(value, '/');
    if (!mark || !slash || mark > slash || mark - value != 12)
        return NULL;
    const char *region = strchr(mark + 8, '.'), *end = slash + strcspn(slash, "@");
    const char *colon = memchr(slash, ':', (size_t)(end - slash));
    if (strcmp(part, "account") == 0)
        return xstrndup(value, 12);
    if (strcmp(part, "region") == 0)
        return region && region < slash ? xstrndup(region + 1, strcspn(region + 1, "./")) : NULL;
    if (strcmp(part, "repository") == 0)
        return xstrndup(slash + 1, (size_t)((colon ? colon : end) - slash - 1));
    if (*end)
        return xasprintf("imageDigest=%s", end + 1);
    return colon ? xasprintf("imageTag=%.*s", (int)(end - colon - 1), colon + 1)
                 : xstrdup("imageTag=latest");
}

static char *filtered(const char *value, const char *filter)
{
    if (!*filter)
        return xstrdup(value);
    if (strcmp(filter, "name") == 0)
        return after_last(value, '/');
    if (strcmp(filter, "last") == 0)
        return after_last(value, ':');
    if (str_starts(filter, "image-"))
        return image_part(value, filter + strlen("image-"));
    return resource_part(value, filter);
}

static char *filtered_by(const char *value, const char *filter, size_t len)
{
    char *name = xstrndup(filter, len), *part = filtered(value, name);
    free(name);
    return part;
}

/* ---- words ---- */

struct filling {
    const struct follow_plan *plan;
    const cJSON *node;
    const char *const *parent;
};

static const char *variable(const struct follow_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->variables_len; i++)
        if (strcmp(plan->variables[i].name, name) == 0)
            return plan->variables[i].value;
    return NULL;
}

static const char *option_of(const char *const *argv, const char *option)
{
    for (size_t i = 0; argv && argv[i]; i++)
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    return NULL;
}

static const char *look_up(const struct filling *filling, const char *name, char number[32])
{
    if (*name == '$')
        return variable(filling->plan, name + 1);
    if (*name == '^')
        return option_of(filling->parent, name + 1);
    if (*name == '\0')
        return cJSON_IsString(filling->node) ? filling->node->valuestring : NULL;
    return json_scalar(filling->node, name, number);
}

/* One placeholder, from behind its '{' to its '}'. */
static bool fill_one(const struct filling *filling, const char *text, size_t len, struct buf *out)
{
    char name[160], number[32];
    snprintf(name, sizeof name, "%.*s", (int)len, text);
    char *filter = strchr(name, '|');
    if (filter)
        *filter++ = '\0';
    const char *value = look_up(filling, name, number);
    char *part = value && *value ? filtered(value, filter ? filter : "") : NULL;
    bool there = part && *part;
    if (there)
        buf_adds(out, part);
    free(part);
    return there;
}

/* An answer must not become an option, nor anything that no name of a thing holds. */
static bool may_pass(const char *template, const char *word)
{
    if (strlen(word) >= WORD_MAX || (*template == '{' && *word == '-'))
        return false;
    for (const char *at = word; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            return false;
    return true;
}

static char *fill_word(const struct filling *filling, const char *template, size_t len)
{
    struct buf out;
    bool fine = true;
    buf_init(&out, WORD_MAX + 1);
    for (const char *at = template, *end = template + len; fine && at < end;) {
        if (*at != '{') {
            buf_addch(&out, *at++);
            continue;
        }
        size_t name = strcspn(at + 1, "}");
        fine = fill_one(filling, at + 1, name, &out);
        at += name + 2;
    }
    fine = fine && !out.overflow && may_pass(template, buf_str(&out));
    char *word = fine ? xstrdup(buf_str(&out)) : NULL;
    buf_release(&out);
    return word;
}

static bool names_members(const char *word, size_t len)
{
    const char *brace = memchr(word, '{', len);
    return brace && brace[1] != '$' && brace[1] != '^';
}

static bool has_word(const struct follow_words *words, const char *word)
{
    for (size_t i = 0; i < words->len; i++)
        if (strcmp(words->items[i], word) == 0)
            return true;
    return false;
}

bool follow_fill_joined(const struct follow_plan *plan, const char *call, const cJSON *const *nodes,
                        size_t len, const char *const *parent, struct follow_words *out)
{
    for (const char *at = call; *at; at += *at == ' ') {
        size_t word_len = strcspn(at, " ");
        size_t times = names_members(at, word_len) && len > 1 ? len : 1;
        size_t before = out->len;
        for (size_t i = 0; i < times && i < JOINED_MAX; i++) {
            struct filling filling = {plan, nodes ? nodes[i] : NULL, parent};
            char *word = fill_word(&filling, at, word_len);
            if (!word || (times > 1 && has_word(out, word)))
                free(word);
            else
                follow_words_add(out, word);
        }
        if (out->len == before)
            return false;
        at += word_len;
    }
    return true;
}

bool follow_fill(const struct follow_plan *plan, const char *call, const cJSON *node,
                 const char *const *parent, struct follow_words *out)
{
    return follow_fill_joined(plan, call, &node, 1, parent, out);
}

static void add_placeholder(const struct follow_plan *plan, const char *text, struct buf *out)
{
    char name[160];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "|}"), text);
    const char *filter = text + strlen(name) + (text[strlen(name)] == '|');
    const char *value = *name == '$' ? variable(plan, name + 1) : NULL;
    char *part = value ? filtered_by(value, filter, strcspn(filter, "}")) : NULL;
    if (part)
        buf_adds(out, part);
    else
        buf_addf(out, "<%s>", *name ? name + strspn(name, "$^-") : "name");
    free(part);
}

void follow_pattern(const struct follow_plan *plan, const char *call, struct follow_words *out)
{
    struct buf word;
    buf_init(&word, WORD_MAX);
    for (const char *at = call; *at;) {
        if (*at == ' ') {
            follow_words_add(out, buf_take(&word));
            at++;
        } else if (*at == '{') {
            add_placeholder(plan, at + 1, &word);
            at += strcspn(at, "}") + 1;
        } else {
            buf_addch(&word, *at++);
        }
    }
    follow_words_add(out, buf_take(&word));
    buf_release(&word);
}
