/* Stage: read. Rows and columns of tables that the tools of meshes print. Reads lines; gives cells by the title
 * of their column. Goes by position, because cells may be empty, and by gaps where a paste moved the columns.
 * Deliberately knows titles, not meanings: those stand in mesh_tables.c. */
#include "base/alloc.h"
#include "base/str.h"
#include "read/mesh_tables.h"
#include <stdlib.h>
#include <string.h>

/* Titles of several words, or that one blank may part from the next. */
static const char *const titles[] = {
    "SERVICE FQDN",       "DESTINATION RULE",     "OUTLIER CHECK",
    "RESOURCE NAME",      "VALID CERT",           "SERIAL NUMBER",
    "NOT AFTER",          "NOT BEFORE",           "TRUST DOMAIN",
    "VHOST NAME",         "VIRTUAL SERVICE",      "SUBSCRIBED TYPES",
    "LAST CONNECTED AGO", "LAST UPDATED AGO",     "TOTAL UPDATES",
    "TOTAL ERRORS",       "CERT REGENERATED AGO", "CERT EXPIRATION",
    "CERT REGENERATIONS", "CERT BACKEND",         "SUPPORTED CERT BACKENDS",
    "KUMA-DP VERSION",    "ENVOY VERSION",        "DEPENDENCIES VERSIONS",
    "Filter Chain Match", "Last Updated",         "Destination Cluster"};

static size_t title_len(const char *at)
{
    for (size_t i = 0; i < ARRAY_LEN(titles); i++)
        if (str_starts(at, titles[i]))
            return strlen(titles[i]);
    return strcspn(at, " \t");
}

static bool has_title(const struct mesh_table *table, const char *title)
{
    for (size_t i = 0; i < table->len; i++)
        if (strcmp(table->columns[i].title, title) == 0)
            return true;
    return false;
}

static bool split_header(struct mesh_table *table, const char *line)
{
    *table = (struct mesh_table){.len = 0};
    for (size_t at = strspn(line, " \t"); line[at]; at += strspn(line + at, " \t")) {
        size_t len = title_len(line + at);
        if (table->len == MESH_COLUMNS_MAX || len >= MESH_TITLE_MAX)
            return false;
        memcpy(table->columns[table->len].title, line + at, len);
        table->columns[table->len++].at = at;
        at += len;
    }
    return table->len > 1;
}

bool mesh_header(struct mesh_table *table, const struct mesh_kind *kinds, const char *line)
{
    struct mesh_table header;
    if (!split_header(&header, line))
        return false;
    for (; kinds->name; kinds++) {
        size_t found = 0;
        while (kinds->titles[found] && has_title(&header, kinds->titles[found]))
            found++;
        if (kinds->titles[found])
            continue;
        *table = header;
        table->kind = kinds;
        return true;
    }
    return false;
}

/* Every column must begin behind a blank, or the line must have ended. */
static bool fits(const struct mesh_table *table, const char *line, size_t len)
{
    for (size_t i = 1; i < table->len; i++)
        if (table->columns[i].at < len && line[table->columns[i].at - 1] != ' ')
            return false;
    return len > table->columns[0].at && line[table->columns[0].at] != ' ';
}

static void cut_by_place(struct mesh_row *row, const struct mesh_table *table, size_t len)
{
    for (size_t i = 0; i < table->len; i++) {
        size_t at = table->columns[i].at;
        row->cells[i] = at < len ? row->copy + at : "";
        if (i && at <= len && at > 0)
            row->copy[at - 1] = '\0';
    }
}

/* By runs of two and more blanks. */
static bool cut_by_gaps(struct mesh_row *row, const struct mesh_table *table)
{
    char *at = row->copy + strspn(row->copy, " \t");
    size_t len = 0;
    while (at && *at && len < table->len) {
        row->cells[len++] = at;
        char *gap = strstr(at, "  "), *tab = strchr(at, '\t');
        if (tab && (!gap || tab < gap))
            gap = tab;
        at = gap;
        if (at) {
            *at++ = '\0';
            at += strspn(at, " \t");
        }
    }
    return len + 1 >= table->len || len >= 3;
}

static void trim(const char *cell)
{
    char *text = (char *)cell; /* of the row's own copy */
    size_t len = strlen(text);
    while (len && strchr(" \t\r", text[len - 1]))
        text[--len] = '\0';
}

bool mesh_cut(struct mesh_row *row, const struct mesh_table *table, const char *line)
{
    size_t len = strlen(line);
    *row = (struct mesh_row){.table = table, .copy = xstrdup(line)};
    bool fine = true;
    if (fits(table, line, len))
        cut_by_place(row, table, len);
    else
        fine = cut_by_gaps(row, table);
    for (size_t i = 0; i < table->len; i++)
        if (row->cells[i] && *row->cells[i])
            trim(row->cells[i]);
    if (!fine || !row->cells[0] || !*row->cells[0]) {
        mesh_release(row);
        return false;
    }
    return true;
}

void mesh_release(struct mesh_row *row)
{
    free(row->copy);
    row->copy = NULL;
}

const char *mesh_cell(const struct mesh_row *row, const char *title)
{
    for (size_t i = 0; i < row->table->len; i++)
        if (strcmp(row->table->columns[i].title, title) == 0 && row->cells[i])
            return row->cells[i] + strspn(row->cells[i], " ");
    return "";
}
