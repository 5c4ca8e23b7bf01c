/* Stage: report. Renders a comparison for people: target by target what is new, worse, better and gone.
 * Reads the debrief.diff/1 document only. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/diff.h"
#include "report/document.h"
#include "report/layout.h"
#include "report/match.h"
#include "report/text_finding.h"
#include "report/text_policy.h"
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX (64u << 10)

struct keyed { /* a row of the document, by its target */
    const char *target;
    const cJSON *row;
    size_t index;
};

struct rows {
    struct keyed *items; /* sorted by target; within one in the order of the document */
    size_t len;
};

static int by_target(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    int order = strcmp(a->target, b->target);
    return order ? order : a->index < b->index ? -1 : 1;
}

static struct rows sort_rows(const cJSON *array)
{
    const cJSON *row;
    struct rows rows = {xcalloc((size_t)cJSON_GetArraySize(array) + 1, sizeof *rows.items), 0};
    cJSON_ArrayForEach (row, array) {
        rows.items[rows.len] = (struct keyed){document_str(row, "target", ""), row, rows.len};
        rows.len++;
    }
    qsort(rows.items, rows.len, sizeof *rows.items, by_target);
    return rows;
}

/* The rows about TARGET, from *AT on, which moves behind them. */
static struct rows rows_of(const struct rows *all, const char *target, size_t *at)
{
    while (*at < all->len && strcmp(all->items[*at].target, target) < 0)
        (*at)++;
    struct rows own = {all->items + *at, 0};
    while (*at < all->len && strcmp(all->items[*at].target, target) == 0) {
        (*at)++;
        own.len++;
    }
    return own;
}

static size_t count_change(const struct rows *rows, const char *change)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->len; i++)
        count += str_equal(json_str(rows->items[i].row, "change"), change);
    return count;
}

/* ---- one finding ---- */

static void write_field(const struct layout *layout, const char *label, struct buf *text)
{
    if (text->len)
        layout_field(layout, 6, label, buf_str(text));
    buf_clear(text);
}

static void add_was(struct buf *text, const cJSON *row)
{
    const char *severity = json_str(row, "was.severity"), *state = json_str(row, "was.state"),
               *message = json_str(row, "was.message");
    if (!json_at(row, "was"))
        return;
    buf_adds(text, severity ? severity : "?");
    if (state && !str_equal(state, json_str(row, "finding.state")))
        buf_addf(text, ", %s", str_equal(state, "before") ? "over then" : state);
    if (str_equal(json_str(row, "was.waiver.state"), "active"))
        buf_adds(text, ", waived");
    if (message && !str_equal(message, json_str(row, "finding.message")))
        buf_addf(text, ": %s", message);
}

static void write_finding(const struct layout *layout, const cJSON *row)
{
    const cJSON *finding = json_at(row, "finding");
    enum glyph glyph = text_finding_glyph(json_str(finding, "severity"));
    struct buf text;
    buf_init(&text, FIELD_MAX);
    buf_addf(&text, "%s [%s]", document_str(finding, "title", ""),
             document_str(finding, "id", "?"));
    layout_item(layout, 4, layout_glyph(layout, glyph), layout_ink(glyph), 6, buf_str(&text));
    buf_clear(&text);
    buf_adds(&text, document_str(finding, "message", ""));
    write_field(layout, "what", &text);
    text_finding_when(&text, finding);
    write_field(layout, "when", &text);
    add_was(&text, row);
    write_field(layout, "was", &text);
    text_policy_waiver(&text, finding);
    write_field(layout, "waiver", &text);
    buf_release(&text);
}

/* ---- one target ---- */

static void write_change(const struct layout *layout, const struct rows *rows,
                         enum match_change change)
{
    const char *name = match_name(change);
    if (!count_change(rows, name))
        return;
    buf_adds(layout->out, "  ");
    layout_paint(layout, INK_BOLD, name);
    buf_addch(layout->out, '\n');
    for (size_t i = 0; i < rows->len; i++)
        if (str_equal(json_str(rows->items[i].row, "change"), name))
            write_finding(layout, rows->items[i].row);
}

static void write_heading(const struct layout *layout, const cJSON *target)
{
    const char *old = json_str(target, "old"), *new = json_str(target, "new"),
               *other = json_str(target, "old_target");
    struct buf text;
    buf_init(&text, FIELD_MAX);
    buf_addf(&text, "%s: ", document_str(target, "target", "?"));
    if (old && new)
        buf_addf(&text, str_equal(old, new) ? "%s as before" : "%s, before: %s", new, old);
    else
        buf_addf(&text, "%s, %s",
                 new   ? new
                 : old ? old
                       : "unknown",
                 new ? "not in the earlier report" : "not in the later report");
    if (other)
        buf_addf(&text, " (%s)", other);
    layout_item(layout, 0, "", INK_PLAIN, 2, buf_str(&text));
    buf_release(&text);
}

/* Whether there is more to say of a target than that all is as it was. */
static bool has_news(const struct rows *rows, const cJSON *target)
{
    return count_change(rows, match_name(MATCH_UNCHANGED)) < rows->len ||
           !str_equal(json_str(target, "old"), json_str(target, "new"));
}

static void write_target(const struct layout *layout, const struct rows *rows, const cJSON *target)
{
    write_heading(layout, target);
    for (int change = 0; change < MATCH_UNCHANGED; change++)
        write_change(layout, rows, (enum match_change)change);
    if (layout->style->verbose)
        write_change(layout, rows, MATCH_UNCHANGED);
    buf_addch(layout->out, '\n');
}

static void write_targets(const struct layout *layout, const cJSON *document)
{
    struct rows targets = sort_rows(json_at(document, "targets"));
    struct rows findings = sort_rows(json_at(document, "findings"));
    size_t at = 0, silent = 0;
    for (size_t i = 0; i < targets.len; i++) {
        const cJSON *target = targets.items[i].row;
        struct rows own = rows_of(&findings, targets.items[i].target, &at);
        if (has_news(&own, target) || layout->style->verbose)
            write_target(layout, &own, target);
        else
            silent++;
    }
    if (silent && targets.len > 1)
        buf_addf(layout->out, "%zu of %zu targets without a change\n", silent, targets.len);
    free(targets.items);
    free(findings.items);
}

bool diff_text(struct buf *out, const cJSON *document, const struct report_style *style,
               struct err *err)
{
    const struct layout layout = {out, style};
    if (!style->quiet)
        write_targets(&layout, document);
    diff_total(out, document);
    return !out->overflow || err_set(err, "the comparison is larger than %zu MB", out->max >> 20);
}
