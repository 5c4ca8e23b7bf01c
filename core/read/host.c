/* Stage: read. What an engineer asked a host by hand, as one file or a pasted terminal session: offers
 * each line to the parts that know one tool's output (process, sockets, dns, curl, openssl, firewall ...),
 * which write host.*, net.* and container_status. Lines that stand between such outputs are left to the log reader. */
#include "base/alloc.h"
#include "base/str.h"
#include "read/host_session.h"
#include "read/readers.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_LINES = 4000, STRANGE_MAX = 1 };

static const struct host_part *const parts[] = {
    &host_mesh,    &host_describe, &host_docker,       &host_status,  &host_limits,
    &host_sysctl,  &host_sockets,  &host_capabilities, &host_openssl, &host_curl,
    &host_connect, &host_dns,      &host_firewall,     &host_routes,  &host_facts};

static void note(const char *names[HOST_SUPPLIES_MAX], const char *name)
{
    for (size_t i = 0; i < HOST_SUPPLIES_MAX; i++) {
        if (!names[i])
            names[i] = name;
        if (strcmp(names[i], name) == 0)
            return;
    }
}

void host_supply(struct host_session *session, const char *name)
{
    note(session->supplied, name);
}

void host_supply_part(struct host_session *session, const char *name)
{
    note(session->supplied_part, name);
}

static struct record *add(struct host_session *session, const char *name)
{
    struct reading *reading = session->reading;
    struct record *record = evidence_add(reading->evidence, name, reading->source);
    if (!record)
        return NULL;
    record->line = session->number;
    evidence_excerpt(reading->evidence, record, session->line, session->len);
    return record;
}

struct record *host_add(struct host_session *session, const char *name)
{
    host_supply(session, name);
    return add(session, name);
}

struct record *host_add_part(struct host_session *session, const char *name)
{
    host_supply_part(session, name);
    return add(session, name);
}

static void end_all(struct host_session *session)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i]->end)
            parts[i]->end(session);
}

static void begin_command(struct host_session *session, const struct net_command *command)
{
    end_all(session);
    session->command.argc = 0;
    if (!command)
        return;
    session->command = *command;
    for (int i = 0; i < command->argc; i++)
        session->command.argv[i] = session->command.text + (command->argv[i] - command->text);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i]->command)
            parts[i]->command(session);
}

static void read_text(struct host_session *session, const char *text)
{
    struct net_command command;
    enum net_line kind = net_command_parse(&command, text);
    if (kind != NET_LINE_OUTPUT)
        begin_command(session, kind == NET_LINE_COMMAND ? &command : NULL);
    session->strange += kind == NET_LINE_FOREIGN;
    if (kind != NET_LINE_OUTPUT)
        return;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i]->line(session, text))
            return;
    session->strange += *text != '\0';
}

/* Without the blanks at the end, and without a NUL, which no tool prints. */
static void read_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    struct host_session *session = reading->user;
    char *copy = xstrndup(line, len);
    session->line = line;
    session->len = len;
    session->number = number;
    len = strlen(copy);
    while (len && isspace((unsigned char)copy[len - 1]))
        copy[--len] = '\0';
    read_text(session, copy);
    free(copy);
}

/* What tools say of the network stands in many an incident's log, where checks know it by its words. */
static bool is_text_too(const char *name)
{
    return str_starts(name, "net.") || strcmp(name, "host.firewall") == 0;
}

static void read_session(struct reading *reading)
{
    struct host_session *session = xcalloc(1, sizeof *session);
    session->reading = reading;
    reading->user = session;
    reading_lines(reading, read_line);
    reading->user = NULL;
    end_all(session);
    reading->prose = session->strange > STRANGE_MAX;
    for (size_t i = 0; i < HOST_SUPPLIES_MAX && session->supplied[i]; i++) {
        evidence_supplied(reading->evidence, session->supplied[i], reading->complete);
        reading->prose |= is_text_too(session->supplied[i]);
    }
    for (size_t i = 0; i < HOST_SUPPLIES_MAX && session->supplied_part[i]; i++)
        evidence_supplied(reading->evidence, session->supplied_part[i], false);
    buf_release(&session->openssl.pem);
    free(session);
}

static bool is_port_file(const struct peek *peek)
{
    size_t digits = 0;
    while (digits < peek->len && isdigit((unsigned char)peek->text[digits]))
        digits++;
    return digits && peek->whole && peek->len - digits <= 2 &&
           strstr(peek->name, "ip_unprivileged_port_start");
}

/* Tells nothing by its words. */
static bool is_hosts_file(const struct peek *peek)
{
    return str_starts(peek->name, "host/hosts");
}

/* curl that does not tell about its work shows a page, and the page says itself what it is. */
static bool is_talkative(const struct net_command *command)
{
    static const char *const quiet[] = {"cat", "grep"};
    for (size_t i = 0; i < ARRAY_LEN(quiet); i++)
        if (net_command_is(command, quiet[i]))
            return false;
    bool curl = net_command_is(command, "curl"), talks = net_command_has(command, "--verbose");
    for (int i = 1; curl && i < command->argc; i++) {
        const char *word = command->argv[i];
        talks |= *word == '-' && word[1] != '-' && strpbrk(word, "viIw");
    }
    return !curl || talks;
}

enum { SCORE_OUTPUT = 90, SCORE_COMMAND = 55 };

static int score(const char *line)
{
    struct net_command command;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i]->mark && parts[i]->mark(line))
            return SCORE_OUTPUT;
    bool asked = net_command_parse(&command, line) == NET_LINE_COMMAND && is_talkative(&command);
    return asked ? SCORE_COMMAND : 0;
}

static int recognise(const struct peek *peek)
{
    char line[512];
    int best = 0;
    if (is_port_file(peek) || is_hosts_file(peek))
        return SCORE_OUTPUT;
    if (peek->shape != PEEK_TEXT && peek->shape != PEEK_YAML)
        return 0;
    const char *at = peek->text, *end = peek->text + peek->len;
    for (int i = 0; i < LOOK_LINES && at < end; i++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        net_copy(line, sizeof line, at, len);
        line[strcspn(line, "\r")] = '\0';
        int found = score(line);
        best = found > best ? found : best;
        if (best == SCORE_OUTPUT)
            return best;
        at = stop ? stop + 1 : end;
    }
    return best;
}

static const char *const supplies[] = {"container_status", "host.cgroup",
                                       "host.clock",       "host.firewall",
                                       "host.hosts_file",  "host.limits",
                                       "host.process",     "host.resolver",
                                       "host.routes",      "host.sockets",
                                       "host.sysctl",      "net.connect",
                                       "net.dns",          "net.http",
                                       "net.tls",          "xds.sync",
                                       "clusters",         "hosts",
                                       "listeners",        "certs",
                                       "xds.resources",    NULL};

const struct reader read_host = {
    .kind = "host", .supplies = supplies, .recognise = recognise, .read = read_session};
