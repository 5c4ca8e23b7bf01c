/* Stage: read. /clusters as text: "NAME::...::KEY::VALUE" lines, cut from the right because addresses
 * and cluster names may hold colons. Lines of one cluster, and of one host, stand together. */
#include "base/alloc.h"
#include "read/clusters.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 4096 };

struct cluster_line { /* all inside one copy of the line */
    char text[LINE_BYTES_MAX];
    const char *name;
    const char *scope; /* host, default_priority, high_priority, outlier; NULL: of the cluster */
    const char *key, *value;
};

struct text_state {
    struct clusters clusters;
    char name[LINE_BYTES_MAX]; /* of the cluster that is being read; "" before the first */
    char host[LINE_BYTES_MAX];
    uint64_t cluster_line;
    struct pending_row *row; /* of the host; NULL: none, or too many */
};

/* Cuts the last "::" part off TEXT; NULL when there is none. */
static char *cut_last(char *text)
{
    char *mark = NULL;
    for (char *at = text; (at = strstr(at, "::")); at++)
        mark = at;
    if (!mark)
        return NULL;
    *mark = '\0';
    return mark + 2;
}

/* "[fe80::1]:80" holds colons itself. */
static char *cut_scope(char *text)
{
    char *bracket = strrchr(text, '[');
    if (!bracket || bracket < text + 2 || !strchr(bracket, ']') || bracket[-1] != ':')
        return cut_last(text);
    bracket[-2] = '\0';
    return bracket;
}

static bool is_cluster_key(const char *key)
{
    static const char *const keys[] = {"added_via_api", "eds_service_name", "observability_name",
                                       "version_info"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static bool parse_line(const char *line, size_t len, struct cluster_line *out)
{
    if (len >= sizeof out->text)
        return false;
    memcpy(out->text, line, len);
    out->text[len] = '\0';
    out->value = cut_last(out->text);
    out->key = out->value ? cut_last(out->text) : NULL;
    if (!out->key)
        return false;
    out->scope = is_cluster_key(out->key) ? NULL : cut_scope(out->text);
    out->name = out->text;
    return *out->name && (out->scope || is_cluster_key(out->key));
}

bool clusters_is_text(const struct peek *peek)
{
    static const char *const marks[] = {
        "::added_via_api::",      "::default_priority::", "::cx_active::", "::health_flags::",
        "::observability_name::", "::cx_connect_fail::",  "::rq_error::"};
    if (peek->shape != PEEK_TEXT && peek->shape != PEEK_YAML)
        return false;
    if (peek->text[strspn(peek->text, " \r\n")] == '[')
        return false; /* a log with a piece of it behind: the log says more */
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (peek_has(peek, marks[i]))
            return true;
    return false;
}

static void end_cluster(struct text_state *state)
{
    if (!*state->name)
        return;
    clusters_end(&state->clusters, "", state->cluster_line, state->name);
    *state->name = *state->host = '\0';
    state->row = NULL;
}

static void take_cluster_key(struct text_state *state, const struct cluster_line *line)
{
    if (strcmp(line->key, "added_via_api") == 0)
        clusters_set(&state->clusters, "added_via_api",
                     strcmp(line->value, "true") == 0 ? "yes" : "no");
    else if (strcmp(line->key, "eds_service_name") == 0 && strcmp(line->value, line->name) != 0)
        clusters_set(&state->clusters, "eds_service_name", line->value);
}

static void take_host_key(struct text_state *state, const struct cluster_line *line,
                          uint64_t number)
{
    static const char *const counters[] = {"cx_active", "cx_connect_fail", "cx_total", "rq_total",
                                           "rq_error"};
    if (strcmp(state->host, line->scope) != 0) {
        snprintf(state->host, sizeof state->host, "%s", line->scope);
        state->row = clusters_add_host(&state->clusters, "", number, line->scope);
    }
    if (strcmp(line->key, "health_flags") == 0)
        clusters_set_health(&state->clusters, state->row, line->value);
    if (!state->row)
        return;
    if (strcmp(line->key, "hostname") == 0 && *line->value)
        pending_set(&state->clusters.hosts, state->row, "hostname", line->value);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        if (strcmp(line->key, counters[i]) == 0)
            pending_set(&state->clusters.hosts, state->row, counters[i], line->value);
}

static void take_limit(struct text_state *state, const struct cluster_line *line)
{
    static const char *const limits[] = {"max_connections", "max_pending_requests", "max_requests",
                                         "max_retries"};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (strcmp(line->key, limits[i]) == 0)
            clusters_set(&state->clusters, limits[i], line->value);
}

static void take_line(struct reading *reading, const char *text, size_t len, uint64_t number)
{
    struct text_state *state = reading->user;
    struct cluster_line line;
    if (!parse_line(text, len, &line))
        return;
    if (strcmp(state->name, line.name) != 0) {
        end_cluster(state);
        snprintf(state->name, sizeof state->name, "%s", line.name);
        state->cluster_line = number;
    }
    if (!line.scope)
        take_cluster_key(state, &line);
    else if (strcmp(line.scope, "default_priority") == 0)
        take_limit(state, &line);
    else if (strcmp(line.scope, "high_priority") != 0 && strcmp(line.scope, "outlier") != 0)
        take_host_key(state, &line, number);
}

void clusters_read_text(struct reading *reading)
{
    struct text_state *state = xcalloc(1, sizeof *state);
    clusters_init(&state->clusters, reading);
    reading->user = state;
    reading_lines(reading, take_line);
    end_cluster(state);
    reading->user = NULL;
    clusters_release(&state->clusters);
    free(state);
}
