/* Tables of a log console, saved as CSV: a heading that names a message column, then quoted rows. */
#ifndef DEBRIEF_READ_LOG_CSV_H
#define DEBRIEF_READ_LOG_CSV_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>

struct log_csv {               /* the table's layout, and where in a row the text stands */
    int message, time, stream; /* column numbers; -1: none */
    int column;                /* of the row that was begun */
    bool quoted;               /* inside quotes: the row goes on on the next line */
};

/* Whether LINE is such a heading. Fills CSV. */
bool log_csv_heading(const char *line, size_t len, struct log_csv *csv);

/* Appends the plain line of one physical LINE of the table: "TIME STREAM message", or more of the
 * message when the row began on a line before. */
void log_csv_line(struct log_csv *csv, const char *line, size_t len, struct buf *out);

#endif
