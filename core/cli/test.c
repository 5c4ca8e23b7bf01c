/* Command: test. Runs the cases of sections: each one is this very program, asked to check the case's
 * evidence, and its report compared with expect.json. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "check/registry.h"
#include "cli/child.h"
#include "cli/cli.h"
#include "cli/expect.h"
#include "cli/sections.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CASE_LIMIT_MS 120000

struct trial { /* one case */
    const struct section *section;
    const char *dir;
    const struct options *options;
    cJSON *expect;
    struct err err; /* why it cannot be run */
};

/* In the child: becomes `debrief check EVIDENCE -o json`. */
static int become_check(void *user, int fd)
{
    const struct trial *trial = user;
    const struct text_list *paths = &trial->options->plugin_path;
    const char *now = json_str(trial->expect, "now"), *select = json_str(trial->expect, "select");
    const cJSON *params = json_at(trial->expect, "param"), *param;
    const char **arguments = xcalloc(paths->len * 2 + (size_t)cJSON_GetArraySize(params) + 9,
                                     sizeof *arguments);
    size_t len = 0;
    arguments[len++] = "debrief";
    arguments[len++] = "check";
    arguments[len++] = xasprintf("%s/evidence", trial->dir);
    arguments[len++] = "--output=json";
    arguments[len++] = "--plugin-path";
    arguments[len++] = xstrdup(trial->section->real);
    for (size_t i = 0; i < paths->len; i++) {
        arguments[len++] = "--plugin-path";
        arguments[len++] = paths->items[i];
    }
    if (select)
        arguments[len++] = xasprintf("--select=%s", select);
    cJSON_ArrayForEach (param, params)
        arguments[len++] = xasprintf("--param=%s", param->valuestring);
    if (now)
        setenv("DEBRIEF_NOW", now, 1);
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (dup2(fd, STDOUT_FILENO) < 0 || dup2(quiet, STDERR_FILENO) < 0)
        return STATUS_FAILED;
    execv("/proc/self/exe", (char *const *)arguments);
    return STATUS_FAILED;
}

static bool judge(const struct trial *trial, const struct child_job *job, struct buf *why)
{
    struct err err = ERR_INIT;
    cJSON *report = NULL;
    if (!trial->expect)
        buf_adds(why, trial->err.text);
    else if (job->status < 0)
        buf_addf(why, "debrief %s", job->trouble);
    else if (!(report = json_parse(buf_str(&job->out), job->out.len, &err)))
        buf_addf(why, "no report, exit status %d; try 'debrief check %s/evidence'", job->status,
                 trial->dir);
    else
        expect_met(trial->expect, report, job->status, why);
    cJSON_Delete(report);
    return !why->len;
}

static const char *case_name(const char *dir)
{
    const char *slash = strrchr(dir, '/');
    return slash ? slash + 1 : dir;
}

static size_t print_results(const struct trial *trials, struct child_job *jobs, size_t len)
{
    size_t failed = 0;
    for (size_t i = 0; i < len; i++) {
        struct buf why;
        buf_init(&why, 64u << 10);
        bool passed = judge(&trials[i], &jobs[i], &why);
        failed += !passed;
        if (!passed || !trials[i].options->quiet)
            printf("%s %s/%s%s%s\n", passed ? "passed" : "FAILED", trials[i].section->name,
                   case_name(trials[i].dir), passed ? "" : ": ", buf_str(&why));
        buf_release(&why);
    }
    return failed;
}

/* The section's own folder first, so that it wins over a built or installed copy. */
static bool load_registry(struct registry *registry, const struct section *section,
                          const struct options *options, struct err *err)
{
    struct arena *arena = arena_new();
    size_t others;
    const char *const *dirs = registry_dirs(arena, options->plugin_path.items,
                                            options->plugin_path.len, &others);
    const char **all = arena_alloc(arena, (others + 1) * sizeof *all);
    all[0] = section->real;
    for (size_t i = 0; i < others; i++)
        all[i + 1] = dirs[i];
    bool ok = registry_load(registry, all, others + 1, err);
    arena_free(arena);
    return ok;
}

/* Whether each file in the section's folder loads, and it has checks at all (code in C may have been
 * built elsewhere). */
static bool loads(const struct section *section, const struct options *options, struct err *err)
{
    struct registry registry;
    size_t checks = 0, len = strlen(section->real);
    if (!load_registry(&registry, section, options, err))
        return false;
    for (size_t i = 0; i < registry.plugins_len && !err->text[0]; i++) {
        const struct plugin *plugin = &registry.plugins[i];
        bool own = str_starts(plugin->path, section->real) && plugin->path[len] == '/';
        if (own && plugin->refused)
            err_set(err, "'%s' does not load: %s", plugin->path, plugin->refused);
    }
    for (size_t i = 0; i < registry.checks_len; i++)
        checks += strcmp(registry.checks[i].section, section->name) == 0;
    if (!checks && !err->text[0])
        err_set(err, "'%s' holds no check that could be loaded", section->dir);
    registry_release(&registry);
    return !err->text[0];
}

static void load_expect(struct trial *trial)
{
    if (trial->err.text[0])
        return; /* its section does not load */
    char *path = xasprintf("%s/expect.json", trial->dir);
    char *evidence = xasprintf("%s/evidence", trial->dir);
    trial->expect = expect_load(path, &trial->err);
    if (trial->expect && access(evidence, F_OK) != 0) {
        err_set(&trial->err, "no '%s'", evidence);
        cJSON_Delete(trial->expect);
        trial->expect = NULL;
    }
    free(evidence);
    free(path);
}

static int skip_trial(void *user, int fd)
{
    (void)user;
    (void)fd;
    return STATUS_FAILED;
}

static int run_trials(struct trial *trials, size_t len)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct child_job *jobs = xcalloc(len + 1, sizeof *jobs);
    for (size_t i = 0; i < len; i++) {
        load_expect(&trials[i]);
        jobs[i].work = trials[i].expect ? become_check : skip_trial;
        jobs[i].user = &trials[i];
    }
    bool done = child_run(jobs, len, processors > 1 ? (size_t)processors : 1, CASE_LIMIT_MS);
    size_t failed = done ? print_results(trials, jobs, len) : 0;
    for (size_t i = 0; i < len; i++) {
        buf_release(&jobs[i].out);
        cJSON_Delete(trials[i].expect);
    }
    free(jobs);
    if (!done)
        return STATUS_INTERRUPTED;
    printf("%zu passed, %zu failed\n", len - failed, failed);
    return failed || !len ? STATUS_ERRORS : STATUS_OK;
}

static int test_sections(const struct sections *sections, const struct options *options)
{
    size_t all = 0, len = 0;
    bool complete = true;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < sections->len; i++)
        all += sections->items[i].cases_len;
    struct trial *trials = xcalloc(all + 1, sizeof *trials);
    for (size_t i = 0; i < sections->len; i++) {
        const struct section *section = &sections->items[i];
        if (!section->cases_len)
            err_set(&err, "no cases in '%s'", section->dir);
        if (!section->cases_len || !sections_build(section, &err)) {
            cli_warn("%s", err.text);
            complete = false;
        }
        struct err unusable = ERR_INIT;
        loads(section, options, &unusable);
        for (size_t j = 0; j < section->cases_len; j++)
            trials[len++] = (struct trial){
                .section = section, .dir = section->cases[j], .options = options, .err = unusable};
    }
    int status = run_trials(trials, len);
    free(trials);
    return status == STATUS_OK && !complete ? STATUS_ERRORS : status;
}

int test_command(const struct options *options)
{
    struct sections sections;
    struct err err = ERR_INIT;
    if (!sections_find(&sections, options->operands.items, options->operands.len, &err))
        return cli_usage(&err);
    int status = test_sections(&sections, options);
    sections_release(&sections);
    return status;
}
