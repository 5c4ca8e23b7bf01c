/* Stage: read. Small files that tell how a machine finds names and keeps time: resolv.conf, the hosts file,
 * timedatectl, and what debrief writes of the clock and of a control group. Writes host.resolver,
 * host.hosts_file, host.clock and host.cgroup. */
#include "base/str.h"
#include "read/host_session.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool resolver_line(struct host_session *session, const char *line)
{
    static const char *const kinds[] = {"nameserver", "search", "domain", "options"};
    char server[64];
    for (size_t i = 0; i < 4; i++) {
        size_t len = strlen(kinds[i]);
        if (!str_starts(line, kinds[i]) || (line[len] != ' ' && line[len] != '\t'))
            continue;
        const char *value = line + len + strspn(line + len, " \t");
        net_copy(server, sizeof server, value, strcspn(value, " \t%#"));
        if (i == 0 && !net_is_address(server))
            return false;
        struct record *record = host_add(session, "host.resolver");
        if (record) {
            evidence_set(session->reading->evidence, record, "kind", kinds[i]);
            evidence_set(session->reading->evidence, record, "value", i ? value : server);
        }
        return true;
    }
    return false;
}

/* "10.0.0.7\tapp.internal app", where the source or the command says that it is the hosts file */
static bool hosts_line(struct host_session *session, const char *line)
{
    const struct net_command *command = &session->command;
    bool asked = net_command_is(command, "cat") &&
                 strstr(command->argv[command->argc - 1], "/etc/hosts");
    char address[64], names[NET_LIST_MAX] = "";
    if (!asked && !strstr(session->reading->source->name, "host/hosts"))
        return false;
    if (*line == '#' || !*line)
        return true;
    size_t len = strcspn(line, " \t");
    net_copy(address, sizeof address, line, len);
    if (!net_is_address(address))
        return false;
    for (const char *at = line + len; *at && *at != '#';) {
        at += strspn(at, " \t");
        size_t word = strcspn(at, " \t#");
        net_list(names, sizeof names, at, word);
        at += word;
    }
    struct record *record = host_add(session, "host.hosts_file");
    if (record) {
        evidence_set(session->reading->evidence, record, "address", address);
        evidence_set(session->reading->evidence, record, "names", *names ? names : NULL);
    }
    return true;
}

/* "System clock synchronized: yes", "NTP synchronized: no" and, as debrief prints adjtimex(2),
 * "clock synchronized: no offset_ms: 0.1 max_error_ms: 16000" */
static bool clock_line(struct host_session *session, const char *line)
{
    static const char mark[] = "synchronized: ";
    const char *at = strstr(line, mark);
    char yes[8], offset[32] = "", error[32] = "";
    if (!at || strlen(line) > 160 || sscanf(at, "synchronized: %7[a-z]", yes) != 1)
        return false;
    const char *own = strstr(line, "offset_ms: ");
    if (own)
        sscanf(own, "offset_ms: %31s max_error_ms: %31s", offset, error);
    struct record *record = host_add(session, "host.clock");
    if (!record)
        return true;
    struct evidence *evidence = session->reading->evidence;
    evidence_set(evidence, record, "synchronized", yes);
    evidence_set(evidence, record, "offset_ms", *offset ? offset : NULL);
    evidence_set(evidence, record, "max_error_ms", *error ? error : NULL);
    return true;
}

/* "memory.max = 67108864", "memory.events.oom_kill = 2": a file of the group each */
static bool cgroup_line(struct host_session *session, const char *line)
{
    char name[64], value[64];
    if (sscanf(line, "%63[a-z_.] = %63s", name, value) != 2 ||
        (!str_starts(name, "memory.") && !str_starts(name, "pids.") && !str_starts(name, "cpu.")))
        return false;
    struct record *record = host_add(session, "host.cgroup");
    if (!record)
        return true;
    struct evidence *evidence = session->reading->evidence;
    evidence_set(evidence, record, "name", name);
    evidence_set(evidence, record, "value", value);
    evidence_set(evidence, record, "pid", *session->process.pid ? session->process.pid : NULL);
    return true;
}

/* "# process 345 has 12 open files", above the limits that debrief keeps of a process; the number of
 * files is not always known */
static bool open_line(struct host_session *session, const char *line)
{
    struct host_process *process = &session->process;
    return sscanf(line, "# process %15[0-9] has %15[0-9] open files", process->pid,
                  process->open) >= 1;
}

static bool facts_line(struct host_session *session, const char *line)
{
    return open_line(session, line) || resolver_line(session, line) || hosts_line(session, line) ||
           clock_line(session, line) || cgroup_line(session, line);
}

static bool facts_mark(const char *line)
{
    char server[64];
    if (str_starts(line, "System clock synchronized: ") ||
        str_starts(line, "clock synchronized: ") || str_starts(line, "memory.max = "))
        return true;
    if (!str_starts(line, "nameserver "))
        return false;
    net_copy(server, sizeof server, line + 11, strcspn(line + 11, " \t%#"));
    return net_is_address(server);
}

const struct host_part host_facts = {.line = facts_line, .mark = facts_mark};
