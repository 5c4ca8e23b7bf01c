/* Stage: read. /server_info in its three layouts: one text line (before 1.9), JSON with version and
 * state only, JSON with command line options and node. Supplies what is known for certain about the
 * proxy's identity. */
#include "base/str.h"
#include "evidence/identity.h"
#include "read/proto.h"
#include "read/readers.h"
#include <stdio.h>
#include <string.h>

enum { DOCUMENT_MAX = 4 << 20 };

static const char *const states[] = {"LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING", NULL};

/* "envoy 0123abc/1.8.0/Clean/DEBUG live 12 12 0" */
static bool is_old_line(const struct peek *peek)
{
    if (peek->shape != PEEK_TEXT || !str_starts(peek->text, "envoy "))
        return false;
    const char *sha = peek->text + 6;
    size_t hex = strspn(sha, "0123456789abcdef");
    return hex >= 7 && sha[hex] == '/' && sha[hex + 1] >= '0' && sha[hex + 1] <= '9';
}

static bool names_state(const struct peek *peek)
{
    char quoted[32];
    for (const char *const *state = states; *state; state++) {
        snprintf(quoted, sizeof quoted, "\"%s\"", *state);
        if (peek_has(peek, quoted))
            return true;
    }
    return false;
}

static int recognise(const struct peek *peek)
{
    static const char *const others[] = {"version", "uptime_current_epoch", "uptime_all_epochs",
                                         "command_line_options", "hot_restart_version"};
    if (is_old_line(peek))
        return 95;
    if (peek->shape != PEEK_JSON_OBJECT || !peek_has_key(peek, "state") || !names_state(peek))
        return 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (peek_has_key(peek, others[i]))
            return 95;
    return 40;
}

static void note(struct reading *reading, const char *column, const cJSON *info, const char *path,
                 const char *pointer)
{
    char number[32];
    identity_note(reading->evidence, reading->source, 0, pointer, IDENTITY_CERTAIN, column,
                  proto_scalar(info, path, number));
}

static void take_options(struct reading *reading, const cJSON *info)
{
    const cJSON *option;
    char number[32], pointer[128];
    cJSON_ArrayForEach (option, proto_at(info, "command_line_options")) {
        const char *value = json_scalar(option, "", number);
        if (!option->string || strpbrk(option->string, "/~") || !value || !*value)
            continue;
        snprintf(pointer, sizeof pointer, "/command_line_options/%s", option->string);
        struct record *record = evidence_wants(reading->evidence, "options", option->string)
                                    ? reading_add(reading, "options", pointer)
                                    : NULL;
        if (!record)
            continue;
        evidence_set(reading->evidence, record, "name", option->string);
        evidence_set(reading->evidence, record, "value", value);
    }
    evidence_supplied(reading->evidence, "options", true);
}

static void read_info(struct reading *reading, const cJSON *info, const char *prefix, uint64_t line)
{
    (void)prefix;
    (void)line;
    reading->source->records = 1;
    double seconds;
    char text[32];
    note(reading, "version", info, "version", "/version");
    note(reading, "state", info, "state", "/state");
    note(reading, "node_cluster", info, "node.cluster", "/node/cluster");
    note(reading, "node_cluster", info, "command_line_options.service_cluster",
         "/command_line_options/service_cluster");
    note(reading, "hot_restart", info, "hot_restart_version", "/hot_restart_version");
    note(reading, "log_level", info, "command_line_options.log_level",
         "/command_line_options/log_level");
    note(reading, "concurrency", info, "command_line_options.concurrency",
         "/command_line_options/concurrency");
    identity_note_node(reading->evidence, reading->source, "/node/id", IDENTITY_CERTAIN,
                       proto_str(info, "node.id"));
    identity_note_node(reading->evidence, reading->source, "/command_line_options/service_node",
                       IDENTITY_CERTAIN, proto_str(info, "command_line_options.service_node"));
    identity_note_agent(reading->evidence, reading->source, "/node/user_agent_name",
                        proto_str(info, "node.user_agent_name"));
    identity_note_metadata(reading->evidence, reading->source, "/node/metadata",
                           proto_at(info, "node.metadata"));
    if (proto_at(info, "command_line_options"))
        take_options(reading, info);
    if (proto_seconds(info, "uptime_current_epoch", &seconds)) {
        snprintf(text, sizeof text, "%.0f", seconds);
        identity_note(reading->evidence, reading->source, 0, "/uptime_current_epoch",
                      IDENTITY_CERTAIN, "uptime_s", text);
    }
}

static void read_old_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    char text[512], version[256], state[64], seconds[32];
    if (!len || len >= sizeof text)
        return;
    memcpy(text, line, len);
    text[len] = '\0';
    if (sscanf(text, "envoy %255s %63s %31s", version, state, seconds) != 3)
        return reading_partial(reading, "the line of /server_info cannot be read");
    reading->source->records = 1;
    for (char *at = state; *at; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    const char *const notes[][2] = {{"version", version}, {"state", state}, {"uptime_s", seconds}};
    for (size_t i = 0; i < 3; i++)
        identity_note(reading->evidence, reading->source, number, NULL, IDENTITY_CERTAIN,
                      notes[i][0], notes[i][1]);
}

static void read_source(struct reading *reading)
{
    if (reading->peek->shape == PEEK_TEXT)
        reading_lines(reading, read_old_line);
    else
        reading_documents(reading, DOCUMENT_MAX, read_info);
    evidence_supplied(reading->evidence, "proxy", reading->complete);
}

const struct reader read_server_info = {
    "server_info", (const char *const[]){"proxy", "options", NULL}, recognise, read_source};
