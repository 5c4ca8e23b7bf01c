/* Stage: read. What a host says about itself, in whatever order it was pasted: /proc/PID/status, sysctl
 * (or the bare file of one setting), ss and netstat. Writes host.process, host.sysctl and host.sockets,
 * each only when it was there. */
#include "base/alloc.h"
#include "base/str.h"
#include "read/containers.h"
#include "read/readers.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct host {               /* one source */
    struct record *process; /* the /proc/PID/status that is being read */
    bool in_process;        /* between Name: and the next one, wanted or not */
    bool processes, sysctls, sockets;
    const char *line; /* as it stands, for excerpts */
    size_t line_len;
};

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* ---- /proc/PID/status ---- */

static const char *const status_columns[][2] = {{"Name", "name"},
                                                {"Pid", "pid"},
                                                {"CapEff", "cap_eff"},
                                                {"CapPrm", "cap_prm"},
                                                {"CapBnd", "cap_bnd"},
                                                {"CapAmb", "cap_amb"},
                                                {"NoNewPrivs", "no_new_privs"}};

static void begin_process(struct reading *reading, uint64_t line)
{
    struct host *host = reading->user;
    host->process = evidence_add(reading->evidence, "host.process", reading->source);
    if (host->process)
        host->process->line = line;
    host->in_process = host->processes = true;
}

/* "Uid:	1000	1001	1001	1001": the second is the effective one. */
static void set_uid(struct reading *reading, struct record *record, char *value)
{
    char *save = NULL, *uid = strtok_r(value, " \t", &save);
    char *effective = strtok_r(NULL, " \t", &save);
    evidence_set(reading->evidence, record, "uid", effective ? effective : uid);
}

static bool is_status(const char *key, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(status_columns); i++)
        if (strlen(status_columns[i][0]) == len && memcmp(status_columns[i][0], key, len) == 0)
            return true;
    return len == 3 && memcmp(key, "Uid", 3) == 0;
}

static bool read_status(struct reading *reading, char *line, uint64_t number)
{
    struct host *host = reading->user;
    char *colon = strchr(line, ':');
    bool blank = colon && (colon[1] == '\t' || colon[1] == ' ');
    if (!blank || !is_status(line, (size_t)(colon - line)))
        return false;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    /* grep'ed lines have no Name: the first of them begins the process. */
    if (strcmp(line, "Name") == 0 || !host->in_process)
        begin_process(reading, number);
    if (!host->process)
        return true;
    if (strcmp(line, "Uid") == 0)
        set_uid(reading, host->process, value);
    for (size_t i = 0; i < ARRAY_LEN(status_columns); i++)
        if (strcmp(line, status_columns[i][0]) == 0)
            evidence_set(reading->evidence, host->process, status_columns[i][1], value);
    return true;
}

/* ---- sysctl ---- */

static void add_sysctl(struct reading *reading, const char *name, const char *value, uint64_t line)
{
    struct host *host = reading->user;
    host->sysctls = true;
    if (!evidence_wants(reading->evidence, "host.sysctl", name))
        return;
    struct record *record = evidence_add(reading->evidence, "host.sysctl", reading->source);
    if (!record)
        return;
    record->line = line;
    evidence_excerpt(reading->evidence, record, host->line, host->line_len);
    evidence_set(reading->evidence, record, "name", name);
    evidence_set(reading->evidence, record, "value", value);
}

/* "net.ipv4.ip_unprivileged_port_start = 1024" */
static bool read_sysctl(struct reading *reading, char *line, uint64_t number)
{
    size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/");
    char *equals = line + len + strspn(line + len, " \t");
    if (!len || *equals != '=' || !memchr(line, '.', len))
        return false;
    line[len] = '\0';
    add_sysctl(reading, line, skip_blanks(equals + 1), number);
    return true;
}

static bool is_port_file(const char *name)
{
    return strstr(name, "ip_unprivileged_port_start");
}

/* A number alone: the file itself, or what `cat` printed of it behind the process's status. */
static bool read_bare_number(struct reading *reading, const char *line, uint64_t number)
{
    struct host *host = reading->user;
    int64_t value;
    bool here = is_port_file(reading->source->name) || (host->processes && !host->sysctls);
    if (!here || !str_to_int64(line, &value) || value < 0 || value > 65535)
        return false;
    add_sysctl(reading, CONTAINERS_PORT_SYSCTL, line, number);
    return true;
}

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
static const char *find_pid(const char *process, char pid[16])
{
    const char *at = strstr(process, "pid=");
    at = at ? at + 4 : process;
    size_t len = strspn(at, "0123456789");
    if (!len || len > 15)
        return NULL;
    memcpy(pid, at, len);
    pid[len] = '\0';
    return pid;
}

static void add_socket(struct reading *reading, char *address, const char *process, uint64_t line)
{
    const struct host *host = reading->user;
    char pid[16], *colon = strrchr(address, ':');
    struct record *record = evidence_add(reading->evidence, "host.sockets", reading->source);
    if (!record)
        return;
    record->line = line;
    evidence_excerpt(reading->evidence, record, host->line, host->line_len);
    *colon = '\0';
    evidence_set(reading->evidence, record, "address", address);
    evidence_set(reading->evidence, record, "port", colon + 1);
    if (!process || strcmp(process, "-") == 0)
        return;
    evidence_set(reading->evidence, record, "process", process);
    evidence_set(reading->evidence, record, "pid", find_pid(process, pid));
}

static bool read_socket(struct reading *reading, char *line, uint64_t number)
{
    struct host *host = reading->user;
    bool listening = strstr(line, "LISTEN");
    char *cells[16], *save = NULL;
    size_t len = 0;
    if (!listening)
        return false;
    for (char *cell = strtok_r(line, " \t", &save); cell && len < ARRAY_LEN(cells);
         cell = strtok_r(NULL, " \t", &save))
        cells[len++] = cell;
    char *address = find_address(cells, len);
    if (!address)
        return false;
    const char *last = cells[len - 1];
    bool holder = strstr(last, "pid=") || strchr(last, '/') || strcmp(last, "-") == 0;
    host->sockets = true;
    add_socket(reading, address, holder ? last : NULL, number);
    return true;
}

/* An empty table has a header all the same: nobody listens. */
static bool read_socket_header(struct reading *reading, const char *line)
{
    struct host *host = reading->user;
    if (!strstr(line, "Local Address") && !strstr(line, "Active Internet connections"))
        return false;
    host->sockets = true;
    return true;
}

/* ---- the reader ---- */

static void read_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    struct host *host = reading->user;
    char *copy = xstrndup(line, len);
    host->line = line;
    host->line_len = len;
    len = strlen(copy);
    while (len && isspace((unsigned char)copy[len - 1]))
        copy[--len] = '\0';
    if (read_status(reading, copy, number) || read_sysctl(reading, copy, number) ||
        read_bare_number(reading, copy, number) || read_socket_header(reading, copy))
        goto out;
    if (read_socket(reading, copy, number))
        host->in_process = false;
out:
    free(copy);
}

static void read_facts(struct reading *reading)
{
    struct host host = {0};
    reading->user = &host;
    reading_lines(reading, read_line);
    reading->user = NULL;
    if (host.processes)
        evidence_supplied(reading->evidence, "host.process", reading->complete);
    if (host.sysctls)
        evidence_supplied(reading->evidence, "host.sysctl", reading->complete);
    if (host.sockets)
        evidence_supplied(reading->evidence, "host.sockets", reading->complete);
}

static bool is_bare_number(const struct peek *peek)
{
    size_t digits = 0;
    while (digits < peek->len && isdigit((unsigned char)peek->text[digits]))
        digits++;
    return digits && peek->whole && peek->len - digits <= 2 && is_port_file(peek->name);
}

static int recognise(const struct peek *peek)
{
    if (is_bare_number(peek))
        return 90;
    if (peek->shape != PEEK_TEXT && peek->shape != PEEK_YAML)
        return 0;
    if (peek_has(peek, "CapEff:") || peek_has(peek, "CapBnd:"))
        return 90;
    if (peek_has(peek, "net.ipv4.ip_unprivileged_port_start ="))
        return 85;
    bool table = peek_has(peek, "Local Address") &&
                 (peek_has(peek, "Recv-Q") || peek_has(peek, "Foreign Address"));
    return table ? 85 : peek_has(peek, "LISTEN") && peek_has(peek, "users:((") ? 80 : 0;
}

static const char *const supplies[] = {"host.process", "host.sockets", "host.sysctl", NULL};

const struct reader read_host = {
    .kind = "host", .supplies = supplies, .recognise = recognise, .read = read_facts};
