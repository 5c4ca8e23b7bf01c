/* Command: explain. Writes what is known about a finding id (metadata and its heading in the section's
 * manual) or a check (what it needs, finds and can be told). Reads the registry and README files. */
#include "base/alloc.h"
#include "base/str.h"
#include "base/suggest.h"
#include "cli/cli.h"
#include "cli/manual.h"
#include "cli/output.h"
#include "cli/session.h"
#include "debrief/plugin.h"
#include "evidence/dictionary.h"
#include "finding/ways.h"
#include "report/layout.h"
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (4u << 20)

static const char *severity_name(int severity)
{
    if (severity == DEBRIEF_ERROR)
        return "error";
    return severity == DEBRIEF_WARNING ? "warning" : "info";
}

static char *manual_path(const struct check_meta *meta)
{
    const char *slash = strrchr(meta->plugin->path, '/');
    int len = slash ? (int)(slash - meta->plugin->path) : 1;
    return xasprintf("%.*s/README.md", len, slash ? meta->plugin->path : ".");
}

/* LINE without the marks of bold text. */
static void remove_bold(char *line)
{
    for (char *open = line, *close; (open = strstr(open, "**")); open = close - 2) {
        close = strstr(open + 2, "**");
        if (!close || close == open + 2)
            return;
        memmove(close, close + 2, strlen(close + 2) + 1);
        memmove(open, open + 2, strlen(open + 2) + 1);
    }
}

/* Columns of the mark that makes a list item of LINE: "- ", "12. "; 0: it is none. */
static int item_mark(const char *line)
{
    size_t digits = strspn(line, "0123456789");
    if (digits && digits < 4 && str_starts(line + digits, ". "))
        return (int)digits + 2;
    return str_starts(line, "- ") || str_starts(line, "* ") ? 2 : 0;
}

/* What was gathered of a paragraph, wrapped at the width; it is empty then. */
static void end_paragraph(const struct layout *layout, struct buf *text)
{
    if (text->len)
        layout_item(layout, 0, "", INK_PLAIN, item_mark(buf_str(text)), buf_str(text));
    buf_clear(text);
}

/* A line of a table or of code keeps its blanks; one of a paragraph joins those before it. */
static void add_line(const struct layout *layout, struct buf *text, char *line)
{
    bool stays = *line == '|' || str_starts(line, "    ");
    remove_bold(line);
    if (stays || item_mark(line))
        end_paragraph(layout, text);
    if (stays) {
        layout_verbatim(layout, 0, "", line);
        return;
    }
    buf_addf(text, "%s%s", text->len ? " " : "", line + strspn(line, " "));
}

/* Markdown is written to be read as it is; only fences go, their content is indented instead, and the
 * marks of bold text. Paragraphs are wrapped anew: a manual is wider than many a terminal. */
static void write_markdown(const struct layout *layout, const char *text, size_t len)
{
    bool fenced = false;
    struct buf paragraph;
    char *copy = xstrndup(text, len), *rest = copy, *line;
    buf_init(&paragraph, TEXT_MAX);
    while ((line = strsep(&rest, "\n"))) {
        bool fence = str_starts(line, "```");
        if (fence || !*line)
            end_paragraph(layout, &paragraph);
        if (fence)
            fenced = !fenced;
        else if (!*line && rest)
            buf_addch(layout->out, '\n');
        else if (fenced)
            layout_verbatim(layout, 4, "", line);
        else if (*line)
            add_line(layout, &paragraph, line);
    }
    end_paragraph(layout, &paragraph);
    buf_release(&paragraph);
    free(copy);
}

static void write_list(const struct layout *layout, const char *label, const char *const *items)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; items && items[i]; i++)
        buf_addf(&text, "%s%s", i ? ", " : "", items[i]);
    if (text.len)
        layout_field(layout, 0, label, buf_str(&text));
    buf_release(&text);
}

static void write_effects(const struct layout *layout, const struct registry *registry,
                          const char *const *ids)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; ids && ids[i]; i++)
        buf_addf(&text, "%s%s%s", i ? ", " : "", ids[i],
                 registry_finding(registry, ids[i], NULL) ? "" : " (not installed)");
    if (text.len)
        layout_item(layout, 0, "can cause ", INK_DIM, LAYOUT_LABEL, buf_str(&text));
    buf_release(&text);
}

/* The section's words on the finding, and an empty line behind them. */
static void write_heading(const struct layout *layout, const struct manual_heading *heading)
{
    const char *body = heading->body + strspn(heading->body, "\n");
    size_t len = heading->body_len - (size_t)(body - heading->body);
    while (len && strchr("\n ", body[len - 1]))
        len--;
    write_markdown(layout, body, len);
    buf_addch(layout->out, '\n');
}

/* What the configuration makes of a finding ID: the severity that counts, and every waiver. */
static void write_policy(const struct layout *layout, const struct config *config, const char *id)
{
    bool ruled = false;
    for (size_t i = 0; config && i < config->severities_len; i++) {
        const struct config_severity *rule = &config->severities[i];
        if (ruled || !str_glob(rule->finding, id))
            continue;
        char *text = xasprintf("%s:%zu makes it %s %s", config->path, rule->line,
                               rule->severity == DEBRIEF_WARNING ? "a" : "an",
                               severity_name(rule->severity));
        layout_field(layout, 0, "policy", text);
        free(text);
        ruled = true;
    }
    for (size_t i = 0; config && i < config->waivers_len; i++) {
        const struct config_waiver *waiver = &config->waivers[i];
        if (!str_glob(waiver->finding, id))
            continue;
        char *text = xasprintf("%s:%zu waives it on %s until %s%s by %s: %s", config->path,
                               waiver->line, waiver->target, waiver->expires,
                               waiver->expired ? " (expired)" : "", waiver->owner, waiver->reason);
        layout_field(layout, 0, "policy", text);
        free(text);
    }
}

static void explain_finding(const struct layout *layout, const struct registry *registry,
                            const struct check_meta *meta, const struct check_finding *finding)
{
    struct manual manual;
    struct err err = ERR_INIT;
    char *path = manual_path(meta);
    const struct manual_heading *heading = NULL;
    char *title = xasprintf("%s (%s): %s", finding->id, severity_name(finding->worst),
                            finding->title);
    layout_item(layout, 0, "", INK_PLAIN, 2, title);
    buf_addch(layout->out, '\n');
    free(title);
    if (manual_load(&manual, path, &err))
        heading = manual_find(&manual, finding->id);
    if (heading)
        write_heading(layout, heading);
    else
        cli_warn("no manual: %s", err.text[0] ? err.text : path);
    write_effects(layout, registry, finding->explains);
    layout_field(layout, 0, "check", meta->id);
    layout_field(layout, 0, "from", meta->plugin->path);
    manual_release(&manual);
    free(path);
}

/* What the evidence is and how to get it: of each name once, and only where the check cannot do without. */
static void write_supply(const struct layout *layout, const struct check_meta *meta)
{
    const char *shown[32];
    size_t len = 0;
    for (size_t i = 0; i < meta->needs_len; i++) {
        const struct need *need = &meta->needs[i];
        for (size_t j = 0; !need->optional && j < need->terms_len; j++) {
            const struct dictionary_row *row = dictionary_find(need->terms[j].name);
            bool again = !row || len == ARRAY_LEN(shown);
            for (size_t k = 0; k < len; k++)
                again |= strcmp(shown[k], need->terms[j].name) == 0;
            if (again)
                continue;
            char *how = ways_text(row->how);
            char *text = xasprintf("%s: %s; to supply it: %s", row->name, row->meaning, how);
            free(how);
            layout_field(layout, 0, len ? NULL : "supply", text);
            free(text);
            shown[len++] = need->terms[j].name;
        }
    }
}

static void explain_check(const struct layout *layout, const struct check_meta *meta)
{
    char *title = xasprintf("%s: %s", meta->id, meta->title);
    layout_item(layout, 0, "", INK_PLAIN, 2, title);
    buf_addch(layout->out, '\n');
    free(title);
    for (size_t i = 0; i < meta->needs_len; i++)
        layout_field(layout, 0, i ? NULL : "needs", meta->needs[i].text);
    write_supply(layout, meta);
    for (size_t i = 0; i < meta->events_len; i++) {
        char *text = xasprintf("%s: %s", meta->events[i].name, meta->events[i].pattern);
        layout_field(layout, 0, i ? NULL : "events", text);
        free(text);
    }
    for (size_t i = 0; i < meta->findings_len; i++) {
        const struct check_finding *finding = &meta->findings[i];
        char *text = xasprintf("%s (%s): %s", finding->id, severity_name(finding->worst),
                               finding->title);
        layout_field(layout, 0, i ? NULL : "finds", text);
        free(text);
    }
    for (size_t i = 0; i < meta->params_len; i++) {
        const struct check_param *param = &meta->params[i];
        char *text = xasprintf("--param %s.%s=%s: %s", meta->id, param->name, param->dflt,
                               param->help);
        layout_field(layout, 0, i ? NULL : "params", text);
        free(text);
    }
    layout_field(layout, 0, "applies", meta->applies ? meta->applies : "any");
    write_list(layout, "tags", meta->tags);
    layout_field(layout, 0, "from", meta->plugin->path);
}

/* A section whose checks have names of their own: all of them. */
static bool explain_section(const struct layout *layout, const struct registry *registry,
                            const char *section)
{
    bool any = false;
    for (size_t i = 0; i < registry->checks_len; i++) {
        if (strcmp(registry->checks[i].section, section) != 0)
            continue;
        if (any)
            buf_addch(layout->out, '\n');
        explain_check(layout, &registry->checks[i]);
        any = true;
    }
    return any;
}

static bool explain(const struct layout *layout, const struct registry *registry,
                    const struct config *config, const char *id)
{
    const struct check_finding *finding;
    const struct check_meta *meta = registry_finding(registry, id, &finding);
    if (meta) {
        explain_finding(layout, registry, meta, finding);
        write_policy(layout, config, id);
        return true;
    }
    meta = registry_check(registry, id);
    if (meta && strcmp(meta->section, id) != 0) {
        explain_check(layout, meta);
        return true;
    }
    return explain_section(layout, registry, id);
}

static int unknown(const struct registry *registry, const char *id)
{
    struct suggest suggest;
    suggest_init(&suggest, id);
    for (size_t i = 0; i < registry->checks_len; i++) {
        suggest_offer(&suggest, registry->checks[i].id);
        for (size_t j = 0; j < registry->checks[i].findings_len; j++)
            suggest_offer(&suggest, registry->checks[i].findings[j].id);
    }
    char *list = suggest_text(&suggest);
    if (*list)
        cli_warn("no finding or check has the id '%s'; near it: %s", id, list);
    else
        cli_warn("no finding or check has the id '%s'; 'debrief list' shows all", id);
    free(list);
    return STATUS_USAGE;
}

static int with_registry(const struct registry *registry, const struct outputs *outputs,
                         const struct options *options)
{
    (void)outputs;
    struct buf bytes;
    struct err err = ERR_INIT;
    const struct output output = {NULL, NULL};
    struct report_style style = output_style(&output, options);
    const struct layout layout = {&bytes, &style};
    const char *id = options->operands.items[0];
    int status;
    buf_init(&bytes, TEXT_MAX);
    if (explain(&layout, registry, options->config, id))
        status = output_write(&output, &bytes, &err) ? STATUS_OK : cli_fail(&err);
    else
        status = unknown(registry, id);
    buf_release(&bytes);
    return status;
}

int explain_command(const struct options *options)
{
    return session_run(options, NULL, with_registry);
}
