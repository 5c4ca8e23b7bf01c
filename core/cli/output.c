/* The command line: destinations of results. Reads the -o options, writes to standard output or to files
 * by way of a temporary file. Renders through the report writers and knows no format itself. */
#include "cli/output.h"
#include "base/alloc.h"
#include "base/str.h"
#include "cli/cli.h"
#include "report/match.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WIDTH_PIPE 100
#define WIDTH_MIN  40
#define WIDTH_MAX  120

static bool is_known(const char *format, const char *formats)
{
    size_t len = strlen(format);
    for (const char *at = formats; *at;) {
        size_t part = strcspn(at, ",");
        if (part == len && strncmp(at, format, len) == 0)
            return true;
        at += part;
        at += strspn(at, ", ");
    }
    return false;
}

static bool clashes(const struct outputs *outputs, const struct output *added, struct err *err)
{
    for (size_t i = 0; i < outputs->len; i++) {
        const struct output *each = &outputs->items[i];
        if (!each->file && !added->file)
            return !err_set(
                err, "two formats for standard output, '%s' and '%s'; give one a file: -o %s=FILE",
                each->format, added->format, added->format);
        if (each->file && added->file && strcmp(each->file, added->file) == 0)
            return !err_set(err, "two formats for the file '%s'", each->file);
    }
    return false;
}

static bool add(struct outputs *outputs, const char *argument, const char *formats, struct err *err)
{
    size_t len = strcspn(argument, "=");
    struct output added = {xstrndup(argument, len), argument[len] ? argument + len + 1 : NULL};
    if (added.file && (!*added.file || strcmp(added.file, "-") == 0))
        added.file = NULL;
    bool ok = is_known(added.format, formats)
                  ? !clashes(outputs, &added, err)
                  : err_set(err, "unknown format '%s'; known: %s", added.format, formats);
    if (!ok) {
        free(added.format);
        return false;
    }
    outputs->items = xrealloc(outputs->items, (outputs->len + 1) * sizeof *outputs->items);
    outputs->items[outputs->len++] = added;
    return true;
}

bool outputs_init(struct outputs *outputs, const struct options *options, const char *formats,
                  struct err *err)
{
    bool ok = true;
    *outputs = (struct outputs){0};
    for (size_t i = 0; i < options->output.len && ok; i++)
        ok = add(outputs, options->output.items[i], formats, err);
    if (!options->output.len) {
        char *first = xstrndup(formats, strcspn(formats, ","));
        ok = add(outputs, first, formats, err);
        free(first);
    }
    if (!ok)
        outputs_release(outputs);
    return ok;
}

void outputs_release(struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->len; i++)
        free(outputs->items[i].format);
    free(outputs->items);
    *outputs = (struct outputs){0};
}

static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static int width_of(bool terminal)
{
    struct winsize size;
    int64_t columns = 0;
    const char *text = getenv("COLUMNS");
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        columns = size.ws_col;
    else if (!text || !str_to_int64(text, &columns) || columns < 1)
        columns = WIDTH_PIPE;
    columns = columns > WIDTH_MAX ? WIDTH_MAX : columns;
    return (int)(columns < WIDTH_MIN ? WIDTH_MIN : columns);
}

struct report_style output_style(const struct output *output, const struct options *options)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool terminal = !output->file && isatty(STDOUT_FILENO);
    bool may = terminal && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
    struct report_style style = {
        .color = options->color == COLOR_ALWAYS || (options->color == COLOR_AUTO && may),
        .unicode = locale_is_utf8(),
        .width = width_of(terminal),
        .quiet = options->quiet,
        .verbose = options->verbose,
    };
    return style;
}

static bool write_bytes(int fd, const struct buf *bytes)
{
    for (size_t done = 0; done < bytes->len;) {
        ssize_t wrote = write(fd, bytes->data + done, bytes->len - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        done += (size_t)wrote;
    }
    return true;
}

/* A pipe or device is written as it is; only a regular file can be replaced as a whole. */
static bool write_special(const char *file, const struct buf *bytes, struct err *err)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && (write_bytes(fd, bytes) || errno == EPIPE);
    if (!ok)
        err_set(err, "cannot write '%s': %s", file, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

static mode_t file_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool write_file(const char *file, const struct buf *bytes, struct err *err)
{
    char *beside = xasprintf("%s.XXXXXX", file);
    int fd = mkostemp(beside, O_CLOEXEC);
    bool ok = fd >= 0 && fchmod(fd, file_mode()) == 0 && write_bytes(fd, bytes);
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        why = errno;
        ok = false;
    }
    if (ok && rename(beside, file) != 0) {
        why = errno;
        ok = false;
    }
    if (!ok) {
        err_set(err, "cannot write '%s': %s", file, strerror(why));
        if (fd >= 0)
            unlink(beside);
    }
    free(beside);
    return ok;
}

bool output_write(const struct output *output, const struct buf *bytes, struct err *err)
{
    struct stat facts;
    if (bytes->overflow)
        return err_set(err, "the result is larger than %zu MB", bytes->max >> 20);
    if (output->file && stat(output->file, &facts) == 0 && !S_ISREG(facts.st_mode) &&
        !S_ISDIR(facts.st_mode))
        return write_special(output->file, bytes, err);
    if (output->file)
        return write_file(output->file, bytes, err);
    fflush(stdout);
    if (write_bytes(STDOUT_FILENO, bytes) || errno == EPIPE)
        return true;
    return err_set(err, "cannot write to standard output: %s", strerror(errno));
}

static bool render(const struct output *output, const cJSON *report, const struct options *options)
{
    struct buf bytes;
    struct err err = ERR_INIT;
    struct report_style style = output_style(output, options);
    buf_init(&bytes, REPORT_SIZE_MAX);
    bool ok = report_writer_find(output->format)->write(&bytes, report, &style, &err) &&
              output_write(output, &bytes, &err);
    buf_release(&bytes);
    if (!ok)
        cli_warn("%s", err.text);
    return ok;
}

static void mark(cJSON *report, const struct options *options)
{
    char path[1024];
    if (!options->baseline_report)
        return;
    str_to_utf8(path, sizeof path, options->baseline, strlen(options->baseline));
    match_mark(report, options->baseline_report, path, options->baseline_sha256);
}

int output_report(const struct outputs *outputs, cJSON *report, const struct options *options,
                  bool interrupted)
{
    mark(report, options);
    int fail_on = options->exit == EXIT_NAGIOS ? FAIL_ON_WARNING : options->fail_on;
    int status = report_exit(report, (enum fail_on)fail_on);
    bool failed = false;
    for (size_t i = 0; i < outputs->len; i++)
        failed |= !render(&outputs->items[i], report, options);
    if (interrupted)
        return STATUS_INTERRUPTED;
    return failed && status != STATUS_ERRORS ? STATUS_FAILED : status;
}
