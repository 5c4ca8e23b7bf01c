/* Stage: read. Events of a cluster: the objects of `kubectl get events -o json`, and the table that
 * kubectl prints (plain or wide). Writes k8s.events and hands every message to the log engine.
 * Ages ("18m") are not made into times: the table does not say when it was printed. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "read/containers.h"
#include "read/focus.h"
#include "read/kubernetes.h"
#include "read/readers.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEPT_UNASKED = 500, /* events that no check asks for: the timeline shows them */
};

struct event {
    const char *reason, *type, *kind, *message;
    char object[KUBERNETES_NAME_MAX];
    char container[128]; /* "" when the event is not about one */
    int64_t time;
    uint64_t count;
    const char *pointer; /* or, for lines: */
    uint64_t line;
    const char *text; /* the line as it stands */
    size_t len;
};

static void add_row(struct reading *reading, const struct event *event)
{
    const struct need_set *needs = evidence_needs(reading->evidence);
    bool asked = !needs || need_set_wants(needs, "k8s.events", event->reason);
    bool room = evidence_count(reading->evidence, "k8s.events") < KEPT_UNASKED;
    if ((!asked && !room) || !evidence_in_window(reading->evidence, event->time))
        return;
    struct record *record = NULL;
    if (event->pointer)
        record = reading_add(reading, "k8s.events", event->pointer);
    else
        record = evidence_add(reading->evidence, "k8s.events", reading->source);
    if (!record)
        return;
    record->time = event->time;
    record->line = event->line;
    if (event->line)
        evidence_excerpt(reading->evidence, record, event->text, event->len);
    evidence_set(reading->evidence, record, "reason", event->reason);
    evidence_set(reading->evidence, record, "type", event->type);
    evidence_set(reading->evidence, record, "kind", event->kind);
    evidence_set(reading->evidence, record, "object", event->object);
    evidence_set(reading->evidence, record, "message", event->message);
    if (*event->container)
        evidence_set(reading->evidence, record, "container", event->container);
    if (event->count)
        evidence_setf(reading->evidence, record, "count", "%" PRIu64, event->count);
}

static void emit(struct reading *reading, const struct event *event)
{
    char place[32];
    if (!focus_event(reading, event->kind, event->object))
        return;
    snprintf(place, sizeof place, "line %" PRIu64, event->line);
    add_row(reading, event);
    containers_scan(reading,
                    &(struct scan_text){.text = event->message,
                                        .pointer = event->pointer ? event->pointer : place,
                                        .time = event->time,
                                        .origin = "kubernetes",
                                        .container = *event->container ? event->container : NULL,
                                        .workload = event->object,
                                        .count = event->count});
}

/* "spec.containers{envoy}" -> "envoy" */
static void take_container(struct event *event, const char *path)
{
    const char *open = path ? strchr(path, '{') : NULL;
    const char *close = open ? strchr(open, '}') : NULL;
    if (close)
        snprintf(event->container, sizeof event->container, "%.*s", (int)(close - open - 1),
                 open + 1);
}

/* ---- objects ---- */

static int64_t time_of(const cJSON *event)
{
    static const char *const names[] = {"lastTimestamp",           "series.lastObservedTime",
                                        "deprecatedLastTimestamp", "eventTime",
                                        "firstTimestamp",          "metadata.creationTimestamp"};
    int64_t time = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && !time; i++)
        time = containers_time(event, names[i]);
    return time;
}

static uint64_t count_of(const cJSON *event)
{
    static const char *const names[] = {"count", "series.count", "deprecatedCount"};
    int64_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && count <= 0; i++)
        json_int(event, names[i], &count);
    return count > 0 ? (uint64_t)count : 0;
}

void kubernetes_event(struct kubernetes_object *object)
{
    const cJSON *json = object->json, *about = json_at(json, "involvedObject");
    if (!about)
        about = json_at(json, "regarding");
    const char *message = json_str(json, "message");
    struct event event = {.reason = json_str(json, "reason"),
                          .type = json_str(json, "type"),
                          .kind = json_str(about, "kind"),
                          .message = message ? message : json_str(json, "note"),
                          .time = time_of(json),
                          .count = count_of(json),
                          .pointer = object->pointer};
    kubernetes_name(event.object, json_str(about, "namespace"), json_str(about, "name"));
    take_container(&event, json_str(about, "fieldPath"));
    evidence_supplied(object->reading->evidence, "k8s.events", object->reading->complete);
    emit(object->reading, &event);
}

/* ---- the table ---- */

enum field {
    NAMESPACE,
    LAST_SEEN,
    TYPE,
    REASON,
    OBJECT,
    SUBOBJECT,
    SOURCE,
    MESSAGE,
    FIRST_SEEN,
    COUNT,
    NAME,
    FIELDS
};

static const char *const titles[FIELDS] = {"NAMESPACE",  "LAST SEEN", "TYPE",   "REASON",
                                           "OBJECT",     "SUBOBJECT", "SOURCE", "MESSAGE",
                                           "FIRST SEEN", "COUNT",     "NAME"};

struct column {
    enum field field;
    size_t start; /* in characters */
};

struct table { /* the header that rules the lines below it */
    struct column columns[FIELDS];
    size_t len;
    bool wide;        /* cells may be empty: only positions tell */
    const char *line; /* the row that is read, as it stands */
    size_t line_len;
};

static size_t skip(const char *text, size_t at, const char *set)
{
    return at + strspn(text + at, set);
}

static bool read_header(struct table *table, const char *line)
{
    struct table header = {.len = 0};
    for (size_t at = skip(line, 0, " "); line[at] && header.len < FIELDS;) {
        enum field field = 0;
        while (field < FIELDS && !str_starts(line + at, titles[field]))
            field++;
        if (field == FIELDS)
            return false;
        header.wide |= field == SUBOBJECT;
        header.columns[header.len++] = (struct column){field, at};
        at = skip(line, at + strlen(titles[field]), " ");
    }
    if (header.len >= 5)
        *table = header;
    return header.len >= 5;
}

/* Byte offset of character N: kubectl pads by characters, not by bytes. */
static size_t offset_of(const char *text, size_t n)
{
    size_t at = 0;
    while (text[at] && n) {
        at++;
        while ((text[at] & 0xc0) == 0x80)
            at++;
        n--;
    }
    return at;
}

static void trim_end(char *text)
{
    size_t len = strlen(text);
    while (len && strchr(" \t\r", text[len - 1]))
        text[--len] = '\0';
}

/* By position: cells may be empty. */
static void cut_wide(const struct table *table, char *line, char *cells[FIELDS])
{
    size_t starts[FIELDS];
    for (size_t i = 0; i < table->len; i++)
        starts[i] = offset_of(line, table->columns[i].start);
    for (size_t i = 0; i < table->len; i++) {
        cells[table->columns[i].field] = line + starts[i];
        if (i && starts[i] > starts[i - 1] && line[starts[i]])
            line[starts[i] - 1] = '\0';
    }
}

/* By runs of two and more blanks, the last column takes the rest: survives moved columns. */
static void cut_plain(const struct table *table, char *line, char *cells[FIELDS])
{
    char *at = line + skip(line, 0, " ");
    for (size_t i = 0; i < table->len; i++) {
        cells[table->columns[i].field] = at;
        char *end = i + 1 < table->len ? strstr(at, "  ") : NULL;
        if (!end)
            break;
        *end = '\0';
        at = end + 1 + strspn(end + 1, " ");
    }
}

/* "5m (x3 over 6m)" -> 3; "14" -> 14 */
static uint64_t times_seen(const char *cell, const char *age)
{
    const char *times = age ? strstr(age, "(x") : NULL;
    int64_t count = 0;
    if (times)
        return strtoull(times + 2, NULL, 10);
    return cell && str_to_int64(cell, &count) && count > 0 ? (uint64_t)count : 0;
}

/* "pod/web-1" -> kind and name */
static void take_object(struct event *event, char *object, const char *space)
{
    char *slash = strchr(object, '/');
    if (slash) {
        *slash = '\0';
        *object = (char)toupper((unsigned char)*object); /* as objects write it: Pod, Node */
    }
    event->kind = slash ? object : NULL;
    kubernetes_name(event->object, space, slash ? slash + 1 : object);
}

static bool read_row(struct reading *reading, const struct table *table, char *line,
                     uint64_t number)
{
    char *cells[FIELDS] = {0};
    if (table->wide)
        cut_wide(table, line, cells);
    else
        cut_plain(table, line, cells);
    for (int i = 0; i < FIELDS; i++)
        if (cells[i])
            trim_end(cells[i]);
    if (!cells[MESSAGE] || !cells[REASON] || !cells[OBJECT] || !*cells[REASON])
        return false;
    struct event event = {.reason = cells[REASON],
                          .type = cells[TYPE],
                          .message = cells[MESSAGE],
                          .count = times_seen(cells[COUNT], cells[LAST_SEEN]),
                          .line = number,
                          .text = table->line,
                          .len = table->line_len};
    take_object(&event, cells[OBJECT], cells[NAMESPACE]);
    take_container(&event, cells[SUBOBJECT]);
    emit(reading, &event);
    return true;
}

/* Lines outside the table (a prompt, another command's output) may hold a message all the same. */
static void read_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    struct table *table = reading->user;
    len = strnlen(line, len); /* as far as the copy goes */
    char *copy = xstrndup(line, len), place[32];
    snprintf(place, sizeof place, "line %" PRIu64, number);
    table->line = line;
    table->line_len = len;
    bool blank = !copy[skip(copy, 0, " \t")];
    if (blank || read_header(table, copy))
        goto out;
    if ((!table->len || !read_row(reading, table, copy, number)) && !reading->source->shared) {
        memcpy(copy, line, len);
        containers_scan(
            reading, &(struct scan_text){.text = copy, .pointer = place, .origin = "kubernetes"});
    }
out:
    free(copy);
}

/* ---- the reader ---- */

static bool has_table(const struct peek *peek)
{
    static const char title[] = "LAST SEEN";
    const char *header = memmem(peek->text, peek->len, title, sizeof title - 1);
    if (!header)
        return false;
    size_t left = peek->len - (size_t)(header - peek->text);
    const char *end = memchr(header, '\n', left);
    return memmem(header, end ? (size_t)(end - header) : left, "REASON", 6);
}

static void read_events(struct reading *reading)
{
    if (!has_table(reading->peek)) {
        kubernetes_objects(reading);
    } else {
        struct table table = {.len = 0};
        reading->user = &table;
        reading_lines(reading, read_line);
        reading->user = NULL;
    }
    evidence_supplied(reading->evidence, "k8s.events", reading->complete);
}

static int recognise(const struct peek *peek)
{
    if (peek->shape == PEEK_TEXT || peek->shape == PEEK_YAML)
        if (has_table(peek))
            return 85;
    if (peek->shape != PEEK_JSON_OBJECT && peek->shape != PEEK_JSON_ARRAY &&
        peek->shape != PEEK_YAML)
        return 0;
    return peek_has(peek, "involvedObject") || peek_has(peek, "\"regarding\"") ||
                   peek_has(peek, "EventList")
               ? 90
               : 0;
}

static const char *const supplies[] = {"k8s.events", "text", "event.*", NULL};

const struct reader read_kubernetes_events = {
    .kind = "k8s.events", .supplies = supplies, .recognise = recognise, .read = read_events};
