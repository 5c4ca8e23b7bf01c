/* Stage: read. Listening sockets as ss and netstat print them, and kernel settings as sysctl does (or the
 * bare file of one setting). Writes host.sockets and host.sysctl. */
#include "base/alloc.h"
#include "base/str.h"
#include "read/containers.h"
#include "read/host_session.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- sysctl ---- */

static void add_sysctl(struct host_session *session, const char *name, const char *value)
{
    struct evidence *evidence = session->reading->evidence;
    session->process.sysctls = true;
    host_supply(session, "host.sysctl");
    if (!evidence_wants(evidence, "host.sysctl", name))
        return;
    struct record *record = host_add(session, "host.sysctl");
    if (!record)
        return;
    evidence_set(evidence, record, "name", name);
    evidence_set(evidence, record, "value", value);
}

/* A number alone: the file itself, or what `cat` printed of it behind the process's status. */
static bool bare_number(struct host_session *session, const char *line)
{
    int64_t value;
    const struct net_command *command = &session->command;
    bool asked = net_command_is(command, "cat") && command->argc &&
                 strstr(command->argv[command->argc - 1], "ip_unprivileged_port_start");
    bool here = asked || strstr(session->reading->source->name, "ip_unprivileged_port_start") ||
                (session->process.any && !session->process.sysctls && !command->argc);
    if (!here || !str_to_int64(line, &value) || value < 0 || value > 65535)
        return false;
    add_sysctl(session, CONTAINERS_PORT_SYSCTL, line);
    return true;
}

/* "net.ipv4.ip_unprivileged_port_start = 1024" */
static bool sysctl_line(struct host_session *session, const char *line)
{
    static const char name_chars[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
    static const char *const roots[] = {"net.", "kernel.", "vm.", "fs.", "user."};
    char name[256];
    size_t len = strspn(line, name_chars);
    const char *equals = line + len + strspn(line + len, " \t");
    bool root = false;
    for (size_t i = 0; i < ARRAY_LEN(roots); i++)
        root |= str_starts(line, roots[i]);
    if (!len || *equals != '=' || len >= sizeof name || !root)
        return bare_number(session, line);
    net_copy(name, sizeof name, line, len);
    add_sysctl(session, name, equals + 1 + strspn(equals + 1, " \t"));
    return true;
}

static bool sysctl_mark(const char *line)
{
    return str_starts(line, "net.ipv4.ip_unprivileged_port_start =") ||
           str_starts(line, "fs.file-max =");
}

const struct host_part host_sysctl = {.line = sysctl_line, .mark = sysctl_mark};

/* ---- ss, netstat ---- */

/* The first cell that is ADDRESS:PORT with a port in digits. */
static char *find_address(char *cells[], size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char *colon = strrchr(cells[i], ':');
        if (colon && colon > cells[i] && isdigit((unsigned char)colon[1]))
            return cells[i];
    }
    return NULL;
}

/* users:(("envoy",pid=12,fd=9)) or 12/envoy */
static bool find_pid(const char *process, char pid[16])
{
    const char *at = strstr(process, "pid=");
    at = at ? at + 4 : process;
    size_t len = strspn(at, "0123456789");
    if (len && len < 16)
        net_copy(pid, 16, at, len);
    return len && len < 16;
}

static void add_socket(struct host_session *session, char *address, const char *process)
{
    struct evidence *evidence = session->reading->evidence;
    char pid[16], *colon = strrchr(address, ':');
    struct record *record = host_add(session, "host.sockets");
    if (!record)
        return;
    *colon = '\0';
    evidence_set(evidence, record, "address", address);
    evidence_set(evidence, record, "port", colon + 1);
    if (!process || strcmp(process, "-") == 0)
        return;
    evidence_set(evidence, record, "process", process);
    if (find_pid(process, pid))
        evidence_set(evidence, record, "pid", pid);
}

/* An empty table has a header all the same: nobody listens. */
static bool is_header(const char *line)
{
    return (strstr(line, "Local Address") &&
            (strstr(line, "Recv-Q") || strstr(line, "Foreign Address"))) ||
           strstr(line, "Active Internet connections");
}

static bool sockets_line(struct host_session *session, const char *line)
{
    char *cells[16], *save = NULL;
    size_t len = 0;
    if (is_header(line)) {
        host_supply(session, "host.sockets");
        return true;
    }
    if (!strstr(line, "LISTEN"))
        return false;
    char *copy = xstrdup(line);
    for (char *cell = strtok_r(copy, " \t", &save); cell && len < ARRAY_LEN(cells);
         cell = strtok_r(NULL, " \t", &save))
        cells[len++] = cell;
    char *address = find_address(cells, len);
    const char *last = len ? cells[len - 1] : "";
    bool holder = strstr(last, "pid=") || strchr(last, '/') || strcmp(last, "-") == 0;
    if (address) {
        add_socket(session, address, holder ? last : NULL);
        session->process.inside = false;
    }
    free(copy);
    return address;
}

static bool sockets_mark(const char *line)
{
    return is_header(line) || (strstr(line, "LISTEN") && strstr(line, "users:(("));
}

const struct host_part host_sockets = {.line = sockets_line, .mark = sockets_mark};
