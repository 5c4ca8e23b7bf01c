/* The commands of the command line: one table, one file per command. What a command prints as its result
 * goes to standard output, everything else to standard error. */
#ifndef DEBRIEF_CLI_CLI_H
#define DEBRIEF_CLI_CLI_H

#include "base/err.h"
#include "cli/options.h"
#include <stdio.h>

struct command {
    const char *name;
    const char *arguments; /* "[TARGET...]" */
    const char *summary;   /* half a line, for the list of commands */
    const char *about;     /* one paragraph */
    const char *examples;  /* lines of a shell */
    unsigned bit;          /* enum command_bit */
    size_t operands_min, operands_max;
    int (*run)(const struct options *options); /* returns the exit status */
};

#define OPERANDS_ANY ((size_t)-1)

/* What main() does: finds the command, parses its options, runs it. */
int cli_run(int argc, char **argv);

const struct command *cli_commands(size_t *len);
const struct command *cli_command(const char *name); /* NULL: no such command */

/* "debrief: TEXT" on standard error; both return the exit status. */
int cli_fail(const struct err *err);  /* debrief itself failed */
int cli_usage(const struct err *err); /* the call was wrong */
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* help.c */
void help_program(FILE *out);
void help_command(FILE *out, const struct command *command);

/* One per command. */
int check_command(const struct options *options);
int collect_command(const struct options *options);
int diff_command(const struct options *options);
int evidence_command(const struct options *options);
int explain_command(const struct options *options);
int lint_command(const struct options *options);
int list_command(const struct options *options);
int merge_command(const struct options *options);
int new_command(const struct options *options);
int report_command(const struct options *options);
int test_command(const struct options *options);
int version_command(const struct options *options);

#endif
