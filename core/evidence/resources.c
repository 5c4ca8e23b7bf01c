/* Stage: evidence. The xDS truth table: joins the rows that dumps gave with references (filter chains,
 * clusters), counters of subscriptions and the log. Reads and writes evidence; what a dump says of a
 * resource's state is never overruled. Deliberately adds rows only for what is in trouble, named and
 * not there, or known from the log alone: 26,000 healthy clusters stay what they were. */
#include "evidence/resources.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "evidence/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BY_MAX = 3, TYPE_MAX = 32, NAME_MAX = 1024, NEW_MAX = 10000 };

struct row {
    struct record *record;
    const char *type, *name; /* name "": the type as a whole */
    bool dump;
    int by_len;
};

struct truth {
    struct evidence *evidence;
    struct row *rows;
    size_t len, cap;
    uint32_t *slots; /* index + 1, by type and name; open addressing, at most half full */
    size_t slots_cap;
    size_t added;
    bool endpoints; /* a dump lists endpoints, which it does only when they were asked for */
    bool nameless;  /* and some without a name: Envoy 1.22 does so with those of EDS */
};

/* ---- rows by type and name ---- */

static size_t hash_of(const char *type, const char *name)
{
    return table_hash(name) * 31 + table_hash(type);
}

static uint32_t *slot_of(const struct truth *truth, const char *type, const char *name)
{
    size_t mask = truth->slots_cap - 1, at = hash_of(type, name) & mask;
    while (truth->slots[at]) {
        const struct row *row = &truth->rows[truth->slots[at] - 1];
        if (strcmp(row->type, type) == 0 && strcmp(row->name, name) == 0)
            break;
        at = (at + 1) & mask;
    }
    return &truth->slots[at];
}

static void grow_slots(struct truth *truth)
{
    free(truth->slots);
    truth->slots_cap = truth->slots_cap ? truth->slots_cap * 4 : 256;
    truth->slots = xcalloc(truth->slots_cap, sizeof *truth->slots);
    for (size_t i = 0; i < truth->len; i++) {
        uint32_t *slot = slot_of(truth, truth->rows[i].type, truth->rows[i].name);
        if (!*slot)
            *slot = (uint32_t)i + 1;
    }
}

static struct row *find(const struct truth *truth, const char *type, const char *name)
{
    uint32_t at = truth->slots_cap ? *slot_of(truth, type, name) : 0;
    return at ? &truth->rows[at - 1] : NULL;
}

/* TYPE and NAME live as long as the record. */
static struct row *add_row(struct truth *truth, struct record *record, const char *type,
                           const char *name)
{
    if (truth->len == truth->cap) {
        truth->cap = truth->cap ? truth->cap * 2 : 256;
        truth->rows = xrealloc(truth->rows, truth->cap * sizeof *truth->rows);
    }
    struct row *row = &truth->rows[truth->len++];
    *row = (struct row){.record = record, .type = type, .name = name};
    if (truth->len * 2 > truth->slots_cap) {
        grow_slots(truth);
        return row;
    }
    uint32_t *slot = slot_of(truth, type, name);
    if (!*slot)
        *slot = (uint32_t)truth->len;
    return row;
}

/* A row that stands where FROM stands; NULL when nobody wants it. */
static struct row *make_row(struct truth *truth, const char *type, const char *name,
                            const char *state, const char *origin, const struct record *from)
{
    struct evidence *evidence = truth->evidence;
    bool wanted = evidence_wants(evidence, "xds.resources", type) && truth->added < NEW_MAX;
    struct record *record = wanted ? evidence_add(evidence, "xds.resources", from->source) : NULL;
    if (!record)
        return NULL;
    truth->added++;
    record->line = from->line;
    record->pointer = from->pointer;
    record->excerpt = from->excerpt;
    record->time = from->time;
    evidence_set(evidence, record, "type", type);
    evidence_set(evidence, record, "name", *name ? name : NULL);
    evidence_set(evidence, record, "state", state);
    evidence_set(evidence, record, "origin", origin);
    char buf[32];
    const char *kept = record_text(record, "name", buf);
    return add_row(truth, record, record_text(record, "type", buf), kept ? kept : "");
}

static const char *text_of(const struct row *row, const char *column)
{
    char buf[32]; /* columns of tables need none */
    return record_text(row->record, column, buf);
}

static void set(struct truth *truth, struct row *row, const char *column, const char *value)
{
    evidence_set(truth->evidence, row->record, column, value);
}

/* ---- what dumps gave ---- */

static void take_dump_row(struct truth *truth, struct record *record)
{
    char buf[32];
    const char *type = record_text(record, "type", buf), *name = record_text(record, "name", buf);
    const char *state = record_text(record, "state", buf);
    const char *version = record_text(record, "version", buf);
    if (!type || !state)
        return;
    struct row *row = add_row(truth, record, type, name ? name : "");
    bool sent = !str_equal(state, "static") && !str_equal(version, "uninitialized");
    row->dump = true;
    truth->endpoints |= str_equal(type, "endpoint");
    truth->nameless |= str_equal(type, "endpoint") && !name;
    set(truth, row, "origin", "dump");
    bool told = version || !str_equal(type, "secret") || !str_equal(state, "warming");
    if (!str_equal(state, "static") && told)
        set(truth, row, "sent", sent ? "yes" : "no");
}

static void take_dump(struct truth *truth)
{
    const struct record *record = NULL;
    while ((record = evidence_next(truth->evidence, "xds.resources", record)))
        take_dump_row(truth, (struct record *)(uintptr_t)record);
}

/* ---- who names what ---- */

static bool is_whole(const struct truth *truth, const char *table)
{
    return evidence_state(truth->evidence, table) == EVIDENCE_COMPLETE;
}

/* Whether a dump shows all resources of TYPE, so that one which is not there was not sent. */
static bool shows_all(const struct truth *truth, const char *type)
{
    bool routes = is_whole(truth, "xds.routes"), clusters = is_whole(truth, "xds.clusters");
    if (strcmp(type, "endpoint") == 0)
        return truth->endpoints && !truth->nameless;
    if (strcmp(type, "route") == 0)
        return routes;
    if (strcmp(type, "cluster") == 0)
        return clusters;
    return routes && clusters && is_whole(truth, "xds.listeners");
}

static void add_by(struct truth *truth, struct row *row, const char *kind, const char *name)
{
    const char *before = text_of(row, "referenced");
    char by[NAME_MAX];
    snprintf(by, sizeof by, "%s %s", kind, name ? name : "(unnamed)");
    if (row->by_len > BY_MAX || (before && strstr(before, by)))
        return;
    if (row->by_len++ == BY_MAX)
        evidence_setf(truth->evidence, row->record, "referenced", "%s, ...", before);
    else
        evidence_setf(truth->evidence, row->record, "referenced", "%s%s%s", before ? before : "",
                      before ? ", " : "", by);
}

static void refer(struct truth *truth, const char *type, const char *name, const char *kind,
                  const char *by, const struct record *from)
{
    struct row *row = name ? find(truth, type, name) : NULL;
    bool all = shows_all(truth, type);
    bool missing = name && !row &&
                   (all || strcmp(type, "route") == 0 || strcmp(type, "secret") == 0);
    if (missing && (row = make_row(truth, type, name, "named", "dump", from)) && all)
        set(truth, row, "sent", "no");
    if (row)
        add_by(truth, row, kind, by);
}

static void refer_all(struct truth *truth, const char *type, const char *names, const char *kind,
                      const char *by, const struct record *from)
{
    char name[NAME_MAX];
    while (names && *names) {
        size_t len = strcspn(names, ",");
        if (len && len < sizeof name) {
            memcpy(name, names, len);
            name[len] = '\0';
            refer(truth, type, name, kind, by, from);
        }
        names += len + (names[len] == ',');
    }
}

static void take_references(struct truth *truth)
{
    char buf[32];
    const struct record *at = NULL;
    while ((at = evidence_next(truth->evidence, "xds.filter_chains", at))) {
        const char *by = record_text(at, "listener", buf);
        if (str_equal(record_text(at, "routes_from", buf), "rds"))
            refer(truth, "route", record_text(at, "route_config", buf), "listener", by, at);
        refer_all(truth, "secret", record_text(at, "secrets", buf), "listener", by, at);
        refer_all(truth, "cluster", record_text(at, "clusters", buf), "listener", by, at);
    }
    while ((at = evidence_next(truth->evidence, "xds.routes", at))) {
        const char *action = record_text(at, "action", buf);
        const char *by = record_text(at, "route_config", buf);
        if (str_equal(action, "cluster") || str_equal(action, "weighted"))
            refer_all(truth, "cluster", record_text(at, "target", buf), "route", by, at);
    }
    while ((at = evidence_next(truth->evidence, "xds.clusters", at))) {
        const char *by = record_text(at, "name", buf);
        const char *service = record_text(at, "eds_service", buf);
        if (str_equal(record_text(at, "type", buf), "EDS"))
            refer(truth, "endpoint", service ? service : by, "cluster", by, at);
        refer_all(truth, "secret", record_text(at, "secrets", buf), "cluster", by, at);
    }
}

/* ---- counters ---- */

/* The scopes of subscriptions, as in "http.ingress.rds.ROUTES.update_rejected". */
static const struct scope {
    const char *type, *mark;
    bool named, anywhere; /* the mark may stand behind something */
} scopes[] = {{"listener", "listener_manager.lds.", false, false},
              {"cluster", "cluster_manager.cds.", false, false},
              {"route", ".rds.", true, true},
              {"secret", "sds.", true, true},
              {"endpoint", "cluster.", true, false}};

/* Of the statistic STAT, whose last part is LEAF: the type of its subscription, and the name. */
static const char *subscription(const char *stat, const char *leaf, char name[NAME_MAX])
{
    size_t len = strlen(stat), leaf_len = strlen(leaf);
    *name = '\0';
    for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
        const struct scope *scope = &scopes[i];
        size_t mark = strlen(scope->mark);
        const char *at = scope->anywhere ? strstr(stat, scope->mark) : stat;
        if (!at || strncmp(at, scope->mark, mark) != 0)
            continue;
        at += mark;
        size_t rest = len - (size_t)(at - stat);
        if (!scope->named)
            return rest == leaf_len ? scope->type : NULL;
        if (rest <= leaf_len + 1 || rest - leaf_len - 1 >= NAME_MAX)
            return NULL;
        memcpy(name, at, rest - leaf_len - 1);
        name[rest - leaf_len - 1] = '\0';
        return scope->type;
    }
    return NULL;
}

static double sibling(const struct evidence *evidence, const char *stat, const char *leaf,
                      const char *other)
{
    double value = -1;
    char *name = xasprintf("%.*s%s", (int)(strlen(stat) - strlen(leaf)), stat, other);
    const struct record *record = evidence_find((struct evidence *)(uintptr_t)evidence, "stats",
                                                name);
    free(name);
    return record && record_number(record, "value", &value) ? value : -1;
}

static void count(struct truth *truth, struct row *row, const char *column, double value)
{
    if (value >= 0)
        evidence_setf(truth->evidence, row->record, column, "%.0f", value);
}

static const char *version_text(const struct evidence *evidence, const char *stat, const char *leaf)
{
    char buf[32];
    char *name = xasprintf("%.*sversion_text", (int)(strlen(stat) - strlen(leaf)), stat);
    const struct record *record = evidence_find((struct evidence *)(uintptr_t)evidence, "stats",
                                                name);
    free(name);
    const char *text = record ? record_text(record, "value", buf) : NULL;
    return text && *text ? text : NULL;
}

/* One subscription, told by its update_attempt or update_rejected. */
static void take_counter(struct truth *truth, const struct record *record, const char *stat,
                         const char *leaf)
{
    char name[NAME_MAX];
    double value, change = 0;
    const char *type = subscription(stat, leaf, name);
    if (!type || !record_number(record, "value", &value) || value <= 0)
        return;
    double rejected = sibling(truth->evidence, stat, leaf, "update_rejected");
    double accepted = sibling(truth->evidence, stat, leaf, "update_success");
    struct row *row = find(truth, type, name);
    bool trouble = rejected > 0 || accepted == 0;
    /* clusters of other kinds than EDS count updates too: of those only rejections mean anything */
    if (!row && strcmp(type, "endpoint") == 0 && !(rejected > 0))
        return;
    if (!row && (trouble || !*name))
        row = make_row(truth, type, name,
                       accepted > 0   ? "accepted"
                       : rejected > 0 ? "rejected"
                                      : "requested",
                       "stats", record);
    if (!row)
        return;
    count(truth, row, "updates_accepted", accepted);
    count(truth, row, "updates_rejected", rejected);
    if (str_equal(text_of(row, "state"), "named") && accepted >= 0 && rejected >= 0) {
        set(truth, row, "state", accepted > 0 ? "accepted" : rejected > 0 ? "rejected" : "named");
        set(truth, row, "sent", accepted > 0 || rejected > 0 ? "yes" : "no");
    }
    if (!text_of(row, "accepted") && accepted > 0)
        set(truth, row, "accepted", version_text(truth->evidence, stat, leaf));
    if (record_number(record, "change", &change) && change > 0 &&
        str_equal(leaf, "update_rejected"))
        set(truth, row, "stale", "yes");
}

static void take_counters(struct truth *truth)
{
    static const char *const leaves[] = {"update_attempt", "update_rejected"};
    char buf[32];
    const struct record *at = NULL;
    while ((at = evidence_next(truth->evidence, "stats", at))) {
        const char *stat = record_text(at, "name", buf);
        for (size_t i = 0; stat && i < ARRAY_LEN(leaves); i++)
            if (str_ends(stat, leaves[i]))
                take_counter(truth, at, stat, leaves[i]);
    }
}

/* ---- the log ---- */

static const char *type_of_url(const char *url)
{
    static const char *const ends[][2] = {{".Listener", "listener"},
                                          {".Cluster", "cluster"},
                                          {".RouteConfiguration", "route"},
                                          {".ClusterLoadAssignment", "endpoint"},
                                          {".Secret", "secret"}};
    for (size_t i = 0; url && i < ARRAY_LEN(ends); i++)
        if (str_ends(url, ends[i][0]))
            return ends[i][1];
    return NULL;
}

static int64_t updated_at(const struct row *row)
{
    int64_t time = 0;
    const char *text = text_of(row, "updated");
    return text && clock_parse(text, strlen(text), &time) ? time : 0;
}

static void take_rejection(struct truth *truth, const struct record *line, const char *type,
                           const char *name, const char *reason)
{
    char when[CLOCK_TEXT_MAX];
    struct row *row = find(truth, type, name);
    if (row && row->dump && (strcmp(type, "listener") == 0 || updated_at(row) >= line->time))
        return; /* the dump keeps the errors of listeners itself; others were updated since */
    if (!row)
        row = make_row(truth, type, name, "rejected", "log", line);
    if (!row)
        return;
    set(truth, row, "error", reason);
    set(truth, row, "rejected", clock_text(line->time, when));
    set(truth, row, "sent", "yes");
    if (str_equal(text_of(row, "state"), "accepted"))
        set(truth, row, "stale", "yes"); /* an older one is in use */
    else if (!row->dump)
        set(truth, row, "state", "rejected");
}

/* The one resource of TYPE whose counters tell of rejections: a line without a name means it. */
static const char *only_rejected(const struct truth *truth, const char *type)
{
    const struct row *only = NULL;
    for (size_t i = 0; i < truth->len; i++) {
        const struct row *row = &truth->rows[i];
        const char *count = *row->name && strcmp(row->type, type) == 0
                                ? text_of(row, "updates_rejected")
                                : NULL;
        if (!count || strcmp(count, "0") == 0)
            continue;
        if (only)
            return "";
        only = row;
    }
    return only ? only->name : "";
}

/* "Error adding/updating listener(s) NAME: reason", further ones on lines of their own. */
static void take_refusal(struct truth *truth, const struct record *line)
{
    static const char opening[] = "Error adding/updating ", plural[] = "(s) ";
    char buf[32], name[NAME_MAX];
    const char *type = type_of_url(record_text(line, "type_url", buf));
    const char *text = record_text(line, "rest", buf);
    while (text && (*text == ' ' || *text == ':'))
        text++;
    if (!type || !text || !*text)
        return;
    const char *list = str_starts(text, opening) ? strstr(text, plural) : NULL;
    if (!list)
        return take_rejection(truth, line, type, only_rejected(truth, type), text);
    for (list += sizeof plural - 1; *list;) {
        size_t len = strcspn(list, "\n");
        const char *colon = memmem(list, len, ": ", 2);
        size_t name_len = colon ? (size_t)(colon - list) : 0;
        if (name_len && name_len < sizeof name && !memchr(list, ' ', name_len)) {
            memcpy(name, list, name_len);
            name[name_len] = '\0';
            char *reason = xstrndup(colon + 2, len - name_len - 2);
            take_rejection(truth, line, type, name, reason);
            free(reason);
        }
        list += len + (list[len] == '\n');
    }
}

/* A listener that the log says was added: known by no dump, or refused before. */
static void take_accepted(struct truth *truth, const struct record *line)
{
    char buf[32];
    const char *name = record_text(line, "listener", buf);
    struct row *row = name ? find(truth, "listener", name) : NULL;
    if (!name || (row && row->dump))
        return;
    if (!row && !(row = make_row(truth, "listener", name, "accepted", "log", line)))
        return;
    set(truth, row, "state", "accepted");
    set(truth, row, "stale", "no");
}

/* Both kinds of lines in time order, so that the last word counts. */
static void take_log(struct truth *truth)
{
    const struct record *bad = evidence_next(truth->evidence, "log.config_rejected", NULL);
    const struct record *good = evidence_next(truth->evidence, "log.xds_answered", NULL);
    while (bad || good) {
        if (good && (!bad || good->time <= bad->time)) {
            take_accepted(truth, good);
            good = evidence_next(truth->evidence, "log.xds_answered", good);
        } else {
            take_refusal(truth, bad);
            bad = evidence_next(truth->evidence, "log.config_rejected", bad);
        }
    }
}

/* Which version is in use, and whether a newer one was refused. */
static void conclude(struct truth *truth, struct row *row)
{
    const char *state = text_of(row, "state");
    bool never = str_equal(text_of(row, "updates_accepted"), "0");
    if (!row->dump || (!str_equal(state, "active") && !str_equal(state, "draining")))
        return;
    if (never && text_of(row, "error")) {
        set(truth, row, "state", "rejected"); /* a dump lists refused secrets as active */
        return;
    }
    set(truth, row, "accepted", text_of(row, "version"));
    if (text_of(row, "error"))
        set(truth, row, "stale", "yes");
}

void resources_find(struct evidence *evidence)
{
    struct truth truth = {.evidence = evidence};
    take_dump(&truth);
    take_references(&truth);
    take_counters(&truth);
    take_log(&truth);
    for (size_t i = 0; i < truth.len; i++)
        conclude(&truth, &truth.rows[i]);
    free(truth.rows);
    free(truth.slots);
}
