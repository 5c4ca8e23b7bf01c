/* Stage: read. /stats as text and JSON, whole or as an excerpt; the Prometheus layout is read in
 * stats_prometheus.c. Histograms are left out. A second sample (sample-2/) adds to each statistic how
 * much it grew. Asks for each name whether anybody wants it before it keeps anything. */
#include "read/stats.h"
#include "base/str.h"
#include "evidence/identity.h"
#include "read/proto.h"
#include "read/readers.h"
#include <stdio.h>
#include <string.h>

enum {
    NAME_BYTES_MAX = 4096,
    VALUE_BYTES_MAX = 4096,
    LOOK_LINES = 60,
    ZEROS_MAX = EVIDENCE_ROWS_MAX / 10 * 8,
    CLUSTERS_MAX = EVIDENCE_ROWS_MAX / 100 * 95,
};

/* ---- records ---- */

static void note_identity(struct reading *reading, const char *name, const char *value)
{
    static const char *const states[] = {"LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING"};
    const char *column = NULL;
    if (strcmp(name, "server.state") == 0 && *value >= '0' && *value <= '3' && !value[1]) {
        column = "state";
        value = states[*value - '0'];
    } else if (strcmp(name, "server.uptime") == 0) {
        column = "uptime_s";
    } else if (strcmp(name, "server.concurrency") == 0) {
        column = "concurrency";
    }
    if (column)
        identity_note(reading->evidence, reading->source, 0, name, IDENTITY_HINT, column, value);
}

static void set_change(struct reading *reading, struct record *record, const char *value)
{
    double before, now;
    if (record_number(record, "value", &before) && str_to_double(value, &now))
        evidence_setf(reading->evidence, record, "change", "%.0f", now - before);
    evidence_set(reading->evidence, record, "value", value);
    record->source = reading->source;
}

/* In a proxy with very many clusters theirs would crowd out the few that tell how the proxy itself
 * fares, because they come first: near the table's limit the zeros go, then all of them. */
static bool crowds_out(struct reading *reading, const char *name, const char *value)
{
    if (strncmp(name, "cluster.", 8) != 0)
        return false;
    uint64_t count = evidence_count(reading->evidence, "stats");
    bool zero = strcmp(value, "0") == 0;
    if (count < (zero ? ZEROS_MAX : CLUSTERS_MAX))
        return false;
    if (reading->complete)
        reading_partial(reading,
                        "more than %d statistics are wanted: from there on those of clusters "
                        "that are 0 were left out",
                        ZEROS_MAX);
    return true;
}

void stats_add(struct reading *reading, const char *name, const char *value)
{
    struct evidence *evidence = reading->evidence;
    if (strncmp(name, "server.", 7) == 0)
        note_identity(reading, name, value);
    if (!evidence_wants(evidence, "stats", name))
        return;
    struct record *known = evidence_find(evidence, "stats", name);
    if (known) { /* the first one stands, unless this is the second look at it */
        if (known->source != reading->source && str_starts(reading->source->name, "sample-2/"))
            set_change(reading, known, value);
        return;
    }
    if (crowds_out(reading, name, value))
        return;
    struct record *record = reading_add(reading, "stats", name);
    if (!record)
        return;
    evidence_set(evidence, record, "name", name);
    evidence_set(evidence, record, "value", value);
}

/* ---- text ---- */

struct stat_line {
    const char *name, *value;
    size_t name_len, value_len; /* value_len 0: a histogram */
};

static bool is_histogram(const char *value, size_t len)
{
    return (len > 2 && value[0] == 'P' && value[1] >= '0' && value[1] <= '9' &&
            memchr(value, '(', len)) ||
           (len >= 18 && memcmp(value, "No recorded values", 18) == 0);
}

/* A count ("12", "-1") or a readout in quotes. */
static bool is_value(const char *value, size_t len)
{
    if (len >= 2 && *value == '"' && value[len - 1] == '"')
        return true;
    size_t at = len && *value == '-';
    size_t digits = at;
    while (digits < len && value[digits] >= '0' && value[digits] <= '9')
        digits++;
    return digits == len && digits > at;
}

static bool parse_line(const char *line, size_t len, struct stat_line *out)
{
    while (len && (line[len - 1] == ' ' || line[len - 1] == '\r'))
        len--;
    const char *colon = memchr(line, ':', len);
    while (colon && (colon + 1 >= line + len || colon[1] != ' '))
        colon = memchr(colon + 1, ':', (size_t)(line + len - colon - 1));
    if (!colon || colon == line)
        return false;
    *out = (struct stat_line){line, colon + 2, (size_t)(colon - line),
                              (size_t)(line + len - colon - 2)};
    if (is_histogram(out->value, out->value_len))
        out->value_len = 0;
    else if (!is_value(out->value, out->value_len))
        return false;
    return !memchr(line, '\t', out->name_len);
}

static void take_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    (void)number;
    char name[NAME_BYTES_MAX], value[VALUE_BYTES_MAX];
    struct stat_line stat;
    if (!parse_line(line, len, &stat) || !stat.value_len || stat.name_len >= sizeof name)
        return;
    memcpy(name, stat.name, stat.name_len);
    name[stat.name_len] = '\0';
    bool quoted = *stat.value == '"';
    size_t value_len = stat.value_len - (quoted ? 2 : 0);
    if (value_len >= sizeof value)
        value_len = sizeof value - 1;
    memcpy(value, stat.value + quoted, value_len);
    value[value_len] = '\0';
    stats_add(reading, name, value);
}

static bool is_envoy_name(const char *name, size_t len)
{
    static const char *const roots[] = {"cluster.",       "cluster_manager.",
                                        "listener.",      "listener_manager.",
                                        "http.",          "server.",
                                        "control_plane.", "runtime.",
                                        "grpc.",          "sds.",
                                        "main_thread.",   "workers.",
                                        "filesystem.",    "tls_inspector.",
                                        "tcp.",           "vhost.",
                                        "overload.",      "dns.",
                                        "wasm.",          "thread_local_cluster_manager."};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (len > strlen(roots[i]) && memcmp(name, roots[i], strlen(roots[i])) == 0)
            return true;
    return false;
}

/* Most lines are statistics, and some of them Envoy's. */
static bool is_text(const struct peek *peek)
{
    const char *at = peek->text, *end = peek->text + peek->len;
    int lines = 0, fit = 0, known = 0;
    while (at < end && lines < LOOK_LINES) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        struct stat_line stat;
        size_t len = (size_t)((stop ? stop : end) - at);
        if (parse_line(at, len, &stat)) {
            fit++;
            known += is_envoy_name(stat.name, stat.name_len);
        }
        lines += len > 0;
        at = stop ? stop + 1 : end;
    }
    return known && fit * 4 >= lines * 3;
}

/* ---- JSON ---- */

static void take_piece(void *user, const struct json_piece *piece)
{
    struct reading *reading = user;
    char number[32];
    if (piece->rule < 0)
        return;
    const char *name = json_str(piece->value, "name");
    const char *value = name ? json_scalar(piece->value, "value", number) : NULL;
    if (value)
        stats_add(reading, name, value);
}

/* ---- both ---- */

static int recognise(const struct peek *peek)
{
    if (peek->shape == PEEK_JSON_OBJECT)
        return peek_has_key(peek, "stats") && !peek_has_key(peek, "name") &&
                       (peek_has(peek, "\"value\"") || peek_has(peek, "\"histograms\""))
                   ? 90
                   : 0;
    if (peek->shape != PEEK_TEXT && peek->shape != PEEK_YAML)
        return 0;
    if (is_text(peek))
        return 85;
    return stats_is_prometheus(peek) ? 85 : 0;
}

static void read_source(struct reading *reading)
{
    static const char *const rules[] = {"stats", NULL};
    if (reading->peek->shape == PEEK_JSON_OBJECT)
        reading_split(reading, rules, take_piece, reading);
    else if (is_text(reading->peek))
        reading_lines(reading, take_line);
    else
        stats_read_prometheus(reading);
    evidence_supplied(reading->evidence, "stats", reading->complete);
}

const struct reader read_stats = {"stats", (const char *const[]){"stats", "proxy", NULL}, recognise,
                                  read_source};
