/* Policy: the keys of debrief.yaml, one function each. Reads the tree of the file, writes struct config.
 * Deliberately forgives nothing: a key that is misspelt and passed over would be a rule that everybody
 * believes in and nobody applies. */
#include "policy/config_keys.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/suggest.h"
#include "debrief/plugin.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX_LEN = 1000, LIST_MAX = 64 << 10 };

struct reading {
    struct config *config;
    const char *today;
    struct err *err;
};

struct key {
    const char *name;
    bool (*take)(struct reading *reading, const struct yaml_tree *node);
};

/* ---- what is wrong, and where ---- */

static bool fail(const struct reading *reading, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(const struct reading *reading, size_t line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_vset(reading->err, format, args);
    va_end(args);
    return err_prefix(reading->err, "%s:%zu", reading->config->path, line);
}

static bool unknown(const struct reading *reading, const struct yaml_tree *node, const char *where,
                    const char *const *names, size_t len)
{
    struct suggest suggest;
    struct buf all;
    buf_init(&all, 512);
    suggest_init(&suggest, node->name);
    for (size_t i = 0; i < len; i++) {
        suggest_offer(&suggest, names[i]);
        buf_addf(&all, "%s%s", i ? ", " : "", names[i]);
    }
    char *near = suggest_text(&suggest);
    if (*near)
        fail(reading, node->line, "unknown key '%s'%s; did you mean %s?", node->name, where, near);
    else
        fail(reading, node->line, "unknown key '%s'%s; known: %s", node->name, where,
             buf_str(&all));
    free(near);
    buf_release(&all);
    return false;
}

static size_t place_of(const char *text, const char *const *names, size_t len)
{
    size_t i = 0;
    while (i < len && strcmp(names[i], text) != 0)
        i++;
    return i;
}

static bool is_null(const struct yaml_tree *node)
{
    return node->plain &&
           (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

static const char *kind_name(const struct yaml_tree *node)
{
    if (node->kind == YAML_TREE_TEXT)
        return is_null(node) ? "nothing" : "a text";
    return node->kind == YAML_TREE_LIST ? "a list" : "a mapping";
}

static bool want_kind(const struct reading *reading, const struct yaml_tree *node,
                      enum yaml_tree_kind kind, const char *what)
{
    if (node->kind == kind)
        return true;
    return fail(reading, node->line, "'%s' takes %s, not %s", node->name, what, kind_name(node));
}

/* ---- values ---- */

static size_t count(const struct yaml_tree *node)
{
    size_t len = 0;
    for (const struct yaml_tree *each = node->first; each; each = each->next)
        len++;
    return len;
}

/* A text that says something, on one line; NULL with an err. WHAT names it where it has no name. */
static char *take_text(struct reading *reading, const struct yaml_tree *node, const char *what)
{
    const char *name = node->name ? node->name : what;
    if (node->kind != YAML_TREE_TEXT || is_null(node)) {
        fail(reading, node->line, "'%s' takes a text, not %s", name, kind_name(node));
        return NULL;
    }
    char *text = arena_strdup(reading->config->arena, node->text);
    for (char *at = text; *at; at++)
        if (*at == '\n' || *at == '\t')
            *at = ' ';
    for (size_t len = strlen(text); len && text[len - 1] == ' ';)
        text[--len] = '\0';
    text += strspn(text, " ");
    if (*text && strlen(text) <= TEXT_MAX_LEN)
        return text;
    fail(reading, node->line, *text ? "'%s' is longer than 1000 bytes" : "'%s' is empty", name);
    return NULL;
}

/* The id of a finding, or a glob over ids. */
static bool want_finding(struct reading *reading, const char *text, size_t line)
{
    size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-*?");
    bool glob = strpbrk(text, "*?") != NULL;
    if (!text[good] && (glob || strchr(text, '.')))
        return true;
    return fail(reading, line,
                "'%s' is neither a finding id (grpc-codes.permission-denied) nor a glob over "
                "them (grpc-codes.*)",
                text);
}

static bool want_day(struct reading *reading, const char *text, size_t line)
{
    char again[CLOCK_TEXT_MAX];
    struct clock_bound day;
    if (strlen(text) == strlen("2026-11-21") && text[4] == '-' && text[7] == '-' &&
        clock_bound_parse(text, &day) && str_starts(clock_text(day.time, again), text))
        return true;
    return fail(reading, line, "'%s' is no day like 2026-12-31, of the years 1970 to 2261", text);
}

static bool join_texts(struct reading *reading, const struct yaml_tree *node, struct buf *list)
{
    for (const struct yaml_tree *each = node->first; each; each = each->next) {
        const char *text = take_text(reading, each, node->name);
        if (!text)
            return false;
        if (strchr(text, ','))
            return fail(reading, each->line, "'%s' holds a comma; write one entry for each", text);
        buf_addf(list, "%s%s", list->len ? "," : "", text);
    }
    if (list->overflow)
        return fail(reading, node->line, "'%s' is longer than 64 kB", node->name);
    return list->len || fail(reading, node->line, "'%s' is empty", node->name);
}

/* The texts of a list, with commas between them. */
static bool take_list(struct reading *reading, const struct yaml_tree *node, const char **list,
                      size_t *line)
{
    struct buf joined;
    if (!want_kind(reading, node, YAML_TREE_LIST, "a list"))
        return false;
    buf_init(&joined, LIST_MAX);
    bool ok = join_texts(reading, node, &joined);
    *list = arena_strdup(reading->config->arena, buf_str(&joined));
    *line = node->line;
    buf_release(&joined);
    return ok;
}

/* ---- keys ---- */

static bool take_params(struct reading *reading, const struct yaml_tree *node)
{
    struct config *config = reading->config;
    if (!want_kind(reading, node, YAML_TREE_MAPPING, "a mapping of CHECK.NAME to a value"))
        return false;
    config->params = arena_alloc(config->arena, count(node) * sizeof *config->params + 1);
    for (const struct yaml_tree *each = node->first; each; each = each->next) {
        const char *dot = strchr(each->name, '.'), *value = take_text(reading, each, NULL);
        if (!value)
            return false;
        if (!dot || dot == each->name || !dot[1])
            return fail(reading, each->line, "'%s' is not of the form CHECK.NAME", each->name);
        config->params[config->params_len++] = (struct config_param){
            .check = arena_strndup(config->arena, each->name, (size_t)(dot - each->name)),
            .name = dot + 1,
            .value = value,
            .line = each->line};
    }
    return true;
}

/* A plugin is code. A file that lies where evidence is unpacked must not bring its own. */
static bool take_plugin_path(struct reading *reading, const struct yaml_tree *node)
{
    struct config *config = reading->config;
    if (config->found_here)
        return fail(reading, node->line,
                    "'plugin-path' runs code, and this file was only found in the current "
                    "directory; take it by name when you trust it: --config %s",
                    config->path);
    if (!want_kind(reading, node, YAML_TREE_LIST, "a list of directories"))
        return false;
    const char *slash = strrchr(config->path, '/');
    size_t base = slash ? (size_t)(slash - config->path + 1) : 0;
    config->plugin_path = arena_alloc(config->arena, count(node) * sizeof *config->plugin_path + 1);
    for (const struct yaml_tree *each = node->first; each; each = each->next) {
        char *dir = take_text(reading, each, node->name);
        if (!dir)
            return false;
        config->plugin_path[config->plugin_path_len++] =
            *dir == '/' ? dir : arena_printf(config->arena, "%.*s%s", (int)base, config->path, dir);
    }
    return true;
}

static bool take_select(struct reading *reading, const struct yaml_tree *node)
{
    return take_list(reading, node, &reading->config->select, &reading->config->select_line);
}

static bool take_skip(struct reading *reading, const struct yaml_tree *node)
{
    return take_list(reading, node, &reading->config->skip, &reading->config->skip_line);
}

static bool take_fail_on(struct reading *reading, const struct yaml_tree *node)
{
    static const char *const levels[] = {"error", "warning", "incomplete", "never"};
    const char *text = take_text(reading, node, NULL);
    if (!text)
        return false;
    size_t i = place_of(text, levels, ARRAY_LEN(levels));
    reading->config->fail_on = i < ARRAY_LEN(levels) ? levels[i] : NULL;
    if (reading->config->fail_on)
        return true;
    return fail(reading, node->line,
                "'fail-on' takes error, warning, incomplete or never, not '%s'", text);
}

static bool take_severity(struct reading *reading, const struct yaml_tree *node)
{
    struct config *config = reading->config;
    if (!want_kind(reading, node, YAML_TREE_MAPPING, "a mapping of findings to severities"))
        return false;
    config->severities = arena_alloc(config->arena, count(node) * sizeof *config->severities + 1);
    for (const struct yaml_tree *each = node->first; each; each = each->next) {
        const char *text = take_text(reading, each, NULL);
        if (!text || !want_finding(reading, each->name, each->line))
            return false;
        int severity = strcmp(text, "error") == 0     ? DEBRIEF_ERROR
                       : strcmp(text, "warning") == 0 ? DEBRIEF_WARNING
                       : strcmp(text, "info") == 0    ? DEBRIEF_INFO
                                                      : 0;
        if (!severity)
            return fail(reading, each->line, "'%s' takes error, warning or info, not '%s'",
                        each->name, text);
        config->severities[config->severities_len++] = (struct config_severity){
            .finding = each->name,
            .severity = severity,
            .line = each->line,
            .met = arena_alloc(config->arena, sizeof(size_t))};
    }
    return true;
}

/* ---- waivers ---- */

static const char *const waiver_keys[] = {"finding", "target", "reason", "owner", "expires"};

static bool fill_waiver(struct reading *reading, const struct yaml_tree *node,
                        struct config_waiver *waiver)
{
    const char **const members[] = {&waiver->finding, &waiver->target, &waiver->reason,
                                    &waiver->owner, &waiver->expires};
    for (const struct yaml_tree *each = node->first; each; each = each->next) {
        size_t i = place_of(each->name, waiver_keys, ARRAY_LEN(waiver_keys));
        if (i == ARRAY_LEN(waiver_keys))
            return unknown(reading, each, " in a waiver", waiver_keys, ARRAY_LEN(waiver_keys));
        *members[i] = take_text(reading, each, NULL);
        if (!*members[i] || (i == 0 && !want_finding(reading, waiver->finding, each->line)) ||
            (i == 4 && !want_day(reading, waiver->expires, each->line)))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(waiver_keys); i++)
        if (!*members[i])
            return fail(reading, node->line, "a waiver without '%s'", waiver_keys[i]);
    return true;
}

static bool take_waivers(struct reading *reading, const struct yaml_tree *node)
{
    struct config *config = reading->config;
    if (!want_kind(reading, node, YAML_TREE_LIST, "a list of waivers"))
        return false;
    config->waivers = arena_alloc(config->arena, count(node) * sizeof *config->waivers + 1);
    for (const struct yaml_tree *each = node->first; each; each = each->next) {
        struct config_waiver *waiver = &config->waivers[config->waivers_len++];
        if (each->kind != YAML_TREE_MAPPING)
            return fail(reading, each->line, "a waiver is a mapping, not %s", kind_name(each));
        *waiver = (struct config_waiver){
            .target = "*", .line = each->line, .met = arena_alloc(config->arena, sizeof(size_t))};
        if (!fill_waiver(reading, each, waiver))
            return false;
        waiver->expired = strcmp(waiver->expires, reading->today) < 0;
    }
    return true;
}

/* ---- redaction: a configuration adds to it and takes nothing away ---- */

static const char *const redact_keys[] = {"identities", "patterns"};
static const char *const pattern_keys[] = {"name", "pattern"};

static bool fill_pattern(struct reading *reading, const struct yaml_tree *node,
                         struct redact_pattern *pattern)
{
    const char **const members[] = {&pattern->name, &pattern->pattern};
    if (node->kind != YAML_TREE_MAPPING)
        return fail(reading, node->line, "a pattern of redaction is a mapping, not %s",
                    kind_name(node));
    for (const struct yaml_tree *each = node->first; each; each = each->next) {
        size_t i = place_of(each->name, pattern_keys, ARRAY_LEN(pattern_keys));
        if (i == ARRAY_LEN(pattern_keys))
            return unknown(reading, each, " in a pattern of redaction", pattern_keys,
                           ARRAY_LEN(pattern_keys));
        *members[i] = take_text(reading, each, NULL);
        if (!*members[i])
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(pattern_keys); i++)
        if (!*members[i])
            return fail(reading, node->line, "a pattern of redaction without '%s'",
                        pattern_keys[i]);
    return true;
}

/* Whether all patterns so far can be used, with the line of the one that cannot. */
static bool try_patterns(struct reading *reading, size_t line)
{
    struct err why = ERR_INIT;
    const struct redact_options options = {.patterns = reading->config->redact_patterns,
                                           .patterns_len = reading->config->redact_patterns_len};
    struct redact_policy *policy = redact_policy_new(&options, &why);
    bool ok = policy != NULL;
    redact_policy_free(policy);
    return ok || fail(reading, line, "%s", why.text);
}

static bool take_patterns(struct reading *reading, const struct yaml_tree *node)
{
    struct config *config = reading->config;
    if (!want_kind(reading, node, YAML_TREE_LIST, "a list of {name, pattern}"))
        return false;
    config->redact_patterns = arena_alloc(config->arena,
                                          count(node) * sizeof *config->redact_patterns + 1);
    for (const struct yaml_tree *each = node->first; each; each = each->next)
        if (!fill_pattern(reading, each, &config->redact_patterns[config->redact_patterns_len++]) ||
            !try_patterns(reading, each->line))
            return false;
    return true;
}

static bool take_bool(struct reading *reading, const struct yaml_tree *node, bool *out)
{
    bool plain = node->kind == YAML_TREE_TEXT && node->plain;
    *out = plain && strcmp(node->text, "true") == 0;
    return *out || (plain && strcmp(node->text, "false") == 0) ||
           fail(reading, node->line, "'%s' takes true or false", node->name);
}

static bool take_redact(struct reading *reading, const struct yaml_tree *node)
{
    if (!want_kind(reading, node, YAML_TREE_MAPPING, "a mapping"))
        return false;
    for (const struct yaml_tree *each = node->first; each; each = each->next) {
        size_t i = place_of(each->name, redact_keys, ARRAY_LEN(redact_keys));
        if (i == ARRAY_LEN(redact_keys))
            return unknown(reading, each, " in 'redact'", redact_keys, ARRAY_LEN(redact_keys));
        bool ok = i == 0 ? take_bool(reading, each, &reading->config->redact_identities)
                         : take_patterns(reading, each);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- the table ---- */

static const struct key keys[] = {
    {"params", take_params},   {"plugin-path", take_plugin_path}, {"select", take_select},
    {"skip", take_skip},       {"fail-on", take_fail_on},         {"severity", take_severity},
    {"waivers", take_waivers}, {"redact", take_redact},
};

static bool take_key(struct reading *reading, const struct yaml_tree *node)
{
    const char *names[ARRAY_LEN(keys)];
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strcmp(keys[i].name, node->name) == 0)
            return keys[i].take(reading, node);
        names[i] = keys[i].name;
    }
    return unknown(reading, node, "", names, ARRAY_LEN(names));
}

bool config_keys_read(struct config *config, const struct yaml_tree *root, const char *today,
                      struct err *err)
{
    struct reading reading = {config, today, err};
    if (root->kind != YAML_TREE_MAPPING)
        return fail(&reading, root->line, "a configuration is a mapping, not %s", kind_name(root));
    for (const struct yaml_tree *each = root->first; each; each = each->next)
        if (!take_key(&reading, each))
            return false;
    return true;
}
