/* The command line: finds the command and runs it. Reads argv, writes the exit status; knows nothing of
 * what commands do. */
#include "cli/cli.h"
#include "base/alloc.h"
#include "cli/session.h"
#include "source/tell.h"
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct command commands[] = {
    {"check", "[TARGET...]", "gather, check, report: the main job",
     "Gathers what the targets say, runs the checks and reports causes, proof and repair. A target "
     "is an "
     "Envoy admin address, unix:PATH, a directory, an archive, a file or - (standard input), "
     "k8s:[NAMESPACE/]POD or ecs:CLUSTER/TASK (by kubectl and aws as they are set up here). "
     "Without any "
     "target the usual admin addresses of this host are tried.",
     "debrief check http://127.0.0.1:9901\n"
     "debrief check http://127.0.0.1:9901 --evidence envoy.log --evidence task.json\n"
     "debrief check k8s:shop/deploy/orders --dry-run\n"
     "debrief check ecs:prod/service/orders\n"
     "debrief check http://127.0.0.1:15000 --kube shop/orders-7c9d\n"
     "sudo debrief check http://127.0.0.1:9901 --host\n"
     "debrief check bundle.tar.gz --probe --dry-run\n"
     "kubectl logs POD -c envoy | debrief check -\n"
     "debrief check bundle.tar.gz -o json=report.json --fail-on warning\n"
     "debrief check bundle.tar.gz --baseline last.json   # only what is new fails\n"
     "debrief check http://127.0.0.1:9901 -o nagios --exit nagios\n",
     FOR_CHECK, 0, OPERANDS_ANY, check_command},
    {"collect", "[TARGET...]", "gather only; writes a bundle and prints its path",
     "Gathers everything that is safe to ask for into a redacted bundle that can be sent to "
     "somebody else "
     "and checked there with the same findings.",
     "debrief collect http://127.0.0.1:9901\n"
     "debrief collect --targets fleet.txt --bundle incident-42\n",
     FOR_COLLECT, 0, OPERANDS_ANY, collect_command},
    {"report", "REPORT.json", "render a saved report in another format",
     "Renders a report that was saved with -o json. The exit status is that of the report.",
     "debrief report report.json --verbose\n"
     "debrief report report.json -o markdown\n"
     "debrief report report.json -o junit=junit.xml -o sarif=debrief.sarif\n",
     FOR_REPORT, 1, 1, report_command},
    {"diff", "OLD.json NEW.json", "new, gone and unchanged findings",
     "Compares two saved reports, finding by finding, by target and fingerprint. With --compare "
     "the two are targets as 'check' takes them, first the one that works: both are gathered and "
     "what differs between them and matters is told, the most telling first. The exit status "
     "is that "
     "of what is new or has become worse.",
     "debrief diff before.json after.json\n"
     "debrief diff before.json after.json -o json\n"
     "debrief diff --compare http://10.0.0.7:9901 http://10.0.0.9:9901\n"
     "debrief diff --compare healthy.tar.gz broken.tar.gz --verbose\n",
     FOR_DIFF, 2, 2, diff_command},
    {"merge", "REPORT.json...", "join the reports of shards into one",
     "Joins saved reports into one: the targets of all of them, with a new summary.",
     "debrief merge shard-*.json -o json=all.json -o text\n", FOR_MERGE, 1, OPERANDS_ANY,
     merge_command},
    {"evidence", "TARGET [NAME]", "the evidence as checks see it, as table or JSON",
     "Shows the records that checks can read: without NAME which evidence there is and how much, "
     "with NAME "
     "(log.xds_closed, or a glob) its records.",
     "debrief evidence bundle.tar.gz\n"
     "debrief evidence bundle.tar.gz log.xds_closed\n"
     "debrief evidence http://127.0.0.1:9901 stats -o json\n",
     FOR_EVIDENCE, 0, 2, evidence_command},
    {"list", "", "checks: id, section, title, needs, findings, origin",
     "Lists the checks that are installed.",
     "debrief list\n"
     "debrief list --select tag:appmesh -o csv\n",
     FOR_LIST, 0, 0, list_command},
    {"explain", "ID", "a finding or check: meaning, proof, fix, references",
     "Explains a finding by its manual, or a check by what it needs and can find.",
     "debrief explain grpc-codes.permission-denied\n"
     "debrief explain grpc-codes\n",
     FOR_EXPLAIN, 1, 1, explain_command},
    {"new", "NAME", "a section of your own that passes lint and test",
     "Makes the folder NAME with a check, its manual and its cases, ready to be changed.",
     "debrief new site-ports\n"
     "debrief new site-ports --lang c --dir sections\n",
     FOR_NEW, 1, 1, new_command},
    {"lint", "[PATH...]", "whether sections keep the rules",
     "Looks into section folders (or folders of sections; default: here): checks load, manual and "
     "findings "
     "agree, every check has its cases. The exit status is 3 when something is wrong.",
     "debrief lint plugins\n"
     "debrief lint site-ports\n",
     FOR_LINT, 0, OPERANDS_ANY, lint_command},
    {"test", "[PATH...]", "run the cases of sections",
     "Runs the cases of section folders (or folders of sections, or single cases; default: here) "
     "and compares "
     "what is found with their expect.json. The exit status is 3 when a case fails.",
     "debrief test plugins\n"
     "debrief test site-ports/cases/fires\n",
     FOR_TEST, 0, OPERANDS_ANY, test_command},
};

static const struct command version = {
    .name = "--version", .arguments = "", .bit = FOR_VERSION, .run = version_command};

const struct command *cli_commands(size_t *len)
{
    *len = ARRAY_LEN(commands);
    return commands;
}

const struct command *cli_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return strcmp(name, version.name) == 0 ? &version : NULL;
}

void cli_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vtell("debrief: ", format, args);
    va_end(args);
}

int cli_fail(const struct err *err)
{
    cli_warn("%s", err->text);
    return STATUS_FAILED;
}

int cli_usage(const struct err *err)
{
    cli_warn("%s", err->text);
    return STATUS_USAGE;
}

static int wrong_call(const struct command *command, const char *text)
{
    if (command->bit == FOR_VERSION)
        cli_warn("%s; see 'debrief --help'", text);
    else
        cli_warn("%s; see 'debrief %s --help'", text, command->name);
    return STATUS_USAGE;
}

static bool fits(const struct options *options, struct err *err)
{
    const struct command *command = options->command;
    size_t len = options->operands.len;
    if (len < command->operands_min && !options->dictionary)
        return err_set(err, "'%s' needs %s", command->name, command->arguments);
    if (len > command->operands_max)
        return err_set(err, "unexpected '%s' behind '%s'",
                       options->operands.items[command->operands_max], command->name);
    return true;
}

/* Also of a call that could not be parsed: a monitoring system understands no other status. */
static bool wants_nagios(char **arguments, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strcmp(arguments[i], "--exit=nagios") == 0 ||
            (i && strcmp(arguments[i - 1], "--exit") == 0 && strcmp(arguments[i], "nagios") == 0))
            return true;
    return false;
}

static bool takes_config(const struct command *command)
{
    size_t len;
    const struct option_row *rows = options_rows(&len);
    for (size_t i = 0; i < len; i++)
        if (strcmp(rows[i].name, "config") == 0)
            return rows[i].commands & command->bit;
    return false;
}

static int run_command(const struct command *command, char **arguments, size_t len)
{
    struct options options;
    struct err err = ERR_INIT;
    int status;
    bool parsed = options_parse(&options, command, arguments, len, &err);
    if (parsed && options.help) {
        help_command(stdout, command);
        status = STATUS_OK;
    } else if (!parsed || !fits(&options, &err)) {
        status = wrong_call(command, err.text);
    } else if (takes_config(command) && (command->bit != FOR_DIFF || options.compare) &&
               !session_config(&options, &err)) {
        status = cli_usage(&err);
    } else {
        status = session_baseline(&options);
        if (status == STATUS_OK)
            status = command->run(&options);
    }
    options_release(&options);
    return status;
}

/* A closed standard descriptor would be taken by the next file that is opened. */
static void keep_descriptors(void)
{
    struct stat facts;
    for (int fd = 0; fd <= 2; fd++)
        if (fstat(fd, &facts) != 0 && open("/dev/null", O_RDWR) < 0)
            BUG("no descriptor %d", fd);
}

int cli_run(int argc, char **argv)
{
    setlocale(LC_ALL, "C");
    keep_descriptors();
    signal(SIGPIPE, SIG_IGN);
    const char *name = argc > 1 ? argv[1] : "";
    const struct command *command = cli_command(name);
    if (command) {
        int status = run_command(command, argv + 2, (size_t)argc - 2);
        return wants_nagios(argv + 2, (size_t)argc - 2) ? (int)report_nagios(status) : status;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        command = argc > 2 ? cli_command(argv[2]) : NULL;
        if (command && command != &version)
            help_command(stdout, command);
        else
            help_program(stdout);
        return STATUS_OK;
    }
    if (!*name) {
        help_program(stderr);
        return STATUS_USAGE;
    }
    cli_warn("unknown %s '%s'; see 'debrief --help'", *name == '-' ? "option" : "command", name);
    return STATUS_USAGE;
}
