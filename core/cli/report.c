/* Command: report. Reads a saved report, writes it again in other formats. */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/session.h"

int report_command(const struct options *options)
{
    struct outputs outputs;
    struct err err = ERR_INIT;
    int status;
    if (!outputs_init(&outputs, options, report_writer_names(), &err))
        return cli_usage(&err);
    cJSON *report = session_report(options->operands.items[0], &status);
    if (report)
        status = output_report(&outputs, report, options, false);
    cJSON_Delete(report);
    outputs_release(&outputs);
    return status;
}
