/* Command: lint. Reads section folders and says where they break the rules: code that is refused, manual
 * and findings that differ, checks without the cases that every check must have. */
#include "base/alloc.h"
#include "check/registry.h"
#include "cli/cli.h"
#include "cli/expect.h"
#include "cli/manual.h"
#include "cli/sections.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lint { /* of one section */
    const struct section *section;
    const struct registry *registry;
    const struct options *options;
    struct manual manual;
    cJSON **expects; /* of its cases; NULL where unreadable */
    size_t problems;
};

__attribute__((format(printf, 2, 3))) static void problem(struct lint *lint, const char *format,
                                                          ...)
{
    va_list args;
    printf("%s", lint->section->dir);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    lint->problems++;
}

static bool lies_in(const char *path, const char *dir)
{
    char *real = realpath(path, NULL);
    size_t len = strlen(dir);
    const char *at = real ? real : path;
    bool inside = strncmp(at, dir, len) == 0 && at[len] == '/' && !strchr(at + len + 1, '/');
    free(real);
    return inside;
}

/* A section in C may be built elsewhere: then its name tells. */
static bool is_own(const struct lint *lint, const struct check_meta *meta)
{
    return lies_in(meta->plugin->path, lint->section->real) ||
           strcmp(meta->section, lint->section->name) == 0;
}

static void lint_plugins(struct lint *lint)
{
    for (size_t i = 0; i < lint->registry->plugins_len; i++) {
        const struct plugin *plugin = &lint->registry->plugins[i];
        if (plugin->refused && lies_in(plugin->path, lint->section->real))
            problem(lint, ": not used: %s", plugin->refused);
    }
}

static void lint_finding(struct lint *lint, const struct check_meta *meta,
                         const struct check_finding *finding)
{
    const char *dot = strchr(finding->id, '.');
    size_t len = strlen(meta->section);
    if (!dot || (size_t)(dot - finding->id) != len || strncmp(finding->id, meta->section, len) != 0)
        problem(lint, ": finding '%s' of check '%s' does not begin with '%s.'", finding->id,
                meta->id, meta->section);
    const struct manual_heading *heading = manual_find(&lint->manual, finding->id);
    if (!heading)
        problem(lint, "/README.md: no heading for '%s'", finding->id);
    else if (strspn(heading->body, " \t\r\n") >= heading->body_len)
        problem(lint, "/README.md:%zu: nothing is said about '%s'", heading->line, finding->id);
}

static bool is_declared(const struct lint *lint, const char *id)
{
    for (size_t i = 0; i < lint->registry->checks_len; i++) {
        const struct check_meta *meta = &lint->registry->checks[i];
        for (size_t j = 0; is_own(lint, meta) && j < meta->findings_len; j++)
            if (strcmp(meta->findings[j].id, id) == 0)
                return true;
    }
    return false;
}

static void lint_manual(struct lint *lint)
{
    for (size_t i = 0; i < lint->manual.len; i++) {
        const struct manual_heading *heading = &lint->manual.headings[i];
        if (!is_declared(lint, heading->id))
            problem(lint, "/README.md:%zu: no check declares '%s'", heading->line, heading->id);
        if (manual_find(&lint->manual, heading->id) != heading)
            problem(lint, "/README.md:%zu: '%s' has a heading already", heading->line, heading->id);
    }
}

static bool fires_in(const struct check_meta *meta, const cJSON *expect)
{
    for (size_t i = 0; i < meta->findings_len; i++)
        if (expect_has(expect, "top", meta->findings[i].id))
            return true;
    return false;
}

static bool is_quiet_in(const struct check_meta *meta, const cJSON *expect)
{
    return expect && cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(expect, "top")) == 0 &&
           !expect_has(expect, "skip", meta->id);
}

/* A check whose needs are all optional can never lack evidence. */
static bool can_lack_evidence(const struct check_meta *meta)
{
    for (size_t i = 0; i < meta->needs_len; i++)
        if (!meta->needs[i].optional)
            return true;
    return false;
}

static void lint_cases(struct lint *lint, const struct check_meta *meta)
{
    bool fires = false, quiet = false, missing = false;
    for (size_t i = 0; i < lint->section->cases_len; i++) {
        const cJSON *expect = lint->expects[i];
        fires |= fires_in(meta, expect);
        quiet |= is_quiet_in(meta, expect);
        missing |= expect_has(expect, "skip", meta->id);
    }
    if (!fires && meta->findings_len)
        problem(lint, "/cases: no case where '%s' fires (its finding in \"top\")", meta->id);
    if (!quiet)
        problem(lint, "/cases: no healthy case for '%s' (\"top\": [])", meta->id);
    if (!missing && can_lack_evidence(meta))
        problem(lint, "/cases: no case where evidence for '%s' is missing (\"skip\": [\"%s\"])",
                meta->id, meta->id);
}

static void load_cases(struct lint *lint)
{
    lint->expects = xcalloc(lint->section->cases_len + 1, sizeof *lint->expects);
    for (size_t i = 0; i < lint->section->cases_len; i++) {
        struct err err = ERR_INIT;
        char *path = xasprintf("%s/expect.json", lint->section->cases[i]);
        lint->expects[i] = expect_load(path, &err);
        if (!lint->expects[i])
            problem(lint, "/cases: %s", err.text);
        free(path);
    }
}

static void lint_checks(struct lint *lint)
{
    size_t checks = 0;
    for (size_t i = 0; i < lint->registry->checks_len; i++) {
        const struct check_meta *meta = &lint->registry->checks[i];
        if (!is_own(lint, meta))
            continue;
        checks++;
        for (size_t j = 0; j < meta->findings_len; j++)
            lint_finding(lint, meta, &meta->findings[j]);
        lint_cases(lint, meta);
    }
    if (!checks)
        problem(lint, ": no check of this section could be loaded");
}

static size_t lint_section(const struct section *section, const struct registry *registry,
                           const struct options *options)
{
    struct lint lint = {.section = section, .registry = registry, .options = options};
    struct err err = ERR_INIT;
    char *path = xasprintf("%s/README.md", section->dir);
    if (!manual_load(&lint.manual, path, &err))
        problem(&lint, ": %s", err.text);
    lint_plugins(&lint);
    load_cases(&lint);
    lint_checks(&lint);
    lint_manual(&lint);
    if (!lint.problems && !options->quiet)
        printf("%s: well\n", section->dir);
    for (size_t i = 0; i < section->cases_len; i++)
        cJSON_Delete(lint.expects[i]);
    free(lint.expects);
    manual_release(&lint.manual);
    free(path);
    return lint.problems;
}

/* The sections themselves come first, so that they win over installed copies. */
static bool load(struct registry *registry, const struct sections *sections,
                 const struct options *options, struct err *err)
{
    struct arena *arena = arena_new();
    size_t others, len = 0;
    const char *const *dirs = registry_dirs(arena, options->plugin_path.items,
                                            options->plugin_path.len, &others);
    const char **all = arena_alloc(arena, (sections->len + others + 1) * sizeof *all);
    for (size_t i = 0; i < sections->len; i++)
        all[len++] = sections->items[i].real;
    for (size_t i = 0; i < others; i++)
        all[len++] = dirs[i];
    bool ok = registry_load(registry, all, len, err);
    arena_free(arena);
    return ok;
}

static int lint_sections(const struct sections *sections, const struct options *options)
{
    struct registry registry;
    struct err err = ERR_INIT;
    size_t problems = 0;
    for (size_t i = 0; i < sections->len; i++)
        if (!sections_build(&sections->items[i], &err)) {
            cli_warn("%s", err.text);
            problems++;
        }
    if (!load(&registry, sections, options, &err))
        return cli_usage(&err);
    for (size_t i = 0; i < sections->len; i++)
        problems += lint_section(&sections->items[i], &registry, options);
    printf("%zu section%s, %zu problem%s\n", sections->len, sections->len == 1 ? "" : "s", problems,
           problems == 1 ? "" : "s");
    registry_release(&registry);
    return problems ? STATUS_ERRORS : STATUS_OK;
}

int lint_command(const struct options *options)
{
    struct sections sections;
    struct err err = ERR_INIT;
    if (!sections_find(&sections, options->operands.items, options->operands.len, &err))
        return cli_usage(&err);
    int status = lint_sections(&sections, options);
    sections_release(&sections);
    return status;
}
