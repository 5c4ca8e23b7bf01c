/* Stage: evidence. Reading one record: its fields, its place, its table. Reads records; writes
 * nothing but the small buffer that the caller lends. */
#include "base/json.h"
#include "base/str.h"
#include "evidence/table.h"
#include <inttypes.h>
#include <stdio.h>

const char *record_text(const struct record *record, const char *field, char buf[32])
{
    const struct table_record *entry = (const struct table_record *)record;
    int column = table_column(record->table, field);
    if (column >= 0 && (size_t)column < entry->cells_len && record->cells[column])
        return record->cells[column];
    return record->doc ? json_scalar(record->doc, field, buf) : NULL;
}

bool record_can_have(const struct record *record, const char *field)
{
    return record->doc || table_column(record->table, field) >= 0;
}

bool record_number(const struct record *record, const char *field, double *out)
{
    char buf[32];
    const char *text = record_text(record, field, buf);
    return text && str_to_double(text, out);
}

const char *record_locator(const struct record *record, char buf[32])
{
    if (record->pointer && *record->pointer)
        return record->pointer;
    if (!record->line)
        return "whole document";
    snprintf(buf, 32, "line %" PRIu64, record->line);
    return buf;
}

const char *const *record_columns(const struct record *record)
{
    return record->table->columns;
}

const char *record_name(const struct record *record)
{
    return record->table->name;
}
