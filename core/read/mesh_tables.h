/* Tables that the tools of meshes print for people: their columns, and the cells of a row. */
#ifndef DEBRIEF_READ_MESH_TABLES_H
#define DEBRIEF_READ_MESH_TABLES_H

#include <stdbool.h>
#include <stddef.h>

enum { MESH_COLUMNS_MAX = 24, MESH_TITLE_MAX = 32 };

struct mesh_table;

struct mesh_row { /* what one line of a table says */
    const struct mesh_table *table;
    char *copy; /* the line, cut into cells */
    const char *cells[MESH_COLUMNS_MAX];
};

/* A kind of table is known by titles that it must have. */
struct mesh_kind {
    const char *name;
    const char *titles[6]; /* NULL-terminated */
};

struct mesh_table {
    const struct mesh_kind *kind; /* NULL: no table is open */
    size_t len;
    struct {
        char title[MESH_TITLE_MAX];
        size_t at; /* where it begins in the header */
    } columns[MESH_COLUMNS_MAX];
};

/* Whether LINE is the header of one of KINDS (ended by a NULL name); fills TABLE. */
bool mesh_header(struct mesh_table *table, const struct mesh_kind *kinds, const char *line);
/* The cells of LINE; false when it is no row. To be released. */
bool mesh_cut(struct mesh_row *row, const struct mesh_table *table, const char *line);
void mesh_release(struct mesh_row *row);
/* The cell below TITLE, without blanks around; "" where it is empty or there is no such column. */
const char *mesh_cell(const struct mesh_row *row, const char *title);

#endif
