/* Command: evidence. Writes evidence as text: an overview of names, or a table of records with the
 * columns that hold something. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/evidence_cell.h"
#include "cli/evidence_view.h"
#include "report/layout.h"
#include <stdlib.h>
#include <string.h>

#define CELL_WIDTH 60
#define OWN        2 /* columns before those of the evidence: place and time */

struct grid { /* of clean cells; NULL where nothing is known */
    char **cells;
    size_t rows, columns;
    const char **headers;
    int *widths; /* 0: nothing in that column */
};

static int columns_of(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void set_cell(const struct evidence_view *view, struct grid *grid, size_t column,
                     const char *text)
{
    const struct layout layout = {NULL, view->style};
    struct buf clean;
    char *cell = evidence_cell_clean(text, column >= OWN ? view->redact : NULL);
    buf_init(&clean, 1u << 20);
    layout_clean(&layout, &clean, cell, false, view->style->verbose ? 0 : CELL_WIDTH);
    free(cell);
    int width = columns_of(buf_str(&clean));
    if (width > grid->widths[column])
        grid->widths[column] = width;
    grid->cells[(grid->rows - 1) * grid->columns + column] = buf_take(&clean);
}

static void add_record(const struct evidence_view *view, struct grid *grid,
                       const struct record *record)
{
    char buf[32], time[CLOCK_TEXT_MAX];
    const char *locator = record_locator(record, buf);
    grid->rows++;
    grid->cells = xrealloc(grid->cells, grid->rows * grid->columns * sizeof *grid->cells);
    memset(grid->cells + (grid->rows - 1) * grid->columns, 0, grid->columns * sizeof *grid->cells);
    char *place = xasprintf("%s:%s", record->source->name,
                            strncmp(locator, "line ", 5) == 0 ? locator + 5 : locator);
    set_cell(view, grid, 0, place);
    free(place);
    if (record->time)
        set_cell(view, grid, 1, clock_text(record->time, time));
    for (size_t i = OWN; i < grid->columns; i++) {
        const char *text = record_text(record, grid->headers[i], buf);
        if (text)
            set_cell(view, grid, i, text);
    }
}

static void init_grid(struct grid *grid, const struct record *record)
{
    const char *const *columns = record_columns(record);
    *grid = (struct grid){.columns = OWN};
    while (columns[grid->columns - OWN])
        grid->columns++;
    grid->headers = xcalloc(grid->columns, sizeof *grid->headers);
    grid->widths = xcalloc(grid->columns, sizeof *grid->widths);
    grid->headers[0] = "place";
    grid->headers[1] = "time";
    for (size_t i = OWN; i < grid->columns; i++)
        grid->headers[i] = columns[i - OWN];
}

static void write_line(struct buf *out, const struct grid *grid, char *const *cells)
{
    size_t pending = 0;
    for (size_t i = 0; i < grid->columns; i++) {
        if (!grid->widths[i])
            continue;
        const char *text = cells[i] ? cells[i] : "";
        int width = columns_of(text), header = columns_of(grid->headers[i]);
        int column = grid->widths[i] > header ? grid->widths[i] : header;
        if (*text) {
            buf_addf(out, "%*s%s", (int)pending, "", text);
            pending = 0;
        } else {
            width = 0;
        }
        pending += (size_t)(column - width) + 2;
    }
    buf_addch(out, '\n');
}

static void release_grid(struct grid *grid)
{
    for (size_t i = 0; i < grid->rows * grid->columns; i++)
        free(grid->cells[i]);
    free(grid->cells);
    free(grid->headers);
    free(grid->widths);
}

static void write_table(const struct evidence_view *view, const struct record *record,
                        const char *name, struct buf *out)
{
    struct grid grid;
    init_grid(&grid, record);
    for (; record; record = evidence_next(view->evidence, name, record))
        add_record(view, &grid, record);
    write_line(out, &grid, (char *const *)grid.headers);
    for (size_t i = 0; i < grid.rows; i++)
        write_line(out, &grid, grid.cells + i * grid.columns);
    release_grid(&grid);
}

static void write_documents(const struct evidence_view *view, const struct record *record,
                            const char *name, struct buf *out)
{
    const struct layout layout = {out, view->style};
    char buf[32];
    for (; record; record = evidence_next(view->evidence, name, record)) {
        struct buf text;
        cJSON *document = evidence_cell_document(record->doc, view->redact);
        char *place = xasprintf("%s:%s", record->source->name, record_locator(record, buf));
        buf_init(&text, REPORT_SIZE_MAX);
        json_write(&text, document, true);
        layout_verbatim(&layout, 0, "", place);
        layout_verbatim(&layout, 2, "", buf_str(&text));
        buf_release(&text);
        free(place);
        cJSON_Delete(document);
    }
}

static void write_records(const struct evidence_view *view, const char *name, struct buf *out)
{
    const struct record *first = evidence_next(view->evidence, name, NULL);
    if (!first)
        return;
    if (first->doc)
        write_documents(view, first, name, out);
    else
        write_table(view, first, name, out);
}

enum group { GROUP_SHOWN, GROUP_EMPTY, GROUP_ABSENT };

/* In the overview what holds nothing is named only: empty is an answer, absent is none. */
static enum group group_of(const struct evidence_view *view, const char *name)
{
    enum evidence_state state = evidence_state(view->evidence, name);
    if (state == EVIDENCE_ABSENT)
        return GROUP_ABSENT;
    bool empty = state == EVIDENCE_COMPLETE && evidence_count(view->evidence, name) == 0;
    return empty && !view->records ? GROUP_EMPTY : GROUP_SHOWN;
}

static void write_group(const struct evidence_view *view, const char *lead, enum group group,
                        struct buf *out)
{
    const struct layout layout = {out, view->style};
    struct buf text;
    buf_init(&text, 64u << 10);
    size_t events = 0;
    for (size_t i = 0; i < view->names->len; i++) {
        const char *name = view->names->items[i];
        if (group_of(view, name) != group)
            continue;
        if (!view->records && !view->style->verbose && str_starts(name, "event."))
            events++;
        else
            buf_addf(&text, "%s%s", text.len ? ", " : "", name);
    }
    if (events)
        buf_addf(&text, "%s%zu kinds of lines that checks look for (--verbose)",
                 text.len ? ", and " : "", events);
    if (text.len)
        layout_item(&layout, 0, lead, INK_DIM, 2, buf_str(&text));
    buf_release(&text);
}

void evidence_view_text(const struct evidence_view *view, struct buf *out)
{
    for (size_t i = 0; i < view->names->len; i++) {
        const char *name = view->names->items[i];
        if (group_of(view, name) != GROUP_SHOWN)
            continue;
        buf_addf(out, "%-28s %-9s %llu\n", name, evidence_cell_state(view->evidence, name),
                 (unsigned long long)evidence_count(view->evidence, name));
        if (view->records)
            write_records(view, name, out);
    }
    write_group(view, "empty:", GROUP_EMPTY, out);
    write_group(view, "absent:", GROUP_ABSENT, out);
}
