/* Stage: read. How containers fare as tools print it for people: `kubectl describe pod` and `docker ps -a`.
 * Reads lines of a pasted session; writes container_status. Deliberately takes nothing else of a description:
 * it leaves out what manifests say (users, capabilities), and what is left out must not look like absent. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "read/host_session.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 12 };

/* ---- kubectl describe pod ---- */

struct line { /* "  Key:   value" */
    char key[32];
    const char *value;
    size_t indent, gap; /* blanks before the key, and behind the colon */
};

static bool split_line(const char *text, struct line *out)
{
    out->indent = strspn(text, " \t");
    const char *colon = strchr(text + out->indent, ':');
    size_t len = colon ? (size_t)(colon - text) - out->indent : 0;
    if (!len || len >= sizeof out->key)
        return false;
    net_copy(out->key, sizeof out->key, text + out->indent, len);
    out->gap = strspn(colon + 1, " \t");
    out->value = colon + 1 + out->gap;
    return out->gap || !*out->value;
}

static void set_time(struct record *record, const char *text)
{
    if (*text)
        clock_parse(text, strlen(text), &record->time);
}

static void set(struct evidence *evidence, struct record *record, const char *column,
                const char *value)
{
    if (*value)
        evidence_set(evidence, record, column, value);
}

/* The container that was described until here. */
static void describe_emit(struct host_session *session)
{
    struct host_describe *at = &session->describe;
    struct evidence *evidence = session->reading->evidence;
    bool told = at->open && *at->now.state;
    at->open = false;
    if (!told)
        return;
    host_supply(session, "container_status");
    struct record *record = evidence_add(evidence, "container_status", session->reading->source);
    if (!record)
        return;
    const struct host_described *end = *at->last.state ? &at->last : &at->now;
    record->line = at->number;
    evidence_excerpt(evidence, record, at->excerpt, strlen(at->excerpt));
    evidence_set(evidence, record, "platform", "kubernetes");
    evidence_setf(evidence, record, "workload", "%s%s%s", at->space, *at->space ? "/" : "",
                  at->pod);
    evidence_set(evidence, record, "name", at->name);
    set(evidence, record, "image", at->image);
    set(evidence, record, "state", at->now.state);
    set(evidence, record, "reason", at->now.reason);
    set(evidence, record, "message", at->now.message);
    set(evidence, record, "exit_code", *at->now.code ? at->now.code : at->last.code);
    set(evidence, record, "last_reason", at->last.reason);
    set(evidence, record, "restarts", at->restarts);
    set(evidence, record, "health", at->health);
    if (at->init)
        evidence_set(evidence, record, "init", "yes");
    set_time(record, *end->finished ? end->finished : end->started);
}

static void begin_container(struct host_session *session, const char *name)
{
    struct host_describe *at = &session->describe;
    describe_emit(session);
    memset(&at->now, 0, sizeof at->now);
    memset(&at->last, 0, sizeof at->last);
    *at->image = *at->restarts = *at->health = *at->excerpt = '\0';
    NET_SET(at->name, name);
    at->open = true;
    at->states = NULL;
}

static void begin_state(struct host_session *session, struct host_described *state,
                        const char *value)
{
    struct host_describe *at = &session->describe;
    if (!at->open)
        begin_container(session, "");
    at->states = state;
    NET_SET(state->state, value);
    for (char *c = state->state; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    at->number = session->number;
    net_copy(at->excerpt, sizeof at->excerpt, session->line, session->len);
}

/* Reason, Exit Code and the like, of the state above them. */
static bool detail(struct host_describe *at, const struct line *line)
{
    struct host_described *state = at->states;
    const struct {
        const char *key;
        char *to;
        size_t cap;
    } details[] = {{"Reason", state->reason, sizeof state->reason},
                   {"Message", state->message, sizeof state->message},
                   {"Exit Code", state->code, sizeof state->code},
                   {"Started", state->started, sizeof state->started},
                   {"Finished", state->finished, sizeof state->finished}};
    for (size_t i = 0; i < ARRAY_LEN(details); i++) {
        if (strcmp(line->key, details[i].key) != 0)
            continue;
        net_copy(details[i].to, details[i].cap, line->value, strlen(line->value));
        return true;
    }
    return false;
}

static bool is_state(const char *value)
{
    return strcmp(value, "Running") == 0 || strcmp(value, "Waiting") == 0 ||
           strcmp(value, "Terminated") == 0;
}

static bool of_container(struct host_session *session, const struct line *line)
{
    struct host_describe *at = &session->describe;
    if (strcmp(line->key, "Image") == 0)
        NET_SET(at->image, line->value);
    else if (strcmp(line->key, "Ready") == 0)
        NET_SET(at->health, strcmp(line->value, "True") == 0 ? "ready" : "unready");
    else if (strcmp(line->key, "Restart Count") == 0)
        NET_SET(at->restarts, line->value);
    else
        return at->states && detail(at, line);
    return true;
}

/* "Containers:", "istio-proxy:", "Events:" */
static bool heading(struct host_session *session, const struct line *line)
{
    struct host_describe *at = &session->describe;
    bool containers = strcmp(line->key, "Containers") == 0;
    bool init = strcmp(line->key, "Init Containers") == 0;
    if (containers || init) {
        describe_emit(session);
        at->inside = true;
        at->init = init;
    } else if (at->inside && islower((unsigned char)*line->key) &&
               !line->key[strspn(line->key, "abcdefghijklmnopqrstuvwxyz0123456789-.")]) {
        begin_container(session, line->key);
    } else if (line->indent == 0 && at->inside) {
        describe_emit(session);
        at->inside = false;
        return false;
    } else {
        return false;
    }
    return true;
}

/* kubectl pads names with blanks, four and more behind "Name:", where /proc has a tab. */
static bool describe_line(struct host_session *session, const char *text)
{
    struct host_describe *at = &session->describe;
    struct line line;
    if (!split_line(text, &line))
        return false;
    if (line.indent == 0 && line.gap >= 4 && strcmp(line.key, "Name") == 0) {
        describe_emit(session);
        memset(at, 0, sizeof *at);
        NET_SET(at->pod, line.value);
        return true;
    }
    if (line.indent == 0 && *at->pod && strcmp(line.key, "Namespace") == 0) {
        NET_SET(at->space, line.value);
        return true;
    }
    if (!*line.value)
        return heading(session, &line);
    bool last = strcmp(line.key, "Last State") == 0;
    if (last || (strcmp(line.key, "State") == 0 && line.gap >= 4 && is_state(line.value))) {
        begin_state(session, last ? &at->last : &at->now, line.value);
        return true;
    }
    return at->open && of_container(session, &line);
}

static bool describe_mark(const char *text)
{
    struct line line;
    return split_line(text, &line) && line.gap >= 4 && is_state(line.value) &&
           (strcmp(line.key, "State") == 0 || strcmp(line.key, "Last State") == 0);
}

static void describe_end(struct host_session *session)
{
    describe_emit(session);
    memset(&session->describe, 0, sizeof session->describe);
}

const struct host_part host_describe = {
    .line = describe_line, .mark = describe_mark, .end = describe_end};

/* ---- docker ps ---- */

/* Cells stand two and more blanks apart. */
static size_t cut(char *line, char *cells[CELLS_MAX])
{
    size_t len = 0;
    for (char *at = line; at && *at && len < CELLS_MAX;) {
        cells[len++] = at;
        at = strstr(at, "  ");
        if (at) {
            *at++ = '\0';
            at += strspn(at, " ");
        }
    }
    return len;
}

static bool is_id(const char *cell)
{
    size_t len = strspn(cell, "0123456789abcdef");
    return len >= 12 && !cell[len];
}

/* "Exited (139) 9 minutes ago", "Up 2 hours (unhealthy)" */
static bool set_status(struct evidence *evidence, struct record *record, const char *status)
{
    static const char *const words[][2] = {
        {"Exited (", "exited"}, {"Restarting (", "restarting"}, {"Up ", "running"}};
    char code[8] = "";
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!str_starts(status, words[i][0]))
            continue;
        const char *digits = status + strlen(words[i][0]);
        if (i < 2)
            net_copy(code, sizeof code, digits, strspn(digits, "0123456789"));
        if (!record)
            return true;
        evidence_set(evidence, record, "state", words[i][1]);
        set(evidence, record, "exit_code", code);
        const char *unhealthy = strstr(status, "unhealthy)"), *healthy = strstr(status, "healthy)");
        if (healthy)
            evidence_set(evidence, record, "health", unhealthy ? "UNHEALTHY" : "HEALTHY");
        return true;
    }
    return false;
}

static bool docker_line(struct host_session *session, const char *text)
{
    struct evidence *evidence = session->reading->evidence;
    char *copy = xstrdup(text), *cells[CELLS_MAX], *status = NULL;
    size_t len = cut(copy, cells);
    for (size_t i = 2; len >= 4 && is_id(cells[0]) && i < len; i++)
        if (set_status(evidence, NULL, cells[i]))
            status = cells[i];
    struct record *record = status ? host_add(session, "container_status") : NULL;
    if (record) {
        evidence_set(evidence, record, "platform", "docker");
        evidence_set(evidence, record, "image", cells[1]);
        evidence_set(evidence, record, "name", cells[len - 1]);
        set_status(evidence, record, status);
    }
    free(copy);
    return status || str_starts(text, "CONTAINER ID ");
}

static bool docker_mark(const char *text)
{
    return str_starts(text, "CONTAINER ID ") && strstr(text, " STATUS ");
}

const struct host_part host_docker = {.line = docker_line, .mark = docker_mark};
