/* Where results go: the -o options of a call, checked before any work is done, and the writing itself. */
#ifndef DEBRIEF_CLI_OUTPUT_H
#define DEBRIEF_CLI_OUTPUT_H

#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"
#include "report/report.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

struct output {
    char *format;
    const char *file; /* NULL: standard output */
};

struct outputs {
    struct output *items; /* at least one */
    size_t len;
};

/* FORMATS lists the known ones ("text, json"); the first is the default. False with a usage error: an
 * unknown format, two formats to standard output, one file named twice. */
bool outputs_init(struct outputs *outputs, const struct options *options, const char *formats,
                  struct err *err);
void outputs_release(struct outputs *outputs);

/* How people see it: colour, glyphs and width for this destination. */
struct report_style output_style(const struct output *output, const struct options *options);

/* Writes BYTES to standard output, or to a file that then appears as a whole. A reader that closed the
 * pipe wanted no more: that is no error. */
bool output_write(const struct output *output, const struct buf *bytes, struct err *err);

/* Renders REPORT into all of OUTPUTS and returns the exit status by the contract. The one place where it
 * is computed: the first of 130, 3, 1, 4, 5 that holds. */
int output_report(const struct outputs *outputs, cJSON *report, const struct options *options,
                  bool interrupted);

#endif
