/* The command line: help by example, from the tables of commands and options. Writes text; keeps none of
 * its own about single options. */
#include "cli/cli.h"
#include "report/layout.h"
#include <string.h>

#define HELP_MAX   (64u << 10)
#define HELP_WIDTH 80 /* of any terminal */

static const struct report_style style = {.unicode = true, .width = HELP_WIDTH};

static void add_examples(struct buf *out, const char *examples)
{
    const struct layout layout = {out, &style};
    buf_adds(out, "\nexamples:\n");
    layout_verbatim(&layout, 2, "", examples);
}

static void print(FILE *out, struct buf *text)
{
    fputs(buf_str(text), out);
    buf_release(text);
}

void help_program(FILE *out)
{
    struct buf text;
    size_t len;
    const struct command *commands = cli_commands(&len);
    buf_init(&text, HELP_MAX);
    buf_adds(&text,
             "debrief tells what is wrong with an Envoy proxy, proves it, says how to fix it\n\n"
             "usage: debrief COMMAND [OPTION...] [ARGUMENT...]\n");
    add_examples(&text, "debrief check http://127.0.0.1:9901            # a live proxy\n"
                        "debrief check pasted.txt                       # whatever you have\n"
                        "debrief collect http://127.0.0.1:9901          # to look at elsewhere\n"
                        "debrief explain grpc-codes.permission-denied   # what a finding means\n");
    buf_adds(&text, "\ncommands:\n");
    for (size_t i = 0; i < len; i++)
        buf_addf(&text, "  %-8s %-17s %s\n", commands[i].name, commands[i].arguments,
                 commands[i].summary);
    buf_adds(&text,
             "\n'debrief COMMAND --help' shows the options of a command,\n"
             "'debrief --version' the version and the plugins that are in use\n\n"
             "exit status: 0 nothing at or above --fail-on, 1 debrief failed or nothing could\n"
             "be read, 2 usage, 3 errors, 4 warnings, 5 incomplete, 130 interrupted\n");
    print(out, &text);
}

static void add_option(const struct layout *layout, const struct option_row *row)
{
    char letter[] = {'-', row->letter, ',', ' ', 0};
    buf_addf(layout->out, "  %s--%s%s%s\n", row->letter ? letter : "    ", row->name,
             row->argument ? " " : "", row->argument ? row->argument : "");
    layout_item(layout, 9, "", INK_PLAIN, 9, row->help);
}

static const char *formats_of(const struct command *command)
{
    if (command->bit == FOR_LIST)
        return "text (default), json, csv";
    if (command->bit == FOR_DIFF)
        return "text (default), json, markdown";
    return command->bit == FOR_EVIDENCE ? "text (default), json" : report_writer_names();
}

void help_command(FILE *out, const struct command *command)
{
    struct buf text;
    size_t len;
    const struct option_row *rows = options_rows(&len);
    const struct layout layout = {&text, &style};
    buf_init(&text, HELP_MAX);
    buf_addf(&text, "usage: debrief %s [OPTION...]%s%s\n\n", command->name,
             *command->arguments ? " " : "", command->arguments);
    if (command->about)
        layout_item(&layout, 0, "", INK_PLAIN, 0, command->about);
    if (command->examples)
        add_examples(&text, command->examples);
    buf_adds(&text, "\noptions:\n");
    for (size_t i = 0; i < len; i++) {
        if (!(rows[i].commands & command->bit))
            continue;
        add_option(&layout, &rows[i]);
        if (strcmp(rows[i].name, "output") == 0)
            layout_item(&layout, 9, "formats:", INK_PLAIN, 9, formats_of(command));
    }
    print(out, &text);
}
