/* Stage: check. Reads evidence for one check and lets through what it declared. Writes faults into the
 * check's builder. Deliberately gives nothing that was not asked for by a need: what a check reads must
 * stand in its metadata, or nobody could say what is missing. */
#include "check/view.h"

#include "base/str.h"
#include "evidence/dictionary.h"

#include <string.h>

static const struct check_event *find_event(const struct check_meta *meta, const char *name)
{
    if (!str_starts(name, "event."))
        return NULL;
    for (size_t i = 0; i < meta->events_len; i++)
        if (strcmp(meta->events[i].name, name + strlen("event.")) == 0)
            return &meta->events[i];
    return NULL;
}

static bool needs_name(const struct check_meta *meta, const char *name)
{
    for (size_t i = 0; i < meta->needs_len; i++)
        for (size_t j = 0; j < meta->needs[i].terms_len; j++)
            if (strcmp(meta->needs[i].terms[j].name, name) == 0)
                return true;
    return false;
}

bool view_declares(const struct view *view, const char *name)
{
    return needs_name(view->check->meta, name);
}

static bool passes_term(const struct need_term *term, const struct record *record)
{
    const struct dictionary_row *row = dictionary_find(term->name);
    char buf[32];
    for (int i = 0; i < term->filters_len; i++) {
        const char *column = term->filters[i].column;
        if (!column)
            column = row ? row->key : "";
        const char *value = record_text(record, column, buf);
        if (!value || !str_glob(term->filters[i].glob, value))
            return false;
    }
    return true;
}

/* The table holds what all checks asked for; a check sees what any of its own terms lets through. */
static bool passes(const struct check_meta *meta, const char *name, const struct record *record)
{
    bool named = false;
    for (size_t i = 0; i < meta->needs_len; i++) {
        for (size_t j = 0; j < meta->needs[i].terms_len; j++) {
            const struct need_term *term = &meta->needs[i].terms[j];
            if (strcmp(term->name, name) != 0)
                continue;
            if (passes_term(term, record))
                return true;
            named = true;
        }
    }
    return !named; /* an event of its own that no need names */
}

static bool is_filtered(const struct check_meta *meta, const char *name)
{
    bool filtered = false;
    for (size_t i = 0; i < meta->needs_len; i++) {
        for (size_t j = 0; j < meta->needs[i].terms_len; j++) {
            const struct need_term *term = &meta->needs[i].terms[j];
            if (strcmp(term->name, name) != 0)
                continue;
            if (!term->filters_len)
                return false;
            filtered = true;
        }
    }
    return filtered;
}

/* ---- names ---- */

/* A name that the check used: looked up among its needs once, not for every record. */
struct view_name {
    const char *asked, *full;
    bool filtered;
    struct view_name *next;
};

static struct view_name *known_name(struct view *view, const char *name)
{
    for (struct view_name **at = &view->names; *at; at = &(*at)->next) {
        struct view_name *found = *at;
        if (strcmp(found->asked, name) != 0)
            continue;
        *at = found->next; /* to the front: loops ask for the same one again and again */
        found->next = view->names;
        view->names = found;
        return found;
    }
    return NULL;
}

/* NAME with what it stands for, or NULL and a fault. */
static const struct view_name *resolve(struct view *view, const char *name)
{
    const struct check_meta *meta = view->check->meta;
    struct view_name *known = name ? known_name(view, name) : NULL;
    if (known)
        return known;
    const struct check_event *event = find_event(meta, name ? name : "");
    if (!event && !(name && needs_name(meta, name))) {
        builder_set_fault(view->builder, "read evidence '%s', which its needs do not name",
                          name ? name : "");
        return NULL;
    }
    known = arena_alloc(view->scratch, sizeof *known);
    const char *asked = arena_strdup(view->scratch, name);
    const char *full = event ? event->evidence : asked;
    *known = (struct view_name){asked, full, is_filtered(meta, full), view->names};
    view->names = known;
    return known;
}

/* ---- records ---- */

static bool is_seen(const struct view *view, const struct view_name *name,
                    const struct record *record)
{
    return !name->filtered || passes(view->check->meta, name->full, record);
}

static const struct record *next_seen(const struct view *view, const struct view_name *name,
                                      const struct record *after)
{
    const struct record *record = after;
    while ((record = evidence_next(view->evidence, name->full, record)))
        if (is_seen(view, name, record))
            return record;
    return NULL;
}

/* NAME as the place to go on from AFTER, or NULL and a fault. */
static const struct view_name *resolve_after(struct view *view, const char *name,
                                             const struct record *after)
{
    const struct view_name *known = resolve(view, name);
    if (!known || !after || strcmp(record_name(after), known->full) == 0)
        return known;
    builder_set_fault(view->builder, "took a record of '%s' for one of '%s'", record_name(after),
                      name);
    return NULL;
}

const struct record *view_next(struct view *view, const char *name, const struct record *after)
{
    const struct view_name *known = resolve_after(view, name, after);
    return known ? next_seen(view, known, after) : NULL;
}

static bool check_field(struct view *view, const struct record *record, const char *field)
{
    if (!record || !field) {
        builder_set_fault(view->builder, "asked for a field of no record");
        return false;
    }
    if (record_can_have(record, field))
        return true;
    builder_set_fault(view->builder, "asked for '%s', which evidence '%s' does not have", field,
                      record_name(record));
    return false;
}

const struct record *view_next_with(struct view *view, const char *name, const char *field,
                                    const char *value, const struct record *after)
{
    const struct view_name *known = resolve_after(view, name, after);
    const struct record *record = known ? evidence_next(view->evidence, known->full, NULL) : NULL;
    if (record && !check_field(view, record, field))
        return NULL;
    record = after;
    while (known &&
           (record = evidence_next_with(view->evidence, known->full, field, value, record)))
        if (is_seen(view, known, record))
            return record;
    return NULL;
}

const struct record *view_find(struct view *view, const char *name, const char *key)
{
    const struct view_name *known = resolve(view, name);
    const struct record *record = known ? evidence_find(view->evidence, known->full, key) : NULL;
    return record && is_seen(view, known, record) ? record : NULL;
}

uint64_t view_count(struct view *view, const char *name)
{
    const struct view_name *known = resolve(view, name);
    uint64_t count = 0;
    if (!known)
        return 0;
    if (!known->filtered)
        return evidence_count(view->evidence, known->full);
    for (const struct record *r = NULL; (r = next_seen(view, known, r));)
        count++;
    return count;
}

enum evidence_state view_state(struct view *view, const char *name)
{
    const struct view_name *known = resolve(view, name);
    return known ? evidence_state(view->evidence, known->full) : EVIDENCE_ABSENT;
}

const char *view_text(struct view *view, const struct record *record, const char *field)
{
    char buf[32];
    if (!check_field(view, record, field))
        return NULL;
    const char *text = record_text(record, field, buf);
    return text == buf ? arena_strdup(view->scratch, buf) : text;
}

bool view_number(struct view *view, const struct record *record, const char *field, double *out)
{
    return check_field(view, record, field) && record_number(record, field, out);
}

const char *view_param(struct view *view, const char *name, int *type)
{
    const struct check_meta *meta = view->check->meta;
    for (size_t i = 0; name && i < meta->params_len; i++) {
        if (strcmp(meta->params[i].name, name) != 0)
            continue;
        if (type)
            *type = meta->params[i].type;
        return view->check->params[i];
    }
    builder_set_fault(view->builder, "asked for parameter '%s', which it does not declare",
                      name ? name : "");
    return NULL;
}
