/* Stage: evidence. The store between readers and checks: one table for every name of the dictionary
 * and for every name that was declared. Writes into an arena of its own; knows what was supplied, what
 * was dropped, and in which order events happened. Deliberately knows nothing of formats. */
#include "evidence/evidence.h"
#include "base/alloc.h"
#include "base/str.h"
#include "evidence/notes.h"
#include "evidence/table.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_MAX = 64 << 10 };

struct evidence {
    struct arena *arena;
    struct sources *sources;
    const struct need_set *needs;
    struct evidence_table **slots; /* by name, open addressing; at most half full */
    size_t slots_cap, tables_len;
    cJSON **docs;
    size_t docs_len, docs_cap;
    size_t nodes; /* values in documents, as far as they were counted */
    struct notes notes;
    uint64_t total;
    int64_t since, until; /* 0: no bound */
    char outer[32];       /* what pointers begin with */
};

static struct evidence_table **slot_of(const struct evidence *evidence, const char *name)
{
    size_t mask = evidence->slots_cap - 1, at = table_hash(name) & mask;
    while (evidence->slots[at] && strcmp(evidence->slots[at]->name, name) != 0)
        at = (at + 1) & mask;
    return &evidence->slots[at];
}

static void grow_slots(struct evidence *evidence)
{
    struct evidence_table **old = evidence->slots;
    size_t old_cap = evidence->slots_cap;
    evidence->slots_cap = old_cap ? old_cap * 2 : 256;
    evidence->slots = xcalloc(evidence->slots_cap, sizeof(struct evidence_table *));
    for (size_t i = 0; i < old_cap; i++)
        if (old[i])
            *slot_of(evidence, old[i]->name) = old[i];
    free(old);
}

static struct evidence_table *add_table(struct evidence *evidence, const char *name,
                                        const struct dictionary_column *columns, const char *key)
{
    if ((evidence->tables_len + 1) * 2 > evidence->slots_cap)
        grow_slots(evidence);
    struct evidence_table *table = table_new(evidence->arena, name, columns, key);
    table_want(table, evidence->arena, evidence->needs);
    *slot_of(evidence, name) = table;
    evidence->tables_len++;
    return table;
}

static struct evidence_table *table_of(const struct evidence *evidence, const char *name)
{
    struct evidence_table *table = *slot_of(evidence, name);
    if (!table)
        BUG("there is no evidence '%s'", name);
    return table;
}

struct evidence *evidence_new(struct sources *sources, const struct need_set *needs)
{
    struct evidence *evidence = xcalloc(1, sizeof *evidence);
    evidence->arena = arena_new();
    evidence->sources = sources;
    evidence->needs = needs;
    size_t len;
    const struct dictionary_row *const *rows = dictionary_rows(&len);
    for (size_t i = 0; i < len; i++)
        add_table(evidence, rows[i]->name, rows[i]->columns, rows[i]->key);
    table_of(evidence, "proxy")->wanted = true;      /* every report tells what proxy it is about */
    table_of(evidence, "k8s.events")->wanted = true; /* and what happened when, */
    table_of(evidence, "unexplained")->wanted = true; /* and what nobody understood */
    return evidence;
}

void evidence_set_window(struct evidence *evidence, int64_t since, int64_t until)
{
    evidence->since = since;
    evidence->until = until;
}

bool evidence_bounded(const struct evidence *evidence)
{
    return evidence->since || evidence->until;
}

bool evidence_in_window(const struct evidence *evidence, int64_t time)
{
    return !time || ((!evidence->since || time >= evidence->since) &&
                     (!evidence->until || time <= evidence->until));
}

void evidence_free(struct evidence *evidence)
{
    if (!evidence)
        return;
    for (size_t i = 0; i < evidence->slots_cap; i++)
        if (evidence->slots[i])
            table_release(evidence->slots[i]);
    for (size_t i = 0; i < evidence->docs_len; i++)
        cJSON_Delete(evidence->docs[i]);
    free(evidence->docs);
    free(evidence->slots);
    arena_free(evidence->arena);
    free(evidence);
}

struct arena *evidence_arena(struct evidence *evidence)
{
    return evidence->arena;
}

struct sources *evidence_sources(const struct evidence *evidence)
{
    return evidence->sources;
}

const struct need_set *evidence_needs(const struct evidence *evidence)
{
    return evidence->needs;
}

uint64_t evidence_total(const struct evidence *evidence)
{
    return evidence->total;
}

struct notes *evidence_notes(struct evidence *evidence)
{
    return &evidence->notes;
}

bool evidence_wants(const struct evidence *evidence, const char *name, const char *key)
{
    const struct evidence_table *table = *slot_of(evidence, name);
    if (!table) /* not declared (yet): a need alone is enough */
        return !evidence->needs || need_set_wants(evidence->needs, name, key);
    return table_wants(table, key);
}

/* ---- narrowing: what nobody can use any more ---- */

static bool is_supplied(const char *const *supplies, const char *name)
{
    for (; *supplies; supplies++)
        if (str_glob(*supplies, name))
            return true;
    return false;
}

/* Whether the need that term AT belongs to can be met, by what there is or by what is still to come. */
static bool can_be_met(const struct evidence *evidence, size_t at, const char *const *supplies)
{
    const struct need_set *needs = evidence->needs;
    for (size_t i = 0; i < needs->len; i++)
        if (needs->marks[i].need == needs->marks[at].need &&
            (is_supplied(supplies, needs->terms[i].name) ||
             evidence_state(evidence, needs->terms[i].name) != EVIDENCE_ABSENT))
            return true;
    return false;
}

static bool can_be_asked(const struct evidence *evidence, size_t check, const char *const *supplies)
{
    const struct need_set *needs = evidence->needs;
    for (size_t i = 0; i < needs->len; i++)
        if (needs->marks[i].check == check && !needs->marks[i].optional &&
            !can_be_met(evidence, i, supplies))
            return false;
    return true;
}

static struct need_set terms_in_use(const struct evidence *evidence, const char *const *supplies)
{
    const struct need_set *needs = evidence->needs;
    struct need_set live = {.terms = xcalloc(needs->len + 1, sizeof *live.terms)};
    for (size_t i = 0; i < needs->len; i++)
        if (can_be_asked(evidence, needs->marks[i].check, supplies))
            live.terms[live.len++] = needs->terms[i];
    return live;
}

void evidence_narrow(struct evidence *evidence, const char *const *supplies)
{
    if (!evidence->needs)
        return;
    struct need_set live = terms_in_use(evidence, supplies);
    for (size_t i = 0; i < evidence->slots_cap; i++) {
        struct evidence_table *table = evidence->slots[i];
        if (!table || !is_supplied(supplies, table->name) || strcmp(table->name, "proxy") == 0)
            continue;
        table_unwant(table);
        table_want(table, evidence->arena, &live);
    }
    need_set_release(&live);
}

void evidence_declare(struct evidence *evidence, const char *name)
{
    static const struct dictionary_column file_columns[] = {{"text", "the line"}, {NULL, NULL}};
    if (*slot_of(evidence, name))
        return;
    bool event = str_starts(name, "event.");
    if (!event && !str_starts(name, "file."))
        BUG("evidence '%s' cannot be declared", name);
    struct evidence_table *table = add_table(
        evidence, name, event ? dictionary_event_columns() : file_columns, NULL);
    table->wanted |= event; /* its check runs, or its pattern would not be looked for */
}

void evidence_add_column(struct evidence *evidence, const char *name, const char *column)
{
    table_add_column(table_of(evidence, name), evidence->arena, column);
}

struct record *evidence_add(struct evidence *evidence, const char *name,
                            const struct source *source)
{
    struct evidence_table *table = table_of(evidence, name);
    struct record *record = table->wanted ? table_add(table, evidence->arena) : NULL;
    if (!record)
        return NULL;
    record->source = source;
    evidence->total++;
    return record;
}

static bool plain_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)(text[i] - ' ') >= 0x7f - ' ' && text[i] != '\n' && text[i] != '\t')
            return false;
    return true;
}

static const char *keep_text(struct evidence *evidence, const char *text, size_t len, size_t max)
{
    if (len < max && plain_ascii(text, len))
        return arena_strndup(evidence->arena, text, len);
    size_t cap = len < max / 3 ? len * 3 + 1 : max;
    char *clean = xmalloc(cap);
    size_t clean_len = str_to_utf8(clean, cap, text, len);
    const char *kept = arena_strndup(evidence->arena, clean, clean_len);
    free(clean);
    return kept;
}

void evidence_set(struct evidence *evidence, struct record *record, const char *column,
                  const char *value)
{
    if (!value)
        return;
    int at = table_column(record->table, column);
    if (at < 0)
        BUG("evidence '%s' has no column '%s'", record->table->name, column);
    table_set(evidence->arena, record, (size_t)at,
              keep_text(evidence, value, strlen(value), CELL_MAX));
}

void evidence_setf(struct evidence *evidence, struct record *record, const char *column,
                   const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(evidence->arena, format, args);
    va_end(args);
    evidence_set(evidence, record, column, text);
}

void evidence_place(struct evidence *evidence, struct record *record, const char *pointer)
{
    bool inner = *evidence->outer && (*pointer == '/' || !*pointer); /* no name of a statistic */
    if (inner)
        record->pointer = arena_printf(evidence->arena, "%s%.*s", evidence->outer, CELL_MAX,
                                       pointer);
    else
        record->pointer = keep_text(evidence, pointer, strlen(pointer), CELL_MAX);
}

void evidence_within(struct evidence *evidence, uint64_t line)
{
    *evidence->outer = '\0';
    if (line)
        snprintf(evidence->outer, sizeof evidence->outer, "line %" PRIu64, line);
}

const char *evidence_outer(const struct evidence *evidence)
{
    return evidence->outer;
}

void evidence_excerpt(struct evidence *evidence, struct record *record, const char *text,
                      size_t len)
{
    record->excerpt = keep_text(evidence, text, len, EVIDENCE_EXCERPT_MAX + 1);
}

void evidence_set_doc(struct evidence *evidence, struct record *record, cJSON *document)
{
    if (evidence->docs_len == evidence->docs_cap) {
        evidence->docs_cap = evidence->docs_cap ? evidence->docs_cap * 2 : 8;
        evidence->docs = xrealloc(evidence->docs, evidence->docs_cap * sizeof(cJSON *));
    }
    evidence->docs[evidence->docs_len++] = document;
    record->doc = document;
}

bool evidence_room(struct evidence *evidence, size_t nodes, size_t max)
{
    if (nodes > max - evidence->nodes)
        return false;
    evidence->nodes += nodes;
    return true;
}

void evidence_supplied(struct evidence *evidence, const char *name, bool complete)
{
    struct evidence_table *table = table_of(evidence, name);
    table->supplied = true;
    table->partial |= !complete;
}

void evidence_counted(struct evidence *evidence, const char *name, uint64_t seen)
{
    table_of(evidence, name)->seen = seen;
}

static bool is_event(const char *name)
{
    return str_starts(name, "log.") || str_starts(name, "access.") || str_starts(name, "event.");
}

void evidence_finish(struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->slots_cap; i++) {
        struct evidence_table *table = evidence->slots[i];
        if (table && (is_event(table->name) || strcmp(table->name, "k8s.events") == 0))
            table_sort_by_time(table);
    }
}

enum evidence_state evidence_state(const struct evidence *evidence, const char *name)
{
    const struct evidence_table *table = *slot_of(evidence, name);
    if (!table)
        return EVIDENCE_ABSENT;
    bool supplied = table->supplied, partial = table->partial || table->dropped;
    bool any = table->len > 0;
    if (is_event(name)) {
        const struct evidence_table *read = table_of(evidence,
                                                     str_starts(name, "event.") ? "text" : "log");
        supplied |= read->supplied;
        partial |= read->partial;
        any |= read->len > 0; /* a text that is no whole log was read */
    }
    if (!supplied && !any)
        return EVIDENCE_ABSENT;
    return partial || !supplied ? EVIDENCE_PARTIAL : EVIDENCE_COMPLETE;
}

uint64_t evidence_count(const struct evidence *evidence, const char *name)
{
    const struct evidence_table *table = *slot_of(evidence, name);
    if (!table)
        return 0;
    uint64_t known = table->len + table->dropped;
    return table->seen > known ? table->seen : known;
}

/* The table of NAME, which AFTER, if there is one, must come from; NULL when nobody knows NAME. */
static struct evidence_table *table_behind(const struct evidence *evidence, const char *name,
                                           const struct record *after)
{
    struct evidence_table *table = *slot_of(evidence, name);
    if (table && after && after->table != table)
        BUG("a record of '%s' is none of '%s'", after->table->name, name);
    return table;
}

const struct record *evidence_next(const struct evidence *evidence, const char *name,
                                   const struct record *after)
{
    const struct evidence_table *table = table_behind(evidence, name, after);
    size_t at = after ? ((const struct table_record *)after)->index + 1 : 0;
    return table && at < table->len ? &table->records[at]->record : NULL;
}

const struct record *evidence_next_with(const struct evidence *evidence, const char *name,
                                        const char *field, const char *value,
                                        const struct record *after)
{
    struct evidence_table *table = table_behind(evidence, name, after);
    return table ? table_next_with(table, field, value, after) : NULL;
}

struct record *evidence_find(const struct evidence *evidence, const char *name, const char *key)
{
    struct evidence_table *table = *slot_of(evidence, name);
    return table ? table_find(table, key) : NULL;
}
