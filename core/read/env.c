/* Stage: read. Environment variables: env files, docker --env-file, the output of env, export and
 * declare -x, /proc/PID/environ with its NUL bytes, and the lists that an agent logs. Writes env. Further
 * lines of a value that holds line breaks are left out. */
#include "read/env.h"
#include "base/alloc.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/readers.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct variable {
    const char *name, *value;
    size_t name_len, value_len;
};

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static const char *skip_word(const char *at, const char *end, const char *word)
{
    size_t len = strlen(word);
    return (size_t)(end - at) > len && memcmp(at, word, len) == 0 ? at + len : at;
}

static void unquote(struct variable *variable)
{
    const char *value = variable->value;
    size_t len = variable->value_len;
    if (len >= 2 && (*value == '"' || *value == '\'') && value[len - 1] == *value) {
        variable->value++;
        variable->value_len -= 2;
    }
}

static bool take_variable(struct variable *variable, const char *line, size_t len)
{
    const char *end = line + len, *at = line;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    at = skip_word(at, end, "declare -x ");
    at = skip_word(at, end, "export ");
    variable->name = at;
    while (at < end && is_name(*at))
        at++;
    variable->name_len = (size_t)(at - variable->name);
    if (at == end || *at != '=' || !variable->name_len || isdigit((unsigned char)*variable->name))
        return false;
    variable->value = at + 1;
    variable->value_len = (size_t)(end - at - 1);
    while (variable->value_len && strchr(" \t\r", variable->value[variable->value_len - 1]))
        variable->value_len--;
    unquote(variable);
    return true;
}

/* ---- the reader ---- */

static void add_variable(struct reading *reading, const struct variable *variable, uint64_t line)
{
    char *name = xstrndup(variable->name, variable->name_len);
    char *value = xstrndup(variable->value, variable->value_len);
    identity_note_variable(reading->evidence, reading->source, line, NULL, name, value);
    struct record *record = NULL;
    if (evidence_wants(reading->evidence, "env", name))
        record = evidence_add(reading->evidence, "env", reading->source);
    if (record) {
        record->line = line;
        evidence_set(reading->evidence, record, "name", name);
        evidence_set(reading->evidence, record, "value", value);
    }
    free(value);
    free(name);
}

static void read_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    const char *end = line + len;
    while (line < end) {
        const char *nul = memchr(line, '\0', (size_t)(end - line));
        const char *stop = nul ? nul : end;
        struct variable variable;
        if (*line != '#' && take_variable(&variable, line, (size_t)(stop - line)))
            add_variable(reading, &variable, number);
        line = stop + 1;
    }
}

static void read_variables(struct reading *reading)
{
    reading_lines(reading, read_line);
    evidence_supplied(reading->evidence, "env", reading->complete);
}

/* ---- lists in logs ---- */

static void add_listed(struct evidence *evidence, const struct record *from,
                       const struct variable *variable)
{
    char buf[32];
    char *name = xstrndup(variable->name, variable->name_len);
    struct record *record = evidence_wants(evidence, "env", name)
                                ? evidence_add(evidence, "env", from->source)
                                : NULL;
    if (record) {
        char *value = xstrndup(variable->value, variable->value_len);
        record->line = from->line;
        record->pointer = from->pointer;
        record->time = from->time;
        evidence_set(evidence, record, "name", name);
        evidence_set(evidence, record, "value", value);
        evidence_set(evidence, record, "container", record_text(from, "container", buf));
        evidence_set(evidence, record, "workload", record_text(from, "workload", buf));
        free(value);
    }
    free(name);
}

/* Values may hold blanks: the next variable begins where a name and '=' follow one. */
static const char *next_listed(const char *at, const char *end)
{
    for (; at < end; at++) {
        const char *name = at + 1;
        if (*at != ' ')
            continue;
        while (name < end &&
               (isupper((unsigned char)*name) || isdigit((unsigned char)*name) || *name == '_'))
            name++;
        if (name < end && name > at + 1 && *name == '=')
            return at;
    }
    return end;
}

void env_take_list(struct evidence *evidence, const struct record *from, const char *list)
{
    const char *at = list, *end = list + strlen(list);
    while (at < end) {
        const char *stop = next_listed(at, end);
        struct variable variable;
        if (take_variable(&variable, at, (size_t)(stop - at)))
            add_listed(evidence, from, &variable);
        at = stop + 1;
    }
    /* only what begins with ENVOY_, APPMESH_ or APPNET_ is logged: never all there is */
    evidence_supplied(evidence, "env", false);
}

/* ---- recognising ---- */

struct lines { /* what the lines look like */
    size_t all, variables, upper, logfmt;
};

static bool is_upper(const struct variable *variable)
{
    for (size_t i = 0; i < variable->name_len; i++)
        if (islower((unsigned char)variable->name[i]))
            return false;
    return true;
}

/* time="..." level=info msg="..." is a log, not a variable with blanks in it. */
static bool is_logfmt(const struct variable *variable)
{
    static const char *const keys[] = {"time", "ts", "level", "msg", "caller", "logger"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strlen(keys[i]) == variable->name_len &&
            memcmp(keys[i], variable->name, variable->name_len) == 0)
            return true;
    return false;
}

static void look_at(struct lines *lines, const char *line, size_t len)
{
    struct variable variable;
    if (!len || *line == '#' || (len == 1 && *line == '\r'))
        return;
    lines->all++;
    if (!take_variable(&variable, line, len))
        return;
    lines->variables++;
    lines->upper += is_upper(&variable);
    lines->logfmt += is_logfmt(&variable);
}

static struct lines count_lines(const struct peek *peek)
{
    struct lines lines = {0};
    const char *at = peek->text, *end = at + peek->len;
    while (at < end) {
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop)
            stop++;
        if (stop < end || peek->whole)
            look_at(&lines, at, (size_t)(stop - at));
        at = stop + 1;
    }
    return lines;
}

static int recognise(const struct peek *peek)
{
    if (peek->shape == PEEK_JSON_OBJECT || peek->shape == PEEK_JSON_ARRAY)
        return 0;
    struct lines lines = count_lines(peek);
    if (!lines.variables || lines.logfmt || lines.upper * 2 < lines.variables)
        return 0;
    bool named = str_ends(peek->name, ".env") || str_ends(peek->name, "environ");
    if (lines.variables == lines.all)
        return named || lines.all > 1 ? 80 : 60;
    return lines.variables * 5 >= lines.all * 4 || (named && lines.variables * 2 >= lines.all) ? 55
                                                                                               : 0;
}

static const char *const supplies[] = {"proxy", "env", NULL};

const struct reader read_env = {
    .kind = "env", .supplies = supplies, .recognise = recognise, .read = read_variables};
