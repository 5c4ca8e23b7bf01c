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

/* The full name of NAME, or NULL and a fault. */
static const char *resolve(struct view *view, const char *name)
{
    const struct check_meta *meta = view->check->meta;
    const struct check_event *event = find_event(meta, name ? name : "");
    if (event)
        return event->evidence;
    if (name && needs_name(meta, name))
        return name;
    builder_set_fault(view->builder, "read evidence '%s', which its needs do not name",
                      name ? name : "");
    return NULL;
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

static const struct record *next_passing(const struct view *view, const char *full,
                                         const struct record *after)
{
    const struct record *record = after;
    while ((record = evidence_next(view->evidence, full, record)))
        if (passes(view->check->meta, full, record))
            return record;
    return NULL;
}

const struct record *view_next(struct view *view, const char *name, const struct record *after)
{
    const char *full = resolve(view, name);
    if (!full)
        return NULL;
    if (after && strcmp(record_name(after), full) != 0) {
        builder_set_fault(view->builder, "took a record of '%s' for one of '%s'",
                          record_name(after), name);
        return NULL;
    }
    return next_passing(view, full, after);
}

const struct record *view_find(struct view *view, const char *name, const char *key)
{
    const char *full = resolve(view, name);
    const struct record *record = full ? evidence_find(view->evidence, full, key) : NULL;
    return record && passes(view->check->meta, full, record) ? record : NULL;
}

uint64_t view_count(struct view *view, const char *name)
{
    const char *full = resolve(view, name);
    uint64_t count = 0;
    if (!full)
        return 0;
    if (!is_filtered(view->check->meta, full))
        return evidence_count(view->evidence, full);
    for (const struct record *r = next_passing(view, full, NULL); r;
         r = next_passing(view, full, r))
        count++;
    return count;
}

enum evidence_state view_state(struct view *view, const char *name)
{
    const char *full = resolve(view, name);
    return full ? evidence_state(view->evidence, full) : EVIDENCE_ABSENT;
}

static bool has_column(const struct record *record, const char *field)
{
    for (const char *const *column = record_columns(record); *column; column++)
        if (strcmp(*column, field) == 0)
            return true;
    return false;
}

static bool check_field(struct view *view, const struct record *record, const char *field)
{
    if (!record || !field) {
        builder_set_fault(view->builder, "asked for a field of no record");
        return false;
    }
    if (record->doc || has_column(record, field))
        return true;
    builder_set_fault(view->builder, "asked for '%s', which evidence '%s' does not have", field,
                      record_name(record));
    return false;
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
