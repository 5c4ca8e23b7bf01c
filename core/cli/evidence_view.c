/* Command: evidence. Writes evidence as JSON and its dictionary as Markdown. Reads what the readers
 * made; everything that leaves is made valid UTF-8 and redacted here. */
#include "cli/evidence_view.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/evidence_cell.h"
#include "finding/ways.h"
#include <stdlib.h>
#include <string.h>

#define EVIDENCE_SCHEMA "debrief.evidence/1"

void evidence_names_add(struct evidence_names *names, const char *name, const char *glob)
{
    size_t at = names->len;
    if (glob && !str_glob(glob, name))
        return;
    names->items = xrealloc(names->items, (names->len + 1) * sizeof *names->items);
    while (at > 0 && strcmp(names->items[at - 1], name) > 0) {
        names->items[at] = names->items[at - 1];
        at--;
    }
    names->items[at] = name;
    names->len++;
}

void evidence_names_release(struct evidence_names *names)
{
    free(names->items);
    *names = (struct evidence_names){0};
}

static void put_clean(cJSON *object, const char *name, const char *text,
                      const struct redact_policy *redact)
{
    char *clean = evidence_cell_clean(text, redact);
    json_put_str(object, name, clean);
    free(clean);
}

static cJSON *fields_of(const struct evidence_view *view, const struct record *record)
{
    cJSON *fields = cJSON_CreateObject();
    const char *const *columns = record_columns(record);
    for (size_t i = 0; columns[i]; i++) {
        char buf[32];
        const char *text = record->doc ? NULL : record_text(record, columns[i], buf);
        if (text)
            put_clean(fields, columns[i], text, view->redact);
    }
    return fields;
}

static cJSON *record_of(const struct evidence_view *view, const struct record *record)
{
    char buf[32], time[CLOCK_TEXT_MAX];
    cJSON *row = cJSON_CreateObject();
    put_clean(row, "source", record->source->name, NULL);
    put_clean(row, "locator", record_locator(record, buf), NULL);
    if (record->time)
        json_put_str(row, "time", clock_text(record->time, time));
    if (record->doc)
        cJSON_AddItemToObject(row, "document", evidence_cell_document(record->doc, view->redact));
    else
        cJSON_AddItemToObject(row, "fields", fields_of(view, record));
    return row;
}

static cJSON *table_of(const struct evidence_view *view, const char *name)
{
    cJSON *table = cJSON_CreateObject();
    json_put_str(table, "name", name);
    json_put_str(table, "state", evidence_cell_state(view->evidence, name));
    json_put_num(table, "count", (double)evidence_count(view->evidence, name));
    if (!view->records)
        return table;
    cJSON *records = json_put_array(table, "records");
    const struct record *record = NULL;
    while ((record = evidence_next(view->evidence, name, record)))
        cJSON_AddItemToArray(records, record_of(view, record));
    return table;
}

void evidence_view_json(const struct evidence_view *view, struct buf *out)
{
    cJSON *document = cJSON_CreateObject();
    json_put_str(document, "schema", EVIDENCE_SCHEMA);
    put_clean(document, "target", view->target, NULL);
    cJSON *tables = json_put_array(document, "evidence");
    for (size_t i = 0; i < view->names->len; i++)
        cJSON_AddItemToArray(tables, table_of(view, view->names->items[i]));
    json_write(out, document, true);
    buf_addch(out, '\n');
    cJSON_Delete(document);
}

/* ---- the dictionary ---- */

static void add_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_addch(out, '\\');
        buf_addch(out, *text);
    }
}

static void add_row(struct buf *out, const struct dictionary_row *row)
{
    char *how = ways_text(row->how);
    buf_addf(out, "\n## %s\n\n%s.\n\n- Sources: %s\n- To supply it: %s\n", row->name, row->meaning,
             row->sources, how);
    free(how);
    if (row->key)
        buf_addf(out, "- Needs are filtered by `%s`: `%s{GLOB}`\n", row->key, row->name);
    if (!row->columns[0].name)
        return;
    buf_adds(out, "\n| field | meaning |\n|---|---|\n");
    for (size_t i = 0; i < DICTIONARY_COLUMNS_MAX && row->columns[i].name; i++) {
        buf_addf(out, "| `%s` | ", row->columns[i].name);
        add_cell(out, row->columns[i].meaning);
        buf_adds(out, " |\n");
    }
}

void evidence_view_dictionary(struct buf *out)
{
    size_t len;
    const struct dictionary_row *const *rows = dictionary_rows(&len);
    buf_adds(
        out,
        "# Evidence\n\n"
        "<!-- made by: debrief evidence --dictionary -->\n\n"
        "What checks can need, by name. A record has the fields of its table; a field that the\n"
        "evidence does not tell is absent. Beside these names a check reads the log events that "
        "it\n"
        "declares itself (`event.NAME`) and `file.NAME`, any text, JSON or YAML that is given "
        "with\n"
        "`--evidence`. `debrief evidence TARGET NAME` shows the records of a target.\n");
    for (size_t i = 0; i < len; i++)
        add_row(out, rows[i]);
}
