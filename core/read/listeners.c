/* Stage: read. /listeners as JSON or text: one record per address of each accepted listener. */
#include "base/str.h"
#include "read/proto.h"
#include "read/readers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 2048 };

struct listener_line {
    char name[LINE_BYTES_MAX];
    const char *address, *port; /* port NULL for paths */
};

static bool is_port(const char *text)
{
    return *text && strlen(text) <= 5 && strspn(text, "0123456789") == strlen(text);
}

static bool is_host(const char *text, size_t len)
{
    if (len > 2 && text[0] == '[' && text[len - 1] == ']')
        return strspn(text + 1, "0123456789abcdefABCDEF:.%") == len - 2;
    return len > 0 && strspn(text, "0123456789.") >= len;
}

/* "NAME::0.0.0.0:80", "NAME::[::]:80", "NAME::/run/x.sock", cut into its parts. */
static bool parse_line(const char *line, size_t len, struct listener_line *out)
{
    if (len >= sizeof out->name)
        return false;
    memcpy(out->name, line, len);
    out->name[len] = '\0';
    char *bracket = strrchr(out->name, '['), *mark = NULL;
    if (bracket && bracket >= out->name + 2 && bracket[-1] == ':' && bracket[-2] == ':')
        mark = bracket - 2;
    else
        for (char *at = out->name; (at = strstr(at, "::")); at++)
            mark = at;
    if (!mark || mark == out->name)
        return false;
    *mark = '\0';
    out->address = mark + 2;
    out->port = NULL;
    if (*out->address == '/' || *out->address == '@')
        return true;
    char *colon = strrchr(out->address, ':');
    if (!colon || !is_port(colon + 1) || !is_host(out->address, (size_t)(colon - out->address)))
        return false;
    *colon = '\0';
    out->port = colon + 1;
    return true;
}

static bool all_lines_fit(const struct peek *peek)
{
    struct listener_line parts;
    const char *at = peek->text, *end = peek->text + peek->len;
    int lines = 0;
    while (at < end && lines < 50) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        size_t text = len && at[len - 1] == '\r' ? len - 1 : len;
        if (text && !parse_line(at, text, &parts))
            return !stop && !peek->whole && lines;
        lines += text > 0;
        at = stop ? stop + 1 : end;
    }
    return lines > 0;
}

static int recognise(const struct peek *peek)
{
    if (peek->shape == PEEK_JSON_OBJECT && peek_has_key(peek, "listener_statuses"))
        return 95;
    if (peek->shape == PEEK_JSON_OBJECT && peek->whole && !peek->keys[0])
        return strstr(peek->name, "listeners") ? 70 : 0;
    return peek->shape == PEEK_TEXT && all_lines_fit(peek) ? 75 : 0;
}

static void set_address(struct reading *reading, struct record *record, const cJSON *address)
{
    char text[PROTO_ADDRESS_MAX], number[32];
    const char *host = proto_str(address, "socket_address.address");
    evidence_set(reading->evidence, record, "address",
                 host ? host : proto_address(address, "", text));
    evidence_set(reading->evidence, record, "port",
                 proto_scalar(address, "socket_address.port_value", number));
}

static void add_listener(struct reading *reading, const char *name, const cJSON *address,
                         const char *pointer)
{
    struct record *record = reading_add(reading, "listeners", pointer);
    if (!record)
        return;
    evidence_set(reading->evidence, record, "name", name);
    set_address(reading, record, address);
}

static void take(void *user, const struct json_piece *piece)
{
    struct reading *reading = user;
    const cJSON *status = piece->value, *address;
    int index = 0;
    if (piece->rule < 0)
        return;
    const char *name = proto_str(status, "name");
    add_listener(reading, name, proto_at(status, "local_address"), piece->pointer);
    cJSON_ArrayForEach (address, proto_at(status, "additional_local_addresses")) {
        char pointer[512];
        snprintf(pointer, sizeof pointer, "%s/additional_local_addresses/%d", piece->pointer,
                 index++);
        add_listener(reading, name, address, pointer);
    }
}

static void take_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    struct listener_line parts;
    if (!len || !parse_line(line, len, &parts))
        return;
    struct record *record = evidence_add(reading->evidence, "listeners", reading->source);
    if (!record)
        return;
    record->line = number;
    evidence_excerpt(reading->evidence, record, line, len);
    size_t host = strlen(parts.address);
    bool bracket = *parts.address == '[' && host > 2 && parts.address[host - 1] == ']';
    evidence_set(reading->evidence, record, "name", parts.name);
    evidence_setf(reading->evidence, record, "address", "%.*s", (int)(bracket ? host - 2 : host),
                  parts.address + bracket);
    evidence_set(reading->evidence, record, "port", parts.port);
}

static void read_source(struct reading *reading)
{
    static const char *const rules[] = {"listener_statuses", NULL};
    if (reading->peek->shape == PEEK_TEXT)
        reading_lines(reading, take_line);
    else
        reading_split(reading, rules, take, reading);
    evidence_supplied(reading->evidence, "listeners", reading->complete);
}

const struct reader read_listeners = {"listeners", (const char *const[]){"listeners", NULL},
                                      recognise, read_source};
