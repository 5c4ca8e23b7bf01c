/* Stage: read. What a host says of processes: /proc/PID/status, /proc/PID/limits, getpcaps and capsh.
 * Writes host.process and host.limits, a record each for a process and a limit. */
#include "base/alloc.h"
#include "base/str.h"
#include "read/host_session.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

static void set(struct host_session *session, struct record *record, const char *column,
                const char *value)
{
    if (record)
        evidence_set(session->reading->evidence, record, column, value);
}

/* ---- /proc/PID/status ---- */

static const char *const status_columns[][2] = {{"Name", "name"},
                                                {"Pid", "pid"},
                                                {"CapEff", "cap_eff"},
                                                {"CapPrm", "cap_prm"},
                                                {"CapBnd", "cap_bnd"},
                                                {"CapAmb", "cap_amb"},
                                                {"NoNewPrivs", "no_new_privs"},
                                                {"Seccomp", "seccomp"}};

static void begin_process(struct host_session *session)
{
    session->process.record = host_add(session, "host.process");
    session->process.inside = session->process.any = true;
}

/* "1000	1001	1001	1001": the second is the effective one. */
static void set_effective(struct host_session *session, const char *column, const char *value)
{
    const char *effective = skip_blanks(value + strcspn(value, " \t"));
    char id[24];
    if (!*effective)
        effective = value;
    net_copy(id, sizeof id, effective, strcspn(effective, " \t"));
    set(session, session->process.record, column, id);
}

static bool is_status(const char *key, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(status_columns); i++)
        if (strlen(status_columns[i][0]) == len && memcmp(status_columns[i][0], key, len) == 0)
            return true;
    return len == 3 && (memcmp(key, "Uid", 3) == 0 || memcmp(key, "Gid", 3) == 0);
}

/* A key of the same file that nobody reads, so that it is not strange. */
static bool is_other_status(const struct host_session *session, const char *line, const char *colon)
{
    return session->process.inside && colon && colon[1] == '\t' && isalpha((unsigned char)*line);
}

static bool status_line(struct host_session *session, const char *line)
{
    struct host_process *process = &session->process;
    const char *colon = strchr(line, ':');
    bool blank = colon && (colon[1] == '\t' || colon[1] == ' ');
    size_t len = blank ? (size_t)(colon - line) : 0;
    if (!blank || !is_status(line, len))
        return is_other_status(session, line, colon);
    const char *value = skip_blanks(colon + 1);
    bool first = strncmp(line, "Name:", 5) == 0;
    if (first && session->dns.active && session->dns.server)
        return false; /* nslookup's */
    /* grep'ed lines have no Name: the first of them begins the process. */
    if (first || !process->inside)
        begin_process(session);
    if (strncmp(line, "Pid:", 4) == 0)
        NET_SET(process->pid, value);
    if (strncmp(line, "Uid:", 4) == 0)
        set_effective(session, "uid", value);
    if (strncmp(line, "Gid:", 4) == 0)
        set_effective(session, "gid", value);
    for (size_t i = 0; i < ARRAY_LEN(status_columns); i++)
        if (strlen(status_columns[i][0]) == len && memcmp(line, status_columns[i][0], len) == 0)
            set(session, process->record, status_columns[i][1], value);
    return true;
}

static void status_end(struct host_session *session)
{
    session->process.inside = false;
}

static bool status_mark(const char *line)
{
    return str_starts(line, "CapEff:") || str_starts(line, "CapBnd:");
}

const struct host_part host_status = {.line = status_line, .end = status_end, .mark = status_mark};

/* ---- /proc/PID/limits ---- */

/* "Max open files            1024                 524288               files     " */
static bool limits_line(struct host_session *session, const char *line)
{
    char name[32], soft[32], hard[32], lower[32];
    if (str_starts(line, "Limit  ") && strstr(line, "Soft Limit"))
        return session->process.limits = true;
    if (!str_starts(line, "Max ") || strlen(line) < 40)
        return false;
    net_copy(name, sizeof name, line + 4, 22);
    for (size_t len = strlen(name); len && name[len - 1] == ' '; len--)
        name[len - 1] = '\0';
    if (sscanf(line + 26, "%31s %31s", soft, hard) != 2)
        return false;
    for (size_t i = 0; i <= strlen(name); i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    struct record *record = host_add(session, "host.limits");
    bool files = strcmp(lower, "open files") == 0;
    set(session, record, "name", lower);
    set(session, record, "soft", soft);
    set(session, record, "hard", hard);
    set(session, record, "pid", *session->process.pid ? session->process.pid : NULL);
    set(session, record, "open", files && *session->process.open ? session->process.open : NULL);
    return true;
}

static bool limits_mark(const char *line)
{
    return str_starts(line, "Max open files  ");
}

const struct host_part host_limits = {.line = limits_line, .mark = limits_mark};

/* ---- getpcaps, capsh ---- */

#define CAP_LAST 40

static const char *const capabilities[CAP_LAST + 1] = {"chown",
                                                       "dac_override",
                                                       "dac_read_search",
                                                       "fowner",
                                                       "fsetid",
                                                       "kill",
                                                       "setgid",
                                                       "setuid",
                                                       "setpcap",
                                                       "linux_immutable",
                                                       "net_bind_service",
                                                       "net_broadcast",
                                                       "net_admin",
                                                       "net_raw",
                                                       "ipc_lock",
                                                       "ipc_owner",
                                                       "sys_module",
                                                       "sys_rawio",
                                                       "sys_chroot",
                                                       "sys_ptrace",
                                                       "sys_pacct",
                                                       "sys_admin",
                                                       "sys_boot",
                                                       "sys_nice",
                                                       "sys_resource",
                                                       "sys_time",
                                                       "sys_tty_config",
                                                       "mknod",
                                                       "lease",
                                                       "audit_write",
                                                       "audit_control",
                                                       "setfcap",
                                                       "mac_override",
                                                       "mac_admin",
                                                       "syslog",
                                                       "wake_alarm",
                                                       "block_suspend",
                                                       "audit_read",
                                                       "perfmon",
                                                       "bpf",
                                                       "checkpoint_restore"};

uint64_t host_capability_mask(const char *list, size_t len)
{
    uint64_t mask = 0;
    const char *end = list + len;
    while (list < end) {
        size_t part = strcspn(list, ",");
        if (part > (size_t)(end - list))
            part = (size_t)(end - list);
        bool named = part > 4 && strncasecmp(list, "cap_", 4) == 0;
        for (unsigned bit = 0; named && bit <= CAP_LAST; bit++)
            if (strlen(capabilities[bit]) == part - 4 &&
                strncasecmp(capabilities[bit], list + 4, part - 4) == 0)
                mask |= UINT64_C(1) << bit;
        list += part + (part < (size_t)(end - list));
    }
    return mask;
}

struct sets {
    uint64_t effective, permitted;
};

/* One clause of libcap's text: "cap_a,cap_b+ep", "=ep", "cap_c-ep". */
static void apply(struct sets *sets, const char *clause, size_t len)
{
    size_t names = 0;
    while (names < len && !strchr("=+-", clause[names]))
        names++;
    bool all = !names || (names == 3 && strncmp(clause, "all", 3) == 0);
    uint64_t mask = all ? (UINT64_C(1) << (CAP_LAST + 1)) - 1 : host_capability_mask(clause, names);
    char operation = '\0';
    for (size_t i = names; i < len; i++) {
        if (strchr("=+-", clause[i])) {
            operation = clause[i];
            if (operation == '=')
                sets->effective &= ~mask, sets->permitted &= ~mask;
            continue;
        }
        uint64_t *set = clause[i] == 'e'   ? &sets->effective
                        : clause[i] == 'p' ? &sets->permitted
                                           : NULL;
        if (set)
            *set = operation == '-' ? *set & ~mask : *set | mask;
    }
}

static void set_sets(struct host_session *session, struct record *record, const char *text)
{
    struct sets sets = {0};
    for (const char *at = skip_blanks(text); *at; at = skip_blanks(at)) {
        size_t len = strcspn(at, " \t");
        apply(&sets, at, len);
        at += len;
    }
    if (!record)
        return;
    evidence_setf(session->reading->evidence, record, "cap_eff", "%016" PRIx64, sets.effective);
    evidence_setf(session->reading->evidence, record, "cap_prm", "%016" PRIx64, sets.permitted);
}

/* "12: = cap_net_bind_service+ep", also "Capabilities for `12': = ..." of old ones */
static bool getpcaps_line(struct host_session *session, const char *line)
{
    char pid[16];
    const char *at = line;
    if (str_starts(line, "Capabilities for `"))
        at += strlen("Capabilities for `");
    size_t digits = strspn(at, "0123456789");
    const char *colon = at + digits;
    colon += *colon == '\'';
    if (!digits || digits > 10 || *colon != ':' || colon[1] != ' ' || !strchr(colon, '='))
        return false;
    if (at == line && !net_command_is(&session->command, "getpcaps") && !strstr(line, "cap_") &&
        !str_starts(colon, ": ="))
        return false;
    net_copy(pid, sizeof pid, at, digits);
    struct record *record = host_add(session, "host.process");
    set(session, record, "pid", pid);
    set_sets(session, record, colon + 1);
    return true;
}

static bool is_other_capsh(const char *line)
{
    static const char *const starts[] = {"Current IAB:", "Securebits:", " secure-",
                                         "gid=",         "groups=",     "Guessed mode:"};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (str_starts(line, starts[i]))
            return true;
    return false;
}

/* capsh --print: the shell's own, which runs where the proxy runs. */
static bool capsh_line(struct host_session *session, const char *line)
{
    struct host_process *process = &session->process;
    if (str_starts(line, "Current: ") || strcmp(line, "Current:") == 0) {
        begin_process(session);
        set(session, process->record, "name", "capsh");
        set_sets(session, process->record, line + strlen("Current:"));
        return true;
    }
    bool bounding = str_starts(line, "Bounding set ="), ambient = str_starts(line, "Ambient set =");
    if (!process->inside || (!bounding && !ambient))
        return process->inside && is_other_capsh(line);
    const char *list = strchr(line, '=') + 1;
    if (process->record)
        evidence_setf(session->reading->evidence, process->record, bounding ? "cap_bnd" : "cap_amb",
                      "%016" PRIx64, host_capability_mask(list, strlen(list)));
    return true;
}

static bool capsh_user(struct host_session *session, const char *line)
{
    char uid[16];
    const char *euid = strstr(line, " euid=");
    if (!session->process.inside || !str_starts(line, "uid="))
        return false;
    const char *at = euid ? euid + 6 : line + 4;
    net_copy(uid, sizeof uid, at, strspn(at, "0123456789"));
    set(session, session->process.record, "uid", uid);
    return true;
}

static bool capabilities_line(struct host_session *session, const char *line)
{
    return getpcaps_line(session, line) || capsh_line(session, line) || capsh_user(session, line);
}

static bool capabilities_mark(const char *line)
{
    return str_starts(line, "Bounding set =");
}

const struct host_part host_capabilities = {.line = capabilities_line, .mark = capabilities_mark};
