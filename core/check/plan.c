/* Stage: check. Reads the registry and what the user selected; writes which checks run, with which
 * parameters, and what evidence and patterns they need. Deliberately gathers and runs nothing. */
#include "check/plan.h"

#include "base/alloc.h"
#include "base/str.h"
#include "check/metadata.h"
#include "check/params.h"

#include <stdlib.h>
#include <string.h>

struct candidates {
    const struct check_meta **items;
    bool *selected, *without; /* with the configuration, without it */
    size_t len;
};

/* ---- what there is to select from ---- */

static bool has_id(const struct candidates *all, const char *id)
{
    for (size_t i = 0; i < all->len; i++)
        if (strcmp(all->items[i]->id, id) == 0)
            return true;
    return false;
}

/* What a refused plugin is called: its name; when another one has it, that of its file, or NAME/refused
 * (a broken copy of a section that is there as well). */
static const char *refused_name(struct plan *plan, const struct plugin *plugin,
                                const struct candidates *all)
{
    const char *slash = strrchr(plugin->path, '/'), *file = slash ? slash + 1 : plugin->path;
    const char *stem = arena_strndup(plan->arena, file, strcspn(file, "."));
    const char *const names[] = {
        plugin->name, stem,
        arena_printf(plan->arena, "%.*s/refused", (int)strcspn(plugin->name, "/"), plugin->name)};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (metadata_is_check_id(names[i]) && !has_id(all, names[i]))
            return names[i];
    return NULL;
}

/* A refused plugin as a check that can say nothing but why. NULL: a check of another has its name. */
static const struct check_meta *refused_meta(struct plan *plan, const struct plugin *plugin,
                                             const struct candidates *all)
{
    static const char *const none[] = {NULL};
    bool silent = !plugin->refused ||
                  plugin->redundant; /* its checks are asked, one way or another */
    const char *name = silent ? NULL : refused_name(plan, plugin, all);
    if (!name)
        return NULL;
    struct check_meta *meta = arena_alloc(plan->arena, sizeof *meta);
    meta->id = name;
    meta->section = arena_strndup(plan->arena, name, strcspn(name, "/"));
    meta->title = arena_printf(plan->arena, "can '%s' be used?", plugin->path);
    meta->plugin = plugin;
    meta->tags = none;
    return meta;
}

static int by_id(const void *a, const void *b)
{
    const struct check_meta *const *left = a, *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

static struct candidates find_candidates(struct plan *plan)
{
    const struct registry *registry = plan->registry;
    size_t most = registry->checks_len + registry->plugins_len + 1;
    struct candidates all = {.items = arena_alloc(plan->arena, most * sizeof *all.items),
                             .selected = arena_alloc(plan->arena, most),
                             .without = arena_alloc(plan->arena, most)};
    for (size_t i = 0; i < registry->checks_len; i++)
        all.items[all.len++] = &registry->checks[i];
    for (size_t i = 0; i < registry->plugins_len; i++) {
        const struct check_meta *meta = refused_meta(plan, &registry->plugins[i], &all);
        if (meta)
            all.items[all.len++] = meta;
    }
    qsort(all.items, all.len, sizeof *all.items, by_id);
    return all;
}

/* ---- selecting ---- */

static bool item_matches(const char *item, const struct check_meta *meta)
{
    if (!str_starts(item, "tag:"))
        return str_glob(item, meta->id) || strcmp(item, meta->section) == 0;
    for (const char *const *tag = meta->tags; *tag; tag++)
        if (str_glob(item + strlen("tag:"), *tag))
            return true;
    return false;
}

/* Sets `selected` to VALUE for what LIST names; ORIGIN is who says so. */
static bool apply_list(struct candidates *all, const char *list, bool value, const char *origin,
                       struct err *err)
{
    while (*list) {
        size_t len = strcspn(list, ",");
        char *item = xstrndup(list, len);
        bool matched = len == 0;
        for (size_t i = 0; i < all->len; i++) {
            if (len && item_matches(item, all->items[i])) {
                all->selected[i] = value;
                matched = true;
            }
        }
        if (!matched)
            err_set(err, "no check matches '%s' of %s; 'debrief list' shows them", item, origin);
        free(item);
        if (!matched)
            return false;
        list += len + (list[len] == ',');
    }
    return true;
}

/* The list of the configuration, under the name that errors give it. */
static bool apply_configured(struct candidates *all, const struct config *config, const char *list,
                             size_t line, const char *key, bool value, struct err *err)
{
    char *origin = xasprintf("'%s' in %s:%zu", key, config->path, line);
    bool ok = apply_list(all, list, value, origin, err);
    free(origin);
    return ok;
}

/* The command line's list, else the configuration's. */
static bool apply_either(struct candidates *all, const struct plan_options *options, bool value,
                         struct err *err)
{
    const struct config *config = options->config;
    const char *given = value ? options->select : options->skip;
    if (given)
        return !*given || apply_list(all, given, value, value ? "--select" : "--skip", err);
    if (config && value && config->select)
        return apply_configured(all, config, config->select, config->select_line, "select", true,
                                err);
    return !config || value || !config->skip ||
           apply_configured(all, config, config->skip, config->skip_line, "skip", false, err);
}

static bool select_checks(struct candidates *all, const struct plan_options *options,
                          struct err *err)
{
    bool narrowed = options->select ? *options->select : options->config && options->config->select;
    memset(all->selected, !narrowed, all->len);
    return apply_either(all, options, true, err) && apply_either(all, options, false, err);
}

/* Selects, and notes in `without` what the command line alone would have selected. */
static bool select_both(struct candidates *all, const struct plan_options *options, struct err *err)
{
    struct plan_options alone = *options;
    alone.config = NULL;
    if (!select_checks(all, &alone, err))
        return false;
    memcpy(all->without, all->selected, all->len);
    return !options->config || select_checks(all, options, err);
}

/* Who reads "nothing wrong found" must be able to see what a file, not he, took out of the question. */
static void note_left_out(struct plan *plan, const struct candidates *all)
{
    plan->left_out = arena_alloc(plan->arena, (all->len + 1) * sizeof *plan->left_out);
    for (size_t i = 0; i < all->len; i++)
        if (all->without[i] && !all->selected[i])
            plan->left_out[plan->left_out_len++] = all->items[i]->id;
}

static void take_selected(struct plan *plan, const struct candidates *all)
{
    plan->checks = arena_alloc(plan->arena, (all->len + 1) * sizeof *plan->checks);
    for (size_t i = 0; i < all->len; i++) {
        const struct check_meta *meta = all->items[i];
        if (!all->selected[i])
            continue;
        struct plan_check *check = &plan->checks[plan->checks_len++];
        check->meta = meta;
        check->refused = meta->plugin->refused;
        check->params = arena_alloc(plan->arena, (meta->params_len + 1) * sizeof *check->params);
        for (size_t j = 0; j < meta->params_len; j++)
            check->params[j] = meta->params[j].dflt;
    }
}

/* ---- parameters ---- */

static struct plan_check *find_check(const struct plan *plan, const char *id, size_t len)
{
    for (size_t i = 0; i < plan->checks_len; i++)
        if (strncmp(plan->checks[i].meta->id, id, len) == 0 && !plan->checks[i].meta->id[len])
            return &plan->checks[i];
    return NULL;
}

static bool put_param(struct plan *plan, struct plan_check *check, size_t index, const char *value,
                      struct err *err)
{
    check->params[index] = arena_strdup(plan->arena, value);
    return params_valid(check->meta->params[index].type, value, err);
}

/* "CHECK.NAME=VALUE": no check's id holds a dot. */
static bool set_param(struct plan *plan, const char *text, struct err *err)
{
    const char *dot = strchr(text, '.'), *equal = dot ? strchr(dot, '=') : NULL;
    if (!equal)
        return err_set(err, "parameter '%s' is not of the form CHECK.NAME=VALUE", text);
    struct plan_check *check = find_check(plan, text, (size_t)(dot - text));
    if (!check)
        return err_set(err, "parameter '%s' is for no selected check", text);
    for (size_t i = 0; i < check->meta->params_len; i++) {
        const struct check_param *param = &check->meta->params[i];
        size_t len = (size_t)(equal - dot - 1);
        if (strncmp(param->name, dot + 1, len) != 0 || param->name[len])
            continue;
        return put_param(plan, check, i, equal + 1, err) || err_prefix(err, "parameter '%s'", text);
    }
    return err_set(err, "check '%s' has no such parameter as in '%s'", check->meta->id, text);
}

static int param_index(const struct check_meta *meta, const char *name)
{
    for (size_t i = 0; i < meta->params_len; i++)
        if (strcmp(meta->params[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* A parameter of the configuration may be for a check that is not selected this time. */
static bool set_configured(struct plan *plan, const struct config_param *param, struct err *err)
{
    const struct check_meta *meta = registry_check(plan->registry, param->check);
    if (!meta)
        return err_set(err, "no check has the id '%s'; 'debrief list' shows them", param->check);
    int index = param_index(meta, param->name);
    if (index < 0)
        return err_set(err, "check '%s' has no parameter '%s'; 'debrief explain %s' shows them",
                       meta->id, param->name, meta->id);
    struct plan_check *check = find_check(plan, meta->id, strlen(meta->id));
    if (check)
        return put_param(plan, check, (size_t)index, param->value, err);
    return params_valid(meta->params[index].type, param->value, err);
}

static bool set_all_configured(struct plan *plan, const struct config *config, struct err *err)
{
    for (size_t i = 0; config && i < config->params_len; i++)
        if (!set_configured(plan, &config->params[i], err))
            return err_prefix(err, "%s:%zu", config->path, config->params[i].line);
    return true;
}

static bool set_params(struct plan *plan, const struct plan_options *options, struct err *err)
{
    if (!set_all_configured(plan, options->config, err))
        return false;
    for (size_t i = 0; i < options->params_len; i++)
        if (!set_param(plan, options->params[i], err))
            return false;
    return true;
}

/* ---- what the checks need ---- */

static void add_needs(struct plan *plan)
{
    need_set_init(&plan->needs);
    for (size_t i = 0; i < plan->checks_len; i++) {
        const struct check_meta *meta = plan->checks[i].meta;
        need_set_begin(&plan->needs);
        for (size_t j = 0; j < meta->needs_len; j++)
            need_set_add(&plan->needs, &meta->needs[j]);
        for (size_t j = 0; j < meta->events_len; j++) {
            struct need_term term = {.name = meta->events[j].evidence};
            need_set_add(&plan->needs,
                         &(struct need){.optional = true, .terms = &term, .terms_len = 1});
        }
    }
}

static size_t count_events(const struct plan *plan)
{
    size_t len = 0;
    for (size_t i = 0; i < plan->checks_len; i++)
        len += plan->checks[i].meta->events_len;
    return len;
}

static void add_patterns(struct plan *plan)
{
    size_t builtin_len;
    const struct scan_pattern *builtin = scan_builtin(&builtin_len);
    size_t most = builtin_len + count_events(plan) + 1;
    plan->patterns = arena_alloc(plan->arena, most * sizeof *plan->patterns);
    for (size_t i = 0; i < builtin_len; i++)
        if (need_set_wants(&plan->needs, builtin[i].event, NULL))
            plan->patterns[plan->patterns_len++] = builtin[i];
    for (size_t i = 0; i < plan->checks_len; i++) {
        const struct check_meta *meta = plan->checks[i].meta;
        for (size_t j = 0; j < meta->events_len; j++)
            plan->patterns[plan->patterns_len++] = (struct scan_pattern){
                .event = meta->events[j].evidence,
                .pattern = meta->events[j].pattern,
                .caseless = meta->events[j].caseless};
    }
}

bool plan_make(struct plan *plan, const struct registry *registry,
               const struct plan_options *options, struct err *err)
{
    *plan = (struct plan){.arena = arena_new(), .registry = registry, .config = options->config};
    struct candidates all = find_candidates(plan);
    if (!select_both(&all, options, err)) {
        plan_release(plan);
        return false;
    }
    take_selected(plan, &all);
    note_left_out(plan, &all);
    if (!set_params(plan, options, err)) {
        plan_release(plan);
        return false;
    }
    add_needs(plan);
    add_patterns(plan);
    return true;
}

void plan_release(struct plan *plan)
{
    need_set_release(&plan->needs);
    arena_free(plan->arena);
    *plan = (struct plan){0};
}
