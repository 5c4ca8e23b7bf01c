/* Stage: read. Name resolution as dig, nslookup, host and getent print it: one net.dns for a name that was
 * asked for. What a tool does not tell (getent says nothing at all of a failure) stays "failed". */
#include "base/str.h"
#include "read/host_session.h"
#include <ctype.h>
#include <string.h>

static void flush(struct host_session *session)
{
    struct host_dns *dns = &session->dns;
    bool known = *dns->open.name || *dns->open.status;
    if (dns->active && known && *dns->open.status) {
        host_supply(session, "net.dns");
        net_add_dns(session->reading, &dns->open);
    }
    *dns = (struct host_dns){0};
}

static struct net_dns *begin(struct host_session *session, const char *tool)
{
    struct host_dns *dns = &session->dns;
    flush(session);
    dns->active = true;
    dns->open.tool = tool;
    return &dns->open;
}

static struct net_dns *current(struct host_session *session, const char *tool)
{
    return session->dns.active ? &session->dns.open : begin(session, tool);
}

static void place(struct host_session *session, struct net_dns *dns, const char *line)
{
    net_place_at(&dns->place, line, session->number);
}

static size_t name_len(const char *name)
{
    size_t len = strcspn(name, " \t:");
    return len && name[len - 1] == '.' ? len - 1 : len;
}

static void set_status(struct host_session *session, struct net_dns *dns, const char *code,
                       size_t len, const char *line)
{
    const char *status = net_dns_status(code, len);
    NET_SET(dns->status, status ? status : "failed");
    if (strcmp(dns->status, "NOERROR") != 0)
        NET_SET(dns->error, line);
    place(session, dns, line);
}

static void add_address(struct host_session *session, struct net_dns *dns, const char *text,
                        const char *line)
{
    char address[64];
    net_copy(address, sizeof address, text, strcspn(text, " \t#"));
    if (!net_is_address(address))
        return;
    if (!*dns->addresses || strcmp(dns->status, "NOERROR") != 0)
        place(session, dns, line);
    net_list(dns->addresses, sizeof dns->addresses, address, strlen(address));
    NET_SET(dns->status, "NOERROR");
    *dns->error = '\0';
}

/* Nobody answered: a refused packet or none at all. */
static bool no_answer(struct host_session *session, const char *line)
{
    static const char *const texts[] = {
        ";; connection timed out",          ";; no servers could be reached",
        "** no servers could be reached",   ";; communications error",
        "connection timed out; no servers", ";; timed out"};
    bool found = false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        found |= str_starts(line, texts[i]) ||
                 (*line == ';' && strstr(line, "no servers could be reached"));
    if (!found)
        return false;
    struct net_dns *dns = current(session, "dig");
    const char *server = strstr(line, "error to ");
    if (server && !*dns->server)
        net_copy(dns->server, sizeof dns->server, server + 9, strcspn(server + 9, ":# "));
    if (*dns->addresses)
        return true;
    bool refused = strstr(line, "refused") || strcmp(dns->status, "refused") == 0;
    NET_SET(dns->status, refused ? "refused" : "timeout");
    if (!*dns->error) {
        NET_SET(dns->error, line);
        place(session, dns, line);
    }
    return true;
}

/* ---- dig ---- */

static bool dig_answer(struct host_session *session, const char *line)
{
    struct net_dns *dns = &session->dns.open;
    const char *record = strstr(line, "\tA\t"), *record6 = strstr(line, "\tAAAA\t");
    if (!session->dns.answers || session->dns.server || *line == ';' || !*line)
        return false;
    if (record || record6)
        add_address(session, dns, record ? record + 3 : record6 + 6, line);
    return true;
}

static bool dig_header(struct host_session *session, const char *line)
{
    if (str_starts(line, "; <<>> DiG")) {
        bool fresh = !session->dns.active || *session->dns.open.place.text == '\0' ||
                     !strstr(session->dns.open.error, "communications error");
        struct net_dns *dns = &session->dns.open;
        if (fresh && (!session->dns.active || *dns->status))
            dns = begin(session, "dig");
        const char *at = strstr(line + 10, "<<>>");
        const char *name = at ? strrchr(at, ' ') : NULL;
        if (name && !*dns->name && strchr(name, '.') && !strchr("+-@", name[1]))
            net_copy(dns->name, sizeof dns->name, name + 1, name_len(name + 1));
        return true;
    }
    const char *status = str_starts(line, ";; ->>HEADER<<-") ? strstr(line, "status: ") : NULL;
    if (!status)
        return false;
    struct net_dns *dns = current(session, "dig");
    if (*dns->status && (!*dns->error || strcmp(dns->status, "NXDOMAIN") == 0)) {
        char name[NET_NAME_MAX];
        NET_SET(name, dns->name);
        dns = begin(session, "dig");
        NET_SET(dns->name, name);
    }
    set_status(session, dns, status + 8, strcspn(status + 8, ","), line);
    return true;
}

static bool dig_line(struct host_session *session, const char *line)
{
    struct host_dns *dns = &session->dns;
    if (dig_header(session, line))
        return true;
    if (!dns->active)
        return false;
    if (str_starts(line, ";; "))
        dns->answers = str_starts(line, ";; ANSWER SECTION");
    if (str_starts(line, ";; SERVER: "))
        net_copy(dns->open.server, sizeof dns->open.server, line + 11, strcspn(line + 11, "# "));
    bool question = *line == ';' && line[1] && !strchr("; ", line[1]) && strstr(line, "\tIN\t");
    if (question)
        net_copy(dns->open.name, sizeof dns->open.name, line + 1, name_len(line + 1));
    return *line == ';' || dig_answer(session, line);
}

/* ---- nslookup, host ---- */

static bool nslookup_failure(struct host_session *session, const char *line)
{
    static const char text[] = "** server can't find ";
    if (!str_starts(line, text))
        return false;
    struct net_dns *dns = current(session, "nslookup");
    const char *name = line + sizeof text - 1, *code = strrchr(line, ' ');
    if (*dns->addresses)
        return true; /* the question for AAAA, behind a good answer for A */
    net_copy(dns->name, sizeof dns->name, name, name_len(name));
    if (code)
        set_status(session, dns, code + 1, strlen(code + 1), line);
    return true;
}

/* "Server:\t\t10.0.0.2" */
static bool nslookup_server(struct host_session *session, const char *line)
{
    char server[64];
    if (!str_starts(line, "Server:"))
        return false;
    const char *value = line + 7 + strspn(line + 7, "\t ");
    net_copy(server, sizeof server, value, strcspn(value, " #"));
    if (!net_is_address(server))
        return false;
    bool begun = session->dns.active && !*session->dns.open.status;
    struct net_dns *dns = begun ? &session->dns.open : begin(session, "nslookup");
    dns->tool = "nslookup";
    session->dns.server = true;
    NET_SET(dns->server, server);
    return true;
}

static bool nslookup_line(struct host_session *session, const char *line)
{
    static const char unresolved[] = "nslookup: can't resolve '";
    struct host_dns *state = &session->dns;
    if (nslookup_failure(session, line) || nslookup_server(session, line))
        return true;
    if (str_starts(line, unresolved)) {
        struct net_dns *dns = current(session, "nslookup");
        const char *name = line + sizeof unresolved - 1;
        net_copy(dns->name, sizeof dns->name, name, strcspn(name, "'"));
        set_status(session, dns, "", 0, line);
        return true;
    }
    if (!state->active || !state->server)
        return false;
    if (str_starts(line, "Name:")) {
        const char *name = line + 5 + strspn(line + 5, "\t ");
        net_copy(state->open.name, sizeof state->open.name, name, name_len(name));
        state->answers = true;
        return true;
    }
    const char *colon = str_starts(line, "Address") ? strchr(line, ':') : NULL;
    if (colon && state->answers)
        add_address(session, &state->open, colon + 1 + strspn(colon + 1, "\t "), line);
    return colon || str_starts(line, "Non-authoritative answer") || str_starts(line, "*** ");
}

/* "xds.internal has address 10.0.0.1", "Host x not found: 3(NXDOMAIN)" */
static bool host_line(struct host_session *session, const char *line)
{
    static const char *const answers[] = {" has address ", " has IPv6 address "};
    for (size_t i = 0; i < 2; i++) {
        const char *at = strstr(line, answers[i]);
        if (!at || memchr(line, ' ', (size_t)(at - line)))
            continue;
        struct net_dns *dns = current(session, "host");
        dns->tool = "host";
        if (!*dns->name)
            net_copy(dns->name, sizeof dns->name, line, (size_t)(at - line));
        add_address(session, dns, at + strlen(answers[i]), line);
        return true;
    }
    const char *code = str_starts(line, "Host ") ? strstr(line, " not found: ") : NULL;
    const char *open = code ? strchr(code, '(') : NULL;
    if (!open)
        return false;
    struct net_dns *dns = current(session, "host");
    if (*dns->addresses)
        return true;
    net_copy(dns->name, sizeof dns->name, line + 5, (size_t)(code - line) - 5);
    set_status(session, dns, open + 1, strcspn(open + 1, ")"), line);
    return true;
}

/* ---- getent, dig +short ---- */

/* The last word of the command that is no option: what was asked for. */
static void name_from_command(struct host_session *session, struct net_dns *dns)
{
    static const char *const types[] = {"A",      "AAAA",     "ANY",     "hosts",
                                        "ahosts", "ahostsv4", "ahostsv6"};
    const struct net_command *command = &session->command;
    for (int i = 1; i < command->argc; i++) {
        const char *word = command->argv[i];
        bool type = false;
        if (strchr(word, '>') || strchr(word, '|') || *word == ';')
            break;
        for (size_t k = 0; k < sizeof types / sizeof *types; k++)
            type |= strcmp(word, types[k]) == 0;
        if (*word == '@')
            NET_SET(dns->server, word + 1);
        else if (!type && !strchr("+-", *word) && (!*dns->name || !net_is_address(word)))
            net_copy(dns->name, sizeof dns->name, word, name_len(word));
        if (strchr(word, ';'))
            break;
    }
    dns->name[strcspn(dns->name, ";")] = '\0';
}

static void dns_command(struct host_session *session)
{
    static const char *const tools[] = {"dig", "nslookup", "host", "getent"};
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        bool hosts = i < 3 ||
                     (session->command.argc > 2 && strstr(session->command.argv[1], "hosts"));
        if (!net_command_is(&session->command, tools[i]) || !hosts)
            continue;
        struct net_dns *dns = begin(session, tools[i]);
        name_from_command(session, dns);
        net_place_at(&dns->place, session->line, session->number);
        net_copy(dns->place.text, sizeof dns->place.text, session->line, session->len);
        /* Nothing behind it: getent's way of saying that there is no such name. */
        if (i == 3)
            NET_SET(dns->status, "failed");
    }
}

static bool short_answer(struct host_session *session, const char *line)
{
    struct host_dns *dns = &session->dns;
    const struct net_command *command = &session->command;
    bool getent = net_command_is(command, "getent");
    bool plain = net_command_is(command, "dig") && net_command_has(command, "+short");
    if (!dns->active || (!getent && !plain) || !*line)
        return false;
    add_address(session, &dns->open, line, line);
    if (plain && !*dns->open.status && str_ends(line, "."))
        return true;
    return *dns->open.addresses || (getent && strspn(line, "0123456789") == strlen(line));
}

static bool dns_line(struct host_session *session, const char *line)
{
    return no_answer(session, line) || short_answer(session, line) || dig_line(session, line) ||
           nslookup_line(session, line) || host_line(session, line);
}

static bool dns_mark(const char *line)
{
    return str_starts(line, "; <<>> DiG") || str_starts(line, ";; ->>HEADER<<-") ||
           str_starts(line, "** server can't find ") ||
           str_starts(line, ";; connection timed out") ||
           (str_starts(line, "Host ") && strstr(line, " not found: 3(NXDOMAIN)"));
}

const struct host_part host_dns = {
    .line = dns_line, .command = dns_command, .end = flush, .mark = dns_mark};
