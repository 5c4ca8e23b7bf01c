/* Command: diff. Reads two saved reports, writes what changed between them, finding by finding. Compares
 * and renders nothing itself. */
#include "report/diff.h"
#include "cli/cli.h"
#include "cli/diff_compare.h"
#include "cli/output.h"
#include "cli/session.h"
#include "report/match.h"
#include <string.h>

typedef bool diff_writer(struct buf *out, const cJSON *document, const struct report_style *style,
                         struct err *err);

static diff_writer *writer_of(const char *format)
{
    if (strcmp(format, "text") == 0)
        return diff_text;
    return strcmp(format, "json") == 0 ? diff_json : diff_markdown;
}

static bool write_one(const struct output *output, const cJSON *document,
                      const struct options *options, struct err *err)
{
    struct buf bytes;
    struct report_style style = output_style(output, options);
    buf_init(&bytes, REPORT_SIZE_MAX);
    bool ok = writer_of(output->format)(&bytes, document, &style, err) &&
              output_write(output, &bytes, err);
    buf_release(&bytes);
    return ok;
}

static bool write_all(const struct outputs *outputs, const cJSON *document,
                      const struct options *options)
{
    bool all = true;
    for (size_t i = 0; i < outputs->len; i++) {
        struct err err = ERR_INIT;
        if (!write_one(&outputs->items[i], document, options, &err)) {
            cli_warn("%s", err.text);
            all = false;
        }
    }
    return all;
}

/* The exit status is that of NEW with OLD as its baseline. */
static int compare(const cJSON *old, cJSON *new, const struct outputs *outputs,
                   const struct options *options)
{
    cJSON *document = diff_document(old, new);
    bool written = write_all(outputs, document, options);
    cJSON_Delete(document);
    match_mark(new, old, NULL, NULL);
    int status = report_exit(new, (enum fail_on)options->fail_on);
    return written || status == STATUS_ERRORS ? status : STATUS_FAILED;
}

static bool is_for_compare(const struct options *options)
{
    return options->timeout_ms || options->cacert || options->cert || options->key ||
           options->no_redact || options->redact != REDACT_WHAT_UNSET || options->redact_map;
}

int diff_command(const struct options *options)
{
    struct outputs outputs;
    struct err err = ERR_INIT;
    int status = STATUS_OK;
    if (options->compare)
        return diff_compare_command(options);
    if (is_for_compare(options)) {
        err_set(&err,
                "saved reports are not gathered: --timeout, --cacert, --cert, --key, --redact, "
                "--redact-map and --no-redact are for 'diff --compare'");
        return cli_usage(&err);
    }
    if (!outputs_init(&outputs, options, "text, json, markdown", &err))
        return cli_usage(&err);
    cJSON *old = session_report(options->operands.items[0], &status);
    cJSON *new = old ? session_report(options->operands.items[1], &status) : NULL;
    if (new)
        status = compare(old, new, &outputs, options);
    cJSON_Delete(old);
    cJSON_Delete(new);
    outputs_release(&outputs);
    return status;
}
