/* Command: new. Writes a section of the user's own from the template that was compiled in, with its name
 * in place of the template's. Overwrites nothing. */
#include "base/alloc.h"
#include "base/buf.h"
#include "check/registry.h"
#include "cli/cli.h"
#include "cli/new_templates.h"
#include "cli/session.h"
#include "source/tell.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TEMPLATE_NAME "my-section"
#define FILE_SIZE_MAX (1u << 20)

static bool is_section_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = strlen(name);
    return len && len <= 60 && strspn(name, letters) == len && name[0] >= 'a' &&
           name[len - 1] != '-' && !strstr(name, "--");
}

/* BYTES with the template's name replaced. */
static void fill(struct buf *out, const char *bytes, size_t len, const char *name)
{
    const char *end = bytes + len;
    const size_t own = strlen(TEMPLATE_NAME);
    while (bytes < end) {
        const char *at = memmem(bytes, (size_t)(end - bytes), TEMPLATE_NAME, own);
        if (!at) {
            buf_add(out, bytes, (size_t)(end - bytes));
            return;
        }
        buf_add(out, bytes, (size_t)(at - bytes));
        buf_adds(out, name);
        bytes = at + own;
    }
}

static bool make_parents(char *path, struct err *err)
{
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        bool ok = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (!ok)
            err_set(err, "cannot make the directory '%s': %s", path, strerror(errno));
        *at = '/';
        if (!ok)
            return false;
    }
    return true;
}

static bool write_file(char *path, const struct buf *bytes, struct err *err)
{
    if (!make_parents(path, err))
        return false;
    FILE *file = fopen(path, "wxe");
    if (!file)
        return err_set(err, "cannot write '%s': %s", path, strerror(errno));
    bool ok = fwrite(bytes->data, 1, bytes->len, file) == bytes->len;
    if (fclose(file) != 0 || !ok)
        return err_set(err, "cannot write '%s': %s", path, strerror(errno));
    return true;
}

static bool write_template(const struct new_template *template, const char *relative,
                           const char *dir, const char *name, struct err *err)
{
    struct buf bytes, path;
    buf_init(&bytes, FILE_SIZE_MAX);
    buf_init(&path, 64u << 10);
    buf_addf(&path, "%s/", dir);
    fill(&path, relative, strlen(relative), name);
    fill(&bytes, template->bytes, template->len, name);
    bool ok = write_file(path.data, &bytes, err);
    buf_release(&path);
    buf_release(&bytes);
    return ok;
}

static bool write_section(const char *dir, const char *name, const char *lang, struct err *err)
{
    for (const struct new_template *each = new_templates; each->name; each++) {
        const char *relative = strchr(each->name, '/') + 1;
        size_t folder = (size_t)(relative - each->name) - 1;
        bool taken = (strlen(lang) == folder && strncmp(each->name, lang, folder) == 0) ||
                     strncmp(each->name, "both/", 5) == 0;
        if (taken && !write_template(each, relative, dir, name, err))
            return false;
    }
    return true;
}

/* A section of the same name that is installed already would hide this one, or be hidden by it. */
static bool is_free(const struct options *options, const char *name, struct err *err)
{
    struct registry registry;
    struct err ignored = ERR_INIT;
    bool free_name = true;
    if (!session_registry(&registry, options, &ignored))
        return true;
    for (size_t i = 0; i < registry.checks_len && free_name; i++)
        if (strcmp(registry.checks[i].section, name) == 0)
            free_name = err_set(err, "a section '%s' is there already: '%s'", name,
                                registry.checks[i].plugin->path);
    registry_release(&registry);
    return free_name;
}

int new_command(const struct options *options)
{
    struct err err = ERR_INIT;
    const char *name = options->operands.items[0], *lang = options->lang == LANG_C ? "c" : "lua";
    if (!is_section_name(name)) {
        err_set(&err,
                "'%s' is no name for a section: small letters, digits and '-', as in 'site-ports'",
                name);
        return cli_usage(&err);
    }
    if (!is_free(options, name, &err))
        return cli_usage(&err);
    char *dir = xasprintf("%s/%s", options->dir ? options->dir : ".", name);
    struct stat facts;
    int status = STATUS_OK;
    if (lstat(dir, &facts) == 0) {
        err_set(&err, "'%s' exists already; nothing is overwritten", dir);
        status = cli_fail(&err);
    } else if (!write_section(dir, name, lang, &err)) {
        status = cli_fail(&err);
    } else {
        printf("%s\n", dir);
        tell("next: debrief lint %s && debrief test %s", dir, dir);
    }
    free(dir);
    return status;
}
