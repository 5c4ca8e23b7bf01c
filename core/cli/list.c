/* Commands: list and --version. Write what the registry holds: checks, plugins. */
#include "base/json.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/session.h"
#include "config.h"
#include "report/layout.h"
#include <string.h>

#define TEXT_MAX  (4u << 20)
#define TITLE_MAX 80 /* columns that longer titles do not push the others by */

static void add_needs(struct buf *out, const struct check_meta *meta)
{
    for (size_t i = 0; i < meta->needs_len; i++)
        buf_addf(out, "%s%s", i ? ", " : "", meta->needs[i].text);
}

static void add_findings(struct buf *out, const struct check_meta *meta)
{
    for (size_t i = 0; i < meta->findings_len; i++)
        buf_addf(out, "%s%s", i ? ", " : "", meta->findings[i].id);
}

static void write_field(const struct layout *layout, const char *label,
                        void (*add)(struct buf *, const struct check_meta *),
                        const struct check_meta *meta)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    add(&text, meta);
    layout_field(layout, 2, label, buf_str(&text));
    buf_release(&text);
}

struct widths { /* of the columns of the short list */
    int id, title, applies;
};

/* Of a check that does not say it, it is the same: anywhere. */
static const char *applies_of(const struct check_meta *meta)
{
    return meta->applies ? meta->applies : "any";
}

static int wider(int width, const char *text)
{
    int len = (int)strlen(text);
    return len > width ? len : width;
}

static struct widths widths_of(const struct plan *plan)
{
    struct widths widths = {0, 0, 0};
    for (size_t i = 0; i < plan->checks_len; i++) {
        widths.id = wider(widths.id, plan->checks[i].meta->id);
        widths.title = wider(widths.title, plan->checks[i].meta->title);
        widths.applies = wider(widths.applies, applies_of(plan->checks[i].meta));
    }
    if (widths.title > TITLE_MAX)
        widths.title = TITLE_MAX;
    return widths;
}

/* Title, where it applies, and origin, behind the id. */
static void write_row(const struct layout *layout, const struct check_meta *meta,
                      struct widths widths)
{
    struct buf title;
    buf_init(&title, TEXT_MAX);
    layout_clean(layout, &title, meta->title, false, 0);
    buf_addf(layout->out, "%*s%-*s  ", widths.id - (int)strlen(meta->id) + 2, "", widths.title,
             buf_str(&title));
    buf_addf(layout->out, "%-*s  ", widths.applies, applies_of(meta));
    layout_verbatim(layout, 0, "", meta->plugin->path);
    buf_release(&title);
}

static void write_text(struct buf *out, const struct plan *plan, const struct report_style *style)
{
    const struct layout layout = {out, style};
    struct widths widths = widths_of(plan);
    for (size_t i = 0; i < plan->checks_len; i++) {
        const struct check_meta *meta = plan->checks[i].meta;
        layout_paint(&layout, INK_BOLD, meta->id);
        if (!style->verbose) {
            write_row(&layout, meta, widths);
            continue;
        }
        buf_adds(out, "  ");
        layout_verbatim(&layout, 0, "", meta->title);
        write_field(&layout, "needs", add_needs, meta);
        write_field(&layout, "finds", add_findings, meta);
        layout_field(&layout, 2, "applies", applies_of(meta));
        layout_field(&layout, 2, "from", meta->plugin->path);
    }
}

static cJSON *row_of(const struct check_meta *meta)
{
    cJSON *row = cJSON_CreateObject();
    json_put_str(row, "id", meta->id);
    json_put_str(row, "section", meta->section);
    json_put_str(row, "title", meta->title);
    cJSON *needs = json_put_array(row, "needs");
    for (size_t i = 0; i < meta->needs_len; i++)
        cJSON_AddItemToArray(needs, cJSON_CreateString(meta->needs[i].text));
    cJSON *findings = json_put_array(row, "findings");
    for (size_t i = 0; i < meta->findings_len; i++)
        cJSON_AddItemToArray(findings, cJSON_CreateString(meta->findings[i].id));
    json_put_str(row, "origin", meta->plugin->path);
    json_put_str(row, "applies", meta->applies);
    return row;
}

static void write_json(struct buf *out, const struct plan *plan)
{
    cJSON *rows = cJSON_CreateArray();
    for (size_t i = 0; i < plan->checks_len; i++)
        cJSON_AddItemToArray(rows, row_of(plan->checks[i].meta));
    json_write(out, rows, true);
    buf_addch(out, '\n');
    cJSON_Delete(rows);
}

/* RFC 4180: in quotes when it must be. */
/* A spreadsheet takes a cell that begins so for a formula; behind an apostrophe it is a text. */
static bool is_formula(const char *text)
{
    return *text && strchr("=+-@\t\r", *text);
}

static void add_csv(struct buf *out, const char *text, char end)
{
    if (!strpbrk(text, ",\"\r\n") && !is_formula(text)) {
        buf_adds(out, text);
    } else {
        buf_adds(out, is_formula(text) ? "\"'" : "\"");
        for (; *text; text++)
            buf_adds(out, *text == '"' ? "\"\"" : (const char[]){*text, 0});
        buf_addch(out, '"');
    }
    buf_addch(out, end);
}

static void write_csv(struct buf *out, const struct plan *plan)
{
    buf_adds(out, "id,section,title,needs,findings,origin,applies\n");
    for (size_t i = 0; i < plan->checks_len; i++) {
        const struct check_meta *meta = plan->checks[i].meta;
        struct buf needs, findings;
        buf_init(&needs, TEXT_MAX);
        buf_init(&findings, TEXT_MAX);
        add_needs(&needs, meta);
        add_findings(&findings, meta);
        add_csv(out, meta->id, ',');
        add_csv(out, meta->section, ',');
        add_csv(out, meta->title, ',');
        add_csv(out, buf_str(&needs), ',');
        add_csv(out, buf_str(&findings), ',');
        add_csv(out, meta->plugin->path, ',');
        add_csv(out, meta->applies ? meta->applies : "", '\n');
        buf_release(&needs);
        buf_release(&findings);
    }
}

static bool write_list(const struct output *output, const struct plan *plan,
                       const struct options *options, struct err *err)
{
    struct buf bytes;
    struct report_style style = output_style(output, options);
    buf_init(&bytes, REPORT_SIZE_MAX);
    if (strcmp(output->format, "json") == 0)
        write_json(&bytes, plan);
    else if (strcmp(output->format, "csv") == 0)
        write_csv(&bytes, plan);
    else
        write_text(&bytes, plan, &style);
    bool ok = output_write(output, &bytes, err);
    buf_release(&bytes);
    return ok;
}

static int with_registry(const struct registry *registry, const struct outputs *outputs,
                         const struct options *options)
{
    struct plan plan;
    struct err err = ERR_INIT;
    int status = STATUS_OK;
    if (!session_plan(&plan, registry, options, &err))
        return cli_usage(&err);
    for (size_t i = 0; i < outputs->len && status == STATUS_OK; i++)
        if (!write_list(&outputs->items[i], &plan, options, &err))
            status = cli_fail(&err);
    plan_release(&plan);
    return status;
}

int list_command(const struct options *options)
{
    return session_run(options, "text, json, csv", with_registry);
}

static int write_versions(const struct registry *registry, const struct outputs *outputs,
                          const struct options *options)
{
    (void)outputs, (void)options;
    for (size_t i = 0; i < registry->plugins_len; i++) {
        const struct plugin *plugin = &registry->plugins[i];
        if (!plugin->refused)
            printf("%s %s %s\n", plugin->name, plugin->version, plugin->path);
    }
    return STATUS_OK;
}

int version_command(const struct options *options)
{
    printf("debrief %s\n", DEBRIEF_VERSION);
    return session_run(options, NULL, write_versions);
}
